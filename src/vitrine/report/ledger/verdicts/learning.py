"""Verdicts on training: above chance, above a constant answer, calibrated."""

from vitrine.data import dataset
from vitrine.report.ledger.verdicts.claim import Claim, Ledger, by_interval, interval, with_recipes
from vitrine.report.ledger.verdicts.models import KERAS

__all__ = ["CLAIMS"]


def _above_chance(recipe: str, name: str, network: str) -> Claim:
    key = f"{recipe}.accuracy"
    classes = len(dataset.current().classes)
    chance = 1 / classes

    def test(ledger: Ledger) -> bool | None:
        score = interval(ledger, key)
        if score.low > chance:
            return True
        return False if score.high < chance else None

    return Claim(
        key=name,
        text=f"{network} fait mieux que le hasard",
        cautious=f"les images de test ne disent pas si {network} fait mieux que le hasard",
        expression=f"intervalle à 95 % de {key} entièrement au-dessus de 1/{classes}",
        needs=(key,),
        holds=test,
    )


def _miscalibrated(recipe: str, name: str) -> Claim:
    """Return the claim that a model is overconfident, or underconfident, on average.

    The calibration error does not decide: it does not say which way, and on so few images a model
    that is too sure by several points still shows no more of it than honest probabilities may.
    """
    return by_interval(
        name,
        f"{recipe}.overconfidence",
        text="les probabilités sont trop sûres d’elles",
        cautious="nos images ne disent pas si les probabilités sont trop sûres d’elles ou trop "
        "prudentes",
        reverse="les probabilités sont trop prudentes",
    )


def _all_learn(ledger: Ledger) -> bool:
    trained = [r for r in with_recipes(ledger, "accuracy_clean") if r != "majority"]
    floor = interval(ledger, "majority.accuracy").high
    return all(interval(ledger, f"{recipe}.accuracy").low > floor for recipe in trained)


CLAIMS = (
    _above_chance(KERAS, "keras_above_chance", "le réseau entraîné avec TensorFlow"),
    _miscalibrated(KERAS, "keras_miscalibrated"),
    Claim(
        key="all_learn",
        text="tous les modèles entraînés font mieux que la réponse constante",
        cautious="",
        reverse="au moins un modèle entraîné ne fait pas mieux que la réponse constante",
        expression="intervalle à 95 % de accuracy au-dessus de celui de majority, pour chaque "
        "recette",
        needs=("majority.accuracy",),
        holds=_all_learn,
    ),
)

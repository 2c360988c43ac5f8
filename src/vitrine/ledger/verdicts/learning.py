"""What each training taught: better than chance, than a constant, as sure as it says."""

from vitrine.catalog import CLASSES
from vitrine.ledger.verdicts.claim import Claim, Ledger, with_recipes
from vitrine.ledger.verdicts.models import KERAS, TORCH

__all__ = ["CLAIMS"]


def _above_chance(recipe: str, name: str, network: str) -> Claim:
    key = f"{recipe}.accuracy"
    chance = 1 / len(CLASSES)

    def test(ledger: Ledger) -> bool | None:
        if ledger[key].low > chance:
            return True
        return False if ledger[key].high < chance else None

    return Claim(
        key=name,
        text=f"{network} fait mieux que le hasard",
        cautious=f"les images de test ne disent pas si {network} fait mieux que le hasard",
        expression=f"intervalle à 95 % de {key} entièrement au-dessus de 1/{len(CLASSES)}",
        needs=(key,),
        holds=test,
    )


def _miscalibrated(recipe: str, name: str) -> Claim:
    """Say whether the error of calibration is more than honest probabilities would show."""
    observed, honest = (f"{recipe}.calibration_error_{k}" for k in ("one_run", "if_honest"))
    return Claim(
        key=name,
        text="les probabilités annoncées ne sont pas tenues : l’erreur de calibration dépasse ce "
        "que le hasard explique",
        cautious="rien n’indique que les probabilités annoncées soient fausses : l’erreur de "
        "calibration reste celle qu’aurait un modèle bien calibré sur si peu d’images",
        expression=f"{observed} au-dessus de l’intervalle à 95 % de {honest}",
        needs=(observed, honest),
        holds=lambda ledger: True if ledger[observed].value > ledger[honest].high else None,
    )


def _all_learn(ledger: Ledger) -> bool:
    trained = [r for r in with_recipes(ledger, "accuracy_clean") if r != "majority"]
    floor = ledger["majority.accuracy"].high
    return all(ledger[f"{recipe}.accuracy"].low > floor for recipe in trained)


CLAIMS = (
    _above_chance(KERAS, "keras_above_chance", "le réseau entraîné avec TensorFlow"),
    _above_chance(TORCH, "torch_above_chance", "le réseau entraîné avec PyTorch"),
    _miscalibrated(KERAS, "keras_miscalibrated"),
    _miscalibrated(TORCH, "torch_miscalibrated"),
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

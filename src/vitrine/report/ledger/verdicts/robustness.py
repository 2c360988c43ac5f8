"""Verdicts on leaks and on robustness: duplicates, noise, compression, input size."""

from vitrine.report.ledger.verdicts.claim import (
    ALPHA,
    Claim,
    Ledger,
    by_interval,
    interval,
    with_recipes,
)
from vitrine.report.ledger.verdicts.models import KERAS, TORCH

__all__ = ["CLAIMS"]


def _leaks_are_easier(ledger: Ledger) -> bool | None:
    if ledger["leaks.p"].value >= ALPHA:
        return None
    share = ledger["leaks.right"].value / ledger["leaks.answers"].value
    return share > ledger["leaks.right_elsewhere"].value


def _noise_is_worst(ledger: Ledger) -> bool | None:
    """Tell whether strong noise costs every model more than any other corruption does."""
    key = "noise_beyond_next"
    beyond = [interval(ledger, f"{recipe}.{key}") for recipe in with_recipes(ledger, key)]
    if any(gap.low > 0 for gap in beyond):
        return False
    return True if all(gap.high < 0 for gap in beyond) else None


def _jpeg_leaves_scratch(ledger: Ledger) -> bool:
    asked = [r for r in with_recipes(ledger, "change_jpeg_5") if r.endswith("-scratch")]
    changes = [interval(ledger, f"{recipe}.change_jpeg_5") for recipe in asked]
    return all(change.low <= 0 <= change.high for change in changes)


CLAIMS = (
    Claim(
        key="duplicates_agree",
        text="aucune paire de doublons ne réunit deux catégories",
        cautious="",
        expression="data.pairs_mixed_labels = 0",
        needs=("data.pairs_mixed_labels",),
        holds=lambda ledger: ledger["data.pairs_mixed_labels"].value == 0,
    ),
    Claim(
        key="leaks_are_easier",
        text="les réseaux entraînés de zéro répondent mieux aux photos de test qui ont un double "
        "ailleurs qu’aux autres",
        cautious="les photos de test qui ont un double ailleurs sont trop peu nombreuses pour dire "
        "si les réseaux entraînés de zéro y répondent mieux qu’aux autres",
        reverse="les réseaux entraînés de zéro répondent moins bien aux photos de test qui ont un "
        "double ailleurs qu’aux autres",
        expression="leaks.p sous 0,05 (test exact par permutation des photos), et part de réponses "
        "justes d’un côté ou de l’autre de leaks.right_elsewhere ; indécis sinon",
        needs=("leaks.p", "leaks.right", "leaks.answers", "leaks.right_elsewhere"),
        holds=_leaks_are_easier,
    ),
    Claim(
        key="noise_breaks_all",
        text="c’est un bruit fort qui coûte le plus à chacun des modèles interrogés",
        cautious="rien n’établit que le bruit fort soit ce qui coûte le plus à chacun des modèles "
        "interrogés",
        reverse="le bruit fort n’est pas ce qui coûte le plus à chacun des modèles interrogés",
        expression="pour chaque recette, intervalle à 95 % de noise_beyond_next entièrement sous "
        "zéro : le bruit coûte plus que la plus proche des quatre autres dégradations",
        needs=(f"{TORCH}.noise_beyond_next",),
        holds=_noise_is_worst,
    ),
    Claim(
        key="jpeg_leaves_scratch",
        text="nous ne mesurons aucun effet d’une forte compression JPEG sur les réseaux entraînés "
        "de zéro",
        cautious="",
        reverse="une forte compression JPEG change l’exactitude d’au moins un des réseaux "
        "entraînés de zéro",
        expression="intervalle à 95 % de change_jpeg_5 contenant zéro, pour chaque réseau "
        "entraîné de zéro",
        needs=(f"{TORCH}.change_jpeg_5", f"{KERAS}.change_jpeg_5"),
        holds=_jpeg_leaves_scratch,
    ),
    by_interval(
        "larger_input_helps",
        f"{TORCH}.change_input_160",
        text="une entrée un peu plus grande qu’à l’entraînement aide le réseau PyTorch",
        cautious="les images ne suffisent pas à établir qu’une entrée un peu plus grande qu’à "
        "l’entraînement aide le réseau PyTorch",
        reverse="une entrée un peu plus grande qu’à l’entraînement nuit au réseau PyTorch",
    ),
)

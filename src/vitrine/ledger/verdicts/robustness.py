"""What the test images are worth, and what becomes of the answers when they change."""

from vitrine.ledger.verdicts.claim import Claim, Ledger, sign, with_recipes
from vitrine.ledger.verdicts.models import KERAS, TORCH

__all__ = ["CLAIMS"]

_OTHER_CORRUPTIONS = ("blur", "jpeg", "brightness", "crop")


def _leaks_change_nothing(ledger: Ledger) -> bool:
    return all(
        ledger[f"{recipe}.accuracy"].low
        <= ledger[f"{recipe}.accuracy_clean"].value
        <= ledger[f"{recipe}.accuracy"].high
        for recipe in with_recipes(ledger, "accuracy_clean")
    )


def _noise_is_worst(ledger: Ledger) -> bool:
    """Tell whether strong noise costs every model, and more than any other corruption."""
    for recipe in with_recipes(ledger, "change_noise_5"):
        noise = ledger[f"{recipe}.change_noise_5"]
        others = [ledger[f"{recipe}.change_{name}_5"].value for name in _OTHER_CORRUPTIONS]
        if noise.high >= 0 or noise.value > min(others):
            return False
    return True


def _jpeg_leaves_scratch(ledger: Ledger) -> bool:
    asked = [r for r in with_recipes(ledger, "change_jpeg_5") if r.endswith("-scratch")]
    changes = [ledger[f"{recipe}.change_jpeg_5"] for recipe in asked]
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
        key="leaks_change_nothing",
        text="sans les images de test qui ont un double ailleurs, l’exactitude de chaque modèle "
        "reste dans son intervalle",
        cautious="",
        reverse="sans les images de test qui ont un double ailleurs, l’exactitude d’au moins un "
        "modèle sort de son intervalle",
        expression="accuracy_clean dans l’intervalle à 95 % de accuracy, pour chaque recette",
        needs=("data.test_leaked",),
        holds=_leaks_change_nothing,
    ),
    Claim(
        key="noise_breaks_all",
        text="c’est un bruit fort qui coûte le plus à chacun des modèles interrogés",
        cautious="",
        reverse="le bruit fort n’est pas ce qui coûte le plus à chacun des modèles interrogés",
        expression="pour chaque recette, change_noise_5 entièrement sous zéro et le plus bas des "
        "cinq change_*_5",
        needs=(f"{TORCH}.change_noise_5",),
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
    Claim(
        key="larger_input_helps",
        text="une entrée un peu plus grande qu’à l’entraînement aide le réseau PyTorch",
        cautious="les images ne suffisent pas à établir qu’une entrée un peu plus grande qu’à "
        "l’entraînement aide le réseau PyTorch",
        reverse="une entrée un peu plus grande qu’à l’entraînement nuit au réseau PyTorch",
        expression=f"intervalle à 95 % de {TORCH}.change_input_160 d’un seul côté de zéro ; "
        "indécis sinon",
        needs=(f"{TORCH}.change_input_160",),
        holds=sign(f"{TORCH}.change_input_160"),
    ),
)

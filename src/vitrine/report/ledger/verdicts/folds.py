"""Verdicts on every photo, over folds: fine-tuning, libraries, text beside the photo."""

from vitrine.report.ledger.context import MARGIN
from vitrine.report.ledger.verdicts.claim import Claim, Ledger, interval, settled_claim
from vitrine.report.ledger.verdicts.comparison import paired
from vitrine.report.ledger.verdicts.models import TORCH

__all__ = ["CLAIMS"]

LITE = "efficientnet-lite0"
FROZEN, TUNED, TUNED_KERAS = f"{LITE}-probe", f"{LITE}-torch", f"{LITE}-keras"
SAME_START = f"oof_gap.{TUNED}.{TUNED_KERAS}.accuracy"


def _same_start(ledger: Ledger) -> bool | None:
    gap = interval(ledger, SAME_START)
    if gap.low >= -MARGIN and gap.high <= MARGIN:
        return True
    return False if gap.low > MARGIN or gap.high < -MARGIN else None


def _beside(name: str, candidate: str, baseline: str, alone: str) -> Claim:
    """Return the claim that an answer which also looks at the photo beats the text alone."""
    return settled_claim(
        name,
        f"oof_gap.{candidate}.{baseline}",
        text=f"regarder aussi la photo vaut mieux que lire {alone}",
        cautious=f"rien n’établit que regarder aussi la photo vaille mieux que lire {alone}",
        reverse=f"regarder aussi la photo vaut moins que lire {alone}",
    )


def _reads(name: str, recipe: str, what: str) -> Claim:
    """Return the claim that a text alone beats the features of the photo."""
    return settled_claim(
        name,
        f"oof_gap.{recipe}.{FROZEN}",
        text=f"{what} en dit plus que la photo, lue par EfficientNet-Lite0 figé",
        cautious=f"aucune différence détectable entre {what} et la photo, lue par "
        "EfficientNet-Lite0 figé",
        reverse=f"{what} en dit moins que la photo, lue par EfficientNet-Lite0 figé",
    )


CLAIMS = (
    settled_claim(
        "fine_tuning_helps",
        f"oof_gap.{TUNED}.{FROZEN}",
        text="avec PyTorch, le fine-tuning améliore les caractéristiques figées "
        "d’EfficientNet-Lite0",
        cautious="avec PyTorch, le fine-tuning n’apporte rien de détectable aux caractéristiques "
        "figées d’EfficientNet-Lite0",
        reverse="avec PyTorch, le fine-tuning dégrade les caractéristiques figées "
        "d’EfficientNet-Lite0",
    ),
    Claim(
        key="same_start_agrees",
        text="partis des mêmes poids d’EfficientNet-Lite0, TensorFlow et PyTorch se valent, à la "
        "marge annoncée près",
        cautious="partis des mêmes poids d’EfficientNet-Lite0, rien n’établit que TensorFlow et "
        "PyTorch se valent à la marge annoncée près, ni qu’ils diffèrent davantage",
        reverse="partis des mêmes poids d’EfficientNet-Lite0, TensorFlow et PyTorch diffèrent de "
        "plus que la marge annoncée",
        expression=f"intervalle à 95 % de {SAME_START} à l’intérieur de plus ou moins {MARGIN} ; "
        "faux s’il en est tout entier dehors ; indécis sinon",
        needs=(SAME_START,),
        holds=_same_start,
    ),
    paired(
        "fine_tuned_beats_scratch",
        TUNED,
        TORCH,
        text="après fine-tuning depuis ImageNet, EfficientNet-Lite0 l’emporte sur EfficientNet-B0 "
        "entraîné de zéro",
        cautious="aucune différence détectable, sur les images de test, entre EfficientNet-Lite0 "
        "après fine-tuning et EfficientNet-B0 entraîné de zéro",
        reverse="EfficientNet-B0 entraîné de zéro l’emporte sur EfficientNet-Lite0 après "
        "fine-tuning",
    ),
    _reads("title_against_image", "text-title", "le titre"),
    _reads("text_against_image", "text-title-description", "le titre suivi de la description"),
    _beside("image_helps_title", "title-and-image", "text-title", "le titre seul"),
    _beside(
        "image_helps_text", "text-and-image", "text-title-description",
        "le titre et la description seuls",
    ),
)  # fmt: skip

"""Verdicts of the chapter on pretraining: architectures at equal start, gain of pretraining."""

from dataclasses import replace

from vitrine.report.ledger import equal_start
from vitrine.report.ledger.verdicts.claim import (
    Claim,
    Ledger,
    by_interval,
    interval,
    sign,
    unanimous,
)
from vitrine.report.ledger.verdicts.comparison import paired, settled_claim

__all__ = ["CLAIMS"]

B0, MICRO = "efficientnet-b0", "mambavision-micro"
IMAGES = f"{MICRO}-pretrain"
SAME_NORM = tuple(f"gap.{b}.{a}.accuracy" for a, b in equal_start.SAME_NORM)
ONCE = "un seul préentraînement de chaque réseau"
"""What every interval on the pretrained networks leaves out."""


def _apart(
    name: str, candidate: str, spent: str, *, text: str, cautious: str, reverse: str
) -> Claim:
    """Return the claim that two pretrainings end apart on the validation part of their corpus.

    Args:
        name: Key of the claim.
        candidate: What is compared with EfficientNet-B0.
        spent: What the candidate may not spend more of, for the claim to be fair.
        text: Wording where the candidate is ahead.
        cautious: Wording where nothing is settled.
        reverse: Wording where the candidate is behind.
    """
    ours, theirs = f"{candidate}.top1", f"{B0}-pretrain.top1"
    budgets = f"{candidate}.{spent}", f"{B0}-pretrain.{spent}"

    def holds(ledger: Ledger) -> bool | None:
        if ledger[budgets[0]].value > ledger[budgets[1]].value:
            return None
        mine, other = interval(ledger, ours), interval(ledger, theirs)
        if mine.low > other.high:
            return True
        return False if mine.high < other.low else None

    return Claim(
        key=name,
        text=text,
        cautious=cautious,
        reverse=reverse,
        expression=f"{budgets[0]} au plus égal à {budgets[1]}, et intervalles à 95 % de {ours} et "
        f"de {theirs} disjoints ; indécis sinon ; {ONCE}",
        needs=(ours, theirs, *budgets),
        holds=holds,
    )


def _scan_against(other: str, what: str) -> Claim:
    """Return the claim that the scan adds something to what may stand in its place.

    Without runs nothing is established either: the cautious sentence is then true as it is, so that
    a page may call the claim before the runs are there.
    """
    arm = f"{MICRO}-mixer"
    who = "entraînée de zéro sur nos photos, MambaVision micro"
    claim = settled_claim(
        f"scan_against_{other}",
        f"oof_gap.{arm}-scan.{arm}-{other}",
        text=f"{who} fait mieux avec son balayage {what}",
        cautious=f"rien n’établit qu’{who} fasse mieux avec son balayage {what}, ni moins bien",
        reverse=f"{who} fait moins bien avec son balayage {what}",
    )

    def holds(ledger: Ledger) -> bool | None:
        return claim.holds(ledger) if set(claim.needs) <= set(ledger) else None

    return replace(claim, needs=(), holds=holds)


def _by_folds(name: str, candidate: str, **wordings: str) -> Claim:
    """Return the claim that the frozen features of two networks differ, fold by fold."""
    gap = f"gap.{candidate}.{B0}-transfer-probe.cv_accuracy"
    return by_interval(name, gap, corrected=True, note=f" ; {ONCE}", **wordings)


def _same_norm(ledger: Ledger) -> bool | None:
    return unanimous(sign(gap)(ledger) for gap in SAME_NORM)


CLAIMS = (
    Claim(
        key="equal_norm",
        text="avec la même moyenne mobile des deux côtés, MambaVision micro reste devant",
        cautious="avec la même moyenne mobile des deux côtés, l’écart n’est plus établi",
        reverse="avec la même moyenne mobile des deux côtés, EfficientNet-B0 passe devant",
        expression=f"intervalles à 95 % de {SAME_NORM[0]} et de {SAME_NORM[1]} du même côté de "
        "zéro ; indécis sinon",
        needs=SAME_NORM,
        holds=_same_norm,
    ),
    _apart(
        "equal_images_learned",
        IMAGES,
        "images_seen",
        text="à images égales, MambaVision micro devance EfficientNet-B0 sur le corpus de "
        "préentraînement",
        cautious="à images égales, rien ne sépare les deux architectures sur le corpus de "
        "préentraînement",
        reverse="à images égales, EfficientNet-B0 devance MambaVision micro sur le corpus de "
        "préentraînement",
    ),
    paired(
        "pretraining_helps_b0",
        f"{B0}-transfer",
        f"{B0}-short",
        text="à nombre d’époques égal, le préentraînement améliore EfficientNet-B0 sur nos photos",
        cautious="nos images ne disent pas si, à nombre d’époques égal, le préentraînement "
        "améliore EfficientNet-B0",
        reverse="à nombre d’époques égal, le préentraînement dessert EfficientNet-B0 sur nos "
        "photos",
    ),
    paired(
        "pretraining_helps_micro",
        f"{MICRO}-transfer",
        f"{MICRO}-short",
        text="à nombre d’époques égal, le préentraînement améliore MambaVision micro sur nos "
        "photos",
        cautious="nos images ne disent pas si, à nombre d’époques égal, le préentraînement "
        "améliore MambaVision micro",
        reverse="à nombre d’époques égal, le préentraînement dessert MambaVision micro sur nos "
        "photos",
    ),
    paired(
        "equal_short",
        f"{MICRO}-short",
        f"{B0}-short",
        text="de zéro et en peu de passages, MambaVision micro fait mieux qu’EfficientNet-B0",
        cautious="de zéro et en peu de passages, aucune différence détectable entre les deux "
        "architectures",
        reverse="de zéro et en peu de passages, EfficientNet-B0 fait mieux que MambaVision micro",
    ),
    paired(
        "equal_images",
        f"{MICRO}-transfer",
        f"{B0}-transfer",
        text="préentraînée sur les mêmes images, MambaVision micro fait mieux qu’EfficientNet-B0",
        cautious="après préentraînement sur les mêmes images, aucune différence détectable entre "
        "les deux architectures",
        reverse="préentraîné sur les mêmes images, EfficientNet-B0 fait mieux que MambaVision "
        "micro",
    ),
    paired(
        "equal_clock",
        f"{MICRO}-transfer-clock",
        f"{B0}-transfer",
        text="préentraînée sans plus de temps, MambaVision micro fait mieux qu’EfficientNet-B0",
        cautious="après un préentraînement de durée comparable, aucune différence détectable entre "
        "les deux architectures",
        reverse="préentraîné à durée comparable, EfficientNet-B0 fait mieux que MambaVision micro",
    ),
    paired(
        "equal_weights",
        f"{B0}-keras-transfer",
        f"{B0}-transfer",
        text="à partir des mêmes poids, TensorFlow fait mieux que PyTorch",
        cautious="à partir des mêmes poids, aucune différence détectable entre les deux "
        "bibliothèques",
        reverse="à partir des mêmes poids, PyTorch fait mieux que TensorFlow",
    ),
    _by_folds(
        "equal_images_probed",
        f"{MICRO}-transfer-probe",
        text="à images égales, les caractéristiques figées de MambaVision micro trient mieux nos "
        "photos",
        cautious="à images égales, aucune différence détectable entre les caractéristiques figées "
        "des deux architectures",
        reverse="à images égales, les caractéristiques figées d’EfficientNet-B0 trient mieux nos "
        "photos",
    ),
    _scan_against("identity", "que sans"),
    _scan_against("conv", "qu’avec une convolution à sa place"),
    _scan_against("attention", "qu’avec l’attention à sa place"),
)

"""Verdicts on explanations: coarse or fine features, sanity of saliency maps."""

from collections.abc import Callable

from vitrine.report.ledger.verdicts.claim import (
    Claim,
    Ledger,
    by_interval,
    sign,
    unanimous,
    with_recipes,
)
from vitrine.report.ledger.verdicts.models import MICRO, PROBE, TORCH

__all__ = ["CLAIMS"]

ALIKE = 0.5
"""Rank correlation above which two maps of a photo are called alike."""


def _alike(name: str) -> Callable[[Ledger], bool | None]:
    """Return a decision: true if shuffled weights leave the maps alike for every network asked."""

    def decided(ledger: Ledger) -> bool | None:
        key = f"likeness_{name}"
        return unanimous(ledger[f"{r}.{key}"].value > ALIKE for r in with_recipes(ledger, key))

    return decided


def _differs(name: str) -> Callable[[Ledger], bool | None]:
    """Return the opposite of ``_alike``."""

    def decided(ledger: Ledger) -> bool | None:
        alike = _alike(name)(ledger)
        return None if alike is None else not alike

    return decided


def _reads_coarse(recipe: str, key: str) -> Claim:
    """Say whether a network relies more on the low frequencies of a photo than on its details."""
    return by_interval(
        key,
        f"{recipe}.loss_gap_low_high",
        text="les formes et les couleurs d’ensemble comptent plus que les détails",
        cautious="rien n’établit que les formes d’ensemble comptent plus ou moins que les détails",
        reverse="les détails comptent plus que les formes et les couleurs d’ensemble",
    )


def _networks_coarse_probe_fine(ledger: Ledger) -> bool | None:
    """Tell whether both networks trained from scratch rely on coarse features, the probe on not."""
    coarse = [sign(f"{recipe}.loss_gap_low_high")(ledger) for recipe in (TORCH, MICRO, PROBE)]
    return None if None in coarse else coarse == [True, True, False]


CLAIMS = (
    Claim(
        key="networks_coarse_probe_fine",
        text="les deux réseaux entraînés de zéro s’appuient surtout sur les basses fréquences ; la "
        "sonde, sur les détails",
        cautious="rien n’établit, pour tous à la fois, s’ils s’appuient sur les basses fréquences "
        "ou sur les détails",
        reverse="les deux réseaux entraînés de zéro et la sonde ne s’opposent pas sur les basses "
        "fréquences et les détails",
        expression="intervalles à 95 % de loss_gap_low_high entièrement au-dessus de zéro pour les "
        "deux réseaux entraînés de zéro, au-dessous pour la sonde",
        needs=tuple(f"{recipe}.loss_gap_low_high" for recipe in (TORCH, MICRO, PROBE)),
        holds=_networks_coarse_probe_fine,
    ),
    _reads_coarse(TORCH, "coarse_before_fine"),
    _reads_coarse(MICRO, "mambavision_reads_coarse"),
    Claim(
        key="probe_reads_coarse",
        text="ce sont les formes et les couleurs d’ensemble qui comptent le plus",
        cautious="rien n’établit que les formes d’ensemble comptent plus ou moins que les détails",
        reverse="ce sont au contraire les détails qui comptent le plus",
        expression=f"intervalle à 95 % de {PROBE}.loss_gap_low_high d’un seul côté de zéro",
        needs=(f"{PROBE}.loss_gap_low_high",),
        holds=sign(f"{PROBE}.loss_gap_low_high"),
    ),
    Claim(
        key="gradients_follow_the_photo",
        text="les gradients intégrés suivent en bonne partie la photo, que le réseau ait appris ou "
        "non",
        cautious="selon le réseau, les gradients intégrés suivent surtout la photo ou surtout ce "
        "qu’il a appris",
        reverse="les gradients intégrés dépendent surtout de ce que le réseau a appris",
        expression=f"likeness_gradients au-dessus de {ALIKE} pour chaque réseau examiné",
        needs=(f"{TORCH}.likeness_gradients",),
        holds=_alike("gradients"),
    ),
    Claim(
        key="occlusion_follows_the_weights",
        text="l’occlusion dépend de ce que le réseau a appris",
        cautious="selon le réseau, l’occlusion dépend surtout de ce qu’il a appris ou surtout de "
        "la photo",
        reverse="l’occlusion suit en bonne partie la photo, que le réseau ait appris ou non",
        expression=f"likeness_occlusion sous {ALIKE} pour chaque réseau examiné",
        needs=(f"{TORCH}.likeness_occlusion",),
        holds=_differs("occlusion"),
    ),
)

"""Verdicts of the announced comparisons, and of every test of the ledger."""

from collections.abc import Iterator

from vitrine.report.ledger.verdicts.claim import ALPHA, Claim, Ledger, by_interval, settled_claim
from vitrine.report.ledger.verdicts.models import HOG, KERAS, MICRO, PROBE, TORCH
from vitrine.report.names import model_name

__all__ = ["CLAIMS", "of_every_test", "paired", "settled_claim"]

_POC_BOUNDS = tuple(f"poc_gap.mambavision-{size}.holm_bound" for size in ("t", "s", "b"))


def paired(name: str, candidate: str, baseline: str, **wordings: str) -> Claim:
    """Return the claim of an announced comparison: its interval and its test must agree."""
    return settled_claim(name, f"gap.{candidate}.{baseline}", **wordings)


def of_every_test(ledger: Ledger) -> Iterator[Claim]:
    """Yield a claim for each comparison of the ledger that has a test, whoever the recipes are."""
    places = {"gap": "sur les images de test", "oof_gap": "sur toutes les photos"}
    for key in ledger:
        gap, _, end = key.rpartition(".")
        if end == "holm" and f"{gap}.accuracy" in ledger:
            kind, candidate, baseline = gap.split(".")
            a, b = (f"« {model_name(name)} »" for name in (candidate, baseline))
            where = places[kind]
            yield settled_claim(
                gap,
                gap,
                text=f"{where}, {a} fait mieux que {b}",
                cautious=f"{where}, aucune différence détectable entre {a} et {b}",
                reverse=f"{where}, {a} fait moins bien que {b}",
            )


def _no_published_gap_stands(ledger: Ledger) -> bool:
    return all(ledger[key].value >= ALPHA for key in _POC_BOUNDS)


CLAIMS = (
    paired(
        "probe_beats_scratch",
        PROBE,
        KERAS,
        text="la sonde préentraînée l’emporte sur le réseau entraîné de zéro",
        cautious="aucune différence détectable entre la sonde préentraînée et le réseau entraîné "
        "de zéro",
        reverse="le réseau entraîné de zéro l’emporte sur la sonde préentraînée",
    ),
    by_interval(
        "probe_beats_classical",
        f"gap.{PROBE}.{HOG}.cv_accuracy",
        corrected=True,
        text="les caractéristiques apprises sur ImageNet l’emportent sur les descripteurs "
        "classiques",
        cautious="aucune différence détectable entre les caractéristiques apprises et les "
        "descripteurs classiques",
        reverse="les descripteurs classiques l’emportent sur les caractéristiques apprises",
    ),
    paired(
        "scratch_against_classical",
        KERAS,
        HOG,
        text="entraîné de zéro, EfficientNet-B0 fait mieux que les descripteurs classiques",
        cautious="aucune différence détectable entre EfficientNet-B0, entraîné de zéro, et les "
        "descripteurs classiques",
        reverse="entraîné de zéro, EfficientNet-B0 fait moins bien que les descripteurs classiques",
    ),
    paired(
        "frameworks_differ",
        TORCH,
        KERAS,
        text="à recette égale, PyTorch fait mieux que TensorFlow",
        cautious="à recette égale, aucune différence détectable entre les deux bibliothèques",
        reverse="à recette égale, TensorFlow fait mieux que PyTorch",
    ),
    paired(
        "architectures_differ",
        MICRO,
        TORCH,
        text="à recette et taille égales, MambaVision micro fait mieux qu’EfficientNet-B0",
        cautious="à recette et taille égales, aucune différence détectable entre MambaVision micro "
        "et EfficientNet-B0",
        reverse="à recette et taille égales, EfficientNet-B0 fait mieux que MambaVision micro",
    ),
    Claim(
        key="poc_below_power",
        text="les écarts publiés entre MambaVision et EfficientNet-B0 tiennent à trop peu de "
        "photos pour conclure",
        cautious="",
        reverse="un des écarts publiés entre MambaVision et EfficientNet-B0 pourrait être établi, "
        "si les réponses image par image étaient publiées",
        expression="poc_gap.mambavision-*.holm_bound d’au moins 0,05 : même au mieux, aucun des "
        "trois tests de McNemar, corrigés (Holm), n’établit un écart",
        needs=_POC_BOUNDS,
        holds=_no_published_gap_stands,
    ),
)

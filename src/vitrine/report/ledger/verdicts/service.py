"""Verdicts on the service: waits, processor time and overload, beside a naive one."""

from collections.abc import Callable

from vitrine.report.ledger.service import MODELS
from vitrine.report.ledger.verdicts.claim import Claim, Ledger, unanimous

__all__ = ["CLAIMS"]

HALF, PROMPT = 0.5, 200.0
"""Share of the naive processor time, and milliseconds of a health probe, that were aimed at."""


def _keys(key: str, models: tuple[str, ...] = MODELS) -> tuple[str, ...]:
    return tuple(f"service.{model}.{key}" for model in models)


def _sooner(when: str) -> Callable[[Ledger], bool | None]:
    """Return a decision: whether both models answer sooner from our server than from the naive."""

    def decided(ledger: Ledger) -> bool | None:
        return unanimous(
            ledger[f"service.{model}.ours.p50_{when}"].value
            < ledger[f"service.{model}.naive.p50_{when}"].value
            for model in MODELS
        )

    return decided


def _nothing_lost(ledger: Ledger) -> bool:
    return all(
        ledger[f"service.{model}.overload_requests"].value
        == sum(ledger[f"service.{model}.overload_{what}"].value for what in ("answered", "refused"))
        for model in MODELS
    )


def _faster(key: str, when: str, text: str, reverse: str) -> Claim:
    needs = _keys(f"ours.p50_{when}") + _keys(f"naive.p50_{when}")
    return Claim(
        key=key,
        text=text,
        cautious=f"selon le modèle, {text} ou non",
        reverse=reverse,
        expression=f"service.*.ours.p50_{when} sous service.*.naive.p50_{when}, pour chaque modèle",
        needs=needs,
        holds=_sooner(when),
    )


CLAIMS = (
    _faster(
        "service_alone",
        "alone",
        text="un client seul attend moins longtemps notre réponse que celle du serveur naïf",
        reverse="un client seul attend plus longtemps notre réponse que celle du serveur naïf",
    ),
    _faster(
        "service_crowd",
        "crowd",
        text="une foule attend moins longtemps nos réponses que celles du serveur naïf",
        reverse="une foule attend plus longtemps nos réponses que celles du serveur naïf",
    ),
    Claim(
        key="service_processor",
        text="notre serveur dépense moins de la moitié du temps de processeur du naïf, quel que "
        "soit le nombre de clients",
        cautious="rien ne dit lequel des deux serveurs dépense le plus de temps de processeur",
        reverse="notre serveur dépense parfois plus de la moitié du temps de processeur du naïf",
        expression=f"service.efficientnet_b0.cpu_share sous {HALF}",
        needs=_keys("cpu_share", MODELS[:1]),
        holds=lambda ledger: ledger["service.efficientnet_b0.cpu_share"].value < HALF,
    ),
    Claim(
        key="service_probe",
        text="la sonde de santé de notre serveur répond dans le délai visé",
        cautious="rien ne dit si la sonde de santé répond dans le délai visé",
        reverse="la sonde de santé de notre serveur dépasse le délai visé",
        expression=f"service.*.ours.probe_crowd sous {PROMPT:g} ms",
        needs=_keys("ours.probe_crowd"),
        holds=lambda ledger: all(ledger[key].value < PROMPT for key in _keys("ours.probe_crowd")),
    ),
    Claim(
        key="service_overload",
        text="chaque requête de trop reçoit un refus, et aucune ne reste sans réponse",
        cautious="rien ne dit ce que reçoivent les requêtes de trop",
        expression="service.*.overload_answered + overload_refused = overload_requests",
        needs=_keys("overload_answered") + _keys("overload_refused") + _keys("overload_requests"),
        holds=_nothing_lost,
    ),
)
"""What the page on the service may say of its measures."""

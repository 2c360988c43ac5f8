"""Write the folder of a model: ONNX file, JSON card, and the same card in French, for people."""

import shutil
import tempfile
from importlib import resources
from pathlib import Path

from vitrine.metrics import Interval
from vitrine.metrics.panel import METRICS
from vitrine.report.fr import number, percent, scientific, space, spelled
from vitrine.report.tables.shown import with_interval
from vitrine.serving.card import CARD, FEWEST, MODEL, Card, Doubt, Guard, ModelError, Score

__all__ = ["check", "describe", "write"]

README = "README.md"
LEGAL = ("LICENSE", "NOTICE")
"""Written by hand where the licence of the weights asks for them; a new export keeps them."""


def check(target: Path) -> None:
    """Refuse to replace a folder that holds anything else than a model.

    Raises:
        ModelError: If it does.
    """
    if not target.exists():
        return
    others = (
        sorted({path.name for path in target.iterdir()} - {CARD, MODEL, README, *LEGAL})
        if target.is_dir()
        else [target.name]
    )
    if others:
        raise ModelError(
            f"expected {target.name} to be absent, empty or a model's folder, found {others[0]}; "
            "name another folder"
        )


def write(target: Path, card: Card, model: bytes) -> Path:
    """Write a folder whole: it is filled beside its place, then takes it.

    Args:
        target: The folder; a model that is there is replaced.
        card: What the model is.
        model: The ONNX file.
    """
    check(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
        made, former = Path(scratch) / "made", Path(scratch) / "former"
        made.mkdir()
        (made / MODEL).write_bytes(model)
        (made / CARD).write_text(card.to_json(), encoding="utf-8")
        (made / README).write_text(describe(card, len(model)), encoding="utf-8")
        for name in (name for name in LEGAL if (target / name).is_file()):
            shutil.copy(target / name, made)
        try:
            if target.exists():
                target.rename(former)
            made.rename(target)
        finally:  # after Ctrl-C too, the former would go with the scratch folder
            if former.exists() and not target.exists():
                former.rename(target)
    return target


def _millions(count: int) -> str:
    noun = "million" if count < 2e6 else "millions"  # noqa: PLR2004  (French counts from two)
    return f"{number(count / 1e6, 2)} {noun}"


def describe(card: Card, size: int) -> str:
    """Return the model card, in French.

    Args:
        card: What the model is.
        size: Bytes of its file.
    """
    doubt, parity = card.doubt, card.parity
    facts = card.model_dump() | {
        "parameters": _millions(card.parameters),
        "size": number(size / 1e6, 1),
        "temperature": _temperature(card.temperature),
        "metrics": "\n".join(
            f"| {METRICS[name].heading} | {_score(name, score)} |"
            for name, score in card.metrics.items()
        ),
        "threshold": percent(doubt.uncertain_below),
        "wanted": percent(doubt.wanted),
        "sure": _sure(doubt),
        "guard": _guard(card.guard, card.words.outside),
        "photo": card.words.photo,
        "edition": card.data.get("edition", "inconnue"),
        "split": card.data.get("split", "inconnu"),
        "classes": "\n".join(
            f"{row.id + 1}. {row.label_fr} (« {row.label} »)" for row in card.classes
        ),
        "count": spelled(len(card.classes)),
        "side": card.input_size,
        "rounding": _rounding(card),
        "compared": parity.images,
        "same": parity.same_top1,
        "gap": scientific(parity.largest_gap),
        "trained": card.commits["training"][:12],
        "exported": card.commits["export"][:12],
    }
    page = resources.files("vitrine.serving").joinpath("pages", "card.md")
    return space(page.read_text(encoding="utf-8").format(**facts))


def _temperature(found: float) -> str:
    fitted = "réglée\nsur les images de validation"
    if found == 1.0:  # what no fit gives to the last bit
        fitted = (
            f"faute de pouvoir la régler\nsur les images de validation : il en faut {FEWEST}, dont "
            "une mal classée"
        )
    return f"{number(found, 3)}, {fitted}"


def _score(metric: str, score: Score) -> str:
    return with_interval(metric, Interval(score.value, score.low, score.high))


def _sure(doubt: Doubt) -> str:
    if doubt.accuracy is None:
        return "Aucune réponse sur les images de test ne l’atteint."
    accuracy = _score("accuracy", doubt.accuracy)
    return (
        f"Sur les images de test, {percent(doubt.answered)} des réponses l’atteignent, et leur "
        f"exactitude est de {accuracy}."
    )


def _guard(guard: Guard | None, outside: str) -> str:
    if guard is None:
        return f"Rien ne signale une image {outside}."
    return (
        f"Une image est dite sans doute {outside} quand ses réponses, et la façon dont "
        "elles varient d’un lieu à l’autre, s’éloignent trop de celles des images de validation "
        f"(distance de Mahalanobis de plus de {number(guard.limit, 2)}). La limite laisse "
        f"{percent(guard.wanted)} de ces images au-delà.{_plain(guard.plain_below)} Sur les images "
        f"de test, les fausses alertes sont de {_score('accuracy', guard.false_alarms)}."
    )


def _plain(below: float) -> str:
    if not (below := round(below, 1)):
        return ""
    levels = "niveau" if below < 2 else "niveaux"  # noqa: PLR2004
    return f" Une image unie (écart-type de moins de {number(below, 1)} {levels}) l’est toujours."


def _rounding(card: Card) -> str:
    if card.parity.lost_macro_f1 is None:
        return "Les calculs sont en virgule flottante de 32 bits."
    static = card.precision == "int8-static"
    computed = "sur 8 bits aussi" if static else "en virgule flottante de 32 bits"
    return (
        "Les poids sont gardés sur 8 bits, une échelle par canal, et les calculs faits "
        f"{computed}, ce qui change le F1 macro de "
        f"{number(-100 * card.parity.lost_macro_f1, 2)} point sur les images de test."
    )

"""Write the folder of a model: ONNX file, JSON card, and the same card for people."""

import shutil
import tempfile
from importlib import resources
from pathlib import Path

from vitrine.metrics import Interval
from vitrine.metrics.panel import METRICS
from vitrine.report.fr import scientific, space
from vitrine.report.tables.shown import with_interval
from vitrine.serving.card import CARD, FEWEST, MODEL, Card, Doubt, Guard, Label, ModelError, Score
from vitrine.serving.speech import Speech

__all__ = ["check", "describe", "write"]

README = "README.md"
PAGES = {"fr": "card.md", "en": "card.en.md"}
OWN = "own"
"""Edition of a user's own photos."""
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


def describe(card: Card, size: int) -> str:
    """Return the model card for people, in the language of the card.

    Args:
        card: What the model is.
        size: Bytes of its file.
    """
    doubt, parity, say = card.doubt, card.parity, Speech(card.language)
    words = {name: say(word) for name, word in card.words}
    facts = card.model_dump() | {
        "purpose": say("À essayer le classifieur du rapport."),
        "learned": say(
            "Édition « {edition} » des photographies, découpage « {split} ».",
            edition=card.data.get("edition", say("inconnue")),
            split=card.data.get("split", say("inconnu")),
        ),
        "parameters": _millions(say, card.parameters),
        "size": say.number(size / 1e6, 1),
        "temperature": _temperature(say, card.temperature),
        "metrics": "\n".join(
            f"| {say(METRICS[name].heading)} | {_score(say, name, score)} |"
            for name, score in card.metrics.items()
        ),
        "threshold": say.percent(doubt.uncertain_below),
        "wanted": say.percent(doubt.wanted),
        "sure": _sure(say, doubt),
        "guard": _guard(say, card.guard, words["outside"]),
        "photo": words["photo"],
        "classes": "\n".join(f"{row.id + 1}. {_class(say, row)}" for row in card.classes),
        "count": say.count(len(card.classes)),
        "side": card.input_size,
        "rounding": _rounding(say, card),
        "compared": parity.images,
        "same": parity.same_top1,
        "gap": scientific(parity.largest_gap) if say.french else f"{parity.largest_gap:.1e}",
        "trained": card.commits["training"][:12],
        "exported": card.commits["export"][:12],
    }
    if card.data.get("edition") == OWN:
        facts["purpose"] = say("À ranger des photos comme celles qu’il a apprises.")
        facts["learned"] = say("Les photos du projet.")
    page = resources.files("vitrine.serving").joinpath("pages", PAGES[card.language])
    text = page.read_text(encoding="utf-8").format(**facts)
    return space(text) if say.french else text


def _millions(say: Speech, count: int) -> str:
    millions = say.number(count / 1e6, 2)
    if count < 2e6:  # noqa: PLR2004  (French counts from two)
        return say("{count} million", count=millions)
    return say("{count} millions", count=millions)


def _temperature(say: Speech, found: float) -> str:
    temperature = say.number(found, 3)
    if found == 1.0:  # what no fit gives to the last bit
        return say(
            "{temperature}, faute de pouvoir la régler\nsur les images de validation : il en faut "
            "{fewest}, dont une mal classée",
            temperature=temperature, fewest=str(FEWEST),
        )  # fmt: skip
    return say("{temperature}, réglée\nsur les images de validation", temperature=temperature)


def _class(say: Speech, row: Label) -> str:
    if row.label == row.label_fr:
        return row.label
    return f"{row.label_fr} (« {row.label} »)" if say.french else f"{row.label_fr} (“{row.label}”)"


def _score(say: Speech, metric: str, score: Score) -> str:
    if say.french:
        return with_interval(metric, Interval(score.value, score.low, score.high))
    declared = METRICS[metric]
    scale, unit = (100, "%") if declared.is_share else (1, "")
    value, low, high = (
        say.number(scale * end, declared.decimals) for end in (score.value, score.low, score.high)
    )
    return f"{value}{unit} [{low}, {high}]"


def _sure(say: Speech, doubt: Doubt) -> str:
    if doubt.accuracy is None:
        return say("Aucune réponse sur les images de test ne l’atteint.")
    return say(
        "Sur les images de test, {answered} des réponses l’atteignent, et leur exactitude est de "
        "{accuracy}.",
        answered=say.percent(doubt.answered), accuracy=_score(say, "accuracy", doubt.accuracy),
    )  # fmt: skip


def _guard(say: Speech, guard: Guard | None, outside: str) -> str:
    if guard is None:
        return say("Rien ne signale une image {outside}.", outside=outside)
    return say(
        "Une image est dite sans doute {outside} quand ses réponses, et la façon dont elles "
        "varient d’un lieu à l’autre, s’éloignent trop de celles des images de validation "
        "(distance de Mahalanobis de plus de {limit}). La limite laisse {wanted} de ces images "
        "au-delà.{plain} Sur les images de test, les fausses alertes sont de {alarms}.",
        outside=outside, limit=say.number(guard.limit, 2), wanted=say.percent(guard.wanted),
        plain=_plain(say, guard.plain_below), alarms=_score(say, "accuracy", guard.false_alarms),
    )  # fmt: skip


def _plain(say: Speech, below: float) -> str:
    if not (below := round(below, 1)):
        return ""
    told = say.number(below, 1)
    if below < 2:  # noqa: PLR2004
        return say(
            " Une image unie (écart-type de moins de {below} niveau) l’est toujours.", below=told
        )
    return say(
        " Une image unie (écart-type de moins de {below} niveaux) l’est toujours.", below=told
    )


def _rounding(say: Speech, card: Card) -> str:
    if card.parity.lost_macro_f1 is None:
        return say("Les calculs sont en virgule flottante de 32 bits.")
    lost = say.number(-100 * card.parity.lost_macro_f1, 2)
    if card.precision == "int8-static":
        return say(
            "Les poids sont gardés sur 8 bits, une échelle par canal, et les calculs faits sur 8 "
            "bits aussi, ce qui change le F1 macro de {lost} point sur les images de test.",
            lost=lost,
        )
    return say(
        "Les poids sont gardés sur 8 bits, une échelle par canal, et les calculs faits en virgule "
        "flottante de 32 bits, ce qui change le F1 macro de {lost} point sur les images de test.",
        lost=lost,
    )

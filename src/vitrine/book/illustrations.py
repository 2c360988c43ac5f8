"""Draw the figures of the note and of the slides from numbers of the ledger."""

from collections.abc import Callable
from dataclasses import dataclass

from vitrine.book.drawings import Palette, Row, intervals
from vitrine.book.ledger_view import LedgerView
from vitrine.report.fr import THIN

__all__ = ["ILLUSTRATIONS", "Drawn"]

_LEVEL = f"intervalle à 95{THIN}%"
_REFERENCE = "poc.efficientnetb0_custom-finetuned.accuracy"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """An SVG drawing, its alternative text and the values that it shows.

    Attributes:
        svg: The drawing.
        alt: What it shows, for who does not see it.
        rows: What it shows, in words, each with its key in the ledger.
    """

    svg: str
    alt: str
    rows: tuple[tuple[str, str], ...]


def _scores(ledger: LedgerView, palette: Palette) -> Drawn | None:
    keys = [(ledger.named(r), f"{r}.accuracy", f"{r}.macro_f1") for r in ledger.recipes()]
    alt = (
        "Pour chaque modèle, du plus exact au moins exact, un point pour l’exactitude et un "
        "losange pour le F1 macro, avec leurs barres d’erreur."
    )
    axis = f"Score et {_LEVEL}"
    return _series(ledger, keys, palette, axis=axis, alt=alt, names=("Exactitude", "F1 macro"))


def _gaps(ledger: LedgerView, palette: Palette) -> Drawn | None:
    gaps = ledger.gaps()
    if not gaps:
        return None
    said = [(f"{gap.candidate} contre {gap.baseline}", f"{gap.key}.accuracy") for gap in gaps]
    rows = [
        Row(
            label=f"{_broken(gap.candidate)}\ncontre {_broken(gap.baseline)}",
            points=(_point(ledger, key),),
        )
        for gap, (_, key) in zip(gaps, said, strict=True)
    ]
    alt = (
        "Une ligne par comparaison annoncée : un point pour l’écart d’exactitude et sa barre "
        "d’erreur, autour d’un trait vertical à zéro."
    )
    band = None
    if ledger.known("power.smallest_gap"):
        smallest = ledger.entry("power.smallest_gap")["value"]
        band = (-smallest, smallest)
        told = "Plus petit vrai écart, testé seul, établi quatre fois sur cinq"
        said.append((told, "power.smallest_gap"))
        alt += " Une bande grise couvre les vrais écarts manqués plus d’une fois sur cinq."
    axis = f"Écart d’exactitude en points, {_LEVEL}"
    svg = intervals(rows, axis=axis, palette=palette, alt=alt, unit="", band=band, zero=True)
    return Drawn(svg=svg, alt=alt, rows=tuple(said))


def _cited(ledger: LedgerView, palette: Palette) -> Drawn | None:
    keys = ledger.cited()
    alt = (
        "Une ligne par réseau cité, du plus exact au moins exact : un point pour l’exactitude "
        "publiée, sans intervalle."
    )
    band = None
    if ledger.known(_REFERENCE, "power.smallest_unpaired_gap"):
        centre = 100 * ledger.entry(_REFERENCE)["value"]
        half = ledger.entry("power.smallest_unpaired_gap")["value"]
        band = (centre - half, centre + half)
        alt += " Une bande grise entoure EfficientNet-B0 : ce qui ne s’en distingue pas."
    return _series(ledger, keys, palette, axis="Exactitude publiée", alt=alt, band=band)


def _answered(ledger: LedgerView, palette: Palette) -> Drawn | None:
    recipes = [r for r in ledger.recipes() if r != "majority"]
    keys = [(ledger.named(r), f"{r}.accuracy_one_run", f"{r}.accuracy_answered") for r in recipes]
    keys = [row for row in keys if ledger.known(*row[1:])]
    alt = (
        "Pour chaque modèle, un point pour l’exactitude sur toutes les photos et un losange pour "
        "l’exactitude sur les photos dont il est le plus sûr, avec leurs barres d’erreur."
    )
    names = ("Toutes les photos", "Les plus sûres")
    return _series(ledger, keys, palette, axis=f"Exactitude et {_LEVEL}", alt=alt, names=names)


def _leaks(ledger: LedgerView, palette: Palette) -> Drawn | None:
    keys = [(ledger.named(r), f"{r}.accuracy", f"{r}.accuracy_clean") for r in ledger.recipes()]
    alt = (
        "Pour chaque modèle, un point pour l’exactitude sur toutes les images de test et un "
        "losange sans celles qui ont un double ailleurs, avec leurs barres d’erreur."
    )
    names = ("Toutes les images", "Sans les doubles")
    return _series(ledger, keys, palette, axis=f"Exactitude et {_LEVEL}", alt=alt, names=names)


def _series(
    ledger: LedgerView,
    keys: list[tuple[str, ...]],
    palette: Palette,
    *,
    axis: str,
    alt: str,
    names: tuple[str, ...] = (),
    band: tuple[float, float] | None = None,
) -> Drawn | None:
    """Draw shares: a line a model, with one or two entries of the ledger each."""
    if not keys:
        return None
    rows = [
        Row(label=_broken(name), points=tuple(_point(ledger, key) for key in shown))
        for name, *shown in keys
    ]
    svg = intervals(rows, axis=axis, palette=palette, alt=alt, names=names, band=band)
    said = tuple(
        (f"{name}, {series.lower()}" if series else name, key)
        for name, *shown in keys
        for series, key in zip(names or ("",), shown, strict=True)
    )
    return Drawn(svg=svg, alt=alt, rows=said)


def _point(ledger: LedgerView, key: str) -> tuple[float, float | None, float | None]:
    entry = ledger.entry(key)
    low, high = (None if entry[end] is None else 100 * entry[end] for end in ("low", "high"))
    return 100 * entry["value"], low, high


def _broken(name: str) -> str:
    """Cut the name of a model on two lines, at its first comma or parenthesis."""
    comma, parenthesis = name.find(", "), name.find(" (")
    if comma >= 0 and (parenthesis < 0 or comma < parenthesis):
        return name.replace(", ", ",\n", 1)
    return name.replace(" (", "\n(", 1)


ILLUSTRATIONS: dict[str, Callable[[LedgerView, Palette], Drawn | None]] = {
    "answered": _answered,
    "cited": _cited,
    "gaps": _gaps,
    "leaks": _leaks,
    "scores": _scores,
}
"""By name, what draws it; ``None`` where the ledger has nothing of it."""

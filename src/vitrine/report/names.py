"""Names of recipes on screen and in sentences."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["gap_names", "in_lines", "model_lines", "model_name"]

_NAMES = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
_WORDS, _FAMILIES = _NAMES["words"], _NAMES["families"]
LINE = 20
"""Characters of a line beside a narrow figure."""


def model_name(recipe: str, language: str = "fr") -> str:
    """Return what a recipe is called on screen, in French or English.

    A recipe of a known family keeps what sets it apart: ``mambavision-micro-scratch`` is
    « MambaVision (micro, de zéro) ».

    Args:
        recipe: Its name.
        language: One of ``dataset.LANGUAGES``.
    """
    recipe = recipe.removesuffix("-smoke")
    prefix = next((known for known in _FAMILIES if recipe.startswith(known)), "")
    name = _said(_FAMILIES.get(prefix, recipe), language)
    rest = recipe.removeprefix(prefix or recipe).strip("-").split("-")
    if "probe" in rest and "transfer" in rest:  # frozen features: nothing is tuned
        rest.remove("transfer")
    said = [_said(_WORDS.get(word, word), language) for word in rest if word]
    return f"{name} ({', '.join(said)})" if said else name


def _said(name: str | Mapping[str, str], language: str) -> str:
    return name if isinstance(name, str) else name[language]


def gap_names(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return what the gap of each pair is called: the candidate minus the baseline, in short.

    What both have in common is said only where two gaps would else have one name:
    « MambaVision (micro) − EfficientNet-B0 (fine-tuning) ».

    Args:
        pairs: Baseline and candidate of each gap.
    """
    said = {pair: _apart(*pair) for pair in pairs}
    names = [name for name, _ in said.values()]
    return {
        pair: f"{name} ({shared})" if shared and names.count(name) > 1 else name
        for pair, (name, shared) in said.items()
    }


def in_lines(gap: str) -> str:
    """Return the name of a gap on lines that the side of a narrow figure holds."""
    sides = gap.replace(" : ", " :<br>").split(" − ")
    return "<br>− ".join(_broken(side) if len(side) > LINE else side for side in sides)


def _apart(baseline: str, candidate: str) -> tuple[str, str]:
    """Return « candidate − baseline » without what both have in common, and that."""
    (head, said), (against, told) = (_parts(candidate), _parts(baseline))
    shared = [word for word in said if word in told]
    said, told = ([w for w in words if w not in shared] for words in (said, told))
    if head == against:
        return f"{head} : {', '.join(said)} − {', '.join(told)}", ", ".join(shared)
    sides = ((head, said), (against, told))
    named = [f"{name} ({', '.join(words)})" if words else name for name, words in sides]
    return " − ".join(named), ", ".join(shared)


def _parts(recipe: str) -> tuple[str, list[str]]:
    head, _, said = model_name(recipe).removesuffix(")").partition(" (")
    return head, said.split(", ") if said else []


def model_lines(recipe: str) -> str:
    """Return the name of a model on two lines or three, for a narrow screen."""
    first, _, rest = _broken(model_name(recipe)).partition("<br>")
    if not rest:
        return first
    return f"{first}<br>{rest if len(rest) <= LINE else _broken(rest)}"


def _broken(name: str) -> str:
    return name.replace(", ", ",<br>", 1) if ", " in name else name.replace(" (", "<br>(", 1)

"""Citable numbers with their unit, interval and provenance, declared one by one or in tables."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, SupportsFloat

from vitrine.metrics import Interval
from vitrine.training.runs import Run
from vitrine.training.runs.meter import UNKNOWN

__all__ = [
    "COMPARISON", "COUNT", "MINUTES", "PERCENT", "P_VALUE", "Row", "Value", "commits", "machine",
    "provenance", "table",
]  # fmt: skip

PERCENT, COUNT, MINUTES, P_VALUE = ("%", 1), ("count", 0), ("min", 1), ("", 3)
"""Units with their decimals, as the last two fields of a ``Row``."""
COMPARISON = "05_comparaison"
"""Chapter that compares the recipes on the test photos."""

Row = tuple[SupportsFloat | Interval, str, int]
"""A number, or one with its interval, its unit, and the digits written after the comma."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """A number that prose may cite.

    Attributes:
        value: The number, in ``unit``; a share between 0 and 1 where the unit is ``%``.
        unit: ``%``, ``points``, ``ms``, ``s``, ``min``, ``images/s``, ``M``, ``Mo``, ``Mpx``,
            ``count`` or empty.
        decimals: Digits written after the comma.
        low: Lower end of the 95 % interval; ``None`` where there is none.
        high: Upper end.
        n: Images it was measured on.
        seeds: Seeds of the runs.
        runs: Runs it comes from.
        source: Tracked file it comes from, where that is not a run.
        notebook: Chapter that shows it.
        commit: Commit that made the runs.
        hardware: Machine that made them.
        profile: ``published``; anything else is refused at the door of the ledger.
    """

    value: float
    unit: str
    decimals: int = 0
    low: float | None = None
    high: float | None = None
    n: int | None = None
    seeds: tuple[int, ...] = ()
    runs: tuple[str, ...] = ()
    source: str | None = None
    notebook: str | None = None
    commit: str | None = None
    hardware: str | None = None
    profile: str = "published"

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"expected a finite number in the ledger, found {self.value}")
        if self.profile != "published" or any("-smoke/" in run for run in self.runs):
            raise ValueError(
                f"expected a value of the published profile, found {self.runs or self.profile}: "
                "a smoke run cannot enter the ledger"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the value as ``runs/ledger.json`` holds it, rounded to 8 significant digits."""
        plain = asdict(self)
        for field in ("value", "low", "high"):
            if plain[field] is not None:
                plain[field] = float(f"{plain[field]:.8g}")
        return plain | {"seeds": list(self.seeds), "runs": list(self.runs)}


def table(rows: Mapping[str, Row], **more: Any) -> Iterator[tuple[str, Value]]:
    """Yield the values of a declarative table.

    Args:
        rows: By key, the number with its unit and its decimals.
        more: Other fields of every value: where they come from, the chapter that shows them.
    """
    for key, (number, unit, decimals) in rows.items():
        if isinstance(number, Interval):
            ends = {"value": number.value, "low": number.low, "high": number.high}
        else:
            ends = {"value": float(number)}
        yield key, Value(**ends, unit=unit, decimals=decimals, **more)


def provenance(sources: Sequence[Run]) -> dict[str, Any]:
    """Return the fields of a value that say which runs it was computed from."""
    return {
        "seeds": tuple(sorted({run.meta["seed"] for run in sources})),
        "runs": tuple(run.name for run in sources),
        "commit": commits([run.meta["code"] for run in sources]),
        "hardware": " ; ".join(sorted({machine(run.meta["hardware"]) for run in sources})),
    }


def commits(codes: Sequence[Mapping[str, Any]]) -> str:
    """Name the commits of some code, and say whether the tree held anything else.

    Args:
        codes: The field ``code`` of runs, or of sheets.
    """
    known = [code for code in codes if code["commit"] != UNKNOWN]
    names = sorted({code["commit"][:7] for code in known})
    names += ["inconnu"] if len(known) < len(codes) else []
    return ", ".join(names) + (" (modifié)" if any(code["dirty"] for code in known) else "")


def machine(hardware: Mapping[str, Any]) -> str:
    """Name what computed: the field ``hardware`` of a run, or of a sheet."""
    if hardware.get("gpu"):
        return hardware["gpu"]
    threads = hardware["threads"]
    return f"{hardware['cpu']}, {threads} fil{'s' if threads > 1 else ''} d’exécution"

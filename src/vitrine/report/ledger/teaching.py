"""Values of the teaching chapters: copying task, traffic and growth of a scan, cited ablations."""

from collections.abc import Iterator
from typing import Any

from vitrine.data import tracked
from vitrine.report.ledger.values import PERCENT, Value, table

__all__ = ["values"]

COPYING, MIXING = "00_espaces_d_etat", "01_mambavision"
STATE_DIM = 8
"""State of MambaVision, at which the traffic is cited."""
SHORT, LONG = "196", "3136"
"""Tokens of a window of 14 and of 56 a side."""
SSM, SCAN = "runs/bench/ssm.json", "runs/bench/scan.json"
ABLATIONS = "ressources/mambavision_ablations.csv"


def values() -> Iterator[tuple[str, Value]]:
    """Yield the values of ``runs/bench/ssm.json`` and ``scan.json``, and of the cited ablations."""
    yield from _copying(tracked.read(SSM, ("hardware", "copying", "traffic")))
    yield from _growth(tracked.read(SCAN, ("hardware", "lengths")))
    yield from _ablations()


def _copying(sheet: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    source = {"source": SSM, "notebook": COPYING, "hardware": sheet["hardware"]["cpu"]}
    for row in sheet["copying"]:
        key = row["layer"] if row["scattered"] else f"{row['layer']}_placed"
        shortest, *longer = row["scores"].values()
        rows = {f"copying.{key}": (shortest, *PERCENT)}
        if longer:
            rows[f"copying.{key}_longest"] = (longer[-1], *PERCENT)
        yield from table(rows, n=row["symbols"], seeds=(row["seed"],), **source)
    moved = {(row["form"], row["state"]): row["moved"] for row in sheet["traffic"]}
    saved = moved["reference", STATE_DIM] / moved["chunked", STATE_DIM]
    yield from table({"scan.traffic_saved": (saved, "", 0)}, **source)


def _growth(sheet: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    """Yield by how much a mixer takes longer when a sequence is sixteen times as long."""
    took = {(row["mixer"], str(row["length"])): row["milliseconds"] for row in sheet["lengths"]}
    rows = {
        f"mixing.{mixer}_growth": (took[mixer, LONG] / took[mixer, SHORT], "", 0)
        for mixer in ("scan", "attention")
    }
    yield from table(rows, source=SCAN, notebook=MIXING, hardware=sheet["hardware"]["cpu"])


def _ablations() -> Iterator[tuple[str, Value]]:
    """Yield what the authors measured of their choices: single runs, no interval."""
    rows = {
        f"ablation.{row.study}.{row.variant}": (row.top1 / 100, *PERCENT)
        for row in tracked.read(ABLATIONS, ("study", "variant", "top1")).itertuples()
    }
    hardware = "A100 (résultat cité)"
    yield from table(rows, source=ABLATIONS, notebook=MIXING, hardware=hardware)

"""Numbers of the chapters that teach: what was learned, counted and timed, and what is cited."""

from collections.abc import Iterator
from typing import Any

from vitrine.data import tracked
from vitrine.report.ledger.values import Value

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
    source = {
        "source": SSM,
        "notebook": COPYING,
        "hardware": sheet["hardware"]["cpu"],
    }
    for row in sheet["copying"]:
        key = row["layer"] if row["scattered"] else f"{row['layer']}_placed"
        shortest, *longer = row["scores"].values()
        more = {"unit": "%", "decimals": 1, "n": row["symbols"], "seeds": (row["seed"],), **source}
        yield f"copying.{key}", Value(value=shortest, **more)
        if longer:
            yield f"copying.{key}_longest", Value(value=longer[-1], **more)
    moved = {(row["form"], row["state"]): row["moved"] for row in sheet["traffic"]}
    saved = moved["reference", STATE_DIM] / moved["chunked", STATE_DIM]
    yield "scan.traffic_saved", Value(value=saved, unit="", decimals=0, **source)


def _growth(sheet: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    """Yield by how much a mixer takes longer when a sequence is sixteen times as long."""
    source = {
        "source": SCAN,
        "notebook": MIXING,
        "hardware": sheet["hardware"]["cpu"],
    }
    took = {(row["mixer"], str(row["length"])): row["milliseconds"] for row in sheet["lengths"]}
    for mixer in ("scan", "attention"):
        growth = took[mixer, LONG] / took[mixer, SHORT]
        yield f"mixing.{mixer}_growth", Value(value=growth, unit="", decimals=0, **source)


def _ablations() -> Iterator[tuple[str, Value]]:
    """Yield what the authors measured of their choices: single runs, no interval."""
    table = tracked.read(ABLATIONS, ("study", "variant", "top1"))
    for row in table.itertuples():
        yield (
            f"ablation.{row.study}.{row.variant}",
            Value(
                value=row.top1 / 100, unit="%", decimals=1, source=ABLATIONS, notebook=MIXING,
                hardware="A100 (résultat cité)",
            ),
        )  # fmt: skip

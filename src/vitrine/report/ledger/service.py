"""Numbers of the service under load, beside a naive one."""

from collections.abc import Iterator
from typing import Any

from vitrine.data import tracked
from vitrine.report.ledger.values import Value, commits

__all__ = ["MODELS", "SHEET", "values"]

SHEET = "runs/bench/serving.json"
"""Where ``vitrine bench serving`` writes, from the root."""
MODELS = ("efficientnet_b0", "packaged")
"""What both servers answer with: the network of the baseline, and the model of the package."""

Row = dict[str, Any]
_FIELDS = ("code", "hardware", "rows", "stages", "overloads", "photos")
_MS = {"unit": "ms", "decimals": 0}
_COLUMNS = {"p50": "p50", "p99": "p99", "cpu": "cpu_milliseconds", "probe": "slowest_probe"}


def values() -> Iterator[tuple[str, Value]]:
    """Yield the values of ``runs/bench/serving.json``.

    ``alone`` is with the fewest clients, ``crowd`` with the most.
    """
    sheet = tracked.read(SHEET, _FIELDS)
    hardware = sheet["hardware"]
    more = {
        "source": SHEET,
        "commit": commits([sheet["code"]]),
        "hardware": f"{hardware['cpu']}, {hardware['cores']} cœurs",
    }
    for model in MODELS:
        for server in ("ours", "naive"):
            for key, value in _of_server(sheet, model, server, more):
                yield f"service.{model}.{server}.{key}", value
        share = max(
            _row(sheet, model, "ours", clients)["cpu_milliseconds"]
            / _row(sheet, model, "naive", clients)["cpu_milliseconds"]
            for clients in _clients(sheet)
        )
        yield f"service.{model}.cpu_share", Value(value=share, unit="%", **more)
        overload = next(row for row in sheet["overloads"] if row["model"] == model)
        for what in ("clients", "queue_max", "requests", "answered", "refused"):
            yield (
                f"service.{model}.overload_{what}",
                Value(value=float(overload[what]), unit="count", **more),
            )
    yield "service.photos", Value(value=float(sheet["photos"]), unit="count", **more)
    yield "service.crowd", Value(value=float(max(_clients(sheet))), unit="count", **more)


def _clients(sheet: Row) -> list[int]:
    return sorted({row["clients"] for row in sheet["rows"]})


def _row(sheet: Row, model: str, server: str, clients: int) -> Row:
    wanted = {"model": model, "server": server, "clients": clients}
    return next(row for row in sheet["rows"] if wanted.items() <= row.items())


def _of_server(sheet: Row, model: str, server: str, more: Row) -> Iterator[tuple[str, Value]]:
    clients = _clients(sheet)
    for name, count in (("alone", clients[0]), ("crowd", clients[-1])):
        row = _row(sheet, model, server, count)
        for key, column in _COLUMNS.items():
            yield f"{key}_{name}", Value(value=row[column], n=row["requests"], **_MS, **more)
    held = max(_row(sheet, model, server, count)["memory_mb"] for count in clients)
    yield "memory", Value(value=held, unit="Mo", **more)
    for stage in sheet["stages"]:
        if (stage["model"], stage["server"]) == (model, server):
            spent = stage["cpu_milliseconds"]
            yield stage["stage"], Value(value=spent, unit="ms", decimals=1, **more)

"""Values of the service under load, beside a naive one."""

from collections.abc import Iterator
from typing import Any

from vitrine.data import tracked
from vitrine.report.ledger.values import COUNT, Row, Value, commits, table

__all__ = ["MODELS", "SHEET", "values"]

SHEET = "runs/bench/serving.json"
"""Where ``vitrine bench serving`` writes, from the root."""
MODELS = ("efficientnet_b0", "packaged")
"""What both servers answer with: the network of the baseline, and the model of the package."""

Sheet = dict[str, Any]
_FIELDS = ("code", "hardware", "rows", "stages", "overloads", "photos")
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
    rows: dict[str, Row] = {
        "service.photos": (sheet["photos"], *COUNT),
        "service.crowd": (max(_clients(sheet)), *COUNT),
    }
    for model in MODELS:
        for server in ("ours", "naive"):
            yield from _waits(sheet, model, server, more)
            rows |= _spent(sheet, model, server)
        share = max(
            _row(sheet, model, "ours", clients)["cpu_milliseconds"]
            / _row(sheet, model, "naive", clients)["cpu_milliseconds"]
            for clients in _clients(sheet)
        )
        rows[f"service.{model}.cpu_share"] = (share, "%", 0)
        overload = next(row for row in sheet["overloads"] if row["model"] == model)
        for what in ("clients", "queue_max", "requests", "answered", "refused"):
            rows[f"service.{model}.overload_{what}"] = (overload[what], *COUNT)
    yield from table(rows, **more)


def _clients(sheet: Sheet) -> list[int]:
    return sorted({row["clients"] for row in sheet["rows"]})


def _row(sheet: Sheet, model: str, server: str, clients: int) -> Sheet:
    wanted = {"model": model, "server": server, "clients": clients}
    return next(row for row in sheet["rows"] if wanted.items() <= row.items())


def _waits(sheet: Sheet, model: str, server: str, more: Sheet) -> Iterator[tuple[str, Value]]:
    clients = _clients(sheet)
    for name, count in (("alone", clients[0]), ("crowd", clients[-1])):
        row = _row(sheet, model, server, count)
        keyed = {
            f"service.{model}.{server}.{key}_{name}": (row[column], "ms", 0)
            for key, column in _COLUMNS.items()
        }
        yield from table(keyed, n=row["requests"], **more)


def _spent(sheet: Sheet, model: str, server: str) -> dict[str, Row]:
    prefix, clients = f"service.{model}.{server}", _clients(sheet)
    held = max(_row(sheet, model, server, count)["memory_mb"] for count in clients)
    stages = {
        f"{prefix}.{stage['stage']}": (stage["cpu_milliseconds"], "ms", 1)
        for stage in sheet["stages"]
        if (stage["model"], stage["server"]) == (model, server)
    }
    return {f"{prefix}.memory": (held, "Mo", 0)} | stages

"""Values of the service: under load, on the free pictures, and of the form of its model."""

import hashlib
from collections.abc import Iterator
from typing import Any

from vitrine.data import pictures, tracked
from vitrine.metrics import Interval
from vitrine.metrics.intervals import wilson
from vitrine.report.ledger.values import COUNT, PERCENT, Row, Value, commits, table

__all__ = ["MODELS", "PEERS", "PICTURES", "SHEET", "pictured", "values"]

SHEET = "runs/bench/serving.json"
"""Where ``vitrine bench serving`` writes, from the root."""
PEERS = "runs/bench/peers.json"
"""Where ``vitrine bench serving --peers`` writes."""
PICTURES = "runs/bench/pictures.json"
"""Where ``vitrine bench pictures`` keeps what the served model says of the free pictures."""
FORMS = "runs/bench/model-folds.json"
"""Where ``vitrine bench model --folds`` counts what 8-bit forms of the default model answer."""
SHIPPED = "src/vitrine/serving/models"
DEFAULT, MAMBAVISION = "efficientnet-lite0", "mambavision"
MICRO = "mambavision-micro-taught"
MODELS = ("efficientnet_b0", "packaged")
"""What both servers answer with: the network of the baseline, and the model of the package."""

Sheet = dict[str, Any]
_FIELDS = ("code", "hardware", "models", "rows", "stages", "overloads", "photos")
_PEERS_FIELDS = ("code", "hardware", "models", "rows", "hostile")
_COLUMNS = {"p50": "p50", "p99": "p99", "cpu": "cpu_milliseconds", "probe": "slowest_probe"}


def values() -> Iterator[tuple[str, Value]]:
    """Yield the values of the service beside a naive one, beside peers, and on the free pictures.

    ``alone`` is with the fewest clients, ``crowd`` with the most.
    """
    sheet, peers = tracked.read(SHEET, _FIELDS), tracked.read(PEERS, _PEERS_FIELDS)
    _check_models(SHEET, sheet["models"], {"packaged": DEFAULT}, "vitrine bench serving")
    _check_models(PEERS, peers["models"], {}, "vitrine bench serving --peers")
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
        rows[f"service.{model}.cpu_share"] = (share, *PERCENT)
        overload = next(row for row in sheet["overloads"] if row["model"] == model)
        for what in ("clients", "queue_max", "requests", "answered", "refused"):
            rows[f"service.{model}.overload_{what}"] = (overload[what], *COUNT)
    yield from table(rows, **more)
    for model in (DEFAULT, MAMBAVISION):
        yield from _scored(model)
    yield from _compared(peers)
    yield from _formed(tracked.read(FORMS, ("code", "hardware", "recipe", "totals")))
    yield from pictured(tracked.read(PICTURES, ("code", "model", "rows")))


def _card(model: str) -> Sheet:
    """Return the card of a model of the package."""
    fields = ("sha256", "metrics", "doubt", "test_images", "commits")
    return tracked.read(f"{SHIPPED}/{model}/model.json", fields)


def _scored(model: str) -> Iterator[tuple[str, Value]]:
    """Yield the accuracy of the file of a model of the package, on the published test.

    Then what its threshold of doubt aims at on validation, and what answers above it are there.
    """
    card = _card(model)
    doubt = card["doubt"]
    rows: dict[str, Row] = {
        f"served.{model}.accuracy": (Interval(**card["metrics"]["accuracy"]), *PERCENT),
        f"served.{model}.wanted": (doubt["wanted"], "%", 0),
        f"served.{model}.answered": (doubt["answered"], *PERCENT),
        f"served.{model}.answered_accuracy": (Interval(**doubt["accuracy"]), *PERCENT),
    }
    yield from table(
        rows, n=card["test_images"],
        source=f"{SHIPPED}/{model}/model.json", commit=card["commits"]["export"][:7],
    )  # fmt: skip


def _check_models(place: str, told: list[Sheet], named: dict[str, str], command: str) -> None:
    """Refuse a sheet whose models of the package are not the files that it holds.

    Args:
        place: Of the sheet.
        told: Its models.
        named: Those of the package, by the name that the sheet gives them where it is another.
        command: What makes the sheet again.

    Raises:
        ValueError: If one differs.
    """
    for row in told:
        model = named.get(row["model"], row["model"])
        if model not in (DEFAULT, MAMBAVISION):
            continue
        if row["sha256"] != (served := _card(model)["sha256"]):
            raise ValueError(
                f"expected in {place} the times of the served {model} {served[:12]}, found those "
                f"of {row['sha256'][:12]}; run `{command}`"
            )


def _formed(sheet: Sheet) -> Iterator[tuple[str, Value]]:
    """Yield the right answers of the default model over folds, in float32 and in 8 bits."""
    forms = {row["form"]: row for row in sheet["totals"] if row["recipe"] == sheet["recipe"]}
    exact, served = forms["float32"], forms["int8-static-again"]
    hardware = sheet["hardware"]
    rows: dict[str, Row] = {
        "forms.photos": (served["images"], *COUNT),
        "forms.float32.right": (exact["right"], *COUNT),
        "forms.float32.time": (exact["milliseconds"], "ms", 1),
        "forms.once.right": (forms["int8-static"]["right"], *COUNT),
        "forms.served.right": (served["right"], *COUNT),
        "forms.served.same": (served["same"], *COUNT),
        "forms.served.time": (served["milliseconds"], "ms", 1),
        "forms.served.false_alarms": (wilson(served["false_alarms"], served["images"]), *PERCENT),
    }
    micro = {row["form"]: row for row in sheet["totals"] if row["recipe"] == MICRO}
    if micro:
        rows |= {
            "forms.micro.float32.right": (micro["float32"]["right"], *COUNT),
            "forms.micro.int8.right": (micro["int8-static"]["right"], *COUNT),
            "forms.micro.signed.right": (micro["openvino-int8"]["right"], *COUNT),
            "forms.micro.bfloat16.same": (micro["openvino-bf16"]["same"], *COUNT),
        }
    yield from table(
        rows, n=served["images"], source=FORMS, commit=commits([sheet["code"]]),
        hardware=f"{hardware['cpu']}, {hardware['cores']} cœurs",
    )  # fmt: skip


def pictured(sheet: Sheet) -> Iterator[tuple[str, Value]]:
    """Yield how many free pictures the default model puts in their class, and how many it doubts.

    Rendered objects are counted apart from photos.

    Args:
        sheet: Content of ``PICTURES``.

    Raises:
        ValueError: If these are not the answers of the served model for the pictures of the
            repository.
    """
    shown, rows = pictures.read(), sheet["rows"]
    found = {row["name"]: row["sha256"] for row in rows}
    wanted = {p.path.stem: hashlib.sha256(p.path.read_bytes()).hexdigest() for p in shown}
    served = _card(DEFAULT)["sha256"]
    if found != wanted or sheet["model"]["sha256"] != served:
        raise ValueError(
            f"expected in {PICTURES} the answers of the served model {served[:12]} for the "
            f"{len(wanted)} free pictures, found others; run `vitrine bench pictures`"
        )
    expected = {picture.path.stem: picture.label for picture in shown}
    made = {picture.path.stem for picture in shown if picture.rendered}
    known = [row for row in rows if expected[row["name"]] and row["name"] not in made]
    rendered = [row for row in rows if row["name"] in made]
    others = [row for row in rows if not expected[row["name"]]]
    counts = {
        "products": len(known),
        "right": sum(row["answer"] == expected[row["name"]] for row in known),
        "doubted": sum(row["outside"] for row in known),
        "rendered": len(rendered),
        "rendered_right": sum(row["answer"] == expected[row["name"]] for row in rendered),
        "rendered_doubted": sum(row["outside"] for row in rendered),
        "others": len(others),
        "others_doubted": sum(row["outside"] for row in others),
    }
    counted: dict[str, Row] = {f"pictures.{key}": (n, *COUNT) for key, n in counts.items()}
    yield from table(counted, n=len(rows), source=PICTURES, commit=commits([sheet["code"]]))


def _compared(sheet: Sheet) -> Iterator[tuple[str, Value]]:
    """Yield the values of the default model on our server and on its peers, and under attack."""
    hardware, default = sheet["hardware"], sheet["models"][0]["model"]
    few, crowd = _clients(sheet)
    rows: dict[str, Row] = {"peers.few": (few, *COUNT), "peers.crowd": (crowd, *COUNT)}
    for row in sheet["rows"]:
        if row["model"] == default:
            prefix, when = f"peers.{row['server']}", "few" if row["clients"] == few else "crowd"
            rows |= {
                f"{prefix}.rate_{when}": (row["per_second"], *COUNT),
                f"{prefix}.p99_{when}": (row["p99"], "ms", 0),
                f"{prefix}.cpu_{when}": (row["cpu_milliseconds"], "ms", 1),
                f"{prefix}.memory_{when}": (row["memory_mb"], "Mo", 0),
            }
    hostile = sheet["hostile"][0]
    rows |= {
        "peers.hostile.batches": (hostile["batches"], *COUNT),
        "peers.hostile.megapixels": (hostile["megapixels"], "Mpx", 0),
        "peers.hostile.p99_quiet": (hostile["p99_quiet"], "ms", 0),
        "peers.hostile.p99": (hostile["p99"], "ms", 0),
        "peers.hostile.memory": (hostile["memory_mb"], "Mo", 0),
    }
    yield from table(
        rows, source=PEERS, commit=commits([sheet["code"]]),
        hardware=f"{hardware['cpu']}, {hardware['cores']} cœurs",
    )  # fmt: skip


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

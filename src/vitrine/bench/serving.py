"""Benchmark our service beside the naive one, under the same load, in one run on this machine.

Each server is a process of its own, whose processor time is what the system counted for it. Both
answer for drawn photos of the data set's sizes, with an EfficientNet-B0 and with the model that is
served by default, ``packaged`` in the results, whose ``models`` name both. EfficientNet-B0 has
random weights here: they do not change what an answer costs.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from vitrine.bench import load, naive, results
from vitrine.bench.clock import Bench, clock_of, side_by_side
from vitrine.data.images import LIMITS
from vitrine.explain import NAMES
from vitrine.serving import card as cards
from vitrine.serving import supervisor
from vitrine.serving.predictor import DEFAULT, Predictor, packaged
from vitrine.serving.server import listen

__all__ = ["REFERENCE", "Row", "Served", "free", "measure", "ours", "serving_bars"]

CLIENTS, PHOTOS = (1, 8, 32), 24
OVERLOAD, PLACES = 32, 4
"""Clients of an overload, and the places that they compete for."""
CPU_BAR, PROBE_BAR, MEMORY_BAR = 0.5, 200.0, 300.0
"""Share of the naive processor time; milliseconds of a health probe; megabytes of memory."""

REFERENCE = {"name", "version", "sha256", "architecture", "precision", "input_size"}
"""Fields of a card that tell which model was timed."""

Row = dict[str, Any]
Served = tuple[str, psutil.Process]
"""Address of a server, and its process."""


@dataclass(frozen=True)
class _Model:
    """A model that both servers answer with."""

    name: str
    architecture: str
    side: int
    folder: Path

    def reference(self) -> Row:
        """Return what tells which model was timed."""
        card, _ = cards.read(self.folder)
        return {"model": self.name, **card.model_dump(include=REFERENCE)}


def measure(bench: Bench) -> dict[str, Any]:
    """Return the results of the service: stages, loads, overloads, bars.

    At each turn, each of the photos is sent by each number of clients. Asked to be quick, it sends
    two small photos to the small model alone.

    Raises:
        ValueError: If it is asked for elsewhere than on ``cpu``, where the service runs.
    """
    bench.require_cpu()
    quick = bench.quick
    images = load.photos(2, largest=200) if quick else load.photos(PHOTOS)
    levels = CLIENTS[:2] if quick else CLIENTS
    stages, rows, overloads = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        models = [_packaged()] if quick else [_packaged(), _efficientnet(Path(scratch))]
        timed = [model.reference() for model in models]
        for done, model in enumerate(models, start=1):
            stages += _stages(model, images, bench)
            rows += _loads(model, images, levels, bench)
            overloads.append(_overload(model, images, bench))
            bench.progress(done, len(models))
    return {
        "models": timed, "photos": len(images), "bytes": sum(map(len, images)),
        "queue_max": max(levels), "stages": stages, "rows": rows, "overloads": overloads,
        "bars": serving_bars(rows, overloads),
    }  # fmt: skip


def serving_bars(rows: list[Row], overloads: list[Row]) -> list[results.Bar]:
    """Return what the measures say of the bars set for the service."""
    at = {(row["model"], row["server"], row["clients"]): row for row in rows}
    bars = []
    for model, clients in sorted({(row["model"], row["clients"]) for row in rows}):
        own, theirs = at[model, "ours", clients], at[model, "naive", clients]
        where = {"model": model, "clients": clients}
        if model == "efficientnet_b0":
            ratio = own["cpu_milliseconds"] / theirs["cpu_milliseconds"]
            bars.append(results.at_most("processor time a request", CPU_BAR, ratio, **where))
        if clients == max(CLIENTS):
            slowest = own["slowest_probe"]
            bars.append(results.at_most("slowest health probe", PROBE_BAR, slowest, **where))
    held = [
        row["memory_mb"] for row in rows if (row["model"], row["server"]) == ("packaged", "ours")
    ]
    bars.append(results.at_most("memory", MEMORY_BAR, max(held), model="packaged"))
    for row in overloads:
        others = float(row["requests"] - row["answered"] - row["refused"])
        bars.append(results.at_most("other than 200 and 503", 0.0, others, model=row["model"]))
    return bars


def _packaged() -> _Model:
    folder = packaged(DEFAULT)
    card, _ = cards.read(folder)
    return _Model("packaged", card.architecture, card.input_size, folder)


def _efficientnet(folder: Path) -> _Model:
    """Export an EfficientNet-B0 of random weights, under a card that says so."""
    import torch
    from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

    from vitrine.models.graph import float_graph
    from vitrine.training.torch.network import Normalise

    architecture, side = "efficientnet_b0", 224
    torch.manual_seed(0)
    norm = Normalise(IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
    model = float_graph(
        torch.nn.Sequential(norm, naive.build(architecture)).eval(), side, names=NAMES
    )
    card, _ = cards.read(packaged(DEFAULT))
    changed = {
        "name": "random weights", "sha256": hashlib.sha256(model).hexdigest(),
        "architecture": architecture, "input_size": side, "metrics": {}, "precision": "float32",
        "guard": None, "samples": (), "offered": (),
    }  # fmt: skip
    (folder / cards.MODEL).write_bytes(model)
    (folder / cards.CARD).write_text(card.model_copy(update=changed).to_json(), encoding="utf-8")
    return _Model(architecture, architecture, side, folder)


def _stages(model: _Model, images: list[bytes], bench: Bench) -> list[Row]:
    """Time decoding and inference apart, for an image, on one thread of this process."""
    own, network = Predictor(model.folder), naive.build(model.architecture)
    blank = np.zeros((model.side, model.side, 3), dtype=np.uint8)
    tensor = naive.decode(images[0], model.side)
    work = {
        ("decode", "ours"): lambda: [own.read(data, LIMITS) for data in images],
        ("decode", "naive"): lambda: [naive.decode(data, model.side) for data in images],
        ("inference", "ours"): lambda: [own.answer(blank) for _ in images],
        ("inference", "naive"): lambda: [naive.answer(network, tensor) for _ in images],
    }
    named = {" ".join(key): each for key, each in work.items()}
    timings = side_by_side(named, turns=1 if bench.quick else 3, clock=clock_of("cpu"))
    rows = []
    for stage, server in work:
        spent = timings.milliseconds(f"{stage} {server}") / len(images)
        row = {"model": model.name, "stage": stage, "server": server, "cpu_milliseconds": spent}
        rows.append(row)
        bench.tell(
            f"stage {model.name:16} {stage:9} {server:5} {spent:8.2f} ms of processor an image"
        )
    return rows


def _loads(model: _Model, images: list[bytes], levels: tuple[int, ...], bench: Bench) -> list[Row]:
    """Load both servers in turns; ours has a place for every client, to be compared whole."""
    rows, requests = [], bench.turns * len(images)
    with contextlib.ExitStack() as both:
        servers = {
            "ours": both.enter_context(ours(model.folder, queue_max=max(levels))),
            "naive": both.enter_context(_naive(model)),
        }
        for clients in levels:
            for server, (address, process) in servers.items():
                load.ask(address, process, images, clients=1, requests=min(4, requests))
                seen = load.ask(address, process, images, clients=clients, requests=requests)
                row = {"model": model.name, "server": server, "clients": clients} | seen.row()
                rows.append(row)
                bench.tell(
                    f"load {model.name:16} {server:5} {clients:2} clients: "
                    f"p50 {row['p50']:7.0f} ms, p99 {row['p99']:7.0f} ms, "
                    f"{row['cpu_milliseconds']:6.1f} ms of processor a request, slowest probe "
                    f"{row['slowest_probe']:6.0f} ms, {row['memory_mb']:5.0f} MB"
                )
    return rows


def _overload(model: _Model, images: list[bytes], bench: Bench) -> Row:
    """Give our server fewer places than it has clients, and count its answers."""
    with ours(model.folder, queue_max=PLACES) as (address, process):
        seen = load.ask(address, process, images, clients=OVERLOAD, requests=4 * OVERLOAD)
    row = {"model": model.name, "clients": OVERLOAD, "queue_max": PLACES} | seen.row()
    answered, refused = row["answered"], row["refused"]
    bench.tell(f"overload {model.name:16} {answered} answered, {refused} told to come back")
    return row


def ours(model: str | Path, **limits: object) -> contextlib.AbstractContextManager[Served]:
    """Run our server with a model, by its name or its folder, within limits of its settings."""
    given = {name.upper(): str(value) for name, value in limits.items()}
    return _started("vitrine.serving", MODEL_DIR=str(model), LOG_LEVEL="WARNING", **given)


def _naive(model: _Model) -> contextlib.AbstractContextManager[Served]:
    return _started("vitrine.bench.naive", ARCHITECTURE=model.architecture, SIDE=str(model.side))


@contextlib.contextmanager
def _started(module: str, **settings: str) -> Iterator[Served]:
    """Run a server on a free port of this machine; yields its address and its process."""
    address, place = free()
    with supervisor.child(["-m", module], settings | place) as process:
        supervisor.wait_until({module: process}, (f"{address}/readyz",))
        yield address, psutil.Process(process.pid)


def free() -> tuple[str, dict[str, str]]:
    """Return an address of this machine that nothing listens on, and settings that name it."""
    with listen("127.0.0.1", 0) as unused:
        port = unused.getsockname()[1]
    return f"http://127.0.0.1:{port}", {"HOST": "127.0.0.1", "PORT": str(port)}

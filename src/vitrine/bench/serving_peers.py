"""Benchmark our service beside LitServe and BentoML, then under hostile batches, in one run.

The peers live in an environment of their own, outside the project's lock, at pinned versions; all
answer with the same two ONNX files for the same drawn photos, of the sizes of the reduced data set.
Servers take turns at each number of clients, and each number is the median of the rounds.
"""

import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from vitrine.bench import load, peer_servers, results
from vitrine.bench.clock import Progress
from vitrine.bench.serving import REFERENCE
from vitrine.serving import card as cards
from vitrine.serving import supervisor
from vitrine.serving.predictor import packaged, shipped
from vitrine.serving.server import listen

__all__ = ["PEERS", "environment", "measure", "peer_bars"]

PEERS = {"litserve": ("0.2.19", "/health"), "bentoml": ("1.4.40", "/readyz")}
"""Version and health probe of each."""
SAME = ("onnxruntime", "pillow", "numpy")
"""Libraries that the peers have at our versions."""
CLIENTS, PHOTOS, REQUESTS = (8, 32), 24, 240
HOSTILE_CLIENTS, BATCHES, FLAT = 8, 2, (7800, 5000)
"""Clients with ordinary photos; hostile clients; sides of a flat PNG of 39 Mpx."""
RATE_BAR, WAIT_BAR, CPU_BAR, MEMORY_BAR = 1.0, 0.5, 5.0, 150.0
"""Shares of LitServe's answers a second and p99; milliseconds of processor; megabytes."""
HOSTILE_WAIT_BAR, HOSTILE_MEMORY_BAR = 3.0, 600.0

Row = dict[str, Any]
Served = tuple[str, psutil.Process]
Context = contextlib.AbstractContextManager[Served]


def environment(folder: Path) -> Path:
    """Return the Python of an environment with the peers, made in a folder where it is absent.

    Args:
        folder: Of the environment.

    Raises:
        RuntimeError: If the peers cannot be installed, or are others than those pinned.
    """
    python = folder / "bin" / "python"
    pinned = {name: version for name, (version, _) in PEERS.items()}
    pinned |= {name: metadata.version(name) for name in SAME}
    wanted = [f"{name}=={version}" for name, version in pinned.items()]
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=False)
        if done.returncode:
            raise RuntimeError(
                f"expected to install {', '.join(wanted)} in {folder}, found pip's error above; "
                "remove the folder and run again where a package registry answers"
            )
    told = "import sys; from importlib.metadata import version as v; print(*map(v, sys.argv[1:]))"
    found = subprocess.run([python, "-c", told, *pinned], capture_output=True, text=True)
    if found.stdout.split() != list(pinned.values()):
        raise RuntimeError(
            f"expected {', '.join(wanted)} in {folder}, found {found.stdout.strip() or 'none'}; "
            "remove the folder and run again"
        )
    return python


def measure(
    folder: Path,
    *,
    device: str = "cpu",
    turns: int = 3,
    quick: bool = False,
    tell: Callable[[str], None] = print,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the results of the comparison: rows, hostile batches, bars.

    Args:
        folder: Of the environment of the peers, as ``environment`` takes it.
        device: ``cpu``; the service runs nowhere else.
        turns: Rounds, of which each number is the median.
        quick: Whether to send a few photos to the default model and no peer, for tests.
        tell: Told each result as a line.
        progress: Told of the models done and of their number.
    """
    if device != "cpu":
        raise ValueError(f"expected the device cpu, where the service runs, found {device!r}")
    python = None if quick else environment(folder)
    found = results.header("vitrine bench serving --peers", device, turns=turns, quick=quick)
    images = load.photos(2 if quick else PHOTOS, manifest="manifest-320.csv")
    models, rows, hostile = [], [], []
    chosen = list(shipped())[:1] if quick else list(shipped())
    for done, name in enumerate(chosen, start=1):
        card, _ = cards.read(packaged(name))
        models.append({"model": name, **card.model_dump(include=REFERENCE)})
        rows += _rounds(
            name, card.input_size, python, images, turns, 8 if quick else REQUESTS, tell
        )
        if done == 1:
            size = (2100, 2000) if quick else FLAT
            hostile.append(_hostile(name, images, size, 8 if quick else 2 * REQUESTS, tell))
        if progress is not None:
            progress(done, len(chosen))
    bars = [] if quick else peer_bars(rows, hostile)
    versions = {name: version for name, (version, _) in PEERS.items()}
    sent = {"photos": len(images), "bytes": sum(map(len, images)), "peers": versions}
    return {**found, **sent, "models": models, "rows": rows, "hostile": hostile, "bars": bars}


def peer_bars(rows: list[Row], hostile: list[Row]) -> list[results.Bar]:
    """Return what the measures say of the bars set for the service."""
    at = {(row["model"], row["server"], row["clients"]): row for row in rows}
    bars = []
    for model, clients in dict.fromkeys((row["model"], row["clients"]) for row in rows):
        ours, theirs = at[model, "ours", clients], at[model, "litserve", clients]
        where = {"model": model, "clients": clients}
        rate, wait = (ours[key] / theirs[key] for key in ("per_second", "p99"))
        bars += [
            results.at_least("answers a second beside LitServe", RATE_BAR, rate, **where),
            results.at_most("p99 beside LitServe", WAIT_BAR, wait, **where),
            results.at_most("refused", 0.0, float(ours["refused"]), **where),
            results.at_most("processor time an answer", CPU_BAR, ours["cpu_milliseconds"], **where),
            results.at_most("memory", MEMORY_BAR, ours["memory_mb"], **where),
        ]
    for row in hostile:
        wait, where = row["p99"] / row["p99_quiet"], {"model": row["model"]}
        bars += [
            results.at_most("p99 under hostile batches", HOSTILE_WAIT_BAR, wait, **where),
            results.at_most("memory under hostile batches", HOSTILE_MEMORY_BAR, row["memory_mb"],
                            **where),
        ]  # fmt: skip
    return bars


def _rounds(
    model: str, side: int, python: Path | None, images: list[bytes], turns: int, requests: int,
    tell: Callable[[str], None],
) -> list[Row]:  # fmt: skip
    """Load every server in turns, and return the median of the rounds."""
    rows = []
    with contextlib.ExitStack() as all_of_them:
        begun: dict[str, Context] = {"ours": _ours(model)}
        if python is not None:
            begun |= {peer: _peer(peer, python, packaged(model), side) for peer in PEERS}
        servers = {name: all_of_them.enter_context(each) for name, each in begun.items()}
        for clients in CLIENTS:
            seen: dict[str, list[Row]] = {name: [] for name in servers}
            for _ in range(turns):
                for name, (address, process) in servers.items():
                    health = PEERS[name][1] if name in PEERS else load.HEALTH
                    ask = {"clients": clients, "requests": requests, "health": health}
                    seen[name].append(_row(load.ask(address, process, images, **ask)))
            for name, found in seen.items():
                row = {"model": model, "server": name, "clients": clients} | _median(found)
                rows.append(row)
                tell(
                    f"load {model:18} {name:8} {clients:2} clients: {row['per_second']:6.1f} a "
                    f"second, p50 {row['p50']:6.1f}, p99 {row['p99']:6.1f} ms, refused "
                    f"{row['refused']:.0f}, {row['cpu_milliseconds']:5.1f} ms of processor an "
                    f"answer, {row['memory_mb']:4.0f} MB"
                )
    return rows


def _row(seen: load.Seen) -> Row:
    return {
        "requests": sum(seen.statuses.values()),
        "answered": seen.answered,
        "refused": seen.statuses.get(load.BUSY, 0),
        "per_second": seen.answered / seen.wall,
        "p50": seen.percentile(0.5),
        "p99": seen.percentile(0.99),
        "cpu_milliseconds": 1e3 * seen.cpu / max(seen.answered, 1),
        "memory_mb": seen.resident / 1e6,
    }


def _median(rows: list[Row]) -> Row:
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def _hostile(
    model: str, images: list[bytes], size: tuple[int, int], requests: int,
    tell: Callable[[str], None],
) -> Row:  # fmt: skip
    """Send ordinary photos, first alone, then beside batches of large flat PNG."""
    stream = io.BytesIO()
    Image.new("RGB", size, "white").save(stream, "PNG")
    flat, over, statuses = stream.getvalue(), threading.Event(), Counter[int]()
    batch, options = load.form("files", [flat] * 16), {"clients": HOSTILE_CLIENTS}

    def attack(address: str) -> None:
        with load.Line(address) as line:
            while not over.is_set():
                status, later = line.post(f"{load.ROUTE}/batch", batch)
                statuses[status] += 1
                over.wait(later if status == load.BUSY else 0)

    with _ours(model) as (address, process):
        quiet = load.ask(address, process, images, requests=requests, **options)
        attackers = [threading.Thread(target=attack, args=[address]) for _ in range(BATCHES)]
        for each in attackers:
            each.start()
        over.wait(1)
        under = load.ask(address, process, images, requests=requests, **options)
        over.set()
        for each in attackers:
            each.join()
    row = {
        "model": model, "clients": HOSTILE_CLIENTS, "batches": BATCHES, "png_bytes": len(flat),
        "megapixels": size[0] * size[1] / 1e6, "p99_quiet": quiet.percentile(0.99),
        "batch_statuses": {str(status): count for status, count in sorted(statuses.items())},
    } | _row(under)  # fmt: skip
    tell(
        f"hostile {model}: p99 {row['p99_quiet']:.0f} ms alone, {row['p99']:.0f} ms beside "
        f"{BATCHES} batches ({row['batch_statuses']}), {row['answered']} answered of "
        f"{row['requests']}, {row['memory_mb']:.0f} MB at most"
    )
    return row


@contextlib.contextmanager
def _ours(model: str) -> Iterator[Served]:
    address, settings = _free()
    settings |= {"MODEL_DIR": model, "LOG_LEVEL": "WARNING"}
    with supervisor.child(["-m", "vitrine.serving"], settings) as process:
        supervisor.wait_until({"ours": process}, (f"{address}/readyz",))
        yield address, psutil.Process(process.pid)


@contextlib.contextmanager
def _peer(peer: str, python: Path, folder: Path, side: int) -> Iterator[Served]:
    address, settings = _free()
    settings |= {"PEER": peer, "MODEL": str((folder / cards.MODEL).resolve()), "SIDE": str(side)}
    settings |= {"BENTOML_DO_NOT_TRACK": "True", "OMP_NUM_THREADS": "1"}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with tempfile.TemporaryDirectory() as scratch:
        process = subprocess.Popen(
            [python, peer_servers.__file__],
            env=kept | settings | {"BENTOML_HOME": scratch}, cwd=scratch,
            stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        family = psutil.Process(process.pid)
        try:
            supervisor.wait_until({peer: process}, (address + PEERS[peer][1],))
            yield address, family
        finally:
            children = family.children(recursive=True) if process.poll() is None else []
            process.terminate()
            _, left = psutil.wait_procs([process, *children], timeout=supervisor.STOP_SECONDS)
            for each in left:
                each.kill()


def _free() -> tuple[str, dict[str, str]]:
    """Return an address of this machine that nothing listens on, and settings that name it."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}", {"HOST": "127.0.0.1", "PORT": str(port)}

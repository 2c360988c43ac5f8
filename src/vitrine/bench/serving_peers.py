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
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import psutil
from PIL import Image

from vitrine.bench import load, peer_servers, results
from vitrine.bench.clock import Bench
from vitrine.bench.serving import REFERENCE, Row, Served, free, ours
from vitrine.serving import card as cards
from vitrine.serving import supervisor
from vitrine.serving.predictor import packaged, shipped

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


def measure(bench: Bench, *, folder: Path) -> Row:
    """Return the results of the comparison: rows, hostile batches, bars.

    Each number is the median of the turns. Asked to be quick, it sends a few photos to the default
    model and to no peer.

    Args:
        bench: How it is asked for.
        folder: Of the environment of the peers, as ``environment`` takes it.

    Raises:
        ValueError: If it is asked for elsewhere than on ``cpu``, where the service runs.
    """
    bench.require_cpu()
    quick = bench.quick
    python = None if quick else environment(folder)
    images = load.photos(2 if quick else PHOTOS, manifest="manifest-320.csv")
    models, rows, hostile = [], [], []
    chosen = list(shipped())[:1] if quick else list(shipped())
    for done, name in enumerate(chosen, start=1):
        card, _ = cards.read(packaged(name))
        models.append({"model": name, **card.model_dump(include=REFERENCE)})
        rows += _rounds(name, card.input_size, python, images, bench)
        if done == 1:
            hostile.append(_hostile(name, images, bench))
        bench.progress(done, len(chosen))
    return {
        "photos": len(images), "bytes": sum(map(len, images)),
        "peers": {name: version for name, (version, _) in PEERS.items()}, "models": models,
        "rows": rows, "hostile": hostile, "bars": [] if quick else peer_bars(rows, hostile),
    }  # fmt: skip


def peer_bars(rows: list[Row], hostile: list[Row]) -> list[results.Bar]:
    """Return what the measures say of the bars set for the service."""
    at = {(row["model"], row["server"], row["clients"]): row for row in rows}
    bars = []
    for model, clients in dict.fromkeys((row["model"], row["clients"]) for row in rows):
        own, theirs = at[model, "ours", clients], at[model, "litserve", clients]
        where = {"model": model, "clients": clients}
        rate, wait = (own[key] / theirs[key] for key in ("per_second", "p99"))
        bars += [
            results.at_least("answers a second beside LitServe", RATE_BAR, rate, **where),
            results.at_most("p99 beside LitServe", WAIT_BAR, wait, **where),
            results.at_most("refused", 0.0, float(own["refused"]), **where),
            results.at_most("processor time an answer", CPU_BAR, own["cpu_milliseconds"], **where),
            results.at_most("memory", MEMORY_BAR, own["memory_mb"], **where),
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
    model: str, side: int, python: Path | None, images: list[bytes], bench: Bench
) -> list[Row]:
    """Load every server in turns, and return the median of the rounds."""
    rows, requests = [], 8 if bench.quick else REQUESTS
    with contextlib.ExitStack() as all_of_them:
        begun = {"ours": ours(model)}
        if python is not None:
            begun |= {peer: _peer(peer, python, packaged(model), side) for peer in PEERS}
        servers = {name: all_of_them.enter_context(each) for name, each in begun.items()}
        for clients in CLIENTS:
            seen: dict[str, list[Row]] = {name: [] for name in servers}
            for _ in range(bench.turns):
                for name, (address, process) in servers.items():
                    health = PEERS[name][1] if name in PEERS else load.HEALTH
                    ask = {"clients": clients, "requests": requests, "health": health}
                    seen[name].append(load.ask(address, process, images, **ask).row())
            for name, found in seen.items():
                row = {"model": model, "server": name, "clients": clients} | _median(found)
                rows.append(row)
                bench.tell(
                    f"load {model:18} {name:8} {clients:2} clients: {row['per_second']:6.1f} a "
                    f"second, p50 {row['p50']:6.1f}, p99 {row['p99']:6.1f} ms, refused "
                    f"{row['refused']:.0f}, {row['cpu_milliseconds']:5.1f} ms of processor an "
                    f"answer, {row['memory_mb']:4.0f} MB"
                )
    return rows


def _median(rows: list[Row]) -> Row:
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def _hostile(model: str, images: list[bytes], bench: Bench) -> Row:
    """Send ordinary photos, first alone, then beside batches of large flat PNG."""
    size, requests = ((2100, 2000), 8) if bench.quick else (FLAT, 2 * REQUESTS)
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

    with ours(model) as (address, process):
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
    } | under.row()  # fmt: skip
    bench.tell(
        f"hostile {model}: p99 {row['p99_quiet']:.0f} ms alone, {row['p99']:.0f} ms beside "
        f"{BATCHES} batches ({row['batch_statuses']}), {row['answered']} answered of "
        f"{row['requests']}, {row['memory_mb']:.0f} MB at most"
    )
    return row


@contextlib.contextmanager
def _peer(peer: str, python: Path, folder: Path, side: int) -> Iterator[Served]:
    address, settings = free()
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

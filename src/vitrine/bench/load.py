"""Load a server of this machine with concurrent clients, and measure what they see."""

import csv
import io
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import numpy as np
import psutil
from PIL import Image

from vitrine import paths

__all__ = ["Seen", "ask", "photos"]

ROUTE, HEALTH = "/api/v1/predict", "/healthz"
PROBE_SECONDS = 0.05
DEADLINE_SECONDS = 120.0
QUALITY = 90
OK, BUSY = 200, 503


@dataclass(frozen=True)
class Seen:
    """What clients and a health probe saw of a server, and what it spent.

    Attributes:
        statuses: How many answers had each status.
        seconds: Duration of each answer 200, in ascending order.
        probes: Duration of each health probe, in ascending order.
        cpu: Seconds of processor that the server spent meanwhile.
        resident: Most bytes of memory that it was seen to hold.
        wall: Seconds that it all took.
    """

    statuses: dict[int, int]
    seconds: tuple[float, ...]
    probes: tuple[float, ...]
    cpu: float
    resident: int
    wall: float

    @property
    def answered(self) -> int:
        """Requests that got an answer."""
        return len(self.seconds)

    def percentile(self, share: float) -> float:
        """Return the duration that such a share of the answers did not exceed, in milliseconds."""
        return 1e3 * float(np.quantile(self.seconds, share)) if self.seconds else float("nan")


def photos(count: int, largest: int | None = None) -> list[bytes]:
    """Return drawn JPEGs, whose sizes are spread as those of the data set are.

    Args:
        count: How many.
        largest: Longest side to draw, in pixels; ``None`` draws each at its true size.
    """
    with (paths.data() / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["width"]]
    sizes = sorted(
        ((int(row["width"]), int(row["height"])) for row in rows),
        key=lambda size: size[0] * size[1],
    )
    rng, drawn = np.random.default_rng(0), []
    for i in range(count):
        size = sizes[(2 * i + 1) * len(sizes) // (2 * count)]
        if largest:
            width, height = (max(16, side * largest // max(size)) for side in size)
            size = width, height
        coarse = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=QUALITY)
        drawn.append(stream.getvalue())
    return drawn


def ask(
    address: str, process: psutil.Process, images: list[bytes], *, clients: int, requests: int
) -> Seen:
    """Send images from so many clients at once, each waiting for its answer before the next.

    A client that is told to come back waits as long as it is told, and its request counts.

    Args:
        address: Of the server, such as ``http://127.0.0.1:8000``.
        process: The server's.
        images: Sent in turn.
        clients: Connections at once.
        requests: In all.
    """
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    begun = time.perf_counter()
    numbers, lock, over = iter(range(requests)), threading.Lock(), threading.Event()

    def client() -> None:
        with httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False) as line:
            while not over.is_set() and time.perf_counter() - begun < DEADLINE_SECONDS:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                sent = time.perf_counter()
                files = {"file": ("photo.jpg", images[number % len(images)], "image/jpeg")}
                got = line.post(address + ROUTE, files=files)
                spent = time.perf_counter() - sent
                with lock:
                    statuses[got.status_code] += 1
                    if got.status_code == OK:
                        seconds.append(spent)
                if got.status_code == BUSY:
                    time.sleep(float(got.headers.get("retry-after", "1")))

    watched: list[tuple[float, int]] = []

    def watch() -> None:
        with httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False) as line:
            while not (over.is_set() and watched):  # at least once, however short the load
                sent = time.perf_counter()
                line.get(address + HEALTH).raise_for_status()
                watched.append((time.perf_counter() - sent, process.memory_info().rss))
                over.wait(PROBE_SECONDS)

    spent = _cpu(process)
    with ThreadPoolExecutor(clients + 1) as pool:
        probe = pool.submit(watch)
        asking = [pool.submit(client) for _ in range(clients)]
        try:
            for each in asking:
                each.result()
        finally:
            over.set()
        probe.result()
    return Seen(
        statuses=dict(statuses),
        seconds=tuple(sorted(seconds)),
        probes=tuple(sorted(wait for wait, _ in watched)),
        cpu=_cpu(process) - spent,
        resident=max(held for _, held in watched),
        wall=time.perf_counter() - begun,
    )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system

"""Load a server of this machine with concurrent clients, and measure what they see."""

import csv
import http.client
import io
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
import psutil
from PIL import Image

from vitrine import paths

__all__ = ["Line", "Seen", "ask", "form", "photos"]

BOUNDARY = "vitrine-bench"
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
        resident: Most bytes of memory that it was seen to hold; those that its processes share,
            where it has several, are counted once, and as they are at the end.
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

    def row(self) -> dict[str, int | float]:
        """Return what the results say of a load, in milliseconds and megabytes."""
        return {
            "requests": sum(self.statuses.values()),
            "answered": self.answered,
            "refused": self.statuses.get(BUSY, 0),
            "per_second": self.answered / self.wall,
            "p50": self.percentile(0.5),
            "p99": self.percentile(0.99),
            "cpu_milliseconds": 1e3 * self.cpu / max(self.answered, 1),
            "slowest_probe": 1e3 * self.probes[-1],
            "memory_mb": self.resident / 1e6,
            "wall_seconds": self.wall,
        }


class Line:
    """A kept connection to a server, cheap beside an answer: it shares the machine with it.

    Args:
        address: Of the server, such as ``http://127.0.0.1:8000``.
    """

    def __init__(self, address: str) -> None:
        self._kept = http.client.HTTPConnection(urlsplit(address).netloc, timeout=DEADLINE_SECONDS)

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def get(self, path: str) -> tuple[int, float]:
        """Ask for a page; returns its status, and the seconds after which to come back."""
        return self._ask("GET", path, b"", {})

    def post(self, path: str, body: bytes) -> tuple[int, float]:
        """Send what ``form`` returned; returns as ``get``."""
        return self._ask(
            "POST", path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        )

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, float]:
        self._kept.request(method, path, body, headers)
        with self._kept.getresponse() as answer:
            answer.read()
        return answer.status, float(answer.headers.get("retry-after", "1"))


def form(field: str, files: list[bytes]) -> bytes:
    """Return the body of a form that holds images."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="photo"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    parts = [head + data + b"\r\n" for data in files]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def photos(count: int, largest: int | None = None, manifest: str = "manifest.csv") -> list[bytes]:
    """Return drawn JPEGs, whose sizes are spread as those of the data set are.

    Args:
        count: How many.
        largest: Longest side to draw, in pixels; ``None`` draws each at its true size.
        manifest: Where sizes are read: of the originals, or of the reduced photos.
    """
    with (paths.data() / manifest).open(encoding="utf-8", newline="") as file:
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
    address: str,
    process: psutil.Process,
    images: list[bytes],
    *,
    clients: int,
    requests: int,
    health: str = HEALTH,
) -> Seen:
    """Send images from so many clients at once, each waiting for its answer before the next.

    A client that is told to come back waits as long as it is told, and its request counts.

    Args:
        address: Of the server, such as ``http://127.0.0.1:8000``.
        process: The server's; those that it started count with it.
        images: Sent in turn.
        clients: Connections at once.
        requests: In all.
        health: Path of the health probe.
    """
    forms = [form("file", [data]) for data in images]
    tree = [process, *process.children(recursive=True)]
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    begun = time.perf_counter()
    numbers, lock, over = iter(range(requests)), threading.Lock(), threading.Event()

    def client() -> None:
        with Line(address) as line:
            while not over.is_set() and time.perf_counter() - begun < DEADLINE_SECONDS:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                sent = time.perf_counter()
                status, later = line.post(ROUTE, forms[number % len(forms)])
                spent = time.perf_counter() - sent
                with lock:
                    statuses[status] += 1
                    if status == OK:
                        seconds.append(spent)
                if status == BUSY:
                    time.sleep(later)

    watched: list[tuple[float, int]] = []

    def watch() -> None:
        with Line(address) as line:
            while not (over.is_set() and watched):  # at least once, however short the load
                sent = time.perf_counter()
                status, _ = line.get(health)
                if status != OK:
                    raise RuntimeError(f"expected {health} to answer {OK}, found {status}")
                watched.append((time.perf_counter() - sent, process.memory_info().rss))
                over.wait(PROBE_SECONDS)

    spent = _cpu(tree)
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
        cpu=_cpu(tree) - spent,
        resident=max(held for _, held in watched) if len(tree) == 1 else _shared_once(tree),
        wall=time.perf_counter() - begun,
    )


def _cpu(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


def _shared_once(processes: list[psutil.Process]) -> int:
    held = [process.memory_full_info() for process in processes]
    return sum(getattr(each, "pss", each.uss) for each in held)  # Linux alone tells the former

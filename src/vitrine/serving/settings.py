"""What an operator may change, from environment variables of the same name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from vitrine.data.images import Limits

__all__ = ["Settings", "SettingsError"]

PORTS = 65_536


class SettingsError(ValueError):
    """An environment variable whose value cannot be used."""


def _cores() -> int:
    """Return the cores that this process may use, which a container may have fewer of."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the service runs. Each field is read from the variable of its name in capitals.

    Attributes:
        model_dir: Folder of ``model.onnx`` and ``model.json``; empty is the packaged model.
        host: Address to listen on.
        port: Port to listen on.
        workers: Photos computed at once.
        intra_op_threads: Threads for one photo.
        queue_max: Requests computed or waiting, beyond which one is refused; 0 is eight a worker.
        max_upload_bytes: Largest photo.
        max_batch_bytes: Largest request of the batch route.
        max_bodies_bytes: Most bytes of requests being received, all together.
        max_pixels: Largest baseline JPEG, in pixels; other images have a third of it.
        body_timeout_s: Seconds that a client has to send a request.
        predict_timeout_s: Seconds that a request may wait and be computed.
        metrics: Whether ``/metrics`` answers.
        api_key: What ``X-API-Key`` has to say, in ASCII; empty asks for nothing.
        cors_origins: Origins of pages that may call the service from a browser.
        log_level: From which level on a line is logged.
    """

    model_dir: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = field(default_factory=_cores)
    intra_op_threads: int = 1
    queue_max: int = 0
    max_upload_bytes: int = 13_000_000
    max_batch_bytes: int = 26_000_000
    max_bodies_bytes: int = 128_000_000
    max_pixels: int = 120_000_000
    body_timeout_s: float = 30.0
    predict_timeout_s: float = 15.0
    metrics: bool = True
    api_key: str = field(default="", repr=False)
    cors_origins: tuple[str, ...] = ()
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        least = {"queue_max": 0, "port": 0, "max_pixels": 64}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            low = least.get(each.name, 0.001 if isinstance(value, float) else 1)
            if not low <= value < float("inf"):
                self._refuse(each.name, f"at least {low}")
        if self.port >= PORTS:
            self._refuse("port", f"below {PORTS}")
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise SettingsError("expected API_KEY in printable ASCII, found another character")
        if self.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            self._refuse("log_level", "DEBUG, INFO, WARNING or ERROR")
        if self.max_bodies_bytes < max(self.max_upload_bytes, self.max_batch_bytes):
            self._refuse("max_bodies_bytes", "no less than one request may hold")

    def _refuse(self, name: str, expected: str) -> None:
        raise SettingsError(
            f"expected {name.upper()} to be {expected}, found {getattr(self, name)!r}"
        )

    @property
    def folder(self) -> Path | None:
        """Where the model lies; ``None`` is the model of the package."""
        return Path(self.model_dir) if self.model_dir else None

    @property
    def places(self) -> int:
        """Requests that may be computed or wait at once."""
        return self.queue_max or 8 * self.workers

    @property
    def limits(self) -> Limits:
        """What a photo may measure."""
        return Limits(pixels=self.max_pixels, pixels_undrafted=self.max_pixels // 3)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; a variable that is absent or empty leaves its default.

        Raises:
            SettingsError: If a value is not of the right kind or outside its range.
        """
        environment = os.environ if environment is None else environment
        kinds = {int: _integer, float: _number, bool: _switch, tuple[str, ...]: _words}
        found = {}
        for each in fields(cls):
            name = each.name.upper()
            if text := environment.get(name, "").strip():
                found[each.name] = kinds.get(each.type, lambda _, text: text)(name, text)
        return cls(**found)


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(f"expected {name} to be an integer, found {text!r}") from error


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SettingsError(f"expected {name} to be a number, found {text!r}") from error


def _switch(name: str, text: str) -> bool:
    values = {"1": True, "true": True, "0": False, "false": False}
    if text.lower() not in values:
        raise SettingsError(f"expected {name} to be 1 or 0, found {text!r}")
    return values[text.lower()]


def _words(_: str, text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())

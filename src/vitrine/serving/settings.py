"""Settings of the service, read from environment variables and checked by pydantic."""

import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from vitrine.data.images import Limits

__all__ = ["ServerSettings", "Settings", "SettingsError"]


CGROUP = Path("/sys/fs/cgroup")
_QUOTAS = ("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")
"""Where Linux tells a container its ``--cpus``, in versions 2 and 1 of control groups: microseconds
of processor, and in how many."""


class SettingsError(ValueError):
    """An environment variable or an option whose value cannot be used."""


def _cores() -> int:
    """Return the cores that this process may use: its own, or its container's share of them."""
    own = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    cores = len(own(0))
    for files in _QUOTAS:
        with suppress(OSError, ValueError):  # another version, or no limit: "max 100000"
            told = " ".join((CGROUP / name).read_text(encoding="ascii") for name in files)
            quota, period = map(int, told.split())
            return max(1, min(cores, math.ceil(quota / period))) if quota > 0 else cores
    return cores


def _printable(key: str) -> str:
    if not (key.isascii() and key.isprintable()):  # the key itself is not repeated
        raise ValueError("expected API_KEY in printable ASCII, found another character")
    return key


def _words(text: Any) -> Any:
    return [word.strip() for word in text.split(",")] if isinstance(text, str) else text


Seconds = Annotated[float, Field(ge=0.001, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


class ServerSettings(BaseSettings):
    """What both servers read, each field from the variable of its name in capitals.

    An argument comes before its variable; a variable that is absent or blank leaves the default.

    Attributes:
        host: Address to listen on.
        port: Port to listen on.
        api_key: What ``X-API-Key`` has to say, in ASCII; several after commas, each of which opens,
            so that one can replace another; empty asks for nothing.
        max_upload_bytes: Largest photo.
        body_timeout_s: Seconds that a client has to send a request.
        revision: Commit or tag of the image, told in a header of every answer.

    Raises:
        SettingsError: If a value is not of the right kind or outside its range.
    """

    model_config = SettingsConfigDict(
        frozen=True, str_strip_whitespace=True, validate_default=False
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, lt=65_536)
    api_key: Annotated[str, AfterValidator(_printable)] = Field("", repr=False)
    max_upload_bytes: Count = 13_000_000
    body_timeout_s: Seconds = 30.0
    revision: str = Field("", pattern=r"^[A-Za-z0-9._/-]{0,100}$")

    @property
    def keys(self) -> tuple[str, ...]:
        """Each key of ``api_key``, the one to send first."""
        return tuple(key for key in _words(self.api_key) if key)

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise SettingsError(_sentence(error)) from error

    @model_validator(mode="before")
    @classmethod
    def _leave_out_blanks(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in values.items() if not isinstance(v, str) or v.strip()}


def _sentence(error: ValidationError) -> str:
    """Return the first fault as one sentence: what was expected of which variable, what was found.

    Pydantic says "Input should be a valid integer, unable to parse string as an integer".
    """
    first = error.errors(include_url=False)[0]
    _, _, rule = first["msg"].partition(" should ")
    if not rule:  # one of ours, which is whole
        return first["msg"].removeprefix("Value error, ")
    rule = rule.partition(", unable")[0].replace("a valid integer", "an integer")
    return f"expected {str(first['loc'][0]).upper()} to {rule}, found {first['input']!r}"


class Settings(ServerSettings):
    """Settings of the service.

    Attributes:
        model_dir: Folder of ``model.onnx`` and ``model.json``, or the name of a model of the
            package, by default its first, or of an exported run.
        workers: Photos computed at once.
        intra_op_threads: Threads for one photo.
        queue_max: Requests computed or waiting, beyond which one is refused even if it would be
            answered in time; 0 is a thousand a worker, whose bodies have a limit of their own.
        max_batch_bytes: Largest request of the batch route.
        max_bodies_bytes: Most bytes of requests being received, all together.
        max_pixels: Largest baseline JPEG, in pixels; other images have a third of it.
        predict_timeout_s: Seconds that a request may wait and be computed.
        metrics: Whether ``/metrics`` answers.
        cors_origins: Origins of pages that may call the service from a browser, after commas.
        log_level: From which level on a line is logged.
    """

    model_dir: Path | None = None
    workers: Count = Field(default_factory=_cores)
    intra_op_threads: Count = 1
    queue_max: int = Field(0, ge=0)
    max_batch_bytes: Count = 26_000_000
    max_bodies_bytes: Count = 128_000_000
    max_pixels: int = Field(120_000_000, ge=64)
    predict_timeout_s: Seconds = 15.0
    metrics: bool = True
    cors_origins: Words = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _hold_a_request(self) -> "Settings":
        if self.max_bodies_bytes < max(self.max_upload_bytes, self.max_batch_bytes):
            raise ValueError(
                "expected MAX_BODIES_BYTES to be no less than one request may hold, found "
                f"{self.max_bodies_bytes}"
            )
        return self

    @property
    def places(self) -> int:
        """Requests that may be computed or wait at once."""
        return self.queue_max or 1000 * self.workers

    @property
    def limits(self) -> Limits:
        """What a photo may measure."""
        return Limits(pixels=self.max_pixels, pixels_undrafted=self.max_pixels // 3)

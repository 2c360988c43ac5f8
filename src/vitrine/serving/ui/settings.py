"""What an operator may change of the interface, from environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from vitrine import paths
from vitrine.serving import settings as service
from vitrine.serving.settings import SettingsError

__all__ = ["Settings"]

PORTS = 65_535


def _root() -> Path | None:
    try:
        return paths.root()
    except FileNotFoundError:  # an image that holds the package alone
        return None


def _data() -> Path:
    return (_root() or Path.cwd()) / "data"


def _note() -> Path | None:
    root = _root()
    return root and root / "build" / "note.pdf"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the interface runs.

    Attributes:
        api_url: Address of the service (``API_URL``).
        api_key: What the service asks for in ``X-API-Key`` (``API_KEY``); empty sends nothing.
        api_timeout_s: Seconds left to the service for one answer (``API_TIMEOUT_S``).
        max_upload_bytes: Largest photo, as for the service (``MAX_UPLOAD_BYTES``).
        data_dir: Folder of the two tables and of ``images/`` (``DATA_DIR``).
        note: The technical note, offered where the file exists (``NOTE_PDF``).
        host: Address to listen on (``HOST``).
        port: Port to listen on (``PORT``).
    """

    api_url: str = "http://127.0.0.1:8000"
    api_key: str = field(default="", repr=False)
    api_timeout_s: float = 15.0
    max_upload_bytes: int = service.Settings.max_upload_bytes
    data_dir: Path = field(default_factory=_data)
    note: Path | None = field(default_factory=_note)
    host: str = "127.0.0.1"
    port: int = 7860

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.api_url)
            fit = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            fit = False
        if not fit:
            raise SettingsError(
                "expected API_URL such as http://127.0.0.1:8000, the address of the service, "
                f"found {self.api_url!r}"
            )
        if not 0 < self.api_timeout_s < float("inf"):
            raise SettingsError(
                f"expected API_TIMEOUT_S to be a number of seconds over 0, found "
                f"{self.api_timeout_s!r}"
            )
        if self.max_upload_bytes < 1:
            raise SettingsError(
                f"expected MAX_UPLOAD_BYTES to be at least 1, found {self.max_upload_bytes}"
            )
        if not 1 <= self.port <= PORTS:
            raise SettingsError(f"expected PORT between 1 and {PORTS}, found {self.port}")
        if not self.api_key.isprintable() or not self.api_key.isascii():
            raise SettingsError("expected API_KEY in printable ASCII, found other characters")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; a variable that is absent or empty leaves its default.

        Raises:
            SettingsError: If a value is not of the right kind or outside its range.
        """
        environment = os.environ if environment is None else environment
        kinds = {
            "API_URL": ("api_url", str),
            "API_KEY": ("api_key", str),
            "API_TIMEOUT_S": ("api_timeout_s", float),
            "MAX_UPLOAD_BYTES": ("max_upload_bytes", int),
            "DATA_DIR": ("data_dir", Path),
            "NOTE_PDF": ("note", Path),
            "HOST": ("host", str),
            "PORT": ("port", int),
        }
        found = {}
        for name, (attribute, kind) in kinds.items():
            if text := environment.get(name, "").strip():
                try:
                    found[attribute] = kind(text)
                except ValueError as error:
                    raise SettingsError(f"expected {name} as a number, found {text!r}") from error
        return cls(**found)

"""Settings of the interface, read from environment variables and checked by pydantic."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from vitrine import paths
from vitrine.data import dataset
from vitrine.data.showcase import DASHBOARD, SAMPLES
from vitrine.serving.problems import Language
from vitrine.serving.settings import Seconds, ServerSettings

__all__ = ["Settings"]


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


def _language() -> Any:
    return dataset.current().language


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        fit = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fit = False
    if not fit:
        raise ValueError(
            "expected API_URL such as http://127.0.0.1:8000, the address of the service, found "
            f"{url!r}"
        )
    return url


def _with_tables(folder: Path) -> Path:
    """Refuse a folder that was asked for and has nothing to show: the default may be empty."""
    try:
        if any((folder / name).is_file() for name in (DASHBOARD, SAMPLES)):
            return folder
    except OSError:  # out of reach is not absent: the page tells why
        return folder
    made = "" if dataset.current().own else "make them with `vitrine data prepare`, or "
    raise ValueError(
        f"expected DATA_DIR (--data) to be a folder with {DASHBOARD} or {SAMPLES}, found "
        f"{'neither in' if folder.is_dir() else 'no folder'} {folder}; {made}leave it out for a "
        "synthetic catalogue"
    )


class Settings(ServerSettings):
    """Settings of the interface.

    Attributes:
        api_url: Address of the service.
        api_key: What the service asks for in ``X-API-Key``; empty sends nothing.
        api_timeout_s: Seconds left to the service for one answer.
        data_dir: Folder of the two tables and of ``images/``.
        note_pdf: The technical note, offered where the file exists.
        page_language: What the page speaks; by default, the language of the project.
    """

    port: int = Field(7860, ge=1, lt=65_536)
    api_url: Annotated[str, AfterValidator(_address)] = "http://127.0.0.1:8000"
    api_timeout_s: Seconds = 15.0
    data_dir: Annotated[Path, AfterValidator(_with_tables)] = Field(default_factory=_data)
    note_pdf: Path | None = Field(default_factory=_note)
    page_language: Language = Field(default_factory=_language)

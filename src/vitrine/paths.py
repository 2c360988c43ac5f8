"""Paths of the project's folders, from the repository root. Nothing is read or written."""

import os
import tomllib
from functools import cache
from pathlib import Path

__all__ = [
    "CONFIG", "build", "config", "data", "notebooks", "require_clone", "retrained", "root", "runs",
    "shared",
]  # fmt: skip

CONFIG = "vitrine.toml"
"""File at the root of a project that ``vitrine new`` made."""


def _is_root(folder: Path) -> bool:
    if (folder / CONFIG).is_file():
        return True
    project = folder / "pyproject.toml"
    if not project.is_file():
        return False
    try:
        found = tomllib.loads(project.read_text(encoding="utf-8"))
        return found["project"]["name"] == "vitrine"
    except (OSError, ValueError, KeyError, TypeError):  # somebody else's, whatever it holds
        return False


@cache
def _walk_up(start: Path) -> Path | None:
    return next((folder for folder in (start, *start.parents) if _is_root(folder)), None)


def root() -> Path:
    """Return the root of the project: the repository's, or a folder made by ``vitrine new``.

    It is ``VITRINE_ROOT`` where that is set, else the first folder upwards from the current one,
    then from this file, that has a ``vitrine.toml``, or whose ``pyproject.toml`` is vitrine's.

    Raises:
        FileNotFoundError: If no such folder exists.
    """
    if forced := os.environ.get("VITRINE_ROOT"):
        if not Path(forced).is_dir():
            raise _no_clone("no such folder")
        return Path(forced).resolve()
    found = _walk_up(Path.cwd()) or _walk_up(Path(__file__).resolve().parent)
    if found is None:
        raise FileNotFoundError(
            "expected to run inside a clone of vitrine, found no pyproject.toml of it upwards of "
            f"{Path.cwd()}; change to the clone or set VITRINE_ROOT"
        )
    return found


def require_clone() -> None:
    """Refuse a ``VITRINE_ROOT`` that is no clone: everything in it would be missing, file by file.

    Raises:
        FileNotFoundError: If the folder has no ``vitrine.toml`` and no ``pyproject.toml`` of
            vitrine.
    """
    if os.environ.get("VITRINE_ROOT") and not _is_root(root()):
        raise _no_clone("a folder without its pyproject.toml")


def _no_clone(found: str) -> FileNotFoundError:
    return FileNotFoundError(
        f"expected VITRINE_ROOT to be a clone of vitrine, found {found} at "
        f"{os.environ['VITRINE_ROOT']}; correct it, or unset it and run inside the clone"
    )


def config() -> Path:
    """Return where the description of the project's own data set lies, where it has one."""
    return root() / CONFIG


def data() -> Path:
    """Return the folder of the data set: tracked manifests, splits and facts; fetched images."""
    return root() / "data"


def runs() -> Path:
    """Return the folder of the published runs."""
    return root() / "runs"


def notebooks() -> Path:
    """Return the folder of the notebooks."""
    return root() / "notebooks"


def build() -> Path:
    """Return the ignored folder of everything that can be made again."""
    return root() / "build"


def retrained() -> Path:
    """Return the folder of published runs made again, which stay as they are."""
    return build() / "retrain"


def shared() -> Path:
    """Return the folder of development inputs: ``VITRINE_SHARED``, by default ``../shared``."""
    return Path(os.environ.get("VITRINE_SHARED") or root().parent / "shared").resolve()

"""Digest what an execution depended on: modules imported, files read, versions locked.

Sources are parsed, never imported, so that asking costs milliseconds and no TensorFlow.
"""

import ast
import contextlib
import hashlib
import json
import platform
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from vitrine import paths
from vitrine.book.recorder import IMPORT

__all__ = ["digest", "digests", "installed", "named"]

_TRACKED = (
    "vitrine.toml",
    "runs/",
    "data/splits/",
    "data/facts/",
    "data/manifest",
    "ressources/",
    "book/",
    "src/",
)
_INSTALLED = Path(__file__).parents[2]
# Ignored by git, or accounted for by `modules`: folders of src/ are listed by each import.
_UNTRACKED = re.compile(r"(^|/)(weights|__pycache__|\.[^/]*)(/|$)|\.pyc?$|^src/(.*/)?$")


def named(log: Iterable[str]) -> dict[str, list[str]]:
    """Return the ``modules``, ``files`` and libraries (``versions``) that ``recorder`` noted."""
    lines = set(log)
    imported = {line.removeprefix(IMPORT) for line in lines if line.startswith(IMPORT)}
    return {
        "modules": sorted(name for name in imported if name.partition(".")[0] == "vitrine"),
        "files": sorted(path for path in lines if _is_tracked(path)),
        "versions": sorted(_libraries(imported)),
    }


def digests(names: Mapping[str, Iterable[str]]) -> dict[str, dict[str, str]]:
    """Return a digest of each module and file, and the locked version of each library."""
    return {
        "modules": {name: _module(name) for name in sorted(names["modules"])},
        "files": {path: _content(path) for path in sorted(names["files"])},
        "versions": _locked(names["versions"]),
    }


def digest(value: object, *, length: int = 16) -> str:
    """Digest a value that JSON can write."""
    # 64 bits tell two versions apart; full digests would be most of a small notebook's diff.
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def _is_tracked(path: str) -> bool:
    return path.startswith(_TRACKED) and not _UNTRACKED.search(path)


def _content(path: str) -> str:
    """Digest a file, or the names in a folder (its path ends with a slash)."""
    place = paths.root() / path
    if path.endswith("/"):
        inside = sorted(place.iterdir()) if place.is_dir() else []
        if path.startswith("runs/"):
            inside = [p for p in inside if not _is_unfinished(p)]
        return digest([p.name for p in inside if not _UNTRACKED.search(p.name)])
    if not place.is_file():
        return "absent"
    return hashlib.sha256(place.read_bytes()).hexdigest()[:16]


def _is_unfinished(place: Path) -> bool:
    """Tell a run that was begun and no more, or a folder of such alone: nothing reads them."""
    return place.is_dir() and not any(place.glob("*.json")) and not any(place.rglob("run.json"))


def _module(name: str) -> str:
    """Digest the source of a module, without comments, layout and docstrings."""
    clone = paths.root() / "src"  # a project of somebody's own photos has none: what is installed
    stem = (clone if clone.is_dir() else _INSTALLED).joinpath(*name.split("."))
    for file in (stem.with_suffix(".py"), stem / "__init__.py"):
        if file.is_file():
            return _syntax(file, file.stat().st_mtime_ns)
    return "absent"


@cache
def _syntax(file: Path, changed: int) -> str:
    return digest(repr(_shape(ast.parse(file.read_text(encoding="utf-8")))))


def _shape(node: object) -> object:
    """Rewrite a syntax tree as lists, without docstrings, alike in every Python we support.

    ``ast.dump`` is not: 3.12 adds fields, 3.13 leaves empty ones out.
    """
    if isinstance(node, list):
        return [_shape(item) for item in node if not _is_text(item)]
    if not isinstance(node, ast.AST):
        return node
    fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
    return [type(node).__name__, *((name, _shape(value)) for name, value in fields)]


def _is_text(statement: object) -> bool:
    """Tell a docstring, or a string that documents the line above it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _libraries(imported: Iterable[str]) -> set[str]:
    """Return those of our declared dependencies that these imported names belong to."""
    declared = {_normal(re.split(r"[^\w.-]", line)[0]) for line in _requirements()}
    holders = _holders()
    return declared & {_normal(owner) for name in imported for owner in holders.get(name, ())}


def _requirements() -> list[str]:
    clone = paths.root() / "pyproject.toml"
    if not clone.is_file():
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.requires("vitrine") or []
        return []
    project = tomllib.loads(clone.read_text(encoding="utf-8"))["project"]
    lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    return [line for lines in lists for line in lines]


_holders = cache(metadata.packages_distributions)  # seconds, in an environment as large as ours


def _normal(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


def _locked(libraries: Iterable[str]) -> dict[str, str]:
    lock = paths.root() / "requirements" / "all.txt"
    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    pins: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE):
        pins.setdefault(_normal(name), []).append(version)
    return {name: " ".join(pins[name]) for name in sorted(libraries) if name in pins}


def installed(libraries: Iterable[str]) -> dict[str, str]:
    """Return what an execution here runs with: the lock has a version for each Python."""
    found = {"python": platform.python_version()}
    for name in libraries:
        with contextlib.suppress(metadata.PackageNotFoundError):  # no wheel for this machine
            found[name] = metadata.version(name)
    return found

"""Tie a lock to the dependency tables it was resolved from: dates mean nothing after a clone."""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARK = "# dependencies-sha256: "


def digest() -> str:
    """Return the hash of the dependency tables of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tables = [project["dependencies"], project["optional-dependencies"], project["requires-python"]]
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()


def stamp(lock: Path) -> None:
    """Write the hash at the end of a lock, in place of a former one."""
    lines = [line for line in lock.read_text().splitlines() if not line.startswith(MARK)]
    lock.write_text("\n".join([*lines, MARK + digest()]) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        stamp(Path(name))

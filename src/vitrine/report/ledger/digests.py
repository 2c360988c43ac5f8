"""Bind every published file to its bytes: ``runs/SHA256SUMS``, which ``sha256sum -c`` reads too.

The ledger notices what changes a number of the prose; the digests notice the rest: a history or
TensorBoard events that no chapter reads, a field of a sheet, the card of a served model, a picture.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from vitrine import paths
from vitrine.metrics.metrics import accuracy
from vitrine.report.ledger.service import SHIPPED
from vitrine.training import runs

__all__ = ["check", "faults", "write"]

SUMS = "runs/SHA256SUMS"
SHOWN = (
    "runs/bench/*.json", f"{SHIPPED}/*/*", "data/manifest*.csv", "data/facts/*", "data/splits/*",
    "ressources/*.csv", "ressources/drawings/*", "ressources/pictures/*",
)  # fmt: skip
"""What is shown or served, beside the runs."""
HELP = "restore it with git, or, where it was made again, run `vitrine ledger` and look at its diff"


def write() -> Path:
    """Write the digest of every published file and return the path."""
    path = paths.root() / SUMS
    lines = (f"{digest}  {name}\n" for name, digest in sorted(_found(paths.root()).items()))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def check() -> None:
    """Compare the published files with their digests.

    Raises:
        RunError: With one line for each file that changed.
    """
    if told := faults():
        raise runs.RunError("\n".join(told))


def faults() -> list[str]:
    """Return a sentence for each published file that is not what was bound."""
    root = paths.root()
    found, kept = _found(root), _kept(root / SUMS)
    told = [
        f"{name}: expected {_state(kept.get(name))}, found {_state(found.get(name))}; {HELP}"
        for name in sorted(found.keys() | kept.keys())
        if found.get(name) != kept.get(name)
    ]
    cards = sorted((root / SHIPPED).glob("*/model.json"))
    return [*told, *_unsealed(root), *(fault for card in cards for fault in _served(root, card))]


def _state(digest: str | None) -> str:
    return f"the bytes of SHA-256 {digest[:12]}" if digest else "no such file"


def _kept(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _found(root: Path) -> dict[str, str]:
    """Return the digest of each file of a finished run, and of each one shown or served."""
    files = [path for path in _published(root) if path.is_file()]
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def _published(root: Path) -> Iterator[Path]:
    for pattern in SHOWN:
        yield from root.glob(pattern)
    for meta in (root / "runs").rglob("run.json"):
        for path in meta.parent.rglob("*"):
            apart = path.relative_to(meta.parent).parts[0] == "weights" or path.suffix == ".part"
            if not apart:
                yield path


def _unsealed(root: Path) -> Iterator[str]:
    """Yield what a run says otherwise of its own files; runs of an older format say nothing."""
    for path in sorted((root / "runs").rglob("run.json")):
        for name, digest in json.loads(path.read_text(encoding="utf-8")).get("files", {}).items():
            file = path.parent / name
            found = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
            if found != digest:
                yield (
                    f"{file.relative_to(root).as_posix()}: expected {_state(digest)}, as its "
                    f"run.json says, found {_state(found)}; restore both with git"
                )


def _served(root: Path, path: Path) -> Iterator[str]:
    """Yield what the card of a served model says otherwise than its run."""
    card = json.loads(path.read_text(encoding="utf-8"))
    test = runs.load(card["name"]).part("test")
    told, own = card["metrics"]["accuracy"]["value"], accuracy(test.truth, test.probabilities)
    changed = card["parity"]["images"] - card["parity"]["same_top1"]
    place = path.relative_to(root).as_posix()
    if abs(told - own) * len(test.truth) > changed + 0.5:
        yield (
            f"{place}: expected the accuracy of its run {card['name']}, {own:.4f}, "
            f"found {told:.4f}; export it again"
        )

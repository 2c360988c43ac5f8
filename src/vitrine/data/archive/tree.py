"""Put a verified tree in the place of the present one, which stays whole until then."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import filelock

from vitrine.data.archive.errors import ArchiveError, writing
from vitrine.data.archive.receipt import (
    IMAGES,
    RECEIPT,
    TABLE,
    Edition,
    Receipt,
    recognise,
    sha256,
    stamps,
)
from vitrine.data.archive.unpack import unpack

__all__ = ["install", "locked", "stage"]

_LOCK, _STAGING, _INCOMING, _OUTGOING = ".lock", ".staging", ".incoming", ".outgoing"


def stage(archive: Path, label: str, folder: Path, editions: Mapping[str, Edition]) -> Receipt:
    """Unpack and verify an archive beside the present tree, which is left as it is.

    On return the new tree is whole and only waits for its names: see ``install``.

    Args:
        archive: The archive.
        label: How the receipt names it.
        folder: The data folder, locked by the caller.
        editions: The editions accepted, by name.

    Returns:
        The receipt of the new tree.

    Raises:
        ArchiveError: If the archive is refused, or holds none of the editions.
    """
    staging = folder / _STAGING
    shutil.rmtree(staging, ignore_errors=True)
    try:
        found = unpack(archive, staging)
        edition = recognise(found, editions)
        with writing(folder):
            receipt = Receipt(
                edition=edition,
                manifest_sha256=editions[edition].digest(),
                source=label,
                archive_sha256=sha256(archive),
                files=stamps(staging, found),
            )
            receipt.write(staging)
            staging.rename(folder / _INCOMING)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return receipt


def install(folder: Path) -> None:
    """Put the verified tree in place; harmless where there is none, and may be run again."""
    incoming, outgoing = folder / _INCOMING, folder / _OUTGOING
    if incoming.is_dir():
        outgoing.mkdir(exist_ok=True)
        # The receipt leaves first and comes last: without it, a half-made tree is no data set.
        if (incoming / RECEIPT).exists():
            _move(folder / RECEIPT, outgoing / RECEIPT)
        for name in (IMAGES, TABLE, RECEIPT):
            if (incoming / name).exists():
                _move(folder / name, outgoing / name)
                (incoming / name).rename(folder / name)
        incoming.rmdir()
    shutil.rmtree(outgoing, ignore_errors=True)


def _move(path: Path, target: Path) -> None:
    if os.path.lexists(path):
        path.replace(target)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other process from changing a data folder.

    Raises:
        ArchiveError: At once, if another process is at it.
    """
    lock = filelock.FileLock(folder / _LOCK, timeout=0)
    with writing(folder):
        try:
            lock.acquire()
        except filelock.Timeout as error:  # an OSError too: caught before ``writing`` sees it
            raise ArchiveError(
                f"expected to be alone in {folder}, found another process fetching into it; wait "
                "for it to end"
            ) from error
    try:
        yield
    finally:
        lock.release()

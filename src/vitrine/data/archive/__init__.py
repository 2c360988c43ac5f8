"""Fetch, resume, verify and unpack the data set; refuse a hostile archive.

A data folder holds ``images/*.jpg``, ``dataset.csv`` and ``receipt.json``; whatever else lies
there (the tracked manifests, splits and facts) is left alone. A new tree is unpacked and verified
in a hidden folder beside, and put in place by renaming only once it is whole::

    address -> archive.part -> .staging/ -verified-> .incoming/ -renamed-> images/, dataset.csv

Killed anywhere on that line, the next run goes on from there.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vitrine import paths
from vitrine.data.archive.errors import BAD_INPUT, FAILED, ArchiveError, writing
from vitrine.data.archive.origin import label, parse
from vitrine.data.archive.receipt import (
    RECEIPT,
    Edition,
    Receipt,
    compare,
    hashes,
    mismatch,
    sha256,
    stamps,
    tracked,
)
from vitrine.data.archive.tree import install, locked, stage

__all__ = ["ArchiveError", "Edition", "Receipt", "fetch", "status", "verify"]

ADDRESS = (
    "https://s3-eu-west-1.amazonaws.com/static.oc-static.com/prod/courses/files/"
    "Parcours_data_scientist/Projet+-+Textimage+DAS+V2/"
    "Dataset+projet+pre%CC%81traitement+textes+images.zip"
)
"""The official archive; its name holds a decomposed accent, ``e`` and U+0301."""


def fetch(
    source: str | Path | None = None,
    folder: Path | None = None,
    *,
    editions: Mapping[str, Edition] | None = None,
) -> Receipt:
    """Bring a data folder to a complete and verified data set.

    Where it is one already, nothing is done: sizes and dates are compared, no network is used.
    Files whose dates changed are hashed, and fetched again only if their content changed too.

    Args:
        source: An ``http(s)`` address or a local archive. By default, whatever edition the
            folder holds is good, and the official address is used if it holds none.
        folder: The data folder, made if absent; the repository's by default.
        editions: The editions accepted, by name; the two tracked ones by default.

    Returns:
        The receipt of the data set, which names its edition.

    Raises:
        ArchiveError: If the data set could not be obtained; the folder then holds what it held.
    """
    folder, editions = folder or paths.data(), editions or tracked()
    origin = _archive(ADDRESS if source is None else source)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if (receipt := _present(folder, source, origin, editions)) is not None:
        return receipt
    with locked(folder):
        with writing(folder):
            install(folder)  # what an interrupted run had verified
        receipt = _present(folder, source, origin, editions, rehash=True)
        return receipt or _obtain(origin, folder, editions)


def verify(folder: Path | None = None, *, editions: Mapping[str, Edition] | None = None) -> Receipt:
    """Hash every file of a data folder and compare with the manifest of its edition.

    Args:
        folder: The data folder; the repository's by default.
        editions: The editions known, by name; the two tracked ones by default.

    Returns:
        The receipt, rewritten where dates had changed without the content.

    Raises:
        ArchiveError: If there is no receipt, if its edition is unknown, or if files differ.
    """
    folder, editions = folder or paths.data(), editions or tracked()
    receipt = Receipt.read(folder)
    if receipt is None:
        raise ArchiveError(f"expected a data set in {folder}, found no {RECEIPT}; fetch it first")
    if receipt.edition not in editions:
        raise ArchiveError(
            f"expected one of the editions {sorted(editions)} in {folder}, found "
            f"{receipt.edition!r}, which has no tracked manifest; fetch into another folder",
            exit_code=BAD_INPUT,
        )
    edition = editions[receipt.edition]
    expected = edition.expected()
    try:
        compare(hashes(folder, expected), expected, receipt.edition)
    except ArchiveError as error:
        doubted = {
            name: (size, 0) for name, (size, _) in receipt.files.items() if name in error.files
        }
        with contextlib.suppress(OSError):  # a fetch repairs them then, and nobody trains on them
            replace(receipt, files={**receipt.files, **doubted}).write(folder)
        raise
    fresh = replace(receipt, manifest_sha256=edition.digest(), files=stamps(folder, expected))
    if fresh != receipt:
        with writing(folder):
            fresh.write(folder)
    return fresh


def status(folder: Path | None = None) -> Receipt | None:
    """Compare the sizes and dates of a data folder with its receipt; nothing is hashed.

    Args:
        folder: The data folder; the repository's by default.

    Returns:
        The receipt, or ``None`` where nothing was fetched.

    Raises:
        ArchiveError: If files changed since; all of them are in its ``files``.
    """
    folder = folder or paths.data()
    receipt = Receipt.read(folder)
    if receipt is not None and (changed := receipt.changed(folder)):
        raise mismatch(
            changed, f"the {len(receipt.files)} files of the receipt", "verify, or fetch again"
        )
    return receipt


def _archive(source: str | Path) -> str | Path:
    origin = parse(source)
    if isinstance(origin, Path) and not origin.is_file():
        raise ArchiveError(
            f"expected an archive at {source}, found no such file but a folder; "
            "give the ZIP itself",
            exit_code=BAD_INPUT,
        )
    return origin


def _present(
    folder: Path,
    source: str | Path | None,
    origin: str | Path,
    editions: Mapping[str, Edition],
    *,
    rehash: bool = False,
) -> Receipt | None:
    """Return the receipt of a folder that already holds what is asked for."""
    try:
        receipt = Receipt.read(folder)
        if receipt is None or receipt.edition not in editions:
            return None
        if source is not None and not _came_from(origin, receipt):
            return None
        current = receipt.manifest_sha256 == editions[receipt.edition].digest()
        if current and not receipt.changed(folder):
            return receipt
        return verify(folder, editions=editions) if rehash else None
    except ArchiveError:
        return None


def _came_from(origin: str | Path, receipt: Receipt) -> bool:
    if isinstance(origin, Path):
        return sha256(origin) == receipt.archive_sha256
    return label(origin) == receipt.source


def _obtain(origin: str | Path, folder: Path, editions: Mapping[str, Edition]) -> Receipt:
    for edition in editions.values():
        edition.expected()  # a lost manifest is reported before the download, not after
    if isinstance(origin, Path):
        receipt = stage(origin, label(origin), folder, editions)
    else:
        # Imported here: a second run, which needs no network, starts in half the time.
        from vitrine.data.archive.download import discard, download

        archive = download(origin, folder)
        try:
            receipt = stage(archive, label(origin), folder, editions)
        except ArchiveError as error:
            if error.exit_code != FAILED:
                discard(folder)  # the fault lies in the archive: it would fail for ever
            raise
        discard(folder)
    with writing(folder):
        install(folder)
    return receipt

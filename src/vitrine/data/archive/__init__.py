"""Fetch, resume, verify and unpack the data set; refuse a hostile archive.

A data folder holds ``images/*.jpg``, ``dataset.csv`` and ``receipt.json``; whatever else lies
there (the tracked manifests, splits and facts) is left alone. A new tree is unpacked and verified
in a hidden folder, which is whole once its receipt is written there, then moved in place::

    address -> archive.part -> .incoming/ -verified-> images/, dataset.csv, receipt.json

Killed anywhere on that line, the next run goes on from there.
"""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import filelock

from vitrine import paths
from vitrine.data.archive import receipt as receipts
from vitrine.data.archive.receipt import ArchiveError, Edition, Receipt
from vitrine.data.archive.unzip import unpack

__all__ = [
    "ArchiveError", "Edition", "Receipt", "fetch", "label", "locked", "parse", "status", "verify",
]  # fmt: skip

_INCOMING = ".incoming"
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
    folder, editions = folder or paths.data(), editions or receipts.tracked()
    origin = parse(ADDRESS if source is None else source)
    if isinstance(origin, Path) and not origin.is_file():
        raise ArchiveError(
            f"expected an archive at {source}, found a folder; give the ZIP itself",
            exit_code=receipts.BAD_INPUT,
        )
    with receipts.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if (receipt := _present(folder, source, origin, editions)) is not None:
        return receipt
    with locked(folder):
        with receipts.writing(folder):
            _install(folder)  # what an interrupted run had verified
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
    folder, editions = folder or paths.data(), editions or receipts.tracked()
    receipt = Receipt.read(folder)
    if receipt is None:
        raise ArchiveError(
            f"expected a data set in {folder}, found no {receipts.RECEIPT}; fetch it first"
        )
    if receipt.edition not in editions:
        raise ArchiveError(
            f"expected one of the editions {sorted(editions)} in {folder}, found "
            f"{receipt.edition!r}, which has no tracked manifest; fetch into another folder",
            exit_code=receipts.BAD_INPUT,
        )
    edition = editions[receipt.edition]
    expected = edition.expected()
    try:
        receipts.compare(receipts.hashes(folder, expected), expected, receipt.edition)
    except ArchiveError as error:
        doubted = {
            name: (size, 0) for name, (size, _) in receipt.files.items() if name in error.files
        }
        with contextlib.suppress(OSError):  # a fetch repairs them then, and nobody trains on them
            replace(receipt, files={**receipt.files, **doubted}).write(folder)
        raise
    fresh = replace(
        receipt, manifest_sha256=edition.digest(), files=receipts.stamps(folder, expected)
    )
    if fresh != receipt:
        with receipts.writing(folder):
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
        raise receipts.mismatch(
            changed, f"the {len(receipt.files)} files of the receipt", "verify, or fetch again"
        )
    return receipt


def parse(source: str | Path) -> str | Path:
    """Tell an address from a local archive: the one is returned as text, the other as a path.

    Raises:
        ArchiveError: If it is neither an ``http(s)`` address nor what exists here.
    """
    if isinstance(source, str) and "://" in source:
        if _is_web(source):
            return source
        raise ArchiveError(
            f"expected an http or https address, found {source!r}; download the archive yourself "
            "and give its path",
            exit_code=receipts.BAD_INPUT,
        )
    if not Path(source).exists():
        raise ArchiveError(
            f"expected an archive at {source}, found no such file; check the path",
            exit_code=receipts.BAD_INPUT,
        )
    return Path(source)


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return web and address.isprintable()


def label(origin: str | Path) -> str:
    """Name a source without what a receipt must not tell: a folder, a password, a signature."""
    if isinstance(origin, Path):
        return origin.name
    parts = urlsplit(origin)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other process from changing a data folder.

    Raises:
        ArchiveError: At once, if another process is at it.
    """
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    with receipts.writing(folder):
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
        return receipts.sha256(origin) == receipt.archive_sha256
    return label(origin) == receipt.source


def _obtain(origin: str | Path, folder: Path, editions: Mapping[str, Edition]) -> Receipt:
    for edition in editions.values():
        edition.expected()  # a lost manifest is reported before the download, not after
    if isinstance(origin, Path):
        receipt = _stage(origin, label(origin), folder, editions)
    else:
        # Imported here: a second run, which needs no network, starts in half the time.
        from vitrine.data.archive.download import discard, download

        archive = download(origin, folder)
        try:
            receipt = _stage(archive, label(origin), folder, editions)
        except ArchiveError as error:
            if error.exit_code != receipts.FAILED:
                discard(folder)  # the fault lies in the archive: it would fail for ever
            raise
        discard(folder)
    with receipts.writing(folder):
        _install(folder)
    return receipt


def _stage(archive: Path, source: str, folder: Path, editions: Mapping[str, Edition]) -> Receipt:
    """Unpack and verify an archive in a hidden folder; the present tree is left as it is."""
    incoming = folder / _INCOMING
    shutil.rmtree(incoming, ignore_errors=True)
    try:
        digests = unpack(archive, incoming)
        edition = receipts.recognise(digests, editions)
        with receipts.writing(folder):
            receipt = Receipt(
                edition=edition,
                manifest_sha256=editions[edition].digest(),
                source=source,
                archive_sha256=receipts.sha256(archive),
                files=receipts.stamps(incoming, digests),
            )
            receipt.write(incoming)
    except BaseException:
        shutil.rmtree(incoming, ignore_errors=True)
        raise
    return receipt


def _install(folder: Path) -> None:
    """Put the verified tree in place; harmless where there is none, and may be run again."""
    incoming = folder / _INCOMING
    if (incoming / receipts.RECEIPT).exists():
        # The receipt leaves first and comes last: without it, a half-made tree is no data set.
        _remove(folder / receipts.RECEIPT)
        for name in (receipts.IMAGES, receipts.TABLE, receipts.RECEIPT):
            if (incoming / name).exists():
                _remove(folder / name)
                (incoming / name).rename(folder / name)
    shutil.rmtree(incoming, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

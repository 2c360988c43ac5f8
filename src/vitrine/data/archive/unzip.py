"""Unpack a ZIP archive that may be hostile, into a new folder and nowhere else.

Nothing is written before the whole table of contents was read: one dangerous entry, even among
those that would be skipped, refuses the archive. Names are compared after Unicode normalisation
(NFC), since a Mac writes accents decomposed. ``ZipFile.extractall`` is not used: it renames an
escaping path and writes a link as a text file, both silently.

Source of the cases: part C of the design note on hostile inputs.
"""

import hashlib
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from vitrine.data import dataset
from vitrine.data.archive import receipt
from vitrine.data.archive.receipt import ArchiveError

__all__ = ["contents", "inspect", "read", "readable", "unpack"]

MAX_BYTES = 512 * 2**20
"""Most that an archive may announce once unpacked; the originals are 368 MB."""
MAX_ENTRIES = 5_000
MAX_RATIO = 200
_RATIO_FLOOR = 1024  # a tiny file of zeros compresses well without being a bomb

_PUBLISHED = dataset.read(dataset.PUBLISHED)
_FROM = PurePosixPath(_PUBLISHED.archived_folder), PurePosixPath(_PUBLISHED.archived_table)
"""Folder of the images and place of the table in the archive, within any folder of it."""
_NESTED = {".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".jar"}
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_KINDS = {0, stat.S_IFREG, stat.S_IFDIR}  # 0: written by a system without Unix modes
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_UTF8 = 0x0800
_CHUNK = 2**18
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)


def unpack(source: Path, target: Path) -> dict[str, str]:
    """Unpack the images and the table of an archive.

    Args:
        source: The archive, a ZIP with the images and the table where the data set says.
        target: A folder that does not exist yet; its parent does.

    Returns:
        The SHA-256 of each file written, by its name in ``target``.

    Raises:
        ArchiveError: If the archive is unreadable, dangerous or holds no image, or if the disk
            is full. What was written by then is left to the caller.
    """
    with readable(source), zipfile.ZipFile(source) as archive:
        wanted = inspect(archive)
        needed = sum(entry.file_size for entry in wanted.values())
        receipt.require_space(target.parent, needed)
        with receipt.writing(target.parent, needed):
            (target / receipt.IMAGES).mkdir(parents=True)
            return {name: _write(archive, entry, target / name) for name, entry in wanted.items()}


def inspect(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Choose the entries to unpack, from the table of contents alone.

    Returns:
        The entry of each image and of the table, by its name in a data folder.

    Raises:
        ArchiveError: If any entry is dangerous, or if there is no image or no table.
    """
    wanted = {}
    for name, entry in contents(archive).items():
        if (place := _place(name)) is None:
            continue
        if place in wanted:
            raise _refusal("each file once", f"two entries for {place!r}")
        wanted[place] = entry
    if not any(place.startswith(f"{receipt.IMAGES}/") for place in wanted):
        raise _refusal(f"JPEG images under {_FROM[0]}", "0 image")
    if receipt.TABLE not in wanted:
        raise _refusal(f"the table {_FROM[1]}", "none")
    return wanted


def contents(
    archive: zipfile.ZipFile, *, max_entries: int = MAX_ENTRIES
) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of an archive by name, folders included, once all are found harmless.

    Args:
        archive: Only its table of contents is read.
        max_entries: Most entries that it may have.

    Raises:
        ArchiveError: If any entry is dangerous.
    """
    entries = archive.infolist()
    announced = sum(entry.file_size for entry in entries)
    if len(entries) > max_entries:
        raise _refusal(f"at most {max_entries} entries", f"{len(entries)}")
    if announced > MAX_BYTES:
        raise _refusal(f"at most {MAX_BYTES:,} bytes once unpacked", f"{announced:,} announced")
    folded: set[str] = set()
    by_name = {}
    for entry in entries:
        name = _name(entry)
        _refuse_dangerous(name, entry)
        if (key := name.rstrip("/").casefold()) in folded:
            raise _refusal("each name once", f"{name!r} twice")
        folded.add(key)
        by_name[name] = entry
    return by_name


def read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of an entry, never more than it announced.

    Raises:
        ArchiveError: If it is damaged, or lied about its size.
    """
    return b"".join(_announced(archive, entry))


def _name(entry: zipfile.ZipInfo) -> str:
    # ``orig_filename``: ``filename`` is cut at a NUL, which would hide what follows it.
    name = entry.orig_filename
    if not entry.flag_bits & _UTF8:
        with suppress(UnicodeError):  # a Mac writes UTF-8 without the flag that says so
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name)


def _refuse_dangerous(name: str, entry: zipfile.ZipInfo) -> None:
    path, method = PurePosixPath(name), entry.compress_type
    outside = "\\" in name or path.is_absolute() or ".." in path.parts
    swollen = entry.file_size > MAX_RATIO * max(entry.compress_size, _RATIO_FLOOR)
    for dangerous, expected, found in (
        (outside or PureWindowsPath(name).drive, "names that stay inside its folder", "an entry"),
        ("\0" in name, "names without a NUL character", "an entry"),
        (
            stat.S_IFMT(entry.external_attr >> 16) not in _KINDS,
            "plain files and folders",
            "a link or a special file,",
        ),
        (entry.flag_bits & _ENCRYPTED, "no password", "the encrypted entry"),
        (method not in _METHODS, "stored or deflated entries", f"method {method} for"),
        (swollen, f"entries that shrink at most {MAX_RATIO} times", "a bomb,"),
        (path.suffix.lower() in _NESTED, "no archive inside the archive", "an entry"),
    ):
        if dangerous:
            raise _refusal(expected, f"{found} {name!r}")


def _place(name: str) -> str | None:
    """Return where an entry goes in the data folder, ``None`` where it is skipped."""
    *folders, last = PurePosixPath(name).parts
    if name.endswith("/") or last.startswith(".") or "__MACOSX" in folders:
        return None
    images, table = (list(place.parts) for place in _FROM)
    if folders[-len(images) :] == images and last.lower().endswith(".jpg"):
        return f"{receipt.IMAGES}/{last}"
    return receipt.TABLE if [*folders, last][-len(table) :] == table else None


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for chunk in _announced(archive, entry):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _announced(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the content of an entry; raise as soon as its size is not the announced one."""
    left = entry.file_size
    for chunk in _chunks(archive, entry):
        left -= len(chunk)
        if left < 0:
            break  # do not fill the disk with it
        yield chunk
    if left:
        raise _refusal(
            f"{entry.file_size} bytes, as announced", f"another size in {entry.orig_filename!r}"
        )


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    # An error of the reader must not pass for one of the writer around it.
    with readable(Path(archive.filename or "")), archive.open(entry) as content:
        while chunk := content.read(_CHUNK):
            yield chunk


@contextmanager
def readable(source: Path) -> Iterator[None]:
    """Translate what a reader of ZIP archives may raise into one sentence."""
    try:
        yield
    except _UNREADABLE as error:
        raise ArchiveError(
            f"expected a ZIP archive in {source.name}, found {_nature(source)} ({error}); "
            "get the archive again",
            exit_code=receipt.BAD_INPUT,
        ) from error


def _nature(source: Path) -> str:
    try:
        with source.open("rb") as file:
            head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    except OSError:
        return "a file that cannot be read"
    if not head:
        return "an empty file"
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        return "an unreadable archive: it is an HTML page"
    return "a damaged archive" if head.startswith(b"pk") else "an unreadable archive"


def _refusal(expected: str, found: str) -> ArchiveError:
    return ArchiveError(
        f"expected {expected} in the archive, found {found}; nothing was kept, fetch the archive "
        "from its official address",
        exit_code=receipt.BAD_INPUT,
    )

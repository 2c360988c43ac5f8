"""Recognise an edition of the data set by its hashes, and keep a receipt that it was verified.

An edition is a tracked manifest (one SHA-256 an image) and the SHA-256 of the table. A tree is
recognised by its hashes, never by the name of its archive; hashing it once is enough, since the
receipt then keeps the size and date of every file.
"""

import csv
import dataclasses
import errno
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unicodedata import normalize

from vitrine import paths

__all__ = [
    "BAD_INPUT", "FAILED", "MISMATCH", "ArchiveError", "Edition", "Receipt", "compare", "hashes",
    "mismatch", "recognise", "require_space", "sha256", "stamps", "tracked", "writing",
]  # fmt: skip

FAILED, BAD_INPUT, MISMATCH = 1, 2, 3
"""Exit codes of the command line: it failed, its input is bad, what it read is not as recorded."""
IMAGES, TABLE, RECEIPT = "images", "dataset.csv", "receipt.json"
"""The three names of a data folder; an image is named ``images/<file>`` in a receipt."""

_TABLE_SHA256 = "7c15bcff313c827d403fedebb19a10569527c0aef6fdd6a4d1e41e37c380c20f"
_SHOWN = 3


class ArchiveError(RuntimeError):
    """The data set could not be fetched, unpacked or verified; the message says what to do.

    Attributes:
        exit_code: What the command line should exit with: ``FAILED``, ``BAD_INPUT`` or
            ``MISMATCH``.
        files: Every file the message is about; the message itself names a few.
    """

    def __init__(self, message: str, *, exit_code: int = FAILED, files: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.files = tuple(files)


def require_space(folder: Path, needed: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Args:
        folder: An existing folder of the disk to be written to.
        needed: Size of what is about to be written, in bytes.

    Raises:
        ArchiveError: If fewer bytes are free.
    """
    if shutil.disk_usage(folder).free < needed:
        raise _full(folder, needed)


@contextmanager
def writing(folder: Path, needed: int | None = None) -> Iterator[None]:
    """Translate the errors of the file system met while writing into ``folder``.

    Args:
        folder: What is written to, for the message.
        needed: Size of what is being written, in bytes, where it is known.

    Raises:
        ArchiveError: Instead of any ``OSError`` of the block.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder, needed) from error
        forbidden = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        raise ArchiveError(
            f"expected to write into {folder}, found "
            f"{'it read-only for this user' if forbidden else 'that the system refused'} "
            f"({error.strerror or error}); change its permissions or choose another folder"
        ) from error


def _full(folder: Path, needed: int | None) -> ArchiveError:
    wanted = "enough free space" if needed is None else f"{needed:,} free bytes"
    return ArchiveError(
        f"expected {wanted} on the disk of {folder}, found {shutil.disk_usage(folder).free:,} free "
        "bytes; make room and run the command again"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Edition:
    """What one edition of the data set is made of.

    Attributes:
        manifest: CSV with at least the columns ``image`` (file name) and ``sha256``.
        table_sha256: Hash of the product table, the same in both published editions.
    """

    manifest: Path
    table_sha256: str = _TABLE_SHA256

    def expected(self) -> dict[str, str]:
        """Return the SHA-256 of every file, by its name in the data folder.

        Raises:
            ArchiveError: If the manifest is absent or lacks a column.
        """
        with self._reading(), self.manifest.open(newline="", encoding="utf-8") as lines:
            images = {
                f"{IMAGES}/{normalize('NFC', row['image'])}": row["sha256"].lower()
                for row in csv.DictReader(lines)
            }
        return {TABLE: self.table_sha256, **images}

    def digest(self) -> str:
        """Return the SHA-256 of the manifest itself.

        Raises:
            ArchiveError: If the manifest is absent.
        """
        with self._reading():
            return sha256(self.manifest)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ArchiveError(
                f"expected a manifest with columns image and sha256 at {self.manifest.name}, "
                f"found none ({type(error).__name__}: {error}); restore the tracked file with git",
                exit_code=BAD_INPUT,
            ) from error


def tracked() -> dict[str, Edition]:
    """Return the two published editions by name, read from the manifests tracked by git."""
    return {
        "originals": Edition(manifest=paths.data() / "manifest.csv"),
        "reduced-320": Edition(manifest=paths.data() / "manifest-320.csv"),
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Receipt:
    """Proof that a folder was verified file by file, cheap to check again.

    Attributes:
        edition: Name of the edition, recognised by hash.
        manifest_sha256: Hash of the manifest it was verified against.
        source: Address, or file name without folder, of the archive it came from.
        archive_sha256: Hash of that archive; empty where there was none.
        files: Size in bytes and modification date in nanoseconds, by name in the folder.
    """

    edition: str
    manifest_sha256: str
    source: str
    archive_sha256: str = ""
    files: Mapping[str, tuple[int, int]]

    @classmethod
    def read(cls, folder: Path) -> "Receipt | None":
        """Read the receipt of a data folder, ``None`` where there is none.

        Raises:
            ArchiveError: If there is one that cannot be understood.
        """
        path = folder / RECEIPT
        if not path.is_file():
            return None
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            files = {name: (int(size), int(date)) for name, (size, date) in fields["files"].items()}
            names = {field.name for field in dataclasses.fields(cls)} & fields.keys()
            return cls(**{**{name: fields[name] for name in names}, "files": files})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ArchiveError(
                f"expected a receipt in {path}, found something else ({error}); fetch again",
                exit_code=MISMATCH,
                files=[RECEIPT],
            ) from error

    def write(self, folder: Path) -> None:
        """Write the receipt at once: a reader sees the old one or the new one."""
        draft = folder / f".{RECEIPT}"
        draft.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n", encoding="utf-8")
        draft.replace(folder / RECEIPT)

    def changed(self, folder: Path) -> dict[str, str]:
        """Return what became of the files whose size or date is not the recorded one."""
        present, reasons = stamps(folder, self.files), {}
        for name, recorded in self.files.items():
            if name not in present:
                reasons[name] = "missing"
            elif present[name][0] != recorded[0]:
                reasons[name] = f"{present[name][0]} bytes instead of {recorded[0]}"
            elif present[name] != recorded:
                reasons[name] = "another date"
        return reasons


def stamps(folder: Path, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return size in bytes and date in nanoseconds of those of ``names`` that a folder holds."""
    present = {}
    for name in names:
        try:
            stat = (folder / name).stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        present[name] = stat.st_size, stat.st_mtime_ns
    return present


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of those of ``names`` that the folder holds."""
    return {name: sha256(folder / name) for name in names if (folder / name).is_file()}


def recognise(digests: Mapping[str, str], editions: Mapping[str, Edition]) -> str:
    """Name the edition that a tree is, file by file.

    Args:
        digests: SHA-256 of every file of the tree, by name in the data folder.
        editions: Candidates by name.

    Returns:
        The name of the one edition whose every hash is there, with nothing more.

    Raises:
        ArchiveError: If no edition is; the message compares with the nearest one.
    """
    known = {name: edition.expected() for name, edition in editions.items()}
    nearest = max(known, key=lambda name: len(digests.items() & known[name].items()))
    compare(digests, known[nearest], nearest)
    return nearest


def compare(digests: Mapping[str, str], expected: Mapping[str, str], edition: str) -> None:
    """Check the hashes of a tree against those of one edition.

    Raises:
        ArchiveError: If a file is missing, unexpected or different; all are in ``files``, the
            message gives the first ones, with both digests.
    """
    wrong = {}
    for name in sorted({*digests, *expected}):
        if name not in digests:
            wrong[name] = "missing"
        elif name not in expected:
            wrong[name] = "not in the manifest"
        elif digests[name] != expected[name]:
            wrong[name] = f"SHA-256 {digests[name]} instead of {expected[name]}"
    if wrong:
        raise mismatch(
            wrong, f"the {len(expected)} files of edition {edition!r}", "fetch the data set again"
        )


def mismatch(wrong: Mapping[str, str], expected: str, remedy: str) -> ArchiveError:
    """Return the error that lists files which are not as expected.

    Args:
        wrong: What is wrong, by file name.
        expected: What was expected, for the message.
        remedy: What to do, for the message.
    """
    shown = [f"{name} ({reason})" for name, reason in list(wrong.items())[:_SHOWN]]
    more = [f"{len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    return ArchiveError(
        f"expected {expected}, found {len(wrong)} not as recorded: {', '.join(shown + more)}; "
        f"{remedy}",
        exit_code=MISMATCH,
        files=wrong,
    )

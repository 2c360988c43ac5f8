"""What may go wrong between an address and a verified tree, said in one sentence each."""

import errno
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["BAD_INPUT", "FAILED", "MISMATCH", "ArchiveError", "require_space", "writing"]

FAILED, BAD_INPUT, MISMATCH = 1, 2, 3
"""Exit codes of the command line: it failed, its input is bad, what it read is not as recorded."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


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
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ArchiveError(_full(folder, needed, free))


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
        if error.errno in _FULL:
            message = _full(folder, needed, shutil.disk_usage(folder).free)
        elif error.errno in _FORBIDDEN:
            message = (
                f"expected to write into {folder}, found it read-only for this user "
                f"({error.strerror}); change its permissions or choose another folder"
            )
        else:
            message = (
                f"expected to write into {folder}, the system refused ({error.strerror or error}); "
                "check the folder and run the command again"
            )
        raise ArchiveError(message) from error


def _full(folder: Path, needed: int | None, free: int) -> str:
    wanted = "enough free space" if needed is None else f"{needed:,} free bytes"
    return (
        f"expected {wanted} on the disk of {folder}, found {free:,} free bytes; "
        "make room and run the command again"
    )

"""Download an archive, resuming an interrupted transfer only if the file is still the same.

What has arrived lies in ``archive.part``, beside a small file saying of which version of which
address. A later attempt asks for the rest only if that version is still the one served (``Range``
with ``If-Range``, RFC 9110 sections 13.1.5 and 14.2), and checks in the answer that it is.
"""

import json
import re
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import DownloadColumn, Progress, TransferSpeedColumn
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from vitrine.data.archive.receipt import BAD_INPUT, ArchiveError, require_space, writing

__all__ = ["discard", "download"]

PART, VERSION = "archive.part", "archive.part.json"
MAX_BYTES = 512 * 2**20
ATTEMPTS = 4
WAIT = wait_exponential_jitter(initial=1, max=30)
"""Seconds between two attempts: about 1, 2, 4, and a random part."""
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_PASSING = {408, 429, 500, 502, 503, 504}
"""HTTP statuses of a trouble that may pass: time-outs, too many requests, a server at fault."""


class _Interrupted(Exception):
    """The attempt failed in a way that another one may not."""


@dataclass(frozen=True, kw_only=True)
class _Version:
    """What identifies the file being downloaded.

    Attributes:
        address: Where it is asked for.
        etag: Strong entity tag, or empty: a weak one does not promise equal bytes.
        last_modified: Date the server gives, or empty.
        total: Size of the whole file in bytes, ``None`` while unknown.
    """

    address: str
    etag: str
    last_modified: str
    total: int | None

    @classmethod
    def of(cls, address: str, response: httpx.Response, total: int | None) -> "_Version":
        etag = response.headers.get("etag", "")
        last_modified = response.headers.get("last-modified", "")
        etag = "" if etag.startswith("W/") else etag
        return cls(address=address, etag=etag, last_modified=last_modified, total=total)

    @classmethod
    def read(cls, folder: Path, address: str) -> "_Version | None":
        try:
            version = cls(**json.loads((folder / VERSION).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return version if version.address == address else None

    def write(self, folder: Path) -> None:
        (folder / VERSION).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @property
    def validator(self) -> str:
        return self.etag or self.last_modified


def discard(folder: Path) -> None:
    """Forget a download, whole or not."""
    (folder / VERSION).unlink(missing_ok=True)  # first: a part without version is never resumed
    (folder / PART).unlink(missing_ok=True)


def download(address: str, folder: Path) -> Path:
    """Bring the file at ``address`` into ``folder``, going on from what an earlier run left.

    A failed attempt is retried with growing pauses. What arrived stays for the next run, except
    where the disk is full: there it makes room.

    Args:
        address: An ``http`` or ``https`` address.
        folder: An existing folder, locked by the caller.

    Returns:
        The complete file; its content is not verified.

    Raises:
        ArchiveError: If the server refuses, stays unreachable or answers with a page, if the
            file is larger than any edition, or if the disk is full.
    """
    retrying = Retrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_attempt(ATTEMPTS),
        wait=WAIT,
        reraise=True,
    )
    try:
        with httpx.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
            retrying(_attempt, client, address, folder)
    except httpx.UnsupportedProtocol as error:
        raise ArchiveError(
            f"expected the archive from an http or https address, {httpx.URL(address).host} sends "
            "to another kind; check the address in a browser, or give a local archive"
        ) from error
    except (_Interrupted, httpx.HTTPError) as error:
        raise ArchiveError(
            f"expected the archive from {httpx.URL(address).host}, {ATTEMPTS} attempts failed "
            f"({error or type(error).__name__}); check the connection and run the command again, "
            f"the {_size(folder):,} bytes already here are kept"
        ) from error
    return folder / PART


def _may_pass(error: BaseException) -> bool:
    passing = isinstance(error, (_Interrupted, httpx.TransportError))
    return passing and not isinstance(error, httpx.UnsupportedProtocol)


def _attempt(client: httpx.Client, address: str, folder: Path) -> None:
    version, have = _Version.read(folder, address), _size(folder)
    if version and version.total == have:
        return
    if version is None or not version.validator:
        have = 0
    headers = {"Accept-Encoding": "identity"}
    if have and version:
        headers |= {"Range": f"bytes={have}-", "If-Range": version.validator}
    with client.stream("GET", address, headers=headers) as response:
        if not _continues(response, version, have):
            _expect_whole(response, folder, partial=bool(have))
            have = 0
        length = response.headers.get("content-length", "")
        total = have + int(length) if length.isdecimal() else None
        _refuse_large(total or 0)
        if total is not None:
            require_space(folder, total - have + total)  # the rest, then what it unpacks to
        with writing(folder):
            if not have or version is None:
                discard(folder)
                version = _Version.of(address, response, total)
                version.write(folder)
        _receive(response, folder, have, total)
    if total is not None and _size(folder) != total:
        raise _Interrupted(f"{_size(folder):,} of {total:,} bytes arrived")
    replace(version, total=_size(folder)).write(folder)


def _continues(response: httpx.Response, version: _Version | None, have: int) -> bool:
    """Tell whether the answer is the rest of the very file that lies in the part."""
    if not (have and version and response.status_code == httpx.codes.PARTIAL_CONTENT):
        return False
    span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("content-range", ""))
    if not span or int(span[1]) != have:
        return False
    served = _Version.of(version.address, response, int(span[2]))
    return served.validator == version.validator and version.total in (None, served.total)


def _expect_whole(response: httpx.Response, folder: Path, *, partial: bool) -> None:
    """Accept an answer that brings the whole file, whatever had been asked for."""
    status = response.status_code
    resumed = {httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE}
    if partial and status in resumed:
        discard(folder)
        raise _Interrupted("the file changed on the server")
    if status in _PASSING:
        raise _Interrupted(f"HTTP status {status}")
    page = "html" in response.headers.get("content-type", "").lower()
    if status != httpx.codes.OK or page:
        answer = f"HTTP status {status}" + (" and an HTML page" if page else "")
        raise ArchiveError(
            f"expected a ZIP archive from {response.url.host}, found an unreadable one: {answer}; "
            "check the address in a browser, or give a local archive"
        )


def _receive(response: httpx.Response, folder: Path, have: int, total: int | None) -> None:
    """Append the body of an answer to the part, within what the disk and ``MAX_BYTES`` allow."""
    columns = (*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    try:
        with (
            Progress(
                *columns, console=console, transient=True, disable=not sys.stderr.isatty()
            ) as bar,
            writing(folder, None if total is None else 2 * total - have),
            (folder / PART).open("ab" if have else "wb") as part,
        ):
            task = bar.add_task("archive", total=total, completed=have)
            for chunk in response.iter_raw():  # unbuffered: a cut loses nothing
                have += len(chunk)
                _refuse_large(have)
                part.write(chunk)
                bar.update(task, completed=have)
    except ArchiveError:
        discard(folder)
        raise


def _size(folder: Path) -> int:
    part = folder / PART
    return part.stat().st_size if part.is_file() else 0


def _refuse_large(size: int) -> None:
    if size > MAX_BYTES:
        raise ArchiveError(
            f"expected an archive of at most {MAX_BYTES:,} bytes, found {size:,} or more; check "
            "the address",
            exit_code=BAD_INPUT,
        )

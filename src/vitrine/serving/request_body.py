"""Read request bodies in memory, with limits of size, of time, and of memory for all of them.

FastAPI bounds neither the size nor the duration of a body, and Starlette writes files to the disk.
Here a body is refused on its announced length before a byte of it is read, and cut while it comes
where it lied; all bodies together have a budget, so that many clients cannot fill the memory.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from vitrine.serving.problems import ProblemError

__all__ = ["MOST_FILES", "BodyReader", "from_base64", "kind_of"]

ENVELOPE = 65_536
"""Bytes that a multipart form may add to the files it carries."""
MOST_FILES = 16
"""Images of one request."""
FIELDS = 4
PART_BYTES = 65_536


class _InMemory(MultiPartParser):
    """Starlette's parser, that keeps files in memory: the image has a read-only file system."""

    spool_max_size = 2**62

    def close(self) -> None:
        """Let go of every file, of a part that never ended too."""
        for file in self._files_to_close_on_error:
            file.close()


class BodyReader:
    """Read the bodies of requests, within limits of size, of time and of memory for all.

    Args:
        budget: Most bytes of bodies being received, all together.
        timeout: Seconds that a client has to send one.
    """

    def __init__(self, budget: int, timeout: float) -> None:
        self.budget, self.timeout = budget, timeout
        self._held, self._stopped = 0, False
        self._reading: set[asyncio.Timeout] = set()

    def stop(self) -> None:
        """Give up every body that is still coming, and those that would come."""
        self._stopped = True
        for timeout in self._reading:
            if not timeout.expired():  # one that ends by itself, and that cannot be moved
                timeout.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Give what is read so many seconds, and none once ``stop`` is called.

        Raises:
            TimeoutError: If it is not read by then.
        """
        async with asyncio.timeout(0 if self._stopped else seconds) as timeout:
            self._reading.add(timeout)
            try:
                yield
            finally:
                self._reading.discard(timeout)

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        try:
            async with self.within(self.timeout):
                yield
        except TimeoutError as error:
            raise ProblemError("arret" if self._stopped else "delai_depasse") from error

    @asynccontextmanager
    async def body(self, request: Request, limit: int) -> AsyncIterator[bytes]:
        """Receive a whole body, and hold its share of the budget while it is used.

        Raises:
            ProblemError: If it is larger than ``limit`` or does not come in time.
        """
        with self._share() as share:
            async with self._deadline():
                body = b"".join([chunk async for chunk in share.counted(request, limit)])
            yield body

    @asynccontextmanager
    async def files(
        self, request: Request, field: str, *, most: int, limit: int
    ) -> AsyncIterator[list[bytes]]:
        """Receive the files of a multipart form, in the order sent, as ``body`` does.

        Where one file is wanted, the whole body may be it: its type is then ``image/*``.

        Args:
            request: The request, whose body nothing has read.
            field: Name of the form's field; files under other names are not looked at.
            most: Most files that the form may have.
            limit: Most bytes of all the files.

        Raises:
            ProblemError: If the form is malformed, has too many parts, is too large, comes too
                slowly, or has no file under that name.
        """
        kind = kind_of(request)
        if most == 1 and kind.startswith("image/"):
            async with self.body(request, limit) as image:
                yield [image]
            return
        wanted = ProblemError("requete_invalide", "champ" if most == 1 else "champs", field=field)
        if kind != "multipart/form-data":
            raise wanted
        with self._share() as share:
            async with self._deadline():
                contents = await _parse(
                    request, share.counted(request, limit + ENVELOPE), field, most
                )
            if not contents:
                raise wanted
            if sum(map(len, contents)) > limit:
                raise ProblemError("fichier_trop_volumineux")
            yield contents

    @contextmanager
    def _share(self) -> Iterator["_Share"]:
        share = _Share(self)
        try:
            yield share
        finally:
            self._held -= share.bytes

    def take(self, count: int) -> None:
        """Add bytes to those held, or refuse them.

        Raises:
            ProblemError: ``surcharge`` where the budget is spent.
        """
        if self._held + count > self.budget:
            raise ProblemError("surcharge")
        self._held += count


class _Share:
    """What one request holds of the budget."""

    def __init__(self, reader: BodyReader) -> None:
        self.bytes, self._reader = 0, reader

    async def counted(self, request: Request, limit: int) -> AsyncGenerator[bytes, None]:
        if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise ProblemError("format_non_pris_en_charge", "compresse")
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise ProblemError("fichier_trop_volumineux")
        try:
            async for chunk in request.stream():
                if self.bytes + len(chunk) > limit:
                    raise ProblemError("fichier_trop_volumineux")
                self._reader.take(len(chunk))
                self.bytes += len(chunk)
                yield chunk
        except ClientDisconnect as error:
            raise ProblemError("requete_invalide", "interrompue", status=400) from error


async def _parse(
    request: Request, stream: AsyncGenerator[bytes, None], field: str, most: int
) -> list[bytes]:
    limits = {"max_files": most, "max_fields": FIELDS, "max_part_size": PART_BYTES}
    parser = _InMemory(request.headers, stream, **limits)
    try:
        form = await parser.parse()
        return [await file.read() for file in form.getlist(field) if isinstance(file, UploadFile)]
    except (MultiPartException, ValueError) as error:  # the latter, for a charset without a use
        raise ProblemError("requete_invalide", "formulaire", status=400) from error
    finally:
        parser.close()
        await stream.aclose()


def kind_of(request: Request) -> str:
    """Return the type that the body of a request is said to be of, without its parameters."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def from_base64(text: str) -> bytes:
    """Return the image that a text holds in base64, after ``data:image/…;base64,`` or not.

    Raises:
        ValueError: If the text is something else.
    """
    if text.startswith("data:"):
        text = text.partition(",")[2]
    return base64.b64decode("".join(text.split()), validate=True)

"""Where an archive comes from: a web address, or a file of this machine."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from vitrine.data.archive.errors import BAD_INPUT, ArchiveError

__all__ = ["label", "parse"]


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
            exit_code=BAD_INPUT,
        )
    if not Path(source).exists():
        raise ArchiveError(
            f"expected an archive at {source}, found no such file; check the path",
            exit_code=BAD_INPUT,
        )
    return Path(source)


def label(origin: str | Path) -> str:
    """Name a source without what a receipt must not tell: a folder, a password, a signature."""
    if isinstance(origin, Path):
        return origin.name
    parts = urlsplit(origin)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return web and address.isprintable()

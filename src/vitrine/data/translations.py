"""Gettext catalogues of the report on a user's own photos: ``locale/<language>.po``.

They are compiled in memory by Babel, so that no file that is made from another is kept.
"""

from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

__all__ = ["catalogue", "said"]

FOLDER = Path(__file__).with_name("locale")


@cache
def catalogue(language: str) -> Catalog:
    """Return every message of a language, with its plural forms, as its file has them."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def _translations(language: str) -> GNUTranslations:
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def said(language: str, key: str, count: int | None = None, **told: str) -> str:
    """Return a message in a language, its braces filled in.

    Args:
        language: One of ``dataset.LANGUAGES``.
        key: Of the message, as the catalogues have it.
        count: What the plural follows, for a message that has one: ``{count}`` in it.
        told: What stands for each other brace.
    """
    words = _translations(language)
    text = words.gettext(key) if count is None else words.ngettext(key, key, count)
    return text.format(count=count, **told)

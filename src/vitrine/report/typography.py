"""French as it is printed: the spaces that no line may break at."""

import re

__all__ = ["space", "space_markup"]

_THIN, _WIDE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
_UNITS = r"(?:px|ms|s|min|h|ko|Mo|Go|M|points?|images?|époques?|catégories)\b"
_SPACES = (
    (re.compile(r"[ \u00a0](?=[;!?%])"), _THIN),
    (re.compile(r" (?=[:»])|(?<=«) "), _WIDE),
    (re.compile(rf"(?<=\d) (?={_UNITS})"), _WIDE),
    (re.compile(r"(?<=\d) (?=\d{3}\b)"), _THIN),
)


def space(text: str) -> str:
    """Replace the spaces of a French text that no line may break at."""
    for pattern, space in _SPACES:
        text = pattern.sub(space, text)
    return text


_PIECES = re.compile(
    r"(?P<kept><(?P<tag>script|style|pre|code|kbd)\b.*?</(?P=tag)>|<[^>]*>)|[^<]+", re.DOTALL
)


def space_markup(text: str) -> str:
    """Replace the spaces of the French in HTML: tags, code and scripts are left alone."""
    return _PIECES.sub(lambda piece: piece[0] if piece["kept"] else space(piece[0]), text)

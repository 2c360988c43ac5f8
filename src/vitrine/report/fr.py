"""French as it is printed: decimal comma, thousands, percentages, intervals, no-break spaces.

Every number and every space of a page, a figure, a table or the service is written here.
"""

import re

__all__ = [
    "MINUS", "NO_BREAK", "THIN", "bracket", "number", "percent", "scientific", "significant",
    "space", "space_markup", "spelled",
]  # fmt: skip

THIN, NO_BREAK = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"

_UNITS = r"(?:px|ms|s|min|h|ko|Mo|Go|M|points?|images?|époques?|catégories)\b"
_SPACES = (
    (re.compile(r"[ \u00a0](?=[;!?%])"), THIN),
    (re.compile(r" (?=[:»])|(?<=«) "), NO_BREAK),
    (re.compile(rf"(?<=\d) (?={_UNITS})"), NO_BREAK),
    (re.compile(r"(?<=\d) (?=\d{3}\b)"), THIN),
)
_PIECES = re.compile(
    r"(?P<kept><(?P<tag>script|style|pre|code|kbd)\b.*?</(?P=tag)>|<[^>]*>)|[^<]+", re.DOTALL
)
_WORDS = (
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze",
    "douze",
)  # fmt: skip
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | int, decimals: int = 0, *, sign: bool = False) -> str:
    """Write a number: decimal comma, thousands set apart, a true minus.

    Args:
        value: The number.
        decimals: Digits after the comma.
        sign: Whether to write the plus of a positive number.
    """
    text = f"{abs(value):,.{decimals}f}".replace(",", THIN).replace(".", ",")
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def significant(value: float | int, digits: int = 3) -> str:
    """Write a number with so many significant digits, and no zero after them."""
    return f"{value:.{digits}g}".replace(".", ",")


def scientific(value: float) -> str:
    """Write a small number with two digits and a power of ten, such as ``2,1 × 10⁻⁵``."""
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    raised = str(int(exponent)).translate(_RAISED)
    return f"{mantissa.replace('.', ',')}{NO_BREAK}×{NO_BREAK}10{raised}"


def spelled(count: int) -> str:
    """Write a count in letters up to twelve, in digits beyond."""
    return _WORDS[count] if 0 <= count < len(_WORDS) else number(count)


def percent(share: float | int, decimals: int = 1) -> str:
    """Write a share between 0 and 1 as a percentage."""
    return f"{number(100 * share, decimals)}{THIN}%"


def bracket(low: str, high: str) -> str:
    """Write the ends of an interval, such as ``[71,9 ; 84,6]``."""
    return f"[{low}{NO_BREAK};{NO_BREAK}{high}]"


def space(text: str) -> str:
    """Make the spaces of a French text that no line may break at narrow or no-break ones."""
    for pattern, replacement in _SPACES:
        text = pattern.sub(replacement, text)
    return text


def space_markup(text: str) -> str:
    """Do as ``space`` for the French in HTML: tags, code and scripts are left alone."""
    return _PIECES.sub(lambda piece: piece[0] if piece["kept"] else space(piece[0]), text)

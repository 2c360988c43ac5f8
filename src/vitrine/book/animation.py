"""Draw, as an animated SVG, a scan beside attention in one window of tokens.

The drawing is complete when nothing moves: on paper, where motion is unwelcome, or once the reader
has stopped it. Colours are those of the page, in light and in dark.
"""

from html import escape

from jinja2 import Environment, PackageLoader, StrictUndefined

from vitrine.report.palette import DARK, LIGHT

__all__ = ["SIDE", "scan_beside_attention"]

SIDE = 4
"""Tokens on a side of the window."""
_CELL, _STEP, _LEFT, _TOP = 48, 56, 16, 40
_WIDTH, _HEIGHT = 264, 344
_SECONDS = 0.6
"""How long a token is read."""
_FADES = 0.78
"""What the trace of a token keeps at each token read after it."""
_FAINTEST = 0.04


def scan_beside_attention(alt: str) -> str:
    """Return the drawing as HTML: a box that stops it, then a panel for the scan and for attention.

    Args:
        alt: What it shows, for who does not see it.
    """
    tokens = SIDE * SIDE
    corners = [(_LEFT + k % SIDE * _STEP, _TOP + k // SIDE * _STEP) for k in range(tokens)]
    middles = [(x + _CELL // 2, y + _CELL // 2) for x, y in corners]
    environment = Environment(
        loader=PackageLoader("vitrine.book", "pages"), undefined=StrictUndefined
    )
    return environment.get_template("scan.html").render(
        alt=escape(alt),
        tokens=tokens,
        corners=corners,
        middles=middles,
        traces=[_trace(k) for k in range(tokens)],
        route=" ".join(_row(*middles[k], middles[k + SIDE - 1][0]) for k in range(0, tokens, SIDE)),
        memory=_TOP + SIDE * _STEP + 14,
        wide=SIDE * _STEP - (_STEP - _CELL),
        side=_CELL,
        left=_LEFT,
        width=_WIDTH,
        height=_HEIGHT,
        themes=(("html", LIGHT), ('html[data-theme="dark"]', DARK)),
        seconds=_SECONDS,
        cycle=f"{tokens * _SECONDS:g}",
        share=f"{100 / tokens:g}",
    )


def _trace(k: int) -> list[tuple[int, str]]:
    """Return what the state still holds of each token once token ``k`` is read."""
    left = [(j, f"{_FADES ** (k - j):.2g}") for j in range(k + 1)]
    return [(j, kept) for j, kept in left if float(kept) > _FAINTEST]


def _row(x: int, y: int, end: int) -> str:
    """Return the path of an arrow along a row of tokens."""
    tip = end + _CELL // 2 + 4
    return f"M{x} {y}H{tip}M{tip - 5} {y - 5}L{tip} {y}L{tip - 5} {y + 5}"

"""Draw, as an animated SVG, a scan beside attention in one window of tokens.

The drawing is complete when nothing moves: on paper, where motion is unwelcome, or once the reader
has stopped it. Colours are those of the page, in light and in dark.
"""

from collections.abc import Iterable, Iterator
from html import escape

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
_NAME = "vitrine-anime"
_MEMORY = _TOP + SIDE * _STEP + 14


def scan_beside_attention(alt: str) -> str:
    """Return the drawing as HTML: a box that stops it, then a panel for the scan and for attention.

    Args:
        alt: What it shows, for who does not see it.
    """
    tokens = SIDE * SIDE
    panels = [
        _panel("Balayage", _route() + _memory(), map(_scanned, range(tokens)),
               f"{tokens} jetons : {tokens} mises à jour de l’état"),
        _panel("Attention", _seen(), map(_attended, range(tokens)),
               f"{tokens} jetons : {tokens * tokens} comparaisons"),
    ]  # fmt: skip
    return (
        f'<div class="{_NAME}"><style>{_style(tokens)}</style>'
        '<label><input type="checkbox" checked> Animer</label>'
        f'<div class="volets" role="img" aria-label="{escape(alt)}">{"".join(panels)}</div></div>'
    )


def _style(tokens: int) -> str:
    """Return the rules of the drawing; only a screen that welcomes motion has the moving ones."""
    cycle = tokens * _SECONDS
    colours = [
        f"{theme} .{_NAME} {{ --balaye: {page['serie-2']}; --attentif: {page['serie-1']};"
        f" --trait: {page['bord']}; --mot: {page['encre']}; }}"
        for theme, page in (("html", LIGHT), ('html[data-theme="dark"]', DARK))
    ]
    return " ".join(
        [
            *colours,
            f".{_NAME} .volets {{ display: flex; flex-wrap: wrap; gap: 1rem; }}",
            f".{_NAME} svg {{ flex: 1 1 {_WIDTH}px; max-width: 24rem; height: auto; }}",
            f".{_NAME} text {{ fill: var(--mot); font: 14px var(--vitrine-ui); }}",
            f".{_NAME} .grille, .{_NAME} .route {{ fill: none; stroke: var(--trait); }}",
            f".{_NAME} .pas {{ opacity: 0; }} .{_NAME} .pas.entier {{ opacity: 1; }}",
            f".{_NAME} .passe {{ fill: var(--balaye); }} .{_NAME} .vu {{ fill: var(--attentif); }}",
            f".{_NAME} .lit {{ fill: none; stroke: var(--mot); stroke-width: 3; }}",
            f".{_NAME} .va {{ fill: none; stroke: var(--balaye); stroke-width: 2; }}",
            f".{_NAME} .tous {{ fill: none; stroke: var(--attentif); stroke-width: 1.5; }}",
            f".{_NAME} label {{ display: none; }}",
            "@media screen and (prefers-reduced-motion: no-preference) {"
            f" .{_NAME} label {{ display: inline-block; }}"
            f" .{_NAME}:has(input:checked) .pas {{ animation: {_NAME} {cycle:g}s steps(1) infinite;"
            f" animation-delay: calc(var(--k) * {_SECONDS}s - {cycle:g}s); }} }}",
            f"@keyframes {_NAME} {{ 0% {{ opacity: 1; }}"
            f" {100 / tokens:g}%, 100% {{ opacity: 0; }} }}",
        ]
    )


def _panel(title: str, ground: str, steps: Iterable[str], count: str) -> str:
    drawn = [
        f'<g class="pas{" entier" if k == SIDE * SIDE - 1 else ""}" style="--k:{k}">{step}</g>'
        for k, step in enumerate(steps)
    ]
    cells = "".join(_cell(k) for k in range(SIDE * SIDE))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">'
        f'<text x="{_LEFT}" y="24" font-weight="bold">{title}</text>'
        f'{ground}<g class="grille">{cells}</g>{"".join(drawn)}'
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}">{count}</text></svg>'
    )


def _scanned(k: int) -> str:
    """Return the state of a scan that has read token ``k``: what is left of those before."""
    left = [(j, f"{_FADES ** (k - j):.2g}") for j in range(k + 1)]
    cells = "".join(_cell(j, f' opacity="{kept}"') for j, kept in left if float(kept) > _FAINTEST)
    x, y = _middle(k)
    move = f'<path class="va" d="M{x} {y}V{_MEMORY}"/>'
    return f'<g class="passe">{cells}</g>{_lit(k)}{move}'


def _attended(k: int) -> str:
    """Return what attention compares to token ``k``: every token, itself included."""
    x, y = _middle(k)
    ends = [_middle(j) for j in range(SIDE * SIDE)]
    lines = "".join(f"M{x} {y}L{to} {down}" for to, down in ends)
    return f'{_lit(k)}<path class="tous" d="{lines}"/>'


def _seen() -> str:
    return f'<g class="vu" opacity="0.3">{"".join(_cell(j) for j in range(SIDE * SIDE))}</g>'


def _lit(k: int) -> str:
    return _cell(k, ' class="lit"')


def _cell(k: int, look: str = "") -> str:
    x, y = _corner(k)
    return f'<path d="M{x} {y}h{_CELL}v{_CELL}h-{_CELL}z"{look}/>'


def _corner(k: int) -> tuple[int, int]:
    row, column = divmod(k, SIDE)
    return _LEFT + column * _STEP, _TOP + row * _STEP


def _middle(k: int) -> tuple[int, int]:
    x, y = _corner(k)
    return x + _CELL // 2, y + _CELL // 2


def _route() -> str:
    """Return the order of reading: row by row, from left to right."""
    return f'<path class="route" d="{" ".join(_rows())}"/>'


def _rows() -> Iterator[str]:
    for row in range(SIDE):
        (x, y), (end, _) = _middle(row * SIDE), _middle(row * SIDE + SIDE - 1)
        tip = end + _CELL // 2 + 4
        yield f"M{x} {y}H{tip}M{tip - 5} {y - 5}L{tip} {y}L{tip - 5} {y + 5}"


def _memory() -> str:
    width = SIDE * _STEP - (_STEP - _CELL)
    box = f'<rect x="{_LEFT}" y="{_MEMORY}" width="{width}" height="28" rx="6"/>'
    said = f'<text x="{_LEFT + 10}" y="{_MEMORY + 19}">état, de taille fixe</text>'
    return f'<g class="grille">{box}</g>{said}'

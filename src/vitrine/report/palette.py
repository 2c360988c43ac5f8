"""Every colour of the project, by name: figures, book, slides and interface read it here.

The colours of series are those of Okabe and Ito, "Color Universal Design",
https://jfly.uni-koeln.de/color/, which a colour-blind reader tells apart, without their yellow, too
pale for a line on white. ``PAGE`` names the colours of pages as style sheets do (``--encre``), in
light then in dark; ``book/_static/vitrine.css``, a static file, repeats those that it uses, and a
test holds it to them.
"""

__all__ = [
    "BLUE", "CLASSES", "DARK", "DIVERGING", "DIVERGING_OVER", "FAINT", "GREEN", "GREY", "INK",
    "INTENSITY", "LIGHT", "MUTED", "ON_PALE", "ORANGE", "PAGE", "PALE", "PURPLE", "SEQUENTIAL",
    "SEQUENTIAL_OVER", "SKY", "VERMILION", "WHITE", "declarations",
]  # fmt: skip

ORANGE, SKY, GREEN, BLUE = "#e69f00", "#56b4e9", "#009e73", "#0072b2"
VERMILION, PURPLE, GREY = "#d55e00", "#cc79a7", "#6b7478"
WHITE = "#ffffff"
CLASSES = (PURPLE, VERMILION, BLUE, GREEN, ORANGE, SKY, GREY)
"""Of the categories, in their order."""

PAGE = {
    "fond": ("#fffefb", "#14181b"),
    "fond-page": ("#fffefb", "#191e22"),
    "fond-surface": ("#f5f6f4", "#1d2227"),
    "fond-carte": (WHITE, "#1a1f23"),
    "fond-doux": ("#f3f5f2", "#22292e"),
    "encre": ("#1d2327", "#e4e7e4"),
    "encre-titre": ("#1d2327", "#f2f4f2"),
    "encre-douce": ("#59636a", "#a3adb3"),
    "trait": ("#dcdfda", "#384048"),
    "bord": ("#8a9398", "#6b757d"),
    "bord-fort": ("#6b757d", "#8a9398"),
    "accent": ("#0a5a78", "#7cc5e3"),
    "accent-doux": ("#e3eff3", "#1d3540"),
    "accent-survol": ("#08465e", "#a3d6ec"),
    "accent-doux-survol": ("#d0e4eb", "#28495a"),
    "accent-coche": ("#0a5a78", "#0a7ba5"),
    "sur-accent": (WHITE, "#10191e"),
    "sur-accent-doux": ("#0a4a63", "#cfe8f3"),
    "second": ("#8a4b08", "#e6b673"),
    "cible": ("#fdf0c4", "#3d3618"),
    "juste": ("#1b6b3a", "#7fd19b"),
    "faux": ("#9b2c12", "#f2a48f"),
    "doute": ("#7a4a00", "#f0c674"),
    "doute-doux": ("#fdf3d9", "#362c12"),
    "serie-1": (BLUE, "#6db8e8"),
    "serie-2": ("#b34700", "#ffa366"),
}
"""Colours of pages, in light and in dark."""
LIGHT = {name: light for name, (light, _) in PAGE.items()}
DARK = {name: dark for name, (_, dark) in PAGE.items()}

INK, MUTED = LIGHT["encre"], LIGHT["bord"]
"""Of a figure: the colour of text, and that of what must stay behind."""
FAINT = "rgba(107,116,120,0.13)"
"""``GREY``, seen through: a band behind a drawing."""
SEQUENTIAL = [[0, "#f2f5f4"], [0.5, "#6aa8c9"], [1, "#05466a"]]
"""From nothing to much, for plotly."""
INTENSITY = [[0, "#a9cbe0"], [0.5, "#9b86b8"], [1, "#c44e00"]]
"""From little to much, where empty cells show the ground: it stands out on white and on dark."""
PALE = [[0, "#f2f5f4"], [1, "#6aa8c9"]]
"""The same for cells that print their value: pale enough everywhere for dark ink."""
ON_PALE = "rgba(29,35,39,0.99)"
"""Ink on these cells. Seen through a little, so that a page that turns dark leaves it as it is."""
DIVERGING = [
    [0, "#8a3f00"], [0.25, "#d99a5b"], [0.5, "#f7f7f5"], [0.75, "#6aa8c9"], [1, "#05466a"],
]  # fmt: skip
"""From negative to positive around zero, for plotly."""
SEQUENTIAL_OVER = [[0, "rgba(5,70,106,0)"], [1, "rgba(5,70,106,0.9)"]]
DIVERGING_OVER = [
    [0, "rgba(176,80,0,0.9)"], [0.5, "rgba(140,140,140,0)"], [1, "rgba(5,70,106,0.9)"],
]  # fmt: skip
"""The same over a picture, which shows through what is near nothing."""


def declarations(colours: dict[str, str]) -> str:
    """Return colours as the custom properties of a CSS rule.

    Args:
        colours: ``LIGHT`` or ``DARK``.
    """
    return " ".join(f"--{name}: {value};" for name, value in colours.items())

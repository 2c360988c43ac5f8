"""One palette colours the figures, the book, the slides and the interface."""

import re
from pathlib import Path

import pytest

import vitrine
from vitrine.report import palette

SOURCE = Path(vitrine.__file__).parent
STYLE = SOURCE.parents[1] / "book" / "_static" / "vitrine.css"
COLOUR = re.compile(r"#[0-9a-f]{6}\b", re.IGNORECASE)


def test_no_source_but_the_palette_names_a_colour():
    files = [
        path
        for path in SOURCE.rglob("*")
        if path.suffix in {".py", ".css", ".html", ".js"} and path.name != "palette.py"
    ]

    named = {path.name for path in files if COLOUR.search(path.read_text(encoding="utf-8"))}

    assert len(files) > 200
    assert named == set()


@pytest.mark.parametrize(("theme", "colours"), [("light", palette.LIGHT), ("dark", palette.DARK)])
def test_the_style_of_the_book_uses_the_colours_of_the_palette(theme, colours):
    style = STYLE.read_text(encoding="utf-8")
    rule = re.search(rf'html\[data-theme="{theme}"\] \{{(.*?)\}}', style, re.DOTALL)[1]

    used = set(COLOUR.findall(rule))

    assert len(used) >= 8
    assert used <= set(colours.values()), "change book/_static/vitrine.css with report/palette.py"


def test_the_rules_of_the_book_name_no_colour_beside_its_two_themes():
    style = STYLE.read_text(encoding="utf-8")

    outside = re.sub(r'html\[data-theme="(light|dark)"\] \{.*?\}', "", style, flags=re.DOTALL)

    assert COLOUR.findall(outside) == []


def test_declarations_are_what_a_rule_of_a_style_sheet_holds():
    assert palette.declarations({"fond": "#fffefb", "encre": "#1d2327"}) == (
        "--fond: #fffefb; --encre: #1d2327;"
    )

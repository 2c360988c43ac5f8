"""Small drawings put a value where its axis says, and are the same twice."""

import re
import xml.etree.ElementTree as ET

import pytest

from vitrine.book.drawings import PRINT, SCREEN, Row, intervals

ROWS = [
    Row(label="Premier,\nsur deux lignes", points=((80.0, 70.0, 90.0),)),
    Row(label="Sans intervalle", points=((60.0, None, None),)),
]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(**options):
    given = {"axis": "Score", "palette": PRINT, "alt": "Deux points."} | options
    return ET.fromstring(intervals(ROWS, **given))


def place_of(svg, text):
    return next(float(t.get("x")) for t in svg.iter(f"{SVG}text") if t.text == text)


def test_a_point_stands_between_the_marks_of_its_value():
    svg = drawn()

    first, second = (float(c.get("cx")) for c in svg.iter(f"{SVG}circle"))
    low, high = (place_of(svg, f"{n}\N{NARROW NO-BREAK SPACE}%") for n in (60, 90))
    assert first == pytest.approx(low + (high - low) * 2 / 3, abs=0.1)
    assert second == pytest.approx(low, abs=0.1)
    width = float(svg.get("width"))
    assert all(0 < float(text.get("x")) < width for text in svg.iter(f"{SVG}text"))
    assert low > place_of(svg, "Sans intervalle")


def test_it_says_what_it_shows_and_an_interval_is_drawn_where_there_is_one():
    svg = drawn()

    bars = [p for p in svg.iter(f"{SVG}path") if "fill:none" in p.get("style")]
    assert svg.get("aria-label") == "Deux points."
    assert len(bars) == 1
    assert [t.text for t in svg.iter(f"{SVG}text")].count("Premier,") == 1


def test_zero_is_marked_and_signs_are_written():
    svg = drawn(zero=True, unit="", band=(-5.0, 5.0))

    texts = [t.text for t in svg.iter(f"{SVG}text")]
    assert "0" in texts and any(text.startswith("+") for text in texts)
    assert len(list(svg.iter(f"{SVG}rect"))) == 1


def test_the_same_numbers_give_the_same_bytes_and_a_page_keeps_its_colours():
    assert ET.tostring(drawn()) == ET.tostring(drawn())
    assert "var(--encre)" in ET.tostring(drawn(palette=SCREEN), encoding="unicode")
    assert not re.search(r"#[0-9a-f]{6}", ET.tostring(drawn(palette=SCREEN), encoding="unicode"))


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one line"):
        intervals([], axis="", palette=PRINT, alt="")

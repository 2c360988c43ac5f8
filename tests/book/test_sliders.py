"""Figures in a page: a slider that the keyboard reaches, panels stacked on a phone."""

import json
import shutil

import numpy as np
import plotly.graph_objects as go
import pytest

from vitrine import paths
from vitrine.book import gallery, plotly_renderer
from vitrine.report.figures import ssm, style

PAGE = """<!doctype html><html lang="fr" data-theme="light"><meta charset="utf-8">
<link rel="stylesheet" href="vitrine.css">
<figure>{figures}</figure>
<script src="plotly.min.js"></script><script src="figures.js"></script></html>"""
FIGURE = '<div class="{kind}"><div class="vitrine-plot"></div>{data}</div>'
DATA = '<script type="application/json">{}</script>'


@pytest.fixture
def written(tmp_path):
    """Write a page that holds some figures, and return its address."""

    def write(*figures):
        drawn = [
            FIGURE.format(kind=plotly_renderer.FIGURE_CLASS, data=DATA.format(figure.to_json()))
            for figure in figures
        ]
        for name in ("figures.js", "vitrine.css"):
            shutil.copy(paths.root() / "book" / "_static" / name, tmp_path)
        shutil.copy(gallery.plotly_script(), tmp_path)
        (tmp_path / "page.html").write_text(PAGE.format(figures="".join(drawn)), encoding="utf-8")
        return (tmp_path / "page.html").as_uri()

    return write


@pytest.fixture
def page(written):
    """Return the address of a page with a stepped figure and a plain one."""
    curve = np.linspace(0, 1, 9)
    steps = {size: (curve[:size], {"bloqueur": curve[:size]}) for size in (2, 5)}
    stepped = ssm.held(curve, curve, {str(k): v for k, v in steps.items()}, first="5")
    return written(stepped, style.dress(go.Figure(go.Scatter(x=[0, 1], y=[1, 2]))))


@pytest.fixture
def tab(browser):
    page = browser.new_page(viewport={"width": 390, "height": 700})
    yield page
    page.close()


SHOWN = """() => document.querySelector(".vitrine-plot").data
  .filter((trace) => trace.visible !== false).map((trace) => trace.name)"""


@pytest.mark.browser
def test_the_keyboard_steps_through_a_figure_and_the_step_outlives_a_new_theme(page, tab):
    tab.goto(page)
    tab.wait_for_selector(".main-svg")
    sliders = tab.query_selector_all("input[type=range]")
    before = tab.evaluate(SHOWN)

    sliders[0].focus()
    tab.keyboard.press("ArrowLeft")
    after = tab.evaluate(SHOWN)
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    tab.wait_for_timeout(200)

    assert len(sliders) == 1, "the plain figure has no slider"
    assert before == ["temps continu", "bloqueur, pas 5"]
    assert after == tab.evaluate(SHOWN) == ["temps continu", "bloqueur, pas 2"]
    assert sliders[0].get_attribute("aria-valuetext") == "2"
    assert tab.inner_text(".vitrine-curseur").split() == ["Pas", ":", "2"]
    assert tab.query_selector(".slider-container") is None
    assert json.loads(tab.evaluate("JSON.stringify(document.documentElement.scrollWidth)")) <= 390


PLACES = """() => ["heatmaplayer .hm image", "annotation-text", "cbcoloraxis"].map((part) =>
  [...document.querySelectorAll(`.${part}`)].map((shown) => shown.getBoundingClientRect())
    .map(({ left, right, top, bottom }) => ({ left, right, top, bottom })))"""


@pytest.mark.browser
@pytest.mark.parametrize(("width", "columns"), [(390, 1), (900, 3)])
def test_panels_side_by_side_go_one_below_the_other_on_a_phone(written, tab, width, columns):
    maps = {name: np.eye(4) for name in ("convolution", "attention", "balayage")}
    tab.set_viewport_size({"width": width, "height": 900})

    tab.goto(written(ssm.influence(maps)))
    tab.wait_for_selector(".main-svg .cbcoloraxis")
    panels, titles, (bar,) = tab.evaluate(PLACES)

    assert len(panels) == len(titles) == 3
    assert len({round(panel["left"]) for panel in panels}) == columns
    assert max(panel["right"] for panel in panels) <= width
    assert all(
        title["bottom"] <= panel["top"] + 4 for title, panel in zip(titles, panels, strict=True)
    )
    assert bar["top"] > max(panel["bottom"] for panel in panels), "the scale is under the panels"

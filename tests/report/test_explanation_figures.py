import base64
import io

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.explain import grids
from vitrine.metrics import Interval
from vitrine.report.figures import explanation, style
from vitrine.report.palette import MUTED

TORCH, MAMBA = "efficientnet-b0-torch-scratch", "mambavision-micro-scratch"


@pytest.fixture
def planes():
    generator = np.random.default_rng(0)
    return {
        recipe: pd.DataFrame(generator.normal(size=(4, 2)), columns=["x", "y"])
        for recipe in (TORCH, MAMBA)
    }


@pytest.fixture
def picture():
    """Half black, half white: what lies under a map stays seen, and pale."""
    return np.repeat([[[0, 0, 0]] * 40 + [[255, 255, 255]] * 40], 80, axis=0).astype(np.uint8)


def laid_out(*grids_by_label):
    tables = [grids.laid_out(g).assign(label=label) for label, g in grids_by_label]
    return pd.concat(tables)


def pixels_of(image):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(image.source.partition(",")[2]))))


def test_curves_share_a_colour_and_a_mark_from_panel_to_panel():
    points = {0: Interval(0.6, 0.5, 0.7), 5: Interval(0.2, 0.1, 0.3)}
    both = {TORCH: points, MAMBA: points}

    figure = explanation.curves(
        {"blur": both, "noise": {MAMBA: points}}, highlighted=(TORCH, MAMBA), chance=1 / 7
    )

    first, other, below = (t for t in figure.data if t.mode == "lines+markers")
    assert list(first.y) == [60, 20] and list(first.error_y.array) == [10, 10]
    assert (other.line.color, other.marker.symbol) == (below.line.color, below.marker.symbol)
    assert first.marker.symbol != other.marker.symbol
    assert below.showlegend is False
    titles = [axis.title.text for axis in figure.select_xaxes()]
    assert titles == ["Force", "Force"]


def test_a_model_that_is_not_highlighted_stays_grey_behind_and_out_of_the_legend():
    points = {0: Interval(0.6, 0.5, 0.7), 5: Interval(0.2, 0.1, 0.3)}
    both = {TORCH: points, MAMBA: points}

    figure = explanation.curves({"blur": both}, highlighted=(MAMBA,), chance=1 / 7)

    grey, seen = figure.data
    assert (grey.name, seen.name) == (style.model_name(TORCH), style.model_name(MAMBA))
    assert grey.line.color == MUTED and not grey.showlegend and grey.error_y.array is None
    assert seen.line.color == style.model_colour(MAMBA) and seen.showlegend


def test_photos_get_smaller_to_the_right_as_corruptions_get_stronger():
    points = {32: Interval(0.2, 0.1, 0.3), 128: Interval(0.6, 0.5, 0.7)}
    panels = {"blur": {MAMBA: points}, "crop": {MAMBA: points}, "thumbnail": {MAMBA: points}}

    figure = explanation.curves(panels, highlighted=(MAMBA,), chance=1 / 7)

    blur, crop, side = list(figure.select_xaxes())[:3]
    assert (blur.autorange, side.autorange) == (None, "reversed")
    assert (blur.title.text, crop.title.text, side.title.text) == (None, "Force", "Côté (pixels)")


def test_maps_of_a_class_stand_side_by_side_on_one_scale(picture):
    low, high = np.full((2, 2), -0.1), np.full((2, 2), 0.4)
    tables = {TORCH: laid_out((1, low), (6, low)), MAMBA: laid_out((1, high), (6, low))}
    under = {CLASSES[1]: picture, CLASSES[6]: 255 - picture}

    figure = explanation.class_maps(tables, title="Baisse", signed=True, under=under)

    panels = [annotation.text for annotation in figure.layout.annotations]
    names = [CLASSES_FR[CLASSES[k]] for k in (1, 6)]
    assert panels == [
        f"{name}<br>{m}" for name in names for m in ("EfficientNet-B0", "MambaVision")
    ]
    assert {(map_.zmin, map_.zmax) for map_ in figure.data} == {(-0.4, 0.4)}
    assert [map_.z[0][0] for map_ in figure.data] == [-0.1, 0.4, -0.1, -0.1]
    assert figure.data[0].yaxis != figure.data[2].yaxis  # a row a class
    left = [pixels_of(image)[0, 0] for image in figure.layout.images]
    assert left == [195, 195, 255, 255]  # the picture of the row's class


def test_a_map_lies_over_its_picture_which_shows_where_the_map_is_near_zero(picture):
    figure = explanation.maps(
        {"a": np.zeros((7, 7)), "b": np.ones((2, 3))},
        title="Part",
        under={"a": picture, "b": picture},
    )

    places = [(i.xref, i.yref, i.x, i.y, i.sizex, i.sizey) for i in figure.layout.images]
    assert places == [("x", "y", -0.5, -0.5, 7, 7), ("x2", "y2", -0.5, -0.5, 3, 2)]
    assert {(i.layer, i.sizing) for i in figure.layout.images} == {("below", "stretch")}
    assert sorted(np.unique(pixels_of(figure.layout.images[0]))) == [195, 255]
    for signed, clear in ((False, 0), (True, 0.5)):
        scale = explanation.maps(
            {"a": np.eye(2)}, title="Part", signed=signed, under={"a": picture}
        ).data[0].colorscale  # fmt: skip
        assert [at for at, colour in scale if colour.endswith(",0)")] == [clear]


def test_a_map_without_a_picture_is_opaque():
    figure = explanation.maps({"a": np.eye(2)}, title="Part")

    assert not figure.layout.images
    assert not any("rgba" in colour for _, colour in figure.data[0].colorscale)


def test_a_map_stands_beside_that_of_shuffled_weights_in_the_order_of_the_methods(picture):
    sketch = pd.concat(
        grids.laid_out(np.full((2, 2), value)).assign(map=name, network=network)
        for name, network, value in [
            ("attention-3", "shuffled", 1.0), ("attention-3", "learned", 2.0),
            ("occlusion", "learned", -0.3), ("occlusion", "shuffled", 0.1),
        ]
    )  # fmt: skip

    figure = explanation.before_and_after(sketch, picture)

    assert [annotation.text for annotation in figure.layout.annotations] == [
        "Occlusion,<br>appris", "Occlusion,<br>mélangé",
        "Attention de l’étage 3,<br>appris", "Attention de l’étage 3,<br>mélangé",
    ]  # fmt: skip
    assert [map_.z[0][0] for map_ in figure.data] == [0.3, 0.1, 2, 1]


def test_each_photo_is_placed_once_by_model_and_crossed_where_it_is_missed(planes):
    truth = np.array([0, 0, 1, 6])
    answers = {TORCH: np.array([0, 1, 1, 6]), MAMBA: np.array([1, 1, 1, 1])}

    figure = explanation.embeddings(planes, truth, answers)

    by_panel = {"y": TORCH, "y2": MAMBA}
    missed = {recipe: 0 for recipe in planes}
    for trace in figure.data:
        if trace.marker.symbol == "x":
            missed[by_panel[trace.yaxis]] += len(trace.x)
    assert missed == {TORCH: 1, MAMBA: 3}
    assert sum(len(trace.x) for trace in figure.data) == 2 * len(truth)
    assert sum(bool(trace.showlegend) for trace in figure.data) == len(CLASSES)


def test_a_part_lost_is_drawn_on_its_line_in_points():
    scores = {TORCH: {"red": Interval(0.1, 0.0, 0.2), "border": Interval(-0.02, -0.1, 0.05)}}

    figure = explanation.losses(scores)

    (points,) = figure.data
    assert list(points.x) == [10, -2] and list(points.y) == [0, 1]
    assert list(figure.layout.yaxis.ticktext) == ["Canal rouge", "Bord"]


@pytest.mark.parametrize("end", [0.8703125, np.nextafter(0.8703125, 0)])
def test_panels_stand_at_the_same_place_whatever_the_last_bit_of_a_sum(end):
    figure = go.Figure(layout={"yaxis": {"domain": [0.0, end]}})
    figure.add_annotation(text="a", x="a class", y=float(end))

    dressed = style.dress(figure)

    assert dressed.layout.yaxis.domain == (0.0, 0.870313)
    assert (dressed.layout.annotations[0].x, dressed.layout.annotations[0].y) == (
        "a class",
        0.870313,
    )

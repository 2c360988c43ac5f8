import numpy as np
import pytest

from vitrine.report.figures import watch

EFFECTS = {
    "224 × 224": {"slip": 1e-4, "padding": 0.0, "order": 1.3},
    "200 × 264": {"slip": 2e-4, "padding": 0.5, "order": 1.2},
}


def test_the_strongest_departure_is_at_the_top_whatever_the_image():
    figure = watch.departures(EFFECTS)

    assert list(figure.layout.yaxis.ticktext) == ["order", "padding", "slip"]
    assert figure.layout.yaxis.autorange == "reversed"
    assert list(figure.data[1].x) == pytest.approx([120, 50, 0.02])


def test_what_moves_nothing_has_no_bar():
    square, _ = watch.departures(EFFECTS).data

    assert square.x[1] is None


def test_rounding_is_no_departure():
    square, _ = watch.departures({"a": {"exp2": 3e-16}, "b": {"exp2": 1e-4}}).data

    assert list(square.x) == [None]


def test_each_bar_lies_inside_the_marked_range():
    figure = watch.departures(EFFECTS)
    low, high = figure.layout.xaxis.range

    drawn = [x for trace in figure.data for x in trace.x if x is not None]

    assert 10**low < min(drawn) < max(drawn) < 10**high
    assert len(figure.layout.xaxis.ticktext) == len(figure.layout.xaxis.tickvals)


def test_a_photo_that_does_not_fill_its_windows_is_covered_and_read_row_by_row():
    photo = np.zeros((32, 48, 3), dtype=np.uint8)

    figure = watch.windows(photo, side=2, stride=16)

    assert [trace.name for trace in figure.data] == ["fenêtre 1", "fenêtre 2"]
    assert list(figure.data[0].x) == [8, 24, None, 8, 24, None]
    assert list(figure.data[1].y) == [8, 8, None, 24, 24, None]
    assert max(shape.x1 for shape in figure.layout.shapes) == 64
    assert figure.layout.images[0].sizex == 48


def test_thousands_on_the_scale_of_costs_are_written_out_and_set_apart():
    costs = {"attention": np.geomspace(1, 2e4, len(watch.LENGTHS))}

    axis = watch.cost_against_length(costs).layout.yaxis

    assert (axis.type, axis.exponentformat, axis.separatethousands) == ("log", "none", True)

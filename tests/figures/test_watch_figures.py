import pytest

from vitrine.figures import watch

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

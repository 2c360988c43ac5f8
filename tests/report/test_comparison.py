import numpy as np
import pandas as pd
import pytest

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.metrics import Interval
from vitrine.report.figures import comparison

KERAS, TORCH, PROBE = (
    "efficientnet-b0-keras-scratch",
    "efficientnet-b0-torch-scratch",
    "mobilenetv2-int8-probe",
)
SCORES = {KERAS: Interval(0.5, 0.42, 0.58), PROBE: Interval(0.85, 0.78, 0.9)}


@pytest.fixture
def published():
    return pd.DataFrame(
        {
            "model": ["small", "small", "big", "big", "reference"],
            "backbone": ["frozen", "fine-tuned", "frozen", "fine-tuned", "fine-tuned"],
            "test_accuracy": [0.5, 0.7, 0.75, 0.85, 0.8],
        }
    )


def test_a_forest_shows_each_score_and_both_ends_of_its_interval_in_percent():
    figure = comparison.forest({"Exactitude": SCORES, "F1 macro": {KERAS: SCORES[KERAS]}})

    first, second = figure.data
    assert list(first.x) == [50, 85]
    assert list(first.error_x.array) == pytest.approx([8, 5])
    assert list(first.error_x.arrayminus) == pytest.approx([8, 7])
    assert (second.name, list(second.x)) == ("F1 macro", [50])


def test_two_scores_of_a_model_stand_on_its_line_and_apart():
    figure = comparison.forest({"Exactitude": SCORES, "F1 macro": SCORES})

    lines = [[round(y) for y in trace.y] for trace in figure.data]
    assert lines == [[0, 1], [0, 1]]
    assert figure.data[0].y != figure.data[1].y
    assert figure.layout.yaxis.ticktext[1].startswith("MobileNetV2")


def test_a_size_stands_under_the_name_of_the_model_that_has_one():
    figure = comparison.forest({"Exactitude": SCORES}, beside={PROBE: "2,3 M"})

    keras, probe = figure.layout.yaxis.ticktext
    assert probe.endswith("<br>2,3 M")
    assert "2,3 M" not in keras


def test_the_band_of_the_announced_gaps_is_the_power_of_the_rule():
    gaps = {(KERAS, TORCH): Interval(0.02, -0.05, 0.09)}

    figure = comparison.announced_gaps(gaps, metric="exactitude", smallest=0.103)

    band = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (band.x0, band.x1) == pytest.approx((-10.3, 10.3))
    assert list(figure.data[0].x) == pytest.approx([2])
    assert band.showlegend and "trop petits" in band.name
    assert (
        figure.data[0].text[0] == "EfficientNet-B0,<br>PyTorch<br>− EfficientNet-B0,<br>TensorFlow"
    )


def test_folds_are_all_shown_with_their_mean_and_the_published_split():
    by_fold = np.linspace(0.8, 0.9, 25)

    figure = comparison.folds({PROBE: (by_fold, SCORES[PROBE], 0.84)}, metric="Exactitude")

    ticks, mean, test = figure.data
    assert list(ticks.x) == pytest.approx(list(100 * by_fold), rel=1e-5)
    assert (list(mean.x), list(test.x)) == ([85], [84])
    assert mean.error_x.array and not ticks.error_x.array


def test_no_repeated_model_gives_an_empty_figure_and_no_error():
    assert not comparison.folds({}, metric="Exactitude").data


def test_a_class_that_nobody_predicts_leaves_a_hole_in_the_map():
    scores = np.full((len(CLASSES), 2), 0.5)
    scores[3, 1] = np.nan

    figure = comparison.class_f1(scores, [KERAS, PROBE])

    assert figure.data[0].z[1][3] is None
    assert figure.data[0].z[0][3] == 50
    assert len(figure.data[0].x) == len(CLASSES)


def test_cited_results_are_ranked_and_a_missing_one_is_left_out(published):
    figure = comparison.cited(published, reference="reference", smallest=0.126)

    tuned, frozen = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["big", "reference", "small"]
    assert list(tuned.x) == [85, 80, 70]
    assert list(frozen.y) == [0, 2]
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert [(line.x0, line.x1, line.y0) for line in lines] == [(75, 85, 0), (50, 70, 2)]


def test_the_band_of_cited_results_surrounds_the_reference(published):
    figure = comparison.cited(published, reference="reference", smallest=0.126)

    band = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (band.x0, band.x1) == pytest.approx((67.4, 92.6))


@pytest.mark.parametrize(
    "figure",
    [
        comparison.forest({"Exactitude": SCORES}),
        comparison.announced_gaps({(KERAS, PROBE): SCORES[KERAS]}, metric="x", smallest=0.1),
    ],
    ids=["forest", "gaps"],
)
def test_figures_use_no_webgl_and_write_numbers_the_french_way(figure):
    assert not any(trace.type.endswith("gl") for trace in figure.data)
    assert figure.layout.separators == ", "
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.xaxis.title.text


def test_the_map_of_f1_has_the_scores_of_a_class_in_the_column_of_its_name():
    scores = np.arange(7)[:, None] / 10

    heat = comparison.class_f1(scores, ["majority"]).data[0]

    found = dict(zip(heat.x, heat.z[0], strict=True))
    assert found == {CLASSES_FR[name]: 10 * k for k, name in enumerate(CLASSES)}

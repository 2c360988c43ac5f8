"""What the figures of the chapters on training show is what they are given."""

import tomllib
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from vitrine.data.catalog import CLASSES
from vitrine.data.dataset import LANGUAGES
from vitrine.metrics import Interval
from vitrine.metrics.calibration import reliability
from vitrine.metrics.classes import confusion, per_class
from vitrine.report.figures import style, training

TRUTH = np.array([0, 1, 2, 3, 4, 5, 6, 0])
PREDICTED = np.array([0, 1, 2, 3, 4, 5, 6, 6])


@pytest.fixture
def history():
    """Two epochs of a run."""
    return pd.DataFrame(
        {
            "epoch": [1, 2],
            "train_loss": [2.0, 1.123456789],
            "train_accuracy": [0.1, 0.2],
            "val_loss": [2.5, np.inf],
            "val_accuracy": [0.15, 0.25],
        }
    )


def test_curves_draw_each_run_twice_a_part_in_percent_and_leave_a_hole_for_infinity(history):
    figure = training.curves({"efficientnet-b0-keras-scratch/seed-3": history})

    drawn = {(trace.name.split(", ")[-1], trace.yaxis): list(trace.y) for trace in figure.data}
    assert drawn == {
        ("entraînement", "y"): [2.0, 1.12346],
        ("entraînement", "y2"): [10.0, 20.0],
        ("validation", "y"): [2.5, None],
        ("validation", "y2"): [15.0, 25.0],
    }
    assert figure.data[0].name.endswith("graine 3, entraînement")


def test_each_recipe_has_panels_of_its_own_under_its_name(history):
    names = ("efficientnet-b0-torch-scratch/seed-0", "mambavision-micro-scratch/seed-0")

    figure = training.curves(dict.fromkeys(names, history))

    assert figure.data[4].name == "MambaVision (micro, de zéro), graine 0, entraînement"
    assert [trace.yaxis for trace in figure.data] == ["y", "y2"] * 2 + ["y3", "y4"] * 2
    assert figure.data[2].line.color != figure.data[6].line.color
    heads = [
        note.yref
        for note in figure.layout.annotations
        if note.text == "MambaVision (micro, de zéro)"
    ]
    assert heads == ["y3 domain"]


def test_the_parts_of_learning_curves_are_named_at_their_ends_and_not_in_a_legend(history):
    finite = history.assign(val_loss=[2.5, 1.5])

    figure = training.curves({"efficientnet-b0-keras-scratch/seed-3": finite})

    ends = {note.text: (note.x, note.y, note.yanchor) for note in figure.layout.annotations}
    assert ends["validation"] == (2, 1.5, "bottom")  # the higher, named above its end
    assert ends["entraînement"] == (2, 1.12346, "top")
    assert not any(trace.showlegend for trace in figure.data)


def test_class_scores_draw_values_with_both_ends_of_their_intervals():
    scores = per_class(TRUTH, PREDICTED, categories=len(CLASSES))

    figure = training.class_scores(scores)

    recall = next(trace for trace in figure.data if trace.name == "Rappel")
    first = scores[0].recall
    assert recall.x[0] == 50.0
    assert recall.x[0] - recall.error_x.arrayminus[0] == pytest.approx(100 * first.low, rel=1e-5)
    assert recall.x[0] + recall.error_x.array[0] == pytest.approx(100 * first.high, rel=1e-5)
    assert figure.layout.yaxis.ticktext[0] == "Puériculture (2)"


def test_confusion_prints_counts_and_shades_shares_of_the_true_class():
    figure = training.confusion(confusion(TRUTH, PREDICTED, categories=len(CLASSES)))

    heat = figure.data[0]
    assert heat.text[0] == [1, 0, 0, 0, 0, 0, 1]
    assert heat.z[0] == [50, 0, 0, 0, 0, 0, 50]
    assert figure.layout.yaxis.autorange == "reversed"


def test_confusion_leaves_a_class_without_image_blank():
    others = TRUTH > 0

    figure = training.confusion(confusion(TRUTH[others], PREDICTED[others], categories=7))

    assert figure.data[0].z[0] == [0] * len(CLASSES)


def test_reliability_draws_only_bins_that_hold_images():
    probabilities = np.full((8, 7), 0.4 / 6)
    probabilities[np.arange(8), PREDICTED] = 0.6

    figure = training.reliability(reliability(TRUTH, probabilities), "majority")

    _, points, bars = figure.data
    assert (points.x, points.y, points.customdata) == ((60.0,), (87.5,), (8,))
    assert sum(bars.y) == 8 and points.name == "Classe majoritaire"


def test_seeds_draw_every_seed_under_the_mean_of_its_recipe():
    scores = {"a": ([0.5, 0.7], Interval(0.6, 0.4, 0.9)), "b": ([0.2], Interval(0.2, 0.1, 0.3))}

    figure = training.seeds(scores, metric="Exactitude")

    assert [list(trace.x) for trace in figure.data] == [[60.0], [50.0, 70.0], [20.0], [20.0]]
    assert [trace.y[0] for trace in figure.data] == [0, 0.28, 1, 1.28]
    assert figure.layout.xaxis.title.text == "Exactitude"


def test_gaps_are_drawn_in_points_around_a_line_at_zero():
    figure = training.gaps({"a": Interval(-0.02, -0.05, 0.01)}, metric="Écart (points)")

    (points,) = figure.data
    assert (points.x, points.error_x.arrayminus, points.error_x.array) == ((-2,), (3,), (3,))
    assert figure.layout.shapes[0].x0 == 0


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        ("efficientnet-b0-keras-scratch-smoke", "EfficientNet-B0, TensorFlow (de zéro)"),
        ("efficientnet-b0-torch", "EfficientNet-B0, PyTorch"),
        ("mambavision-micro-scratch", "MambaVision (micro, de zéro)"),
        ("never-heard-of", "never-heard-of"),
    ],
)
def test_model_has_a_name_on_screen_even_unknown(recipe, name):
    assert style.model_name(recipe) == name
    assert style.model_colour(recipe).startswith("#")


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        ("efficientnet-lite0-probe", "EfficientNet-Lite0 (probe)"),
        ("histogram-hog", "Histogram and HOG"),
        ("mambavision-micro-scratch", "MambaVision (micro, from scratch)"),
        ("never-heard-of", "never-heard-of"),
    ],
)
def test_model_has_a_name_in_english(recipe, name):
    assert style.model_name(recipe, "en") == name


def test_a_name_that_differs_is_told_in_every_language():
    told = tomllib.loads(files("vitrine.report").joinpath("names.toml").read_text(encoding="utf-8"))
    names = (told["families"] | told["words"]).values()

    assert {tuple(name) for name in names if not isinstance(name, str)} == {LANGUAGES}
    assert all(name.isascii() for name in names if isinstance(name, str))


def test_every_class_has_its_own_colour():
    assert list(style.CLASS_COLOURS) == list(CLASSES)
    assert len(set(style.CLASS_COLOURS.values())) == len(CLASSES)


def test_rounding_keeps_six_digits_and_no_number_that_json_lacks():
    assert style.rounded([1 / 3, 1e7 / 3, np.nan, np.inf]) == [0.333333, 3333330.0, None, None]


def test_the_bars_of_a_reliability_stand_at_the_middle_of_their_bins():
    probabilities = np.full((8, 7), 0.4 / 6)
    probabilities[np.arange(8), PREDICTED] = 0.6

    figure = training.reliability(reliability(TRUTH, probabilities, bins=4), "majority")

    assert list(figure.data[2].x) == [12.5, 37.5, 62.5, 87.5]  # percent, as the marks above
    assert list(figure.data[2].y) == [0, 0, 8, 0]

import numpy as np
import pandas as pd
import pytest

from vitrine.metrics.decision import selective_curve
from vitrine.report.figures import decisions

PROBE, MAJORITY = "mobilenetv2-int8-probe", "majority"


@pytest.fixture
def curve():
    rng = np.random.default_rng(0)
    truth = rng.integers(7, size=20)
    logits = rng.normal(size=(20, 7)) + 2 * np.eye(7)[truth]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return selective_curve(truth, chances)


def test_the_selective_curve_starts_where_enough_photos_are_answered(curve):
    line = decisions.selective({PROBE: curve}).data[0]

    assert min(line.x) == pytest.approx(10)
    assert (line.x[-1], line.y[-1]) == pytest.approx((100, 100 * curve.accuracy[-1]), abs=0.005)
    assert len(line.customdata) == len(line.x) == len(set(line.x)) == 19  # 2 to 20 of 20


def test_a_curve_of_many_photos_keeps_its_ends_and_few_points():
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(7), size=1000)
    many = selective_curve(rng.integers(7, size=1000), chances)

    line = decisions.selective({PROBE: many}).data[0]

    assert len(line.x) == decisions.POINTS
    assert (min(line.x), max(line.x)) == pytest.approx((10, 100))


def test_asking_a_person_every_time_costs_what_a_person_costs():
    prices = np.linspace(0, 1, 5)
    costs = {"×1": {PROBE: [0.0, 0.1, 0.2, 0.2, 0.2]}}

    person, model = decisions.expected_costs(prices, costs, about="Prix", first="×1").data

    assert list(person.y) == list(person.x) == prices.tolist()
    assert list(model.y) == [0, 0.1, 0.2, 0.2, 0.2]


def test_the_reader_moves_the_matrix_of_costs_and_the_person_stays():
    prices = np.linspace(0, 1, 3)
    costs = {label: {PROBE: [0.0, price, price]} for label, price in (("×1", 0.2), ("×4", 1.6))}

    figure = decisions.expected_costs(prices, costs, about="Prix", first="×4")

    person, light, heavy = figure.data
    assert (person.visible, light.visible, heavy.visible) == (None, False, True)
    assert light.name != heavy.name
    (slider,) = figure.layout.sliders
    assert [step.args[0]["visible"] for step in slider.steps] == [[True, False], [False, True]]
    assert slider.steps[0].args[1] == (1, 2)
    assert figure.layout.yaxis.range[1] > 1.6


def test_two_recipes_of_one_colour_have_lines_that_differ(curve):
    recipes = ("mambavision-nano-scratch", "mambavision-micro-scratch", PROBE)

    nano, micro, probe = decisions.selective(dict.fromkeys(recipes, curve)).data

    assert nano.line.color == micro.line.color != probe.line.color
    assert (nano.line.dash, micro.line.dash, probe.line.dash) == (None, "dot", None)


def test_a_cost_that_is_not_known_leaves_no_point_and_the_front_skips_it():
    models = pd.DataFrame(
        {
            "recipe": [PROBE, MAJORITY],
            "parameters": [8967, 14],
            "minutes": [0.5, 0.0],
            "value": [0.85, 0.14],
            "low": [0.8, 0.1],
            "high": [0.9, 0.2],
        }
    )

    figure = decisions.efficiency(models, {"parameters": "Paramètres", "minutes": "Minutes"})
    front, _, by_parameters, other_front, by_minutes = figure.data

    assert list(by_parameters.x) == [14]
    assert (list(by_minutes.x), by_minutes.legendgroup) == ([0.5], PROBE)
    assert list(by_parameters.error_y.array) == pytest.approx([6])
    assert by_parameters.legendgroup == MAJORITY
    assert (list(front.x), list(other_front.x)) == ([14, 8967], [0.5])
    assert figure.layout.xaxis2.title.text == "Minutes"


def test_a_cost_known_of_no_model_has_no_panel():
    score = {"value": [0.85, 0.14], "low": [0.8, 0.1], "high": [0.9, 0.2]}
    models = pd.DataFrame(
        {"recipe": [PROBE, MAJORITY], "card": [None, None], "core": [3.0, 1.0], **score}
    )

    figure = decisions.efficiency(models, {"card": "Carte graphique", "core": "Un cœur"})

    assert {trace.xaxis for trace in figure.data} == {"x"}
    assert figure.layout.xaxis.title.text == "Un cœur"
    probe, majority = figure.data[1:3]
    assert probe.showlegend and majority.showlegend
    assert probe.marker.symbol != majority.marker.symbol
    low, high = figure.layout.xaxis.range
    assert low < -1 + 1e-9 and high > 1  # powers of ten around 1 and 3, and room for their names


def test_four_costs_stand_two_by_two_and_each_model_once_in_the_legend():
    score = {"value": [0.85], "low": [0.8], "high": [0.9]}
    costs = {name: name for name in ("a", "b", "c", "d")}
    models = pd.DataFrame({"recipe": [PROBE], **{name: [10.0] for name in costs}, **score})

    figure = decisions.efficiency(models, costs)

    assert [axis.title.text for axis in figure.select_xaxes()] == list("abcd")
    marks = [trace.xaxis for trace in figure.data if trace.mode == "markers"]
    assert marks == ["x", "x2", "x3", "x4"]
    titled = [axis.title.text for axis in figure.select_yaxes()]
    assert titled == ["Exactitude", None, "Exactitude", None]
    named = [trace.name for trace in figure.data if trace.showlegend]
    assert named == ["Front de Pareto", "MobileNetV2 int8, sonde linéaire"]


def test_figures_name_what_their_axes_show(curve):
    figure = decisions.selective({PROBE: curve})

    assert figure.layout.xaxis.title.text == "Couverture (part des photos)"
    assert figure.layout.xaxis.range[0] > figure.layout.xaxis.range[1]


def test_pointing_at_the_selective_curve_tells_the_confidence_asked_for(curve):
    figure = decisions.selective({"majority": curve})

    shown = [round(100 * float(t)) for t, c in zip(curve.threshold, curve.coverage, strict=True)
             if c >= decisions.LEAST_COVERAGE]  # fmt: skip
    assert list(figure.data[0].customdata) == shown

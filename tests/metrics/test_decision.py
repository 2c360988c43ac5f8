import numpy as np
import pytest

from vitrine.metrics.decision import (
    cheapest,
    cost_metric,
    expected_cost,
    least_confidence,
    pareto_front,
    selective_curve,
)
from vitrine.metrics.intervals import wilson
from vitrine.metrics.metrics import accuracy
from vitrine.metrics.paired import paired_bootstrap

TRUTH = np.array([0, 1, 0, 0, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.7, 0.3], [0.6, 0.4]])
ZERO_ONE = 1.0 - np.eye(2)
ASK = np.array([[0.0, 1.0, 0.25], [10.0, 0.0, 0.25]])


def test_the_curve_matches_five_images_ranked_by_hand():
    # Falling confidence: 0.9 right, 0.8 right, 0.7 wrong and 0.7 right together, 0.6 wrong.
    curve = selective_curve(TRUTH, PROBABILITIES)

    assert curve.threshold.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert curve.coverage.tolist() == [1 / 5, 2 / 5, 4 / 5, 1]
    assert curve.accuracy.tolist() == [1, 1, 3 / 4, 3 / 5]
    expected = wilson(3, 4)
    assert (curve.low[2], curve.high[2]) == pytest.approx((expected.low, expected.high))


def test_the_curve_read_at_a_coverage_answers_at_least_that_many_images():
    curve = selective_curve(TRUTH, PROBABILITIES)

    read = [curve.at(coverage) for coverage in (0.01, 0.2, 0.4, 0.41, 0.8, 1.0)]

    assert read == [1, 1, 1, 3 / 4, 3 / 4, 3 / 5]


def test_a_coverage_computed_with_rounding_asks_for_no_image_more():
    confidence = np.linspace(0.99, 0.6, 10)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    truth = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 1])

    assert selective_curve(truth, probabilities).at(0.1 * 3) == 1.0  # 0.30000000000000004


def test_answering_everything_is_plain_accuracy_and_equals_the_threshold_applied(draw):
    truth, probabilities = draw()
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth

    curve = selective_curve(truth, probabilities)

    assert curve.coverage[-1] == 1
    assert curve.accuracy[-1] == accuracy(truth, probabilities)
    for threshold, coverage, score in zip(
        curve.threshold, curve.coverage, curve.accuracy, strict=True
    ):
        answered = confidence >= threshold
        assert (answered.mean(), right[answered].mean()) == pytest.approx((coverage, score))


@pytest.mark.parametrize("coverage", [0.0, 1.1, 80.0])
def test_a_coverage_out_of_range_is_refused(coverage):
    with pytest.raises(ValueError, match="write 80 % as 0.8"):
        selective_curve(TRUTH, PROBABILITIES).at(coverage)


def test_a_cost_of_one_for_any_mistake_is_the_error_rate():
    predicted = PROBABILITIES.argmax(axis=1)

    assert expected_cost(TRUTH, predicted, ZERO_ONE) == pytest.approx(2 / 5)
    assert cheapest(PROBABILITIES, ZERO_ONE).tolist() == predicted.tolist()


def test_the_cheapest_decision_weighs_costs_and_may_ask_a_person():
    # Foreseen: keep 0 costs 10 p1, say 1 costs p0, ask costs 0.25.
    decided = cheapest(PROBABILITIES, ASK)

    assert decided.tolist() == [2, 1, 2, 2, 2]
    assert expected_cost(TRUTH, decided, ASK) == pytest.approx((4 * 0.25 + 0.0) / 5)
    assert expected_cost(TRUTH, PROBABILITIES.argmax(axis=1), ASK) == pytest.approx((1 + 10) / 5)


def test_no_other_rule_is_cheaper_when_probabilities_are_honest(draw):
    truth, probabilities = draw(20_000)
    cost = np.random.default_rng(1).random((7, 7)) * (1 - np.eye(7))

    ours = expected_cost(truth, cheapest(probabilities, cost), cost)

    assert ours < expected_cost(truth, probabilities.argmax(axis=1), cost)
    assert ours == pytest.approx((probabilities @ cost).min(axis=1).mean(), rel=0.03)


def test_costs_compare_two_models_on_the_same_images(draw):
    truth, better = draw()
    worse = np.roll(better, 1, axis=1)

    gap = paired_bootstrap(truth, worse, better, cost_metric(1.0 - np.eye(7), unit="euro"))

    assert gap.value == pytest.approx(accuracy(truth, worse) - accuracy(truth, better))
    assert gap.high < 0


@pytest.mark.parametrize(
    "cost", [np.zeros((3, 2)), np.array([[0.0, np.inf], [1.0, 0.0]]), np.zeros((0, 0))]
)
def test_costs_that_leave_a_mistake_unpriced_are_refused(cost):
    with pytest.raises(ValueError, match="expected finite costs with a row for each class"):
        cost_metric(cost)


@pytest.mark.usefixtures("outside_tests")
def test_costs_for_other_classes_than_the_model_has_are_refused():
    with pytest.raises(ValueError, match="one row of costs for each of the 2 categories, found 3"):
        cheapest(PROBABILITIES, np.zeros((3, 3)))
    with pytest.raises(ValueError, match="decisions below 2, found 1 and 2"):
        expected_cost(TRUTH, np.array([0, 1, 2, 0, 0]), ZERO_ONE)


def test_the_front_keeps_what_no_other_model_beats_on_both():
    costs = np.array([3.0, 1.0, 2.0, 2.0, np.nan, 5.0])
    scores = np.array([0.9, 0.5, 0.7, 0.6, 0.99, 0.9])

    assert pareto_front(costs, scores) == [1, 2, 0]


def test_equal_models_share_the_front():
    assert pareto_front(np.array([1.0, 1.0]), np.array([0.5, 0.5])) == [0, 1]


def test_a_model_answers_from_the_lowest_confidence_that_is_right_often_enough():
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    probabilities = np.column_stack([confidence, 1 - confidence])
    truth = np.array([0, 0, 1, 0])  # right, right, wrong, right

    thresholds = [
        least_confidence(truth, probabilities, accuracy=share) for share in (1.0, 0.75, 0.7)
    ]

    assert thresholds == [0.8, 0.6, 0.6]


def test_a_model_that_is_never_right_enough_answers_nothing():
    wrong = np.array([[0.9, 0.1], [0.8, 0.2]])

    assert least_confidence(np.array([1, 1]), wrong, accuracy=0.5) == np.inf

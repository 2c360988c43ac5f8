import math

import numpy as np
import pytest
import sklearn.metrics

from vitrine.metrics.metrics import (
    accuracy,
    balanced_accuracy,
    brier,
    log_loss,
    macro_f1,
    top2_accuracy,
)

TRUTH = np.array([0, 0, 1, 1, 2])
PREDICTED = np.array([0, 1, 1, 1, 0])
PROBABILITIES = np.array(
    [[0.5, 0.3, 0.2], [0.3, 0.6, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]]
)


def test_scores_of_labels_match_five_images_counted_by_hand():
    recalls = [1 / 2, 2 / 2, 0 / 1]
    f1 = [2 * 1 / (2 * 1 + 1 + 1), 2 * 2 / (2 * 2 + 1 + 0), 0.0]

    scores = [metric(TRUTH, PREDICTED) for metric in (accuracy, balanced_accuracy, macro_f1)]

    assert scores == pytest.approx([3 / 5, sum(recalls) / 3, sum(f1) / 3], rel=1e-15)


def test_scores_of_probabilities_match_five_images_computed_by_hand():
    surprise = -sum(math.log(p) for p in (0.5, 0.3, 0.8, 0.7, 0.1)) / 5
    squares = 0.38 + (0.49 + 0.36 + 0.01) + 0.06 + (0.04 + 0.09 + 0.01) + (0.25 + 0.16 + 0.81)

    scores = [metric(TRUTH, PROBABILITIES) for metric in (log_loss, brier, top2_accuracy)]

    assert scores == pytest.approx([surprise, squares / 5, 4 / 5], rel=1e-14)


@pytest.mark.parametrize("images", [3, 12, 158])
def test_scores_agree_with_scikit_learn_even_where_classes_are_missing(images, draw):
    for _ in range(8):
        truth, probabilities = draw(images)
        predicted, labels = probabilities.argmax(axis=1), list(range(7))
        present = np.isin(predicted, truth)

        ours = [metric(truth, probabilities) for metric in (accuracy, macro_f1, log_loss, brier)]
        theirs = [
            sklearn.metrics.accuracy_score(truth, predicted),
            sklearn.metrics.f1_score(truth, predicted, average="macro"),
            sklearn.metrics.log_loss(truth, probabilities, labels=labels),
            sklearn.metrics.brier_score_loss(truth, probabilities, labels=labels),
        ]

        assert ours == pytest.approx(theirs, rel=1e-12)
        assert top2_accuracy(truth, probabilities) == pytest.approx(
            sklearn.metrics.top_k_accuracy_score(truth, probabilities, k=2, labels=labels)
        )
        if present.all() and len(set(truth)) > 1:  # it warns otherwise, and scores as we do
            assert balanced_accuracy(truth, predicted) == pytest.approx(
                sklearn.metrics.balanced_accuracy_score(truth, predicted)
            )


def test_balanced_accuracy_leaves_out_a_class_that_is_only_predicted():
    truth, predicted = np.array([0, 0, 1]), np.array([0, 2, 1])

    assert balanced_accuracy(truth, predicted) == pytest.approx((1 / 2 + 1) / 2)


def test_macro_f1_counts_zero_for_a_class_that_is_only_predicted():
    truth, predicted = np.array([0, 0, 1]), np.array([0, 2, 1])

    assert macro_f1(truth, predicted) == pytest.approx((2 / 3 + 1 + 0) / 3)


@pytest.mark.parametrize("metric", [accuracy, balanced_accuracy, macro_f1])
def test_a_score_of_labels_reads_the_most_probable_class(metric, draw):
    truth, probabilities = draw()

    assert metric(truth, probabilities) == metric(truth, probabilities.argmax(axis=1))


def test_a_tie_goes_to_the_earlier_class_for_the_first_and_the_second_place():
    probabilities = np.full((3, 3), 1 / 3)

    assert accuracy(np.array([0, 1, 2]), probabilities) == pytest.approx(1 / 3)
    assert top2_accuracy(np.array([0, 1, 2]), probabilities) == pytest.approx(2 / 3)


def test_a_true_class_given_no_chance_costs_36_nats_and_not_infinity():
    truth, probabilities = np.array([1]), np.array([[1.0, 0.0]])

    assert log_loss(truth, probabilities) == pytest.approx(52 * math.log(2))
    assert brier(truth, probabilities) == 2.0


def test_single_precision_probabilities_score_as_double(draw):
    truth, probabilities = draw()

    single = probabilities.astype(np.float32)

    assert log_loss(truth, single) == pytest.approx(log_loss(truth, probabilities), rel=1e-6)


LABELS, EVEN = np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]])


@pytest.mark.usefixtures("outside_tests")
@pytest.mark.parametrize(
    ("metric", "truth", "answers", "message"),
    [
        (accuracy, LABELS, np.array([0, 1, 1]), "one answer for each of the 2 images, found 3"),
        (accuracy, np.array([], int), np.array([], int), "at least one image, found none"),
        (accuracy, LABELS, np.array([0.0, 1.0]), "y_pred as integer labels.*float64 of shape"),
        (accuracy, np.array([0.0, 1.0]), LABELS, "y_true as integer labels"),
        (accuracy, [0, 1], LABELS, r"y_true as integer labels of shape \(image,\), found a list"),
        (accuracy, np.array([[0], [1]]), LABELS, r"y_true as integer labels.*\(2, 1\)"),
        (accuracy, np.array([0, -1]), LABELS, "y_true as labels of 0 or more, found -1 for image"),
        (accuracy, LABELS, np.array([-2, 0]), "y_pred as labels of 0 or more, found -2"),
        (accuracy, np.array([0, 2]), EVEN, "labels below 2.*found 2 for image 1"),
        (log_loss, np.array([2, 0]), EVEN, "labels below 2.*found 2 for image 0"),
        (log_loss, LABELS, LABELS, "probabilities as floats.*found int64 of shape"),
        (log_loss, LABELS, EVEN[:1], "one answer for each of the 2 images, found 1"),
        (log_loss, np.array([], int), EVEN[:0], "at least one image, found none"),
        (log_loss, LABELS, EVEN + [[0, 0], [0, 0.002]], "sum to 1 within 0.001, found 1.002 for"),
        (log_loss, LABELS, EVEN - [[0, 0.002], [0, 0]], "sum to 1 within 0.001, found 0.998 for"),
        (log_loss, LABELS, np.array([[1.5, -0.5], [0.5, 0.5]]), "between 0 and 1, found 1.5 for"),
        (log_loss, LABELS, np.array([[0.5, 0.5], [1, -1e-9]]), "between 0 and 1, found -1e-09"),
        (log_loss, LABELS, np.array([[0.5, 0.5], [np.nan, 1]]), "between 0 and 1, found nan"),
    ],
)
def test_a_score_refuses_arrays_that_would_make_it_lie(metric, truth, answers, message):
    with pytest.raises(ValueError, match=message):
        metric(truth, answers)


@pytest.mark.parametrize("metric", [accuracy, balanced_accuracy, macro_f1])
def test_labels_of_one_byte_score_as_any_other(metric, rng):
    truth, predicted = rng.integers(20, size=(2, 200))

    small = metric(truth.astype(np.int8), predicted.astype(np.int8))

    assert small == metric(truth, predicted)


def test_probabilities_rounded_to_six_digits_are_accepted(draw):
    truth, probabilities = draw()

    rounded = np.array([[float(f"{p:.6g}") for p in row] for row in probabilities])

    assert log_loss(truth, rounded) == pytest.approx(log_loss(truth, probabilities), abs=1e-5)

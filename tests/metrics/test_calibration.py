import numpy as np
import pytest

from vitrine.metrics.calibration import (
    calibrated_error,
    expected_calibration_error,
    overconfidence,
    reliability,
)
from vitrine.metrics.intervals import wilson


def pairs(*confidences):
    """Two-class probabilities with these confidences in class 0."""
    return np.array([[c, 1 - c] for c in confidences])


def test_the_curve_and_the_error_match_four_images_computed_by_hand():
    truth, probabilities = np.array([0, 1, 0, 0]), pairs(0.90, 0.92, 0.62, 1.0)

    curve = reliability(truth, probabilities)

    assert curve.count.tolist() == [0] * 9 + [1, 0, 0, 0, 2, 1]
    assert curve.confidence[[9, 13, 14]] == pytest.approx([0.62, 0.91, 1.0])
    assert curve.accuracy[[9, 13, 14]] == pytest.approx([1.0, 0.5, 1.0])
    error = (1 * 0.38 + 2 * 0.41 + 1 * 0.0) / 4
    assert curve.error == pytest.approx(error)
    assert expected_calibration_error(truth, probabilities) == pytest.approx(error)


def test_an_empty_bin_has_no_accuracy_and_a_full_one_has_wilsons_interval():
    curve = reliability(np.array([0, 1, 0, 0]), pairs(0.90, 0.92, 0.62, 1.0))

    for values in (curve.confidence, curve.accuracy, curve.low, curve.high):
        assert np.isnan(values[curve.count == 0]).all()
    expected = wilson(1, 2)
    assert (curve.low[13], curve.high[13]) == pytest.approx((expected.low, expected.high))


def test_a_bin_holds_its_upper_end():
    curve = reliability(np.array([0, 0]), pairs(0.75, 0.75 + 1e-9), bins=4)

    assert curve.count.tolist() == [0, 0, 1, 1]
    assert curve.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_a_confidence_rounded_above_one_falls_in_the_last_bin():
    curve = reliability(np.array([0]), np.array([[1.0005, 0.0]]))

    assert curve.count[-1] == 1


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_metric_equals_the_sum_over_bins_written_as_loops(sharpness, draw):
    truth, probabilities = draw(sharpness=sharpness)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth

    slow = 0.0
    for k in range(15):
        inside = (confidence > k / 15) & (confidence <= (k + 1) / 15)
        if inside.any():
            slow += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())

    assert expected_calibration_error(truth, probabilities) == pytest.approx(slow)
    assert reliability(truth, probabilities).error == pytest.approx(slow)


def test_a_model_that_is_sure_and_right_has_no_error_to_show():
    interval = calibrated_error(pairs(1.0, 1.0, 1.0))

    assert (interval.value, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_the_error_of_an_honest_model_of_one_image_is_the_distance_to_right_or_wrong():
    interval = calibrated_error(pairs(0.75), draws=4000)

    assert (interval.low, interval.high) == pytest.approx((0.25, 0.75))
    assert interval.value == pytest.approx(0.75 * 0.25 + 0.25 * 0.75, abs=0.02)


def test_an_honest_model_falls_in_its_range_and_a_boastful_one_above(draw):
    def position(sharpness):
        truth, probabilities = draw(sharpness=sharpness)
        floor = calibrated_error(probabilities, draws=300)
        error = expected_calibration_error(truth, probabilities)
        return (error > floor.low) & (error < floor.high), error > floor.high

    honest = np.mean([position(1.0) for _ in range(150)], axis=0)
    boastful = np.mean([position(3.0) for _ in range(50)], axis=0)

    assert honest[0] == pytest.approx(0.95, abs=0.04)
    assert boastful[1] > 0.95


def test_no_bin_and_no_draw_are_refused():
    with pytest.raises(ValueError, match="at least one bin, found 0"):
        reliability(np.array([0]), pairs(0.75), bins=0)
    with pytest.raises(ValueError, match="at least one draw, found 0"):
        calibrated_error(pairs(0.75), draws=0)


@pytest.mark.usefixtures("outside_tests")
@pytest.mark.parametrize("answers", [np.array([0, 1]), np.array([[2.0, -1.0]]), np.empty((0, 2))])
def test_what_is_not_probabilities_is_refused(answers):
    with pytest.raises(ValueError, match="expected"):
        calibrated_error(answers)


def test_overconfidence_is_what_confidence_exceeds_accuracy_by_on_average():
    probabilities = pairs(0.9, 0.7, 0.8, 0.6)  # 0.75 on average

    too_sure = overconfidence(np.array([0, 1, 0, 1]), probabilities)
    too_shy = overconfidence(np.array([0, 0, 0, 0]), probabilities)

    assert (too_sure, too_shy) == pytest.approx((0.25, -0.25))


def test_overconfidence_is_never_larger_than_the_calibration_error(draw):
    truth, probabilities = draw(sharpness=2.0)

    excess = overconfidence(truth, probabilities)

    assert excess != 0
    assert abs(excess) <= expected_calibration_error(truth, probabilities) + 1e-12

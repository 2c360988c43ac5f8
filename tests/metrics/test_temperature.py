import numpy as np
import pytest

from vitrine.metrics.metrics import log_loss
from vitrine.metrics.temperature import apply_temperature, fit_temperature


def test_nine_to_one_that_is_right_three_times_in_four_needs_a_temperature_of_two():
    # log 9 / T = log 3 at the optimum.
    truth, probabilities = np.array([0, 0, 0, 1]), np.array([[0.9, 0.1]] * 4)

    temperature = fit_temperature(truth, probabilities)

    assert temperature == pytest.approx(2.0, rel=1e-5)
    assert apply_temperature(probabilities, 2.0)[0] == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.5])
def test_the_fit_undoes_a_known_sharpening(sharpness, draw):
    truth, probabilities = draw(20_000, sharpness=sharpness)

    assert fit_temperature(truth, probabilities) == pytest.approx(sharpness, rel=0.04)


def test_no_other_temperature_has_a_smaller_loss(draw):
    truth, probabilities = draw(sharpness=2.0)
    best = fit_temperature(truth, probabilities)

    losses = [
        log_loss(truth, apply_temperature(probabilities, best * factor))
        for factor in (1.0, 0.99, 1.01, 0.3, 3.0)
    ]

    assert losses[0] == min(losses)


@pytest.mark.parametrize("temperature", [0.2, 3.0])
def test_a_temperature_keeps_the_order_of_the_classes(temperature, draw):
    _, probabilities = draw()

    cooled = apply_temperature(probabilities, temperature)

    assert cooled.sum(axis=1) == pytest.approx(np.ones(158))
    assert (cooled.argsort(axis=1) == probabilities.argsort(axis=1)).all()
    assert (cooled.max(axis=1) > probabilities.max(axis=1)).all() == (temperature < 1)


def test_a_temperature_of_one_changes_nothing(draw):
    _, probabilities = draw()

    assert apply_temperature(probabilities, 1.0) == pytest.approx(probabilities)


def test_answers_that_are_all_right_stop_at_the_lower_end_and_useless_ones_at_the_upper():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])

    assert fit_temperature(np.array([0, 1]), probabilities) == pytest.approx(1 / 20, rel=1e-4)
    assert fit_temperature(np.array([1, 0]), probabilities) == pytest.approx(20, rel=1e-4)


def test_a_probability_that_underflowed_is_warmed_like_the_others():
    warm = apply_temperature(np.array([[1.0, 0.0]]), 20.0)

    assert np.isfinite(warm).all()
    assert warm[0, 1] > 0.01


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(ValueError, match="expected a positive temperature"):
        apply_temperature(np.array([[0.5, 0.5]]), temperature)

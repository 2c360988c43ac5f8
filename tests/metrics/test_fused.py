import numpy as np
import pytest

from vitrine.metrics.temperature import apply_temperature, fit_temperature, fit_weights, fuse


def drawn(skill, seed, images=400):
    rng = np.random.default_rng(seed)
    truth = np.arange(images) % 7
    logits = rng.normal(size=(images, 7))
    logits[np.arange(images), truth] += skill
    odds = np.exp(logits)
    return truth, odds / odds.sum(axis=1, keepdims=True)


def log_loss(truth, given):
    return -np.log(given[np.arange(len(truth)), truth]).mean()


def test_two_models_that_agree_half_way_answer_by_the_geometric_mean():
    a, b = np.array([[0.8, 0.2]]), np.array([[0.2, 0.8]])

    assert fuse([a, b], np.array([0.5, 0.5])) == pytest.approx(np.array([[0.5, 0.5]]))
    assert fuse([a, b], np.array([1.0, 0.0])) == pytest.approx(a)
    assert fuse([a, a], np.array([0.5, 0.5])) == pytest.approx(a)


def test_one_model_alone_is_weighted_by_the_inverse_of_its_temperature():
    truth, given = drawn(1.5, seed=0)

    weight = fit_weights(truth, [given])

    temperature = fit_temperature(truth, given)
    assert weight == pytest.approx([1 / temperature], rel=1e-3)
    assert fuse([given], weight) == pytest.approx(apply_temperature(given, temperature), abs=1e-3)


def test_fitted_weights_are_where_the_loss_is_lowest():
    truth, good = drawn(2.0, seed=1)
    _, poor = drawn(0.5, seed=2)

    weights = fit_weights(truth, [good, poor])

    best = log_loss(truth, fuse([good, poor], weights))
    assert best < log_loss(truth, fuse([good, poor], np.array([0.5, 0.5])))
    for step in ([0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05]):
        assert log_loss(truth, fuse([good, poor], weights + step)) > best


def test_a_model_that_misleads_is_ignored_and_not_believed_in_reverse():
    truth, good = drawn(2.0, seed=1)
    _, other = drawn(1.0, seed=2)
    misleading = (1 / other) / (1 / other).sum(axis=1, keepdims=True)

    weights = fit_weights(truth, [good, misleading])

    assert weights[1] == 0


def test_a_probability_lost_to_rounding_does_not_silence_the_other_model():
    zero, sure = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])

    assert np.isfinite(fuse([zero, sure], np.array([0.5, 0.5]))).all()


@pytest.mark.parametrize("weights", [[0.5], [1.0, -0.1], [np.nan, 1.0]])
def test_weights_that_are_none_are_refused(weights):
    given = np.array([[0.5, 0.5]])

    with pytest.raises(ValueError, match="expected one weight of 0 or more for each of 2 models"):
        fuse([given, given], np.array(weights))

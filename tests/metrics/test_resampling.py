import numpy as np
import pytest
import sklearn.metrics

from vitrine.metrics import resampling
from vitrine.metrics.calibration import expected_calibration_error
from vitrine.metrics.metrics import accuracy, balanced_accuracy, log_loss, macro_f1
from vitrine.metrics.resampling import bootstrap, replicate


def seen(truth, draws):
    """How often each image is drawn in each draw."""
    kept = []
    replicate(len(truth), lambda counts: kept.append(counts) or counts[:, 0], draws=draws)
    return np.concatenate(kept)


def test_scoring_the_counts_equals_scoring_the_images_drawn_one_by_one(draw):
    truth, probabilities = draw(40)
    predicted = probabilities.argmax(axis=1)
    counts = seen(truth, 50)

    fast = macro_f1.score_draws(counts, macro_f1.tally(truth, predicted))

    picks = [np.repeat(np.arange(40), row.astype(int)) for row in counts]
    slow = [sklearn.metrics.f1_score(truth[p], predicted[p], average="macro") for p in picks]
    assert fast.tolist() == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize("metric", [balanced_accuracy, macro_f1])
def test_hundreds_of_classes_take_three_numbers_an_image(metric):
    rng = np.random.default_rng(0)
    truth = rng.integers(300, size=6000)
    predicted = np.where(rng.random(6000) < 0.7, truth, rng.integers(300, size=6000))
    score = {balanced_accuracy: "recall_score", macro_f1: "f1_score"}[metric]

    interval = bootstrap(truth, predicted.astype(np.int16), metric)

    assert metric.tally(truth, predicted).nnz == 3 * 6000
    slow = getattr(sklearn.metrics, score)(truth, predicted, average="macro")
    assert interval.value == pytest.approx(slow, rel=1e-12)
    assert interval.low < slow < interval.high


def test_small_integers_number_more_classes_than_a_third_of_them():
    labels = np.arange(100, dtype=np.int8)

    assert balanced_accuracy(labels, labels) == macro_f1(labels, labels) == 1


def test_every_draw_has_as_many_images_and_each_is_as_likely(draw):
    truth, _ = draw(20)

    counts = seen(truth, 4000)

    assert counts.shape == (4000, 20)
    assert (counts.sum(axis=1) == 20).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(20), abs=0.08)
    assert counts.var(axis=0) == pytest.approx(np.full(20, 0.95), abs=0.12)


def test_the_spread_of_an_accuracy_is_the_binomial_one(draw):
    truth, probabilities = draw()
    share = accuracy(truth, probabilities)

    interval = bootstrap(truth, probabilities, accuracy, draws=20_000)

    expected = 2 * 1.96 * np.sqrt(share * (1 - share) / 158)
    assert interval.value == share
    assert interval.high - interval.low == pytest.approx(expected, rel=0.05)


def test_a_higher_level_gives_a_wider_interval(draw):
    truth, probabilities = draw()

    narrow = bootstrap(truth, probabilities, macro_f1, level=0.5)
    wide = bootstrap(truth, probabilities, macro_f1, level=0.99)

    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_the_same_seed_draws_the_same_images_and_another_does_not(draw):
    truth, probabilities = draw()

    first, again, other = (bootstrap(truth, probabilities, log_loss, seed=s) for s in (1, 1, 2))

    assert first == again
    assert first != other


def test_the_size_of_the_blocks_changes_nothing(draw, monkeypatch):
    truth, probabilities = draw(50)
    whole = bootstrap(truth, probabilities, macro_f1, draws=33)

    monkeypatch.setattr(resampling, "BLOCK", 50 * 7)

    assert bootstrap(truth, probabilities, macro_f1, draws=33) == whole


@pytest.mark.parametrize("metric", [accuracy, macro_f1, log_loss])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(metric, draw):
    everyone, answers = draw(100_000)
    truth = metric(everyone, answers)
    samples = [slice(start, start + 158) for start in range(0, 158 * 150, 158)]

    intervals = [bootstrap(everyone[s], answers[s], metric, draws=200) for s in samples]

    held = [interval.low <= truth <= interval.high for interval in intervals]
    assert np.mean(held) == pytest.approx(0.94, abs=0.04)


@pytest.mark.parametrize("sharpness", [1.0, 1.2, 2.5])
def test_the_interval_of_a_calibration_error_holds_the_truth_where_percentiles_fail(
    sharpness, draw
):
    everyone, answers = draw(100_000, sharpness=sharpness)
    truth = expected_calibration_error(everyone, answers)
    held, by_percentile = [], []

    for start in range(0, 158 * 60, 158):
        few, said = everyone[start : start + 158], answers[start : start + 158]
        interval = bootstrap(few, said, expected_calibration_error, draws=200)
        counts = seen(few, 200)
        rows = expected_calibration_error.tally(few, said)
        replicates = expected_calibration_error.score_draws(counts, rows)
        held.append(interval.low <= truth <= interval.high)
        by_percentile.append(np.quantile(replicates, 0.025) <= truth)

    assert np.mean(held) >= 0.95
    if sharpness == 1.0:
        assert np.mean(by_percentile) < 0.1


def test_the_interval_of_a_calibration_error_holds_its_value_and_nothing_negative(draw):
    truth, probabilities = draw()

    interval = bootstrap(truth, probabilities, expected_calibration_error)

    assert 0.0 == interval.low < interval.value < interval.high


def test_the_interval_of_a_calibration_error_reaches_as_far_as_its_noise(draw):
    truth, probabilities = draw(60, sharpness=3.0)
    excess = expected_calibration_error.tally(truth, probabilities)
    counts = seen(truth, 200)

    interval = bootstrap(truth, probabilities, expected_calibration_error, draws=200)

    noise = [np.abs((row @ excess - excess.sum(axis=0)) / 60).sum() for row in counts]
    assert interval.high - interval.value == pytest.approx(np.quantile(noise, 0.95))
    assert interval.value - interval.low == pytest.approx(np.quantile(noise, 0.95))


def test_no_draw_at_all_is_refused(draw):
    with pytest.raises(ValueError, match="at least one draw, found 0"):
        bootstrap(*draw(), accuracy, draws=0)

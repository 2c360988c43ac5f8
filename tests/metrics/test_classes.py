import math

import numpy as np
import pytest
import sklearn.metrics

from vitrine.metrics import resampling
from vitrine.metrics.classes import class_f1, confusion, per_class
from vitrine.metrics.intervals import wilson
from vitrine.metrics.paired import paired_bootstrap
from vitrine.metrics.resampling import bootstrap

TRUTH = np.array([0, 0, 1, 1, 2])
PREDICTED = np.array([0, 1, 1, 1, 0])


def test_confusion_has_the_true_class_down_and_keeps_the_row_of_an_absent_class():
    table = confusion(TRUTH, PREDICTED, categories=4)

    assert table.tolist() == [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_confusion_agrees_with_scikit_learn(draw):
    truth, probabilities = draw()
    labels = list(range(7))

    theirs = sklearn.metrics.confusion_matrix(truth, probabilities.argmax(axis=1), labels=labels)

    assert confusion(truth, probabilities, categories=7).tolist() == theirs.tolist()


def test_small_labels_do_not_overflow_the_table():
    truth = np.full(3, 19, dtype=np.int8)

    assert confusion(truth, truth, categories=20)[19, 19] == 3


def test_class_scores_match_five_images_counted_by_hand():
    first, second, third, absent = per_class(TRUTH, PREDICTED, categories=4)

    assert (first.support, first.predicted) == (2, 2)
    assert (first.precision, first.recall) == (wilson(1, 2), wilson(1, 2))
    assert (second.precision, second.recall) == (wilson(2, 3), wilson(2, 2))
    assert (third.recall, third.predicted) == (wilson(0, 1), 0)
    assert [c.f1.value for c in (first, second, third)] == pytest.approx([1 / 2, 4 / 5, 0])
    assert (absent.support, absent.predicted) == (0, 0)


def test_a_share_of_no_image_is_undefined_and_anything_is_possible():
    _, _, third, absent = per_class(TRUTH, PREDICTED, categories=4)

    for interval in (third.precision, absent.precision, absent.recall, absent.f1):
        assert math.isnan(interval.value)
        assert (interval.low, interval.high) == (0.0, 1.0)


def test_class_scores_agree_with_scikit_learn(draw):
    truth, probabilities = draw()

    ours = per_class(truth, probabilities, categories=7)
    theirs = sklearn.metrics.precision_recall_fscore_support(truth, probabilities.argmax(axis=1))

    for values, name in zip(theirs[:3], ("precision", "recall", "f1"), strict=True):
        assert [getattr(c, name).value for c in ours] == pytest.approx(values.tolist())
    assert [c.support for c in ours] == theirs[3].tolist()
    assert [c.label for c in ours] == list(range(7))
    assert all(c.f1.low < c.f1.value < c.f1.high for c in ours)


@pytest.mark.parametrize("block", [40_000_000, 5_000])
def test_the_classes_share_draws_and_have_the_very_interval_of_each_alone(block, monkeypatch):
    monkeypatch.setattr(resampling, "BLOCK", block)
    rng = np.random.default_rng(0)
    truth, given = rng.integers(0, 12, 90), rng.integers(0, 12, 90)
    truth[truth == 5], given[given == 5] = 4, 4  # a class that nothing names
    given[0] = truth[1] = 11
    truth[truth == 3], given[given == 3] = 2, 2
    truth[7] = 3  # of one image, which many draws leave out

    ours = per_class(truth, given, categories=14)

    named = set(truth.tolist()) | set(given.tolist())
    assert len(named) == 11
    for label in named:
        assert ours[label].f1 == bootstrap(truth, given, class_f1(label))
    assert all(math.isnan(ours[label].f1.value) for label in set(range(14)) - named)


def test_the_f1_of_a_class_can_be_compared_between_models(draw):
    truth, better = draw()
    worse = np.roll(better, 1, axis=1)

    gap = paired_bootstrap(truth, worse, better, class_f1(3))

    assert gap.value == class_f1(3)(truth, better) - class_f1(3)(truth, worse)
    assert gap.excludes_zero


def test_the_f1_of_a_class_neither_true_nor_predicted_is_undefined_and_not_zero():
    truth = np.array([0, 2, 2])

    assert math.isnan(class_f1(1)(truth, truth))
    assert class_f1(2)(truth, np.zeros(3, dtype=int)) == 0.0


def test_the_f1_of_a_class_that_is_never_seen_has_no_interval():
    with pytest.raises(ValueError, match="choose a class that is present"):
        bootstrap(TRUTH, PREDICTED, class_f1(3))


def test_a_label_beyond_the_classes_is_refused():
    with pytest.raises(ValueError, match="expected labels below 2, found 2"):
        confusion(TRUTH, PREDICTED, categories=2)

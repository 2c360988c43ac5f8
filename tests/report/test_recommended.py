import numpy as np
import pytest

from vitrine.data import splits
from vitrine.metrics.decision import least_confidence
from vitrine.metrics.temperature import apply_temperature, fit_temperature
from vitrine.report.ledger import recommended as values
from vitrine.report.recommended import RECOMMENDED, in_service
from vitrine.training import runs
from vitrine.training.recipes import RECIPES
from vitrine.training.runs.folds import place

FOLDS = splits.load_folds()


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Return answers of a made-up network that is right of 80 % and says it at 60 %."""
    base = tmp_path_factory.mktemp("runs")
    for fold in range(5):
        rng, split = np.random.default_rng(fold), FOLDS.fold(0, fold)
        tables = []
        for part in ("validation", "test"):
            frame = split.part(part)
            sure = rng.random(len(frame)) < 0.5
            right = rng.random(len(frame)) < np.where(sure, 1.0, 0.6)
            told = np.where(right, frame.label, (frame.label + 1) % 7)
            confident = np.where(sure, 3.0, 1.0) + rng.uniform(0, 0.5, len(frame))
            logits = confident[:, None] * np.eye(7)[told]
            odds = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            tables.append(runs.prediction_rows(frame, odds, part))
        data = {"images": len(split.frame), "split": split.name, "split_sha256": split.sha256,
                "manifest_sha256": "m"}  # fmt: skip
        folder = runs.RunFolder(RECIPES[RECOMMENDED], 0, base / place(0, fold))
        made = {
            "code": {"commit": "0" * 40, "dirty": False},
            "hardware": {"cpu": "c", "threads": 1},
        }
        folder.finish(tables, {"data": data} | made)
    return runs.across_folds(base=base)[RECOMMENDED][0]


def test_each_fold_chooses_its_temperature_and_threshold_on_its_own_validation(swept):
    served = in_service(swept)

    for fold, (validation, test) in enumerate(swept.by_fold()):
        heat = fit_temperature(validation.truth, validation.probabilities)
        assert served.temperatures[fold] == heat < 1  # it was right more often than it said
        told = apply_temperature(validation.probabilities, heat)
        least = least_confidence(validation.truth, told, accuracy=0.95)
        assert served.thresholds[fold] == least
        assert not set(validation.image) & set(test.image)
    assert len(served.answers.image) == len(swept.answers.image)
    assert (served.answers.image == swept.answers.image).all()
    assert (served.answers.predicted == swept.answers.predicted).all()


def test_a_model_answers_only_the_photos_that_it_is_sure_of(swept):
    served = in_service(swept)

    right = served.answers.predicted == served.answers.truth
    assert right[served.answered].mean() == pytest.approx(0.95, abs=0.02)
    assert 0.5 < served.answered.mean() < 0.7  # the half that it said surely, and few others


def test_a_laxer_demand_is_answered_more_often(swept):
    shares = [in_service(swept, accuracy=share).answered.mean() for share in (0.95, 0.5)]

    assert shares[0] + 0.2 < shares[1]


def test_what_the_ledger_says_of_it_is_counted_on_every_photo(swept):
    told = dict(values._served(swept))
    served = in_service(swept)

    right = (served.answers.predicted == served.answers.truth)[served.answered]
    assert told["recommended.coverage"].value == served.answered.mean()
    assert told["recommended.answered_accuracy"].value == right.mean()
    ranked = np.argsort(-served.answers.probabilities, axis=1)[~served.answered, :2]
    helped = (ranked == served.answers.truth[~served.answered][:, None]).any(axis=1)
    assert told["recommended.refused_top2"].value == pytest.approx(helped.mean())
    assert told["recommended.recall_least"].value < told["recommended.recall_most"].value
    assert abs(told["recommended.overconfidence_calibrated"].value) < 0.05
    assert told["recommended.overconfidence"].value < -0.1
    assert told["recommended.coverage"].n == len(FOLDS.frame)

"""Comparisons follow from the runs at hand: none waits for a line of code."""

from dataclasses import replace

import numpy as np
import pytest

from vitrine import paths
from vitrine.data import splits
from vitrine.report.ledger import folds, measures, mixers, pairs, verdicts
from vitrine.report.ledger.context import MARGIN
from vitrine.report.ledger.values import Value
from vitrine.training import runs
from vitrine.training.recipes import RECIPES, started_as
from vitrine.training.runs.folds import place

B0, TINY, PROBE = "efficientnet-b0-torch", "mambavision-tiny", "mobilenetv2-int8-probe"
FOLDS = splits.load_folds()
FACTS = {
    "parameters": 7, "hardware": {"device": "cpu", "cpu": "a processor", "gpu": None, "threads": 1},
    "timing": {"training_seconds": 60.0, "seconds": 61.0, "cpu_seconds": 60.0},
}  # fmt: skip


def answers(frame, skill, seed, *part):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(frame), 7))
    logits[np.arange(len(frame)), frame.label] += skill
    odds = np.exp(logits)
    return runs.prediction_rows(frame, odds / odds.sum(1, keepdims=True), *part)


def train(base, recipe, skill, seed=0, split=None):
    """Make a run that is right more often the larger the skill, with a history of one epoch."""
    split = split or splits.load()
    tables = [answers(split.part(p), skill, seed, p) for p in ("validation", "test")]
    data = {"images": len(split.frame), "split_sha256": split.sha256, "manifest_sha256": "m"}
    folder = runs.RunFolder(started_as(recipe), seed, base)
    folder.path.mkdir(parents=True)
    row = dict.fromkeys(runs.reading.HISTORY_COLUMNS, 0.5) | {"epoch": 1, "seconds": 60.0}
    folder.finish(tables, FACTS | {"data": data}, [row])


@pytest.fixture
def base(tmp_path, monkeypatch):
    """Return a folder of runs that holds a probe, on the published split and on all folds."""
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    test = splits.load().part("test")
    tables = [answers(test, 2.0, 9, "test")]
    for repeat in range(splits.REPEATS):
        number = FOLDS.frame[f"repeat_{repeat}"]
        for k in range(splits.FOLDS):
            name = f"repeat-{repeat}"
            tables.append(answers(FOLDS.frame[number == k], 2.0, (repeat, k), name, k))
    data = {"images": len(FOLDS.frame), "folds_sha256": FOLDS.sha256}
    runs.RunFolder(RECIPES[PROBE], 0, tmp_path).finish(tables, FACTS | {"data": data})
    return tmp_path


def test_three_runs_of_each_promised_recipe_bring_their_gap_their_test_and_their_verdict(base):
    for seed in range(3):
        train(base, B0, 1.0, seed)
        train(base, TINY, 3.0, seed + 10)

    values = measures.compute()

    gap = f"gap.{TINY}.{B0}"
    assert values[f"{gap}.accuracy"].low > 0.1
    assert values[f"{gap}.accuracy"].seeds == (0, 1, 2, 10, 11, 12)
    assert values[f"{gap}.holm"].value == values[f"{gap}.p"].value < 0.001
    verdict = verdicts.decide(values)[gap]
    assert verdict["state"] == "true"
    assert "« MambaVision (T) » fait mieux que « EfficientNet-B0, PyTorch »" in verdict["text"]


def test_runs_that_start_from_a_file_of_weights_stand_for_their_recipes_in_what_was_promised(base):
    b0, tiny = f"{B0}-tf_efficientnet_b0-0a1b2c3d", f"{TINY}-mambavision_t-4e5f6a7b"
    for seed in range(3):
        train(base, b0, 1.0, seed)
        train(base, tiny, 3.0, seed + 10)

    values = measures.compute()

    assert values[f"{tiny}.accuracy"].seeds == (10, 11, 12)
    assert values[f"gap.{tiny}.{b0}.accuracy"].low > 0.1
    verdict = verdicts.decide(values)[f"gap.{tiny}.{b0}"]
    assert verdict["state"] == "true"
    assert "« MambaVision (T, mambavision_t, 4e5f6a7b) » fait mieux" in verdict["text"]
    assert [pairs.rank(name) for name in (b0, tiny)] == [0, 0]


def test_a_recipe_that_nobody_named_is_compared_with_the_frozen_features(base):
    train(base, "mambavision-nano-scratch", 0.0)

    values = measures.compute()

    gap = f"gap.mambavision-nano-scratch.{PROBE}"
    assert values[f"{gap}.accuracy"].high < 0
    assert "fait moins bien que « MobileNetV2" in verdicts.decide(values)[gap]["text"]


def test_a_network_trained_on_folds_only_is_scored_and_compared_on_every_photo(base):
    for fold in range(splits.FOLDS):
        train(base / place(0, fold), B0, 4.0, split=FOLDS.fold(0, fold))
        train(base / place(0, fold), TINY, 4.0, seed=1, split=FOLDS.fold(0, fold))

    values = dict(folds.values())

    score = values[f"oof.{B0}.accuracy"]
    assert score.low < score.value < score.high
    assert (score.n, len(score.runs)) == (len(FOLDS.frame), splits.FOLDS)
    assert values[f"oof_gap.{TINY}.{B0}.p"].value > 0.05  # declared: it comes first
    assert values[f"oof_gap.{B0}.{PROBE}.accuracy"].low > 0  # nobody declared it
    assert f"oof_gap.{B0}.{PROBE}.cv_accuracy" not in values
    found = verdicts.decide(values)
    assert "aucune différence détectable" in found[f"oof_gap.{TINY}.{B0}"]["text"]
    assert found[f"oof_gap.{B0}.{PROBE}"]["state"] == "true"
    assert measures.published().keys() == {PROBE}


def test_probes_that_have_every_repetition_keep_their_gap_fold_by_fold():
    values = dict(folds.values())

    gap = f"oof_gap.{PROBE}.histogram-hog"
    assert values[f"{gap}.accuracy"].n == values[f"{gap}.cv_accuracy"].n == 1047
    (probe,) = runs.across_folds()[PROBE]
    right = (probe.answers.predicted == probe.answers.truth).mean()
    assert values[f"oof.{PROBE}.accuracy"].value == pytest.approx(right)


SCAN, *OTHERS = mixers.ARMS


def test_the_scan_is_compared_with_each_mixer_trained_on_every_fold_in_a_family_apart(base):
    for fold in range(splits.FOLDS):
        split = FOLDS.fold(0, fold)
        for recipe, skill in zip(mixers.ARMS, (2.0, 1.0, 2.0, 3.0), strict=True):
            train(base / place(0, fold), recipe, skill, seed=len(recipe), split=split)

    values = dict(mixers.values())

    identity, conv, attention = (f"oof_gap.{SCAN}.{other}" for other in OTHERS)
    assert values[f"{identity}.accuracy"].low > 0 > values[f"{attention}.accuracy"].high
    assert values[f"oof.{SCAN}.parameters"].value == FACTS["parameters"] / 1e6
    assert {value.notebook for value in values.values()} == {"07_a_armes_egales"}
    assert values[f"{conv}.holm"].value == values[f"{conv}.p"].value  # the last in line of three
    assert values[f"{identity}.holm"].value >= 2 * values[f"{identity}.p"].value
    found = verdicts.decide(values)
    assert found["scan_stands_out"]["state"] == "true"
    alike = {key: replace(value, value=1.0) for key, value in values.items() if "holm" in key}
    assert verdicts.decide(values | alike)["scan_stands_out"]["state"] == "undecided"
    assert "« MambaVision micro (balayage) »" in found[identity]["text"]
    assert not any("mixer" in key for key in dict(folds.values()))  # in no table of the comparison


def test_what_a_teacher_adds_is_a_family_apart(base):
    ((labels, taught),) = pairs.PAIRS["taught"]
    for fold in range(splits.FOLDS):
        split = FOLDS.fold(0, fold)
        for recipe, skill in ((labels, 1.0), (OTHERS[0], 1.0), (taught, 2.0)):
            train(base / place(0, fold), recipe, skill, seed=len(recipe), split=split)

    values = dict(mixers.values())

    gap = f"oof_gap.{taught}.{labels}"
    assert values[f"{gap}.accuracy"].low > 0
    assert values[f"{gap}.holm"].value == values[f"{gap}.p"].value  # alone in its family
    assert taught not in mixers.arms()
    assert verdicts.decide(values)["teacher_against_labels"]["state"] == "true"


def test_the_scan_is_compared_in_the_distilled_network_apart_from_the_one_from_scratch(base):
    for fold in range(splits.FOLDS):
        split = FOLDS.fold(0, fold)
        told = (*mixers.ARMS[:2], *mixers.DISTILLED[:3])
        for recipe, skill in zip(told, (1.15, 1.0, 1.3, 1.1, 1.0), strict=True):
            train(base / place(0, fold), recipe, skill, seed=len(recipe), split=split)

    values = dict(mixers.values())

    scan, identity, conv = mixers.DISTILLED[:3]
    gaps = [f"oof_gap.{scan}.{other}" for other in (identity, conv)]
    assert all(values[f"{gap}.accuracy"].low > 0 for gap in gaps)
    smallest = min(values[f"{gap}.p"].value for gap in gaps)
    strictest = min(values[f"{gap}.holm"].value for gap in gaps)
    assert strictest / smallest == pytest.approx(2)
    alone = f"oof_gap.{SCAN}.{OTHERS[0]}"
    assert values[f"{alone}.holm"].value == values[f"{alone}.p"].value  # in its own family
    assert list(mixers.arms(mixers.DISTILLED)) == [scan, identity, conv]
    assert list(mixers.arms()) == list(mixers.ARMS[:2])


def test_what_a_side_and_a_teacher_add_to_the_distilled_network_is_a_family_apart(base):
    family = pairs.PAIRS["stronger-student"]
    (labels,) = pairs.PAIRS["taught"]
    asked = dict.fromkeys(name for pair in (*family, labels) for name in pair)
    for fold in range(splits.FOLDS):
        for skill, recipe in enumerate(asked):
            split = FOLDS.fold(0, fold)
            train(base / place(0, fold), recipe, 1 + 0.15 * skill, seed=skill, split=split)

    values = dict(mixers.values())

    gaps = [f"oof_gap.{candidate}.{baseline}" for baseline, candidate in family]
    assert values[f"{gaps[0]}.accuracy"].low > 0
    smallest = min(values[f"{gap}.p"].value for gap in gaps)
    strictest = min(values[f"{gap}.holm"].value for gap in gaps)
    assert strictest / smallest == pytest.approx(4)
    scored = {key.split(".")[1] for key in values if key.startswith("oof.")}
    assert scored == {*asked} - {family[0][0], family[-1][0]}  # those have their own page


def test_a_scan_without_runs_or_alone_has_no_gap_and_nothing_is_said_to_be_shown(base):
    assert dict(mixers.values()) == {} == mixers.arms()
    for fold in range(splits.FOLDS):
        train(base / place(0, fold), SCAN, 2.0, split=FOLDS.fold(0, fold))

    values = dict(mixers.values())

    assert not any(key.startswith("oof_gap") for key in values)
    found = verdicts.decide(values)["scan_stands_out"]
    assert found["state"] == "undecided" and "rien n’établit" in found["text"]


def test_announced_comparisons_are_corrected_apart_from_those_that_came_later():
    made = ["histogram-hog", PROBE, "mambavision-nano-scratch", "majority", TINY, B0]

    announced, later = pairs.on_split(made)

    assert announced == [("histogram-hog", PROBE), (B0, TINY)]
    assert later == [(PROBE, "mambavision-nano-scratch"), (PROBE, B0)]


def test_every_recipe_meets_another_once_and_the_text_has_its_own_family():
    lite = "efficientnet-lite0-probe"
    photos, text = ["majority", "histogram-hog", PROBE], ["text-title", "title-and-image"]

    families = pairs.on_folds([*photos, lite, *text])

    assert families[0][:2] == [(PROBE, lite), ("histogram-hog", PROBE)]
    assert (lite, "histogram-hog") in families[0]
    every = [pair for family in families for pair in family]
    assert len({frozenset(pair) for pair in every}) == len(every)
    assert not any("majority" in pair for pair in every)


def test_without_frozen_features_only_declared_pairs_are_compared():
    assert pairs.on_split(["mambavision-nano-scratch", B0, "majority"]) == []


@pytest.mark.parametrize(
    ("low", "high", "state", "said"),
    [
        (-MARGIN, MARGIN, "true", "se valent, à la marge"),
        (-MARGIN - 0.01, 0.0, "undecided", "rien n’établit"),
        (MARGIN + 0.01, MARGIN + 0.02, "true", "diffèrent de plus"),
    ],
)
def test_two_libraries_are_worth_the_same_where_the_interval_stays_within_the_margin(
    low, high, state, said
):
    key = "oof_gap.efficientnet-lite0-torch.efficientnet-lite0-keras.accuracy"

    decided = verdicts.decide({key: Value(value=(low + high) / 2, low=low, high=high, unit="%")})

    assert decided["same_start_agrees"]["state"] == state
    assert said in decided["same_start_agrees"]["text"]


@pytest.mark.parametrize(("low", "state"), [(-0.01, "undecided"), (0.005, "true")])
def test_every_repetition_must_agree_with_the_first_where_both_sides_have_them(low, state):
    gap = "oof_gap.title-and-image.text-title"
    values = {
        f"{gap}.accuracy": Value(value=0.026, low=0.013, high=0.039, unit="%"),
        f"{gap}.cv_accuracy": Value(value=0.01, low=low, high=0.029, unit="%"),
        f"{gap}.holm": Value(value=0.0007, unit=""),
    }

    decided = verdicts.decide(values)

    assert decided[gap]["state"] == decided["image_helps_title"]["state"] == state


def test_verdicts_on_our_runs_name_the_network_that_they_speak_of():
    spoken = [c for c in verdicts.CLAIMS if c.key != "poc_below_power"]

    said = [text for c in spoken for text in (c.text, c.cautious, c.reverse or "")]

    assert not [text for text in said if "MambaVision" in text.replace("MambaVision micro", "")]

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from vitrine import paths
from vitrine.data import splits
from vitrine.data.catalog import CLASSES
from vitrine.data.corruptions import CORRUPTIONS
from vitrine.metrics.metrics import accuracy
from vitrine.report import ledger
from vitrine.report.ledger import context, controls, equal_start, measures, verdicts
from vitrine.report.ledger.context import clean
from vitrine.report.ledger.measures import COMPARISONS, fold_gaps, fold_scores, published
from vitrine.report.ledger.values import Value
from vitrine.training import runs
from vitrine.training.recipes import CONTROLS, RECIPES
from vitrine.training.runs import RunError

NAME = "mobilenetv2-int8-probe"
CITED = {f"mambavision-{size}" for size in "tsb"} | {"accuracy", "holm_bound"}


@pytest.fixture(scope="session")
def fresh():
    return ledger.compute()


def test_the_power_after_correction_is_that_of_the_comparisons_announced():
    values = context.values()
    alone, corrected = (values[f"power.smallest_gap{end}"].value for end in ("", "_corrected"))

    assert len(COMPARISONS) == context.ANNOUNCED
    assert alone < corrected < 100 * context.DISCORDANCE


def test_the_tracked_ledger_is_what_the_tracked_files_give(fresh, monkeypatch):
    monkeypatch.setattr(ledger, "compute", lambda: fresh)

    ledger.check()


def test_a_changed_value_is_noticed_and_named(fresh, tmp_path, monkeypatch):
    altered = json.loads(json.dumps(fresh))
    altered["values"][f"{NAME}.accuracy"]["value"] += 0.001
    text = json.dumps(altered, indent=1)
    path = tmp_path / "runs" / "ledger.json"
    path.parent.mkdir()
    path.write_text(text)
    monkeypatch.setattr(ledger, "_path", lambda: path)
    monkeypatch.setattr(ledger, "compute", lambda: fresh)

    with pytest.raises(ledger.LedgerError, match=rf"1 differences \({NAME}.accuracy\)") as refused:
        ledger.check()

    line = text[: text.index(f'"{NAME}.accuracy":')].count("\n") + 1
    assert str(refused.value).startswith(f"runs/ledger.json:{line}: expected")


def test_one_changed_prediction_is_noticed_in_the_values_that_rest_on_it(tmp_path, monkeypatch):
    run, folder = "histogram-hog/seed-0", tmp_path / "runs"
    shutil.copytree(paths.runs(), folder, ignore=shutil.ignore_patterns("weights"))
    table = pd.read_csv(folder / run / "predictions.csv", dtype=str)
    chances = [f"p_{label}" for label in range(len(CLASSES))]
    right = table[chances].astype(float).to_numpy().argmax(axis=1) == table.label.astype(int)
    first = table.index[right & (table.split == "test")][0]
    table.loc[first, chances] = np.roll(table.loc[first, chances], 1)
    table.to_csv(folder / run / "predictions.csv", index=False)
    monkeypatch.setattr(paths, "runs", lambda: folder)

    changed = ledger.compute()
    monkeypatch.setattr(ledger, "compute", lambda: changed)

    with pytest.raises(ledger.LedgerError, match=r"^runs/ledger\.json:\d+: expected"):
        ledger.check()
    tracked = json.loads((folder / "ledger.json").read_text())["values"]
    value = {key: entry["value"] for key, entry in changed["values"].items()}
    moved = {k for k in tracked if tracked[k]["value"] != pytest.approx(value[k], rel=1e-6)}
    lost = tracked["histogram-hog.accuracy"]["value"] - value["histogram-hog.accuracy"]
    assert lost == pytest.approx(1 / 158, rel=1e-5)
    assert f"gap.{NAME}.histogram-hog.accuracy" in moved
    assert all("histogram-hog" in key or key.endswith(".holm") for key in moved)


def made(base, seed, *, first=0, shift=0):
    """Return a run on twenty images, in the test part and in folds that may be shifted."""
    frame = pd.DataFrame(
        {"image": [f"{i}.jpg" for i in range(first, first + 20)], "label": np.arange(20) % 7}
    )
    given = np.random.default_rng(seed).dirichlet(np.ones(7), 20)
    tables = [runs.prediction_rows(frame, given, "test")]
    for repeat in range(splits.REPEATS):
        rows = runs.prediction_rows(frame, given, f"repeat-{repeat}")
        tables.append(rows.assign(fold=(np.arange(20) + shift) % splits.FOLDS))
    facts = {"parameters": 1, "hardware": {"cpu": "any", "threads": 1}}
    return runs.RunFolder(RECIPES["histogram-hog"], seed, base).finish(tables, facts)


@pytest.mark.parametrize("what", ["recipe", "calibration", "equal start", "gaps"])
def test_a_seed_that_answered_of_other_images_is_scored_with_no_other(tmp_path, monkeypatch, what):
    group = [made(tmp_path, 0), made(tmp_path, 1), made(tmp_path, 2, first=1)]
    monkeypatch.setattr(measures, "published", lambda: {"histogram-hog": group})
    score = {
        "recipe": measures.compute,
        "calibration": lambda: list(measures._calibration(group, "any")),
        "equal start": lambda: list(equal_start._on_photos(group)),
        "gaps": lambda: list(measures.gaps("a", "b", {"a": group[:1], "b": group})),
    }[what]

    with pytest.raises(RunError, match="seed-0 and .*seed-2 to predict the same images of the pa"):
        score()


def test_gaps_over_folds_compare_the_same_folds(tmp_path):
    run, other = made(tmp_path, 0), made(tmp_path, 1, shift=1)

    with pytest.raises(RunError, match="the same images of the fold 0 of repeat 0, found 8 images"):
        fold_gaps(run, other, accuracy)


def test_accuracy_is_the_share_of_right_answers_with_its_origin(fresh):
    run = runs.load(NAME)
    part = run.part("test")

    entry = fresh["values"][f"{NAME}.accuracy"]

    assert entry["value"] == pytest.approx((part.predicted == part.truth).mean())
    assert entry["low"] < entry["value"] < entry["high"]
    assert (entry["n"], entry["runs"], entry["seeds"]) == (158, [f"{NAME}/seed-0"], [0])
    assert entry["commit"] == run.meta["code"]["commit"][:7]
    assert entry["profile"] == "published"


def test_cross_validated_accuracy_is_the_mean_over_the_folds(fresh):
    run = runs.load(NAME)
    scores = [
        accuracy(part.truth, part.probabilities)
        for repeat in range(5)
        for part in (run.fold(repeat, fold) for fold in range(5))
    ]

    entry = fresh["values"][f"{NAME}.cv_accuracy"]

    assert entry["value"] == pytest.approx(np.mean(scores))
    spread = fresh["values"][f"{NAME}.cv_accuracy_sd"]
    assert spread["value"] == pytest.approx(100 * np.std(scores, ddof=1), rel=1e-6)
    assert spread["unit"] == "points"


def test_what_a_borrowed_part_costs_is_told_in_points(fresh):
    value = fresh["values"]

    low, high, gap = (value[f"{NAME}.loss_{name}"] for name in ("low", "high", "gap_low_high"))

    assert (low["unit"], high["unit"]) == ("points", "points")
    assert low["value"] - high["value"] == pytest.approx(100 * gap["value"], abs=1e-5)


def test_the_interval_over_folds_counts_the_images_trained_on_and_not_those_that_validate(fresh):
    parts = splits.load_folds().fold(0, 0).frame.part.value_counts()
    key = f"gap.{NAME}.histogram-hog.cv_accuracy"
    gaps = fold_scores(runs.load(NAME), accuracy) - fold_scores(
        runs.load("histogram-hog"), accuracy
    )
    assert np.array_equal(gaps, fold_gaps(runs.load("histogram-hog"), runs.load(NAME), accuracy))

    entry = fresh["values"][key]

    ratio = parts["test"] / parts["train"]
    reach = stdtrit(24, 0.975) * np.sqrt((1 / 25 + ratio) * gaps.var(ddof=1))
    assert entry["value"] == pytest.approx(gaps.mean())
    assert entry["high"] - entry["value"] == pytest.approx(reach, rel=0.01)
    assert entry["n"] == runs.load(NAME).table.image.nunique() == 1047


def test_answers_to_the_surest_photos_are_counted_on_photos_that_are_whole(fresh):
    values = fresh["values"]
    keys = [key for key in values if key.endswith(".accuracy_answered")]

    assert len(keys) > 3
    for key in keys:
        entry, every = values[key], values[key.replace("_answered", "_one_run")]
        right = entry["value"] * entry["n"]
        assert right == pytest.approx(round(right), abs=1e-4), key
        assert entry["n"] >= 0.8 * every["n"]
        assert entry["low"] < entry["value"] < entry["high"]
        assert entry["runs"] == every["runs"] and len(entry["runs"]) == 1


def test_overconfidence_is_a_mean_over_the_seeds_of_a_recipe(fresh):
    recipe = "efficientnet-b0-keras-scratch"
    parts = [run.part("test") for run in published()[recipe]]
    excess = [p.probabilities.max(axis=1).mean() - (p.predicted == p.truth).mean() for p in parts]

    entry = fresh["values"][f"{recipe}.overconfidence"]

    assert entry["value"] == pytest.approx(np.mean(excess))
    assert len(entry["runs"]) == len(parts) == 3


def test_data_counts_add_up(fresh):
    value = {key: entry["value"] for key, entry in fresh["values"].items()}

    assert value["data.train"] + value["data.validation"] + value["data.test"] == 1050
    assert value["data.present"] + value["data.absent"] == value["data.products"] == 1050
    assert value["data.test_leaked"] + value["data.test_clean"] == value["data.test"]


def test_an_image_with_a_duplicate_in_another_part_is_not_clean():
    from vitrine.data import facts

    pairs = facts.load("pairs")
    crossing = pairs[pairs.part_a != pairs.part_b].iloc[0]
    inside = pairs[pairs.part_a == pairs.part_b].iloc[0]

    assert not clean(np.array([crossing.image_a, crossing.image_b])).any()
    alone = set(pairs.image_a) | set(pairs.image_b)
    assert clean(np.array(["unknown.jpg"])).all()
    assert inside.image_a in alone


def test_cited_results_have_neither_interval_nor_run(fresh):
    cited = {key: entry for key, entry in fresh["values"].items() if key.startswith("poc.")}

    assert len(cited) == 26
    assert cited["poc.mambavision-t-1k-finetuned.accuracy"]["value"] == 0.8228
    assert all(entry["low"] is None and not entry["runs"] for entry in cited.values())


def test_a_smoke_value_cannot_enter(tmp_path):
    with pytest.raises(ValueError, match="a smoke run cannot enter the ledger"):
        Value(value=1.0, unit="%", runs=("majority-smoke/seed-0",))
    with pytest.raises(ValueError, match="a smoke run cannot enter the ledger"):
        Value(value=1.0, unit="%", profile="smoke")
    with pytest.raises(ValueError, match="expected a finite number"):
        Value(value=float("nan"), unit="%")


def entry(low, high):
    return Value(value=(low + high) / 2, unit="%", low=low, high=high)


def p_value(p):
    return Value(value=p, unit="")


@pytest.mark.parametrize(
    ("interval", "p", "said"),
    [
        ((0.01, 0.2), 0.001, "text"),
        ((-0.2, -0.01), 0.001, "reverse"),
        ((-0.1, 0.1), 0.001, "cautious"),
        ((0.01, 0.2), 0.2, "cautious"),
        ((0.0, 0.2), 0.001, "cautious"),
    ],
)
def test_a_verdict_follows_the_interval_and_its_test(interval, p, said):
    claim = next(c for c in verdicts.CLAIMS if c.key == "probe_beats_scratch")
    gap, test = claim.needs

    decided = verdicts.decide({gap: entry(*interval), test: p_value(p)})["probe_beats_scratch"]

    assert decided["text"] == getattr(claim, said)
    assert decided["state"] == ("undecided" if said == "cautious" else "true")


@pytest.mark.parametrize(
    ("folds", "said"),
    [(None, True), ((0.01, 0.05), True), ((-0.01, 0.05), None), ((-0.05, -0.01), None)],
)
def test_a_gap_on_every_photo_holds_only_where_repeated_folds_agree(folds, said):
    gap = "oof_gap.text-and-image.text-title"
    given = {
        f"{gap}.accuracy": Value(value=0.03, low=0.01, high=0.05, unit="%", source="test"),
        f"{gap}.holm": Value(value=0.01, unit="", source="test"),
    }
    if folds:
        low, high = folds
        more = {"value": (low + high) / 2, "low": low, "high": high}
        given[f"{gap}.cv_accuracy"] = Value(**more, unit="%", source="test")

    (claim,) = verdicts.of_every_test(given)

    assert claim.holds(given) is said


@pytest.mark.parametrize(
    ("interval", "said"),
    [((0.01, 0.2), "text"), ((-0.2, -0.01), "reverse"), ((-0.01, 0.2), "cautious")],
)
def test_probabilities_are_too_sure_where_confidence_exceeds_accuracy(interval, said):
    claim = next(c for c in verdicts.CLAIMS if c.key == "keras_miscalibrated")

    decided = verdicts.decide({claim.needs[0]: entry(*interval)})["keras_miscalibrated"]

    assert decided["text"] == getattr(claim, said)


@pytest.mark.parametrize(
    ("hog", "said"),
    [((-0.2, -0.1), "text"), ((-0.2, 0.1), "cautious"), ((0.1, 0.2), "reverse")],
)
def test_noise_is_the_worst_where_it_costs_every_model_more_than_the_next(hog, said):
    claim = next(c for c in verdicts.CLAIMS if c.key == "noise_breaks_all")
    beyond = {claim.needs[0]: entry(-0.3, -0.1), "histogram-hog.noise_beyond_next": entry(*hog)}

    decided = verdicts.decide(beyond)["noise_breaks_all"]

    assert decided["text"] == getattr(claim, said)


def test_noise_is_held_against_the_corruption_that_comes_closest_to_it(fresh):
    values = fresh["values"]
    recipes = [k.removesuffix(".noise_beyond_next") for k in values if k.endswith("_beyond_next")]

    assert len(recipes) > 3
    for recipe in recipes:
        others = [values[f"{recipe}.change_{o}_5"]["value"] for o in CORRUPTIONS if o != "noise"]
        beyond = values[f"{recipe}.change_noise_5"]["value"] - min(others)
        assert values[f"{recipe}.noise_beyond_next"]["value"] == pytest.approx(beyond)


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ((True, True, False), "text"), ((True, True, True), "reverse"),
        ((False, False, True), "cautious"), ((True, False, False), "cautious"),
    ],
)  # fmt: skip
def test_what_is_opposed_the_other_way_round_is_not_said_to_agree(above, said):
    claim = next(c for c in verdicts.CLAIMS if c.key == "networks_coarse_probe_fine")
    ends = [(0.1, 0.2) if up else (-0.2, -0.1) for up in above]

    decided = verdicts.decide({k: entry(*e) for k, e in zip(claim.needs, ends, strict=True)})

    assert decided[claim.key]["text"] == getattr(claim, said)


def test_a_claim_without_a_wording_for_its_contrary_is_false():
    claim = next(c for c in verdicts.CLAIMS if c.key == "duplicates_agree")
    assert claim.reverse is None

    decided = verdicts.decide({claim.needs[0]: p_value(3.0)})

    assert decided["duplicates_agree"]["state"] == "false"


def test_a_published_gap_that_might_stand_changes_the_wording(fresh):
    values = {
        key: Value(**{**entry, "seeds": (), "runs": ()})
        for key, entry in fresh["values"].items()
        if key.startswith("poc_gap.")
    }
    claim = next(c for c in verdicts.CLAIMS if c.key == "poc_below_power")
    surer = replace(values["poc_gap.mambavision-s.holm_bound"], value=0.049)

    before = verdicts.decide(values)["poc_below_power"]
    after = verdicts.decide(values | {"poc_gap.mambavision-s.holm_bound": surer})["poc_below_power"]

    assert (before["text"], after["text"]) == (claim.text, claim.reverse)


def test_published_gaps_are_bounded_by_the_photos_that_make_them(fresh):
    found = {
        size: [
            fresh["values"][f"poc_gap.mambavision-{size}.{key}"]["value"]
            for key in ("photos", "p_bound", "holm_bound")
        ]
        for size in "tsb"
    }

    assert found["t"] == [5, 2 / 2**5, 2 * 2 / 2**5]
    assert found["s"] == [3, 2 / 2**3, 2 / 2**3]
    assert found["b"] == [6, 2 / 2**6, 3 * 2 / 2**6]


def test_leaked_photos_are_counted_over_every_network_trained_from_scratch(fresh):
    tables = [run.table for runs in published().values() for run in runs if "scratch" in run.name]
    asked = pd.concat([table[table.split == "test"] for table in tables])
    asked["right"] = asked.filter(regex="^p_").to_numpy().argmax(axis=1) == asked.label
    leaked = ~clean(asked.image.to_numpy())

    found = {k.removeprefix("leaks."): v for k, v in fresh["values"].items() if "leaks." in k}

    assert (leaked.sum(), asked.right[leaked].sum()) == (
        found["answers"]["value"], found["right"]["value"],
    )  # fmt: skip
    assert found["right_elsewhere"]["value"] == pytest.approx(asked.right[~leaked].mean())
    assert len(found["right"]["runs"]) == len(tables)


@pytest.mark.parametrize(
    ("right", "p", "said"), [(64, 0.02, "text"), (64, 0.06, "cautious"), (30, 0.02, "reverse")]
)
def test_leaked_photos_are_easier_only_where_answers_and_their_test_say_so(right, p, said):
    numbers = {"right": right, "answers": 66, "right_elsewhere": 0.62, "p": p}
    values = {f"leaks.{key}": p_value(float(number)) for key, number in numbers.items()}
    claim = next(c for c in verdicts.CLAIMS if c.key == "leaks_are_easier")

    decided = verdicts.decide(values)["leaks_are_easier"]

    assert decided["text"] == getattr(claim, said)


def test_a_control_shows_its_gap_and_stands_in_no_table(fresh):
    recipes = {name.split("/")[0] for name in runs.names()} & set(CONTROLS)
    asked = {recipe for recipe in recipes if not recipe.endswith("-norm")}
    shown = {name for pair in controls.GAPS for name in pair}

    assert asked <= shown
    for recipe in asked:
        assert fresh["values"][f"{recipe}.accuracy"]["n"] == 158
        assert f"{recipe}.accuracy_clean" not in fresh["values"]


def test_tests_are_corrected_over_the_announced_comparisons(fresh):
    made = [pair for pair in COMPARISONS if set(pair) <= set(published())]
    keys = [f"gap.{candidate}.{baseline}.p" for baseline, candidate in made]
    plain = {key: fresh["values"][key]["value"] for key in keys}
    adjusted = {k: v["value"] for k, v in fresh["values"].items() if k.endswith(".holm")}
    smallest = min(plain, key=plain.get)

    assert len(made) == len(COMPARISONS)
    assert adjusted[smallest.removesuffix("p") + "holm"] == pytest.approx(
        min(1.0, len(plain) * plain[smallest]), rel=1e-6
    )


def test_scores_without_leaked_images_keep_every_seed(fresh):
    recipe = "efficientnet-b0-torch-scratch"
    group = published()[recipe]
    scores = []
    for run in group:
        part = run.part("test")
        kept = clean(part.image)
        scores.append((part.predicted == part.truth)[kept].mean())

    entry = fresh["values"][f"{recipe}.accuracy_clean"]

    assert entry["value"] == pytest.approx(np.mean(scores), rel=1e-6)
    assert entry["runs"] == [run.name for run in group]


def test_every_claim_of_the_book_is_decided_but_where_a_recipe_has_no_run(fresh):
    values, made = fresh["values"], {name.split("/")[0] for name in runs.names()}
    made |= {*runs.across_folds(), *equal_start.pretrained()}

    on_split = {name.split("/")[0] for name in runs.names()}
    for claim in verdicts.CLAIMS:
        keys = [key.split(".") for key in claim.needs]
        asked = {name for key in keys for name in key if name in RECIPES}
        asked |= {name for key in keys if key[0].endswith("gap") for name in key[1:3]} - CITED
        # A gap on the test images asks for runs of the split: those over folds do not make it.
        split = {name for key in keys if key[0] == "gap" for name in key[1:3]} - CITED
        told = asked <= made and split <= on_split | {*equal_start.pretrained()}
        assert (claim.key in fresh["verdicts"]) == told, claim.key
    tested = {key.removesuffix(".holm") for key in values if key.endswith(".holm")}
    assert set(fresh["verdicts"]) - {claim.key for claim in verdicts.CLAIMS} == tested
    assert "false" not in {verdict["state"] for verdict in fresh["verdicts"].values()}


def test_the_ledger_file_is_where_the_roles_read_it():
    assert json.loads((paths.runs() / "ledger.json").read_text())["schema"] == 1


def test_what_was_learned_and_counted_is_read_from_its_sheet(fresh):
    sheet = json.loads((paths.runs() / "bench" / "ssm.json").read_text())
    row = next(r for r in sheet["copying"] if r["layer"] == "selective")
    moved = {(r["form"], r["state"]): r["moved"] for r in sheet["traffic"]}

    values = fresh["values"]

    assert values["copying.selective"]["value"] == pytest.approx(row["scores"]["32"])
    assert values["copying.selective_longest"]["value"] == pytest.approx(row["scores"]["256"])
    assert values["copying.selective"]["n"] == 768
    saved = moved["reference", 8] / moved["chunked", 8]
    assert values["scan.traffic_saved"]["value"] == pytest.approx(saved)


def test_cited_ablations_say_that_they_are_cited(fresh):
    entry = fresh["values"]["ablation.pattern.last_half"]

    assert entry["value"] == pytest.approx(0.823)
    assert "cité" in entry["hardware"] and entry["low"] is None

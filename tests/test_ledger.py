import json

import numpy as np
import pytest

from vitrine import ledger, paths, runs
from vitrine.ledger import verdicts
from vitrine.ledger.measures import clean
from vitrine.ledger.values import Value, from_runs
from vitrine.scores.metrics import accuracy

NAME = "mobilenetv2-int8-probe"


@pytest.fixture(scope="session")
def fresh():
    return ledger.compute()


def test_the_tracked_ledger_is_what_the_tracked_files_give():
    ledger.check()


def test_a_changed_value_is_noticed_and_named(fresh, tmp_path, monkeypatch):
    altered = json.loads(json.dumps(fresh))
    altered["values"][f"{NAME}.accuracy"]["value"] += 0.001
    (tmp_path / "ledger.json").write_text(json.dumps(altered))
    monkeypatch.setattr(ledger, "_path", lambda: tmp_path / "ledger.json")

    with pytest.raises(ledger.LedgerError, match=rf"1 differences \({NAME}.accuracy\)"):
        ledger.check()


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
    assert fresh["values"][f"{NAME}.cv_accuracy_sd"]["value"] == pytest.approx(
        np.std(scores, ddof=1), rel=1e-6
    )


def test_data_counts_add_up(fresh):
    value = {key: entry["value"] for key, entry in fresh["values"].items()}

    assert value["data.train"] + value["data.validation"] + value["data.test"] == 1050
    assert value["data.present"] + value["data.absent"] == value["data.products"] == 1050
    assert value["data.test_leaked"] + value["data.test_clean"] == value["data.test"]


def test_an_image_with_a_duplicate_in_another_part_is_not_clean():
    from vitrine import facts

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
        from_runs(float("nan"), [runs.load(NAME)], unit="%")


def entry(low, high):
    return Value(value=(low + high) / 2, unit="%", low=low, high=high)


@pytest.mark.parametrize(
    ("interval", "state"),
    [((0.01, 0.2), "true"), ((-0.1, 0.1), "undecided"), ((-0.2, -0.01), "false")],
)
def test_a_verdict_follows_the_interval(interval, state):
    claim = next(c for c in verdicts.CLAIMS if c.key == "probe_beats_scratch")

    decided = verdicts.decide({claim.needs[0]: entry(*interval)})

    assert decided["probe_beats_scratch"]["state"] == state
    expected = claim.cautious if state == "undecided" else claim.text
    assert decided["probe_beats_scratch"]["text"] == expected


def test_every_claim_of_the_book_can_be_decided_today(fresh):
    assert {claim.key for claim in verdicts.CLAIMS} == set(fresh["verdicts"])
    assert "false" not in {verdict["state"] for verdict in fresh["verdicts"].values()}


def test_the_ledger_file_is_where_the_roles_read_it():
    assert json.loads((paths.runs() / "ledger.json").read_text())["schema"] == 1

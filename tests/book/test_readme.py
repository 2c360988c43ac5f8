import json

import pytest

from vitrine import paths
from vitrine.book import measurements
from vitrine.book.readme import refresh, results_markdown, update
from vitrine.report.fr import space
from vitrine.report.ledger import pairs
from vitrine.training.recipes import BESIDE, CONTROLS, EQUAL_START

PROBE = "mobilenetv2-int8-probe"
BEGIN, END = "<!-- résultats -->", "<!-- /résultats -->"
TIMES = "<!-- durées -->", "<!-- /durées -->"


@pytest.fixture
def ledger():
    return json.loads((paths.runs() / "ledger.json").read_text(encoding="utf-8"))


def rows(markdown):
    return [line for line in markdown.splitlines() if line.startswith("| ")][1:]


def test_readme_holds_the_results_of_the_ledger_and_the_durations_measured():
    readme = (paths.root() / "README.md").read_text(encoding="utf-8")

    assert refresh(readme) == readme, (
        "expected README.md up to date with runs/ledger.json and runs/bench/budget.json, found "
        "another table; write it again with vitrine.book.readme.update"
    )


def test_every_published_recipe_has_a_row_and_one_trained_on_folds_only_has_too(ledger):
    values = ledger["values"]
    seeds = {key.removesuffix(".seeds") for key in values if key.endswith(".seeds")}
    values["oof.efficientnet-b0-keras.accuracy"] = values[f"oof.{PROBE}.accuracy"]

    listed = [row.split("`")[1] for row in rows(results_markdown(ledger))]

    folds = {key.split(".")[1] for key in values if key.startswith("oof.")}
    expected = (seeds | folds) - {*EQUAL_START, *CONTROLS}  # a chapter of their own
    assert len(listed) == len(expected)
    assert set(listed) == expected


def test_fine_tuned_networks_lead_then_the_best_on_every_photo(ledger):
    values = ledger["values"]
    values["oof.efficientnet-b0-keras.accuracy"] = values["oof.majority.accuracy"]
    values["oof.efficientnet-b0-torch.accuracy"] = values[f"oof.{PROBE}.accuracy"]
    values["oof.histogram-hog.accuracy"] |= {"value": 0.99}

    listed = [row.split("`")[1] for row in rows(results_markdown(ledger))]

    led = ["efficientnet-b0-torch", "efficientnet-b0-keras", "histogram-hog"]
    assert [name for name in listed if name in led] == led
    assert all(pairs.rank(name) == 0 for name in listed[: listed.index("histogram-hog")])
    readers = [name in BESIDE for name in listed]
    assert readers == sorted(readers)  # the text comes last, whatever its score
    assert listed[readers.index(True) - 1] == "majority"


def test_a_score_stands_with_its_interval_and_nothing_is_bold(ledger):
    ledger["values"][f"{PROBE}.accuracy"] |= {"value": 0.7531, "low": 0.68, "high": 0.8149}

    row = next(r for r in rows(results_markdown(ledger)) if PROBE in r)

    assert "75,3\N{NARROW NO-BREAK SPACE}%\N{NO-BREAK SPACE}[68,0" in row
    assert "81,5]" in row
    assert "**" not in results_markdown(ledger)


def test_a_recipe_that_was_not_trained_on_folds_leaves_their_cell_empty(ledger):
    del ledger["values"][f"oof.{PROBE}.accuracy"]

    row = next(r for r in rows(results_markdown(ledger)) if PROBE in r)

    assert row.split(" | ")[2] == "–"


def test_the_verdicts_are_those_of_the_ledger(ledger):
    ledger["verdicts"]["probe_beats_scratch"]["text"] = "rien n’est dit"

    assert "- Rien n’est dit." in results_markdown(ledger)


@pytest.mark.parametrize(
    "text",
    ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{END}", f"{BEGIN}{END}", f"{BEGIN}{END}{TIMES[0]}"],
)
def test_readme_without_its_marks_is_refused(text):
    with pytest.raises(ValueError, match="once each and in this order"):
        refresh(text)


def test_updating_readme_changes_nothing_but_its_results_and_its_durations(tmp_path, monkeypatch):
    (tmp_path / "runs").symlink_to(paths.runs())
    (tmp_path / "README.md").write_text(
        f"avant\n{BEGIN}\nvieux\n{END}\naprès\n{TIMES[0]}\nvieux\n{TIMES[1]}\nfin\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))

    text = update().read_text(encoding="utf-8")

    assert text.startswith(f"avant\n{BEGIN}\n\n| Modèle |")
    assert (
        f"{END}\naprès\n{TIMES[0]}\n\n{space(measurements.measured(paths.root()))}\n\n{TIMES[1]}"
        in text
    )
    assert text.endswith(f"{TIMES[1]}\nfin\n")
    assert "vieux" not in text
    assert refresh(text) == text

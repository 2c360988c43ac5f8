from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import own_photos
from vitrine.data import catalog, project
from vitrine.data.dataset import Dataset
from vitrine.data.survey import listed
from vitrine.report import own
from vitrine.training.runs import Predictions, RunError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("report")
    photos = own_photos.write(place / "photos", per_class=20)
    table, _ = listed(photos)
    draft = Dataset(
        name="fruits",
        language="en",
        classes={},
        table=photos / "dataset.csv",
        photos=photos,
        folder=place / "shop" / "data",
    )
    return project.make(place / "shop", draft, table=table)


def answering(frame, right):
    """Return answers that are right on the first photos, and take the next class on the others."""
    frame = frame.sort_values("image")
    truth = frame.label.to_numpy()
    given = np.where(np.arange(len(truth)) % len(truth) < right, truth, (truth + 1) % 3)
    chances = np.full((len(truth), 3), 0.05)
    chances[np.arange(len(truth)), given] = 0.9
    return Predictions(frame.image.to_numpy(), truth, chances)


@pytest.fixture
def report(made, request):
    data = replace(made.data, folder=made.data.photos.parent / "shop" / "data")
    data = replace(data, table=data.folder / "dataset.csv")
    photos = catalog.load(data=replace(data, language=getattr(request, "param", "en")))
    answers = {"low": answering(made.split.frame, 20), "high": answering(made.split.frame, 55)}
    return own.OwnReport(photos, made.split, answers)


def test_both_languages_have_the_same_words():
    assert set(own.WORDS["fr"]) == set(own.WORDS["en"])


def test_the_photos_of_each_class_are_counted_by_part(report):
    table = report.data()

    assert table["Class"].tolist() == ["apple", "lime", "plum"]
    assert table["Total"].tolist() == [20, 20, 20]
    assert (table[["Training", "Validation", "Test"]].sum(axis=1) == 20).all()


def test_scores_have_their_intervals(report):
    table = report.scores().set_index("Model")

    assert table.loc["low", "Accuracy (%)"].startswith("33.3 [22.")
    assert table.loc["high", "Accuracy (%)"].startswith("91.7 [8")


def test_a_large_gap_is_settled_and_said_in_a_sentence(report):
    table, told = report.gaps(), report.verdicts()

    assert table.Verdict.tolist() == ["settled"]
    assert table.iloc[0, 2] == "< 0.001"
    assert len(told) == 1
    assert told[0].startswith("high does better than low: +58.3 [+")


def test_a_gap_of_nothing_is_not_settled(report):
    same = replace(report, answers={"a": report.answers["low"], "b": report.answers["low"]})

    assert same.gaps().Verdict.tolist() == ["not settled"]
    assert same.gaps().iloc[0, 2] == "1.000"
    assert "do not decide" in same.verdicts()[0]


def test_a_gap_to_the_disadvantage_of_the_second_is_told_from_the_first(report):
    turned = replace(report, answers=dict(reversed(report.answers.items())))

    assert turned.verdicts() == report.verdicts()


@pytest.mark.parametrize("report", ["fr"], indirect=True)
def test_a_report_in_french_has_its_commas(report):
    assert report.scores()["Exactitude (%)"][0].startswith("33,3 [22,")
    assert "fait mieux que" in report.verdicts()[0]


def test_a_model_alone_is_compared_with_none(report):
    alone = replace(report, answers={"low": report.answers["low"]})

    assert alone.gaps().empty and alone.verdicts() == []


def test_the_errors_are_shown_and_the_confusions_counted(report):
    wrong = report.confusions("high")
    pictures = report.errors("high")._repr_html_()

    assert report.best() == "high"
    assert wrong.to_dict("records") == [{"True class": "plum", "Class given": "apple", "Photos": 5}]
    assert pictures.count("<figure") == 5
    assert pictures.count('alt="plum, taken for apple at 90 %"') == 5


def test_no_error_is_said(report):
    perfect = replace(report, answers={"all": answering(report.split.frame, 60)})

    assert "No error." in perfect.errors("all")._repr_html_()
    assert isinstance(perfect.confusions("all"), pd.DataFrame)
    assert perfect.confusions("all").empty


def test_a_project_without_a_run_says_how_to_begin(monkeypatch):
    monkeypatch.setattr("vitrine.training.runs.across_folds", dict)

    with pytest.raises(RunError, match="start with `vitrine train majority`"):
        own.load()

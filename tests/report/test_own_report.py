from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import own_photos
from vitrine import paths
from vitrine.data import catalog, project
from vitrine.data.dataset import Dataset
from vitrine.data.splits import Split
from vitrine.data.survey import listed
from vitrine.explain.occlusion import occlusion
from vitrine.report import own, own_gallery
from vitrine.training import recipes
from vitrine.training.recipes import RecipeError
from vitrine.training.runs import Predictions, Run, RunError
from vitrine.training.trained import Kept


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


def test_a_small_gap_that_is_settled_is_told_for_the_better_one(report):
    close = {name: answering(report.split.frame, right) for name, right in (("a", 40), ("b", 48))}

    assert replace(report, answers=close).verdicts()[0].startswith("b does better than a: +13.3 [+")


def test_the_tests_of_several_pairs_are_corrected_together(report):
    frame = report.split.frame
    made = {name: answering(frame, n) for name, n in (("a", 40), ("m", 44), ("b", 48))}
    alone = {name: made[name] for name in ("a", "b")}

    together = replace(report, answers=made).gaps().set_index("Comparison")["Corrected p"]

    assert replace(report, answers=alone).gaps()["Corrected p"].tolist() == ["0.008"]
    assert together["b against a"] == "0.023"


def test_a_gap_of_nothing_is_not_settled(report):
    same = replace(report, answers={"a": report.answers["low"], "b": report.answers["low"]})

    assert same.gaps().Verdict.tolist() == ["not settled"]
    assert same.gaps().iloc[0, 1] == "0.0 [0.0, 0.0]"
    assert same.gaps().iloc[0, 2] == "1.000"
    assert "do not decide" in same.verdicts()[0]


def test_a_gap_to_the_disadvantage_of_the_second_is_told_from_the_first(report):
    turned = replace(report, answers=dict(reversed(report.answers.items())))

    assert turned.verdicts() == report.verdicts()
    assert turned.gaps().iloc[0, 1].startswith("\N{MINUS SIGN}58.3 [\N{MINUS SIGN}")


@pytest.mark.parametrize("report", ["fr"], indirect=True)
def test_a_report_in_french_has_its_commas(report):
    line = report.errors("high")._repr_html_()

    assert report.scores()["Exactitude (%)"][0].startswith("33,3 [22,")
    assert report.scores()["Exactitude (%)"][0].count("\N{NO-BREAK SPACE};\N{NO-BREAK SPACE}") == 1
    assert "fait mieux que" in report.verdicts()[0]
    assert "prise pour apple à 90\N{NO-BREAK SPACE}%" in line


@pytest.mark.parametrize(
    ("report", "folds"), [("fr", "3 plis sur 5"), ("en", "3 of 5 folds")], indirect=["report"]
)
def test_a_recipe_that_is_not_trained_on_every_fold_is_said_to_be_left_out(report, folds):
    assert report.left_out() == ""
    said = replace(report, unfinished={"low": 3, "high": 0}).left_out()

    assert f"low ({folds}), high (0 " in said and "`vitrine sweep`" in said


def test_a_model_alone_is_compared_with_none(report):
    alone = replace(report, answers={"low": report.answers["low"]})

    assert alone.gaps().empty and alone.verdicts() == []


def test_the_errors_are_shown_and_the_confusions_counted(report):
    wrong = report.confusions("high")
    pictures = report.errors("high")._repr_html_()

    assert report.best() == "high"
    assert wrong.to_dict("records") == [{"True class": "plum", "Class given": "apple", "Photos": 5}]
    assert pictures.count("<figure") == 5
    assert pictures.count('alt="plum, taken for apple at 90%"') == 5


def test_the_surest_error_is_shown_first(report):
    part = report.answers["low"]
    sure = part.probabilities.copy()
    wrong = np.flatnonzero(part.predicted != part.truth)
    sure[wrong] = np.where(sure[wrong] > 0.5, 0.6, 0.2)
    sure[wrong[7]] = np.where(part.probabilities[wrong[7]] > 0.5, 0.98, 0.01)
    unlike = replace(part, probabilities=sure)

    pictures = replace(report, answers={"m": unlike}).errors("m")._repr_html_()

    first, *others = [line.split('"')[0] for line in pictures.split('alt="')[1:]]
    assert first.endswith("at 98%") and all(line.endswith("at 60%") for line in others)


def test_no_error_is_said(report):
    perfect = replace(report, answers={"all": answering(report.split.frame, 60)})

    assert "No error." in perfect.errors("all")._repr_html_()
    assert isinstance(perfect.confusions("all"), pd.DataFrame)
    assert perfect.confusions("all").empty


def test_a_table_is_shown_with_the_style_of_the_theme_and_without_its_index(report):
    page = own.shown(report.scores()).to_html()

    assert '<table id="T_' in page and 'class="table"' in page
    assert "row_heading" not in page


def test_a_project_without_a_run_says_how_to_begin(monkeypatch):
    monkeypatch.setattr("vitrine.training.runs.across_folds", dict)

    with pytest.raises(RunError, match="start with `vitrine train majority`"):
        own.load()


def test_the_pairs_compared_are_those_announced(report):
    three = dict(report.answers, mid=report.answers["low"])
    announced = replace(report.catalog.dataset, comparisons=(("mid", "high"),))
    catalog_of = replace(report.catalog, dataset=announced)

    every = replace(report, answers=three).gaps()
    chosen = replace(report, answers=three, catalog=catalog_of).gaps()

    assert len(every) == 3
    assert chosen.Comparison.tolist() == ["high against mid"]


def test_an_announced_comparison_waits_for_its_runs(report, monkeypatch):
    told = replace(report.catalog.dataset, comparisons=(("low", "other"),))
    monkeypatch.setattr("vitrine.report.own.dataset.current", lambda: told)
    made = {"low": [SimpleNamespace(answers=report.answers["low"], runs=())]}
    monkeypatch.setattr("vitrine.training.runs.across_folds", lambda: made)

    with pytest.raises(RunError, match=r"of a comparison of vitrine.toml, found none of other"):
        own.load()


def test_runs_that_answer_for_other_photos_are_refused(report, monkeypatch):
    part = report.answers["low"]
    other = replace(part, image=np.array([f"other-{name}" for name in part.image]))
    made = {
        name: [SimpleNamespace(answers=one, runs=())] for name, one in (("a", part), ("b", other))
    }
    monkeypatch.setattr("vitrine.training.runs.across_folds", lambda: made)
    monkeypatch.setattr("vitrine.report.own.dataset.current", lambda: report.catalog.dataset)

    with pytest.raises(RunError, match="runs that answer for the same photos"):
        own.load()


def test_models_are_ranked_from_the_least_accurate(report, monkeypatch):
    made = {
        name: [SimpleNamespace(answers=report.answers[name], runs=())] for name in ("high", "low")
    }
    monkeypatch.setattr("vitrine.training.runs.across_folds", lambda: made)
    monkeypatch.setattr("vitrine.report.own.dataset.current", lambda: report.catalog.dataset)
    monkeypatch.setattr("vitrine.report.own.catalogue.load", lambda: report.catalog)
    monkeypatch.setattr("vitrine.report.own.splits.load", lambda: report.split)

    assert list(own.load().answers) == ["low", "high"]


def test_a_recipe_of_the_project_without_its_runs_is_told_and_one_that_is_none_refused(
    report, monkeypatch
):
    made = {"low": [SimpleNamespace(answers=report.answers["low"], runs=())]}
    monkeypatch.setattr("vitrine.training.runs.across_folds", lambda: made)
    monkeypatch.setattr("vitrine.training.runs.folds_made", lambda name: len(name))
    monkeypatch.setattr("vitrine.report.own.catalogue.load", lambda: report.catalog)
    monkeypatch.setattr("vitrine.report.own.splits.load", lambda: report.split)
    for name in ("majority", "majorty"):
        told = replace(report.catalog.dataset, recipes=(name,), comparisons=())
        monkeypatch.setattr("vitrine.report.own.dataset.current", lambda told=told: told)
        if name == "majority":
            assert own.load().unfinished == {"majority": len(name)}

    with pytest.raises(RecipeError, match="majorty"):
        own.load()


@pytest.mark.parametrize(("more", "rows"), [(0, 0), (1, 1)])
def test_a_class_alone_between_the_ends_is_named(report, more, rows):
    count = 2 * own.SHOWN + more
    frame = pd.DataFrame({"label": np.arange(count).repeat(2), "part": "train"})
    data = replace(report.catalog.dataset, classes={f"c{k}": f"C{k}" for k in range(count)})
    made = replace(
        report,
        catalog=replace(report.catalog, dataset=data),
        split=Split("published", frame, "0"),
    )

    assert len(made.data()) == 2 * own.SHOWN + rows
    assert not made.data()["Class"].str.contains("other").any()


def test_of_many_classes_the_largest_and_the_smallest_are_counted(report):
    count = 300
    names = {f"c{k}": f"C{k}" for k in range(count)}
    labels = np.repeat(np.arange(count), np.arange(count) % 7 + 3)
    frame = pd.DataFrame(
        {"label": labels, "part": np.resize(["train", "validation", "test"], len(labels))}
    )
    data = replace(report.catalog.dataset, classes=names)
    many = replace(
        report,
        catalog=replace(report.catalog, dataset=data),
        split=Split("published", frame, "0"),
    )

    table = many.data()

    assert len(table) == 2 * own.SHOWN + 1
    assert table["Class"][own.SHOWN] == "276 other classes"
    assert table["Total"].sum() == len(labels)
    assert table["Total"].tolist()[: own.SHOWN] == [9] * 12 and table["Total"].iloc[-1] == 3


def test_what_misleads_among_many_classes_is_a_short_list(report):
    count = 300
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(count), 4)
    chances = rng.dirichlet(np.ones(count), len(truth))
    part = Predictions(np.array([f"{k}.png" for k in range(len(truth))]), truth, chances)
    data = replace(report.catalog.dataset, classes={f"c{k}": f"C{k}" for k in range(count)})
    many = replace(report, catalog=replace(report.catalog, dataset=data), answers={"m": part})

    wrong = many.confusions("m")

    assert len(wrong) == own.SHOWN
    assert wrong.Photos.is_monotonic_decreasing


@pytest.fixture
def asked(report, monkeypatch):
    """Return a report whose best model answers by the red of the middle of a photo."""

    def predict(pixels):
        red = pixels[:, 16:32, 16:32, 0].mean(axis=(1, 2)) / 255
        return np.stack([red, (1 - red) / 2, (1 - red) / 2], axis=1)

    frame = report.split.part("test")
    chances = np.tile([0.9, 0.06, 0.04], (len(frame), 1))
    test = Predictions(frame.image.to_numpy(), frame.label.to_numpy(), chances)
    meta = {"recipe": recipes.find("histogram-hog").to_dict(), "seed": 0}
    run = Run("high/seed-0", paths.runs(), meta)
    monkeypatch.setattr(Run, "part", lambda *_: test)
    small = replace(recipes.find("histogram-hog"), image_size=48)
    model = Kept(small, predict, predict, None, None, {})
    monkeypatch.setattr("vitrine.training.runs.names", lambda: ["majority/seed-0", "high/seed-0"])
    monkeypatch.setattr("vitrine.training.runs.load", lambda name: run)
    monkeypatch.setattr("vitrine.training.trained.load", lambda *_: model)
    return report


def test_what_a_model_looks_at_is_shown_on_its_surest_errors(asked, monkeypatch):
    followed = []

    def hidden(predict, photo, label):
        followed.append(label)
        return occlusion(predict, photo, label)

    monkeypatch.setattr("vitrine.report.own.occlusion", hidden)

    pictures = asked.looks()._repr_html_()

    assert followed == [0] * own.LOOKED  # the class given, not the true one
    assert pictures.count("<figure") == own.LOOKED
    assert pictures.count("taken for apple at 90%") == 2 * own.LOOKED
    assert pictures.count("Histogram and HOG") == 1


def test_a_model_that_cannot_be_asked_again_is_passed_over(asked, monkeypatch):
    monkeypatch.setattr("vitrine.training.runs.names", lambda: ["other/seed-0"])

    assert "No model that was trained here" in asked.looks()._repr_html_()


def test_the_best_model_that_can_be_asked_is_asked(asked, monkeypatch):
    loaded = []
    found = own.runs.load("high/seed-0")
    monkeypatch.setattr("vitrine.training.runs.names", lambda: ["low/seed-0", "high/seed-0"])
    monkeypatch.setattr("vitrine.training.runs.load", lambda name: loaded.append(name) or found)

    asked.looks()

    assert loaded == ["high"]


def test_a_probe_of_very_many_photos_is_not_fitted_again(asked, monkeypatch):
    monkeypatch.setattr(own, "FITTED_AGAIN", 10)

    assert "No model that was trained here" in asked.looks()._repr_html_()


def test_the_constant_answer_looks_at_nothing(asked, monkeypatch):
    meta = {"recipe": recipes.find("majority").to_dict(), "seed": 0}
    monkeypatch.setattr("vitrine.training.runs.load", lambda name: Run(name, paths.runs(), meta))

    assert "No model that was trained here" in asked.looks()._repr_html_()


def test_a_lead_stands_over_pictures_alone():
    picture = np.zeros((8, 8, 3), dtype=np.uint8)

    assert (
        "histogram-hog" not in own_gallery.gallery([], "None.", lead="histogram-hog")._repr_html_()
    )
    assert (
        "histogram-hog"
        in own_gallery.gallery([(picture, "a line")], "None.", lead="histogram-hog")._repr_html_()
    )


def test_a_line_or_a_sentence_is_text_and_never_markup():
    picture = np.zeros((8, 8, 3), dtype=np.uint8)

    line = own_gallery.gallery([(picture, "<b>tea</b>")], "None.")._repr_html_()
    said = own_gallery.gallery([], "<b>none</b>")._repr_html_()

    assert "<b>" not in line + said
    assert line.count("&lt;b&gt;tea") == 2 and "&lt;b&gt;none" in said


def test_a_map_has_a_scale_of_its_own():
    photo = np.full((48, 48, 3), 128, dtype=np.uint8)
    drop = np.zeros((7, 7))
    drop[1, 5] = 0.4

    assert (own_gallery.heated(photo, drop) == own_gallery.heated(photo, drop / 10)).all()


def test_a_map_colours_what_the_answer_rests_on():
    photo = np.full((48, 48, 3), 128, dtype=np.uint8)
    drop = np.zeros((7, 7))
    drop[1, 5], drop[5, 1] = 0.4, -0.4

    shown = own_gallery.heated(photo, drop).astype(int)

    assert shown.shape == (own_gallery.SIDE, own_gallery.SIDE, 3)
    excess = shown[..., 0] - shown[..., 2]
    y, x = np.unravel_index(excess.argmax(), excess.shape)
    assert (y // 16, x // 16) == (1, 5)
    assert excess[80:96, 16:32].max() == 0


def test_a_map_of_nothing_colours_nothing():
    photo = np.full((48, 48, 3), 128, dtype=np.uint8)

    shown = own_gallery.heated(photo, np.full((7, 7), -0.1))

    assert np.ptp(shown) == 0

"""The equal start: its runs are kept apart, its numbers and sentences follow them."""

import numpy as np
import pytest

from vitrine import paths
from vitrine.data import splits
from vitrine.report import tables
from vitrine.report.figures import style, training
from vitrine.report.ledger import equal_start, measures, verdicts
from vitrine.report.names import gap_names, in_lines
from vitrine.training import recipes, runs
from vitrine.training.pretrain.fit import answers

HARDWARE = {"device": "cpu", "cpu": "a processor", "gpu": None, "threads": 1}
TIMING = {
    "training_seconds": 120.0, "seconds": 130.0, "cpu_seconds": 60.0, "images_per_second": 8.5,
    "peak_memory_mib": 1024, "waited_share": 0.0042,
}  # fmt: skip


def epoch(number, **more):
    row = dict.fromkeys(runs.reading.HISTORY_COLUMNS, 0.5)
    return row | {"epoch": number, "seconds": 60.0, **more}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a folder of runs: one recipe of each chapter and a pretraining, of known skill."""
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    rng, frames = np.random.default_rng(0), [splits.load().part("test")]
    skills = {"efficientnet-b0-short": 0.5, "efficientnet-b0-transfer": 3.0, "histogram-hog": 1.0}
    for (name, skill), seed in ((item, seed) for item in skills.items() for seed in (0, 1)):
        tables_ = []
        for frame in frames:
            logits = rng.normal(size=(len(frame), 7))
            logits[np.arange(len(frame)), frame.label] += skill
            odds = np.exp(logits)
            tables_.append(runs.prediction_rows(frame, odds / odds.sum(1, keepdims=True), "test"))
        folder = runs.RunFolder(recipes.find(name), seed)
        folder.path.mkdir(parents=True)
        folder.write_history([epoch(1), epoch(2)])
        folder.finish(tables_, {"hardware": HARDWARE, "timing": TIMING, "parameters": 7})
    learned = runs.RunFolder(recipes.find("efficientnet-b0-pretrain"), 0, tmp_path / "pretrain")
    learned.path.mkdir(parents=True)
    learned.write_history([epoch(n, val_top5=0.5, images=n * 500, waited=0.0) for n in (1, 2)])
    given = np.full((1000, 200), 0.001)
    given[:, :6] = np.linspace(0.2, 0.1, 6)
    learned.finish([answers(np.arange(1000) % 10, given)], {"hardware": HARDWARE, "timing": TIMING})
    return tmp_path


def test_the_runs_of_each_chapter_are_kept_apart(made):
    announced = measures.published()
    apart = measures.published(equal_start=True)

    assert list(announced) == ["histogram-hog"]
    assert list(apart) == ["efficientnet-b0-short", "efficientnet-b0-transfer"]
    assert [run.meta["seed"] for run in apart["efficientnet-b0-short"]] == [0, 1]


def test_a_pretraining_is_told_by_its_guesses_and_by_what_it_took(made):
    values = dict(equal_start.values())

    first, fifth = (values[f"efficientnet-b0-pretrain.top{k}"] for k in (1, 5))
    assert (first.value, fifth.value) == (0.1, 0.5)  # a class in ten, then five of them
    assert first.low < 0.1 < first.high
    assert values["efficientnet-b0-pretrain.images_seen"].value == 1000
    assert values["efficientnet-b0-pretrain.minutes"].value == 2
    assert values["efficientnet-b0-pretrain.processor_minutes"].value == 1
    assert values["efficientnet-b0-pretrain.waited"].value == 0.0042


def test_the_announced_gaps_are_corrected_among_themselves(made):
    values = dict(equal_start.values())

    gap = "gap.efficientnet-b0-transfer.efficientnet-b0-short"
    assert values[f"{gap}.accuracy"].low > 0.2
    assert values[f"{gap}.holm"].value == values[f"{gap}.p"].value  # it is alone
    assert values[f"{gap}.accuracy"].notebook == equal_start.NOTEBOOK
    decided = verdicts.decide(values)
    assert decided["pretraining_helps_b0"]["state"] == "true"
    assert "equal_images" not in decided


def test_a_control_is_beside_the_run_whose_setting_it_changes_and_in_no_table():
    controls = equal_start.controls()
    values = dict(equal_start.values())

    assert controls.keys() == {name for name in recipes.CONTROLS if name.endswith("-short-norm")}
    for name, (usual, changed) in controls.items():
        ours, theirs = (run.meta["recipe"] for run in (usual, changed))
        differ = {key for key in ours if ours[key] != theirs[key]}
        assert differ == {"name", "norm_momentum"}
        assert usual.history.train_loss.equals(changed.history.train_loss)
        before, after = (run.part("test").predicted for run in (usual, changed))
        assert values[f"{name}.changed"].value == (before != after).sum()
        assert f"{name}.accuracy" not in values
    groups = {**measures.published(), **measures.published(equal_start=True)}
    assert not groups.keys() & controls.keys()


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        (((1.0, 3.0), (2.0, 4.0)), "text"),
        (((-3.0, -1.0), (-2.0, -1.0)), "reverse"),
        (((-1.0, 3.0), (2.0, 4.0)), "cautious"),
        (((1.0, 3.0), (-4.0, -2.0)), "cautious"),
    ],
)
def test_the_momentum_is_cleared_only_if_both_of_its_values_agree(gaps, said):
    keys = [f"gap.{b}.{a}.accuracy" for a, b in equal_start.SAME_NORM]

    decided = verdicts.decide(dict(zip(keys, (value(*ends) for ends in gaps), strict=True)))

    claim = next(claim for claim in verdicts.CLAIMS if claim.key == "equal_norm")
    assert decided["equal_norm"]["text"] == getattr(claim, said)


def test_probes_stay_out_of_the_correction_of_the_published_gaps():
    values = dict(equal_start.values())

    corrected = {key for key in values if key.endswith(".holm")}
    announced = {f"gap.{b}.{a}.holm" for a, b in equal_start.COMPARISONS}
    by_folds = {f"gap.{b}.{a}.cv_accuracy" for a, b in equal_start.PROBES}
    assert corrected == announced
    assert by_folds <= values.keys()
    raw = sorted(values[key.removesuffix("holm") + "p"].value for key in corrected)
    assert min(values[key].value for key in corrected) == pytest.approx(raw[0] * len(corrected))


def test_what_pretraining_brings_is_said_of_as_many_epochs():
    for network, key in (("efficientnet-b0", "b0"), ("mambavision-micro", "micro")):
        claim = next(c for c in verdicts.CLAIMS if c.key == f"pretraining_helps_{key}")
        epochs = [recipes.find(f"{network}-{way}").epochs for way in ("transfer", "short")]

        assert epochs[0] == epochs[1] < recipes.find("efficientnet-b0-torch-scratch").epochs
        said = (claim.text, claim.cautious, claim.reverse)
        assert all("à nombre d’époques égal" in text for text in said)


def value(low, high):
    return measures.Value(value=(low + high) / 2, low=low, high=high, unit="%")


@pytest.mark.parametrize(
    ("micro", "said"),
    [
        ((0.3, 0.4), "avec une seule graine et un seul taux, MambaVision micro devance"),
        ((0.1, 0.3), "rien ne"),
        ((0.0, 0.1), "avec une seule graine et un seul taux, EfficientNet-B0 devance"),
    ],
)
def test_pretrainings_are_apart_when_their_intervals_are(micro, said):
    ledger = {
        "efficientnet-b0-pretrain.top1": value(0.2, 0.25),
        "mambavision-micro-pretrain.top1": value(*micro),
        "efficientnet-b0-pretrain.images_seen": value(9.0, 9.0),
        "mambavision-micro-pretrain.images_seen": value(9.0, 9.0),
    }

    text = verdicts.decide(ledger)["equal_images_learned"]["text"]

    assert text.removeprefix("à images égales, ").startswith(said)


def test_a_pretraining_that_spent_more_settles_nothing():
    ledger = {
        "efficientnet-b0-pretrain.top1": value(0.2, 0.25),
        "mambavision-micro-pretrain.top1": value(0.3, 0.4),
        "efficientnet-b0-pretrain.images_seen": value(9.0, 9.0),
        "mambavision-micro-pretrain.images_seen": value(9.0, 10.0),
    }

    decided = verdicts.decide(ledger)["equal_images_learned"]

    assert decided["state"] == "undecided"


def test_the_table_and_the_figure_show_each_pretraining(made):
    learned = equal_start.pretrained()
    scores = {"B0": [equal_start.first_guesses(run, k) for run in learned.values() for k in (1, 5)]}

    table = tables.pretrainings({"B0": learned["efficientnet-b0-pretrain"]}, scores)
    figure = training.pretrainings({name: run.history for name, run in learned.items()})

    row = table.set_index("Mesure")["B0"]
    assert row["Images vues (milliers)"] == "1,0"
    assert row["Attente des données"] == "0,42\N{NARROW NO-BREAK SPACE}%"
    assert row["Top-5"].startswith("50,0")
    assert [list(trace.x) for trace in figure.data] == [[0, 0.5, 1], [0, 1, 2]]
    assert figure.data[0].y[0] == 0.5  # a guess among two hundred


@pytest.mark.parametrize(
    ("recipe", "lines"),
    [
        ("mobilenetv2-int8-probe", ["MobileNetV2 int8,", "sonde linéaire"]),
        ("efficientnet-b0-keras-transfer", ["EfficientNet-B0,", "TensorFlow", "(fine-tuning)"]),
        ("efficientnet-b0-transfer-probe", ["EfficientNet-B0", "(sonde)"]),
        (
            "mambavision-micro-transfer-clock",
            ["MambaVision (micro,", "fine-tuning,", "à durée égale)"],
        ),
        ("histogram-hog", ["Histogramme et HOG"]),
        ("mambavision-micro-mixer-scan", ["MambaVision micro", "(balayage)"]),
    ],
)
def test_a_name_takes_as_many_lines_as_a_narrow_figure_needs(recipe, lines):
    assert style.model_lines(recipe).split("<br>") == lines


def test_every_pretraining_and_comparison_of_the_chapter_has_its_recipes():
    pairs = [*equal_start.COMPARISONS, *equal_start.PROBES]

    assert {name for pair in pairs for name in pair} <= set(recipes.EQUAL_START)
    assert set(equal_start.PRETRAINED) < set(recipes.EQUAL_START)


def test_a_gap_is_named_without_what_both_have_in_common_unless_two_would_have_one_name():
    b0, micro = "efficientnet-b0", "mambavision-micro"
    pairs = [(f"{b0}-{way}", f"{micro}-{way}") for way in ("short", "transfer")]
    others = [(f"{b0}-short", f"{b0}-transfer"), (f"{micro}-mixer-conv", f"{micro}-mixer-scan")]

    assert list(gap_names(pairs[:1]).values()) == ["MambaVision (micro) − EfficientNet-B0"]
    assert list(gap_names([*pairs, *others]).values()) == [
        "MambaVision (micro) − EfficientNet-B0 (de zéro, 20 époques)",
        "MambaVision (micro) − EfficientNet-B0 (fine-tuning)",
        "EfficientNet-B0 : fine-tuning − de zéro, 20 époques",
        "MambaVision micro : balayage − convolution",
    ]


def test_the_name_of_a_gap_breaks_where_a_side_is_too_long_for_a_narrow_figure():
    name = "EfficientNet-B0, TensorFlow (de zéro) − Histogramme et HOG"

    lines = in_lines(name).split("<br>")

    assert lines == ["EfficientNet-B0,", "TensorFlow (de zéro)", "− Histogramme et HOG"]

import math
from dataclasses import replace

import pytest

from vitrine.data import dataset
from vitrine.training import recipes
from vitrine.training.recipes import RECIPES, RecipeError

SCRATCH = RECIPES["efficientnet-b0-torch-scratch"]


LONGER = RECIPES["mambavision-nano-scratch"]
OTHERS = [r for r in RECIPES.values() if r.name.endswith("-scratch") and r not in (SCRATCH, LONGER)]


@pytest.mark.parametrize("other", OTHERS, ids=lambda r: r.name)
def test_every_network_trains_from_scratch_under_the_same_recipe(other):
    own = ("name", "trainer", "architecture", "windows", "norm_momentum", "precision")

    same = replace(SCRATCH, **{field: getattr(other, field) for field in own})

    assert same == other
    assert "fixed before the first run" in other.source


def test_the_small_network_has_the_recipe_of_the_others_and_a_longer_budget():
    compared = RECIPES["mambavision-micro-scratch"]

    changed = {f for f, value in LONGER.to_dict().items() if value != compared.to_dict()[f]}

    assert changed == {"name", "architecture", "epochs", "source"}
    assert LONGER.epochs > compared.epochs


def test_the_small_network_served_is_the_longer_one_taught_as_micro_is():
    served, helped = RECIPES["mambavision-nano-taught"], RECIPES["mambavision-micro-taught"]
    teaching = ("label_smoothing", "teacher", "teacher_size")

    changed = {f for f, value in served.to_dict().items() if value != LONGER.to_dict()[f]}

    assert changed == {"name", "source", *teaching}
    assert [getattr(served, f) for f in teaching] == [getattr(helped, f) for f in teaching]


def test_the_four_mixers_share_the_recipe_from_scratch_but_for_its_length():
    arms = [RECIPES[f"mambavision-micro-mixer-{m}"] for m in ("scan", "identity", "conv")]
    attention = RECIPES["mambavision-micro-mixer-attention"].to_dict()
    whole = RECIPES["mambavision-micro-scratch"].to_dict()

    own = {"name", "mixer"}
    for arm in arms:
        assert {f for f, value in arm.to_dict().items() if value != attention[f]} == own
    shorter = {field for field in whole if whole[field] != attention[field]}
    assert shorter == own | {"epochs", "warmup_epochs", "source"}
    assert [arm.mixer for arm in recipes.MIXERS] == 2 * ["scan", "identity", "conv", "attention"]


def test_the_distilled_network_meets_each_mixer_by_the_recipe_of_its_transfer():
    transfer = RECIPES["mambavision-micro-distilled-transfer"].to_dict()

    for arm in (recipe for recipe in recipes.MIXERS if recipe.weights != "none"):
        assert {f for f, v in arm.to_dict().items() if v != transfer[f]} == {"name", "mixer"}


def test_learning_rate_rises_then_follows_half_a_cosine_to_zero():
    rate = SCRATCH.learning_rate_at
    middle = (SCRATCH.warmup_epochs + SCRATCH.epochs) / 2

    assert rate(0.0) == 0
    assert rate(SCRATCH.warmup_epochs / 2) == pytest.approx(SCRATCH.learning_rate / 2)
    assert rate(float(SCRATCH.warmup_epochs)) == pytest.approx(SCRATCH.learning_rate)
    assert rate(middle) == pytest.approx(SCRATCH.learning_rate / 2)
    assert rate(float(SCRATCH.epochs)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label_smoothing": 1.0}, r"label_smoothing to be a value in \[0, 1\), found 1.0"),
        ({"crop_scale": 0.0}, r"crop_scale to be a value in \(0, 1\]"),
        ({"warmup_epochs": 100}, "warmup_epochs to be fewer than epochs=100"),
        ({"epochs": 0}, "epochs to be at least 1"),
        ({"learning_rate": -1.0}, "learning_rate to be a positive value"),
        ({"accumulate": 5}, "accumulate to be a divisor of batch_size=32"),
        ({"head_epochs": 3}, "head_epochs to be 0 without pretrained weights"),
        ({"trainer": "keras", "cutmix": 1.0}, "cutmix to be none: the Keras trainer"),
        ({"trainer": "keras", "mixer": "conv"}, "mixer to be none: the Keras trainer"),
        ({"trainer": "keras"}, "norm_momentum to be none: the Keras trainer"),
        (
            {"trainer": "keras", "norm_momentum": 0.0, "layer_decay": 0.7},
            "layer_decay to be 1: the Keras trainer",
        ),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused_by_name(change, message):
    with pytest.raises(RecipeError, match=f"recipe {SCRATCH.name}: expected {message}"):
        replace(SCRATCH, **change)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: r.name)
def test_every_recipe_names_its_source_and_has_a_miniature(recipe):
    small = recipe.smoke()

    assert RECIPES[recipe.name] is recipe
    assert len(recipe.source) > 5
    assert small.name == f"{recipe.name}-smoke"
    assert small.epochs <= 3
    assert small.image_size == 64


@pytest.mark.parametrize(
    ("weights", "kept"),
    [
        ("/srv/weights/model.safetensors", "model.safetensors"),
        ("pretrain/efficientnet-b0-pretrain/seed-0", "pretrain/efficientnet-b0-pretrain/seed-0"),
    ],
)
def test_a_run_keeps_no_folder_of_the_machine(weights, kept):
    saved = replace(SCRATCH, weights=weights).to_dict()

    assert saved["weights"] == kept
    assert saved == SCRATCH.to_dict() | {"weights": kept}


def test_an_unknown_recipe_names_its_neighbours():
    with pytest.raises(RecipeError, match="found 'efficientnet-b0-kera'.*efficientnet-b0-keras"):
        recipes.find("efficientnet-b0-kera")


def test_epoch_seeds_differ_by_seed_and_by_epoch():
    seeds = {recipes.epoch_seed(seed, epoch) for seed in range(20) for epoch in range(20)}

    assert len(seeds) == 400
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert recipes.epoch_seed(3, 5) == recipes.epoch_seed(3, 5)


@pytest.mark.parametrize(
    ("losses", "best"), [([2.0, 1.0, 1.5], 1), ([math.nan, 9.0], 1), ([math.inf, math.nan], 0)]
)
def test_the_best_epoch_is_never_one_that_diverged(losses, best):
    assert recipes.best_epoch(losses) == best


def test_patience_counts_epochs_since_the_best():
    patient = replace(SCRATCH, patience=2)

    assert not patient.stops([2.0, 1.0, 1.5])
    assert patient.stops([2.0, 1.0, 1.5, math.nan])
    assert not SCRATCH.stops([1.0] + [2.0] * 99)


@pytest.mark.parametrize(
    ("photos", "batch", "accumulate"), [(500, 32, 4), (32, 32, 4), (31, 31, 1), (2, 2, 1)]
)
def test_a_batch_is_no_larger_than_the_photos_that_there_are(photos, batch, accumulate):
    recipe = replace(recipes.find("efficientnet-lite0-torch"), batch_size=32, accumulate=4)

    fitting = recipe.for_photos(photos)

    assert (fitting.batch_size, fitting.accumulate) == (batch, accumulate)
    assert replace(fitting, batch_size=32, accumulate=4) == recipe


@pytest.fixture
def project(monkeypatch):
    def describe(**variation):
        told = {"name": "mine", "base": "histogram-hog"} | variation
        data = replace(dataset.current(), variations=(told,))
        monkeypatch.setattr(dataset, "current", lambda: data)

    return describe


def test_a_recipe_of_a_project_is_one_of_the_package_with_what_it_changes(project):
    project(image_size=64)

    found = recipes.find("mine")

    assert found == replace(
        recipes.find("histogram-hog"),
        name="mine",
        image_size=64,
        source="vitrine.toml, from histogram-hog",
    )


def test_a_recipe_of_a_project_writes_its_windows_as_an_array(project):
    project(base="mambavision-micro-scratch", windows=[4, 2])

    assert recipes.find("mine").windows == (4, 2)


@pytest.mark.parametrize(
    ("variation", "message"),
    [
        ({"base": "none"}, "a base among the package's recipes, found 'none'"),
        ({"base": "mine"}, "a base among the package's recipes, found 'mine'"),
        ({"size": 64}, "expected a setting of a recipe.*found size = 64"),
        ({"trainer": "torch"}, "one that its base leaves free, found trainer = 'torch'"),
        ({"image_size": "64"}, "expected a value of type int, found image_size = '64'"),
        ({"image_size": 0}, "recipe mine: expected image_size to be at least 1, found 0"),
        ({"flip": 1}, "expected a value of type bool, found flip = 1"),
        ({"windows": [8, "4"]}, r"expected a value of type tuple, found windows = \[8, '4'\]"),
    ],
)
def test_what_a_recipe_of_a_project_cannot_be_is_told(project, variation, message):
    project(**variation)

    with pytest.raises(RecipeError, match=message):
        recipes.find("mine")


@pytest.mark.parametrize("name", ["../mine", "Mine", "a b", ".x"])
def test_the_name_of_a_recipe_is_that_of_a_folder(project, name):
    project(name=name)

    with pytest.raises(RecipeError, match="a name of small letters, digits and hyphens"):
        recipes.find(name)


def test_the_recipes_of_a_project_are_among_the_nearest_to_a_name(project):
    project()

    with pytest.raises(RecipeError, match="or of vitrine.toml, found 'mime'; the nearest are mine"):
        recipes.find("mime")

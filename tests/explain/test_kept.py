import json
from dataclasses import replace

import numpy as np
import pytest

import apart
from vitrine.data import images
from vitrine.training import probe, recipes, trained
from vitrine.training.runs import RunError, load
from vitrine.training.trained import KeptError


def photos(split, catalog, side):
    return images.cached(catalog, split.part("test").image.tolist(), side)


def test_a_kept_network_gives_the_predictions_of_its_run(tiny_run, demo_split, demo_catalog):
    model = trained.load(tiny_run, demo_split, demo_catalog)

    given = model.predict(photos(demo_split, demo_catalog, 64))

    test = tiny_run.part("test")
    ordered = given[np.argsort(demo_split.part("test").image.to_numpy())]
    assert ordered == pytest.approx(test.probabilities, abs=1e-5)
    assert list(model.sha256) == ["model.pt"]


def test_the_last_layer_applied_to_the_features_gives_the_predictions(
    tiny_run, demo_split, demo_catalog
):
    import torch

    model = trained.load(tiny_run, demo_split, demo_catalog)
    pixels = photos(demo_split, demo_catalog, 64)

    with torch.no_grad():
        head = model.network[1].get_classifier()
        given = head(torch.from_numpy(model.features(pixels))).softmax(dim=1).numpy()

    assert given == pytest.approx(model.predict(pixels), abs=1e-5)


def test_a_run_on_letterboxed_photos_is_not_loaded_for_squashed_ones(
    demo_catalog, demo_split, tmp_path
):
    recipe = replace(recipes.find("histogram-hog").smoke(), letterbox=True)
    run = probe.fit(recipe, demo_split, demo_catalog, base=tmp_path)

    with pytest.raises(RunError, match="found histogram-hog-smoke/seed-0, on letterboxed ones"):
        trained.load(run, demo_split, demo_catalog)


def test_a_probe_is_fitted_again_to_the_same_answers(demo_catalog, demo_split, tmp_path):
    run = probe.fit(recipes.find("histogram-hog").smoke(), demo_split, demo_catalog, base=tmp_path)

    model = trained.load(load(run.name, tmp_path), demo_split, demo_catalog)

    given = model.predict(photos(demo_split, demo_catalog, 64))
    assert model.at_side is None
    assert given.sum(axis=1) == pytest.approx(1)


def test_what_a_seed_drew_for_a_probe_is_drawn_again(demo_catalog, demo_split, tmp_path):
    recipe = replace(recipes.find("histogram-hog").smoke(), architecture="timm:resnet10t")
    run = probe.fit(recipe, demo_split, demo_catalog, seed=1, base=tmp_path)

    model = trained.load(load(run.name, tmp_path), demo_split, demo_catalog)

    test = run.part("test")
    given = model.predict(images.cached(demo_catalog, test.image.tolist(), 64))
    assert given == pytest.approx(test.probabilities, abs=1e-4)


def test_a_probe_that_answers_otherwise_once_fitted_again_is_refused(
    demo_catalog, demo_split, tmp_path
):
    run = probe.fit(recipes.find("histogram-hog").smoke(), demo_split, demo_catalog, base=tmp_path)
    table = run.table
    table[["p_0", "p_6"]] = table[["p_6", "p_0"]].to_numpy()
    table.to_csv(run.folder / "predictions.csv", index=False)

    with pytest.raises(KeptError, match="expected the classifier fitted again to answer as"):
        trained.load(load(run.name, tmp_path), demo_split, demo_catalog)


@pytest.mark.parametrize("changed", ["drawn again", "no number"])
def test_weights_that_are_not_the_runs_are_refused(
    tiny_run, tiny_network, demo_split, demo_catalog, tmp_path, changed
):
    import shutil

    import torch

    from vitrine.explain.local import randomised

    folder = tmp_path / "tiny" / "seed-0"
    shutil.copytree(tiny_run.folder, folder)
    weights = randomised(tiny_network).state_dict()
    if changed == "no number":
        weights = {name: value + torch.nan for name, value in weights.items()}
    torch.save(weights, folder / "weights" / "model.pt")

    with pytest.raises(KeptError, match="expected the weights at hand") as refused:
        trained.load(load("tiny", tmp_path), demo_split, demo_catalog)
    assert refused.value.exit_code == 3


def test_a_run_without_its_weights_says_so(tiny_run, demo_split, demo_catalog, tmp_path):
    folder = tmp_path / "tiny" / "seed-0"
    folder.mkdir(parents=True)
    meta = json.loads((tiny_run.folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(meta))

    with pytest.raises(RunError, match="git does not keep them"):
        trained.load(load("tiny", tmp_path), demo_split, demo_catalog)


def test_a_fine_tuned_network_of_pytorch_is_rebuilt_without_its_first_weights(
    tiny_recipe, demo_split, demo_catalog, tmp_path
):
    import timm
    import torch

    from vitrine.training.torch import fit

    first = tmp_path / "first.pth"
    torch.save(timm.create_model("test_efficientnet", num_classes=10).state_dict(), first)
    tuned = {"weights": str(first), "epochs": 2, "head_epochs": 1}
    run = fit(replace(tiny_recipe, **tuned), demo_split, demo_catalog, base=tmp_path, threads=1)
    first.unlink()

    model = trained.load(run, demo_split, demo_catalog)

    assert model.recipe.head_epochs == 1
    names = run.part("test").image.tolist()
    given = model.predict(images.cached(demo_catalog, names, 64))
    assert given == pytest.approx(run.part("test").probabilities, abs=1e-5)


FINE_TUNED_KERAS = """
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
import keras
import numpy as np
from keras.src.applications import efficientnet
from vitrine.data import catalog, images, splits
from vitrine.training import trained, recipes
from vitrine.training.runs import RunFolder
from vitrine.training.keras import build, predict

folder, base = map(Path, sys.argv[1:3])
photos, first = catalog.load(folder), base / "first.weights.h5"
split = splits.draw(photos)
keras.utils.set_random_seed(0)
source = keras.applications.EfficientNetB0(
    include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg"
)
mean, deviation = (np.array(v, "float32") for v in ([.485, .456, .406], [.229, .224, .225]))
for layer in source.layers:
    if isinstance(layer, keras.layers.Normalization):  # as Keras's file of ImageNet has them
        layer.set_weights([mean, deviation, np.array(0)])
    elif isinstance(layer, keras.layers.BatchNormalization):
        rng = np.random.default_rng(len(layer.name))
        layer.set_weights([w + 0.1 * np.abs(rng.normal(size=w.shape)) for w in layer.get_weights()])
source.save_weights(first)
recipe = replace(recipes.find("efficientnet-b0-keras").smoke(), weights=str(first), epochs=2)

pixels = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
efficientnet.file_utils.get_file = lambda *_, **__: str(first)
theirs = keras.applications.EfficientNetB0(
    include_top=False, weights="imagenet", input_shape=(64, 64, 3), pooling="avg"
)(pixels.astype("float32"), training=False)
for weights in ("imagenet", str(first)):
    network = build(replace(recipe, weights=weights))
    ours = keras.Model(network.input, network.get_layer("head").input)
    gap = ours(pixels.astype("float32"), training=False) - theirs
    print(float(np.abs(gap).max() / np.abs(theirs).max()))

folder, network = RunFolder(recipe, 0, base), build(recipe)
folder.prepare(resume=False)
network.save_weights(folder.weights / "model.weights.h5")
facts = {"hardware": {"device": "cpu"}, "timing": {}}
run = folder.seal(split, photos, partial(predict, network), facts)
first.unlink()
model = trained.load(run, split, photos)
test = run.part("test")
again = model.predict(images.cached(photos, test.image.tolist(), 64))
print(float(np.abs(again - test.probabilities).max()))
"""


def test_a_fine_tuned_network_of_keras_starts_as_in_keras_and_is_rebuilt_without_its_first_weights(
    demo_catalog, tmp_path
):
    done = apart.keras(FINE_TUNED_KERAS, demo_catalog.folder, tmp_path)

    from_imagenet, from_file, rebuilt = map(float, done.stdout.split())
    assert from_imagenet < 1e-4 and from_file < 1e-4  # the order of the sums differs
    assert rebuilt < 2e-5

"""Occlusion of a Keras network, asked through its ONNX file and asked itself."""

import numpy as np
import pytest

import apart
from vitrine.explain import exported
from vitrine.explain.occlusion import occlusion
from vitrine.training import recipes
from vitrine.training.trained import KeptError

KERAS = """
import sys
from pathlib import Path
import keras
import numpy as np
from vitrine.training import recipes
from vitrine.explain.occlusion import occlusion
from vitrine.training.keras import build, predict

folder = Path(sys.argv[1])
keras.utils.set_random_seed(0)
network = build(recipes.find("efficientnet-b0-keras-scratch").smoke())
photos = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
photos[0, :32, :32] = 255
for layer in network.get_layer("backbone").layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.momentum = 0.0  # statistics of these photos: fresh ones would stifle every answer
network(photos.astype("float32"), training=True)
network.save_weights(folder / "model.weights.h5")
own = predict(network, photos)
grid = occlusion(lambda pixels: predict(network, pixels), photos[0], 2, places=5)
np.savez(folder / "keras.npz", photos=photos, own=own, grid=grid)
"""


@pytest.fixture(scope="module")
def keras_network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    apart.keras(KERAS, folder)
    said = dict(np.load(folder / "keras.npz"))
    recipe = recipes.find("efficientnet-b0-keras-scratch").smoke()
    return exported.graph(recipe, folder / "model.weights.h5"), said


def test_a_keras_network_is_occluded_through_its_file_as_it_is_itself(keras_network):
    model, said = keras_network

    predict = exported.answering(model, lambda _: said["own"], said["photos"])

    assert predict(said["photos"]) == pytest.approx(said["own"], abs=5e-5)
    found = occlusion(predict, said["photos"][0], 2, places=5)
    assert found == pytest.approx(said["grid"], abs=1e-4)
    assert np.abs(said["grid"]).max() > 1e-2  # and there was something to find


@pytest.mark.parametrize("told", ["moved", "no number"])
def test_a_file_that_answers_otherwise_than_its_network_is_refused(keras_network, told):
    model, said = keras_network
    others = np.roll(said["own"], 1, axis=1) if told == "moved" else said["own"] * np.nan

    with pytest.raises(KeptError, match="expected the exported file to answer as its network"):
        exported.answering(model, lambda _: others, said["photos"])

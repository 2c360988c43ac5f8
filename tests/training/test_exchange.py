"""EfficientNet's weights between Keras and timm, and what they compute on either side."""

import json
import zipfile

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

import apart
from vitrine.data import images
from vitrine.training import exchange, recipes
from vitrine.training.exchange import ExchangeError

# A Keras network whose statistics are those of a batch, as after training, and its answers.
KERAS = """
import sys
import keras, numpy as np
from vitrine.training import recipes
from vitrine.training.keras import network as networks

keras.utils.set_random_seed(0)
network = networks.build(recipes.find("efficientnet-b0-keras-scratch").smoke())
rng = np.random.default_rng(0)
shift = {"bias": 0.1, "beta": 0.1, "gamma": 0.2}
networks.fill(network, {
    name: array + rng.normal(0, shift.get(name.rpartition("/")[2], 0), array.shape)
    for name, array in networks.arrays(network).items()
})
pixels = rng.integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
for layer in network.get_layer("backbone").layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.momentum = 0
network(pixels.astype(np.float32), training=True)
logits = network(pixels.astype(np.float32), training=False).numpy()
np.savez(sys.argv[1], pixels, logits, **networks.arrays(network))
"""

# The other way: Keras starts a transfer from what timm learned; only the head is its own.
BACK = """
import sys
import numpy as np
from dataclasses import replace
from safetensors.numpy import load_file, save_file
from vitrine.training import exchange
from vitrine.training import recipes
from vitrine.training.keras import network as networks

weights, photos, answers = sys.argv[1:]
pixels = np.load(photos)
recipe = recipes.find("efficientnet-b0-keras-transfer")
network = networks.build(replace(recipe, image_size=pixels.shape[1], weights=weights))
learned = exchange.to_keras(load_file(weights))
network.get_layer("head").set_weights([learned["head/kernel"], learned["head/bias"]])
np.save(answers, network(pixels.astype(np.float32), training=False).numpy())
try:
    networks.build(replace(recipe, architecture="EfficientNetB1", weights=weights))
except recipes.RecipeError as error:
    print(error)
state = load_file(weights)
del state["conv_stem.weight"]
save_file(state, cut := answers.replace("keras.npy", "cut.safetensors"))
try:
    networks.build(replace(recipe, weights=cut))
except recipes.RecipeError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def in_keras(tmp_path_factory):
    """Return weights, photos and logits that Keras computed in a process of its own."""
    path = tmp_path_factory.mktemp("keras") / "network.npz"
    apart.keras(KERAS, path)
    arrays = dict(np.load(path))
    return arrays.pop("arr_0"), arrays.pop("arr_1"), arrays


def test_the_network_of_keras_answers_the_same_in_timm(in_keras):
    from vitrine.training import recipes
    from vitrine.training.torch.network import build

    pixels, logits, arrays = in_keras
    network = build(recipes.find("efficientnet-b0-torch-scratch").smoke()).eval()

    state = exchange.to_torch(arrays)
    network[1].load_state_dict({name: torch.from_numpy(a) for name, a in state.items()})
    with torch.inference_mode():
        found = network(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()

    assert np.ptp(logits, axis=0).min() > 0.1  # the photos are told apart
    np.testing.assert_allclose(found, logits, rtol=5e-5, atol=5e-5)


def test_a_network_of_timm_answers_the_same_in_keras_for_real_photos(shared, tmp_path):
    from vitrine.training.torch.network import build

    with zipfile.ZipFile(shared / "flipkart" / "flipkart-320.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[::90]
        pixels = np.stack([images.preprocess(archive.read(name), 224) for name in names])
    photos = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    torch.manual_seed(0)
    network = build(recipes.find("efficientnet-b0-torch-scratch"))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # the statistics become those of the photos
            torch.nn.init.normal_(module.weight, 1, 0.2)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    with torch.no_grad():
        network.train()(photos)
        logits = network.eval()(photos).numpy()

    told = {"name": "a-run/seed-0", "recipe": {"architecture": "tf_efficientnet_b0"}}
    (tmp_path / "run.json").write_text(json.dumps(told))
    (tmp_path / "weights").mkdir()
    files = [tmp_path / name for name in ("weights/model.safetensors", "photos.npy", "keras.npy")]
    save_file(network[1].state_dict(), files[0])
    np.save(files[1], pixels)
    done = apart.keras(BACK, *files)

    assert (
        "expected weights of tf_efficientnet_b1, found those of tf_efficientnet_b0" in done.stdout
    )
    assert "of EfficientNetB0 in cut.safetensors, found others" in done.stdout
    assert "stem_conv/kernel is on one side only" in done.stdout
    assert len(pixels) == 12
    assert np.ptp(logits, axis=0).min() > 0.1  # the photos are told apart
    np.testing.assert_allclose(np.load(files[2]), logits, rtol=0, atol=1e-4)


def test_the_weights_come_back_to_keras_as_they_left(in_keras):
    _, _, arrays = in_keras

    back = exchange.to_keras(exchange.to_torch(arrays))

    assert back.keys() == arrays.keys()
    assert all(np.array_equal(back[name], arrays[name]) for name in arrays)


def test_the_weights_of_timm_come_back_as_they_left():
    model = timm.create_model("tf_efficientnet_b1", num_classes=7)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}

    back = exchange.to_torch(exchange.to_keras(state))

    assert back.keys() == {name for name in state if not name.endswith("num_batches_tracked")}
    assert all(np.array_equal(back[name], state[name]) for name in back)


@pytest.mark.parametrize(
    ("direction", "name"),
    [
        (exchange.to_torch, "block8a_dwconv/kernel"),
        (exchange.to_torch, "block1a_expand_conv/kernel"),
        (exchange.to_torch, "stem_bn/kernel"),
        (exchange.to_keras, "blocks.7.0.conv_dw.weight"),
        (exchange.to_keras, "blocks.0.0.conv_pwl.weight"),
        (exchange.to_keras, "blocks.0.0.bn1.kernel"),
        (exchange.to_keras, "layer4.0.conv1.weight"),
    ],
)
def test_a_weight_of_another_network_is_refused(direction, name):
    with pytest.raises(ExchangeError, match="name of a weight of an EfficientNet"):
        direction({name: np.zeros((1, 1, 1, 1))})


def test_the_architecture_has_a_name_on_either_side():
    assert exchange.torch_architecture("EfficientNetB3") == "tf_efficientnet_b3"
    with pytest.raises(ExchangeError, match="found 'ResNet50'"):
        exchange.torch_architecture("ResNet50")

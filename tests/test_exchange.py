"""EfficientNet's weights between Keras and timm, and what they compute on either side."""

import subprocess
import sys

import numpy as np
import pytest
import timm
import torch

from vitrine import exchange
from vitrine.exchange import ExchangeError

# A Keras network whose statistics are those of a batch, as after training, and its answers.
KERAS = """
import sys
import keras, numpy as np
from vitrine import recipes
from vitrine.train_keras import network as networks

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


@pytest.fixture(scope="module")
def in_keras(tmp_path_factory):
    """Return weights, photos and logits that Keras computed in a process of its own."""
    path = tmp_path_factory.mktemp("keras") / "network.npz"
    subprocess.run([sys.executable, "-W", "ignore", "-c", KERAS, str(path)], check=True)
    arrays = dict(np.load(path))
    return arrays.pop("arr_0"), arrays.pop("arr_1"), arrays


def test_the_network_of_keras_answers_the_same_in_timm(in_keras):
    from vitrine import recipes
    from vitrine.train_torch.network import build

    pixels, logits, arrays = in_keras
    network = build(recipes.find("efficientnet-b0-torch-scratch").smoke()).eval()

    state = exchange.to_torch(arrays)
    network[1].load_state_dict({name: torch.from_numpy(a) for name, a in state.items()})
    with torch.inference_mode():
        found = network(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()

    assert np.ptp(logits, axis=0).min() > 0.1  # the photos are told apart
    np.testing.assert_allclose(found, logits, rtol=5e-5, atol=5e-5)


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

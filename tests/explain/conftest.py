"""A tiny network of PyTorch with its run, and a function that looks at one place of a photo."""

from functools import partial

import numpy as np
import pytest

from vitrine.training.recipes import Recipe
from vitrine.training.runs import RunFolder

TINY = Recipe(
    name="tiny",
    trainer="torch",
    architecture="test_efficientnet",
    image_size=64,
    epochs=1,
    learning_rate=1e-3,
    source="a test",
)
FACTS = {"hardware": {"device": "cpu"}, "timing": {}}


@pytest.fixture(scope="session")
def tiny_recipe():
    return TINY


@pytest.fixture(scope="session")
def tiny_network():
    import torch

    from vitrine.training.torch.network import build

    torch.manual_seed(0)
    return build(TINY).eval()


@pytest.fixture(scope="session")
def tiny_run(tiny_network, demo_split, demo_catalog, tmp_path_factory):
    import torch

    from vitrine.training.torch.network import predict

    folder = RunFolder(TINY, 0, tmp_path_factory.mktemp("runs"))
    folder.prepare(resume=False)
    torch.save(tiny_network.state_dict(), folder.weights / "model.pt")
    return folder.seal(demo_split, demo_catalog, partial(predict, tiny_network), FACTS)


@pytest.fixture
def corner_model():
    """Answer class 1 as surely as the upper left quarter is dark, and look at nothing else."""

    def predict(pixels):
        half = pixels.shape[1] // 2
        dark = 1 - pixels[:, :half, :half].mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - dark, dark], axis=1)

    return predict

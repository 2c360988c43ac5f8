import jaxtyping
import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def draw(rng):
    """Truth and probabilities of a fair model; ``sharpness`` other than 1 makes it dishonest."""

    def sample(images=158, categories=7, sharpness=1.0):
        logits = 1.5 * rng.normal(size=(images, categories))
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        truth = (rng.random((images, 1)) > chances.cumsum(axis=1)).sum(axis=1)
        scaled = np.exp(sharpness * logits)
        return truth.clip(max=categories - 1), scaled / scaled.sum(axis=1, keepdims=True)

    return sample


@pytest.fixture
def outside_tests():
    """Shapes are checked only under test: let the arrays through as a user's would be."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)

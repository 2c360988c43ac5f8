"""A linear head learned by gradient descent on frozen features, as fine-tuning scripts do.

It stands beside the logistic regression of ``probe``, which is brought to its optimum: what differs
between the two is the training of the head alone.

Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv 1711.05101.
"""

import numpy as np
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator

from vitrine.training.recipes import Recipe, epoch_seed

__all__ = ["Head", "fit"]


class Head(BaseEstimator):
    """A learned head, which answers as a classifier of scikit-learn does.

    Args:
        weight: Slope of each class along each feature.
        bias: What each class adds.
    """

    def __init__(
        self, weight: Float[np.ndarray, "category feature"], bias: Float[np.ndarray, " category"]
    ) -> None:
        self.weight, self.bias = weight, bias
        self.classes_ = np.arange(len(bias))

    def predict_proba(
        self, features: Float[np.ndarray, "image feature"]
    ) -> Float[np.ndarray, "image category"]:
        """Return the softmax of each image."""
        logits = features @ self.weight.T + self.bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)


def fit(
    recipe: Recipe,
    features: Float[np.ndarray, "image feature"],
    labels: Int[np.ndarray, " image"],
    *,
    classes: int,
    seed: int = 0,
) -> Head:
    """Learn a head with AdamW, at a constant rate, on the features as they are.

    Args:
        recipe: Its ``epochs``, ``batch_size``, ``learning_rate`` and ``weight_decay`` are read.
        features: Features of the training part.
        labels: Its classes.
        classes: Outputs of the head.
        seed: Draws the first weights, as PyTorch's linear layer does, and the order of the images.
    """
    import torch

    generator = torch.Generator().manual_seed(epoch_seed(seed, 0))
    edge = features.shape[1] ** -0.5
    weight, bias = (
        torch.empty(shape).uniform_(-edge, edge, generator=generator).requires_grad_()
        for shape in ((classes, features.shape[1]), (classes,))
    )
    adamw = torch.optim.AdamW(
        [weight, bias], lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    given = torch.from_numpy(np.array(features, dtype=np.float32))
    truth = torch.from_numpy(np.array(labels))
    for _ in range(recipe.epochs):
        for batch in torch.randperm(len(given), generator=generator).split(recipe.batch_size):
            loss = torch.nn.functional.cross_entropy(given[batch] @ weight.T + bias, truth[batch])
            adamw.zero_grad()
            loss.backward()
            adamw.step()
    return Head(weight.detach().numpy(), bias.detach().numpy())

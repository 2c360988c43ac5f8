"""Patience runs out for every process at once."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from vitrine.training import recipes
from vitrine.training.torch.classifier import Classifier


@pytest.mark.parametrize(("losses", "said"), [([1.0, 0.5], True), ([0.5, 1.0], False)])
def test_the_first_process_says_for_all_that_patience_has_run_out(losses, said):
    recipe = replace(recipes.find("mambavision-nano-scratch").smoke(), patience=1)
    module = Classifier(recipe, seed=0, steps=1)
    module.history = [{"val_loss": loss} for loss in losses]
    heard = []
    strategy = SimpleNamespace(broadcast=lambda mine: heard.append(mine) or said)
    module.trainer = SimpleNamespace(strategy=strategy, should_stop=False)

    module.on_train_start()

    assert module.trainer.should_stop is said
    assert heard == [not said]

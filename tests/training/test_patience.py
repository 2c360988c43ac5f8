"""Patience runs out for every process at once; an epoch freezes what its recipe says."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from torch import nn

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


@pytest.mark.parametrize("kept", [False, True])
def test_batch_normalisation_stays_as_it_was_learned_where_a_recipe_says_so(kept):
    recipe = replace(recipes.find("mambavision-nano-scratch").smoke(), frozen_norm=kept)
    module = Classifier(recipe, seed=0, steps=1)
    module.trainer = SimpleNamespace(current_epoch=0, global_rank=0)

    module.on_train_epoch_start()

    norms = [part for part in module.model[1].modules() if isinstance(part, nn.BatchNorm2d)]
    assert len(norms) > 3
    assert {norm.training for norm in norms} == {not kept}
    assert {norm.weight.requires_grad for norm in norms} == {not kept}
    assert module.model[1].training

"""Training is interrupted as a command is, and goes on from a whole checkpoint alone."""

from dataclasses import replace

import pytest
import torch

from vitrine.training import recipes
from vitrine.training.runs import RunError, names
from vitrine.training.torch import fit
from vitrine.training.torch import trainer as engine


class Interrupted:
    """A trainer that Lightning ends as it ends one at Ctrl-C."""

    interrupted = True

    def fit(self, *_, **__):
        """Exit."""
        raise SystemExit(1)


def learn(trainer, last):
    engine.learn.__wrapped__(trainer, None, last=last, name="a/seed-0")


def test_an_interruption_is_no_failure(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        learn(Interrupted(), tmp_path / "absent.ckpt")


def test_another_exit_is_left_as_it_is(tmp_path):
    trainer = Interrupted()
    trainer.interrupted = False

    with pytest.raises(SystemExit):
        learn(trainer, tmp_path / "absent.ckpt")


def test_a_damaged_checkpoint_is_told_and_a_whole_one_is_read(tmp_path):
    last = tmp_path / "last.ckpt"
    torch.save({"epoch": 1}, last)
    with pytest.raises(KeyboardInterrupt):
        learn(Interrupted(), last)

    last.write_bytes(last.read_bytes()[:-30])
    with pytest.raises(RunError, match=r"whole checkpoint in last\.ckpt, found a damaged file"):
        learn(Interrupted(), last)


def test_a_loss_that_diverges_stops_the_training_and_seals_nothing(
    demo_catalog, demo_split, tmp_path
):
    recipe = replace(
        recipes.find("efficientnet-b0-torch-scratch").smoke(), name="lost", learning_rate=1e30
    )

    with pytest.raises(RunError, match="recipe lost: expected a finite loss, found nan in epoch"):
        fit(recipe, demo_split, demo_catalog, base=tmp_path, device="cpu", threads=1)

    assert names(tmp_path) == []

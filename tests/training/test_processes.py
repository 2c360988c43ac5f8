"""Two processes learn what one does, at an equal batch, where nothing depends on the batch."""

import os
import subprocess
import sys
from pathlib import Path

import learn_shared_batch
import numpy as np
import pytest
from learn_shared_batch import EPOCHS, WITH_THEM, WITHOUT_STATISTICS

from vitrine.training import recipes, runs
from vitrine.training.torch import trainer

TOLERANCE = 1e-5
"""Largest relative difference of a loss: that of sums of floats in another order."""


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Return the folder of the runs of one process, and of those of two."""
    alone, together = (tmp_path_factory.mktemp(name) for name in ("alone", "together"))
    environment = os.environ | {
        "PYTHONPATH": str(Path(runs.__file__).parents[3]), "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    both = subprocess.Popen(
        [*torchrun, learn_shared_batch.__file__, together],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    learn_shared_batch.main(alone)
    _, errors = both.communicate()
    assert both.returncode == 0, errors[-3000:]
    return {1: alone, 2: together}


def gap(learned, name, column):
    """Return the largest relative difference of a column between one process and two."""
    alone, together = (runs.load(name, learned[n]).history[column].to_numpy() for n in (1, 2))
    assert len(alone) == len(together) == EPOCHS
    return float(np.abs(together / alone - 1).max())


def test_without_batch_statistics_two_processes_have_the_losses_of_one(learned):
    assert gap(learned, WITHOUT_STATISTICS, "train_loss") < TOLERANCE
    assert gap(learned, WITHOUT_STATISTICS, "val_loss") < TOLERANCE


def test_batch_normalisation_sees_its_own_process_alone_and_departs(learned):
    assert gap(learned, WITH_THEM, "train_loss") > 100 * TOLERANCE


def test_two_processes_share_the_images_and_one_of_them_writes_the_run(learned):
    for name in (WITHOUT_STATISTICS, WITH_THEM):
        alone, together = (runs.load(name, learned[count]) for count in (1, 2))

        assert (alone.meta["processes"], together.meta["processes"]) == (1, 2)
        assert alone.history.images.tolist() == together.history.images.tolist() == [64, 128, 192]
        assert alone.history.train_loss.is_monotonic_decreasing
        assert (alone.table.label == together.table.label).all()


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("efficientnet-lite0-torch", "ddp_find_unused_parameters_true"),  # its norms do not learn
        ("efficientnet-b0-torch-scratch", "ddp"),
    ],
)
def test_processes_are_told_of_parameters_that_do_not_learn(monkeypatch, name, strategy):
    asked, alone = {}, trainer.L.Trainer(accelerator="cpu", logger=False)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(trainer.L, "Trainer", lambda **options: asked.update(options) or alone)

    trainer.trainer(recipes.find(name), "cpu")

    assert (asked["strategy"], asked["devices"], asked["num_nodes"]) == (strategy, 2, 1)

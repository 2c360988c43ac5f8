"""The classifier of a pretraining: augmentation on the device, time budget, teacher, top-5."""

import logging
import time
from collections.abc import Sequence
from typing import Any

from jaxtyping import UInt8
from torch import Tensor

from vitrine.training.pretrain.batches import Augment
from vitrine.training.recipes import Recipe
from vitrine.training.torch.classifier import Classifier, divergence

__all__ = ["TOP", "Learner"]

log = logging.getLogger(__name__)

TELLS = 60.0
"""Seconds between two lines of progress within an epoch."""
TOP = 5
"""How many guesses a right answer may be among, beside the first alone."""


class Learner(Classifier):
    """A classifier that learns a corpus, by passes or by the clock.

    By the clock, the schedule follows the seconds of training spent, validation left out, and
    training ends with them. What was lost to an interruption since the last whole epoch is not
    counted; such a run cannot be repeated bit for bit, since its rates depend on durations.

    Args:
        recipe: What to train and how.
        seed: Seed of the run.
        steps: Optimiser steps in an epoch.
        classes: Number of classes to tell apart.
    """

    def __init__(self, recipe: Recipe, seed: int, steps: int, classes: int) -> None:
        super().__init__(recipe, seed, steps, classes)
        self.draw = Augment(recipe)
        self.spent, self.idle_since, self.told_at = 0.0, 0.0, 0.0

    def augment(
        self, pixels: UInt8[Tensor, "batch channel height width"]
    ) -> UInt8[Tensor, "batch channel size size"]:
        """Return the batch cropped, mirrored and changed at random."""
        return self.draw(pixels)

    def judge(self, batch: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss of a batch and its logits: how far they are from a teacher's, if any."""
        if not self.recipe.teacher:
            return super().judge(batch)
        pixels, _, draws, answers = batch
        logits = self.model[1](self.scaled(self.draw.cut(pixels, draws.T.cpu())))
        return divergence(answers, logits), logits

    def passes(self, step: int) -> float:
        """Return where the schedule stands, from the steps done or from the seconds spent."""
        if not self.recipe.budget:
            return super().passes(step)
        self.spent = self.trainer.strategy.broadcast(self._seconds())
        return self.recipe.epochs * min(1.0, self.spent / self.recipe.budget)

    def _seconds(self) -> float:
        before = float(sum(row["seconds"] for row in self.history))
        return before + (time.perf_counter() - self.sums["clock"] if self.sums else 0.0)

    @property
    def over(self) -> bool:
        """Whether the budget is spent; never where passes are counted."""
        return bool(self.recipe.budget) and self.spent >= self.recipe.budget

    def on_train_start(self) -> None:
        """Do not begin an epoch when an interrupted run had spent its budget already."""
        super().on_train_start()
        self.spent = sum(row["seconds"] for row in self.history)
        self.trainer.should_stop = self.trainer.should_stop or self.over

    def on_train_epoch_start(self) -> None:
        """Begin an epoch, and to count the time that goes by without a batch."""
        super().on_train_epoch_start()
        self.sums["waited"] = 0.0
        self.told_at = self.idle_since = time.perf_counter()

    def on_train_batch_start(self, batch: Sequence[Tensor], batch_idx: int) -> None:
        """Count the time since the last batch: reading, moving to the device, bookkeeping."""
        self.sums["waited"] += time.perf_counter() - self.idle_since

    def on_train_batch_end(self, outputs: Any, batch: Sequence[Tensor], batch_idx: int) -> None:
        """Move the average of the weights, tell how far the epoch is, and end with the budget."""
        super().on_train_batch_end(outputs, batch, batch_idx)
        self.trainer.should_stop = self.trainer.should_stop or self.over
        self.idle_since = time.perf_counter()
        if self.idle_since - self.told_at >= TELLS and self.trainer.is_global_zero:
            self.told_at, seen = self.idle_since, self.sums["seen"]
            log.info(
                "epoch %d, step %d/%d: train loss %.3f, %.0f images/s",
                self.current_epoch + 1, batch_idx + 1, self.trainer.num_training_batches,
                self.sums["loss"] / seen, seen / (self.idle_since - self.sums["clock"]),
            )  # fmt: skip

    def on_validation_epoch_start(self) -> None:
        """Begin to count the right answers among the first guesses."""
        super().on_validation_epoch_start()
        self.sums["val_top5"] = 0

    def validation_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        """Accumulate the loss, the accuracy and the right answers among the first guesses."""
        logits = super().validation_step(batch, _)
        ranked = logits.topk(min(TOP, logits.shape[1])).indices
        self.sums["val_top5"] += (ranked == batch[1][:, None]).any(dim=1).sum().item()
        return logits

    def row(self, sums: dict[str, float]) -> dict[str, float | int]:
        """Return the epoch with its top-5, the images seen since the start, and the wait."""
        before = self.history[-1]["images"] if self.history else 0
        return super().row(sums) | {
            "val_top5": sums["val_top5"] / sums["val_seen"],
            "images": before + int(sums["seen"]),
            "waited": sums["waited"] / sums["seconds"],
        }

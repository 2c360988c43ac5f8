"""A classifier in training, as Lightning wants it: loss, schedule, history, checkpoints."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from lightning.pytorch.callbacks import Checkpoint
from timm.data import Mixup
from timm.loss import SoftTargetCrossEntropy
from timm.optim import create_optimizer_v2
from timm.utils import ModelEmaV3
from torch import Tensor, nn

from vitrine.data import dataset
from vitrine.training.recipes import Recipe, best_epoch, epoch_seed
from vitrine.training.runs import RunFolder, require_finite
from vitrine.training.torch.network import build, set_head

__all__ = ["BEST", "LAST", "Classifier", "EpochCheckpoint", "divergence"]

LAST, BEST = "last.ckpt", "best.ckpt"
SHARED = ("loss", "hits", "seen")
"""Sums over the images of an epoch, of which each process sees its share."""

Pixels = UInt8[Tensor, "batch channel height width"]


def divergence(
    answers: Float[Tensor, "image category"], logits: Float[Tensor, "image category"]
) -> Float[Tensor, ""]:
    """Return the mean Kullback-Leibler divergence from a teacher's answers to a student's.

    Source: Hinton et al., Distilling the Knowledge in a Neural Network, arXiv 1503.02531, at a
    temperature of 1.

    Args:
        answers: Log-probabilities of the teacher, in any precision.
        logits: Of the student, for the same pixels.
    """
    taught = answers.float().log_softmax(dim=1)  # rounded, their exponentials no longer sum to 1
    learned = logits.float().log_softmax(dim=1)
    return F.kl_div(learned, taught, log_target=True, reduction="batchmean")


class Classifier(L.LightningModule):
    """A network in training: its loss, optimiser, schedule, average of weights and history.

    Args:
        recipe: What to train and how.
        seed: Seed of the run.
        steps: Optimiser steps in an epoch.
        classes: Number of classes to tell apart; by default, those of the project's data set.
        teacher: Answers for a batch, as it is shown to the network, with the logits to learn
            instead of the labels; none learns the labels.
    """

    def __init__(
        self,
        recipe: Recipe,
        seed: int,
        steps: int,
        classes: int | None = None,
        teacher: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        classes = classes or len(dataset.current().classes)
        self.recipe, self.run_seed, self.steps, self.teacher = recipe, seed, steps, teacher
        self.model = build(recipe, classes).to(memory_format=torch.channels_last)
        self.ema = ModelEmaV3(self.model, decay=recipe.ema_decay) if recipe.ema_decay else None
        if self.ema:
            self.ema.requires_grad_(False)  # several processes would wait for its gradients
        self.mixup = (
            Mixup(
                mixup_alpha=recipe.mixup, cutmix_alpha=recipe.cutmix, num_classes=classes,
                label_smoothing=recipe.label_smoothing,
            )
            if recipe.mixup or recipe.cutmix
            else None
        )  # fmt: skip
        self.soft_loss = SoftTargetCrossEntropy()
        self.hard_loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
        self.history: list[dict[str, float | int]] = []
        self.sums = {}

    @property
    def final(self) -> nn.Module:
        """The network that is evaluated and kept: the moving average where there is one."""
        return self.ema.module if self.ema else self.model

    def set_head(
        self,
        weight: Float[np.ndarray, "category feature"],
        bias: Float[np.ndarray, " category"],
    ) -> None:
        """Start from this linear layer, in the average of the weights too."""
        for network in (self.model, self.ema.module if self.ema else self.model):
            set_head(network, weight, bias)

    def augment(self, pixels: Pixels) -> Pixels:
        """Return the batch to learn from: the same, for photos that were augmented one by one."""
        return pixels

    def passes(self, step: int) -> float:
        """Return where the schedule stands at a step, in passes over the training part."""
        return (step + 0.5) / self.steps

    def configure_optimizers(self) -> dict[str, Any]:
        """Return timm's optimiser, without decay of vectors, and the rate of each step."""
        recipe = self.recipe
        optimizer = create_optimizer_v2(
            self.model[1], opt=recipe.optimizer, lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            layer_decay=recipe.layer_decay if recipe.layer_decay < 1 else None,
        )  # fmt: skip
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * group.get("lr_scale", 1.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer,
            lambda step: recipe.learning_rate_at(self.passes(step)) / recipe.learning_rate,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_train_start(self) -> None:
        """Do not begin an epoch where patience had run out before an interruption."""
        self._stop_without_patience()

    def on_train_epoch_start(self) -> None:
        """Reseed everything from (seed, epoch, process), and freeze what this epoch freezes."""
        epoch = self.current_epoch
        seed = epoch_seed(self.run_seed, epoch)
        if self.global_rank:
            seed = epoch_seed(seed, self.global_rank)
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        frozen = self.recipe.backbone == "frozen" or epoch < self.recipe.head_epochs
        network = self.model[1]
        network.requires_grad_(not frozen)
        network.train(not frozen)
        network.get_classifier().requires_grad_(True).train()
        if self.recipe.frozen_norm:
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.requires_grad_(False).eval()
        self.sums = {"loss": 0.0, "hits": 0.0, "seen": 0, "clock": time.perf_counter()}

    def judge(self, batch: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss of a batch, and the logits that it judges.

        A teacher sees the very pixels that the network sees, mixed ones too (Beyer et al.,
        Knowledge Distillation: A Good Teacher Is Patient and Consistent, arXiv 2106.05237).
        """
        pixels, labels = batch
        if self.teacher:
            shown = self.augment(pixels).float()
            shown = self.mixup(shown, labels)[0] if self.mixup else shown
            logits = self.model[1](self.scaled(shown))
            return divergence(self.teacher(shown), logits), logits
        x = self.scaled(self.augment(pixels))
        if self.mixup:
            x, targets = self.mixup(x, labels)
            logits = self.model[1](x)
            return self.soft_loss(logits, targets), logits
        logits = self.model[1](x)
        return self.hard_loss(logits, labels), logits

    def scaled(self, pixels: Pixels | Float[Tensor, "batch channel height width"]) -> Tensor:
        """Return a batch as the network reads it, the channels of a pixel side by side."""
        return self.model[0](pixels).contiguous(memory_format=torch.channels_last)

    def training_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        """Return the loss of one batch of uint8 photos.

        Raises:
            RunError: If it is not finite: every later step would be lost.
        """
        labels = batch[1]
        loss, logits = self.judge(batch)
        require_finite(self.recipe, self.current_epoch + 1, loss.item())
        self.sums["rate"] = cast(Any, self.optimizers()).param_groups[-1]["lr"]
        self.sums["loss"] += loss.detach() * len(labels)
        self.sums["hits"] += (logits.detach().argmax(1) == labels).sum()
        self.sums["seen"] += len(labels)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Sequence[Tensor], batch_idx: int) -> None:
        """Move the average of the weights, after a step of the optimiser and not after a piece."""
        if self.ema and (batch_idx + 1) % self.recipe.accumulate == 0:
            self.ema.update(self.model, step=self.global_step)

    def on_validation_epoch_start(self) -> None:
        """Note when training stopped, so that an epoch's seconds leave validation out."""
        self.sums["seconds"] = time.perf_counter() - self.sums["clock"]
        self.sums |= {"val_loss": 0.0, "val_hits": 0, "val_seen": 0}
        self.final.eval()

    def validation_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        """Accumulate the validation loss (plain cross-entropy) and accuracy; return the logits."""
        pixels, labels = batch
        logits = self.final(pixels)
        self.sums["val_loss"] += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
        self.sums["val_hits"] += (logits.argmax(1) == labels).sum().item()
        self.sums["val_seen"] += len(labels)
        return logits

    def row(self, sums: dict[str, float]) -> dict[str, float | int]:
        """Return the epoch as the history holds it, from what was added up in it."""
        return {
            "epoch": self.current_epoch + 1,
            "seconds": sums["seconds"],
            "learning_rate": sums["rate"],  # of its last step: the schedule has moved on since
            "train_loss": sums["loss"] / sums["seen"],
            "train_accuracy": sums["hits"] / sums["seen"],
            "val_loss": sums["val_loss"] / sums["val_seen"],
            "val_accuracy": sums["val_hits"] / sums["val_seen"],
            "wall_time": time.time(),
        }

    def on_train_epoch_end(self) -> None:
        """Write the epoch into the history, and stop when patience runs out.

        Raises:
            RunError: If its last step lost the weights, of which the validation tells.
        """
        sums = {name: float(value) for name, value in self.sums.items()}
        mine = torch.tensor([sums[name] for name in SHARED], dtype=torch.float64)
        total = self.trainer.strategy.reduce(mine.to(self.device), reduce_op="sum")
        row = self.row(sums | dict(zip(SHARED, total.tolist(), strict=True)))
        require_finite(self.recipe, self.current_epoch + 1, row["val_loss"])
        self.history.append(row)
        self._stop_without_patience()

    def _stop_without_patience(self) -> None:
        """Stop where patience has run out for the first process, which speaks for all of them.

        Batch statistics are each process's own, and so are the losses: one that decided for itself
        would leave the others waiting.
        """
        losses = [row["val_loss"] for row in self.history]
        mine = bool(losses) and self.recipe.stops(losses)
        if self.trainer.strategy.broadcast(mine):
            self.trainer.should_stop = True

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the history beside the weights."""
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Read the history of a resumed training back."""
        self.history = checkpoint["history"]


class EpochCheckpoint(Checkpoint):
    """Save every epoch whole, never a torn file, and keep the best where the recipe stops early.

    Lightning calls this kind of callback after the module's own hooks, when the history is
    complete.

    Args:
        folder: The run being made.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        """Write the checkpoint beside the former one, then put it in its place."""
        weights = self.folder.weights
        part = weights / f"{LAST}.part"
        trainer.save_checkpoint(part)
        if not trainer.is_global_zero:
            return
        losses = [row["val_loss"] for row in pl_module.history]
        if pl_module.recipe.patience and best_epoch(losses) == len(losses) - 1:
            _copy(part, weights / BEST)
        part.replace(weights / LAST)
        self.folder.write_history(pl_module.history)


def _copy(source: Path, target: Path) -> None:
    part = target.with_suffix(".copy")
    part.write_bytes(source.read_bytes())
    part.replace(target)

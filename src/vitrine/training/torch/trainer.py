"""Trainer of PyTorch Lightning: device, precision, processes, order of the images in an epoch.

One process is the rule. On a machine with several GPUs, Lightning starts a process for each; on
several machines, or on a CPU, ``torchrun`` does, for instance::

    torchrun --nproc-per-node 2 --no-python vitrine pretrain RECIPE

Gradients are averaged over the processes (DistributedDataParallel; Li et al., PyTorch Distributed,
arXiv 2006.15704), whose batches together are the recipe's batch: the losses are those of one
process, but for batch normalisation, which sees the statistics of its own process alone.
"""

import logging
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import lightning as L
import numpy as np
import torch
from torch.utils.data import Sampler

from vitrine.training.recipes import Recipe, RecipeError, epoch_seed
from vitrine.training.runs import Meter, Run, RunError
from vitrine.training.runs.meter import first_process

__all__ = [
    "EpochOrder", "first_process", "learn", "meter", "obtain", "only_first", "require_whole",
    "trainer",
]  # fmt: skip


def obtain(asked: str, threads: int | None) -> str:
    """Return the device obtained, ``cuda`` or ``cpu``, and set the threads that compute.

    Raises:
        RecipeError: If a GPU is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if asked == "cuda" and not available:
        raise RecipeError(
            "expected a CUDA device, found none; train with --device cpu, or --device auto to take "
            "what there is"
        )
    torch.set_num_threads(threads or os.cpu_count() or 1)
    return "cuda" if available and asked in ("auto", "cuda") else "cpu"


def meter(device: str, asked: str) -> Meter:
    """Start to measure a run on the device obtained."""
    gpu = torch.cuda.get_device_name() if device == "cuda" else None
    return Meter(device, asked=asked, threads=torch.get_num_threads(), gpu=gpu)


def trainer(recipe: Recipe, device: str, **options: Any) -> L.Trainer:
    """Return Lightning's trainer for a recipe: it decides nothing that the recipe does not.

    Args:
        recipe: Says the epochs, the precision and the pieces of a batch.
        device: Device obtained.
        options: What else ``lightning.Trainer`` is told.

    Raises:
        RecipeError: If the batch cannot be shared equally between the processes.
    """
    _quiet()
    here = torch.cuda.device_count() if device == "cuda" else 1
    here = int(os.environ.get("LOCAL_WORLD_SIZE", here))
    nodes = int(os.environ.get("WORLD_SIZE", here)) // here
    if recipe.batch_size % (recipe.accumulate * here * nodes):
        raise RecipeError(
            f"recipe {recipe.name}: expected batch_size={recipe.batch_size}, cut in "
            f"{recipe.accumulate}, to be shared equally by the processes, found {here * nodes} of "
            "them; start another number"
        )
    partly = recipe.head_epochs or recipe.frozen_norm or recipe.backbone == "frozen"
    ddp = "ddp_find_unused_parameters_true" if partly else "ddp"
    return L.Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=here,
        num_nodes=nodes,
        strategy=ddp if here * nodes > 1 else "auto",
        precision=_precision(recipe, device),
        accumulate_grad_batches=recipe.accumulate,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        deterministic="warn" if device == "cuda" else True,
        **{"max_epochs": recipe.epochs, **options},
    )


def learn(
    trainer: L.Trainer, module: L.LightningModule, *loaders: Any, last: Path, name: str
) -> None:
    """Train from the last checkpoint, or from the start where there is none.

    Args:
        trainer: What ``trainer`` returned.
        module: What learns.
        loaders: What it learns from, and what it is validated on.
        last: Checkpoint of the last epoch, which may be absent.
        name: Of the run, for messages.

    Raises:
        RunError: If the checkpoint is damaged.
        KeyboardInterrupt: If training is interrupted, of which Lightning makes an exit.
    """
    if last.exists():
        require_whole(last, name)
    try:
        trainer.fit(module, *loaders, ckpt_path=last if last.exists() else None)
    except SystemExit as stop:
        if trainer.interrupted:
            raise KeyboardInterrupt from stop
        raise


def require_whole(checkpoint: Path, name: str) -> None:
    """Read a checkpoint against the checksums of its archive, which ``torch.load`` leaves alone.

    Args:
        checkpoint: What Lightning wrote.
        name: Of the run, for messages.

    Raises:
        RunError: If bytes of it changed, or if it is something else.
    """
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            torn = archive.testzip()
        keys = {} if torn else torch.load(checkpoint, "cpu", mmap=True, weights_only=True)
        whole = {"state_dict", "history"} <= set(keys)
    except OSError:
        raise
    except Exception:  # on bytes that are no checkpoint, torch.load raises anything
        whole = False
    if not whole:
        raise RunError(
            f"run {name}: expected a whole checkpoint in {checkpoint.name}, found a damaged file; "
            "move the folder of the run away to start again"
        )


def only_first(trained: L.Trainer, seal: Callable[[], Run], read: Callable[[], Run]) -> Run:
    """Let the first process seal the run, and the others read it once that is done."""
    if trained.is_global_zero:
        run = seal()
        trained.strategy.barrier()
        return run
    trained.strategy.barrier()
    return read()


def _precision(recipe: Recipe, device: str) -> Any:
    if recipe.precision == "auto":
        return "bf16-mixed" if device == "cuda" else "32-true"
    return {"float32": "32-true", "bfloat16": "bf16-mixed"}[recipe.precision]


def _quiet() -> None:
    """Silence Lightning's advice: the recipe has decided, and the history says the rest."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for message in ("does not have many workers", "LeafSpec", "ckpt_path", "in eval mode at the"):
        warnings.filterwarnings("ignore", f".*{message}.*")


@runtime_checkable
class Place(Protocol):
    """Where training stands; a Lightning ``Trainer`` is one."""

    current_epoch: int
    global_rank: int
    world_size: int


class EpochOrder(Sampler[tuple[int, int]]):
    """A shuffle that depends on (seed, epoch) alone, shared out between processes.

    Each of ``n`` processes takes every n-th image, so that the batches they compute together are
    those that one process alone would. Lightning makes the first iterator of a resumed run before
    it announces the epoch to a sampler, so the epoch is asked for instead.

    Args:
        length: Images to choose from.
        keep: How many of them an epoch sees: whole batches only.
        seed: Seed of the run.
        place: Tells the epoch that begins, the number of this process and how many there are.
    """

    def __init__(self, length: int, keep: int, seed: int, place: Place) -> None:
        self.length, self.keep, self.seed, self.place = length, keep, seed, place

    def __len__(self) -> int:
        return self.keep // self.place.world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch = self.place.current_epoch
        order = np.random.default_rng(epoch_seed(self.seed, epoch)).permutation(self.length)
        mine = order[: self.keep][self.place.global_rank :: self.place.world_size]
        return iter([(epoch, int(i)) for i in mine])

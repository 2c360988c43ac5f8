"""Turn a recipe and a split into a run."""

import logging
import os
import warnings
from functools import partial
from pathlib import Path

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from vitrine import images
from vitrine.catalog import Catalog
from vitrine.recipes import Recipe, RecipeError
from vitrine.runs import Meter, Run, RunFolder
from vitrine.splits import Split
from vitrine.train_torch.loop import BEST, LAST, Classifier, EpochCheckpoint
from vitrine.train_torch.network import predict
from vitrine.train_torch.photos import EpochOrder, Photos

__all__ = ["fit"]

TRAIN_SIZE = 256
"""Side, in pixels, of the decoded photos that training crops from."""


def _device(asked: str) -> str:
    available = torch.cuda.is_available()
    if asked == "cuda" and not available:
        raise RecipeError(
            "expected a CUDA device, found none; train with --device cpu, or --device auto to take "
            "what there is"
        )
    return "cuda" if available and asked in ("auto", "cuda") else "cpu"


def _quiet() -> None:
    """Silence Lightning's advice: the recipe has decided, and the history says the rest."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for message in (".*does not have many workers.*", ".*LeafSpec.*", ".*ckpt_path.*"):
        warnings.filterwarnings("ignore", message)


def fit(
    recipe: Recipe,
    split: Split,
    catalog: Catalog,
    *,
    seed: int = 0,
    base: Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    resume: bool = False,
) -> Run:
    """Train a timm model as the recipe says and seal the run.

    Args:
        recipe: What to train and how.
        split: Who is train, validation, test.
        catalog: Where the photos are.
        seed: Seeds the head, the augmentation and the order of the batches. Not the split.
        base: Folder that holds the runs; by default the project's ``runs/``.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads to compute with on a CPU; by default all cores.
        resume: Go on from the last epoch of an interrupted run.

    Raises:
        RecipeError: If the architecture, its weights or the device cannot be had.
        RunError: If the run is finished already, or begun and not resumed.
        KeyboardInterrupt: If training is interrupted; the last whole epoch is kept.
    """
    obtained = _device(device)
    world = torch.cuda.device_count() if obtained == "cuda" else 1
    rank = int(os.environ.get("LOCAL_RANK", 0))
    torch.set_num_threads(threads or os.cpu_count() or 1)
    _quiet()

    folder = RunFolder(recipe, seed, base)
    folder.prepare(resume=resume or rank > 0)
    split = split.present(catalog)
    meter = Meter(
        obtained, asked=device, threads=torch.get_num_threads(),
        gpu=torch.cuda.get_device_name() if obtained == "cuda" else None,
    )  # fmt: skip

    train = split.part("train")
    steps = len(train) // recipe.batch_size
    if steps == 0:
        raise RecipeError(
            f"recipe {recipe.name}: expected at least batch_size={recipe.batch_size} photos to "
            f"train on, found {len(train)}"
        )
    workers = min(8, os.cpu_count() or 1) if obtained == "cuda" else 0
    validation = split.part("validation")
    plain = images.cached(catalog, validation.image.tolist(), recipe.image_size)
    labels = torch.tensor(validation.label.to_numpy())
    held_out = DataLoader(
        TensorDataset(torch.from_numpy(np.array(plain)).permute(0, 3, 1, 2), labels),
        recipe.batch_size,
    )

    L.seed_everything(seed, workers=True, verbose=False)
    module = Classifier(recipe, seed, steps)
    trainer = L.Trainer(
        accelerator="gpu" if obtained == "cuda" else "cpu",
        devices=world,
        strategy="ddp" if world > 1 else "auto",
        precision=_precision(recipe, obtained),
        max_epochs=recipe.epochs,
        accumulate_grad_batches=recipe.accumulate,
        callbacks=[EpochCheckpoint(folder)],
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        deterministic="warn" if obtained == "cuda" else True,
    )
    order = EpochOrder(
        len(train),
        steps * recipe.batch_size,
        seed,
        lambda: trainer.current_epoch,
        rank=rank,
        world=world,
    )
    pixels = images.cached(catalog, train.image.tolist(), TRAIN_SIZE)
    loader = DataLoader(
        Photos(pixels, train.label.to_numpy(), recipe, seed),
        recipe.batch_size // recipe.accumulate // world,
        sampler=order,
        num_workers=workers,
        generator=torch.Generator(),  # so that no iterator draws from the training's own
    )
    last = folder.weights / LAST
    trainer.fit(module, loader, held_out, ckpt_path=last if last.exists() else None)
    if trainer.interrupted:
        raise KeyboardInterrupt

    best = folder.weights / BEST
    if recipe.patience:
        module.load_state_dict(torch.load(best, weights_only=True)["state_dict"])
    network = module.final
    torch.save(network.state_dict(), folder.weights / "model.pt")
    facts = meter.facts(module.history, steps * recipe.batch_size)
    facts["parameters"] = sum(p.numel() for p in network[1].parameters())
    facts["precision"] = str(trainer.precision)
    run = folder.seal(split, catalog, partial(predict, network), facts)
    last.unlink()
    best.unlink(missing_ok=True)
    return run


def _precision(recipe: Recipe, device: str) -> str:
    if recipe.precision == "auto":
        return "bf16-mixed" if device == "cuda" else "32-true"
    return {"float32": "32-true", "bfloat16": "bf16-mixed"}[recipe.precision]

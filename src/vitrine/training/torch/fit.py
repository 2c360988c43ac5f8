"""Train a network of timm on the product photos as a recipe says, and seal its run."""

import os
from functools import partial
from pathlib import Path

import lightning as L
import torch
from torch.utils.data import DataLoader

from vitrine import paths
from vitrine.data import images
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.training import probe
from vitrine.training.recipes import Recipe
from vitrine.training.runs import Run, RunFolder, load, start
from vitrine.training.torch import trainer as engine
from vitrine.training.torch.classifier import BEST, LAST, Classifier, EpochCheckpoint
from vitrine.training.torch.network import WEIGHTS, pooled, predict
from vitrine.training.torch.photos import Photos, Plain
from vitrine.training.torch.teacher import Teacher
from vitrine.training.torch.trainer import EpochOrder

__all__ = ["fit"]


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
        RecipeError: If the architecture, its weights, its teacher or the device cannot be had.
        RunError: If the run is finished already, or begun and not resumed, or if the loss stops
            being finite.
        KeyboardInterrupt: If training is interrupted; the last whole epoch is kept.
    """
    obtained = engine.obtain(device, threads)
    split = split.present(catalog)
    train = split.part("train")
    recipe = recipe.for_photos(len(train))
    base = base or paths.runs()
    folder = RunFolder(recipe, seed, base)
    teacher = Teacher(recipe, split, catalog, base) if recipe.teacher else None
    first = engine.first_process()
    folder.prepare(resume=resume or not first, first=first)
    meter = engine.meter(obtained, device)

    steps = len(train) // recipe.batch_size
    workers = min(8, os.cpu_count() or 1) if obtained == "cuda" else 0
    validation = split.part("validation")
    shape = {"letterbox": recipe.letterbox}
    plain = images.cached(catalog, validation.image.tolist(), recipe.image_size, **shape)
    held_out = DataLoader(Plain(plain, validation.label.to_numpy()), recipe.batch_size)

    L.seed_everything(seed, workers=True, verbose=False)
    module = Classifier(recipe, seed, steps, len(catalog.dataset.classes), teacher)
    began = start.facts(recipe)
    last = folder.weights / LAST
    if recipe.head == "probe" and not last.is_file():
        module.set_head(*probe.head_on(partial(pooled, module.model), recipe, split, catalog))
    trainer = engine.trainer(recipe, obtained, callbacks=[EpochCheckpoint(folder)])
    order = EpochOrder(len(train), steps * recipe.batch_size, seed, trainer)
    large = images.train_side(recipe.image_size)
    pixels = images.cached(catalog, train.image.tolist(), large, **shape)
    loader = DataLoader(
        Photos(pixels, train.label.to_numpy(), recipe, seed),
        recipe.batch_size // recipe.accumulate // trainer.world_size,
        sampler=order,
        num_workers=workers,
        generator=torch.Generator(),  # so that no iterator draws from the training's own
    )
    engine.learn(trainer, module, loader, held_out, last=last, name=folder.name)

    best = folder.weights / BEST

    def seal() -> Run:
        if recipe.patience:
            engine.require_whole(best, folder.name)
            module.load_state_dict(torch.load(best, weights_only=True)["state_dict"])
        network = module.final
        with (folder.weights / WEIGHTS).open("wb") as file:  # by its path, a full disk has no name
            torch.save(network.state_dict(), file)
        facts = meter.facts(module.history, steps * recipe.batch_size)
        facts["parameters"] = sum(p.numel() for p in network[1].parameters())
        facts["precision"] = str(trainer.precision)
        facts |= began | ({"teacher": teacher.facts} if teacher else {})
        run = folder.seal(split, catalog, partial(predict, network), facts, module.history)
        last.unlink()
        best.unlink(missing_ok=True)
        return run

    return engine.only_first(trainer, seal, partial(load, folder.name, folder.path.parents[1]))

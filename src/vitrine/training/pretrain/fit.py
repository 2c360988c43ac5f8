"""Pretrain a network on a corpus as a recipe says, and seal its run under ``runs/pretrain``."""

from functools import partial
from pathlib import Path

import lightning as L
import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from safetensors.torch import save
from torch.utils.data import DataLoader, TensorDataset

from vitrine import paths
from vitrine.training.pretrain.answers import answers as ask
from vitrine.training.pretrain.batches import Part, Taught, whole
from vitrine.training.pretrain.corpus import Corpus
from vitrine.training.pretrain.learner import TOP, Learner
from vitrine.training.recipes import Recipe, RecipeError, require_pretraining
from vitrine.training.runs import Run, RunFolder, load
from vitrine.training.runs.start import LEARNED
from vitrine.training.torch import trainer as engine
from vitrine.training.torch.classifier import LAST, EpochCheckpoint
from vitrine.training.torch.network import predict
from vitrine.training.torch.trainer import EpochOrder

__all__ = ["fit"]

HELD_OUT_BATCH = 250


def fit(
    recipe: Recipe,
    corpus: Corpus,
    *,
    seed: int = 0,
    base: Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    resume: bool = False,
) -> Run:
    """Learn the corpus as the recipe says and seal the run.

    ``predictions.csv`` holds, for each image of the validation part, its class and the five most
    probable ones, computed in float32 on the CPU from the kept weights. No choice is made on this
    part: the last weights are kept, or their moving average.

    Args:
        recipe: What to train and how.
        corpus: What to learn.
        seed: Seeds the weights, the augmentation and the order of the batches.
        base: Folder that holds the runs; by default the project's ``runs/pretrain``.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads to compute with on a CPU; by default all cores.
        resume: Go on from the last epoch of an interrupted run.

    Raises:
        RecipeError: If the recipe is not for this corpus, or if the device cannot be had.
        RunError: If the run is finished already, or begun and not resumed.
        KeyboardInterrupt: If training is interrupted; the last whole epoch is kept.
    """
    pixels, labels = corpus.pixels("train"), corpus.labels("train")
    steps = len(labels) // recipe.batch_size
    _require_fit(recipe, corpus, steps)
    obtained = engine.obtain(device, threads)
    teacher = ask(recipe, corpus, obtained) if recipe.teacher else None
    folder = RunFolder(recipe, seed, base or paths.runs() / "pretrain")
    first = engine.first_process()
    folder.prepare(resume=resume or not first, first=first)
    meter = engine.meter(obtained, device)

    L.seed_everything(seed, workers=True, verbose=False)
    learner = Learner(recipe, seed, steps, len(corpus.classes))
    passes = -1 if recipe.budget else recipe.epochs
    trainer = engine.trainer(
        recipe, obtained, max_epochs=passes, callbacks=[EpochCheckpoint(folder)]
    )
    part = Taught(pixels, labels, teacher.draws, teacher.given) if teacher else Part(pixels, labels)
    loader = DataLoader(
        part,
        recipe.batch_size // recipe.accumulate // trainer.world_size,
        sampler=EpochOrder(len(labels), steps * recipe.batch_size, seed, trainer),
        collate_fn=whole,
        num_workers=2 if obtained == "cuda" else 0,
        pin_memory=obtained == "cuda",
        generator=torch.Generator(),  # so that no iterator draws from the training's own
    )
    asked, truth = corpus.pixels("validation"), corpus.labels("validation")
    held_out = TensorDataset(
        torch.from_numpy(np.array(asked)).permute(0, 3, 1, 2), torch.from_numpy(truth)
    )
    last = folder.weights / LAST
    engine.learn(
        trainer,
        learner,
        loader,
        DataLoader(held_out, HELD_OUT_BATCH),
        last=last,
        name=folder.name,
    )

    def seal() -> Run:
        weights = learner.final[1].state_dict()
        learned = save({k: v.contiguous() for k, v in weights.items()})
        (folder.weights / LEARNED).write_bytes(learned)
        seen = learner.history[-1]["images"]
        seconds = sum(row["seconds"] for row in learner.history)
        waited = sum(row["waited"] * row["seconds"] for row in learner.history)
        facts = meter.facts(
            learner.history, seen / len(learner.history), waited_share=round(waited / seconds, 5)
        )
        facts["parameters"] = sum(p.numel() for p in learner.final[1].parameters())
        facts["precision"] = str(trainer.precision)
        facts["processes"] = trainer.world_size
        facts["data"] = corpus.facts()
        if teacher:
            facts["teacher"] = teacher.facts
        rows = answers(truth, predict(learner.final, asked))
        run = folder.finish([rows], facts, learner.history)
        last.unlink()
        return run

    return engine.only_first(trainer, seal, partial(load, folder.name, folder.path.parents[1]))


def answers(truth: np.ndarray, probabilities: Float[np.ndarray, "image category"]) -> pd.DataFrame:
    """Lay out the first guesses for each validation image, as ``predictions.csv`` holds them."""
    guesses = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
    columns = {f"top_{k + 1}": guesses[:, k] for k in range(guesses.shape[1])}
    return pd.DataFrame(
        {"image": np.arange(len(truth)), "split": "validation", "fold": None, "label": truth}
        | columns
    )


def _require_fit(recipe: Recipe, corpus: Corpus, steps: int) -> None:
    require_pretraining(recipe)
    if (side := corpus.pixels("validation").shape[1]) != recipe.image_size:
        raise RecipeError(
            f"recipe {recipe.name}: expected image_size={side}, the side of the corpus, found "
            f"{recipe.image_size}"
        )
    if steps == 0:
        raise RecipeError(
            f"recipe {recipe.name}: expected at least batch_size={recipe.batch_size} images to "
            f"train on, found {len(corpus.labels('train'))}"
        )

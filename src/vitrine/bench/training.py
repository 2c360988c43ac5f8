"""Time the training from scratch of each network, with one recipe, on one core or one card.

Each turn trains them one after the other on drawn photos, each in a process of its own, so that
TensorFlow and PyTorch never meet. The first epoch is told apart: a framework that compiles
prepares its graph in it.
"""

import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from vitrine.bench.clock import Bench, Timings
from vitrine.data import catalog, demo, splits
from vitrine.training import children, recipes
from vitrine.training.recipes import Recipe

__all__ = ["RECIPES", "learn", "measure"]

RECIPES = (
    "efficientnet-b0-keras-scratch",
    "efficientnet-b0-torch-scratch",
    "mambavision-micro-scratch",
)
"""The same recipe for all three; the others are compared with the first."""
PER_CLASS = 40
"""Photos drawn of each class: six steps an epoch."""
EPOCHS = 4


def measure(bench: Bench) -> dict[str, Any]:
    """Return the results of the trainings from scratch, on one thread or a card: a row each.

    Asked to be quick, it trains the recipes of smoke for two epochs.
    """
    quick = bench.quick
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in RECIPES}
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-") as place:
        photos = demo.write(Path(place) / "photos", per_class=10 if quick else PER_CLASS)
        for turn in range(bench.turns):
            for name in RECIPES:
                recipe = recipes.find(name).smoke() if quick else recipes.find(name)
                recipe = replace(recipe, epochs=2 if quick else EPOCHS, warmup_epochs=0)
                base = Path(place) / f"turn-{turn}"
                taken[name].append(children.alone(learn, recipe, photos, base, bench.device))
            bench.progress(turn + 1, bench.turns)
    timings = Timings(
        {name: tuple(row["milliseconds"] for row in turned) for name, turned in taken.items()}
    )
    rows = []
    for name, turned in taken.items():
        rows.append(
            {
                "recipe": name,
                "milliseconds": timings.milliseconds(name),
                "images_per_second": 1e3 / timings.milliseconds(name),
                "first_epoch_more_seconds": statistics.median(row["first_more"] for row in turned),
                "faster": timings.ratio(name, RECIPES[0]),
                "turns": list(timings.turns[name]),
            }
        )
        bench.tell(
            f"training {name:32} {rows[-1]['images_per_second']:7.1f} img/s, "
            f"{rows[-1]['faster']:.2f} x {RECIPES[0]}, first epoch "
            f"+{rows[-1]['first_epoch_more_seconds']:.1f} s"
        )
    return {"clock": "wall clock of the steps of an epoch, validation apart", "rows": rows}


def learn(recipe: Recipe, photos: Path, base: Path, device: str = "cpu") -> dict[str, float]:
    """Train a recipe, and return what an image took and what the first epoch took more.

    Args:
        recipe: What to train, for two epochs or more.
        photos: Folder of the catalogue to train on.
        base: Folder of the run.
        device: ``cpu`` or ``cuda``.

    Returns:
        ``milliseconds`` of an image, in the median epoch after the first, and ``first_more``: the
        seconds by which the first epoch was longer than that one.
    """
    if recipe.trainer == "keras":
        from vitrine.training.keras import fit
    else:
        from vitrine.training.torch import fit

    held = catalog.load(photos)
    split = splits.draw(held)
    run = fit(recipe, split, held, base=base, device=device, threads=1)
    images = len(split.part("train")) // recipe.batch_size * recipe.batch_size
    first, *later = run.history.seconds
    usual = statistics.median(later)
    return {"milliseconds": 1e3 * usual / images, "first_more": first - usual}

"""Where training starts: weights learned elsewhere, carried to this size and these windows.

No weight of our networks depends on the size of the images nor, in a MambaVision, on its windows:
what a pretraining learned at 64 pixels fits another size to the last key, but for the head, that
is made anew. What does change is said instead of guessed: windows of 4 positions still cover 64
pixels of a larger photo, each alone; wider ones mix more of it, and their scans are longer than any
that was learned. The recipe names its windows, and the run records both.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from torch import nn

from vitrine import paths
from vitrine.models.checkpoints import load_checkpoint
from vitrine.recipes import Recipe, RecipeError

__all__ = ["WEIGHTS", "carry", "facts", "find", "is_local"]

WEIGHTS = "model.pt"
"""Name of the kept weights in the folder of a run."""
LEARNED = ("architecture", "image_size", "windows", "epochs", "budget")


def is_local(recipe: Recipe) -> bool:
    """Tell whether a recipe starts from a file of this machine."""
    return recipe.weights not in ("none", "imagenet")


def find(recipe: Recipe) -> Path:
    """Return the file of the weights that a recipe names: a path, or a run under ``runs/``.

    Raises:
        RecipeError: If there is no such file.
    """
    asked = Path(recipe.weights)
    places = (asked, paths.runs() / asked / "weights" / WEIGHTS)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        said = asked.name if asked.is_absolute() else asked
        raise RecipeError(
            f"expected the weights of {recipe.name} at {said}, found no such file; give "
            "`--weights PATH` with the path of a checkpoint of this architecture, or make that run "
            "with `vitrine pretrain`"
        )
    return found


def carry(recipe: Recipe, network: nn.Module) -> tuple[str, ...]:
    """Put the weights that a recipe names into its network, but for a head of other classes.

    Args:
        recipe: Names the weights.
        network: The bare network, of any image size and any windows.

    Returns:
        The names of the parameters that were not carried: those of the head.

    Raises:
        RecipeError: If there is no such file, or if another architecture learned it.
        CheckpointError: If it does not fit to the last key; the message names them.
    """
    path, learned = find(recipe), _learned(find(recipe))
    own = recipe.architecture.partition(":")[2] or recipe.architecture
    if learned and learned["architecture"] != own:
        raise RecipeError(
            f"recipe {recipe.name}: expected weights of {own}, found those of "
            f"{learned['architecture']}; give the run of this architecture"
        )
    return load_checkpoint(network, path, swap_head=True)


def facts(recipe: Recipe) -> dict[str, Any] | None:
    """Return what ``run.json`` says of the start: whose weights, learned how; ``None`` for none."""
    if not is_local(recipe):
        return None
    path = find(recipe)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"sha256": digest, "learned": _learned(path)}


def _learned(path: Path) -> dict[str, Any] | None:
    """Return what the run of a file of weights says of how they were learned."""
    meta = path.parents[1] / "run.json" if path.parent.name == "weights" else None
    if meta is None or not meta.is_file():
        return None
    told = json.loads(meta.read_text())
    return {"run": told["name"], **{field: told["recipe"].get(field) for field in LEARNED}}

"""Load pretrained weights into a network of another image size, other windows, another head.

No weight of our networks depends on the size of the images nor, in a MambaVision, on its windows:
what a pretraining learned at 64 pixels fits another size to the last key, but for the head, that
is made anew. What does change is said instead of guessed: windows of 4 positions still cover 64
pixels of a larger photo, each alone; wider ones mix more of it, and their scans are longer than any
that was learned. The recipe names its windows, and the run records both.
"""

from torch import nn

from vitrine.models.checkpoints import load_checkpoint
from vitrine.training.recipes import Recipe
from vitrine.training.runs import start

__all__ = ["WEIGHTS", "carry"]

WEIGHTS = "model.pt"
"""Name of the kept weights in the folder of a run on the photos."""


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
    architecture = recipe.architecture.removeprefix("timm:").partition(".")[0]
    start.require_own(recipe, architecture)
    return load_checkpoint(network, start.find(recipe), swap_head=True)

"""A trained network that answers for the batches of another: distillation on the photos.

The teacher is the run of a recipe on the same split, so that it saw no photo that its student is
judged on. It answers anew for every augmented batch, which small networks and a thousand photos
allow; a pretraining asks once, for crops that it fixes (``training.pretrain.answers``).
"""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vitrine import paths
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.training import trained
from vitrine.training.recipes import Recipe, RecipeError
from vitrine.training.runs import Run, load
from vitrine.training.runs.reading import META

__all__ = ["Teacher"]


class Teacher:
    """The network of a finished run, which answers for batches at its own side, in bfloat16.

    It is no module: the checkpoints of its student do not hold it.

    Args:
        recipe: Of the student: names the teacher and the side that images are resized to.
        split: Who is train, validation, test, for both.
        catalog: Where the photos are.
        base: Folder of the runs of the student, in which its teacher's is looked for, then among
            those made again, under ``build/retrain``.

    Raises:
        RecipeError: If there is no such run with its weights, if PyTorch did not train it, or if
            it was trained on another split.
        KeptError: If its weights are not those of the run.
    """

    def __init__(self, recipe: Recipe, split: Split, catalog: Catalog, base: Path) -> None:
        run = _run(recipe, base)
        if run.meta["data"]["split_sha256"] != split.sha256:
            raise RecipeError(
                f"recipe {recipe.name}: expected a teacher trained on the same split, found "
                f"{run.name} on {run.meta['data']['split']}; train it on {split.name}"
            )
        kept = trained.load(run, split, catalog)
        if not isinstance(kept.network, nn.Sequential) or kept.recipe.trainer != "torch":
            raise RecipeError(
                f"recipe {recipe.name}: expected a teacher that PyTorch trained, found {run.name}, "
                f"a {kept.recipe.trainer}; name another recipe"
            )
        self.scale, network = kept.network.requires_grad_(False).eval()
        self.network = network.to(torch.bfloat16, memory_format=torch.channels_last)
        self.side = (recipe.teacher_size, recipe.teacher_size)
        self.facts: dict[str, Any] = {"run": run.name, "sha256": kept.sha256}

    @torch.no_grad()
    def __call__(
        self, pixels: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch category"]:
        """Return the logits of the teacher for pixels from 0 to 255."""
        large = F.interpolate(pixels, self.side, mode="bicubic", align_corners=False)
        x = self.scale.to(pixels.device)(large.clamp(0, 255))
        x = x.to(torch.bfloat16, memory_format=torch.channels_last)
        return self.network.to(pixels.device)(x).float()


def _run(recipe: Recipe, base: Path) -> Run:
    """Return the run of a recipe's teacher that has its weights here."""
    name, published = f"{recipe.teacher}/seed-0", base.is_relative_to(paths.runs())
    again = paths.retrained() / base.relative_to(paths.runs()) if published else base
    for place in (base, again):
        folder = place / name
        if (folder / META).is_file() and (folder / "weights" / trained.FILES["torch"]).is_file():
            return load(name, place)
    raise RecipeError(
        f"recipe {recipe.name}: expected its teacher {name} with its weights, found none; train "
        f"{recipe.teacher} on the same split first, with --retrain where it is published"
    )

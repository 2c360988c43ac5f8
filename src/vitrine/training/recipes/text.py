"""Recipes that classify the text of a product, alone or fused with the photo."""

from collections.abc import Iterator

from vitrine.training.recipes.recipe import Recipe

__all__ = ["IMAGE", "TEXT"]

IMAGE = "efficientnet-lite012-probe"
"""The image model that stands beside the text: another name here, and fusions run in seconds."""


def _beside() -> Iterator[Recipe]:
    """Yield what reads the text of a product: alone, then with the image model's answers."""
    for name, fields in (("title", "title"), ("text", "title+description")):
        alone = f"text-{fields.replace('+', '-')}"
        yield Recipe(
            name=alone, trainer="text", architecture=f"tfidf:{fields}",
            source="ours; Joachims, Text Categorization with Support Vector Machines, ECML 1998, "
            "doi 10.1007/BFb0026683, for linear models of weighted words",
        )  # fmt: skip
        for rule, ending in (("mean", ""), ("stacked", "-stacked")):
            yield Recipe(
                name=f"{name}-and-image{ending}", trainer="fusion",
                architecture=f"{rule}:{alone}+{IMAGE}",
                source="ours; Kittler et al., On Combining Classifiers, IEEE TPAMI 1998, "
                "doi 10.1109/34.667881, for the product of answers",
            )  # fmt: skip


TEXT = tuple(_beside())

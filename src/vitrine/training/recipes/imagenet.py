"""Recipes that start from ImageNet weights of EfficientNet-Lite: fine-tuned, or frozen."""

from vitrine.training.recipes.recipe import Recipe

__all__ = ["ENSEMBLE", "FINE_TUNED", "FROZEN", "SWEPT"]

_LITE = {
    "weights": "imagenet",
    "image_size": 224,
    "batch_size": 32,
    "epochs": 8,
    "warmup_epochs": 1,
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "drop_rate": 0.2,
    "drop_path_rate": 0.1,
    "crop_scale": 0.5,
    "flip": True,
    "jitter": 0.1,
    "source": "ours: a short, whole fine-tuning that one core makes in minutes a fold; its rate is "
    "the best of three on the validation part of one fold",
}
_LITE_TORCH = {"trainer": "torch", "architecture": "tf_efficientnet_lite0.in1k"}

_ABRUPT = {"learning_rate": 1e-3, "norm_momentum": 0.01}  # Keras's
_GENTLE = {"head": "probe", "frozen_norm": True, "epochs": 6}
"""The head starts at the probe's, and batch normalisation stays as ImageNet left it."""

SWEPT = tuple(
    Recipe(name=f"efficientnet-lite0-torch-{name}", **_LITE | _LITE_TORCH | own)
    for name, own in {
        **{
            f"lr{rate}": _ABRUPT | {"learning_rate": float(rate)}
            for rate in ("1e-4", "3e-4", "1e-3")
        },
        **{
            f"gentle-lr{rate}": _GENTLE | {"learning_rate": float(rate)}
            for rate in ("1e-4", "3e-4")
        },
    }.items()
)
"""What the fine-tuning chose from: two ways to begin, at several rates."""

_CHOSEN = _GENTLE | {
    "learning_rate": 1e-4,
    "source": "ours: a short, whole fine-tuning that one core makes in minutes a fold; how it "
    "begins and its rate are the best of those tried on the validation part of one fold",
}

FINE_TUNED = (
    Recipe(name="efficientnet-lite0-torch", **_LITE | _LITE_TORCH | _CHOSEN),
    Recipe(
        name="efficientnet-lite0-keras", trainer="keras", architecture="EfficientNetLite0",
        **_LITE | _CHOSEN,
    ),
)  # fmt: skip
"""One start, one recipe, two frameworks."""

_LITE_SIDES = {"lite0": 224, "lite1": 240, "lite2": 260}
"""The side that each EfficientNet-Lite was published at."""

FROZEN = tuple(
    Recipe(
        name=f"efficientnet-{name}-probe",
        trainer="probe",
        architecture=f"timm:{architecture}",
        weights="imagenet",
        backbone="frozen",
        image_size=side,
        source="ours: the linear probe of every other frozen feature",
    )
    for name, architecture, side in (
        *((lite, f"tf_efficientnet_{lite}.in1k", side) for lite, side in _LITE_SIDES.items()),
        ("lite012", "+".join(f"tf_efficientnet_{lite}.in1k" for lite in _LITE_SIDES), 240),
    )
)
"""Frozen features of EfficientNet-Lite, one network at a time, then the three side by side."""

ENSEMBLE = Recipe(
    name="efficientnet-lite-ensemble",
    trainer="fusion",
    architecture="mean:efficientnet-lite0-torch+efficientnet-lite012-probe",
    source="ours; Kittler et al., On Combining Classifiers, IEEE TPAMI 1998, doi 10.1109/34.667881,"
    " for the product of answers",
)
"""The fine-tuned network and the frozen ones, which answer together for a photo."""

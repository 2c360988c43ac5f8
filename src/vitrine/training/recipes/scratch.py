"""Settings that the recipes from random weights share, and recipes of MambaVision's mixers."""

from vitrine.training.recipes.recipe import Recipe

__all__ = ["MIXERS", "SCRATCH"]

SCRATCH = {
    "image_size": 128,
    "batch_size": 32,
    "epochs": 100,
    "warmup_epochs": 5,
    "learning_rate": 1e-3,
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "drop_rate": 0.2,
    "drop_path_rate": 0.2,
    "crop_scale": 0.35,
    "flip": True,
    "jitter": 0.2,
    "source": "ours: fixed before the first run, the same for every network trained from scratch",
}

MIXERS = tuple(
    Recipe(
        name=f"mambavision-micro-mixer-{mixer}",
        trainer="torch",
        architecture="mambavision_micro",
        windows=(8, 4),
        mixer=mixer,
        **SCRATCH
        | {
            "epochs": 40,
            "warmup_epochs": 2,
            "source": "ours: the recipe from scratch in two fifths of its passes, fixed before the "
            "first run, the same for the scan and for what stands in its place",
        },
    )
    for mixer in ("scan", "identity", "conv", "attention")
)
"""One network, one recipe, four mixers where it scans: the first is the network as it is."""

"""What every network trained from random weights has in common."""

__all__ = ["SCRATCH"]

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

"""Recipes of distillation: pretrainings that learn a teacher's answers, and their transfers."""

from collections.abc import Iterator
from dataclasses import replace

from vitrine.training.recipes.recipe import Recipe

__all__ = ["distilled"]

_TAUGHT = {
    "epochs": 28,
    "teacher": "tf_efficientnet_lite0.in1k",
    "teacher_head": "probe",
    "teacher_size": 160,
    "crops": 4,
    "label_smoothing": 0.0,
    "randaugment": "",
    "mixup": 0.0,
    "cutmix": 0.0,
    "source": "ours; Beyer et al., Knowledge Distillation: A Good Teacher Is Patient and "
    "Consistent, arXiv 2106.05237; the rate of each student is the best of three after a short run",
}
_RATES = ("5e-4", "1e-3", "2e-3")
_CHOSEN = {
    "efficientnet-b0": {"learning_rate": 1e-3},
    "mambavision-micro": {"learning_rate": 2e-3, "precision": "bfloat16"},
}
"""What each student has of its own: its learning rate, and the precision in which it is fastest.

MambaVision's rate is the best of three after three epochs, on validation: 13.7 % at 2e-3, 10.2 at
1e-3, 7.7 at 5e-4 (an average of the weights, which lags so early). EfficientNet's is not chosen.

Images a second of one core (AVX-512 BF16), bfloat16 against float32: MambaVision micro 330
against 250, EfficientNet-B0 50 against 86.
"""


def distilled(name: str, pretraining: Recipe, transfer: Recipe) -> Iterator[Recipe]:
    """Yield the same pretraining with a teacher, the short runs that choose its rate, its transfer.

    Args:
        name: Of the student.
        pretraining: How it learns the labels.
        transfer: What becomes of it on the photos.
    """
    learned = replace(pretraining, name=f"{name}-distilled", **_TAUGHT, **_CHOSEN[name])
    yield learned
    for rate in _RATES:
        short = {"learning_rate": float(rate), "epochs": 3}
        yield replace(learned, name=f"{learned.name}-lr{rate}", **short)
    yield replace(
        transfer, name=f"{learned.name}-transfer", weights=f"pretrain/{learned.name}/seed-0"
    )

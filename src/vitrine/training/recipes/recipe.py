"""The class of recipes: a frozen dataclass of hyper-parameters, checked when it is made."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

__all__ = ["Recipe", "RecipeError", "best_epoch", "epoch_seed"]


class RecipeError(ValueError):
    """A recipe that does not exist or contradicts itself."""


_WITH_TEACHER = "at least 1 with a teacher, and 0 without"
_PRETRAINED = {"weights": "none", "backbone": "fine-tuned", "patience": 0}
_TAUGHT = {"label_smoothing": 0}
_CROPPED = {"randaugment": "", "mixup": 0, "cutmix": 0}
_KERAS = {
    "optimizer": "adamw", "windows": (), "mixer": "", "randaugment": "", "cutmix": 0,
    "ema_decay": 0, "norm_momentum": 0, "layer_decay": 1, "accumulate": 1,
}  # fmt: skip
"""The only values that these fields may have where nothing else is implemented."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """One way to train one classifier.

    Attributes:
        name: Identifier of the runs; also the name of their folder under ``runs/``.
        trainer: Which ``fit`` reads it; ``pretrain`` learns another corpus than the photos.
        architecture: Name in ``keras.applications``, in the timm registry, or a feature of
            ``probe``: ``tflite:<tensor>``, ``timm:<name>`` (or several, joined by ``+``),
            ``histogram+hog``, ``majority``; of ``text``: ``tfidf:title``,
            ``tfidf:title+description``; of ``fusion``: ``mean:<recipe>+<recipe>``,
            ``stacked:<recipe>+<recipe>``.
        weights: Where training starts: ``none``, ``imagenet``, the name of a pretraining run such
            as ``pretrain/<recipe>/seed-0``, or the path of a local file.
        backbone: ``fine-tuned``, or ``frozen`` (only the head learns).
        head: Where the head starts: ``random``, or at the classifier of a linear ``probe`` on the
            features that training starts from (Kumar et al., Fine-Tuning can Distort Pretrained
            Features and Underperform Out-of-Distribution, arXiv 2202.10054).
        image_size: Side of the square input, in pixels.
        windows: Sides of the windows of the last two levels of a MambaVision, in positions (a
            position is 16, then 32 pixels); empty keeps the architecture's, made for 224 pixels.
        mixer: What mixes tokens where a MambaVision scans: ``scan``, ``identity``, ``conv`` or
            ``attention``; empty keeps the architecture's. One that is named begins anew, whatever
            the weights hold.
        batch_size: Images per optimiser step, gradient accumulation included.
        accumulate: Pieces that a batch is cut into to save memory. Batch statistics see a piece.
        epochs: Passes over the training split; with a budget, the unit of the schedule alone. A
            probe with epochs has its head learned by gradient descent; 0 is a logistic regression.
        budget: Seconds of training after which a pretraining ends, wherever it stands: the schedule
            is stretched or shrunk to end with them. 0 counts passes instead.
        head_epochs: Among them, first passes during which only the head learns.
        warmup_epochs: Passes during which the learning rate rises linearly from zero.
        optimizer: Name in timm's registry. PyTorch only: Keras has ``adamw``.
        learning_rate: Peak value, for the whole batch (not per image); a cosine brings it to zero,
            but for the head of a probe, whose rate is constant.
        layer_decay: Factor on the learning rate from one layer group to the one below; 1 is none.
        weight_decay: Decoupled from the gradient, as in AdamW; vectors (biases, norms) have none.
        label_smoothing: Probability mass moved from the true class to all classes alike.
        drop_rate: Dropout before the classifier.
        drop_path_rate: Stochastic depth at the last block, rising linearly from the first.
        norm_momentum: Weight of a batch in the running statistics of batch normalisation; 0
            keeps the architecture's. PyTorch only: Keras fixes its own at 0.01.
        frozen_norm: Whether batch normalisation stays as it was learned: statistics, scale, shift.
        letterbox: Whether photos keep their proportions, on a square of white, where the others
            are squashed. Such a run is judged, never served.
        crop_scale: Smallest share of the area that a random crop keeps; 1 is no crop.
        flip: Whether images are mirrored half of the time.
        jitter: Largest relative change of brightness, contrast and saturation.
        randaugment: timm's configuration string; empty is none. PyTorch only. Pretraining reads
            ``rand-m<magnitude>-n<operations>`` alone, the magnitude on timm's scale of 10.
        mixup: Parameter of the Beta law of mixup; 0 is none.
        cutmix: Parameter of the Beta law of CutMix; 0 is none. PyTorch only.
        ema_decay: Decay, a step, of the moving average of the weights; 0 is none. PyTorch
            only.
        teacher: Whose answers are learned instead of the labels: for a pretraining, a network of
            timm with its ImageNet weights; on photos, a recipe, whose run on the same split
            answers for each augmented batch. Empty learns the labels. PyTorch only.
        teacher_head: What the teacher answers with: its ``own`` head, cut to the classes of the
            corpus, or a linear ``probe`` learned there on its features.
        teacher_size: Side that the crops are resized to for the teacher, in pixels.
        crops: Crops of each image of a pretraining, fixed once, that the teacher answers for and
            that epochs show in turn.
        precision: ``float32``, ``bfloat16`` or ``auto``: mixed on a GPU, ``float32`` on a CPU.
        patience: Epochs without a better validation loss before stopping, the best epoch being
            kept; 0 never stops and keeps the last epoch.
        source: Where the hyper-parameters come from: a paper, an issue, or "ours".
    """

    name: str
    trainer: Literal["keras", "torch", "probe", "text", "fusion", "pretrain"]
    architecture: str
    weights: str = "none"
    backbone: Literal["fine-tuned", "frozen"] = "fine-tuned"
    head: Literal["random", "probe"] = "random"
    image_size: int = 224
    windows: tuple[int, ...] = ()
    mixer: Literal["", "scan", "identity", "conv", "attention"] = ""
    batch_size: int = 32
    accumulate: int = 1
    epochs: int = 0
    budget: float = 0.0
    head_epochs: int = 0
    warmup_epochs: int = 0
    optimizer: Literal["adamw", "lamb"] = "adamw"
    learning_rate: float = 0.0
    layer_decay: float = 1.0
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    drop_rate: float = 0.0
    drop_path_rate: float = 0.0
    norm_momentum: float = 0.0
    frozen_norm: bool = False
    letterbox: bool = False
    crop_scale: float = 1.0
    flip: bool = False
    jitter: float = 0.0
    randaugment: str = ""
    mixup: float = 0.0
    cutmix: float = 0.0
    ema_decay: float = 0.0
    teacher: str = ""
    teacher_head: Literal["own", "probe"] = "own"
    teacher_size: int = 0
    crops: int = 0
    precision: Literal["float32", "bfloat16", "auto"] = "auto"
    patience: int = 0
    source: str

    def __post_init__(self) -> None:
        shares = ("label_smoothing", "drop_rate", "drop_path_rate", "norm_momentum", "ema_decay")
        for field in (*shares, "jitter"):
            if not 0 <= getattr(self, field) < 1:
                self._refuse(field, "a value in [0, 1)")
        for field in ("crop_scale", "layer_decay"):
            if not 0 < getattr(self, field) <= 1:
                self._refuse(field, "a value in (0, 1]")
        for field in ("image_size", "batch_size", "accumulate"):
            if getattr(self, field) < 1:
                self._refuse(field, "at least 1")
        if self.batch_size % self.accumulate:
            self._refuse("accumulate", f"a divisor of batch_size={self.batch_size}")
        if self.at_once and not self.epochs:
            return
        afresh, pretrains = self.weights == "none", self.trainer == "pretrain"
        least, taught = f"fewer than epochs={self.epochs}", bool(self.teacher)
        for field, broken, expected in (
            ("budget", self.budget < 0 or (self.budget and not pretrains),
             "positive seconds, and 0 but for a pretraining"),
            ("epochs", self.epochs < 1, "at least 1"),
            ("learning_rate", self.learning_rate <= 0, "a positive value"),
            ("warmup_epochs", self.warmup_epochs >= self.epochs, f"{least}, to leave a decay"),
            ("head_epochs", self.head_epochs >= self.epochs, least),
            ("head_epochs", self.head_epochs and afresh,
             "0 without pretrained weights, which it protects"),
            ("head", self.head == "probe" and afresh,
             "random without pretrained weights, whose features it reads"),
            ("teacher", taught and self.trainer not in ("pretrain", "torch"),
             "none: only what PyTorch trains has one"),
            ("teacher_size", (self.teacher_size > 0) != taught, _WITH_TEACHER),
            ("crops", (self.crops > 0) != (taught and pretrains),
             "at least 1 for a pretraining with a teacher, and 0 else"),
        ):  # fmt: skip
            if broken:
                self._refuse(field, expected)
        for applies, only, why in (
            (pretrains, _PRETRAINED, "a pretraining starts and ends alike for all"),
            (taught, _TAUGHT, "the teacher's answers are learned as they are"),
            (taught and pretrains, _CROPPED, "the teacher answered for the crop alone"),
            (self.trainer == "keras", _KERAS, "the Keras trainer does not implement it"),
        ):
            for field, neutral in only.items():
                if applies and getattr(self, field) != neutral:
                    self._refuse(field, f"{neutral or 'none'}: {why}")

    def _refuse(self, field: str, expected: str) -> None:
        raise RecipeError(
            f"recipe {self.name}: expected {field} to be {expected}, found {getattr(self, field)!r}"
        )

    @property
    def at_once(self) -> bool:
        """Whether it is fitted in one go on the processor: folds cost next to nothing."""
        return self.trainer in ("probe", "text", "fusion")

    @property
    def fused(self) -> tuple[str, ...]:
        """Recipes whose answers a fusion puts together; none for another trainer."""
        named = self.architecture.partition(":")[2]
        return tuple(named.split("+")) if self.trainer == "fusion" else ()

    def for_photos(self, count: int) -> "Recipe":
        """Return the same recipe, its batch no larger than the photos that there are to learn."""
        if count >= self.batch_size:
            return self
        return replace(self, batch_size=max(count, 1), accumulate=1)

    def learning_rate_at(self, passes: float) -> float:
        """Return the learning rate after so many passes, a fraction included.

        It rises linearly during ``warmup_epochs``, then follows half a cosine down to zero
        (Loshchilov and Hutter, SGDR, arXiv 1608.03983). Both frameworks call this function.
        """
        if passes < self.warmup_epochs:
            return self.learning_rate * passes / self.warmup_epochs
        done = (passes - self.warmup_epochs) / (self.epochs - self.warmup_epochs)
        return self.learning_rate * (1 + math.cos(math.pi * min(done, 1.0))) / 2

    def stops(self, losses: Sequence[float]) -> bool:
        """Tell whether patience has run out, given the validation loss of each epoch so far."""
        return bool(self.patience) and len(losses) - 1 - best_epoch(losses) >= self.patience

    def smoke(self) -> "Recipe":
        """Return the same recipe cut to the bone, to check in seconds that it runs."""
        cut = {"name": f"{self.name}-smoke", "image_size": 64}
        cut |= {"windows": (4, 2) if self.windows else ()}
        if self.epochs:
            head = 1 if self.head_epochs else 0
            cut |= {"epochs": 2 + head, "head_epochs": head, "warmup_epochs": 0, "batch_size": 8}
            cut |= {"accumulate": min(self.accumulate, 2)}
        if self.teacher and self.trainer == "torch":
            cut |= {"teacher": f"{self.teacher}-smoke", "teacher_size": 64}
        return replace(self, **cut)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON holds them, to be saved with a run.

        Of weights given by their full path only the name of the file is kept: where it lay says
        something of this machine, and the run holds the hash of its content.
        """
        weights = Path(self.weights).name if Path(self.weights).is_absolute() else self.weights
        return asdict(self) | {"weights": weights, "windows": list(self.windows)}


def best_epoch(losses: Sequence[float]) -> int:
    """Return the position of the smallest loss; one that diverged to « not a number » loses."""
    return int(np.argmin(np.nan_to_num(losses, nan=math.inf)))


def epoch_seed(seed: int, epoch: int) -> int:
    """Return the seed of every generator at the start of an epoch, in [0, 2**31).

    It depends on the run's seed and the epoch alone, so that a run resumed at an epoch equals one
    that never stopped.
    """
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0] >> 1)

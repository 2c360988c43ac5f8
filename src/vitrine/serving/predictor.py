"""Predict the classes of photos with ONNX Runtime alone.

One session serves every thread: a run of it holds no state and leaves Python's lock. Threads inside
a run are off by default, since several photos at once use the cores better than one photo in
pieces; a thread that waits sleeps instead of spinning.
"""

import ctypes
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Float, UInt8
from PIL import Image

from vitrine import paths
from vitrine.data import images
from vitrine.data.images import Limits, Photo
from vitrine.explain import EVIDENCE, INPUT, LOGITS
from vitrine.serving import card as cards
from vitrine.serving.card import ModelError

__all__ = [
    "DEFAULT", "MAMBAVISION", "Answer", "AnswerError", "Predictor", "describe", "distance", "drawn",
    "packaged", "shipped",
]  # fmt: skip

DEFAULT, MAMBAVISION = "efficientnet-lite0", "mambavision"
"""Names of the models that come with the package, the one that is served by default first."""
WARM_UPS = 2
SAMPLE_GAP, ROUNDED_GAP = 5e-3, 5e-2
"""Largest difference of a probability of a sample: processors round in different orders. In 8 bits
an activation then falls on the next level, and a drawn picture's answer moves by up to 0.03."""
SMALL = 1e-3
"""Added to a spread, in logits, before its logarithm."""


class AnswerError(ArithmeticError):
    """The model answered with numbers that are no probabilities."""


@dataclass(frozen=True)
class Answer:
    """What the model says of one photo.

    Attributes:
        probabilities: Of each class, after the temperature; they sum to 1.
        evidence: What each place of the photo adds to the logit of each class: its mean over the
            places, plus the class's bias, is that logit.
        outside: Whether the photo is probably of none of the classes.
    """

    probabilities: Float[np.ndarray, " category"]
    evidence: Float[np.ndarray, "category row column"]
    outside: bool = False

    def map_of(self, category: int) -> Float[np.ndarray, "row column"]:
        """Return the class-activation map of a class, brought to [0, 1] over the places."""
        evidence = self.evidence[category]
        span = float(np.ptp(evidence))
        if span == 0:
            return np.zeros_like(evidence)
        return (evidence - evidence.min()) / span


def drawn(size: int, number: int) -> UInt8[np.ndarray, "size size 3"]:
    """Return a picture that is the same on every machine: two gradients and a chequerboard.

    Args:
        size: Its side, in pixels.
        number: Which of the three has which colour.
    """
    row, column = np.indices((size, size))
    planes = row * 255 // (size - 1), column * 255 // (size - 1), (row // 8 + column // 8) % 2 * 255
    return np.roll(np.stack(planes, axis=-1), number, axis=-1).astype(np.uint8)


def describe(
    logits: Float[np.ndarray, "image category"],
    evidence: Float[np.ndarray, "image category row column"],
) -> Float[np.ndarray, "image feature"]:
    """Return what the guard sees of photos: their logits, and how uneven each class's evidence is.

    Nothing stands out in a plain photo or in noise, whatever class it is given; in a product, some
    places speak for a class and others against it.
    """
    spread = evidence.std(axis=(2, 3))
    return np.concatenate([logits, np.log(spread + SMALL)], axis=1).astype(np.float64)


def contrast(
    pixels: UInt8[np.ndarray, "image size size 3"],
) -> Float[np.ndarray, " image"]:
    """Return how far photos are from plain: the standard deviation of their most uneven colour."""
    return pixels.std(axis=(1, 2)).max(axis=-1)


def distance(
    described: Float[np.ndarray, "image feature"],
    center: Float[np.ndarray, " feature"],
    precision: Float[np.ndarray, "feature feature"],
) -> Float[np.ndarray, " image"]:
    """Return Mahalanobis's distance of photos from those that a guard was fitted on.

    Source: Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples and
    Adversarial Attacks", arXiv:1807.03888, here on what every exported file answers.
    """
    gap = described - center
    return np.sqrt(np.einsum("ij,jk,ik->i", gap, precision, gap))


def shipped() -> dict[str, Path]:
    """Return the folder of each model that comes with the package, the default one first."""
    models = Path(str(resources.files("vitrine.serving").joinpath("models")))
    return {name: models / name for name in (DEFAULT, MAMBAVISION)}


def packaged(model: Path | str | None = None) -> Path:
    """Return the folder of a model.

    Args:
        model: A folder, the name of a model of the package, by default the first of them, or a run
            that ``vitrine export`` wrote where it does by default; its recipe alone means seed 0.

    Raises:
        ModelError: If it is none of these.
    """
    if model is None or Path(model).exists():
        return Path(model or shipped()[DEFAULT])
    known, name = shipped() | _exported(), Path(model).as_posix()
    if found := known.get(name, known.get(f"{name}/seed-0")):
        return found
    raise ModelError(
        f"expected the folder of a model, or one of {', '.join(known)}, found {name}; name one of "
        "these, or write a run with `vitrine export RUN`"
    )


def _exported() -> dict[str, Path]:
    """Return the folder of each run that was exported to its default place."""
    try:
        models = paths.build() / "models"
    except FileNotFoundError:  # not in a clone: the image of the service is none
        return {}
    folders = (file.parent for file in sorted(models.glob(f"*/*/{cards.CARD}")))
    return {folder.relative_to(models).as_posix(): folder for folder in folders}


def _give_back_memory() -> None:
    """Return to the system what opening a session has freed: 30 MB of the default model, on Linux.

    GNU's C library keeps it otherwise, for allocations of a size that never come.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


class Predictor:
    """A model that answers for photos; safe to share between threads.

    Args:
        folder: As ``packaged`` takes it.
        threads: Threads inside one run.

    Attributes:
        card: What the model is.

    Raises:
        ModelError: If the files are absent, are not a model that fits its card, or were made for
            other pixels than this version of the package prepares, or if its answers to its own
            samples are not those of its card.
    """

    def __init__(self, folder: Path | str | None = None, threads: int = 1) -> None:
        self.card, model = cards.read(packaged(folder))
        if self.card.preprocessing not in images.SAME_PREP:
            raise ModelError(
                f"expected a model for the preprocessing {images.PREP_ID}, found "
                f"{self.card.preprocessing}; export it again with this version of vitrine"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False  # as fast without, and a block fewer for each thread
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime's own classes, which it does not export
            raise ModelError(
                f"expected a model that ONNX Runtime {onnxruntime.__version__} reads, found "
                "another file; export the model again"
            ) from error
        _give_back_memory()
        self._check()
        guard = self.card.guard
        self._known = guard and (np.array(guard.center), np.array(guard.precision))
        self._check_samples()
        Image.init()  # else the first file that is no photo waits for every plugin to load

    def _check(self) -> None:
        side, count = self.card.input_size, len(self.card.classes)
        given = {value.name: value.shape[1:] for value in self._session.get_inputs()}
        given |= {value.name: value.shape[1:2] for value in self._session.get_outputs()}
        wanted = {INPUT: [side, side, 3], LOGITS: [count], EVIDENCE: [count]}
        if given != wanted:
            raise ModelError(
                f"expected the graph of a model of {count} classes at {side} pixels ({wanted}), "
                f"found {given}; export the model again"
            )

    def _check_samples(self) -> None:
        most = ROUNDED_GAP if self.card.precision == "int8-static" else SAMPLE_GAP
        for sample in self.card.samples:
            try:
                found = self.answer(drawn(self.card.input_size, sample.number)).probabilities
                gap = float(np.abs(found - np.array(sample.probabilities)).max())
            except (AnswerError, ValueError) as error:  # no probabilities, or of other classes
                raise ModelError(
                    f"expected an answer to the sample {sample.number} of the card, found that "
                    f"{error}; export the model again"
                ) from error
            if gap > most:
                raise ModelError(
                    f"expected the answer of the card to its sample {sample.number} within "
                    f"{most:g}, found a difference of {gap:.3g}; export the model again"
                )

    def warm_up(self) -> None:
        """Answer twice for a drawn photo, so that the first visitor does not wait."""
        side = self.card.input_size
        for _ in range(WARM_UPS):
            self.answer(np.zeros((side, side, 3), dtype=np.uint8))

    def read(self, data: bytes, limits: Limits, *, large: bool = True) -> Photo:
        """Decode a photo as the model receives it.

        Raises:
            ImageError: If it is not a photo within the limits.
            LargeImageError: If it is decoded alone, and ``large`` is false.
        """
        return images.read(data, self.card.input_size, limits, large=large)

    def answer(self, pixels: UInt8[np.ndarray, "size size 3"]) -> Answer:
        """Return what the model says of a preprocessed photo.

        Raises:
            AnswerError: If the model gives a number that is not finite.
        """
        logits, evidence = self.logits(pixels[None])
        scaled = logits[0].astype(np.float64) / self.card.temperature
        if not np.isfinite(scaled).all() or not np.isfinite(evidence).all():
            raise AnswerError(f"expected finite logits, found {logits[0].tolist()}")
        odds = np.exp(scaled - scaled.max())
        return Answer(odds / odds.sum(), evidence[0], self._outside(pixels, logits, evidence))

    def _outside(self, pixels: np.ndarray, logits: np.ndarray, evidence: np.ndarray) -> bool:
        guard = self.card.guard
        if self._known is None or guard is None:
            return False
        if guard.plain_below and contrast(pixels[None])[0] < guard.plain_below:
            return True
        return bool(distance(describe(logits, evidence), *self._known)[0] > guard.limit)

    def logits(
        self, pixels: UInt8[np.ndarray, "image size size 3"]
    ) -> tuple[Float[np.ndarray, "image category"], Float[np.ndarray, "image category row column"]]:
        """Return the logits of photos before the temperature, and their evidence."""
        names = [LOGITS, EVIDENCE]
        logits, evidence = self._session.run(names, {INPUT: np.ascontiguousarray(pixels)})
        return logits, evidence

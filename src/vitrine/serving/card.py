"""The model card, ``model.json``: its fields, and how it is read and checked."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["Card", "Guard", "Label", "ModelError", "Offered", "Sample", "Words", "read"]

CARD, MODEL = "model.json", "model.onnx"
FORMAT = 1
FEWEST = 30
"""Validation photos, one of them answered wrongly, from which a temperature is fitted. Where every
answer is right the best one is the lowest there is, which turns each score into 100 %."""


class ModelError(ValueError):
    """A model that is absent, is not the one its card describes, or cannot be served.

    Attributes:
        exit_code: What the command line exits with: 2, or 3 where two digests differ.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Label(_Frozen):
    """A class: its number, its name in the data set, its name on screen."""

    id: int
    label: str
    label_fr: str


class Score(_Frozen):
    """A number with its 95 % interval, in the number's own unit."""

    value: float
    low: float
    high: float


class Doubt(_Frozen):
    """From which score on an answer is given without reserve.

    Attributes:
        uncertain_below: Scores under it are told as uncertain.
        wanted: Accuracy that the answers above it have on the validation images.
        answered: Share of the test images that are above it.
        accuracy: Accuracy on these, on the test images.
    """

    uncertain_below: float = Field(ge=0, le=1)
    wanted: float
    answered: float
    accuracy: Score | None


class Guard(_Frozen):
    """From which distance on a photo is probably of none of the classes; a plain one always is.

    The distance is Mahalanobis's, from the validation photos: ``predictor.describe`` says what a
    photo is there, ``predictor.distance`` how far it lies, ``predictor.contrast`` how plain it is.

    Attributes:
        center: Mean description of the validation photos.
        precision: Inverse of the covariance of their descriptions.
        limit: Distance beyond which a photo is told as of none of them.
        wanted: Share of the validation photos that are beyond it.
        false_alarms: Share of the test photos, each of a class, that are told so.
        plain_below: Contrast, in levels, under which a photo is plain: a tenth of the least of
            the validation photos, or 0 where none is looked for.
    """

    center: tuple[float, ...]
    precision: tuple[tuple[float, ...], ...]
    limit: float
    wanted: float
    false_alarms: Score
    plain_below: float = 0.0


class Parity(_Frozen):
    """How close the file's answers are to the run's own, on the test images.

    Attributes:
        images: How many were compared.
        largest_gap: Largest difference of a probability.
        same_top1: Images whose most probable class is the same.
        lost_macro_f1: What an 8-bit form loses on the original; ``None`` for float32.
    """

    images: int
    largest_gap: float
    same_top1: int
    lost_macro_f1: float | None = None


class Sample(_Frozen):
    """What the model answered for a drawn picture as it was exported, to be found again.

    Attributes:
        number: Which picture, as ``predictor.drawn`` takes it.
        probabilities: The answer.
    """

    number: int
    probabilities: tuple[float, ...]


class Offered(_Frozen):
    """A photo that the page offers to try, where it has it: one that the model has not learned.

    Attributes:
        image: Its name in the data set.
        label: Its class, as the data set names it.
    """

    image: str
    label: str


class Words(_Frozen):
    """What visitors read of the photos, within a sentence: in French, or as the data set says.

    Attributes:
        photo: What one is called, a feminine noun: « une photographie de produit ».
        classes: What their classes are called: « l’une des catégories du catalogue ».
        outside: Of a photo of none of them: « sans doute hors du catalogue ».
    """

    photo: str = "photo"
    classes: str = "catégories"
    outside: str = "hors de ces catégories"


class Card(_Frozen):
    """The content of ``model.json``.

    Attributes:
        name: The run, ``<recipe>/seed-<n>``.
        language: Of the names of classes on screen and of the licence.
        version: Day of the training, and the first digits of the file's hash.
        sha256: Hash of ``model.onnx``.
        precision: ``float32``; ``int8`` for weights in 8 bits and answers computed in float32;
            ``int8-static`` for answers computed in 8 bits too.
        framework: What trained it.
        input_size: Side of the square photo, in pixels.
        preprocessing: Identifier of the recipe of pixels.
        classes: In the order of the logits.
        temperature: What the logits are divided by before the softmax, fitted on validation; 1
            where its photos are too few, or all well answered.
        guard: What tells a photo of none of the classes; ``None`` where nothing does.
        metrics: Of the served probabilities, on the test images.
        samples: Answers that the file must give again to be served.
        offered: Photos of its test part to try it on; never the photos themselves.
        words: What its photos and their classes are called.
        data: Edition of the photos, split, and their hashes.
        commits: Of the code that trained, and of the code that exported.
        licence: Of the weights, with what it follows from.
    """

    format: Literal[1] = FORMAT
    name: str
    language: Literal["fr", "en"] = "fr"
    version: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    precision: Literal["float32", "int8", "int8-static"]
    framework: str
    architecture: str
    parameters: int
    input_size: int = Field(ge=8, le=2048)
    preprocessing: str
    classes: tuple[Label, ...] = Field(min_length=2)
    temperature: float = Field(gt=0)
    doubt: Doubt
    guard: Guard | None = None
    test_images: int
    metrics: dict[str, Score]
    parity: Parity
    samples: tuple[Sample, ...] = ()
    offered: tuple[Offered, ...] = ()
    words: Words = Words()
    data: dict[str, Any]
    commits: dict[str, str]
    licence: str

    def shown(self, label: Label, language: str) -> str:
        """Return the name on screen of a class; English that nobody wrote is the data set's."""
        return label.label_fr if language in (self.language, "fr") else label.label

    def to_json(self) -> str:
        """Return the text of ``model.json``."""
        absent = {name for name in ("guard", "samples", "offered") if not getattr(self, name)}
        told = self.model_dump(exclude=absent)
        return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read(folder: Path) -> tuple[Card, bytes]:
    """Return the card of a model folder, and the file it describes, checked against its hash.

    Raises:
        ModelError: If one of the two files is absent or unreadable, or the hashes differ.
    """
    for name in (CARD, MODEL):
        if not (folder / name).is_file():
            raise ModelError(
                f"expected {name} in the model folder {folder.resolve().name}, found none; name "
                "a model of the package, or one made with `vitrine export RUN --out DIR`"
            )
    try:
        card = Card.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise ModelError(
            f"expected {CARD} as `vitrine export` writes it, found {_first(error)}; export the "
            "model again"
        ) from error
    model = (folder / MODEL).read_bytes()
    found = hashlib.sha256(model).hexdigest()
    if found != card.sha256:
        raise ModelError(
            f"expected {MODEL} with the SHA-256 {card.sha256} of its card, found {found}; copy "
            "both files again, or export the model again",
            exit_code=3,
        )
    return card, model


def _first(error: ValidationError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "text that is not UTF-8"
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "the whole"
    return f"a fault in {where} ({first['msg']})"

"""The JSON bodies of the service's requests and answers, as its documentation shows them."""

from typing import Literal

from pydantic import BaseModel, Field

from vitrine.serving.card import Doubt, Label, Offered, Words
from vitrine.serving.card import Score as Metric

__all__ = [
    "Available", "Batch", "BatchItem", "Explanation", "Model", "Prediction", "Problem", "Score",
]  # fmt: skip

Stage = Literal["decode", "inference", "queue", "total"]


class Class(Label):
    """A class, with its name in the language that the client reads best."""

    name: str


class Score(BaseModel):
    """The probability of a class; ``name`` is in the language that the client reads best."""

    label: str
    label_fr: str
    name: str
    score: float = Field(ge=0, le=1)


class ModelRef(BaseModel):
    """Which model answered."""

    name: str
    version: str
    sha256: str


class Available(ModelRef):
    """A model that can be asked for: ``model`` is what the parameter of that name takes."""

    model: str


class ImageInfo(BaseModel):
    """What was received; the sides are those of the file, before any rotation."""

    width: int
    height: int
    format: Literal["JPEG", "PNG", "WEBP"]
    bytes: int


class Prediction(BaseModel):
    """The answer for one image.

    ``out_of_catalogue`` where it is probably of none of the model's classes; ``uncertain`` there
    too, and where the score is under the model's threshold.
    """

    label: str
    label_fr: str
    name: str
    score: float = Field(ge=0, le=1)
    uncertain: bool
    out_of_catalogue: bool = False
    predictions: list[Score]
    model: ModelRef
    image: ImageInfo
    timings_ms: dict[Stage, float]
    request_id: str


class Grid(BaseModel):
    """A coarse map over the whole image, row by row from the top: 0 is least, 1 is most."""

    rows: int
    columns: int
    values: list[list[float]]


class Explanation(Prediction):
    """An answer, and where in the image the evidence for its class lies."""

    map: Grid


class Problem(BaseModel):
    """Why there is no answer (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    code: str
    request_id: str


class BatchItem(BaseModel):
    """One image of a batch: ``ok`` with its prediction, or ``error`` with its problem."""

    index: int
    status: Literal["ok", "error"]
    prediction: Prediction | None = None
    problem: Problem | None = None


class Batch(BaseModel):
    """The answers for a batch, in the order sent."""

    items: list[BatchItem]
    model: ModelRef
    request_id: str


class Guard(BaseModel):
    """How often a photo is told as of none of the classes: wanted, and on the test, wrongly."""

    wanted: float
    false_alarms: Metric


class Model(BaseModel):
    """What is served: version, classes, input, and how well it does on images never learned."""

    name: str
    version: str
    sha256: str
    framework: str
    precision: str
    language: Literal["fr", "en"]
    classes: list[Class]
    input_size: int
    preprocessing: str
    doubt: Doubt
    guard: Guard | None = None
    test_images: int
    metrics: dict[str, Metric]
    offered: list[Offered] = []
    words: Words = Words()
    licence: str


class Health(BaseModel):
    """Whether the process turns, or the model is ready."""

    status: str


class LegacyImage(BaseModel):
    """What the earlier routes receive: an image in base64."""

    image: str


class LegacyPrediction(BaseModel):
    """What the earlier route of prediction answers."""

    predicted_label: str
    probabilities: dict[str, float]


class LegacyNormalised(BaseModel):
    """What the earlier route of preprocessing answers: a PNG image in base64."""

    image_normalized: str

"""Decode, predict and write answers: what the routes do, apart from HTTP."""

import asyncio
import base64
import io
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from vitrine.data.images import ImageError, LargeImageError, Photo
from vitrine.serving import schemas
from vitrine.serving.card import Card
from vitrine.serving.predictor import Answer, AnswerError, Predictor, packaged, shipped
from vitrine.serving.problems import ProblemError, body_of, of_image, texts
from vitrine.serving.request_body import BodyReader
from vitrine.serving.settings import Settings
from vitrine.serving.telemetry import Telemetry
from vitrine.serving.worker_pool import Done, WorkerPool, stop_if_given_up

__all__ = ["Judged", "Service", "from_base64"]

Result = TypeVar("Result")
DATA_URL = "data:"
LARGE_MEGAPIXELS = 400
"""Megapixels of large images that may wait: some five seconds of decoding."""


@dataclass(frozen=True)
class Judged:
    """A photo, its answer, which model gave it, and the seconds that each took."""

    photo: Photo
    size: int
    answer: Answer
    card: Card
    decode: float
    inference: float


class Service:
    """What the routes share: the models, the pool of workers and the reader of bodies.

    Args:
        settings: How to run.

    Attributes:
        name: What ``model=`` calls the model that answers by default: its name in the package, or
            its run.
        others: Folder of each other model of the package, loaded once somebody asks for it.

    Raises:
        ModelError: If the model cannot be served.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.sentences = settings, texts(settings)
        self.predictor = Predictor(settings.model_dir, settings.intra_op_threads)
        self.card = self.predictor.card
        served = packaged(settings.model_dir)
        names = {folder: name for name, folder in shipped().items()}
        self.name = names.pop(served, self.card.name)
        self.others = {name: folder for folder, name in names.items()}
        self._loaded = {self.name: self.predictor}
        self._loading = threading.Lock()
        self.telemetry = Telemetry(self.card)
        self.bodies = BodyReader(settings.max_bodies_bytes, settings.body_timeout_s)
        self.model = _reference(self.card)
        self.pool: WorkerPool | None = None
        self._large: WorkerPool | None = None

    async def open(self) -> None:
        """Start the workers and warm the model up; the service is then ready."""
        settings, told, patience = self.settings, self.telemetry, self.settings.predict_timeout_s
        self._large = WorkerPool(1, LARGE_MEGAPIXELS, patience, told.large.set)
        pool = WorkerPool(settings.workers, settings.places, patience, told.queue.set)
        await asyncio.to_thread(self.predictor.warm_up)
        self.pool = pool

    def close(self) -> None:
        """Stop answering, once what is being computed has ended."""
        pools = self.pool, self._large
        self.pool = self._large = None
        for pool in filter(None, pools):
            pool.close()

    async def run(self, work: Callable[[bool], Result], **options: Any) -> Done[Result]:
        """Compute in a worker, and tell failures as problems.

        A large image never holds a worker while it waits: large ones are decoded one after the
        other in a thread of their own, where their places are counted in megapixels.

        Args:
            work: Told whether it may decode a large image.
            options: ``within`` and ``admitted``, as ``WorkerPool.run`` takes them.

        Raises:
            ProblemError: Where there is no answer.
        """
        if self.pool is None or self._large is None:
            raise ProblemError("modele_non_pret")
        try:
            try:
                return await self.pool.run(lambda: work(False), **options)
            except LargeImageError as large:
                cost = math.ceil(large.megapixels)
            return await self._large.run(lambda: work(True), cost=cost, **options)
        except ImageError as error:
            raise of_image(error) from error
        except AnswerError as error:
            raise ProblemError("prediction_invalide") from error

    def predictor_of(self, model: str | None) -> Predictor:
        """Return a model, loaded the first time that it is asked for; runs in a worker.

        Args:
            model: ``name``, or one of ``others``; by default ``name``.
        """
        with self._loading:
            if (found := self._loaded.get(model or self.name)) is None:
                found = Predictor(self.others[model], self.settings.intra_op_threads)
                self._loaded[model] = found
        return found

    def models(self) -> list[schemas.Available]:
        """Return the models that can be asked for, the default one first; runs in a worker."""
        return [
            schemas.Available(model=name, **_reference(self.predictor_of(name).card).model_dump())
            for name in (self.name, *self.others)
        ]

    def judge(self, data: bytes, model: str | None = None, large: bool = True) -> Judged:
        """Decode a photo and answer for it; runs in a worker.

        Args:
            data: The file.
            model: Which model answers, as ``predictor_of`` takes it.
            large: Whether a large image may be decoded here.

        Raises:
            ImageError: If it is not a usable photo.
            LargeImageError: If it is a large one, that may not be decoded here.
            GivenUpError: If nobody waits for the answer any more.
            AnswerError: If the model gives no probabilities.
        """
        predictor, begun = self.predictor_of(model), time.perf_counter()
        photo = predictor.read(data, self.settings.limits, large=large)
        decoded = time.perf_counter()
        stop_if_given_up()
        answer = predictor.answer(photo.pixels)
        spent = decoded - begun, time.perf_counter() - decoded
        return Judged(photo, len(data), answer, predictor.card, *spent)

    def prepare(self, data: bytes, large: bool = True) -> bytes:
        """Return a photo as the model receives it, as PNG; runs in a worker, as ``judge``."""
        stream = io.BytesIO()
        pixels = self.predictor.read(data, self.settings.limits, large=large).pixels
        Image.fromarray(pixels).save(stream, "PNG")
        return stream.getvalue()

    def prediction(
        self, judged: Judged, request_id: str, top_k: int | None, *, queued: float, began: float
    ) -> schemas.Prediction:
        """Write an answer down, and count it.

        Args:
            judged: The answer.
            request_id: Identifier of the request.
            top_k: Classes to list, the most probable first; all of them if ``None``.
            queued: Seconds that the request waited.
            began: When it began, on the clock of ``time.perf_counter``.
        """
        scores, card = judged.answer.probabilities, judged.card
        order = np.argsort(-scores, kind="stable")
        ranked = [
            schemas.Score(
                label=card.classes[i].label,
                label_fr=card.classes[i].label_fr,
                score=float(scores[i]),
            )
            for i in order[:top_k]
        ]
        best, photo = ranked[0], judged.photo
        self.telemetry.predicted(best.label, best.score, judged.decode, judged.inference)
        seconds = {
            "decode": judged.decode,
            "inference": judged.inference,
            "queue": queued,
            "total": time.perf_counter() - began,
        }
        return schemas.Prediction(
            label=best.label,
            label_fr=best.label_fr,
            score=best.score,
            uncertain=judged.answer.outside or best.score < card.doubt.uncertain_below,
            out_of_catalogue=judged.answer.outside,
            predictions=ranked,
            model=_reference(card),
            image=schemas.ImageInfo(
                width=photo.width, height=photo.height, format=photo.format, bytes=judged.size
            ),
            timings_ms={stage: round(1e3 * spent, 3) for stage, spent in seconds.items()},
            request_id=request_id,
        )

    def explanation(self, judged: Judged, prediction: schemas.Prediction) -> schemas.Explanation:
        """Add to an answer the map of the evidence for its class."""
        best = int(judged.answer.probabilities.argmax())
        heat = judged.answer.map_of(best)
        grid = schemas.Grid(
            rows=heat.shape[0], columns=heat.shape[1], values=heat.round(4).tolist()
        )
        return schemas.Explanation(**prediction.model_dump(), map=grid)

    async def judge_each(
        self, files: Sequence[bytes]
    ) -> tuple[list[Judged | ProblemError], list[float]]:
        """Judge the photos of a batch, each on its own account, and tell how long each waited.

        Each takes its turn among the requests of others, so that a batch delays nobody by more than
        one photo; all share the time of one request.

        Raises:
            ProblemError: ``surcharge`` where every place is taken, ``prediction_trop_longue`` where
                time is over before the last photo.
        """
        if self.pool is None:
            raise ProblemError("modele_non_pret")
        found: list[Judged | ProblemError] = []
        waits: list[float] = []
        end = time.monotonic() + self.settings.predict_timeout_s
        with self.pool.place():
            for data in files:
                judged, queued = await self._judge_one(data, end - time.monotonic())
                found.append(judged)
                waits.append(queued)
        return found, waits

    async def _judge_one(self, data: bytes, within: float) -> tuple[Judged | ProblemError, float]:
        if len(data) > self.settings.max_upload_bytes:
            return ProblemError("fichier_trop_volumineux"), 0.0
        try:
            done = await self.run(
                lambda large: self.judge(data, None, large), within=within, admitted=True
            )
        except ProblemError as problem:
            if problem.code == "prediction_trop_longue":
                raise
            return problem, 0.0
        return done.result, done.queued

    def batch_item(
        self, index: int, found: Judged | ProblemError, request_id: str, **clocks: Any
    ) -> schemas.BatchItem:
        """Write down what came of one photo of a batch."""
        if isinstance(found, ProblemError):
            self.telemetry.rejected.labels(found.code).inc()
            problem = schemas.Problem(**body_of(found, self.sentences, request_id))
            return schemas.BatchItem(index=index, status="error", problem=problem)
        every = len(self.card.classes)
        prediction = self.prediction(found, request_id, every, **clocks)
        return schemas.BatchItem(index=index, status="ok", prediction=prediction)


def _reference(card: Card) -> schemas.ModelRef:
    return schemas.ModelRef(name=card.name, version=card.version, sha256=card.sha256)


def from_base64(body: bytes) -> bytes:
    """Return the image of an earlier request, ``{"image": base64}``; runs in a worker.

    Raises:
        ProblemError: If the body has another form.
    """
    try:
        text = schemas.LegacyImage.model_validate_json(body).image
        if text.startswith(DATA_URL):
            text = text.partition(",")[2]
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:  # pydantic's and binascii's errors are some
        raise ProblemError(
            "requete_invalide",
            "Le corps attendu est un objet JSON dont le champ «\u00a0image\u00a0» porte une image "
            "en base64.",
        ) from error

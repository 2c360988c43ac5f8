"""Decode, predict and write answers: what the routes do, apart from HTTP."""

import asyncio
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from opentelemetry import trace
from PIL import Image

from vitrine.data.images import ImageError, LargeImageError, Photo
from vitrine.serving import schemas
from vitrine.serving.card import Card, Label, ModelError
from vitrine.serving.loaded_models import LoadedModels
from vitrine.serving.predictor import Answer, AnswerError
from vitrine.serving.problems import Language, ProblemError, Sentences, of_image
from vitrine.serving.request_body import BodyReader
from vitrine.serving.settings import Settings
from vitrine.serving.telemetry import LOG, Telemetry
from vitrine.serving.worker_pool import Done, WorkerPool, stop_if_given_up

__all__ = ["Judged", "Service", "reference"]

Result = TypeVar("Result")
TRACER = trace.get_tracer("vitrine.serving")
"""Its spans go where the extra ``traces`` sends them; without it, nowhere."""
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

    @property
    def best(self) -> Label:
        """The most probable class."""
        return self.card.classes[int(self.answer.probabilities.argmax())]

    @property
    def score(self) -> float:
        """Its probability."""
        return float(self.answer.probabilities.max())

    @property
    def uncertain(self) -> bool:
        """Whether the answer is given with reserve."""
        return self.answer.outside or self.score < self.card.doubt.uncertain_below


class Service:
    """What the routes share: the models, the pool of workers and the reader of bodies.

    Args:
        settings: How to run.

    Raises:
        ModelError: If the model cannot be served.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.sentences = settings, Sentences(settings)
        self.models = LoadedModels(settings)
        self.telemetry = Telemetry(self.card)
        self.bodies = BodyReader(settings.max_bodies_bytes, settings.body_timeout_s)
        self.pool: WorkerPool | None = None
        self._large: WorkerPool | None = None

    @property
    def card(self) -> Card:
        """The card of the model that answers by default."""
        return self.models.of().card

    async def open(self) -> None:
        """Start the workers and warm the model up; the service is then ready."""
        settings, told, patience = self.settings, self.telemetry, self.settings.predict_timeout_s
        self._large = WorkerPool(1, LARGE_MEGAPIXELS, patience, told.large.set)
        pool = WorkerPool(settings.workers, settings.places, patience, told.queue.set)
        await asyncio.to_thread(self.models.of().warm_up)
        self.pool = pool

    def close(self) -> None:
        """Stop answering, once what is being computed has ended."""
        pools = self.pool, self._large
        self.pool = self._large = None
        for pool in filter(None, pools):
            pool.close()

    async def run(
        self, work: Callable[[bool], Result], within: float | None = None, admitted: bool = False
    ) -> Done[Result]:
        """Compute in a worker, and tell failures as problems.

        A large image never holds a worker while it waits: large ones are decoded one after the
        other in a thread of their own, where their places are counted in megapixels. Until one was
        found large is part of what it waited, and of its time.

        Args:
            work: Told whether it may decode a large image.
            within: Seconds left to the request, by default those of the settings.
            admitted: As ``WorkerPool.run`` takes it.

        Raises:
            ProblemError: Where there is no answer.
        """
        if self.pool is None or self._large is None:
            raise ProblemError("modele_non_pret")
        within = self.settings.predict_timeout_s if within is None else within
        asked = time.perf_counter()
        try:
            try:
                return await self.pool.run(lambda: work(False), within=within, admitted=admitted)
            except LargeImageError as large:
                cost = math.ceil(large.megapixels)
            waited = time.perf_counter() - asked
            done = await self._large.run(
                lambda: work(True), cost=cost, within=within - waited, admitted=admitted
            )
            return replace(done, queued=waited + done.queued)
        except ImageError as error:
            raise of_image(error) from error
        except AnswerError as error:
            raise ProblemError("prediction_invalide") from error

    def available(self) -> list[schemas.Available]:
        """Return the models that can be asked for, the default one first; runs in a worker."""
        return [
            schemas.Available(model=name, **reference(self.models.of(name).card).model_dump())
            for name in self.models.names
        ]

    def reload(self, name: str) -> schemas.ModelRef:
        """Serve a model as its files are now; runs in a worker.

        Raises:
            ProblemError: ``modele_refuse`` where they cannot be served.
        """
        try:
            card = self.models.reload(name).card
        except ModelError as error:
            LOG.error("refused", extra={"facts": {"model": name, "why": str(error)}})
            raise ProblemError("modele_refuse") from error
        self.telemetry.serves(self.card)
        LOG.info("reloaded", extra={"facts": {"model": name, "version": card.version}})
        return reference(card)

    def judge(self, data: bytes | Photo, model: str | None = None, large: bool = True) -> Judged:
        """Decode a photo and answer for it; runs in a worker.

        Args:
            data: The file, or a photo that is preprocessed already.
            model: Which model answers, as ``LoadedModels.of`` takes it.
            large: Whether a large image may be decoded here.

        Raises:
            ImageError: If it is not a usable photo.
            LargeImageError: If it is a large one, that may not be decoded here.
            GivenUpError: If nobody waits for the answer any more.
            AnswerError: If the model gives no probabilities.
        """
        predictor, begun = self.models.of(model), time.perf_counter()
        given = isinstance(data, Photo)
        with TRACER.start_as_current_span("decode"):
            photo = data if given else predictor.read(data, self.settings.limits, large=large)
        decoded = time.perf_counter()
        stop_if_given_up()
        with TRACER.start_as_current_span("infer"):
            answer = predictor.answer(photo.pixels)
        spent = decoded - begun, time.perf_counter() - decoded
        size = photo.pixels.nbytes if given else len(data)
        return Judged(photo, size, answer, predictor.card, *spent)

    def prepare(self, data: bytes, model: str | None = None, large: bool = True) -> bytes:
        """Return a photo as the model receives it, as PNG; runs in a worker, as ``judge``."""
        stream = io.BytesIO()
        pixels = self.models.of(model).read(data, self.settings.limits, large=large).pixels
        Image.fromarray(pixels).save(stream, "PNG")
        return stream.getvalue()

    def count(self, judged: Judged) -> None:
        """Count an answer in the metrics."""
        self.telemetry.predicted(judged.best.label, judged.score, judged.decode, judged.inference)

    def prediction(
        self,
        judged: Judged,
        request_id: str,
        top_k: int | None,
        language: Language = "fr",
        *,
        queued: float,
        began: float,
    ) -> schemas.Prediction:
        """Write an answer down, and count it.

        Args:
            judged: The answer.
            request_id: Identifier of the request.
            top_k: Classes to list, the most probable first; all of them if ``None``.
            language: Of the names of classes.
            queued: Seconds that the request waited.
            began: When it began, on the clock of ``time.perf_counter``.
        """
        self.count(judged)
        scores, card, photo = judged.answer.probabilities, judged.card, judged.photo
        ranked = [
            schemas.Score(
                label=card.classes[i].label,
                label_fr=card.classes[i].label_fr,
                name=card.shown(card.classes[i], language),
                score=float(scores[i]),
            )
            for i in np.argsort(-scores, kind="stable")[:top_k]
        ]
        seconds = {
            "decode": judged.decode,
            "inference": judged.inference,
            "queue": queued,
            "total": time.perf_counter() - began,
        }
        return schemas.Prediction(
            **ranked[0].model_dump(),
            uncertain=judged.uncertain,
            out_of_catalogue=judged.answer.outside,
            predictions=ranked,
            model=reference(card),
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
        self, files: Sequence[bytes | Photo], model: str | None = None, within: float | None = None
    ) -> tuple[list[Judged | ProblemError], list[float]]:
        """Judge the photos of a batch, each on its own account, and tell how long each waited.

        Each takes its turn among the requests of others, so that a batch delays nobody by more than
        one photo; all share the time of one request.

        Args:
            files: As ``judge`` takes each.
            model: As ``judge`` takes it.
            within: Seconds left to the request, by default those of the settings.

        Raises:
            ProblemError: ``surcharge`` where every place is taken, ``prediction_trop_longue`` where
                time is over before the last photo.
        """
        if self.pool is None:
            raise ProblemError("modele_non_pret")
        found: list[Judged | ProblemError] = []
        waits: list[float] = []
        end = time.monotonic() + (self.settings.predict_timeout_s if within is None else within)
        with self.pool.place():
            for data in files:
                judged, queued = await self._judge_one(data, model, end - time.monotonic())
                found.append(judged)
                waits.append(queued)
        return found, waits

    async def _judge_one(
        self, data: bytes | Photo, model: str | None, within: float
    ) -> tuple[Judged | ProblemError, float]:
        if not isinstance(data, Photo) and len(data) > self.settings.max_upload_bytes:
            return ProblemError("fichier_trop_volumineux"), 0.0
        try:
            done = await self.run(
                lambda large: self.judge(data, model, large), within=within, admitted=True
            )
        except ProblemError as problem:
            if problem.code == "prediction_trop_longue":
                raise
            return problem, 0.0
        return done.result, done.queued

    def batch_item(
        self,
        index: int,
        found: Judged | ProblemError,
        request_id: str,
        top_k: int | None,
        language: Language,
        **clocks: Any,
    ) -> schemas.BatchItem:
        """Write down what came of one photo of a batch."""
        if isinstance(found, ProblemError):
            self.telemetry.rejected.labels(found.code).inc()
            problem = schemas.Problem(**self.sentences.body_of(found, request_id, language))
            return schemas.BatchItem(index=index, status="error", problem=problem)
        prediction = self.prediction(found, request_id, top_k, language, **clocks)
        return schemas.BatchItem(index=index, status="ok", prediction=prediction)


def reference(card: Card) -> schemas.ModelRef:
    """Return what tells a model apart."""
    return schemas.ModelRef(name=card.name, version=card.version, sha256=card.sha256)

"""The teacher of a distillation, and its answers for every crop of the corpus, asked once.

The teacher and its students see the same pixels, crop by crop (Beyer et al., Knowledge
Distillation: A Good Teacher Is Patient and Consistent, arXiv 2106.05237). Fresh crops for every
epoch would cost a pass of the teacher each: an image has a few, drawn once for all seeds, that
epochs show in turn.

The teacher's features are written to ``features-<law>.npy`` by pieces, and an interrupted file goes
on from its last whole one; from them, its head answers at once, in ``answers-<law>.npy``. A name
ends in the hash of all that decides the content: a teacher, a side, a law of crops or a corpus that
differs has files of its own.

The teacher is frozen, under a linear head: the one that it came with, cut to the classes of the
corpus, or a probe, learned from the labels of the corpus's own crops, that knows how such small
images look once enlarged.
"""

import hashlib
import io
import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import filelock
import numpy as np
import timm
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float16, Float32, Int, UInt8
from timm.data import ImageNetInfo
from torch import Tensor, nn

from vitrine.data.archive.receipt import require_space, sha256, writing
from vitrine.models.checkpoints import load_checkpoint
from vitrine.training import head
from vitrine.training.pretrain.batches import DRAWN, Augment
from vitrine.training.pretrain.corpus import Corpus, CorpusError
from vitrine.training.recipes import Recipe, RecipeError, epoch_seed
from vitrine.training.runs import start
from vitrine.training.torch.network import Normalise

__all__ = ["PROBE", "Answers", "Teacher", "answers", "draws", "imagenet_classes", "source"]


PROBE = {"epochs": 10, "batch_size": 256, "learning_rate": 1e-3, "weight_decay": 0.1}
"""How a probe is learned on the features of the first crop of each image."""


def source(recipe: Recipe) -> Recipe:
    """Return a recipe that starts from the teacher's weights, to find them as any others."""
    return Recipe(
        name=recipe.name, trainer="probe", architecture=f"timm:{recipe.teacher}",
        weights="imagenet", backbone="frozen", source=recipe.source,
    )  # fmt: skip


def imagenet_classes(names: Sequence[str]) -> list[int]:
    """Return the position of each class of a corpus, told by name, among ImageNet's thousand.

    Both are sorted by WordNet's identifiers, which tells apart two classes of one name (the bird
    and the machine that are called « crane »).

    Raises:
        RecipeError: If a class of the corpus is none of ImageNet's.
    """
    info = ImageNetInfo("imagenet-1k")
    told = [info.index_to_description(k) for k in range(info.num_classes())]
    found: list[int] = []
    for name in names:
        after = found[-1] + 1 if found else 0
        places = (k for k in range(after, len(told)) if name in (told[k], told[k].split(",")[0]))
        if (place := next(places, None)) is None:
            raise RecipeError(
                f"expected classes of ImageNet-1k in its order, found {name!r} in the corpus; "
                "train a recipe without a teacher on it"
            )
        found.append(place)
    return found


class Teacher(nn.Module):
    """A network of timm with its ImageNet weights, in half precision, without its head.

    Args:
        recipe: Names the network and the side that images are resized to.
        corpus: Its classes are the ones that the head answers about.

    Raises:
        RecipeError: If its weights cannot be had, or do not know the classes.
    """

    def __init__(self, recipe: Recipe, corpus: Corpus) -> None:
        super().__init__()
        self.recipe, kept = recipe, imagenet_classes(corpus.classes)
        network = cast(Any, timm.create_model(recipe.teacher))
        load_checkpoint(network, start.find(source(recipe)))
        config, known = network.pretrained_cfg, network.get_classifier()
        self.own = head.Head(*(p.detach().numpy()[kept] for p in (known.weight, known.bias)))
        self.scale = Normalise(config["mean"], config["std"])
        self.network = network.to(torch.bfloat16, memory_format=torch.channels_last)
        self.width = network.num_features
        self.eval()

    @torch.inference_mode()
    def forward(
        self, pixels: UInt8[Tensor, "image 3 height width"]
    ) -> Float16[Tensor, "image feature"]:
        """Return the pooled features of images resized to its side, which a head reads."""
        size = (self.recipe.teacher_size, self.recipe.teacher_size)
        large = F.interpolate(pixels.float(), size, mode="bicubic", align_corners=False)
        x = self.scale(large.round().clamp(0, 255).to(torch.uint8))
        x = x.to(torch.bfloat16, memory_format=torch.channels_last)
        maps = self.network.forward_features(x)
        return self.network.forward_head(maps, pre_logits=True).half()

    def head(
        self, features: Float[np.ndarray, "image feature"], labels: Int[np.ndarray, " image"]
    ) -> head.Head:
        """Return what answers from features: its own head, or a probe learned from these."""
        if self.recipe.teacher_head == "own":
            return self.own
        probe = replace(source(self.recipe), **PROBE)
        return head.fit(probe, features, labels, classes=len(self.own.bias))


def log_probabilities(
    judge: head.Head, features: Float[np.ndarray, "image feature"]
) -> Float32[np.ndarray, "image category"]:
    """Return the log-probabilities that a head gives, finite however small they are."""
    logits = features.astype(np.float32) @ judge.weight.T + judge.bias
    return torch.from_numpy(logits).log_softmax(dim=1).numpy()


log = logging.getLogger(__name__)

PIECE = 100
"""Images that a teacher sees at once, and that an interruption may lose."""
CROPS_SEED = 0
"""Seeds the crops: part of the data, they are the same for every seed of a student."""
TELLS = 60.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True)
class Answers:
    """What a teacher answered for each crop of the training part.

    Attributes:
        given: Log-probabilities, memory-mapped.
        draws: The numbers that tell each crop, as ``Augment.cut`` reads them.
        facts: What ``run.json`` says of the teacher, its top-1 among it.
    """

    given: Float16[np.ndarray, "crop image category"]
    draws: Float32[np.ndarray, "crop image 5"]
    facts: dict[str, Any]


def draws(crops: int, images: int) -> Float32[np.ndarray, "crop image 5"]:
    """Return the numbers that tell the fixed crops of each image, the same on every machine."""
    seeds = (epoch_seed(CROPS_SEED, k) for k in range(crops))
    drawn = [
        torch.rand(images, DRAWN, generator=torch.Generator().manual_seed(seed)) for seed in seeds
    ]
    return torch.stack(drawn).numpy()


def answers(recipe: Recipe, corpus: Corpus, device: str = "cpu") -> Answers:
    """Return a teacher's answers for each crop, asked for now where no file holds them.

    Args:
        recipe: Names the teacher, its side, its head, how many crops there are, how they are cut.
        corpus: What is cropped.
        device: ``cpu`` or ``cuda``.

    Raises:
        RecipeError: If there is no teacher, if its weights cannot be had, or if it does not know
            the corpus's classes.
        CorpusError: If a file of answers changed since it was made.
        ArchiveError: If the disk is full.
        KeyboardInterrupt: If it is interrupted; the pieces seen so far are kept.
    """
    if not recipe.teacher:
        raise RecipeError(
            f"recipe {recipe.name}: expected one with a teacher, whose answers are asked for, "
            "found none; choose another, or leave --answers out"
        )
    law = _law(recipe, corpus)
    features = corpus.folder / f"features-{_digest(law)}.npy"
    law |= {"head": PROBE if recipe.teacher_head == "probe" else "own"}
    path = corpus.folder / f"answers-{_digest(law)}.npy"
    drawn = draws(recipe.crops, len(corpus.labels("train")))
    with writing(corpus.folder), filelock.FileLock(features.with_suffix(".lock")):
        if not path.with_suffix(".json").is_file():
            teacher = Teacher(recipe, corpus).to(device)
            if not features.is_file():
                _see(features, teacher, corpus, drawn, device)
            _answer(path, law, teacher, corpus, np.load(features, mmap_mode="r"))
    told = json.loads(path.with_suffix(".json").read_text())
    if not path.is_file() or sha256(path) != told["sha256"]:
        raise CorpusError(
            f"expected the answers of {recipe.teacher} in {path.name} as they were given, found "
            f"others or none; remove {path.stem}.json, and they are asked for again",
            exit_code=3,
        )
    facts = {key: told[key] for key in ("top_1", "top_1_on_crops", "sha256")}
    return Answers(np.load(path, "r"), drawn, facts | start.facts(source(recipe))["start"])


def _law(recipe: Recipe, corpus: Corpus) -> dict[str, Any]:
    """Return all that decides what the teacher sees, and what it makes of it."""
    fields = ("teacher", "teacher_size", "crops", "crop_scale", "flip", "image_size")
    return {
        "format": 1,
        "corpus": corpus.receipt.manifest_sha256,
        "weights": sha256(start.find(source(recipe))),
        "seed": CROPS_SEED,
        **{field: getattr(recipe, field) for field in fields},
    }


def _digest(law: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(law, sort_keys=True).encode()).hexdigest()[:12]


def _see(
    path: Path,
    teacher: Teacher,
    corpus: Corpus,
    drawn: Float32[np.ndarray, "crop image 5"],
    device: str,
) -> None:
    """Write the features of every crop, one crop after the other, then of the validation part."""
    parts = [*((corpus.pixels("train"), row) for row in drawn), (corpus.pixels("validation"), None)]
    spans = [(k, i) for k, (pixels, _) in enumerate(parts) for i in range(0, len(pixels), PIECE)]
    rows = [min(PIECE, len(parts[k][0]) - i) for k, i in spans]
    header = _header((sum(rows), teacher.width))
    ends = len(header) + np.cumsum([0, *rows]) * teacher.width * 2
    cut, part = Augment(teacher.recipe).cut, path.with_suffix(".part")
    with part.open("ab") as file:
        require_space(path.parent, int(ends[-1]) - file.tell())
        first = int(np.searchsorted(ends, file.tell(), side="right")) - 1  # whole pieces kept
        file.truncate(ends[first] if first >= 0 else 0)
        if first < 0:
            file.write(header)
        for k, i in _telling(spans, max(first, 0), teacher.recipe.teacher):
            pixels, told = (array if array is None else array[i : i + PIECE] for array in parts[k])
            shown = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).to(device)
            shown = shown if told is None else cut(shown, torch.from_numpy(told).T)
            file.write(teacher(shown).cpu().numpy().tobytes())
            file.flush()
    part.replace(path)


def _answer(
    path: Path,
    law: dict[str, Any],
    teacher: Teacher,
    corpus: Corpus,
    features: Float16[np.ndarray, "image feature"],
) -> None:
    """Write what the teacher's head answers, then what says whole that it did, and how well."""
    labels, truth = corpus.labels("train"), corpus.labels("validation")
    seen, held_out = np.split(features, [teacher.recipe.crops * len(labels)])
    crops = np.split(seen, teacher.recipe.crops)
    head = teacher.head(crops[0], labels)
    given = np.stack([log_probabilities(head, crop).astype(np.float16) for crop in crops])
    guesses = log_probabilities(head, held_out).argmax(1)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.save(file, given)
    told = {
        "law": law,
        "sha256": sha256(part),
        "top_1": float((guesses == truth).mean()),
        "top_1_on_crops": float((given.argmax(-1) == labels).mean()),
    }
    part.replace(path)
    note = path.with_suffix(".json.part")
    note.write_text(json.dumps(told, indent=1) + "\n")
    note.replace(path.with_suffix(".json"))


def _header(shape: tuple[int, int]) -> bytes:
    """Return what a file of NumPy begins with, for features of this shape."""
    written = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        written, {"descr": "<f2", "fortran_order": False, "shape": shape}
    )
    return written.getvalue()


def _telling(spans: list[tuple[int, int]], first: int, teacher: str) -> Iterator[tuple[int, int]]:
    """Yield the pieces still to be seen, and tell now and then how far it is."""
    begun = told = time.perf_counter()
    for number in range(first, len(spans)):
        yield spans[number]
        now = time.perf_counter()
        if now - told >= TELLS:
            told, done = now, number + 1
            rate = (done - first) / (now - begun)
            log.info(
                "teacher %s: piece %d/%d, %.0f crops/s, %.0f min left", teacher, done, len(spans),
                rate * PIECE, (len(spans) - done) / rate / 60,
            )  # fmt: skip

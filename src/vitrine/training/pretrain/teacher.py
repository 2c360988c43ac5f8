"""A teacher's answers to fixed crops of a corpus: asked once, kept beside it, read by students.

The teacher and its students see the same pixels, crop by crop (Beyer et al., Knowledge
Distillation: A Good Teacher Is Patient and Consistent, arXiv 2106.05237). Fresh crops for every
epoch would cost a pass of the teacher each: an image has a few, drawn once for all seeds, that
epochs show in turn.

Answers are log-probabilities over the classes of the corpus, ``float16``, of shape (crop, image,
category), in ``answers-<law>.npy``. Its name is the hash of all that decides them: a teacher, a
side, a law of crops or a corpus that differs has a file of its own. They are appended by pieces,
and an interrupted file goes on from its last whole piece.
"""

import hashlib
import io
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import timm
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float16, Float32, UInt8
from timm.data import ImageNetInfo
from torch import Tensor, nn

from vitrine.data.archive.errors import require_space, writing
from vitrine.data.archive.receipt import sha256
from vitrine.models.checkpoints import load_checkpoint
from vitrine.training.pretrain.batches import DRAWN, Augment
from vitrine.training.pretrain.corpus import Corpus, CorpusError
from vitrine.training.recipes import Recipe, RecipeError, epoch_seed
from vitrine.training.runs import start
from vitrine.training.torch.network import Normalise

__all__ = ["Answers", "Teacher", "answers", "draws", "imagenet_classes"]

log = logging.getLogger(__name__)

PIECE = 100
"""Crops that a teacher answers for at once, and that an interruption may lose."""
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
    drawn = [
        torch.rand(
            images, DRAWN, generator=torch.Generator().manual_seed(epoch_seed(CROPS_SEED, k))
        )
        for k in range(crops)
    ]
    return torch.stack(drawn).numpy()


def imagenet_classes(corpus: Corpus) -> list[int]:
    """Return the position of each class of a corpus among the thousand of ImageNet.

    Both are sorted by WordNet's identifiers, which tells apart two classes of one name (the bird
    and the machine that are called « crane »).

    Raises:
        RecipeError: If a class of the corpus is none of ImageNet's.
    """
    info = ImageNetInfo("imagenet-1k")
    told = [info.index_to_description(k) for k in range(info.num_classes())]
    found: list[int] = []
    for name in corpus.classes:
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
    """A network of timm with its ImageNet weights, asked about the classes of a corpus alone.

    Args:
        recipe: Names the network and the side that images are resized to.
        corpus: Its classes are the ones that answers are about.

    Raises:
        RecipeError: If its weights cannot be had, or do not know the classes.
    """

    def __init__(self, recipe: Recipe, corpus: Corpus) -> None:
        super().__init__()
        self.side, self.kept = recipe.teacher_size, imagenet_classes(corpus)
        network = timm.create_model(recipe.teacher)
        load_checkpoint(network, start.find(_source(recipe)))
        config = network.pretrained_cfg
        self.scale = Normalise(config["mean"], config["std"])
        self.network = network.to(torch.bfloat16, memory_format=torch.channels_last)
        self.eval()

    @torch.inference_mode()
    def forward(
        self, pixels: UInt8[Tensor, "image 3 height width"]
    ) -> Float[Tensor, "image category"]:
        """Return the log-probabilities of the corpus's classes; the others are left out."""
        size = (self.side, self.side)
        large = F.interpolate(pixels.float(), size, mode="bicubic", align_corners=False)
        x = self.scale(large.clamp(0, 255)).to(torch.bfloat16, memory_format=torch.channels_last)
        return self.network(x)[:, self.kept].float().log_softmax(dim=1)


def answers(recipe: Recipe, corpus: Corpus, device: str = "cpu") -> Answers:
    """Return a teacher's answers for each crop, asked now where no file holds them.

    Args:
        recipe: Names the teacher, its side, how many crops there are and how they are cut.
        corpus: What is cropped.
        device: ``cpu`` or ``cuda``.

    Raises:
        RecipeError: If the teacher's weights cannot be had, or do not know the corpus's classes.
        CorpusError: If a file of answers changed since it was made.
        ArchiveError: If the disk is full.
        KeyboardInterrupt: If asking is interrupted; the pieces answered so far are kept.
    """
    law = _law(recipe, corpus)
    name = hashlib.sha256(json.dumps(law, sort_keys=True).encode()).hexdigest()[:12]
    path = corpus.folder / f"answers-{name}.npy"
    drawn = draws(recipe.crops, len(corpus.labels("train")))
    with writing(corpus.folder), filelock.FileLock(path.with_suffix(".lock")):
        if not path.with_suffix(".json").is_file():
            _ask(path, law, recipe, corpus, drawn, device)
    told = json.loads(path.with_suffix(".json").read_text())
    if not path.is_file() or sha256(path) != told["sha256"]:
        raise CorpusError(
            f"expected the answers of {recipe.teacher} in {path.name} as they were given, found "
            f"others or none; remove {path.stem}.json, and they are asked for again",
            exit_code=3,
        )
    facts = {key: told[key] for key in ("top_1", "top_1_on_crops")}
    facts |= {"sha256": told["sha256"], **start.facts(_source(recipe))["start"]}
    return Answers(np.load(path, mmap_mode="r"), drawn, facts)


def _source(recipe: Recipe) -> Recipe:
    """Return a recipe that starts from the teacher's weights, to find them as any others."""
    return Recipe(
        name=recipe.name, trainer="probe", architecture=f"timm:{recipe.teacher}",
        weights="imagenet", backbone="frozen", source=recipe.source,
    )  # fmt: skip


def _law(recipe: Recipe, corpus: Corpus) -> dict[str, Any]:
    """Return all that decides the answers."""
    fields = ("teacher", "teacher_size", "crops", "crop_scale", "flip", "image_size")
    return {
        "format": 1,
        "corpus": corpus.receipt.manifest_sha256,
        "weights": sha256(start.find(_source(recipe))),
        "seed": CROPS_SEED,
        **{field: getattr(recipe, field) for field in fields},
    }


def _ask(
    path: Path,
    law: dict[str, Any],
    recipe: Recipe,
    corpus: Corpus,
    drawn: Float32[np.ndarray, "crop image 5"],
    device: str,
) -> None:
    """Write the answers, piece by piece, then what tells them whole."""
    teacher, cut = Teacher(recipe, corpus).to(device), Augment(recipe).cut
    pixels, labels = corpus.pixels("train"), corpus.labels("train")
    shape = (recipe.crops, len(labels), len(corpus.classes))
    spans = [(k, i) for k in range(recipe.crops) for i in range(0, len(labels), PIECE)]
    part, header = path.with_suffix(".part"), _header(shape)
    lengths = [2 * shape[2] * len(labels[i : i + PIECE]) for _, i in spans]
    ends = np.cumsum([len(header), *lengths])

    def answered(k: int, i: int) -> bytes:
        chosen = torch.from_numpy(pixels[i : i + PIECE]).permute(0, 3, 1, 2).to(device)
        given = teacher(cut(chosen, torch.from_numpy(drawn[k, i : i + PIECE]).T))
        return given.half().cpu().numpy().tobytes()

    with part.open("ab") as file:
        require_space(path.parent, int(ends[-1]) - file.tell())
        first = int(np.searchsorted(ends, file.tell(), side="right")) - 1  # whole pieces kept
        file.truncate(ends[first] if first >= 0 else 0)
        if first < 0:
            file.write(header)
        for k, i in _telling(spans, max(first, 0), recipe.teacher):
            file.write(answered(k, i))
            file.flush()
    given = np.load(part, mmap_mode="r")
    held, truth = corpus.pixels("validation"), corpus.labels("validation")
    guesses = [
        teacher(torch.from_numpy(held[i : i + PIECE]).permute(0, 3, 1, 2).to(device)).argmax(1)
        for i in range(0, len(truth), PIECE)
    ]
    told = {
        "law": law,
        "sha256": sha256(part),
        "top_1": float((torch.cat(guesses).cpu().numpy() == truth).mean()),
        "top_1_on_crops": float(np.mean([(crop.argmax(1) == labels).mean() for crop in given])),
    }
    part.replace(path)
    note = path.with_suffix(".json.part")
    note.write_text(json.dumps(told, indent=1) + "\n")
    note.replace(path.with_suffix(".json"))


def _header(shape: tuple[int, int, int]) -> bytes:
    """Return what a file of NumPy begins with, for answers of this shape."""
    written = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        written, {"descr": "<f2", "fortran_order": False, "shape": shape}
    )
    return written.getvalue()


def _telling(spans: list[tuple[int, int]], first: int, teacher: str) -> Iterator[tuple[int, int]]:
    """Yield the pieces still to be asked for, and tell now and then how far it is."""
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

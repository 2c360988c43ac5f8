"""Ask the served model about the free pictures of ``ressources/pictures``, and keep its answers."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vitrine.bench import results
from vitrine.data import pictures
from vitrine.data.images import Limits
from vitrine.serving.predictor import Predictor
from vitrine.training.runs.meter import code_state

__all__ = ["answers", "measure"]


def answers(predictor: Predictor) -> list[dict[str, Any]]:
    """Return what a model says of each free picture, in the order of their index.

    Each row has the picture's ``name`` and ``sha256``, the class that is found (``answer``, as the
    data set names it), its ``probability``, and whether the guard takes the picture for none of a
    product of the catalogue (``outside``).
    """
    labels = [row.label for row in predictor.card.classes]
    rows = []
    for picture in pictures.read():
        content = picture.path.read_bytes()
        found = predictor.answer(predictor.read(content, Limits()).pixels)
        best = int(found.probabilities.argmax())
        rows.append(
            {
                "name": picture.path.stem,
                "sha256": hashlib.sha256(content).hexdigest(),
                "answer": labels[best],
                "probability": float(found.probabilities[best]),
                "outside": found.outside,
            }
        )
    return rows


def measure(folder: Path | None = None) -> Path:
    """Write ``pictures.json``, the answers of the default model, and return its path.

    Args:
        folder: Where; by default ``runs/bench``.
    """
    predictor = Predictor()
    card = predictor.card
    content = {
        "writer": "vitrine bench pictures",
        "date": datetime.now(UTC).date().isoformat(),
        "code": code_state(),
        "model": {"name": card.name, "version": card.version, "sha256": card.sha256},
        "rows": answers(predictor),
    }
    return results.write("pictures", content, folder)

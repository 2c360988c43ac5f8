"""Export a finished run as a model to serve, if its file answers as the run did.

The file is compared with the run's own ``predictions.csv`` on every test photo before anything is
written: a graph that differs would serve another model than the one that was judged.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from vitrine import paths
from vitrine.data import images, showcase
from vitrine.data.catalog import Catalog
from vitrine.data.dataset import Dataset
from vitrine.data.splits import Split
from vitrine.explain import NAMES
from vitrine.explain.exported import BATCH, Predict, predictor
from vitrine.explain.runtimes import made_for, opened, predicting
from vitrine.metrics.metrics import macro_f1
from vitrine.metrics.temperature import apply_temperature
from vitrine.serving import model_folder
from vitrine.serving.card import (
    Card,
    Label,
    Offered,
    Parity,
    Sample,
    Words,
)
from vitrine.serving.evaluation import again, card_numbers, guard, lost_over_folds
from vitrine.serving.licence import licence
from vitrine.serving.predictor import drawn
from vitrine.training import trained
from vitrine.training.recipes import Recipe
from vitrine.training.runs import Run, RunError
from vitrine.training.runs.meter import code_state

__all__ = ["ExportError", "calibrating", "export"]

GAP, FITTED_AGAIN = 1e-4, 1e-2
"""Largest difference of a probability: of a network, and of a probe, whose last layer is fitted
again from features that differ by rounding. A first class may change where it led by less than
twice as much."""
SAMPLES = range(3)
"""Drawn pictures whose answers the card keeps."""
LOSS = 0.005
"""Accuracy over folds, or else macro-F1 on validation, that an 8-bit form or a runtime may lose."""
CALIBRATED = 128
"""Photos learned, at most, from which integers find the ranges of activations."""

Probabilities = Float[np.ndarray, "image category"]
Pixels = UInt8[np.ndarray, "image height width 3"]


class ExportError(RunError):
    """A file that does not answer as its run did, or was made from other photos.

    Attributes:
        exit_code: What the command line exits with: a verification found a mismatch.
    """

    exit_code = 3


@dataclass(frozen=True)
class _Part:
    """What is known of the photos of one part of the split, in the order of their names."""

    pixels: Pixels
    truth: Int[np.ndarray, " image"]
    told: Probabilities


def export(
    run: Run,
    split: Split,
    catalog: Catalog,
    target: Path | None = None,
    *,
    int8: bool = False,
    runtime: str = "onnx",
    kept: Path | None = None,
) -> tuple[Path, Card]:
    """Write ``model.onnx``, ``model.json`` and ``README.md`` for a run, and return where.

    Args:
        run: A finished run of one network, whose weights are on this machine; the last layer of a
            probe is fitted again.
        split: The split it was made on.
        catalog: The photos it was made on.
        target: Folder to write, whole or not at all; by default ``build/models/<run>``.
        int8: Whether to keep the weights in 8 bits, where that loses little.
        runtime: Which of ``explain.runtimes`` the file is for. Those in ``int8`` compute in 8 bits
            too; the others of OpenVINO read the ordinary file, written if it loses little there.
            The numbers of the card are those of the file in ONNX Runtime, that the service runs.
        kept: Folder of a model of the run, to make integers from where its weights are gone.

    Raises:
        RunError: If the weights of the run are not here.
        ExportError: If the run has no network, if the photos are not its own, or if the answers
            differ.
        GraphError: If the network has no form that the service can run.
        RuntimeMissing: If the runtime is unknown, or not installed.
    """
    target = target or paths.build() / "models" / run.name
    model_folder.check(target)
    _check_data(run, split, catalog)
    recipe = run.recipe
    parts = {name: _part(run, catalog, name, recipe) for name in ("validation", "test")}
    if kept:
        model, runtime, parity = again(kept, run, parts["test"].pixels), "onnx-int8", None
        parameters = run.meta.get("parameters", 0)
    else:
        model, parameters = _graph(run, split, catalog, recipe)
        allowed = FITTED_AGAIN if recipe.trainer == "probe" else GAP
        parity = _compare(run.name, parts["test"], predictor(model)(parts["test"].pixels), allowed)
    precision = "int8" if int8 else "int8-static" if runtime.endswith("int8") else "float32"
    if precision != "float32":
        if int8:
            model = _small(model)
        else:
            model = made_for(model, runtime, calibrating(split, catalog, recipe.image_size))
        form = precision if runtime.startswith("onnx") else runtime
        lost = lost_over_folds(recipe.name, f"{form}-again" if kept else form)
        parity = _rough_parity(predicting(opened(model, runtime)), parts, lost)
    elif runtime != "onnx":
        _rough_parity(predicting(opened(model, runtime)), parts)
    answers = predictor(model)
    judged = [(part.truth, answers(part.pixels)) for part in parts.values()]
    numbers = card_numbers(*judged)
    numbers["guard"] = guard(opened(model, "onnx"), *(part.pixels for part in parts.values()))
    numbers["samples"] = _samples(answers, recipe.image_size, numbers["temperature"])
    numbers["offered"], numbers["parameters"] = _offered(run, catalog), parameters
    card = _card(run, recipe, catalog.dataset, model, parity, numbers, precision)
    return model_folder.write(target, card, model), card


def _check_data(run: Run, split: Split, catalog: Catalog) -> None:
    facts = run.meta["data"]
    here = {"manifest_sha256": catalog.manifest_sha256, "split_sha256": split.sha256}
    for name, found in here.items():
        if facts.get(name) != found:
            raise ExportError(
                f"expected the data of the run {run.name} ({name} {str(facts.get(name))[:12]}), "
                f"found {found[:12]}; fetch the edition {facts.get('edition')}"
            )


def _part(run: Run, catalog: Catalog, name: str, recipe: Recipe) -> _Part:
    told = run.part(name)
    pixels = images.cached(catalog, told.image.tolist(), recipe.image_size)
    return _Part(pixels, told.truth, told.probabilities)


def _graph(run: Run, split: Split, catalog: Catalog, recipe: Recipe) -> tuple[bytes, int]:
    """Return the ONNX file of a run, in float32, and how many parameters its network has."""
    from vitrine.models.graph import float_graph

    if recipe.trainer == "keras":
        network = trained.carried(recipe, trained.weights(run))
    elif recipe.trainer in ("torch", "probe"):
        network = trained.load(run, split, catalog).network
    else:
        network = None
    if network is None:
        raise ExportError(
            f"expected the run of one network, fine-tuned or frozen, found {run.name} "
            f"({recipe.architecture}); export another recipe"
        )
    parameters = sum(each.numel() for each in network.parameters())
    return float_graph(network, recipe.image_size, names=NAMES), parameters


def _compare(name: str, part: _Part, found: Probabilities, allowed: float = GAP) -> Parity:
    gap = float(np.abs(found - part.told).max())
    ranked = np.sort(part.told, axis=1)
    same = found.argmax(axis=1) == part.told.argmax(axis=1)
    swapped = int((~same & (ranked[:, -1] - ranked[:, -2] > 2 * allowed)).sum())
    if not gap <= allowed or swapped:
        raise ExportError(
            f"expected the file to give the predictions of {name} within {allowed:g}, found a "
            f"difference of {gap:.3g} and {swapped} other first classes among {len(same)} test "
            "photos; nothing was written: use the weights and the photos of the run"
        )
    return Parity(images=len(same), largest_gap=gap, same_top1=int(same.sum()))


def _small(model: bytes) -> bytes:
    """Return the network with its weights in 8 bits."""
    from vitrine.serving.quantize import int8_graph

    return int8_graph(model)


def calibrating(split: Split, catalog: Catalog, side: int) -> Iterator[Pixels]:
    """Yield batches of photos that a run learned, for integers to find the ranges they need.

    Args:
        split: The split that the run was made on.
        catalog: Where the photos are.
        side: Of the photos, in pixels.
    """
    learned = split.present(catalog).part("train").image.tolist()[:CALIBRATED]
    pixels = images.cached(catalog, learned, side)
    yield from (pixels[i : i + BATCH] for i in range(0, len(pixels), BATCH))


def _rough_parity(rough: Predict, parts: dict[str, _Part], known: float | None = None) -> Parity:
    """Return the parity of a rougher form on the test part, refused on what it loses elsewhere."""
    lost = {name: _lost(rough, part) for name, part in parts.items()}
    found = lost["validation"] if known is None else known
    if not found < LOSS:
        raise ExportError(
            f"expected the 8-bit form or the runtime to lose under {100 * LOSS:g} points, found "
            f"{100 * found:.2f} {'on the validation photos' if known is None else 'over folds'}; "
            "nothing was written: export without --int8 and --runtime"
        )
    test = parts["test"]
    found = rough(test.pixels)
    return Parity(
        images=len(found),
        largest_gap=float(np.abs(found - test.told).max()),
        same_top1=int((found.argmax(axis=1) == test.told.argmax(axis=1)).sum()),
        lost_macro_f1=lost["test"],
    )


def _lost(rough: Predict, part: _Part) -> float:
    """Return the macro-F1, as a share, that a rougher form loses on the run, on a part."""
    exact, found = (macro_f1(part.truth, told) for told in (part.told, rough(part.pixels)))
    return float(exact - found)


def _samples(answers: Predict, size: int, temperature: float) -> tuple[Sample, ...]:
    pictures = np.stack([drawn(size, number) for number in SAMPLES])
    found = apply_temperature(answers(pictures), temperature)
    return tuple(
        Sample(number=number, probabilities=tuple(np.round(told, 6).tolist()))
        for number, told in zip(SAMPLES, found, strict=True)
    )


def _offered(run: Run, catalog: Catalog) -> tuple[Offered, ...]:
    """Return test photos of each class to try the model on, one that it classes well first."""
    test = run.part("test")
    chosen = showcase.samples(catalog, test.image.tolist(), first=test.surest)
    return tuple(
        Offered(image=image, label=label)
        for image, label in zip(chosen.image, chosen["class"], strict=True)
    )


def _card(
    run: Run,
    recipe: Recipe,
    data: Dataset,
    model: bytes,
    parity: Parity,
    numbers: dict[str, Any],
    precision: str,
) -> Card:
    digest, meta = hashlib.sha256(model).hexdigest(), run.meta
    day = meta.get("timing", {}).get("started", "")[:10].replace("-", ".") or "undated"
    library = "keras" if recipe.trainer == "keras" else "torch"
    return Card(
        name=run.name,
        language=data.language,
        version=f"{day}-{digest[:8]}",
        sha256=digest,
        precision=precision,
        framework=f"{library} {meta['versions'].get(library, '')}".strip(),
        architecture=recipe.architecture.removeprefix("timm:"),
        input_size=recipe.image_size,
        preprocessing=images.PREP_ID,
        classes=tuple(
            Label(id=i, label=label, label_fr=french)
            for i, (label, french) in enumerate(data.classes.items())
        ),
        **numbers,
        parity=parity,
        words=Words(**data.words),
        data=meta["data"],
        commits={"training": meta["code"]["commit"], "export": code_state()["commit"]},
        licence=licence(recipe, meta, data),
    )

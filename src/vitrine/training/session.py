"""The session of a notebook: its profile decides where its data and its runs come from.

``published`` reads the tracked split and runs, and trains nothing unless asked. ``smoke`` draws the
synthetic catalogue, trains miniature models for real and writes under ``build/smoke``: nothing of
it can reach the published runs or the ledger.

What a published notebook does not use, it does not import: an edit of the synthetic catalogue then
leaves its execution fresh.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock
from threadpoolctl import threadpool_limits

from vitrine import paths
from vitrine.data import catalog, dataset, splits
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.training import kernel, recipes, runs
from vitrine.training.kernel import SessionError
from vitrine.training.recipes import Recipe, RecipeError
from vitrine.training.runs import OutOfFold, Run

__all__ = ["PROFILES", "Session", "SessionError", "alone", "begin", "trainer_of"]

PROFILES = ("published", "smoke")


@dataclass(frozen=True)
class Session:
    """The data and the runs of one profile.

    Attributes:
        profile: ``published`` or ``smoke``.
        split: Who is train, validation, test.
        base: Folder of the runs.
        photos: Whether original photos may be shown: only in local builds that have them.
    """

    profile: str
    split: Split
    base: Path
    photos: bool

    @property
    def smoke(self) -> bool:
        """Whether results of this session mean nothing beyond « it runs »."""
        return self.profile == "smoke"

    def catalog(self) -> Catalog:
        """Return the catalogue of the photos.

        Raises:
            CatalogError: If the data set was not fetched (``published`` only).
            ArchiveError: If files changed since they were verified.
        """
        if self.smoke:
            return catalog.load(_demo_folder())
        from vitrine.data import archive

        archive.status()
        return catalog.load()

    def recipe(self, name: str) -> Recipe:
        """Return a recipe, in smoke with the fewest epochs and small images.

        Raises:
            RecipeError: If there is none of that name.
        """
        recipe = recipes.find(name)
        return recipe.smoke() if self.smoke else recipe

    def again(self) -> "Session":
        """Return this session with its runs made again apart: published ones stay as they are.

        In ``smoke`` nothing is published, and it is the same session.
        """
        return self if self.smoke else replace(self, base=paths.retrained())

    def fit(
        self,
        recipe: Recipe,
        *,
        seed: int = 0,
        split: Split | None = None,
        base: Path | None = None,
        device: str = "auto",
        threads: int | None = None,
        resume: bool = False,
        report: Callable[[str], None] = lambda _: None,
    ) -> Run:
        """Make a run of a recipe; one fitted at once predicts the repeated folds too.

        Args:
            recipe: What to train and how.
            seed: Seed of the run.
            split: Who is train, validation and test; by default the session's, and with another
                one no folds.
            base: Folder of the runs; by default the session's.
            device: ``auto``, ``cpu`` or ``cuda``, for a network.
            threads: Threads to compute with on a CPU.
            resume: Go on from the last epoch of an interrupted run, for a network.
            report: Told of each finished step of what is fitted at once.

        Raises:
            RecipeError: If the recipe does not learn the photos, or lacks something.
            RunError: If the run is finished already, or begun and not resumed.
        """
        common = {"seed": seed, "base": base or self.base}
        if recipe.trainer == "fusion":
            if split is not None:
                raise SessionError(
                    f"expected no fold for {recipe.name}, which predicts those of its parts; start "
                    "it without --folds"
                )
            here = replace(self, base=paths.runs())  # also for a fusion made again apart
            return trainer_of(recipe)(
                recipe, [here.answers(name) for name in recipe.fused], report=report, **common
            )
        if recipe.at_once:
            if threads:
                threadpool_limits(threads)
                os.environ["OMP_NUM_THREADS"] = str(threads)  # for what is imported from now on
            folds = None if self.smoke or split else self.folds()
            common |= {"folds": folds, "report": report}
        else:
            common |= {"device": device, "threads": threads, "resume": resume}
        return trainer_of(recipe)(recipe, split or self.split, self.catalog(), **common)

    def run(self, name: str, seed: int = 0, *, retrain: bool = False) -> Run:
        """Return the run of a recipe, training it where the profile or the reader asks for it.

        In ``published``, the tracked run is loaded; ``retrain`` makes a new one under
        ``build/retrain`` and leaves the published one as it is. In ``smoke``, the run is made once
        by each version of the package.

        Args:
            name: Name of the recipe.
            seed: Seed of the run.
            retrain: Whether to train again; interrupted, it goes on from its last epoch.

        Raises:
            RecipeError: If there is no such recipe.
            RunError: If the published run does not exist.
            CatalogError: If photos are needed and absent.
        """
        if type(retrain) is not bool or type(seed) is not int:  # papermill gives « false » as text
            raise SessionError(
                f"expected retrain to be True or False and seed a whole number, found {retrain!r} "
                f"and {seed!r}; correct the parameters"
            )
        recipe = self.recipe(name)
        base = self.again().base if retrain else self.base
        full = f"{recipe.name}/seed-{seed}"
        if not self.smoke and not retrain:
            return runs.load(full, base)
        with alone(base, full):
            if full in runs.names(base):
                return runs.load(full, base)
            return self.fit(recipe, seed=seed, base=base, resume=True)

    def folds(self) -> Split:
        """Return the repeated folds: the tracked ones, or those of the synthetic catalogue."""
        if not self.smoke:
            return splits.load_folds()
        photos = self.catalog()
        return splits.draw_folds(photos, splits.fingerprints(photos))

    def across_folds(self) -> dict[str, list[OutOfFold]]:
        """Return what each recipe answered to every photo over folds, by seed; never train one.

        In ``smoke``, what ``answers`` draws about the test images stands in.
        """
        published = runs.across_folds()
        if not self.smoke:
            return published
        drawn = {
            name: [self.answers(name, seed) for seed in range(len(found))]
            for name, found in published.items()
        }
        return {
            name: [OutOfFold(run.name, (run,), run.part("test")) for run in group]
            for name, group in drawn.items()
        }

    def answers(self, name: str, seed: int = 0) -> Run:
        """Return a run to compare, without ever training one.

        In ``published`` this is the tracked run. In ``smoke``, the comparison must stand alone and
        load no framework: predictions drawn from a generator, better or worse with the name, take
        the place of a trained model's.

        Raises:
            RunError: If the published run does not exist.
        """
        if not self.smoke:
            return runs.load(f"{name}/seed-{seed}", self.base)
        base = paths.build() / "smoke" / "stand-in"
        recipe = self.recipe(name)
        full = f"{recipe.name}/seed-{seed}"
        with alone(base, full):
            if full in runs.names(base):
                return runs.load(full, base)
            rng = np.random.default_rng([seed, *name.encode()])
            skill = 1.5 + rng.random()
            tables = []
            for part in ("validation", "test"):
                frame = self.split.part(part)
                logits = rng.normal(size=(len(frame), len(dataset.current().classes)))
                logits[np.arange(len(frame)), frame.label] += skill
                odds = np.exp(logits)
                given = odds / odds.sum(axis=1, keepdims=True)
                tables.append(runs.prediction_rows(frame, given, part))
            facts = {"hardware": {"device": "cpu", "cpu": "none: drawn, not trained"}, "timing": {}}
            return runs.RunFolder(recipe, seed, base).finish(tables, facts)


def alone(base: Path, full: str) -> FileLock:
    """Return the lock that keeps two notebooks, executed at once, from making the same files.

    Args:
        base: Folder of the runs.
        full: What is made there, such as the name of a run.
    """
    base.mkdir(parents=True, exist_ok=True)
    return FileLock(base / f".{full.replace('/', '-')}.lock")


def trainer_of(recipe: Recipe) -> Callable[..., Run]:
    """Return the ``fit`` that reads a recipe; its framework is imported now, and it alone.

    Raises:
        RecipeError: If the recipe does not learn the photos.
    """
    if recipe.trainer == "keras":
        from vitrine.training.keras import fit
    elif recipe.trainer == "torch":
        from vitrine.training.torch import fit
    elif recipe.trainer == "probe":
        from vitrine.training.probe import fit
    elif recipe.trainer == "text":
        from vitrine.training.text import fit
    elif recipe.trainer == "fusion":
        from vitrine.training.fusion import fit
    else:
        raise RecipeError(
            f"expected a recipe that learns the photos, found {recipe.name}; start it with "
            "`vitrine pretrain`"
        )
    return fit


def _demo_folder() -> Path:
    return paths.build() / "demo"


def _smoke_folder() -> Path:
    """Return the folder of smoke, without the runs that another version of the package made."""
    folder = paths.build() / "smoke"
    folder.mkdir(parents=True, exist_ok=True)
    note, code = folder / "code.sha256", hashlib.sha256()
    package = Path(__file__).parents[1]
    for source in sorted((*package.rglob("*.py"), *package.rglob("*.toml"))):
        code.update(source.read_bytes())
    with FileLock(folder / ".lock"):
        if not note.is_file() or note.read_text() != code.hexdigest():
            for left in ("runs", "stand-in"):
                shutil.rmtree(folder / left, ignore_errors=True)
            note.write_text(code.hexdigest())
    return folder


def begin(profile: str = "published") -> Session:
    """Open a session; ``VITRINE_PROFILE`` overrides the profile, for nbval.

    Raises:
        SessionError: If the profile is unknown, or a parameter that papermill was given.
        FileNotFoundError: If ``VITRINE_ROOT`` is no clone.
    """
    paths.require_clone()
    kernel.refuse_unknown_parameters()
    kernel.describe_pictures()
    profile = os.environ.get("VITRINE_PROFILE") or profile
    if profile not in PROFILES:
        raise SessionError(
            f"expected a profile among {', '.join(PROFILES)}, found {profile!r}; "
            "set -p profile=published or VITRINE_PROFILE"
        )
    if profile == "smoke":
        if dataset.current().own:
            raise SessionError(
                "expected the profile published in a project of your own photos, found smoke, that "
                "draws the classes of the published report; leave --profile out"
            )
        from vitrine.data import demo

        demo.write(_demo_folder())
        split = splits.draw(catalog.load(_demo_folder()))
        return Session(profile, split, _smoke_folder() / "runs", photos=True)
    wanted = os.environ.get("VITRINE_PHOTOS", "1") == "1"
    here = dataset.current().photos.is_dir()
    return Session(profile, splits.load(), paths.runs(), photos=wanted and here)

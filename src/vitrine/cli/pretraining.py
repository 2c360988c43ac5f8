"""``vitrine pretrain`` and ``vitrine sweep``: long runs, resumed, and grids of them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrine.cli.options import Device, Resume, Retrain, Threads

if TYPE_CHECKING:
    from vitrine.training.pretrain import Corpus
    from vitrine.training.recipes import Recipe
    from vitrine.training.sweep import Job

__all__ = ["pretrain", "sweep"]


def pretrain(
    recipe: Annotated[str, typer.Argument(help="Name of a pretraining recipe.")],
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the run.")] = 0,
    device: Device = "auto",
    threads: Threads = None,
    resume: Resume = False,
    origin: Annotated[
        str | None,
        typer.Option("--from", help="The corpus, where data/pretrain does not hold it."),
    ] = None,
    retrain: Retrain = False,
    answers: Annotated[
        bool, typer.Option("--answers", help="Only ask the teacher for its answers, once.")
    ] = False,
) -> None:
    """Learn the corpus of small images and write the run under runs/pretrain.

    Example: vitrine pretrain efficientnet-b0-pretrain --from ../shared/pretrain --retrain
    """
    from vitrine import paths
    from vitrine.metrics.classes import top
    from vitrine.training import recipes, runs
    from vitrine.training.pretrain import load, sources
    from vitrine.training.runs import meter

    chosen = recipes.find(recipe)
    recipes.require_pretraining(chosen)
    base = (paths.retrained() if retrain else paths.runs()) / "pretrain"
    if resume and (name := f"{chosen.name}/seed-{seed}") in runs.names(base):
        typer.echo(f"run {name}: finished before")
        return
    corpus = sources.obtain(origin) if origin else load()
    if answers:
        _ask(chosen, corpus, device, threads)
        return
    from vitrine.training.pretrain.fit import fit

    run = fit(chosen, corpus, seed=seed, base=base, device=device, threads=threads, resume=resume)
    labels, guesses = run.table.label.to_numpy(), run.table.filter(like="top_").to_numpy()
    timing, spent = run.meta["timing"], meter.watt_hours(run.meta)
    typer.echo(
        f"run {run.name}: top-1 {top(labels, guesses, 1):.1%}, "
        f"top-5 {top(labels, guesses, 5):.1%} of "
        f"{len(run.table)} validation images; {timing['images_per_second']:.1f} images/s, "
        f"{timing['waited_share']:.2%} of the time waiting for data"
        + (f", about {spent:.0f} Wh" if spent else "")
    )


def _ask(chosen: "Recipe", corpus: "Corpus", device: str, threads: int | None) -> None:
    from vitrine.training.pretrain.answers import answers
    from vitrine.training.torch import trainer

    told = answers(chosen, corpus, trainer.obtain(device, threads)).facts
    typer.echo(
        f"teacher {chosen.teacher} at {chosen.teacher_size} px: top-1 {told['top_1']:.1%} of the "
        f"validation images, {told['top_1_on_crops']:.1%} of the training crops"
    )


def sweep(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Recipes, each with its weights if others; those of vitrine.toml by default.",
            metavar="RECIPE[=WEIGHTS]...",
        ),
    ] = None,
    seeds: Annotated[
        str, typer.Option(help="Such as 0-2, or 0,3; 0-2, or 0 for those of vitrine.toml.")
    ] = "",
    folds: Annotated[
        str, typer.Option(help="all, or repetition.fold such as 0.3,0.4; the split if empty.")
    ] = "",
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler; this machine by default.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Workers; by default one a core, or one with every GPU."),
    ] = None,
    device: Device = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Threads of each job on a CPU.")] = 1,
    profile: Annotated[str, typer.Option(help="published, or smoke for miniature runs.")] = (
        "published"
    ),
    retrain: Retrain = False,
) -> None:
    """Make every run of a grid that is not finished, on a Dask cluster.

    In a project of your own photos: by default the recipes of vitrine.toml; a network is trained on
    the five folds of the first repetition as well, so that every photo has its answer.

    Example: vitrine sweep efficientnet-b0-short mambavision-micro-short --seeds 0-2 --retrain
    """
    from vitrine.training import sweep as grids

    asked = {"profile": profile, "device": device, "threads": threads, "retrain": retrain}
    if names:
        jobs = grids.grid(names, _numbers(seeds or "0-2"), _folds(folds), **asked)
    else:
        jobs = _announced(_numbers(seeds or "0"), _folds(folds), asked)
    failed = 0

    def tell(outcome: grids.Outcome) -> None:
        state = outcome.error or ("made" if outcome.made else "finished before")
        typer.echo(f"{outcome.name}: {state}")

    for outcome in grids.sweep(jobs, scheduler=scheduler, workers=workers, tell=tell):
        failed += bool(outcome.error)
    if failed:
        raise grids.SweepError(
            f"expected {len(jobs)} runs, {failed} failed as told above; run the same command again "
            "once it is mended, finished runs are kept"
        )


def _announced(
    seeds: list[int], folds: list[tuple[int, int]] | None, asked: dict[str, Any]
) -> list["Job"]:
    """Return the jobs of the recipes that ``vitrine.toml`` names."""
    from vitrine.data import dataset
    from vitrine.training import recipes
    from vitrine.training import sweep as grids
    from vitrine.training.sweep.job import FOLDS

    if not (names := dataset.current().recipes):
        raise typer.BadParameter("expected recipes, found none here nor in vitrine.toml; name some")
    jobs = []
    for name in names:
        jobs += grids.grid([name], seeds, folds, **asked)
        if folds is None and not recipes.find(name).at_once:
            jobs += grids.grid([name], seeds, [fold for fold in FOLDS if fold[0] == 0], **asked)
    return jobs


def _numbers(text: str) -> list[int]:
    """Read ``0-2,5`` as 0, 1, 2 and 5."""
    refusal = typer.BadParameter(f"expected numbers such as 0-2 or 0,3, found {text!r}")
    try:
        ends = [[int(end) for end in piece.split("-", 1)] for piece in text.split(",")]
    except ValueError as error:
        raise refusal from error
    if any(piece != sorted(piece) for piece in ends):  # 2-0 would be no run at all
        raise refusal
    return [number for first, *last in ends for number in range(first, [*last, first][0] + 1)]


def _folds(text: str) -> list[tuple[int, int]] | None:
    from vitrine.training.sweep.job import FOLDS

    if text in ("", "all"):
        return list(FOLDS) if text else None
    try:
        pairs = [piece.split(".") for piece in text.split(",")]
        return [(int(repeat), int(fold)) for repeat, fold in pairs]
    except ValueError as error:
        raise typer.BadParameter(
            f"expected all, or repetition.fold such as 0.3, found {text!r}"
        ) from error

"""``vitrine train``, ``runs``, ``robustness``, ``explain``: make runs, show them, explain them."""

import json
from typing import Annotated

import typer

from vitrine.cli.options import Device, Resume, Retrain, Threads

__all__ = ["explain", "robustness", "runs_app", "train"]


runs_app = typer.Typer(help="List, show and compare finished runs.", no_args_is_help=True)


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe of vitrine.training.recipes.")],
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the run.")] = 0,
    device: Device = "auto",
    threads: Threads = None,
    resume: Resume = False,
    weights: Annotated[
        str | None, typer.Option(help="imagenet, none, or the path of a file.")
    ] = None,
    profile: Annotated[str, typer.Option(help="published, or smoke for a miniature run.")] = (
        "published"
    ),
    retrain: Retrain = False,
) -> None:
    """Train a recipe on the product photos and write its run.

    Example: vitrine train efficientnet-b0-torch --weights imagenet --seed 1
    """
    from vitrine.metrics.metrics import accuracy
    from vitrine.training import runs, session
    from vitrine.training.runs import start
    from vitrine.training.runs.meter import first_process

    tell = typer.echo if first_process() else lambda _: None
    here = session.begin(profile)
    here = here.again() if retrain else here
    chosen = here.recipe(recipe)
    if chosen.at_once and device == "cuda":
        raise typer.BadParameter(f"expected auto or cpu for {recipe}: it computes on the CPU")
    if chosen.at_once and weights is not None and chosen.weights == "none":
        raise typer.BadParameter(f"expected no --weights for {recipe}, which starts from none")
    if weights is not None:
        chosen = start.started(chosen, weights)
    if resume and (name := f"{chosen.name}/seed-{seed}") in runs.names(here.base):
        tell(f"run {name}: finished before")
        return
    run = here.fit(chosen, seed=seed, device=device, threads=threads, resume=resume, report=tell)
    test = run.part("test")
    tell(
        f"run {run.name}: {len(test.truth)} test photos predicted, "
        f"{accuracy(test.truth, test.probabilities):.1%} of them rightly"
    )


@runs_app.command("list")
def list_runs() -> None:
    """List the finished runs with their test accuracy.

    Example: vitrine runs list
    """
    from vitrine.metrics.metrics import accuracy
    from vitrine.training import runs

    for name in runs.names():
        run = runs.load(name)
        test = run.part("test")
        started = run.meta.get("timing", {}).get("started", "")[:10]
        typer.echo(f"{name:45} {accuracy(test.truth, test.probabilities):7.1%}  {started}")


@runs_app.command()
def show(name: Annotated[str, typer.Argument(help="<recipe>/seed-<n>.")]) -> None:
    """Show everything that run.json says of a run.

    Example: vitrine runs show histogram-hog/seed-0
    """
    from vitrine.training import runs

    typer.echo(json.dumps(runs.load(name).meta, indent=2, ensure_ascii=False))


@runs_app.command()
def compare(
    first: Annotated[str, typer.Argument(help="The reference, <recipe>/seed-<n>.")],
    second: Annotated[str, typer.Argument(help="What is compared with it.")],
) -> None:
    """Compare two runs image by image, as Markdown.

    Example: vitrine runs compare histogram-hog/seed-0 mobilenetv2-int8-probe/seed-0
    """
    from vitrine.report import compare as comparison
    from vitrine.training import runs

    typer.echo(comparison.to_markdown(runs.load(first), runs.load(second)))


RunName = Annotated[str, typer.Argument(help="<recipe>/seed-<n>, whose weights are here.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of what is drawn at random.")]


def robustness(run: RunName, seed: Seed = 0) -> None:
    """Predict the test photos spoiled and reduced; write derived/robustness.csv.

    It takes about 4 minutes a run on a CPU.

    Example: vitrine robustness efficientnet-b0-torch-scratch/seed-0
    """
    typer.echo(f"written: {_derived('robustness', run, seed)}/derived/robustness.csv")


def explain(run: RunName, seed: Seed = 0) -> None:
    """Explain a run on its test photos; write derived/importance.csv, embedding.csv and others.

    It takes about 10 minutes a run on a CPU.

    Example: vitrine explain efficientnet-b0-torch-scratch/seed-0
    """
    name = _derived("explain", run, seed)
    typer.echo(f"written: the explanations of {name}, in its folder derived")


def _derived(what: str, run: str, seed: int) -> str:
    """Compute derived facts of a run, as a function of ``vitrine.explain.derive`` does."""
    from vitrine.explain import derive
    from vitrine.training import runs, session

    here = session.begin()
    found = runs.load(run, here.base)
    getattr(derive, what)(found, here.split, here.catalog(), seed=seed, tell=typer.echo)
    return found.name

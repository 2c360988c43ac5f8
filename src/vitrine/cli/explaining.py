"""``vitrine robustness`` and ``vitrine explain``: derived facts of a run, from its kept weights."""

from typing import Annotated

import typer

__all__ = ["explain", "robustness"]

RunName = Annotated[str, typer.Argument(help="<recipe>/seed-<n>, whose weights are here.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of what is drawn at random.")]


def robustness(run: RunName, seed: Seed = 0) -> None:
    """Predict the test photos spoiled and reduced; write derived/robustness.csv.

    It takes about 4 minutes a run on a CPU.

    Example: vitrine robustness efficientnet-b0-torch-scratch/seed-0
    """
    from vitrine.explain import derive
    from vitrine.training import runs, session

    here = session.begin()
    found = runs.load(run, here.base)
    derive.robustness(found, here.split, here.catalog(), seed=seed, tell=typer.echo)
    typer.echo(f"written: {found.name}/derived/robustness.csv")


def explain(run: RunName, seed: Seed = 0) -> None:
    """Explain a run on its test photos; write derived/importance.csv, embedding.csv and others.

    It takes about 10 minutes a run on a CPU.

    Example: vitrine explain efficientnet-b0-torch-scratch/seed-0
    """
    from vitrine.explain import derive
    from vitrine.training import runs, session

    here = session.begin()
    found = runs.load(run, here.base)
    derive.explain(found, here.split, here.catalog(), seed=seed, tell=typer.echo)
    typer.echo(f"written: the explanations of {found.name}, in its folder derived")

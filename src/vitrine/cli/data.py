"""``vitrine data``: fetch, verify, prepare, describe the data set."""

from typing import Annotated

import typer

from vitrine.cli.options import require_published

__all__ = ["app"]

app = typer.Typer(help="Fetch, verify and prepare the data set.", no_args_is_help=True)

Origin = Annotated[
    str | None,
    typer.Option("--from", help="An http(s) address or a local copy.", metavar="URL|PATH"),
]


@app.command()
def fetch(origin: Origin = None) -> None:
    """Bring data/ to a complete and verified data set; resumes, and does nothing twice.

    Example: vitrine data fetch --from ../shared/archive-320.zip
    """
    from vitrine.data import archive

    require_published()
    receipt = archive.fetch(origin)
    typer.echo(f"data/ holds the edition {receipt.edition}: {len(receipt.files)} files verified")


@app.command()
def verify() -> None:
    """Hash every file again and compare with the tracked manifest.

    Example: vitrine data verify
    """
    from vitrine.data import archive

    require_published()
    receipt = archive.verify()
    typer.echo(f"{len(receipt.files)} files of the edition {receipt.edition} are as published")


@app.command()
def status() -> None:
    """Say what data/ holds, from sizes and dates alone.

    Example: vitrine data status
    """
    from vitrine.data import archive, catalog

    require_published()
    receipt = archive.status()
    if receipt is None:
        typer.echo("data/ holds no data set; `vitrine data fetch` brings it")
        return
    products = catalog.load()
    typer.echo(
        f"edition {receipt.edition} from {receipt.source}: {len(products.products)} products, "
        f"{len(products.absent)} images absent, {len(products.strays)} not in the table"
    )
    for name in products.absent:
        typer.echo(f"  absent: {name}")
    for name in products.strays:
        typer.echo(f"  not in the table: {name}")


@app.command()
def prepare() -> None:
    """Decode the photos once and write the interface's two tables.

    Example: vitrine data prepare
    """
    from vitrine.data import archive, catalog, splits
    from vitrine.data import prepare as preparation

    require_published()
    archive.status()  # photos that changed would be decoded once for all
    photos, split = catalog.load(), splits.load()
    for path in preparation.prepare(photos, split, report=typer.echo, first=_surest()):
        typer.echo(f"written: data/{path.name}")


def _surest() -> list[str]:
    """Return the test photos that the recommended model classes well, the surest first.

    None where its run is not on this machine.
    """
    from vitrine.report.recommended import RECOMMENDED
    from vitrine.training import runs

    if (name := f"{RECOMMENDED}/seed-0") not in runs.names():
        return []
    return runs.load(name).part("test").surest


@app.command()
def facts() -> None:
    """Draw the splits and measure the images, into the tracked files of data/.

    Example: vitrine data facts
    """
    from vitrine.data import archive, catalog, splits
    from vitrine.data import facts as measures

    require_published()
    archive.status()
    photos = catalog.load()
    split = splits.draw(photos)
    folds = splits.draw_folds(photos, splits.fingerprints(photos))
    for made in (split, folds):
        typer.echo(f"written: data/splits/{splits.write(made).name} ({made.sha256[:12]})")
    typer.echo(f"written: data/{measures.measure(photos, split).name}/")


@app.command()
def corpus(origin: Origin = None) -> None:
    """Decode the pretraining corpus once, into data/pretrain; does nothing twice.

    Without --from, Tiny ImageNet is downloaded from Stanford: 248 MB, for research and education.

    Example: vitrine data corpus --from ../shared/pretrain
    """
    from vitrine.training.pretrain import sources

    held = sources.obtain(origin)
    sizes = ", ".join(f"{len(held.labels(part))} of {part}" for part in ("train", "validation"))
    typer.echo(f"data/pretrain holds {sizes}, in {len(held.classes)} classes")

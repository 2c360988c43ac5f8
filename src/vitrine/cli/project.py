"""``vitrine new``: make a project of the user's own photos."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["check_own", "new"]


def new(
    folder: Annotated[Path, typer.Argument(help="Where to make the project.")],
    photos: Annotated[
        Path | None,
        typer.Option(
            help="Folder of photos, one subfolder a class, or three of parts that hold them."
        ),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV table of the photos; paths start from its folder.")
    ] = None,
    image: Annotated[str, typer.Option(help="Its column of the paths.")] = "image",
    label: Annotated[str, typer.Option(help="Its column of the classes.")] = "label",
    text: Annotated[
        list[str] | None, typer.Option(help="A column of text, the title first; repeatable.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="Its column of the parts: train, validation, test.")
    ] = "",
    group: Annotated[
        str, typer.Option(help="Its column of what stays in one part, such as a product.")
    ] = "",
    name: Annotated[str, typer.Option(help="Of the data set; that of the folder by default.")] = "",
    language: Annotated[str, typer.Option(help="Of the report: fr or en.")] = "fr",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the split.")] = 0,
) -> None:
    """Make a project of your own photos: the same protocol, on any folder of images.

    Every fault of the photos is told at once, and nothing is written then. Existing files are never
    overwritten.

    Example: vitrine new my-shop --photos ~/photos
    """
    from vitrine.data import project
    from vitrine.data.dataset import LANGUAGES, Dataset
    from vitrine.data.survey import listed

    source = photos or table
    if source is None or (photos and table):
        raise typer.BadParameter(
            "expected either --photos FOLDER or --table FILE, found both or none"
        )
    if photos is not None and (text or split or group or (image, label) != ("image", "label")):
        raise typer.BadParameter("expected columns with --table alone: a folder has none")
    if language not in LANGUAGES:
        raise typer.BadParameter(f"expected {' or '.join(LANGUAGES)}, found {language!r}")
    place = (photos or source.parent).resolve()
    rows, found = listed(photos) if photos else (None, [])
    if rows is not None and "part" in rows:  # the folder has one for each part
        split = "part"
    draft = Dataset(
        name=name or folder.resolve().name,
        language=language,
        classes={},
        table=table.resolve() if table else place / "dataset.csv",
        photos=place,
        folder=folder / "data",
        image=image,
        label=label,
        text=tuple(text or ()),
        group=group,
        split=split,
        policy="column" if split else "grouped",
        seed=seed,
    )
    made = project.make(folder, draft, table=rows, found=found)
    for line in made.lines():
        typer.echo(line)
    typer.echo(f"the project: {folder}; go there, then `make book`")


def check_own() -> None:
    """Check a project of the user's own: its photos, its split, its runs.

    Raises:
        DatasetError: With a line for each fault of the data.
        RecipeError: If ``vitrine.toml`` names a recipe that is none.
        RunError: If a run is damaged, was made on another split, or by a recipe that has changed.
    """
    from vitrine import paths
    from vitrine.data import catalog, project
    from vitrine.data.dataset import DatasetError
    from vitrine.training import recipes, runs

    photos = catalog.load()
    if faults := project.faults(photos):
        raise DatasetError("\n".join(faults))
    typer.echo(f"{len(photos.products)} photos and their split are those of the project")
    if strays := project.strays(photos):
        typer.echo(
            f"warning: {len(strays)} photos of {photos.photos} are in no row of the table: "
            f"{catalog.named(strays, 3)}; to take them in, make the project again elsewhere"
        )
    data = photos.dataset
    named = {*data.recipes, *(each["name"] for each in data.variations), *sum(data.comparisons, ())}
    for name in sorted(named):
        recipes.find(name)
    alone = [runs.load(name) for name in runs.names()]
    folded = [run for group in runs.across_folds().values() for one in group for run in one.runs]
    for run in {run.folder: run for run in (*alone, *folded)}.values():
        for part in ("validation", "test"):
            run.part(part)
        if run.recipe.name in recipes.known():
            run.require_made_by(recipes.find(run.recipe.name))
        typer.echo(f"run {run.folder.relative_to(paths.runs())}: whole, on this split")

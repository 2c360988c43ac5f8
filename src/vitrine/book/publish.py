"""The one writer of ``notebooks/*.ipynb``, the outputs that git tracks and readers see first."""

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat

from vitrine import paths
from vitrine.book import engine, runner, sources, stamps
from vitrine.book.sources import NotebookError

__all__ = ["publish"]


def publish(
    names: Iterable[str] = (),
    *,
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
    progress: engine.Progress = lambda cell, cells: None,
) -> list[Path]:
    """Bring published notebooks up to date with their sources.

    A fresh one is left as it is, and one whose text alone changed is refreshed in place. Any other
    is executed through papermill, in the published profile, without original photos.

    Args:
        names: Notebooks; by default all those of the table of contents.
        force: Execute even what is fresh.
        tell: Called with a line on each notebook.
        progress: Called before each cell.

    Returns:
        The paths of the published notebooks, in order.

    Raises:
        NotebookError: If one cannot be executed, or if its outputs name a place on this machine;
            what was published before stays as it was.
    """
    written = []
    for name in list(names) or sources.names():
        source = sources.find(name)
        target = source.with_suffix(".ipynb")
        verdict = stamps.state(source, target)
        if verdict.state is stamps.State.FRESH and not force:
            tell(f"{source.stem}: fresh")
        elif verdict.state is stamps.State.PROSE and not force:
            runner.write(runner.refresh(sources.read(source), target), target)
            tell(f"{source.stem}: text refreshed")
        else:
            tell(f"{source.stem}: executing, because {verdict.reason}")
            executed = runner.execute(source.stem, force=force, progress=progress)
            _refuse_places(executed)
            runner.write(nbformat.read(executed, as_version=4), target)
            tell(f"{source.stem}: published")
        written.append(target)
    return written


def _refuse_places(notebook: Path) -> None:
    text = json.dumps(json.loads(notebook.read_text(encoding="utf-8")), ensure_ascii=False)
    places = {str(paths.root()), str(Path.home()), sys.prefix} - {"/"}
    # A short one, such as /root, may be the beginning of an honest word.
    for place in sorted(places, key=len, reverse=True):
        if re.search(re.escape(place) + r"(?![\w-])", text):
            raise NotebookError(
                f"expected outputs of {notebook.stem} without a place on this machine, found "
                f"{place}; print paths relative to the root"
            )

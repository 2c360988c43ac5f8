"""Run notebooks through papermill, keep what is whole, and publish it.

papermill alone would not do: it warns about an unknown parameter and exits 0, overwrites its output
from the first cell on, and calls a run whose kernel was killed ``completed``.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vitrine import paths
from vitrine.book import engine, sources, stamps
from vitrine.book.sources import NotebookError, RequestError
from vitrine.training.session import PROFILES

__all__ = ["execute", "executed_path", "publish", "refresh", "write"]

_OF_THE_SOURCE = {"lines_to_next_cell", "tags", "mystnb"}
"""What the metadata of a cell say of its source: jupytext's blank lines, then ours."""


def executed_path(name: str | Path, *, profile: str = "published") -> Path:
    """Return where the execution of a notebook in a profile is kept, outside git."""
    return paths.build() / "executed" / profile / f"{Path(name).stem}.ipynb"


def execute(
    name: str | Path,
    *,
    profile: str = "published",
    parameters: Mapping[str, object] | None = None,
    force: bool = False,
    photos: bool = False,
    timeout: int | None = None,
    progress: engine.Progress = lambda cell, cells: None,
) -> Path:
    """Execute a notebook from its source, unless its last execution still holds.

    A failed run leaves the last good notebook as it was and puts what it has beside it, in
    ``NN_name.failed.ipynb``. ``NN_name.stderr.txt`` holds what libraries say on stderr, after a
    failure what the kernel says.

    Args:
        name: Notebook, such as ``03_baseline_tensorflow`` or a path to it.
        profile: ``published`` or ``smoke``, given to the kernel as ``VITRINE_PROFILE``.
        parameters: Values for its ``parameters`` cell.
        force: Execute even when fresh.
        photos: Whether original photos may be shown, given as ``VITRINE_PHOTOS``.
        timeout: Most seconds a cell may take; none by default.
        progress: Called before each cell with its number, from 1, and the number of cells.

    Returns:
        The path of the executed notebook.

    Raises:
        NotebookError: If a cell raises or takes too long, or if the kernel dies.
        RequestError: If the notebook or a parameter is unknown.
    """
    source, parameters = sources.find(name), dict(parameters or {})
    target = executed_path(source, profile=profile)
    notebook = sources.read(source)
    _check(notebook, source.stem, parameters, profile)

    verdict = stamps.state(source, target, profile=profile, parameters=parameters, photos=photos)
    if verdict.state is stamps.State.FRESH and not force:
        return target
    if verdict.state is stamps.State.PROSE and not force:
        write(refresh(notebook, target), target)
        return target

    failed, log = target.with_suffix(".failed.ipynb"), target.with_suffix(".stderr.txt")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{source.stem}-") as folder:
        run = engine.Run(
            Path(folder), profile=profile, photos=photos, timeout=timeout, progress=progress
        )
        try:
            executed = run.execute(notebook, parameters)
        except NotebookError as error:
            if run.output.is_file():
                run.output.replace(failed)
            run.stderr.replace(log)
            raise NotebookError(
                f"expected {source.stem} to run to its end, found {error}; the last good notebook "
                f"is untouched, correct {source.name} ({failed.name} shows how far it went, "
                f"{log.name} what the kernel said)"
            ) from error
        _keep_stderr(executed, log)
        _strip(executed)
        executed.metadata[stamps.KEY] = stamps.make(
            executed, profile=profile, parameters=parameters, photos=photos, log=run.log()
        )
    write(executed, target)
    failed.unlink(missing_ok=True)
    return target


def refresh(notebook: NotebookNode, target: Path) -> NotebookNode:
    """Return a source with the outputs of an execution whose code is the same.

    Args:
        notebook: The source, as ``sources.read`` returns it; it is filled in place.
        target: The executed notebook, in state ``prose-only``.
    """
    executed = nbformat.read(target, as_version=4)
    done = [cell for cell in stamps.code_cells(executed) if not stamps.is_injected(cell)]
    for cell, old in zip(stamps.code_cells(notebook), done, strict=True):
        cell.execution_count, cell.outputs = old.execution_count, old.outputs
    for cell in filter(stamps.is_injected, executed.cells):
        tags = [c.metadata.get("tags", []) for c in notebook.cells]
        notebook.cells.insert(1 + next(i for i, t in enumerate(tags) if "parameters" in t), cell)
    notebook.metadata.update(executed.metadata)
    notebook.metadata[stamps.KEY] = stamps.renew(executed.metadata[stamps.KEY], notebook)
    return notebook


def write(notebook: NotebookNode, target: Path) -> None:
    """Write a notebook in one step: a reader finds the former file or the new one, whole."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".ipynb")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            nbformat.write(notebook, stream)
        Path(temporary).chmod(0o644)  # mkstemp gives 0600, which a move would keep
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _check(notebook: NotebookNode, name: str, parameters: dict[str, object], profile: str) -> None:
    if profile not in PROFILES:
        raise RequestError(
            f"expected a profile among {', '.join(PROFILES)}, found {profile!r}; correct --profile"
        )
    known = sources.check(notebook, name, parameters)
    if unseen := sorted(set(known) - engine.seen_by_papermill(notebook)):
        raise NotebookError(
            f"expected papermill to see each parameter of {name}, found it blind to "
            f"{', '.join(unseen)}; write each as name = literal, on a line of its own"
        )
    if parameters.get("profile", profile) != profile:
        raise RequestError(
            f"expected profile {profile!r} for {name}, found the parameter profile = "
            f"{parameters['profile']!r}; give the profile once, as --profile"
        )


def _keep_stderr(notebook: NotebookNode, log: Path) -> None:
    said = [o.text for c in stamps.code_cells(notebook) for o in c.outputs if _is_stderr(o)]
    log.unlink(missing_ok=True)
    if said:
        log.write_text("".join(said), encoding="utf-8")


def _strip(notebook: NotebookNode) -> None:
    """Remove what tells when and where the run was made, and what libraries say on stderr."""
    kept = {"jupytext", "kernelspec", "language_info"}
    notebook.metadata = {k: v for k, v in notebook.metadata.items() if k in kept}
    notebook.metadata["language_info"].pop("version", None)
    for cell in notebook.cells:
        # papermill gives every cell a list of tags, most of them empty.
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in _OF_THE_SOURCE and v}
        if stamps.is_injected(cell):
            cell["id"] = "injected-parameters"
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_stderr(output)]


def _is_stderr(output: NotebookNode) -> bool:
    return output.output_type == "stream" and output.name == "stderr"


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
            write(refresh(sources.read(source), target), target)
            tell(f"{source.stem}: text refreshed")
        else:
            tell(f"{source.stem}: executing, because {verdict.reason}")
            executed = execute(source.stem, force=force, progress=progress)
            _refuse_places(executed)
            write(nbformat.read(executed, as_version=4), target)
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

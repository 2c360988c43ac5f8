"""Execute the notebooks, build the book in HTML with Sphinx and check it: ``vitrine book``."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from vitrine import paths
from vitrine.book import checks, engine, runner, sources, stamps
from vitrine.data import dataset

__all__ = ["build", "render", "stage"]

# What pages may include or quote; the rest of the repository is not for Sphinx to walk.
_STAGED = ("CITATION.cff", "_config.yml", "_toc.yml", "book", "ressources", "runs/ledger.json",
           "runs/bench", "src/vitrine")  # fmt: skip
_NEVER = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
# Fixed, so that two builds of the same sources agree to the byte. No page shows it.
_EPOCH = "1735689600"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def build(
    *,
    force: bool = False,
    tell: Callable[[str], None] = print,
    progress: engine.Progress = lambda cell, cells: None,
) -> Path:
    """Execute the notebooks of the table of contents, then build and check the book.

    A notebook whose execution is fresh is not run again. The former book stays in ``build/html``
    until the new one has passed its checks. Photos are shown where the data set is there.

    Args:
        force: Execute every notebook.
        tell: Called with a line on each step.
        progress: Called before each cell.

    Returns:
        The first page of the book.

    Raises:
        NotebookError: If a notebook fails.
        BookError: If Sphinx warns or a check fails.
    """
    own = dataset.current().own
    photos = own or (paths.data() / "receipt.json").is_file()
    names, executed = sources.names(), []
    for number, name in enumerate(names, start=1):
        place = runner.executed_path(name)
        verdict = stamps.state(sources.find(name), place, photos=photos)
        tell(f"[{number}/{len(names)}] {name}: {_intention(verdict, force=force)}")
        executed.append(runner.execute(name, force=force, photos=photos, progress=progress))
    checks.check_outputs(executed)
    tell("building the pages")
    html = render(stage(executed))
    tell("checking the pages")
    checks.check_html(html, language=dataset.current().language)
    if not own:  # whose pages are as long as wanted
        checks.check_words(html, tell=tell)
    final = paths.build() / "html"
    shutil.rmtree(final, ignore_errors=True)
    html.replace(final)
    return final / "index.html"


def stage(executed: list[Path]) -> Path:
    """Copy what Sphinx needs, with these executions in place of the published notebooks.

    Returns:
        The folder of the copy, made anew.
    """
    folder = paths.build() / "stage"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "notebooks").mkdir(parents=True)
    for name in _STAGED:
        source, copy = paths.root() / name, folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=_NEVER)
        elif source.is_file():
            shutil.copyfile(source, copy)
    for run in paths.runs().rglob("run.json"):
        copy = folder / run.relative_to(paths.root())
        copy.parent.mkdir(parents=True)
        shutil.copyfile(run, copy)
    for notebook in executed:
        shutil.copyfile(notebook, folder / "notebooks" / notebook.name)
    return folder


def render(folder: Path) -> Path:
    """Build a book with Sphinx, from nothing, refusing any warning.

    An incremental build would exit 0 on the very page that failed the first time.

    Args:
        folder: Holds ``_config.yml`` and ``_toc.yml``.

    Returns:
        The folder of the pages.

    Raises:
        BookError: If there is any warning; it quotes what Sphinx says.
    """
    shutil.rmtree(folder / "_build", ignore_errors=True)
    environment = os.environ | {
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", _EPOCH),
    }
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    done = subprocess.run(
        [*command, "build", str(folder), "--all", "-W", "-n", "--keep-going", "-q"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = _COLOURS.sub("", done.stderr).replace(f"{folder}{os.sep}", "")
        lines = [line for line in said.splitlines() if line.strip()]
        raise checks.BookError("expected a build without a warning, found:\n" + "\n".join(lines))
    return folder / "_build" / "html"


def _intention(verdict: stamps.Verdict, *, force: bool) -> str:
    if force:
        return "executing, because it was asked"
    return {
        stamps.State.FRESH: "fresh, skipped",
        stamps.State.PROSE: "refreshing its text",
    }.get(verdict.state, f"executing, because {verdict.reason}")

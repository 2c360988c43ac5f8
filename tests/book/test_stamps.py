import pytest
from nbformat.v4 import new_output

from vitrine.book import imports, runner, sources, stamps

CODE = """\
# %% [markdown]
# Le texte.

# %% mystnb={"figure": {"caption": "La légende"}}
from vitrine import metrics
scores.mean([1, 2])
"""
SCORES = '''\
"""Arrays to numbers."""

import numpy as np

from vitrine.data.catalog import CLASSES


def mean(values):
    """Return the mean."""
    return np.mean(values), CLASSES
'''


@pytest.fixture
def executed(miniature):
    """Stamp a notebook as if a kernel had executed it and read two runs."""
    miniature.write("src/vitrine/__init__.py", '"""Package."""\n')
    miniature.write("src/vitrine/metrics.py", SCORES)
    miniature.write("src/vitrine/data/catalog.py", "CLASSES = 7\n")
    miniature.write("src/vitrine/ui.py", "PORT = 1\n")
    miniature.write("runs/b0/run.json", "{}")
    source = miniature.notebook("01_page", CODE)
    notebook = sources.read(source)
    for count, cell in enumerate(stamps.code_cells(notebook), start=1):
        cell.execution_count = count
        cell.outputs = [new_output("stream", name="stdout", text=f"{count}\n")]
    notebook.metadata[stamps.KEY] = stamps.make(
        notebook,
        profile="published",
        parameters={},
        photos=False,
        reads=["runs/", "runs/b0/run.json", "runs/b0/weights/w.h5", "pyproject.toml", "build/x"],
    )
    runner.write(notebook, source.with_suffix(".ipynb"))
    return miniature


def verdict(miniature, **changes):
    source = miniature.root / "notebooks" / "01_page.py"
    return stamps.state(source, source.with_suffix(".ipynb"), **changes)


def replace(miniature, path, old, new):
    file = miniature.root / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_a_notebook_is_fresh_after_its_execution(executed):
    assert verdict(executed).state is stamps.State.FRESH


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("src/vitrine/metrics.py", "Return the mean", "Give the mean"),
        ("src/vitrine/metrics.py", "    return np", "    # why\n\n    return np"),
        ("src/vitrine/ui.py", "1", "2"),
        ("pyproject.toml", "vitrine", "vitrine2"),
        ("requirements/all.txt", "plotly==7.1.0", "plotly==7.2.0"),
    ],
    ids=["docstring", "comment", "module not imported", "untracked read", "unused library"],
)
def test_what_a_notebook_does_not_depend_on_leaves_it_fresh(executed, path, old, new):
    replace(executed, path, old, new)

    assert verdict(executed).state is stamps.State.FRESH


@pytest.mark.parametrize(
    ("path", "old", "new", "reason"),
    [
        (
            "notebooks/01_page.py",
            "[1, 2]",
            "[1, 3]",
            "its code changed, from line 24 of 01_page.py",
        ),
        (
            "notebooks/01_page.py",
            "seed = 0",
            "seed = 1",
            "its code changed, from line 17 of 01_page.py",
        ),
        ("src/vitrine/metrics.py", "np.mean", "np.median", "modules changed: vitrine.metrics"),
        ("src/vitrine/data/catalog.py", "7", "8", "modules changed: vitrine.data.catalog"),
        ("runs/b0/run.json", "{}", "[]", "files changed: runs/b0/run.json"),
        ("requirements/all.txt", "2.1.0", "2.2.0", "versions changed: numpy"),
    ],
)
def test_what_a_notebook_depends_on_makes_it_stale_and_is_named(executed, path, old, new, reason):
    replace(executed, path, old, new)

    assert verdict(executed) == stamps.Verdict(state=stamps.State.STALE, reason=reason)


def test_a_new_run_makes_stale_a_notebook_that_listed_the_runs(executed):
    executed.write("runs/mambavision/run.json", "{}")

    assert verdict(executed).reason == "files changed: runs/"


def test_a_run_that_was_begun_and_no_more_makes_nothing_stale(executed):
    listed = [stamps._content(folder) for folder in ("runs/", "runs/b0/", "runs/nano/")]

    executed.write("runs/nano/seed-0/weights/begun.json", "{}")
    executed.write("runs/b0/seed-1/history.csv", "epoch")

    assert [stamps._content(folder) for folder in ("runs/", "runs/b0/", "runs/nano/")] == listed
    executed.write("runs/nano/seed-0/run.json", "{}")
    assert stamps._content("runs/") != listed[0] and stamps._content("runs/nano/") != listed[2]


@pytest.mark.parametrize(
    "changes", [{"photos": True}, {"profile": "smoke"}, {"parameters": {"a": 1}}]
)
def test_another_way_to_run_makes_it_stale(executed, changes):
    assert verdict(executed, **changes).state is stamps.State.STALE


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("Le texte.", "Ce texte.", 20), ("La légende", "Légende", 22), ("# Le texte.", "#", 19)],
)
def test_text_and_captions_are_prose_and_their_line_is_named(executed, old, new, line):
    replace(executed, "notebooks/01_page.py", old, new)

    reason = f"its text or captions changed, from line {line} of 01_page.py"
    assert verdict(executed) == stamps.Verdict(state=stamps.State.PROSE, reason=reason)


@pytest.mark.parametrize(
    ("old", "new", "state", "what"),
    [
        ("scores.mean([1, 2])", "scores.mean([1, 9])", stamps.State.STALE, "code"),
        ("Le texte.", "Un autre texte.", stamps.State.PROSE, "text"),
    ],
)
def test_a_pair_edited_by_hand_is_noticed_at_its_line(executed, old, new, state, what):
    replace(executed, "notebooks/01_page.ipynb", old, new)

    lines = (executed.root / "notebooks" / "01_page.ipynb").read_text().splitlines()
    line = 1 + next(n for n, text in enumerate(lines) if new in text)
    reason = f"its {what} was edited by hand, at line {line} of 01_page.ipynb"
    assert verdict(executed) == stamps.Verdict(state=state, reason=reason)


@pytest.mark.parametrize(
    ("old", "new"),
    [('"execution_count": 2', '"execution_count": null'), ('"2\\n"', '"3\\n"')],
    ids=["output removed", "output changed by hand"],
)
def test_a_stamp_without_its_outputs_is_hollow(executed, old, new):
    replace(executed, "notebooks/01_page.ipynb", old, new)

    assert verdict(executed).state is stamps.State.HOLLOW


@pytest.mark.parametrize("text", [None, "", "{}", '{"cells": [], "metadata": {}, "nbformat": 4}'])
def test_a_notebook_that_is_absent_broken_or_without_stamp_is_stale(executed, text):
    pair = executed.root / "notebooks" / "01_page.ipynb"
    pair.unlink() if text is None else pair.write_text(text)

    assert verdict(executed).state is stamps.State.STALE


def test_imports_are_followed_through_functions_packages_and_relative_forms(miniature):
    miniature.write("src/vitrine/__init__.py", "")
    miniature.write("src/vitrine/report/figures/__init__.py", "import scipy.stats\n")
    lazy = "def f():\n    from .style import INK\n    import PIL\n"
    miniature.write("src/vitrine/report/figures/data.py", lazy)
    miniature.write("src/vitrine/report/figures/style.py", "INK = 1\n")

    reached = imports.modules("from vitrine.report.figures import data, absent")

    assert set(reached) == {
        "vitrine",
        "vitrine.report.figures",
        "vitrine.report.figures.data",
        "vitrine.report.figures.style",
    }
    assert imports.libraries("import vitrine.report.figures.data, torch") == {
        "pillow",
        "scipy",
        "torch",
    }


@pytest.mark.parametrize(
    "path",
    [
        "runs/ledger.json", "data/splits/published.csv", "data/facts/images.csv",
        "data/manifest-320.csv", "ressources/prior_poc.csv", "book/references.bib",
        "src/vitrine/pages/card.md",
    ],
)  # fmt: skip
def test_what_the_report_keeps_belongs_to_the_stamp_of_who_read_it(miniature, path):
    notebook = sources.read(miniature.notebook("01_page", "# %%\nprint(1)\n"))

    made = stamps.make(notebook, profile="published", parameters={}, photos=False, reads=[path])

    assert list(made["files"]) == [path]

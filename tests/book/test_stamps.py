import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output

from vitrine.book import dependencies, runner, sources, stamps

OURS = Path(__file__).resolve().parents[2]
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
        log=[
            "runs/", "runs/b0/run.json", "runs/b0/weights/w.h5", "pyproject.toml", "build/x",
            "src/vitrine/data/", "src/vitrine/data/catalog.py", "import vitrine.metrics",
            "import vitrine.data.catalog", "import numpy", "import json",
        ],
    )  # fmt: skip
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
    names = {"modules": [], "files": ["runs/", "runs/b0/", "runs/nano/"], "versions": []}
    listed = dependencies.digests(names)["files"]

    executed.write("runs/nano/seed-0/weights/begun.json", "{}")
    executed.write("runs/b0/seed-1/history.csv", "epoch")

    assert dependencies.digests(names)["files"] == listed
    executed.write("runs/nano/seed-0/run.json", "{}")
    after = dependencies.digests(names)["files"]
    assert [name for name in listed if after[name] != listed[name]] == ["runs/", "runs/nano/"]


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


def test_a_module_that_is_gone_makes_stale_what_imported_it(executed):
    (executed.root / "src/vitrine/data/catalog.py").unlink()

    assert verdict(executed).reason == "modules changed: vitrine.data.catalog"


def test_a_module_beside_those_imported_leaves_it_fresh(executed):
    executed.write("src/vitrine/data/other.py", "")

    assert verdict(executed).state is stamps.State.FRESH


def test_versions_are_those_of_our_dependencies_under_the_name_one_installs(miniature):
    miniature.write("requirements/all.txt", "numpy==2.1.0\nscikit-image==0.25\nsix==1.16\n")
    notebook = sources.read(miniature.notebook("01_page", "# %%\nprint(1)\n"))
    log = ["import skimage", "import six", "import vitrine", "import json"]

    made = stamps.make(notebook, profile="published", parameters={}, photos=False, log=log)

    assert made["versions"] == {"scikit-image": "0.25"}


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

    made = stamps.make(notebook, profile="published", parameters={}, photos=False, log=[path])

    assert list(made["files"]) == [path]


CHAPTER = """\
# %%
from vitrine.metrics.metrics import macro_f1
from vitrine.report import figures, tables
from vitrine.training.session import begin

session = begin(profile)
print(macro_f1.name, len(session.split.part("test")))
"""
APART = [
    f"src/vitrine/{path}" for path in ("data/demo/*.py", "data/archive/*.py", "serving/**/*.*")
]


@pytest.fixture(scope="module")
def chapter(new_miniature):
    """A chapter that opens a session, executed for real beside a copy of our sources."""
    made = new_miniature()
    shutil.copytree(OURS / "src", made.root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(OURS / "data" / "splits", made.root / "data" / "splits")
    made.notebook("01_page", CHAPTER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_ROOT", str(made.root))
        made.executed = runner.execute("01_page")
    return made


@pytest.fixture
def verdict_after_edits(chapter, monkeypatch):
    """Return what the chapter becomes once each file of a pattern has one constant more."""
    monkeypatch.setenv("VITRINE_ROOT", str(chapter.root))
    before = {}

    def edited(pattern):
        for file in chapter.root.glob(pattern):
            before[file] = file.read_bytes()
            file.write_bytes(before[file] + b"\nEDITED = 1\n")
        assert before
        return stamps.state(sources.find("01_page"), chapter.executed)

    yield edited
    for file, content in before.items():
        file.write_bytes(content)


@pytest.mark.parametrize("pattern", APART, ids=["drawings", "archive", "interface"])
def test_an_edit_of_what_no_kernel_imports_leaves_a_chapter_fresh(verdict_after_edits, pattern):
    assert verdict_after_edits(pattern).state is stamps.State.FRESH


def test_an_edit_of_a_metric_makes_stale_the_chapter_that_imports_it(verdict_after_edits):
    assert verdict_after_edits("src/vitrine/metrics/metrics.py") == stamps.Verdict(
        state=stamps.State.STALE, reason="modules changed: vitrine.metrics.metrics"
    )


def test_no_published_notebook_depends_on_drawings_archive_or_interface_and_05_on_metrics():
    published = {
        name: nbformat.read(OURS / "notebooks" / f"{name}.ipynb", as_version=4).metadata[stamps.KEY]
        for name in sources.names()
    }

    modules = {name: set(stamp["modules"]) for name, stamp in published.items()}
    apart = {file.relative_to(OURS).as_posix() for glob in APART for file in OURS.glob(glob)}
    dotted = {path.removeprefix("src/").removesuffix(".py").replace("/", ".") for path in apart}
    packages = {name.removesuffix(".__init__") for name in dotted}
    assert {name: packages & found for name, found in modules.items() if packages & found} == {}
    assert [name for name, stamp in published.items() if apart & set(stamp["files"])] == []
    assert "vitrine.metrics.metrics" in modules["05_comparaison"]


def test_a_reason_names_the_first_of_what_changed_and_counts_the_others():
    before = {f"vitrine.m{place}": "a" for place in range(9)}

    told = stamps._explain("modules", before, dict.fromkeys(before, "b"))

    assert told == "modules changed: vitrine.m0, vitrine.m1, vitrine.m2 and 6 more"

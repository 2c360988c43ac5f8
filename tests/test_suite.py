"""The suite itself: what comes first, what may skip, what counts as a notebook compared."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

HERE = Path(__file__).parent
SKIPPED = """
import pytest

@pytest.mark.gpu
@pytest.mark.skip(reason="there is no GPU")
def test_on_a_gpu(): ...

@pytest.mark.browser
@pytest.mark.skip(reason="there is no browser")
def test_in_a_browser(): ...

def test_that_runs(): ...
"""

STAND_IN = """#!/bin/sh
case "$*" in
  *--nbval-lax*) part=test-smoke ;;
  *notebooks) part=test-published ;;
  *) part=test-units ;;
esac
echo "ran $part${PYTHONDONTWRITEBYTECODE:+ without bytecode}"
case " $BROKEN " in *" $part "*) exit 1 ;; esac
"""
"""A pytest that tells which part of `make test` it was run for, and fails for some."""


def run(folder, *options, **environment):
    """Run pytest in a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder, env=os.environ | environment, capture_output=True, text=True,
    )  # fmt: skip


def test_the_files_that_come_first_exist(request):
    ours = request.config.pluginmanager.get_plugin(str(HERE / "conftest.py"))

    assert [name for name in ours.LONGEST if not (HERE / name).is_file()] == []
    assert len(set(ours.LONGEST)) == len(ours.LONGEST) > 0


def test_the_longest_files_are_collected_first(request):
    ours = request.config.pluginmanager.get_plugin(str(HERE / "conftest.py"))

    class Item:
        def __init__(self, name):
            self.name, self.path = name, HERE / name

    last, first = ours.LONGEST[-1], ours.LONGEST[0]
    items = [Item(name) for name in ("a.py", last, first, "b.py", last)]
    ours.pytest_collection_modifyitems(items)

    assert [item.name for item in items] == [first, last, last, "a.py", "b.py"]


def test_the_demonstration_runs_every_chapter_of_the_table_of_contents():
    contents = (HERE.parent / "_toc.yml").read_text(encoding="utf-8")
    chapters = re.findall(r"file: notebooks/(\w+)", contents)

    said = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "demo"],
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    assert len(chapters) > 8
    assert said.stdout.splitlines()[-1].endswith(" ".join(chapters))


@pytest.mark.parametrize("workers", ["0", "2"])
def test_ci_refuses_a_skip_but_for_a_gpu(tmp_path, workers):
    shutil.copy(HERE / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  gpu\n  browser\n")
    (tmp_path / "test_skipped.py").write_text(SKIPPED)

    strict, free = (
        run(tmp_path, "-p", "no:nbval", "-n", workers, CI=ci) for ci in ("true", "false")
    )

    assert (strict.returncode, free.returncode) == (1, 0), strict.stderr
    assert "CI refuses 1 skipped tests: test_skipped.py::test_in_a_browser" in strict.stdout
    assert "1 passed, 2 skipped" in free.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_notebook_in_which_nothing_is_compared_passes_for_nothing(tmp_path, workers):
    shutil.copy(HERE.parent / "notebooks" / "conftest.py", tmp_path)
    blank = new_output("stream", text="\n")
    hollow = new_code_cell("print()", execution_count=1, outputs=[blank])
    hollow.metadata.tags = ["nbval-check-output"]
    for name in ("first", "second"):
        nbformat.write(new_notebook(cells=[hollow]), tmp_path / f"{name}.ipynb")

    done = run(tmp_path, "--nbval-lax", "--nbval-current-env", "-n", workers)

    assert done.returncode == 1, done.stderr
    assert "expected at least one compared cell in first.ipynb, found none" in done.stdout
    assert "2 errors" in done.stdout


@pytest.mark.parametrize(
    "broken", ["", "test-units", "test-smoke", "test-published", "test-units test-published"]
)
def test_make_test_runs_every_part_keeps_bytecode_and_names_those_that_failed(tmp_path, broken):
    shutil.copy(HERE.parent / "Makefile", tmp_path)
    for name, text in {"requirements/install.sh": "", ".venv/bin/pytest": STAND_IN}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    done = subprocess.run(
        ["make", "test"], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"BROKEN": broken, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip

    ran = [line for line in done.stdout.splitlines() if line.startswith("ran ")]
    told = [line for line in done.stderr.splitlines() if line.startswith("test: ")]
    assert ran == ["ran test-units", "ran test-smoke", "ran test-published"]
    assert bool(done.returncode) == bool(broken)
    assert told == ([f"test: expected every part to pass, failed: {broken}"] if broken else [])

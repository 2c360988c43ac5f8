import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from vitrine.book import runner, sources, stamps
from vitrine.book.sources import NotebookError

OURS = Path(__file__).resolve().parents[2]
PICTURE = """\
# %%
import numpy as np
from PIL import Image
from vitrine.training.session import begin

session = begin(profile)
pixels = np.full((4, 6, 3), 127, np.uint8)
Image.fromarray(pixels)
"""
COUNT = """\
# %% [markdown]
# Le nombre d'exécutions s'affiche.

# %%
from pathlib import Path

log = Path("build/count.txt")
log.write_text(log.read_text() + "x" if log.exists() else "x")
print(len(log.read_text()), seed)
"""
PLACE = """\
# %%
import os, sys

print(os.getcwd(), sys.executable, os.environ["VITRINE_PROFILE"])
print("noise", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def executed_root(new_miniature):
    """The root of a notebook that counts its executions, executed once."""
    made = new_miniature()
    made.notebook("01_count", COUNT)
    (made.root / "build").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_ROOT", str(made.root))
        runner.execute("01_count")
    return made.root


@pytest.fixture
def counted(miniature, executed_root):
    shutil.copytree(executed_root, miniature.root, dirs_exist_ok=True)
    return miniature


def executions(miniature) -> int:
    return len((miniature.root / "build" / "count.txt").read_text())


def test_a_notebook_runs_from_the_root_in_this_interpreter_and_keeps_no_trace_of_the_machine(
    miniature,
):
    miniature.notebook("01_place", PLACE)

    path = runner.execute("01_place", profile="smoke")

    assert path == miniature.root / "build" / "executed" / "smoke" / "01_place.ipynb"
    assert miniature.outputs(path) == [f"{miniature.root} {sys.executable} smoke\n"]
    assert path.with_suffix(".stderr.txt").read_text() == "noise\n"
    text = path.read_text().replace(str(miniature.root), "", 1)
    assert str(miniature.root) not in text
    assert "papermill" not in text and "shell.execute_reply" not in text


def test_what_the_kernel_reads_is_in_the_stamp(miniature):
    miniature.write("runs/b0/seed-0/run.json", "{}")
    miniature.write("runs/b0/seed-0/weights/w.bin", "0")
    cells = """\
# %%
import os, pathlib

for run in sorted(pathlib.Path("runs").glob("*/seed-*/*")):
    if run.is_file():
        print(run.read_text(), open("runs/b0/seed-0/weights/w.bin").read())
open("build-log.txt", "w").close()
os.path.exists("data/facts/colours.csv") or print("no facts")
"""
    miniature.notebook("01_reads", cells)

    path = runner.execute("01_reads")

    files = nbformat.read(path, as_version=4).metadata[stamps.KEY]["files"]
    assert set(files) == {"runs/", "runs/b0/", "runs/b0/seed-0/", "runs/b0/seed-0/run.json"}


def test_an_unknown_parameter_is_refused_with_the_known_ones_and_nothing_runs(counted):
    with pytest.raises(NotebookError, match=r"among profile, seed, found sead"):
        runner.execute("01_count", parameters={"sead": 3})

    assert executions(counted) == 1


def test_a_notebook_that_does_not_exist_is_refused_with_the_known_ones(counted):
    with pytest.raises(NotebookError, match="none named '02_cuont'; take one of: 01_count"):
        runner.execute("02_cuont")


def test_a_parameter_is_injected_and_belongs_to_the_stamp(counted):
    path = runner.execute("01_count", parameters={"seed": 7})

    assert counted.outputs(path) == ["2 7\n"]
    assert runner.execute("01_count", parameters={"seed": 7}) == path
    assert executions(counted) == 2
    source = sources.find("01_count")
    assert stamps.state(source, path).reason == "parameters changed: seed"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("seed = 0", "seed: int | None = None", "plain literals"),
        ("seed = 0", "seed = max(1, 2)", "plain literals"),
        ('tags=["parameters"]', "", "one cell tagged 'parameters'"),
        ("name: python3", "name: julia", "kernelspec 'python3'"),
        ("seed = 0", "%matplotlib inline", "plain Python in cell 2"),
        ("# %%\nfrom", "from", r"01_count.py:22: expected text after # .* found 'from pathlib"),
    ],
)
def test_a_source_that_papermill_would_misread_is_refused(miniature, old, new, found):
    source = miniature.notebook("01_count", COUNT)
    source.write_text(source.read_text().replace(old, new))

    with pytest.raises(NotebookError, match=found):
        runner.execute("01_count")


def test_what_a_cell_prints_is_one_output_whatever_the_pace_of_the_kernel(miniature):
    slowly = "import time\n\nfor k in range(3):\n    print(k, flush=True)\n    time.sleep(0.5)\n"
    miniature.notebook("01_slow", f"# %%\n{slowly}")

    assert miniature.outputs(runner.execute("01_slow")) == ["0\n1\n2\n"]


def test_blank_lines_that_jupytext_notes_leave_a_notebook_fresh(miniature):
    miniature.notebook("01_lines", "# %%\ndef one():\n    return 1\n\n# %%\nprint(one())\n")

    path = runner.execute("01_lines")

    verdict = stamps.state(sources.find("01_lines"), path)
    assert verdict.state is stamps.State.FRESH, verdict


def test_a_fresh_notebook_is_not_executed_again_unless_forced(counted):
    executed = runner.executed_path("01_count")
    assert stamps.state(sources.find("01_count"), executed).state is stamps.State.FRESH

    runner.execute("01_count")
    assert executions(counted) == 1

    runner.execute("01_count", force=True)
    assert executions(counted) == 2


def test_an_edit_of_the_prose_is_taken_over_without_an_execution(counted):
    source = sources.find("01_count")
    text = source.read_text().replace("s'affiche", "se lit")
    source.write_text(text.replace("# %%\nfrom", '# %% tags=["a"]\nfrom'))

    path = runner.execute("01_count")

    assert executions(counted) == 1
    assert "se lit" in path.read_text() and '"a"' in path.read_text()
    assert counted.outputs(path) == ["1 0\n"]
    assert stamps.state(source, path).state is stamps.State.FRESH


def test_a_notebook_that_raises_leaves_the_former_output_and_names_cell_and_exception(counted):
    good = runner.executed_path("01_count").read_bytes()
    source = sources.find("01_count")
    source.write_text(source.read_text() + "\n# %%\nraise ValueError('no such run')\n")

    with pytest.raises(NotebookError, match=r"ValueError: no such run in cell 5; .*untouched"):
        runner.execute("01_count")

    assert runner.executed_path("01_count").read_bytes() == good
    assert sorted(p.name for p in runner.executed_path("01_count").parent.iterdir()) == [
        "01_count.failed.ipynb",
        "01_count.ipynb",
        "01_count.stderr.txt",
    ]


@pytest.mark.parametrize(
    ("fatal", "found"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Dead"),
        ("import time; time.sleep(60)", "Timeout"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_a_kernel_that_stops_is_a_failure_even_where_papermill_says_completed(
    miniature, fatal, found
):
    miniature.notebook("01_fatal", f"# %%\n{fatal}\n\n# %%\nprint('after')\n")

    with pytest.raises(NotebookError, match=rf"found .*{found}.* in cell 3;"):
        runner.execute("01_fatal", timeout=1)

    assert not runner.executed_path("01_fatal").exists()


def test_the_last_words_of_a_kernel_are_kept_off_the_terminal(miniature, capfd):
    miniature.notebook("01_crash", "# %%\nimport ctypes\n\nctypes.string_at(0)\n")

    with pytest.raises(NotebookError, match=r"01_crash\.stderr\.txt what the kernel said"):
        runner.execute("01_crash")

    assert "Fatal Python error" not in capfd.readouterr().err
    said = runner.executed_path("01_crash").with_suffix(".stderr.txt").read_text()
    assert "Fatal Python error: Segmentation fault" in said


def test_cell_ids_come_from_the_published_pair_and_two_conversions_agree(counted):
    source = sources.find("01_count")
    assert [c.id for c in sources.read(source).cells] == [c.id for c in sources.read(source).cells]

    pair = nbformat.read(runner.executed_path("01_count"), as_version=4)
    for cell, name in zip(pair.cells, "abcd", strict=True):
        cell.id = name
    runner.write(pair, source.with_suffix(".ipynb"))
    source.write_text(source.read_text() + "\n# %%\n1\n")

    ids = [cell.id for cell in sources.read(source).cells]

    assert ids[:4] == list("abcd")
    assert len(set(ids)) == 5


def test_what_a_failure_left_is_cleared_away_by_the_next_run_that_ends(counted):
    source, failed = sources.find("01_count"), "01_count.failed.ipynb"
    good = source.read_text()
    source.write_text(good + "\n# %%\nraise ValueError('no such run')\n")
    with pytest.raises(NotebookError):
        runner.execute("01_count")
    folder = runner.executed_path("01_count").parent
    assert (folder / failed).exists()

    source.write_text(good + "\n# %%\nprint('mended')\n")
    runner.execute("01_count")

    assert not (folder / failed).exists()


def test_the_connection_to_a_kernel_is_encrypted_where_the_platform_can():
    import zmq

    from vitrine.book import engine

    wanted = "auto" if zmq.has("curve") else "disabled"
    assert engine._KernelManager().transport_encryption == wanted


def test_an_executed_notebook_can_be_read_by_others(tmp_path):
    runner.write(nbformat.v4.new_notebook(), tmp_path / "01_page.ipynb")

    assert (tmp_path / "01_page.ipynb").stat().st_mode & 0o777 == 0o644


@pytest.fixture(scope="module")
def picture(new_miniature):
    """A notebook that shows a picture, executed."""
    made = new_miniature()
    shutil.copytree(OURS / "data" / "splits", made.root / "data" / "splits")
    made.notebook("01_picture", PICTURE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_ROOT", str(made.root))
        return runner.execute("01_picture")


def test_a_picture_is_shown_with_a_digest_of_its_pixels_as_text(picture):
    (output,) = nbformat.read(picture, as_version=4).cells[-1].outputs

    digest = hashlib.sha256(bytes([127, 127, 127, 255]) * 24).hexdigest()
    assert output.data["text/plain"] == f"6 × 4 pixels, sha256 {digest[:16]}"
    assert "image/png" in output.data


@pytest.mark.parametrize(
    ("new", "failed"), [("pixels[0, 0, 0] = 127", 0), ("pixels[0, 0, 0] = 128", 1)]
)
def test_strict_nbval_fails_on_a_picture_of_which_one_pixel_changed(
    picture, tmp_path, monkeypatch, new, failed
):
    monkeypatch.setenv("VITRINE_ROOT", str(picture.parents[3]))
    notebook = nbformat.read(picture, as_version=4)
    cell = notebook.cells[-1]
    cell.source = cell.source.replace("Image.from", f"{new}\nImage.from")
    nbformat.write(notebook, tmp_path / "01_picture.ipynb")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbval",
         "--nbval-current-env", "--nbval-sanitize-with", OURS / "tests" / "nbval_sanitise.cfg"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == failed, done.stdout
    assert ("mismatch 'text/plain'" in done.stdout) == bool(failed)

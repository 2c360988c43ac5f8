"""What no number of the prose rests on is bound to its bytes all the same."""

import json
import shutil
import subprocess

import pytest

from vitrine import paths
from vitrine.report.ledger import digests
from vitrine.training.runs import RunError

RUN = "runs/mambavision-nano-taught/seed-0"
MODEL = "src/vitrine/serving/models/mambavision"
CARD = f"{MODEL}/model.json"


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Return a copy of one run, the sheets and the served model, whose digests were written."""
    for name in (RUN, "runs/bench", MODEL, "data/splits", "data/facts", "ressources"):
        ignored = shutil.ignore_patterns("weights")
        shutil.copytree(paths.root() / name, tmp_path / name, ignore=ignored)
    monkeypatch.setattr("vitrine.paths.root", lambda: tmp_path)
    digests.write()
    return tmp_path


def test_the_published_files_are_those_that_were_bound():
    digests.check()


def test_every_tracked_file_that_is_shown_or_served_is_bound():
    listed = subprocess.run(
        ["git", "ls-files", "data", "ressources", "runs", digests.SHIPPED], cwd=paths.root(),
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    bound = (paths.root() / digests.SUMS).read_text().split()[1::2]

    # The ledger is computed again by every check; these three are read as they are.
    apart = {digests.SUMS, "runs/ledger.json"}
    prose = {"data/README.md", "ressources/README.md", "ressources/RESEARCH.md"}
    assert set(listed) - set(bound) == apart | prose
    assert set(bound) <= set(listed)


@pytest.mark.parametrize(
    "name",
    [
        f"{RUN}/history.csv", f"{RUN}/events.out.tfevents.0.vitrine", f"{RUN}/run.json",
        "runs/bench/serving.json", CARD, f"{MODEL}/model.onnx", f"{MODEL}/README.md",
        "data/splits/folds.csv", "data/facts/mean_images.png", "ressources/prior_poc.csv",
        "ressources/drawings/watch.png", "ressources/pictures/chat.jpg",
    ],
)  # fmt: skip
def test_a_changed_byte_of_a_published_file_is_named(name, copied):
    content = (copied / name).read_bytes()
    digests.check()

    (copied / name).write_bytes(content + b" ")
    with pytest.raises(RunError, match=f"^{name}: expected the bytes of SHA-256"):
        digests.check()
    if name.endswith(".csv"):
        (copied / name).unlink()
        with pytest.raises(RunError, match=f"^{name}: expected the bytes .* found no such file"):
            digests.check()


def test_a_file_that_nobody_bound_is_named(copied):
    (copied / RUN / "derived").mkdir()
    (copied / RUN / "derived" / "late.csv").touch()
    (copied / RUN / "weights").mkdir()
    (copied / RUN / "weights" / "model.pt").touch()

    assert [fault.split(":")[0] for fault in digests.faults()] == [f"{RUN}/derived/late.csv"]


def test_the_accuracy_of_the_served_model_is_that_of_its_run(copied):
    card = json.loads((copied / CARD).read_text())
    card["metrics"]["accuracy"]["value"] = 0.958
    (copied / CARD).write_text(json.dumps(card))
    digests.write()

    (fault,) = digests.faults()

    assert fault.startswith(f"{CARD}: expected the accuracy of its run")
    assert "0.6772, found 0.9580" in fault


def test_files_bound_anew_are_still_compared_with_what_their_run_says(copied):
    meta = json.loads((copied / RUN / "run.json").read_text())
    meta["files"] = {"history.csv": "0" * 64}
    (copied / RUN / "run.json").write_text(json.dumps(meta))
    digests.write()

    (fault,) = digests.faults()

    assert fault.startswith(f"{RUN}/history.csv: expected the bytes of SHA-256 000000000000, as")

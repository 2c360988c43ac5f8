"""The six lines of README, executed as a reader would: a folder, weights, a photo."""

import re
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch

import vitrine.models  # noqa: F401  (registers the models)
from vitrine import paths
from vitrine.data import demo
from vitrine.models.rebuilt import fill

SECTION = "## MambaVision en six lignes"


@pytest.fixture
def code():
    """The Python block of the section."""
    section = (paths.root() / "README.md").read_text(encoding="utf-8").split(SECTION)[1]
    return re.search(r"```python\n(.*?)```", section, re.S)[1]


def test_there_are_six_lines_after_the_imports(code):
    _, _, lines = code.partition("load_checkpoint\n\n")

    assert len(lines.splitlines()) == 6


def test_the_six_lines_predict_a_photo_the_same_in_both_runtimes(code, tmp_path):
    model = fill(timm.create_model("mambavision_tiny"))
    torch.save({"state_dict": model.state_dict()}, tmp_path / "mambavision_tiny_1k.pth.tar")
    demo.draw("Watches", np.random.default_rng(0)).save(tmp_path / "photo.png")

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    eager, runtime = re.fullmatch(r"PyTorch : (\d+)\nONNX : (\d+)\n", done.stdout).groups()
    assert eager == runtime
    assert [path.name for path in tmp_path.glob("*.onnx*")] == ["mambavision.onnx"]  # whole

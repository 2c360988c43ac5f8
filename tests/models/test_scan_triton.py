"""The Triton form, interpreted where there is no CUDA device, and compiled for one all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from scan_cases import (
    TOLERANCE,
    arguments,
    assert_same,
    detached,
    directions,
    every_argument,
    expected_outcome,
    expected_with_options,
    outcome,
)
from scan_interpreted import CASES, DTYPES

from vitrine.models.scan import reference, selective_scan

pytest.importorskip("triton", reason="PyTorch brings Triton on Linux only")

VARIANTS = [
    "no skip, bias nor softplus",
    "no contiguous tensor",
    *(f"any step, {dtype}" for dtype in DTYPES),
]
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory):
    """Return what the interpreter answers to every case, computed in one program of its own."""
    here = Path(__file__).parent
    answers = tmp_path_factory.mktemp("triton") / "answers.pt"
    paths = os.pathsep.join([str(here.parent.parent / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", here / "scan_interpreted.py", answers],
        env={**os.environ, "TRITON_INTERPRET": "1", "VITRINE_SCAN": "triton", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return torch.load(answers)


@pytest.mark.parametrize("name", [f"{c}, {d}" for c in CASES for d in DTYPES] + VARIANTS)
def test_kernels_have_the_values_and_gradients_of_the_reference(name, interpreted):
    tensors, softplus, found = interpreted[name]

    expected = expected_outcome(tensors, softplus)

    assert_same(found, expected, TOLERANCE[found["y"].dtype])


@pytest.mark.parametrize(("name", "digits"), [("float16", 2**-10), ("bfloat16", 2**-7)])
def test_kernels_widen_half_precision_and_answer_in_it(name, digits, interpreted):
    tensors, softplus, found = interpreted[name]

    expected = expected_outcome(tensors, softplus)

    assert all(found[key].dtype == t.dtype for key, t in tensors.items())
    assert_same(found, expected, digits)


def test_gradients_of_the_kernels_are_the_same_bits_each_time(interpreted):
    assert interpreted["the same bits"]


def test_operator_of_the_kernels_passes_the_checks_of_the_library(interpreted):
    assert set(interpreted["opcheck"].values()) == {"SUCCESS"}


def test_second_derivatives_of_the_kernels_are_those_of_finite_differences(interpreted):
    assert interpreted["gradgradcheck"]


@pytest.mark.parametrize("layout", ["channel_last", "channel_first"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_options_go_through_the_kernels(dtype, layout, interpreted):
    found = interpreted[f"options, {dtype}, {layout}"]

    expected = expected_with_options(every_argument("grouped", "shared", dtype))

    for value, exact in zip(found, expected, strict=True):
        assert (value - exact).norm() <= max(TOLERANCE[dtype], 1e-12) * exact.norm()


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
def test_forward_mode_beside_the_kernels_is_that_of_the_reference(interpreted):
    tensors = detached()

    def scan(*tensors):
        return reference.selective_scan(*tensors, delta_softplus=True)

    expected = torch.func.jvp(scan, tensors, directions(tensors))
    for found in interpreted["forward mode"]:
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_a_forced_kernel_on_a_cpu_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setenv("VITRINE_SCAN", "triton")

    with pytest.raises(
        RuntimeError, match="tensors on cuda for the triton form, found them on cpu"
    ):
        selective_scan(**arguments())


@pytest.mark.parametrize("kernel", ["forward_kernel", "backward_kernel"])
def test_kernels_compile_for_a_device_that_is_not_here(kernel, tmp_path, monkeypatch):
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from vitrine.models.scan import triton as form
    from vitrine.models.scan import triton_kernels

    function = getattr(triton_kernels, kernel)
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    fixed = {"HAS_D": True, "HAS_BIAS": True, "SOFTPLUS": True, "KEEP": True}
    fixed |= {"WIDE": triton.language.float32, "STATE": 8, "STATES": 8}
    fixed |= {"STEPS": form.STEPS, "CHANNELS": form.CHANNELS}
    fixed = {name: value for name, value in fixed.items() if name in function.arg_names}
    sizes = dict.fromkeys(("batch", "length", "channel"), "i32")
    types = {name: sizes.get(name, "*fp32") for name in function.arg_names}

    binary = triton.compile(
        ASTSource(
            function,
            types | dict.fromkeys(fixed, "constexpr"),
            {(function.arg_names.index(name),): value for name, value in fixed.items()},
        ),
        target=GPUTarget("cuda", 90, 32),
        options={"num_warps": form.WARPS, "enable_fp_fusion": True},
    )

    assert "ex2.approx" in binary.asm["ptx"]
    assert "atom.global" not in binary.asm["ptx"]
    assert "red.global" not in binary.asm["ptx"]
    assert binary.asm["cubin"]


@gpu
@pytest.mark.gpu
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("length", [1, 7, 49, 196, 197, 1024])
def test_compiled_kernels_have_the_values_and_gradients_of_the_reference(length, dtype):
    tensors = arguments(batch=3, length=length, channel=40, state=8, dtype=dtype)
    tensors = {name: t.detach().cuda().requires_grad_() for name, t in tensors.items()}

    found, again = (outcome(selective_scan, tensors) for _ in range(2))

    assert_same(found, expected_outcome(tensors), TOLERANCE[dtype])
    assert all(torch.equal(found[name], again[name]) for name in found)

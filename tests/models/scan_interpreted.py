"""Run the Triton form of the scan in Triton's interpreter and save what it answers.

A program of its own: Triton decides whether to compile or to interpret when it is first imported.
The interpreter takes about a millisecond for each position, channel and state: cases are tiny.

Usage: TRITON_INTERPRET=1 VITRINE_SCAN=triton python scan_interpreted.py FILE
"""

import sys

import torch
from scan_cases import (
    arguments,
    detached,
    directions,
    every_argument,
    graded,
    length_last,
    outcome,
)
from torch.autograd import forward_ad

CASES = {
    **{f"length {length}": {"length": length, "channel": 1, "state": 1} for length in (1, 7, 49)},
    "length 196": {"batch": 1, "length": 196, "channel": 1, "state": 1},
    "length 197": {"batch": 1, "length": 197, "channel": 1, "state": 1},
    "length 1024": {"batch": 1, "length": 1024, "channel": 1, "state": 1},
    "channels and states that fill no block": {"length": 9, "channel": 5, "state": 3},
    "an empty batch": {"batch": 0},
}
DTYPES = (torch.float32, torch.float64)


def variants():
    """Return argument sets that differ from the plain cases by more than their sizes."""
    few = {"length": 9, "channel": 2, "state": 2}
    plain = arguments(**few)
    scattered = {
        name: torch.stack([t.detach(), t.detach()], -1)[..., 0].requires_grad_()
        for name, t in plain.items()
    }
    bare = {name: t for name, t in plain.items() if name not in ("D", "delta_bias")}
    steps = torch.logspace(-6, 3, 36, dtype=torch.float64)[torch.randperm(36)].reshape(2, 9, 2)
    return {
        "no skip, bias nor softplus": (bare | {"delta": steps.requires_grad_()}, False),
        "no contiguous tensor": (scattered, True),
        "float16": (arguments(**few, dtype=torch.float16), True),
        "bfloat16": (arguments(**few, dtype=torch.bfloat16), True),
    }


def softened(dtype):
    """Return arguments whose steps go from a millionth to a thousand after the softplus."""
    tensors = arguments(batch=1, length=18, channel=2, state=1, dtype=dtype)
    steps = torch.logspace(-6, 3, 36, dtype=torch.float64)
    raw = torch.where(steps > 20, steps, steps.expm1().log()).reshape(1, 18, 2).to(dtype)
    return tensors | {"delta": (raw - tensors["delta_bias"].detach()).requires_grad_()}


def with_options(dtype, layout):
    """Return the output and the last state with every option, and their gradients."""
    from vitrine.models.scan import selective_scan

    tensors = every_argument("grouped", "shared", dtype)
    first = layout == "channel_first"
    y, last_state = selective_scan(
        **(length_last(tensors) if first else tensors),
        delta_softplus=True, return_last_state=True, layout=layout,
    )  # fmt: skip
    return graded((y.mT if first else y, last_state), tensors)


def forward_mode(scan, tensors):
    """Return what ``torch.func.jvp`` and dual tensors answer along the same directions."""
    tangents = directions(tensors)
    with forward_ad.dual_level():
        dual = forward_ad.unpack_dual(scan(*map(forward_ad.make_dual, tensors, tangents)))
    return torch.func.jvp(scan, tensors, tangents), tuple(dual)


def main(path):
    """Save ``{case: (arguments, softplus, outcome)}``, and whether other promises hold."""
    from vitrine.models.scan import triton

    triton.STEPS, triton.CHANNELS = 4, 2
    cases = {f"{n}, {d}": (arguments(**c, dtype=d), True) for n, c in CASES.items() for d in DTYPES}
    cases |= variants() | {f"any step, {d}": (softened(d), True) for d in DTYPES}
    answers = {}
    for name, (tensors, softplus) in cases.items():
        if name.startswith("length 1,") or "block" in name:
            triton.STEPS, triton.CHANNELS = 8, 4
        else:
            triton.STEPS, triton.CHANNELS = 4, 1
        given = {key: t.detach() for key, t in tensors.items()}
        answers[name] = (given, softplus, outcome(triton.selective_scan, tensors, softplus))

    tensors = arguments(length=5, channel=2, state=2)
    once, again = (outcome(triton.selective_scan, tensors) for _ in range(2))
    answers["the same bits"] = all(torch.equal(once[name], again[name]) for name in once)
    small = tuple(arguments(batch=1, length=3, channel=1, state=1).values())
    answers["opcheck"] = torch.library.opcheck(triton._scan, (*small, True, True))
    answers["gradgradcheck"] = torch.autograd.gradgradcheck(
        lambda *tensors: triton.selective_scan(*tensors, delta_softplus=True), small
    )
    answers |= {
        f"options, {dtype}, {layout}": with_options(dtype, layout)
        for dtype in DTYPES
        for layout in ("channel_last", "channel_first")
    }
    answers["forward mode"] = forward_mode(
        lambda *tensors: triton.selective_scan(*tensors, delta_softplus=True), detached()
    )
    torch.save(answers, path)


if __name__ == "__main__":
    main(sys.argv[1])

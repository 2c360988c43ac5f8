"""Run the Triton form of the scan in Triton's interpreter and save what it answers.

A program of its own: Triton decides whether to compile or to interpret when it is first imported.
The interpreter takes about a millisecond for each position, channel and state: cases are tiny.

Usage: TRITON_INTERPRET=1 python scan_interpreted.py FILE
"""

import os
import sys
from functools import partial

import torch
from scan_cases import arguments, outcome

from vitrine.models.scan import selective_scan

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


def main(path):
    """Save ``{case: (arguments, softplus, outcome)}``, and whether other promises hold."""
    from vitrine.models.scan import reference, triton

    triton.STEPS, triton.CHANNELS = 4, 2
    cases = {f"{n}, {d}": (arguments(**c, dtype=d), True) for n, c in CASES.items() for d in DTYPES}
    cases |= variants() | {f"any step, {d}": (softened(d), True) for d in DTYPES}
    answers = {}
    for name, (tensors, softplus) in cases.items():
        if name.startswith("length 1,") or "block" in name:
            triton.STEPS, triton.CHANNELS = 8, 4
        else:
            triton.STEPS, triton.CHANNELS = 4, 1
        detached = {key: t.detach() for key, t in tensors.items()}
        answers[name] = (detached, softplus, outcome(triton.selective_scan, tensors, softplus))

    tensors = arguments(length=5, channel=2, state=2)
    once, again = (outcome(triton.selective_scan, tensors) for _ in range(2))
    answers["the same bits"] = all(torch.equal(once[name], again[name]) for name in once)
    small = tuple(arguments(batch=1, length=3, channel=1, state=1).values())
    answers["opcheck"] = torch.library.opcheck(triton._scan, (*small, True, True))
    answers["gradgradcheck"] = torch.autograd.gradgradcheck(
        lambda *tensors: triton.selective_scan(*tensors, delta_softplus=True), small
    )
    tangents = tuple(torch.randn_like(t) for t in small)
    answers["forward mode"] = [
        torch.func.jvp(partial(scan, delta_softplus=True), small, tangents)[1]
        for scan in (triton.selective_scan, reference.selective_scan)
    ]
    answers["options"] = {form: optioned(form, tensors) for form in ("triton", "reference")}
    torch.save(answers, path)


def optioned(form, tensors):
    """Return what a form answers with a gate and states, in both layouts."""
    given = {name: t.detach() for name, t in tensors.items()}
    asked = {
        "delta_softplus": True, "z": given["u"], "return_last_state": True,
        "initial_state": torch.ones(2, 2, 2, dtype=torch.float64),
    }  # fmt: skip
    moved = {n: t.movedim(-1, 1) if t.dim() == 3 else t for n, t in given.items()}  # noqa: PLR2004
    os.environ["VITRINE_SCAN"] = form
    last = selective_scan(**given, **asked)
    first = selective_scan(
        **moved, **asked | {"z": moved["u"]}, layout="channel_first",
    )  # fmt: skip
    return [*last, first[0].movedim(1, -1), first[1]]


if __name__ == "__main__":
    main(sys.argv[1])

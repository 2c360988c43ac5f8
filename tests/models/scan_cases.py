"""Arguments for the selective scan, and the comparison of one form of it with another."""

import torch

from vitrine.models.scan import chunked, reference, short, two_level

FORMS = {
    "reference": reference.selective_scan,
    "chunked": chunked.selective_scan,
    "short": short.selective_scan,
    "two_level": two_level.selective_scan,
}
NAMES = ("u", "delta", "A", "B", "C", "D", "delta_bias")
# Relative L2 error allowed. In float32 it is that of the gradient of the bias, a sum of a thousand
# terms of both signs; the others keep to a tenth of it.
TOLERANCE = {torch.float64: 1e-13, torch.float32: 5e-6}

LENGTH_LAST = ("u", "delta", "z", "B", "C")
OPTION_SIZES = {"batch": 2, "length": 7, "channel": 6, "state": 4}
PROJECTIONS = {
    "shared": (2, 7, 4),
    "grouped": (2, 7, 3, 4),
    "grouped otherwise": (2, 7, 2, 4),
    "one group": (2, 7, 1, 4),
    "constant": (6, 4),
}


def arguments(batch=2, length=7, channel=3, state=4, dtype=torch.float64, seed=0):
    """Return the seven tensors by name, such as a trained network would give: delta near 0.1."""
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float64)

    tensors = {
        "u": normal(batch, length, channel),
        "delta": normal(batch, length, channel),
        "A": -torch.arange(1.0, state + 1).double() * (0.2 * normal(channel, state)).exp(),
        "B": normal(batch, length, state),
        "C": normal(batch, length, state),
        "D": normal(channel),
        "delta_bias": normal(channel) - 2,
    }
    return {name: tensor.to(dtype).requires_grad_() for name, tensor in tensors.items()}


def outcome(scan, tensors, softplus=True):
    """Return the output of a form and the gradients of a fixed weighted sum of it, by name."""
    y = scan(**tensors, delta_softplus=softplus)
    rng = torch.Generator().manual_seed(1)
    weight = torch.randn(y.shape, generator=rng, dtype=torch.float64).to(y.dtype)
    grads = torch.autograd.grad(y, list(tensors.values()), weight)
    return {"y": y.detach()} | dict(zip(tensors, grads, strict=True))


def expected_outcome(tensors, softplus=True):
    """Return the outcome of the reference in float64, whatever the type of the tensors."""
    exact = {name: t.detach().double().requires_grad_() for name, t in tensors.items()}
    return outcome(reference.selective_scan, exact, softplus)


def assert_same(found, expected, tolerance):
    """Compare two outcomes, each tensor by the relative L2 norm of its error."""
    assert found.keys() == expected.keys()
    errors = {
        name: ((found[name].double() - exact).norm() / exact.norm().clamp(min=1e-30)).item()
        for name, exact in expected.items()
        if exact.numel()
    }
    assert all(found[name].shape == exact.shape for name, exact in expected.items())
    assert all(error <= tolerance for error in errors.values()), errors


def every_argument(B="shared", C="shared", dtype=torch.float64, **sizes):
    """Return every tensor that the scan takes, options too, channels last."""
    rng = torch.Generator().manual_seed(1)
    sizes = OPTION_SIZES | sizes
    tensors = arguments(**sizes, dtype=dtype)
    drawn = {
        "B": PROJECTIONS[B],
        "C": PROJECTIONS[C],
        "z": (sizes["batch"], sizes["length"], sizes["channel"]),
        "initial_state": (sizes["batch"], sizes["channel"], sizes["state"]),
    }
    for name, shape in drawn.items():
        drawn[name] = torch.randn(shape, generator=rng, dtype=torch.float64).to(dtype)
    return tensors | {name: t.requires_grad_() for name, t in drawn.items()}


def recurrence(
    u, delta, A, B, C, D=None, delta_bias=None, z=None, initial_state=None, delta_softplus=False
):
    """Return the output and the last state in the plainest way: channels last, every option."""
    batch, length, channel = u.shape

    def per_channel(projection):
        if projection.dim() == 2:
            return projection.expand(batch, length, -1, -1)
        groups = projection if projection.dim() == 4 else projection[:, :, None]
        return groups.repeat_interleave(channel // groups.shape[2], dim=2)

    B, C = per_channel(B), per_channel(C)
    delta = delta if delta_bias is None else delta + delta_bias
    delta = delta.exp().log1p() if delta_softplus else delta
    h = torch.zeros(batch, *A.shape).to(u) if initial_state is None else initial_state
    ys = []
    for t in range(length):
        step = delta[:, t, :, None]
        h = (step * A).exp() * h + step * B[:, t] * u[:, t, :, None]
        ys.append((C[:, t] * h).sum(-1))
    y = torch.stack(ys, 1)
    y = y if D is None else y + D * u
    return (y if z is None else y * z * z.sigmoid()), h


def graded(outputs, tensors):
    """Return outputs and the gradients of a fixed weighted sum of them, in float64."""
    rng = torch.Generator().manual_seed(3)
    weights = [torch.randn(y.shape, generator=rng, dtype=torch.float64) for y in outputs]
    loss = sum((y.double() * weight).sum() for y, weight in zip(outputs, weights, strict=True))
    grads = torch.autograd.grad(loss, list(tensors.values()))
    return [t.detach().double() for t in (*outputs, *grads)]


def expected_with_options(tensors):
    """Return what ``graded`` makes of the recurrence in float64, whatever the type."""
    exact = {name: t.detach().double().requires_grad_() for name, t in tensors.items()}
    return graded(recurrence(**exact, delta_softplus=True), exact)


def length_last(tensors):
    """Return the arguments as ``channel_first`` has them."""
    return {k: t.movedim(1, -1) if k in LENGTH_LAST and t.dim() > 2 else t
            for k, t in tensors.items()}  # fmt: skip


def detached(**sizes):
    """Return the seven tensors, in order, that nothing differentiates."""
    return tuple(t.detach() for t in arguments(**sizes).values())


def directions(tensors):
    """Return a direction for each tensor."""
    rng = torch.Generator().manual_seed(2)
    return tuple(torch.randn(t.shape, generator=rng, dtype=t.dtype) for t in tensors)

"""The scan in forward mode, under ``torch.func`` and differentiated again, in every form."""

import pytest
import timm
import torch
from mambavision_oracle import fill, image
from scan_cases import FORMS, arguments, detached, directions
from timm.layers import set_fused_attn
from torch.autograd import forward_ad
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.models.mixers import AttentionMixer, ScanMixer
from vitrine.models.scan import chunked, reference, selective_scan

# Of torch itself, as it loads its own derivatives in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")

EXACT = {"rtol": 1e-12, "atol": 1e-12}


def finite_difference(f, x, direction, step=1e-6):
    """Return the derivative of ``f`` along a direction, by central differences."""
    return (f(x + step * direction) - f(x - step * direction)) / (2 * step)


@pytest.fixture(params=[*FORMS, "dispatched"])
def scan(request):
    form = FORMS.get(request.param, selective_scan)
    return lambda *tensors: form(*tensors, delta_softplus=True)


@pytest.fixture
def unfused():
    """Networks made meanwhile have attention in plain operations, as timm's have."""
    set_fused_attn(False)
    yield
    set_fused_attn(True)


# The scan


def test_forward_mode_gives_the_derivative_along_a_direction(scan):
    tensors = detached()
    tangents = directions(tensors)

    _, found = jvp(scan, tensors, tangents)

    def along(step):
        moved = (t + step * d for t, d in zip(tensors, tangents, strict=True))
        return reference.selective_scan(*moved, delta_softplus=True)

    expected = finite_difference(along, 0.0, 1.0)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


def test_dual_tensors_carry_the_tangent_of_torch_func(scan):
    tensors = detached()
    tangents = directions(tensors)
    expected = jvp(scan, tensors, tangents)[1]

    with forward_ad.dual_level():
        y = scan(*map(forward_ad.make_dual, tensors, tangents))
        found = forward_ad.unpack_dual(y).tangent

    torch.testing.assert_close(found, expected, **EXACT)


@pytest.mark.parametrize("index", range(7))
def test_jacobians_by_row_and_by_column_are_one(scan, index):
    tensors = detached(length=4, channel=2, state=2)

    by_column, by_row = (jacobian(scan, argnums=index)(*tensors) for jacobian in (jacfwd, jacrev))

    assert by_row.any()
    torch.testing.assert_close(by_column, by_row, **EXACT)


def test_functional_gradients_are_those_of_autograd(scan):
    tensors = arguments()
    expected = torch.autograd.grad(scan(*tensors.values()).sin().sum(), list(tensors.values()))

    found = grad(lambda *tensors: scan(*tensors).sin().sum(), argnums=tuple(range(7)))(*detached())

    torch.testing.assert_close(found, expected, **EXACT)


def test_gradients_of_each_sequence_are_found_at_once(scan):
    u, delta, A, B, C, D, bias = detached()

    def loss(A, u, delta, B, C):
        return scan(u[None], delta[None], A, B[None], C[None], D, bias).sin().sum()

    found = vmap(grad(loss), in_dims=(None, 0, 0, 0, 0))(A, u, delta, B, C)

    expected = [grad(loss)(A, *one) for one in zip(u, delta, B, C, strict=True)]
    torch.testing.assert_close(found, torch.stack(expected), **EXACT)


def test_the_product_of_a_hessian_and_a_vector_is_found_both_ways(scan):
    u, *others = detached(length=4, channel=2)
    (direction,) = directions([u])

    def loss(u):
        return scan(u, u.square(), *others[1:]).sin().sum()

    product = jvp(grad(loss), (u,), (direction,))[1]

    whole = hessian(loss)(u).flatten(3).flatten(0, 2)
    torch.testing.assert_close(product.flatten(), whole @ direction.flatten(), **EXACT)
    leaf = u.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
    (twice,) = torch.autograd.grad(slope, leaf, direction)
    torch.testing.assert_close(product, twice, **EXACT)


def test_a_backward_takes_many_gradients_and_dual_ones(scan):
    tensors = arguments()
    inputs = list(tensors.values())
    y = scan(*inputs)
    first, second = directions([y, y])
    expected = [torch.autograd.grad(y, inputs, g, retain_graph=True) for g in (first, second)]

    many = torch.autograd.grad(
        y, inputs, torch.stack([first, second]), retain_graph=True, is_grads_batched=True
    )
    with forward_ad.dual_level():
        dual = torch.autograd.grad(y, inputs, forward_ad.make_dual(first, second))
        tangents = [forward_ad.unpack_dual(t).tangent for t in dual]

    both = [torch.stack(pair) for pair in zip(*expected, strict=True)]
    torch.testing.assert_close(list(many), both, **EXACT)
    torch.testing.assert_close(tangents, list(expected[1]), **EXACT)
    assert not any(t.requires_grad for t in (*many, *tangents))


def test_plain_gradients_stay_with_the_fast_form(monkeypatch):
    tensors = arguments()
    monkeypatch.setattr(chunked, "two_level", None)
    slow = []
    monkeypatch.setattr("vitrine.models.scan.derivatives.differentiate", lambda *a: slow.append(a))

    selective_scan(**tensors).sum().backward()

    assert slow == []
    assert all(t.grad is not None for t in tensors.values())


# The mixer and the network


def test_forward_mode_goes_through_the_mixer():
    mixer = ScanMixer(16).double()
    x = torch.randn(2, 9, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (direction,) = directions([x])

    _, found = jvp(mixer, (x,), (direction,))

    torch.testing.assert_close(found, finite_difference(mixer, x, direction), rtol=1e-6, atol=1e-9)


def nano():
    return fill(timm.create_model("mambavision_nano", num_classes=3)).double().eval()


@torch.no_grad()
def test_forward_mode_goes_through_the_whole_network(unfused):
    network, x = nano(), image(1, 64, 64).double()
    (direction,) = directions([x])

    _, found = jvp(network, (x,), (direction,))

    expected = finite_difference(network, x, direction)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)


def test_each_image_has_its_gradients_at_once(unfused):
    network, x = nano(), image(2, 32, 32).double()
    weights = {name: p.detach() for name, p in network.named_parameters()}

    def loss(weights, x):
        return functional_call(network, weights, (x[None],)).square().sum()

    found = vmap(grad(loss), in_dims=(None, 0))(weights, x)

    for i in range(2):
        network.zero_grad()
        network(x[i : i + 1]).square().sum().backward()
        for name, parameter in network.named_parameters():
            torch.testing.assert_close(found[name][i], parameter.grad, rtol=1e-8, atol=1e-10)


def test_a_penalty_on_the_gradient_reaches_every_weight(unfused):
    network, x = nano(), image(1, 32, 32).double().requires_grad_()

    (slope,) = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)
    slope.square().sum().backward()

    assert [n for n, p in network.named_parameters() if n != "head.bias" and p.grad is None] == []


def test_attention_obeys_the_switch_of_timm(unfused):
    plain = AttentionMixer(16, 4).double()
    set_fused_attn(True)
    fused = AttentionMixer(16, 4).double()
    fused.load_state_dict(plain.state_dict())
    x = torch.randn(2, 9, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    assert (plain.fused_attn, fused.fused_attn) == (False, True)
    torch.testing.assert_close(plain(x), fused(x), **EXACT)
    assert torch.autograd.gradgradcheck(plain, x[:1, :2].requires_grad_())

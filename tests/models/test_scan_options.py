"""What the scan takes beyond its forms, in every form, beside a recurrence in float64."""

import pytest
import torch
from scan_cases import (
    FORMS,
    LENGTH_LAST,
    OPTION_SIZES,
    arguments,
    every_argument,
    expected_with_options,
    graded,
    length_last,
    recurrence,
)

from vitrine.models.scan import selective_scan
from vitrine.models.scan.compat import selective_scan_fn

# Of torch itself, as it loads its own derivatives in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")

TOLERANCE = {torch.float64: 1e-12, torch.float32: 5e-6}
PAIRS = [
    ("shared", "shared"),
    ("grouped", "grouped"),
    ("grouped", "shared"),
    ("grouped", "grouped otherwise"),
    ("one group", "shared"),
    ("constant", "constant"),
    ("constant", "shared"),
    ("shared", "constant"),
    ("grouped", "constant"),
]


@pytest.fixture(params=FORMS)
def form(request, monkeypatch):
    monkeypatch.setenv("VITRINE_SCAN", request.param)
    return request.param


def assert_close(found, exact, tolerance):
    errors = [((a - b).norm() / b.norm()).item() for a, b in zip(found, exact, strict=True)]
    assert max(errors) < tolerance, errors


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize(("B", "C"), PAIRS)
def test_every_option_at_once_has_the_values_and_gradients_of_the_recurrence(B, C, dtype, form):
    tensors = every_argument(B, C, dtype)

    outputs = selective_scan(**tensors, delta_softplus=True, return_last_state=True)

    assert [y.dtype for y in outputs] == [dtype, dtype]
    assert_close(graded(outputs, tensors), expected_with_options(tensors), TOLERANCE[dtype])


@pytest.mark.parametrize("name", ["z", "initial_state", "D", "delta_bias"])
@pytest.mark.parametrize("B", ["shared", "grouped", "constant"])
def test_an_option_omitted_counts_for_nothing(name, B, form):
    tensors = every_argument(B)
    del tensors[name]

    outputs = selective_scan(**tensors, delta_softplus=True, return_last_state=True)

    assert_close(graded(outputs, tensors), expected_with_options(tensors), 1e-12)


@pytest.mark.parametrize(("B", "C"), PAIRS)
def test_channels_may_come_before_the_length(B, C, form):
    tensors = every_argument(B, C)
    options = {"delta_softplus": True, "return_last_state": True}
    y, last_state = selective_scan(**tensors, **options)

    turned = selective_scan(**length_last(tensors), **options, layout="channel_first")

    torch.testing.assert_close(turned, (y.mT, last_state), rtol=0, atol=0)


def test_a_sequence_scanned_in_pieces_is_the_whole_sequence(form):
    sizes = OPTION_SIZES | {"length": 12}
    tensors = every_argument(**sizes, dtype=torch.float32) | arguments(**sizes, dtype=torch.float32)
    tensors |= {"initial_state": None, "delta_softplus": True}
    along = {k: tensors[k] for k in LENGTH_LAST}
    whole, last_state = selective_scan(**tensors, return_last_state=True)

    state, pieces = None, []
    for piece in (slice(0, 1), slice(1, 6), slice(6, 12)):
        cut = {k: t[:, piece] for k, t in along.items()}
        y, state = selective_scan(
            **tensors | cut | {"initial_state": state}, return_last_state=True
        )
        pieces.append(y)

    assert_close([torch.cat(pieces, 1), state], [whole, last_state], 5e-7)


def test_a_state_is_put_in_and_read_back_to_the_bit(form):
    tensors = every_argument(dtype=torch.float32, length=1)
    state = tensors["initial_state"].detach()
    still = {"delta": torch.zeros(2, 1, 6), "delta_bias": None, "z": None}
    B, C = torch.randn(2, 2, 1, 4)

    _, found = selective_scan(**tensors | still | {"B": B, "C": C}, return_last_state=True)

    assert torch.equal(found, state)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_keeps_its_state_in_float32(dtype, form):
    tensors = every_argument(dtype=dtype)
    wide = {name: t.float() for name, t in tensors.items()}

    y, state = selective_scan(**tensors, delta_softplus=True, return_last_state=True)

    exact = selective_scan(**wide, delta_softplus=True, return_last_state=True)
    assert (y.dtype, state.dtype) == (dtype, torch.float32)
    torch.testing.assert_close((y, state), (exact[0].to(dtype), exact[1]), rtol=0, atol=0)


def test_derivatives_with_every_option_are_those_of_finite_differences(form):
    small = {"batch": 1, "length": 3, "channel": 2, "state": 2}
    tensors = every_argument(**small)
    tensors |= {"B": arguments(**small)["B"], "C": arguments(**small, seed=5)["A"]}

    def scan(*given):
        given = dict(zip(tensors, given, strict=True))
        return selective_scan(**given, delta_softplus=True, return_last_state=True)

    assert torch.autograd.gradcheck(scan, tuple(tensors.values()), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(scan, tuple(tensors.values()))


REFUSED = {
    "an unknown layout": ({"layout": "NCL"}, "one of channel_last, channel_first, found 'NCL'"),
    "channels last in the other layout": (
        {"layout": "channel_first"},
        r"u of shape \(batch, channel, length\) with the 6 channels of A, .* is channel_last; give",
    ),
    "groups that do not divide": (
        {"B": torch.zeros(2, 7, 4, 4)},
        "groups of B to share the 6 channels equally, found 4",
    ),
    "no group": ({"C": torch.zeros(2, 7, 0, 4)}, "groups of C to share .* found 0"),
    "a constant of other states": (
        {"B": torch.zeros(6, 5)},
        r"B of shape \(channel, state\) = \(6, 4\)",
    ),
    "a gate of other channels": ({"z": torch.zeros(2, 7, 5)}, r"z of shape .* = \(2, 7, 6\)"),
    "a gate in the other layout": ({"z": torch.zeros(2, 6, 7)}, "which is channel_first"),
    "a state transposed": (
        {"initial_state": torch.zeros(2, 4, 6)},
        r"initial_state of shape \(batch, channel, state\) = \(2, 6, 4\)",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_options_are_refused_in_a_sentence(what):
    change, sentence = REFUSED[what]

    with pytest.raises(ValueError, match=sentence):
        selective_scan(**every_argument(dtype=torch.float32) | change)


# Under the name of mamba_ssm


@pytest.mark.parametrize(("B", "C"), PAIRS)
def test_the_function_of_mamba_ssm_has_its_shapes_and_the_values_of_the_recurrence(B, C):
    tensors = every_argument(B, C)
    del tensors["initial_state"]
    turned = length_last(tensors)
    order = ("u", "delta", "A", "B", "C", "D", "z", "delta_bias")

    y, state = selective_scan_fn(*(turned[name] for name in order), True, True)

    assert y.shape == (2, 6, 7)
    assert_close(graded((y.mT, state), tensors), expected_with_options(tensors), 1e-12)


def test_the_function_of_mamba_ssm_needs_five_tensors_and_returns_one():
    tensors = length_last({k: t.detach() for k, t in every_argument().items()})
    u, delta, A, B, C = (tensors[name] for name in ("u", "delta", "A", "B", "C"))

    y = selective_scan_fn(u, delta.exp(), A, B, C)

    expected, _ = recurrence(u.mT, delta.exp().mT, A, B.mT, C.mT)
    torch.testing.assert_close(y, expected.mT)

import math

import pytest
import torch
from scan_cases import FORMS, TOLERANCE, arguments, assert_same, expected_outcome, outcome
from torch.utils.flop_counter import FlopCounterMode

from vitrine.models.scan import chunked, dispatch, reference, selective_scan, short
from vitrine.models.scan.derivatives import flops_outside_scans

FAST = ["chunked", "short", "two_level"]
LENGTHS = [1, 7, 49, 196, 197, 1024]
DTYPES = [torch.float32, torch.float64]


@pytest.fixture(params=["step by step", "folded"])
def small_chunks(request, monkeypatch):
    """Chunks of nine steps for the default batch, channels and states, as a large batch has."""
    monkeypatch.setattr(chunked, "BUFFER", 9 * 2 * 3 * 4)
    monkeypatch.setattr(chunked, "NARROW", 0 if request.param == "step by step" else 2 * 3 * 4)


# Values and gradients


@pytest.mark.parametrize("form", FORMS)
def test_scan_of_two_steps_matches_the_recurrence_written_by_hand(form):
    u, delta, B, C = torch.tensor(
        [[2.0, 3.0], [0.5, 0.1], [1.0, -4.0], [5.0, 7.0]], dtype=torch.float64
    ).reshape(4, 1, 2, 1)
    A, D, bias = torch.tensor([[[-1.5]], [[10.0]], [[0.2]]], dtype=torch.float64)
    step1, step2 = math.log1p(math.exp(0.7)), math.log1p(math.exp(0.3))
    h1 = step1 * 1.0 * 2.0
    h2 = math.exp(step2 * -1.5) * h1 + step2 * -4.0 * 3.0

    y = FORMS[form](u, delta, A, B, C, D[0], bias[0], delta_softplus=True)

    assert y.flatten().tolist() == pytest.approx([5.0 * h1 + 20.0, 7.0 * h2 + 30.0], rel=1e-14)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("form", FAST)
def test_form_has_the_values_and_gradients_of_the_reference(form, length, dtype, small_chunks):
    tensors = arguments(length=length, dtype=dtype)

    found = outcome(FORMS[form], tensors)

    assert_same(found, expected_outcome(tensors), TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("form", FAST)
def test_form_is_exact_for_steps_from_a_millionth_to_a_thousand(form, dtype, small_chunks):
    tensors = arguments(batch=1, length=60, dtype=dtype)
    steps = torch.logspace(-6, 3, 180, dtype=dtype)[torch.randperm(180)].reshape(1, 60, 3)
    before_softplus = torch.where(steps > 20, steps, steps.double().expm1().log().to(dtype))
    bias = tensors.pop("delta_bias").detach()

    plain = tensors | {"delta": steps.requires_grad_()}
    biased = {"delta": (before_softplus - bias).requires_grad_(), "delta_bias": bias}
    softened = tensors | {name: t.requires_grad_() for name, t in biased.items()}

    for case, softplus in ((plain, False), (softened, True)):
        found = outcome(FORMS[form], case, softplus)
        assert_same(found, expected_outcome(case, softplus), TOLERANCE[dtype])


@pytest.mark.parametrize("form", FORMS)
def test_an_omitted_argument_counts_for_nothing(form):
    tensors = arguments()
    D, bias = tensors.pop("D"), tensors.pop("delta_bias")

    y = FORMS[form](**tensors)

    neutral = FORMS[form](**tensors, D=torch.zeros_like(D), delta_bias=torch.zeros_like(bias))
    torch.testing.assert_close(y, neutral, rtol=0, atol=0)
    skipped = FORMS[form](**tensors, D=D) - D * tensors["u"]
    torch.testing.assert_close(y, skipped)
    assert_same(outcome(FORMS[form], tensors, True), expected_outcome(tensors, True), 1e-13)


@pytest.mark.parametrize("form", FORMS)
def test_scan_never_looks_ahead(form, small_chunks):
    tensors = {name: t.detach() for name, t in arguments(length=12).items()}
    changed = {name: t.clone() for name, t in tensors.items()}
    for name in ("u", "delta", "B", "C"):
        changed[name][:, 8:] += 1.0

    before, after = FORMS[form](**tensors), FORMS[form](**changed)

    torch.testing.assert_close(before[:, :8], after[:, :8], rtol=0, atol=0)
    assert not torch.isclose(before[:, 8:], after[:, 8:]).any()


@pytest.mark.parametrize("form", FAST)
def test_first_and_second_derivatives_are_those_of_finite_differences(form, small_chunks):
    inputs = tuple(arguments(batch=2, length=7, channel=2, state=2).values())

    def scan(*tensors):
        return FORMS[form](*tensors, delta_softplus=True)

    assert torch.autograd.gradcheck(scan, inputs)
    assert torch.autograd.gradgradcheck(scan, tuple(t[:1] if t.dim() == 3 else t for t in inputs))


@pytest.mark.parametrize("form", FAST)
def test_second_derivatives_follow_arguments_computed_from_one_another(form):
    start = arguments(length=3, channel=2, state=2)["u"]

    def slope(scan):
        u = start.detach().requires_grad_()
        y = scan(u, u.square(), -torch.ones(2, 2).double(), u, 1 + u, delta_softplus=True)
        (first,) = torch.autograd.grad(y.square().sum(), u, create_graph=True)
        return torch.autograd.grad(first.square().sum(), u)[0]

    torch.testing.assert_close(slope(FORMS[form]), slope(reference.selective_scan))


def test_gradients_are_the_same_bits_each_time(small_chunks):
    tensors = arguments(length=50, dtype=torch.float32)

    once, again = (outcome(chunked.selective_scan, tensors) for _ in range(2))

    assert all(torch.equal(once[name], again[name]) for name in once)


# Layouts, sizes and types


@pytest.mark.parametrize("form", FORMS)
def test_layout_in_memory_does_not_change_the_answer(form, small_chunks):
    tensors = arguments(length=12)
    scattered = {}
    for name, t in tensors.items():
        wide = torch.zeros(*t.shape[:-1], 2 * t.shape[-1], dtype=t.dtype)
        wide[..., ::2] = t.detach()
        scattered[name] = wide[..., ::2].requires_grad_()
    scattered["u"] = tensors["u"].detach().mT.contiguous().mT.requires_grad_()

    found = outcome(FORMS[form], scattered)

    assert not any(t.is_contiguous() for t in scattered.values())
    assert_same(found, outcome(FORMS[form], tensors), 1e-15)


@pytest.mark.parametrize("form", FORMS)
def test_a_gradient_that_is_one_number_expanded_is_understood(form):
    tensors = arguments()
    inputs = list(tensors.values())

    found = torch.autograd.grad(FORMS[form](**tensors).sum(), inputs)

    expected = torch.autograd.grad(FORMS[form](**tensors), inputs, torch.ones(2, 7, 3).double())
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_batch_gives_an_empty_answer_and_null_gradients(form):
    tensors = arguments(batch=0)

    found = outcome(FORMS[form], tensors)

    assert found["y"].shape == (0, 7, 3)
    assert {name: g.shape for name, g in found.items() if name != "y"} == {
        name: t.shape for name, t in tensors.items()
    }
    assert all((found[name] == 0).all() for name in ("A", "D", "delta_bias"))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_half_precision_is_computed_in_float32_and_answered_in_half(form, dtype):
    tensors = arguments(length=49, dtype=dtype)
    wide = {name: t.detach().float().requires_grad_() for name, t in tensors.items()}

    found, expected = outcome(FORMS[form], tensors), outcome(FORMS[form], wide)

    assert found["y"].dtype == dtype
    assert torch.equal(found["y"], expected["y"].to(dtype))
    assert all(found[name].dtype == t.dtype for name, t in tensors.items())


@pytest.mark.parametrize("form", FORMS)
def test_autocast_does_not_reach_inside(form):
    tensors = arguments(length=49, dtype=torch.float32)
    expected = FORMS[form](**tensors, delta_softplus=True)

    with torch.autocast("cpu", torch.bfloat16):
        y = FORMS[form](**tensors, delta_softplus=True)

    assert torch.equal(y, expected)


def test_autocast_does_not_reach_inside_the_backward_of_the_fast_form():
    tensors = arguments(length=49, dtype=torch.float32)
    expected = outcome(chunked.selective_scan, tensors)

    with torch.autocast("cpu", torch.bfloat16):
        found = outcome(chunked.selective_scan, tensors)

    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_flops_of_a_scan_are_counted_and_can_be_set_apart():
    tensors = arguments(length=12)
    states = 2 * 12 * 3 * 4

    with FlopCounterMode(display=False) as counter:
        y = selective_scan(**tensors, delta_softplus=True)
        forward = counter.get_total_flops()
        (y.flatten(0, 1).mT @ y.flatten(0, 1)).sum().backward()

    product = 2 * 3 * 24 * 3  # three of them: itself, and two in its backward
    assert forward == 7 * states
    assert counter.get_total_flops() == (7 + 20) * states + 3 * product
    assert flops_outside_scans(counter) == 3 * product


def test_training_keeps_a_fraction_of_the_states(small_chunks):
    tensors = arguments(batch=2, length=200, channel=3, state=4, dtype=torch.float32)
    states = 2 * 200 * 3 * 4
    kept = []

    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda t: t):
        chunked.selective_scan(**tensors, delta_softplus=True)

    inputs = {t.data_ptr() for t in tensors.values()}
    assert 0 < sum(t.numel() for t in kept if t.data_ptr() not in inputs) < 0.5 * states


# What is refused


REFUSED = {
    "a step size for too few channels": (
        {"delta": torch.zeros(2, 7, 1)},
        ValueError,
        r"delta of shape \(batch, length, channel\) = \(2, 7, 3\).* found \(2, 7, 1\)",
    ),
    "B of another length": (
        {"B": torch.zeros(2, 8, 4)},
        ValueError,
        r"B of shape .* = \(2, 7, 4\)",
    ),
    "C for one sequence": (
        {"C": torch.zeros(1, 7, 4)},
        ValueError,
        r"C of shape .* = \(2, 7, 4\)",
    ),
    "A transposed": ({"A": torch.zeros(4, 3)}, ValueError, r"A of shape .* = \(3, 3\)"),
    "channels before the length": (
        {"u": torch.zeros(2, 3, 7)},
        ValueError,
        r"u of shape \(batch, length, channel\) with the 3 channels of A, .* give layout=",
    ),
    "states before the length": (
        {"B": torch.zeros(2, 4, 7)},
        ValueError,
        r"B of shape .* = \(2, 7, 4\) to fit .* \(2, 4, 7\), which is channel_first",
    ),
    "A without its states": ({"A": torch.zeros(3)}, ValueError, "give it 2 dimensions"),
    "u without a batch": ({"u": torch.zeros(7, 3)}, ValueError, "give it 3 dimensions"),
    "D for one channel": ({"D": torch.zeros(1)}, ValueError, r"D of shape \(channel,\) = \(3,\)"),
    "D for each position": ({"D": torch.zeros(7)}, ValueError, "D of shape"),
    "a bias per state": ({"delta_bias": torch.zeros(4)}, ValueError, "delta_bias of shape"),
    "integers": ({"u": torch.zeros(2, 7, 3, dtype=torch.int64)}, TypeError, "found torch.int64"),
    "complex numbers": (
        {"A": torch.zeros(3, 4, dtype=torch.complex64)},
        TypeError,
        "a real A, found torch.complex64; .* would drop the imaginary part",
    ),
    "one float64 among float32": (
        {"A": torch.zeros(3, 4, dtype=torch.float64)},
        TypeError,
        "all tensors in float64 or none, found A in torch.float64",
    ),
    "another device": (
        {"B": torch.zeros(2, 7, 4, device="meta")},
        ValueError,
        "B on the device of u, cpu, found it on meta",
    ),
}


@pytest.mark.parametrize("scan", [selective_scan, *FORMS.values()], ids=["dispatched", *FORMS])
@pytest.mark.parametrize("what", REFUSED)
def test_scan_refuses_in_a_sentence(what, scan):
    change, error, sentence = REFUSED[what]
    tensors = arguments(dtype=torch.float32) | change

    with pytest.raises(error, match=sentence):
        scan(**tensors)


def test_scan_refuses_what_is_no_tensor_or_holds_nothing():
    tensors = arguments(dtype=torch.float32)
    empty = {name: t[:, :0] for name, t in tensors.items() if t.dim() == 3}

    with pytest.raises(TypeError, match="u to be a torch.Tensor, found list; convert it"):
        selective_scan(**tensors | {"u": [1.0]})
    for name in ("u", "delta", "A", "B", "C"):
        with pytest.raises(TypeError, match=f"{name} to be a torch.Tensor, found NoneType"):
            selective_scan(**tensors | {name: None})
    with pytest.raises(ValueError, match="found length 0, channel 3 and state 4"):
        selective_scan(**tensors | empty)
    for without, sizes in (("channel", (2, 7, 0, 4)), ("state", (2, 7, 3, 0))):
        with pytest.raises(ValueError, match=f"{without}s? 0"):
            selective_scan(**_zeros(*sizes))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_tensors_that_agree_on_a_type_that_is_not_real_and_floating_are_refused(dtype):
    with pytest.raises(TypeError, match=f"u.* found {dtype}"):
        selective_scan(**_zeros(2, 7, 3, 4, dtype=dtype))


def _zeros(batch, length, channel, state, **options):
    shapes = {
        "u": (batch, length, channel),
        "delta": (batch, length, channel),
        "A": (channel, state),
        "B": (batch, length, state),
        "C": (batch, length, state),
    }
    return {name: torch.zeros(shape, **options) for name, shape in shapes.items()}


@pytest.mark.parametrize("what", ["a step size for too few channels", "integers"])
def test_a_compiled_scan_refuses_in_the_same_sentence(what, untyped):
    change, _, sentence = REFUSED[what]
    compiled = torch.compile(selective_scan, backend="aot_eager", fullgraph=True)

    with pytest.raises(RuntimeError, match=sentence):
        compiled(**arguments(dtype=torch.float32) | change)


# Which form runs


@pytest.mark.parametrize(
    ("device", "forced", "exporting", "form"),
    [
        ("cpu", None, False, "chunked"),
        ("meta", None, False, "chunked"),
        ("cpu", "", False, "chunked"),
        ("cuda", None, False, "triton"),
        ("cpu", None, True, "two_level"),
        ("cuda", None, True, "two_level"),
        ("mps", None, False, "two_level"),
        ("xpu", None, False, "two_level"),
        ("mps", "reference", False, "reference"),
        ("cuda", "chunked", True, "chunked"),
        ("cpu", "reference", False, "reference"),
    ],
)
def test_form_is_chosen_by_place_unless_forced(device, forced, exporting, form, monkeypatch):
    monkeypatch.setattr(dispatch, "_has_triton", lambda: True)

    assert dispatch.choose(device, forced, exporting) == form


@pytest.mark.parametrize(
    ("shape", "suits"),
    [
        ((1, 2047, 64), True), ((1, 2048, 64), False),  # all the states: a million or not
        ((8, 2, 64), True), ((9, 2, 64), False), ((0, 2, 64), False),  # the states of a position
    ],
)  # fmt: skip
def test_few_short_sequences_alone_have_a_form_of_their_own(shape, suits):
    assert short.suits(torch.empty(shape), torch.empty(64, 8)) is suits


def test_nothing_falls_back_in_silence(monkeypatch):
    monkeypatch.setattr(dispatch, "_has_triton", lambda: False)

    with pytest.raises(ValueError, match="VITRINE_SCAN to be one of reference, .*found 'fast'"):
        dispatch.choose("cpu", "fast")
    with pytest.raises(RuntimeError, match="Triton for a scan on cuda, found it not installed"):
        dispatch.choose("cuda")


def test_a_device_without_a_form_of_its_own_is_told_once(caplog):
    dispatch._say_once.cache_clear()

    forms = [dispatch.choose(device) for device in ("mps", "mps", "xpu", "cpu", "meta")]

    assert forms == ["two_level", "two_level", "two_level", "chunked", "chunked"]
    assert [record.args for record in caplog.records] == [("mps",), ("xpu",)]


@pytest.mark.parametrize("form", FORMS)
def test_environment_forces_the_form(form, monkeypatch):
    asked = []
    module = getattr(dispatch, form)
    monkeypatch.setattr(module, "selective_scan", lambda *args: asked.append(args) or args[0])
    monkeypatch.setenv("VITRINE_SCAN", form)

    selective_scan(**arguments(), delta_softplus=True)

    assert len(asked) == 1
    assert asked[0][-1] is True


def test_an_unknown_form_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("VITRINE_SCAN", "parallel")

    with pytest.raises(ValueError, match="found 'parallel'; correct or unset it"):
        selective_scan(**arguments())

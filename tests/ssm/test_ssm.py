"""Systems in time, memories of the past, selective copying: what the teaching chapter relies on."""

import numpy as np
import pytest
import torch

from vitrine.models.scan import chunked, reference
from vitrine.ssm import copying, hippo, systems, traffic
from vitrine.ssm.copying import Task

INPUTS = np.array([1.0, -0.5, 0.0, 2.0, 1.0, 0.0])


@pytest.fixture
def spring():
    return systems.oscillator(frequency=0.4, damping=0.2)


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=120)


# Systems


@pytest.mark.parametrize("cuts", [1, 2, 5])
def test_a_held_input_makes_the_steps_exact_whatever_their_length(spring, cuts):
    step = 1 / cuts
    times = step * np.arange(1, len(INPUTS) * cuts + 1)

    stepped = systems.hold(spring, step).run(np.repeat(INPUTS, cuts))

    assert stepped == pytest.approx(spring.respond(INPUTS, 1.0, times), abs=1e-8)


def test_euler_errs_in_proportion_to_the_step_until_it_diverges(spring):
    errors = []
    for cuts in (100, 200):
        inputs = np.repeat(INPUTS, cuts)
        exact, near = (rule(spring, 1 / cuts).run(inputs) for rule in (systems.hold, systems.euler))
        errors.append(np.abs(exact - near).max())

    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert np.abs(systems.euler(spring, 1.0).run(np.tile(INPUTS, 5))).max() > 100


def test_the_beginning_is_at_rest(spring):
    assert spring.respond(INPUTS, 1.0, np.array([0.0, 0.001])) == pytest.approx([0, 0], abs=1e-4)


def test_a_recurrence_is_a_convolution_with_what_an_impulse_leaves(spring, noise):
    steps = systems.hold(spring, 0.3)
    kernel = steps.kernel(len(noise))

    direct = systems.convolve(noise, kernel)
    spectral = systems.convolve(noise, kernel, systems.spectral)

    assert steps.run(noise) == pytest.approx(direct, abs=1e-12)
    assert direct == pytest.approx(spectral, abs=1e-12)


# Memory of the past


@pytest.mark.parametrize("size", [1, 3, 16])
def test_the_memory_kept_up_to_date_is_that_of_the_whole_past(noise, size):
    kept = hippo.remember(noise, size)

    for seen in (1, 50, len(noise)):
        assert kept[seen - 1] == pytest.approx(hippo.project(noise[:seen], size), abs=1e-10)


def test_the_first_number_kept_is_the_mean_of_the_past(noise):
    assert hippo.remember(noise, 4)[-1, 0] == pytest.approx(noise.mean())


def test_more_numbers_recall_a_past_better():
    places = np.linspace(0, 1, 200)
    signal = np.sin(2 * np.pi * 2 * places) + np.cos(2 * np.pi * places**2)

    errors = [
        np.abs(hippo.recall(hippo.remember(signal, size)[-1], 200) - signal).max()
        for size in (4, 8, 16)
    ]

    assert errors[0] > 4 * errors[1] > 16 * errors[2]


# Selective copying


def test_symbols_are_scattered_and_must_be_repeated_in_their_order():
    task = Task(symbols=5, copied=3, length=12)

    tokens, wanted = task.draw(50, torch.Generator().manual_seed(0))

    heard = [row[row >= 2].tolist() for row in tokens]
    assert heard == wanted.tolist()
    assert (tokens[:, 12:] == copying.CUE).all() and tokens.shape == (50, 15)
    assert len({tuple((row >= 2).nonzero().flatten().tolist()) for row in tokens}) > 20


def test_symbols_that_are_not_scattered_open_the_sequence():
    tokens, wanted = Task(scattered=False).draw(4, torch.Generator().manual_seed(0))

    assert torch.equal(tokens[:, :3], wanted)
    assert (tokens[:, 3:-3] == copying.BLANK).all()


def test_a_fixed_layer_has_one_step_a_channel_and_a_selective_one_a_step_a_token():
    torch.manual_seed(0)
    tokens, _ = Task().draw(3, torch.Generator().manual_seed(0))
    fixed, selective = (copying.Copier(Task(), layer) for layer in ("fixed", "selective"))

    same, chosen = (c.mix.steps(c.embed(tokens)) for c in (fixed, selective))

    assert (same == same[:1, :1]).all()
    assert (chosen > 0).all() and not (chosen == chosen[:, :1]).all()
    assert torch.equal(chosen[tokens == copying.BLANK].unique(dim=0), chosen[:1, -4])


def test_a_layer_with_fixed_steps_is_a_convolution():
    torch.manual_seed(0)
    fixed, convolution = (copying.Copier(Task(), name).mix for name in ("fixed", "convolution"))
    length = convolution.taps.shape[1]
    impulse = torch.zeros(1, length, 32).double()
    impulse[:, 0] = 1
    u = torch.randn(2, length, 32).double()

    with torch.no_grad():
        convolution.taps.copy_(fixed(impulse)[0].T)

    torch.testing.assert_close(convolution(u), fixed(u))


def test_learning_is_the_same_twice_and_leaves_the_generator_alone():
    task = Task(symbols=2, copied=1, length=4)
    before = torch.get_rng_state()

    once, again = (
        copying.learn(task, "selective", steps=6, every=2, batch=4).curve for _ in range(2)
    )

    assert once == again and list(once) == [0, 2, 4, 6]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_selective_layer_learns_a_short_task():
    task = Task(symbols=2, copied=1, length=6)

    learned = copying.learn(task, "selective", steps=60, every=60, batch=32)

    assert learned.curve[60] > 0.95 > learned.curve[0]
    assert copying.score(learned.model, task) == learned.curve[60]


def test_an_unknown_layer_is_refused():
    with pytest.raises(ValueError, match="selective, fixed, convolution, received 'attention'"):
        copying.Copier(Task(), "attention")


# Memory traffic


def test_an_operator_reads_its_arguments_and_writes_its_result():
    def add(u, **_):
        return u + u.mean()

    moved = traffic.count(add, {"u": torch.ones(10)})

    assert (moved.read, moved.written, moved.operators) == (10 + 11, 1 + 10, 2)


def test_views_move_nothing_and_what_a_view_repeats_is_read_once():
    def views(u, **_):
        return u.T.reshape(5, 2).expand(3, 5, 2).sum()

    moved = traffic.count(views, {"u": torch.ones(2, 5).T.contiguous()})

    assert moved.written in (1, 11)  # a copy, where the transpose is not contiguous
    assert moved.read <= 20


def test_what_is_written_in_place_counts():
    def scale(u, **_):
        return u.mul_(2)

    assert traffic.count(scale, {"u": torch.ones(7)}).moved == 14


def test_a_fused_scan_moves_its_ends_alone_and_less_than_a_loop():
    inputs = traffic.scan_inputs(2, 16, 4, 8)

    fused, loop = (traffic.count(s.selective_scan, inputs) for s in (chunked, reference))

    ends = sum(t.numel() for t in inputs.values())
    assert (fused.read, fused.written, fused.operators) == (ends, 2 * 16 * 4, 1)
    assert loop.moved > 10 * fused.moved


def test_steps_compose_in_any_grouping_and_give_the_recurrence():
    draw = torch.Generator().manual_seed(0)
    steps = [tuple(torch.rand(2, 5, dtype=torch.float64, generator=draw)) for _ in range(3)]

    left = traffic.compose(traffic.compose(steps[0], steps[1]), steps[2])
    right = traffic.compose(steps[0], traffic.compose(steps[1], steps[2]))

    h = torch.zeros(5, dtype=torch.float64)
    for a, b in steps:
        h = a * h + b
    torch.testing.assert_close(left, right)
    torch.testing.assert_close(left[1], h)

"""Linear systems in continuous time, and the two ways of running them in steps.

Source: Gu et al., "Combining Recurrent, Convolutional, and Continuous-time Models with Linear
State-Space Layers", https://arxiv.org/abs/2110.13985. Letters ``A, B, C`` are theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.signal import fftconvolve

__all__ = ["System", "convolve", "euler", "hold", "oscillator", "spectral"]

Signal = Float[np.ndarray, " length"]


@dataclass(frozen=True, kw_only=True)
class System:
    """A linear system: ``h' = A h + B x`` and ``y = C h`` in time, or the same from step to step.

    Attributes:
        A: What the state does when nothing comes in.
        B: What the input writes into the state.
        C: What the output reads in the state.
    """

    A: Float[np.ndarray, "state state"]
    B: Float[np.ndarray, " state"]
    C: Float[np.ndarray, " state"]

    def respond(
        self, inputs: Float[np.ndarray, " interval"], held: float, times: Float[np.ndarray, " time"]
    ) -> Float[np.ndarray, " time"]:
        """Return the output in continuous time, from rest, by numerical integration.

        Args:
            inputs: The input, constant over each interval of ``held``.
            held: Length of an interval.
            times: When to read the output, increasing, the last within the intervals.
        """
        state, outputs = np.zeros(len(self.B)), []
        for number, value in enumerate(inputs):
            start, stop = number * held, (number + 1) * held
            # An end belongs to the interval that it closes; the very beginning, to the first.
            read = [t for t in times if start < t <= stop or t == start == 0]
            path = solve_ivp(
                lambda _, h, value=value: self.A @ h + self.B * value,
                (start, stop),
                state,
                method="DOP853",
                t_eval=sorted({*read, stop}),
                rtol=1e-11,
                atol=1e-12,
            )
            outputs += [self.C @ path.y[:, np.searchsorted(path.t, t)] for t in read]
            state = path.y[:, -1]
        return np.array(outputs)

    def run(self, inputs: Signal) -> Signal:
        """Return the output step by step: a state carried along, whatever the length.

        The system must be one of steps, as ``hold`` or ``euler`` returns it: the state takes the
        input in before it is read.
        """
        h, outputs = np.zeros(len(self.B)), []
        for x in inputs:
            h = self.A @ h + self.B * x
            outputs.append(self.C @ h)
        return np.array(outputs)

    def kernel(self, length: int) -> Signal:
        """Return ``(CB, CAB, CA²B, ...)``: what an impulse leaves in the output, step by step."""
        h, values = self.B, []
        for _ in range(length):
            values.append(self.C @ h)
            h = self.A @ h
        return np.array(values)


def oscillator(frequency: float, damping: float) -> System:
    """Return a mass on a spring: the state is its position and its speed, the output its position.

    Args:
        frequency: Oscillations per unit of time, without damping.
        damping: 0 for none; 1, the least that prevents any oscillation.
    """
    pulse = 2 * np.pi * frequency
    A = np.array([[0.0, 1.0], [-(pulse**2), -2 * damping * pulse]])
    return System(A=A, B=np.array([0.0, pulse**2]), C=np.array([1.0, 0.0]))


def hold(system: System, step: float) -> System:
    """Return the steps of a system whose input is constant in each: the zero-order hold.

    It is exact: the exponential of one matrix gives the state at the end of the step.
    """
    size = len(system.B)
    joined = np.zeros((size + 1, size + 1))
    joined[:size, :size], joined[:size, size] = system.A, system.B
    # The input is one more state, that nothing changes during the step.
    moved = expm(step * joined)
    return System(A=moved[:size, :size], B=moved[:size, size], C=system.C)


def euler(system: System, step: float) -> System:
    """Return the steps of a system by Euler's rule, which follows the slope at the beginning."""
    return System(A=np.eye(len(system.B)) + step * system.A, B=step * system.B, C=system.C)


def convolve(
    inputs: Signal,
    kernel: Signal,
    product: Callable[..., np.ndarray] = np.convolve,
) -> Signal:
    """Return the output as one convolution of the input, cut to its length.

    Args:
        inputs: The input.
        kernel: What ``System.kernel`` returned, as long as the input.
        product: How to convolve: directly, or as ``spectral`` does.
    """
    return product(inputs, kernel)[: len(inputs)]


def spectral(first: Signal, other: Signal) -> Float[np.ndarray, " both"]:
    """Convolve through the Fourier transform: ``n log n`` operations in place of ``n²``."""
    return fftconvolve(first, other)

"""Calibration: expected calibration error, overconfidence, reliability curve.

Sources: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
Binning", doi:10.1609/aaai.v29i1.9602 (the error); Guo et al., "On Calibration of Modern Neural
Networks", arXiv:1706.04599 (top-label form, 15 bins); Kumar, Liang and Ma, "Verified Uncertainty
Calibration", arXiv:1909.10155 (its bias); Bröcker and Smith, "Increasing the Reliability of
Reliability Diagrams", doi:10.1175/WAF993.1 (what a calibrated model would show); Van Calster et
al., "Calibration: the Achilles Heel of Predictive Analytics", doi:10.1186/s12916-019-1466-7 (the
mean).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from vitrine.metrics.inputs import as_probabilities
from vitrine.metrics.intervals import Interval, percentile, wilson_bounds
from vitrine.metrics.metrics import Metric

__all__ = [
    "Reliability", "calibrated_error", "expected_calibration_error", "overconfidence",
    "reliability",
]  # fmt: skip

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """A reliability curve: accuracy against confidence, one entry a bin of confidence.

    Attributes:
        edges: Ends of the bins, one more than there are bins; a bin holds its upper end.
        count: Images in each bin.
        confidence: Their mean confidence; NaN in an empty bin, as the three below.
        accuracy: Share of them that are right.
        low: Lower end of Wilson's interval of that share.
        high: Upper end of it.
    """

    edges: Float[np.ndarray, " edge"]
    count: Int[np.ndarray, " bin"]
    confidence: Float[np.ndarray, " bin"]
    accuracy: Float[np.ndarray, " bin"]
    low: Float[np.ndarray, " bin"]
    high: Float[np.ndarray, " bin"]

    @property
    def error(self) -> float:
        """Expected calibration error: distance of confidence to accuracy, weighted by images."""
        gaps = np.where(self.count > 0, np.abs(self.confidence - self.accuracy), 0.0)
        return float(self.count @ gaps / self.count.sum())


def _bin_of(confidence: Float[np.ndarray, " image"], bins: int) -> Int[np.ndarray, " image"]:
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)


def _excess_by_bin(
    y_true: Int[np.ndarray, " image"], y_prob: Float[np.ndarray, "image category"]
) -> Float[np.ndarray, "image bin"]:
    confidence = y_prob.max(axis=1)
    excess = np.zeros((len(y_true), BINS))
    right = y_prob.argmax(axis=1) == y_true
    excess[np.arange(len(y_true)), _bin_of(confidence, BINS)] = confidence - right
    return excess


def _sum_of_sizes(means: Float[np.ndarray, "draw bin"]) -> Float[np.ndarray, " draw"]:
    return np.abs(means).sum(axis=1)


expected_calibration_error = Metric(
    name="expected_calibration_error",
    french="Erreur de calibration",
    reads="probabilities",
    rows=_excess_by_bin,
    formula=_sum_of_sizes,
    norm=True,
    higher_is_better=False,
)
"""Mean distance between confidence and accuracy over 15 bins of equal width of the top probability,
weighted by images; 0 is perfect. Few images in a bin make it too high: compare it with what a
calibrated model would show. Source: On Calibration of Modern Neural Networks, arXiv:1706.04599."""


def _excess(
    y_true: Int[np.ndarray, " image"], y_prob: Float[np.ndarray, "image category"]
) -> Float[np.ndarray, "image 1"]:
    return (y_prob.max(axis=1) - (y_prob.argmax(axis=1) == y_true))[:, None]


overconfidence = Metric(
    name="overconfidence",
    reads="probabilities",
    rows=_excess,
    bounds=(-1.0, 1.0),
    higher_is_better=False,
)
"""Mean top probability minus accuracy, from -1 to 1: above 0 the model believes itself more than it
should, below 0 less, whatever the bins. At 0 it may still err both ways. Source: Calibration:
the Achilles Heel of Predictive Analytics, doi:10.1186/s12916-019-1466-7."""


def calibrated_error(
    y_prob: Float[np.ndarray, "image category"],
    *,
    draws: int = 2000,
) -> Interval:
    """Simulate the calibration error that a perfectly calibrated model would show here.

    With few images the error of a perfectly calibrated model is far from zero. Each draw makes an
    image's answer right with a chance equal to its confidence, and measures the error. An observed
    error within the interval is no evidence against the model.

    Args:
        y_prob: What the model said; the truth plays no part.
        draws: Number of simulated truths.

    Returns:
        The mean error of a calibrated model, and the interval of 95 % of its errors.

    Raises:
        ValueError: If the probabilities or ``draws`` cannot be used.
    """
    if draws < 1:
        raise ValueError(f"expected at least one draw, found {draws}; 2000 is customary")
    confidence = as_probabilities(None, y_prob).max(axis=1)
    right = np.random.default_rng(0).random((draws, len(confidence))) < confidence
    bins = np.eye(BINS)[_bin_of(confidence, BINS)]
    errors = _sum_of_sizes((confidence - right) @ bins / len(confidence))
    return percentile(float(errors.mean()), errors)


def reliability(
    y_true: Int[np.ndarray, " image"],
    y_prob: Float[np.ndarray, "image category"],
    *,
    bins: int = BINS,
) -> Reliability:
    """Return the reliability curve of the top probability, with the 95 % interval of each bin.

    Args:
        y_true: True class of each image.
        y_prob: What the model said.
        bins: Number of bins of equal width between 0 and 1.

    Raises:
        ValueError: If the arrays cannot be used or there is no bin.
    """
    if bins < 1:
        raise ValueError(f"expected at least one bin, found {bins}; {BINS} is customary")
    y_prob = as_probabilities(y_true, y_prob)
    confidence = y_prob.max(axis=1)
    right = (y_prob.argmax(axis=1) == y_true).astype(float)
    where = _bin_of(confidence, bins)
    count = np.bincount(where, minlength=bins)
    filled = count > 0
    total = count[filled].astype(float)
    hits = np.bincount(where, right, minlength=bins)[filled]
    sureness = np.bincount(where, confidence, minlength=bins)[filled]

    def spread(values: Float[np.ndarray, " filled"]) -> Float[np.ndarray, " bin"]:
        every = np.full(bins, np.nan)
        every[filled] = values
        return every

    low, high = wilson_bounds(hits, total)
    edges = np.linspace(0, 1, bins + 1)
    return Reliability(edges, count, *map(spread, (sureness / total, hits / total, low, high)))

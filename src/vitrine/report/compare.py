"""Compare two runs on the same test images, as Markdown for a pull request."""

import numpy as np

from vitrine.data.catalog import CLASSES
from vitrine.metrics.classes import per_class
from vitrine.metrics.paired import mcnemar, paired_bootstrap
from vitrine.metrics.panel import METRICS
from vitrine.training.runs import Run, align

__all__ = ["to_markdown"]

MOST = 20
"""Changed images that are listed; the others are counted."""


def to_markdown(first: Run, second: Run) -> str:
    """Return what changes from the first run to the second: scores, classes, images.

    Args:
        first: The reference.
        second: What is compared with it, on the same test images.

    Raises:
        RunError: If they were not made on the same images.
    """
    a, b = align(first, second)
    lines = [f"### `{second.name}` against `{first.name}` on {len(a.truth)} test images", ""]
    lines += ["| metric | first | second | gap [95 %] |", "|---|--:|--:|--:|"]
    for name, metric in METRICS.items():
        gap = paired_bootstrap(a.truth, a.probabilities, b.probabilities, metric)
        scores = (metric(a.truth, part.probabilities) for part in (a, b))
        shown = " | ".join(f"{score:.3f}" for score in scores)
        lines.append(f"| {name} | {shown} | {gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] |")
    test = mcnemar(a.truth, a.predicted, b.predicted)
    lines += ["", f"Exact McNemar test on accuracy: p = {test.p_value:.3g}.", ""]

    lines += ["| class | F1 first | F1 second | gap |", "|---|--:|--:|--:|"]
    before, after = (per_class(a.truth, part.predicted, categories=len(CLASSES)) for part in (a, b))
    for k, label in enumerate(CLASSES):
        x, y = before[k].f1.value, after[k].f1.value
        lines.append(f"| {label} | {x:.3f} | {y:.3f} | {y - x:+.3f} |")

    changed = np.flatnonzero(a.predicted != b.predicted)
    lines += ["", f"{len(changed)} images change label" + (":" if len(changed) else "."), ""]
    for i in changed[:MOST]:
        labels = [CLASSES[k] for k in (a.truth[i], a.predicted[i], b.predicted[i])]
        lines.append(f"- `{a.image[i]}` ({labels[0]}): {labels[1]} → {labels[2]}")
    if len(changed) > MOST:
        lines.append(f"- and {len(changed) - MOST} more")
    return "\n".join(lines)

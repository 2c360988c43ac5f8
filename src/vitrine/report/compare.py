"""Compare two runs on the same test images, as Markdown for a pull request."""

import numpy as np

from vitrine.metrics.classes import confusion
from vitrine.metrics.paired import mcnemar, paired_bootstrap
from vitrine.metrics.panel import METRICS
from vitrine.training.runs import Run, align

__all__ = ["to_markdown"]

MOST = 20
"""Classes that are listed, and changed images: the others are counted."""


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
    classes = first.classes
    tables = [confusion(a.truth, part.predicted, categories=len(classes)) for part in (a, b)]
    seen = np.array([table.sum(0) + table.sum(1) for table in tables])
    with np.errstate(invalid="ignore"):  # a class that is neither there nor answered has none
        f1 = 2 * np.array([table.diagonal() for table in tables]) / seen
    gaps = f1[1] - f1[0]
    for k in np.sort(np.argsort(-abs(gaps), kind="stable")[:MOST]):  # of many, those that moved
        lines.append(f"| {classes[k]} | {f1[0, k]:.3f} | {f1[1, k]:.3f} | {gaps[k]:+.3f} |")

    changed = np.flatnonzero(a.predicted != b.predicted)
    lines += ["", f"{len(changed)} images change label" + (":" if len(changed) else "."), ""]
    for i in changed[:MOST]:
        labels = [classes[k] for k in (a.truth[i], a.predicted[i], b.predicted[i])]
        lines.append(f"- `{a.image[i]}` ({labels[0]}): {labels[1]} → {labels[2]}")
    if len(changed) > MOST:
        lines.append(f"- and {len(changed) - MOST} more")
    return "\n".join(lines)

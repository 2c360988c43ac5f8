"""Metrics of classifiers with their intervals, from arrays alone: no file is read, nothing drawn.

Everything starts from the true class of some images and what a model predicted for them::

    y_true, y_pred -inputs-> checked -metrics-> one number -+
                                                            |
    one model       intervals    Interval, Wilson           |
                    resampling   bootstrap                  | panel: one model
                    classes      confusion, one class       | in one call
                    calibration  reliability, its floor     |
                    temperature  the remedy                 |
                    decision     abstention, costs ---------+
    two models      paired       gap on the same images, McNemar, flipped signs, Holm
                    settling     the rule that calls a gap settled, and its power by simulation
                    temperature  their answers together, each with its weight
    two groups      paired       are some images easier than the others
    many trainings  resampling   the mean over seeds, images and seeds drawn together
                    folds        repeated cross-validation, corrected
                    table        recipes of one run or of several, and their announced pairs
    before any      power        the smallest gap that so many images can show

``y_pred`` are predicted labels, or probabilities wherever a score reads them; a score of labels
given probabilities takes the most probable class, the first one on a tie. Rates are shares between
0 and 1, never percentages. A gap is always ``candidate - baseline``, in the unit of its metric.
"""

from vitrine.metrics.intervals import Interval

__all__ = ["Interval"]

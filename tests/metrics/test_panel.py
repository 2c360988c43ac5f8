import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

import vitrine.metrics
from vitrine.metrics import calibration, metrics
from vitrine.metrics.intervals import wilson
from vitrine.metrics.metrics import Metric
from vitrine.metrics.panel import METRICS, panel
from vitrine.metrics.resampling import bootstrap


def test_the_panel_holds_every_headline_score_in_order(draw):
    truth, probabilities = draw()

    scores = panel(truth, probabilities)

    assert list(scores) == [
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "top2_accuracy",
        "log_loss",
        "brier",
        "expected_calibration_error",
    ]
    for name, interval in scores.items():
        assert interval.value == METRICS[name](truth, probabilities)
        assert interval.low < interval.value < interval.high


def test_the_panel_gives_wilsons_interval_to_proportions_and_a_bootstrap_to_the_rest(draw):
    truth, probabilities = draw()
    right = int((probabilities.argmax(axis=1) == truth).sum())

    scores = panel(truth, probabilities, draws=500, level=0.9, seed=3)

    options = {"draws": 500, "level": 0.9, "seed": 3}
    assert scores["accuracy"] == wilson(right, 158, level=0.9)
    assert scores["brier"] == bootstrap(truth, probabilities, METRICS["brier"], **options)


def test_every_metric_that_has_a_french_name_is_in_the_panel():
    modules = pkgutil.iter_modules(vitrine.metrics.__path__)
    held = [vars(importlib.import_module(f"vitrine.metrics.{m.name}")) for m in modules]
    declared = {v.name for names in held for v in names.values() if isinstance(v, Metric)}

    named = {v.name for names in held for v in names.values() if getattr(v, "french", "")}

    assert named == set(METRICS)
    assert declared - named == {"overconfidence"}


def test_metrics_say_what_they_mean_and_where_they_come_from():
    told = {}
    for module in (metrics, calibration):
        for declared, text in pairwise(ast.parse(inspect.getsource(module)).body):
            if isinstance(declared, ast.Assign) and "Metric(" in ast.unparse(declared):
                told[ast.unparse(declared.targets[0])] = text.value.value

    assert set(METRICS) < set(told)
    for name, text in told.items():
        cited = "doi:" in text or "arXiv:" in text
        assert text.endswith(".") and cited == (name not in ("accuracy", "top2_accuracy"))
    falling = {name for name, metric in METRICS.items() if not metric.higher_is_better}
    assert falling == {"log_loss", "brier", "expected_calibration_error"}


def test_scores_need_no_framework_and_no_plot():
    program = (
        "import sys, pkgutil, importlib, vitrine.metrics as scores\n"
        "for module in pkgutil.iter_modules(scores.__path__):\n"
        "    importlib.import_module('vitrine.metrics.' + module.name)\n"
        "print(sorted({'torch', 'tensorflow', 'plotly', 'pandas'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.usefixtures("outside_tests")
def test_the_panel_refuses_labels():
    with pytest.raises(ValueError, match="pass the probabilities of the run, not its labels"):
        panel(np.array([0, 1]), np.array([0, 1]))

"""Two runs of many classes are compared in a page: the classes that moved are listed."""

import numpy as np

from vitrine import paths
from vitrine.report import compare
from vitrine.training.runs import Predictions, Run


def test_of_many_classes_those_that_moved_are_listed_by_the_names_of_the_run(monkeypatch):
    classes = [f"c{k}" for k in range(300)]
    truth = np.repeat(np.arange(300), 2)
    given = {"first": truth, "second": np.where(truth == 25, 26, truth)}
    images = np.array([f"{k}.png" for k in range(600)])
    parts = [Predictions(images, truth, np.eye(300)[said]) for said in given.values()]
    runs = [Run(name, paths.runs(), {"data": {"classes": classes}}) for name in given]
    monkeypatch.setattr(compare, "METRICS", {})
    monkeypatch.setattr(compare, "align", lambda *_: parts)

    told = compare.to_markdown(*runs).splitlines()

    rows = [line for line in told if line.startswith("| c") and "F1" not in line]
    assert len(rows) == compare.MOST
    assert "| c25 | 1.000 | 0.000 | -1.000 |" in rows
    assert "| c26 | 1.000 | 0.667 | -0.333 |" in rows
    assert "- `50.png` (c25): c25 → c26" in told

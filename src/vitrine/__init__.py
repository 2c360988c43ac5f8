"""Vitrine (French for a shop window): an executable report on sorting product photos.

Everything hangs on two straight paths::

    the report
    archive -fetch-> data/ -catalog-> products -splits-> train / validation / test --+
                      +-images-> uint8 (height, width, 3)                            |
    recipes.RECIPES -----------------------------------------------------------------+
                                                   training: keras, torch, probe, text
                                                                                     |
             runs/<run>/ {run.json, history.csv, predictions.csv, TensorBoard events}
                                                                                     | metrics
                            numbers with intervals -figures, tables-> notebook cells -> book
                                               +-ledger-> numbers in the prose

    the product
    runs/<run>/ weights -serving.export-> model.onnx -predictor-> api -> ui

An import goes up the table of ``tests/test_architecture.py`` only, and nothing is re-exported here.
"""

__version__ = "0.2.0"

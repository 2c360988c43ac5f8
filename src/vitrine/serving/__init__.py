"""The trained classifier as a product: a file that says what it is, then a service over HTTP.

::

    a run's weights -export-> model.onnx + model.json -predictor-> Predictor -api-> HTTP -> ui
                       |               |                              ^
                    network          card (what model.json says)      |
                    (the graph)                            settings, problems, intake, pool,
                                                           telemetry (what a service needs)

``export`` alone knows PyTorch and TensorFlow. From ``predictor`` on, ONNX Runtime, Pillow and NumPy
are enough: the image of the service holds neither framework.
"""

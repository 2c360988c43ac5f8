"""Export a trained classifier, serve it over HTTP, show it on a web page.

::

    a run's weights -export-> model.onnx + model.json -predictor-> Predictor -api-> HTTP -> ui
                       |                |                             ^
           quantize, evaluation    card, model_folder     routes and open_inference (with tensors)
                                                          over service, loaded_models, worker_pool,
                                                          request_body, problems, telemetry

``supervisor`` runs the service and the page together; ``server`` runs either on its port.
``export`` alone knows PyTorch and TensorFlow. From ``predictor`` on, ONNX Runtime, Pillow and NumPy
are enough: the image of the service holds neither framework.
"""

"""Explanations of a trained model: saliency maps, occlusion, borrowed parts, robustness.

Four questions are put to any model, as a function from ``uint8`` photos to probabilities:
``robustness`` (spoiled or reduced photos), ``importance`` (parts of a photo taken from another),
``occlusion`` (a patch hidden at each place) and ``embedding`` (a map of what its last layer reads).
Three need a network of PyTorch: ``gradients``, ``stages`` and ``attention``. ``sanity`` asks of a
map whether it depends on what was learned. ``derive`` computes the facts of a run, then tracked.

The Keras network answers occlusion through its ONNX file (``exported``), the other three itself;
TensorFlow and PyTorch never meet, as a process explains one run.
"""

"""Explanations of a trained model: saliency maps, occlusion, borrowed parts, robustness.

Four questions are put to any model, as a function from ``uint8`` photos to probabilities:
``robustness`` (spoiled or reduced photos), ``importance`` (parts of a photo taken from another),
``occlusion`` (a patch hidden at each place) and a map of what its last layer reads, in ``derive``,
which computes the facts of a run, then tracked. Three need a network of PyTorch: integrated
gradients (``local``), activations and attention (``stages``). ``local`` asks of a map too whether
it depends on what was learned.

The Keras network answers occlusion through its ONNX file (``exported``), the other three itself;
TensorFlow and PyTorch never meet, as a process explains one run.
"""

INPUT, LOGITS, EVIDENCE = NAMES = "image", "logits", "evidence"
"""Names of the input and of the outputs of every ONNX file that we export."""

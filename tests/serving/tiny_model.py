"""A model that a test can foresee: each class has a colour, and evidence for it is likeness.

It is written operator by operator, without a framework, and has the form of an exported network:
bytes in, logits and evidence out.
"""

import hashlib

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from vitrine.data import images
from vitrine.data.catalog import CLASSES_FR
from vitrine.explain import EVIDENCE, INPUT, LOGITS
from vitrine.serving.card import CARD, MODEL, Card, Doubt, Label, Parity
from vitrine.serving.card import Score as Metric

SIDE, PLACES = 32, 4
COLOURS = {
    "Baby Care": "red",
    "Beauty and Personal Care": "lime",
    "Computers": "blue",
    "Home Decor & Festive Needs": "yellow",
    "Home Furnishing": "magenta",
    "Kitchen & Dining": "cyan",
    "Watches": "black",
}
SIGNS = np.array(
    [[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1], [-1, -1, -1]],
    dtype=np.float32,
)
"""Red, green and blue of each class's colour: 1 is full, -1 is none."""
BIAS = np.zeros(7, dtype=np.float32)


def graph(side=SIDE, classes=7, scale=4.0):
    """Return the bytes of the model."""
    weights = {
        "half": np.float32(127.5),
        "signs": scale * SIGNS[:classes, :, None, None],
        "axes": np.array([2, 3], dtype=np.int64),
        "bias": BIAS[:classes],
    }
    kernel = side // PLACES
    nodes = [
        helper.make_node("Cast", [INPUT], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["float", "half"], ["centred"]),
        helper.make_node("Div", ["centred", "half"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["planes"], ["places"], kernel_shape=[kernel] * 2, strides=[kernel] * 2
        ),
        helper.make_node("Conv", ["places", "signs"], [EVIDENCE]),
        helper.make_node("ReduceMean", [EVIDENCE, "axes"], ["mean"], keepdims=0),
        helper.make_node("Add", ["mean", "bias"], [LOGITS]),
    ]
    built = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["batch", side, side, 3])],
        [
            helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, ["batch", classes]),
            helper.make_tensor_value_info(
                EVIDENCE, TensorProto.FLOAT, ["batch", classes, PLACES, PLACES]
            ),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    checker.check_model(model, full_check=True)
    return model.SerializeToString()


def card(model, **changes):
    """Return the card of the model, with some fields changed."""
    score = Metric(value=0.5, low=0.4, high=0.6)
    digest = hashlib.sha256(model).hexdigest()
    fields = {
        "name": "tiny/seed-0",
        "version": f"2026.01.01-{digest[:8]}",
        "sha256": digest,
        "precision": "float32",
        "framework": "none",
        "architecture": "colours",
        "parameters": 28,
        "input_size": SIDE,
        "preprocessing": images.PREP_ID,
        "classes": tuple(
            Label(id=i, label=label, label_fr=french)
            for i, (label, french) in enumerate(CLASSES_FR.items())
        ),
        "temperature": 2.0,
        "doubt": Doubt(uncertain_below=0.5, wanted=0.9, answered=0.5, accuracy=score),
        "test_images": 10,
        "metrics": {"accuracy": score, "macro_f1": score},
        "parity": Parity(images=10, largest_gap=0.0, same_top1=10),
        "data": {"edition": "drawn"},
        "commits": {"training": "0" * 40, "export": "0" * 40},
        "licence": "MIT",
    }
    return Card(**fields | changes)


def write(folder, **changes):
    """Write the model and its card into a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    model = graph()
    (folder / MODEL).write_bytes(model)
    (folder / CARD).write_text(card(model, **changes).to_json(), encoding="utf-8")
    return folder

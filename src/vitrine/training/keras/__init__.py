"""Train a network of ``keras.applications`` on the product photos, in TensorFlow.

The same recipe, the same schedule and the same augmentations as ``vitrine.training.torch``, so that
the framework can be told apart from the architecture; the order in which colours vary and what is
rounded between stay each library's own, and the optimiser starts anew where a backbone thaws.
Every random choice depends on (seed, epoch) and operations are deterministic: a run killed and
resumed equals one never stopped.

Importing this package loads TensorFlow, and timm may then not be imported in the same process: LLVM
aborts it, without an exception. Ask one of the two from a process apart (``training.children``).
"""

from vitrine.training.keras.fit import fit
from vitrine.training.keras.network import build, predict

__all__ = ["build", "fit", "predict"]

"""Train timm's networks on the product photos, through Lightning.

::

    recipe -network-> a timm network -classifier-> loss, optimiser, schedule, average, history
                        trainer (device, precision, processes, a shuffle by seed and epoch)

``fit`` turns a recipe and a split into a run. ``pretrain`` shares the loop; what differs between
the two, the images and how they are augmented, stays with each of them. Every epoch reseeds all
generators from (seed, epoch) and ends with a checkpoint, so that a run killed and resumed equals
one never stopped. Several processes share one global batch: see ``trainer``. The test part is read
once, after training, for the final predictions, in float32 on the CPU.

Importing this package loads timm, which LLVM aborts, without an exception, in a process where
TensorFlow was loaded before. Ask one of the two from a process apart (``training.children``).
"""

from vitrine.training.torch.fit import fit
from vitrine.training.torch.network import build, predict

__all__ = ["build", "fit", "predict"]

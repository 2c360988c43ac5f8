"""Train timm's networks on the product photos, through Lightning.

``fit`` turns a recipe and a split into a run. Every epoch reseeds all generators from (seed,
epoch) and ends with a checkpoint, so that a run killed and resumed equals one never stopped. The
test part is read once, after training, for the final predictions, in float32 on the CPU.
"""

from vitrine.loop.network import build, predict
from vitrine.train_torch.fit import fit

__all__ = ["build", "fit", "predict"]

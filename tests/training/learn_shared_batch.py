"""Two networks learn a corpus that is drawn, without any randomness of their own.

Started alone, or by ``torchrun``, with the folder of the runs as its argument.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from vitrine.data.archive import Receipt
from vitrine.training import recipes
from vitrine.training.pretrain.corpus import Corpus
from vitrine.training.pretrain.fit import fit

WITHOUT_STATISTICS, WITH_THEM = "test_convnext", "test_resnet"
"""A network of timm's that normalises each position alone, and one that normalises over a batch."""
EPOCHS = 3


class Drawn(Corpus):
    """Sixty-four images whose brightness is their class, under noise."""

    def pixels(self, part):
        """Return the images."""
        noise = np.random.default_rng(len(part)).integers(0, 90, (64, 32, 32, 3))
        return (noise + 25 * self.labels(part)[:, None, None, None]).astype(np.uint8)

    def labels(self, part):
        """Return the class of each."""
        return np.arange(64) % 6


def main(base):
    """Train both networks."""
    receipt = Receipt(edition="drawn", manifest_sha256="", source="", files={})
    plain = replace(
        recipes.find("mambavision-micro-pretrain"), image_size=32, windows=(), batch_size=16,
        epochs=EPOCHS, warmup_epochs=0, crop_scale=1.0, flip=False, randaugment="", mixup=0.0,
        cutmix=0.0, drop_path_rate=0.0, precision="float32", ema_decay=0.9,
    )  # fmt: skip
    for architecture in (WITHOUT_STATISTICS, WITH_THEM):
        recipe = replace(plain, name=architecture, architecture=architecture)
        fit(recipe, Drawn(base, receipt, tuple("abcdef")), base=base, device="cpu", threads=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

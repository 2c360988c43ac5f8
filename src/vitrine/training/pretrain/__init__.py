"""Pretrain both architectures on the same small images of ImageNet, for an equal start.

::

    address, ZIP or folder -sources-> data/pretrain/*.npy (decoded once) -corpus-> uint8, in memory
    teacher, fixed crops -answers-> data/pretrain/answers-*.npy, where a recipe has a teacher
    recipe, corpus -fit-> runs/pretrain/<recipe>/seed-<n>/ and the weights that ``vitrine train``
                          carries to the photos

Two protocols are declared by the recipes: the same images seen (``epochs``), and the same seconds
of training (``budget``). The network, the loop and the checkpoints are those of
``vitrine.training.torch``; augmentation runs on the device, on whole batches. ImageNet's terms
allow research and education without commerce: neither the images nor the weights learned from
them are ever shipped.

A corpus is read without PyTorch, which ``fit`` and what it stands on import.
"""

from vitrine.training.pretrain.corpus import Corpus, CorpusError, load

__all__ = ["Corpus", "CorpusError", "load"]

"""The training loop in PyTorch that ``train_torch`` and ``pretrain`` share, through Lightning.

::

    recipe -network-> a timm network -classifier-> loss, optimiser, schedule, average, history
              order (a shuffle by seed and epoch) ----> trainer (device, precision, processes)

What differs between the two, the images and how they are augmented, stays with each of them. Every
epoch reseeds all generators from (seed, epoch) and ends with a checkpoint, so that a run killed and
resumed equals one never stopped. Several processes share one global batch: see ``trainer``.
"""

"""The networks of our own: importing this package registers them with timm.

::

    scan (the recurrence) --> mixers (of tokens) --> mambavision (the network)
                                                         ^            |
    containers (files of weights) --> checkpoints --> backbone        v
                                      (read strictly) (for timm)   adapted (timm's options)
                                                                      |
                                                                      v
                                                         variants (its names in timm)

After ``import vitrine.models``, ``timm.create_model("mambavision_tiny")`` works as for any network
of timm's: nothing else has to be imported to build, train, freeze or export one.

Importing this package loads timm, which LLVM aborts, without an exception, in a process where
TensorFlow was loaded before. Ask one of the two from a process apart (``training.children``).
"""

from vitrine.models import variants  # noqa: F401  (registers the names)

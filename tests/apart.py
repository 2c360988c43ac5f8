"""Scripts in processes of their own that have TensorFlow already, forked from one that imported it.

TensorFlow and PyTorch never meet in one process, and importing either takes as long as most of what
these scripts do with it.
"""

import multiprocessing
import os
import sys
import warnings
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["vitrine.training.keras"])


def keras(script, *arguments, code=0):
    """Run a script, which a recipe may ask for the network ``Tiny``, and return what it printed.

    Args:
        script: Python, to which ``sys.argv[1:]`` gives the arguments, as text.
        arguments: What it is given.
        code: How it is to end.
    """
    with TemporaryDirectory() as folder:
        told = [Path(folder) / name for name in ("stdout", "stderr")]
        given = (script, [*map(str, arguments)], [*map(str, told)], dict(os.environ))
        process = _FORKED.Process(target=_perform, args=given)
        process.start()
        process.join()
        texts = [path.read_text() if path.exists() else "" for path in told]
    assert process.exitcode == code, texts[1][-2000:]
    return CompletedProcess(script, process.exitcode, *texts)


def _perform(script, arguments, told, environment):
    for number, path in enumerate(told, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    sys.argv[1:] = arguments
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("ignore")
    import keras

    keras.applications.Tiny = _tiny
    exec(compile(script, "script", "exec"), {"__name__": "__main__"})


def _tiny(*, include_top, input_shape, pooling, weights, name=None):
    """Return a network that is prepared in a second, with all that a resumed training must keep."""
    from keras import Input, Model, layers

    pixels = Input(input_shape)
    features = layers.Conv2D(8, 3, 2, use_bias=False)(pixels)
    features = layers.ReLU()(layers.BatchNormalization()(features))
    branch = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(features))
    branch = layers.Dropout(0.2, noise_shape=(None, 1, 1, 1))(branch)  # drops paths
    return Model(
        pixels, layers.GlobalAveragePooling2D()(layers.Add()([features, branch])), name=name
    )

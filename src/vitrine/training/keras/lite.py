"""EfficientNet-Lite in Keras, which ``keras.applications`` lacks.

It is the EfficientNet of Tan and Le (arXiv:1905.11946) as TensorFlow published it for phones: no
squeeze-and-excitation, ReLU6, a stem and a last convolution that are never widened, a first and a
last stage that are never deepened. Layers are named as in ``keras.applications``, so that
``vitrine.training.exchange`` carries weights to and from timm's ``tf_efficientnet_lite*``.
"""

import math

import keras
from keras import layers
from keras.initializers import VarianceScaling

__all__ = ["DROP_PATH_RATE", "VARIANTS", "efficientnet_lite"]

VARIANTS = {
    "EfficientNetLite0": (1.0, 1.0),
    "EfficientNetLite1": (1.0, 1.1),
    "EfficientNetLite2": (1.1, 1.2),
    "EfficientNetLite3": (1.2, 1.4),
    "EfficientNetLite4": (1.4, 1.8),
}
"""What widens the channels, and what repeats the blocks."""
STAGES = (
    (1, 16, 1, 3, 1), (2, 24, 6, 3, 2), (2, 40, 6, 5, 2), (3, 80, 6, 3, 2), (3, 112, 6, 5, 1),
    (4, 192, 6, 5, 2), (1, 320, 6, 3, 1),
)  # fmt: skip
"""Blocks, channels, expansion, side of the kernel and stride of each stage."""
STEM, TOP = 32, 1280
DROP_PATH_RATE = 0.2
"""Stochastic depth at the end of the last block, which ``keras.applications`` fixes too."""


def efficientnet_lite(
    architecture: str,
    input_shape: tuple[int, int, int],
    *,
    weights: str | None = None,
    name: str | None = None,
) -> keras.Model:
    """Return the network without its classifier: pixels in [0, 255] in, pooled features out.

    Pixels are divided by 255 and nothing more, as ``keras.applications`` does it; stochastic depth
    rises linearly, as there.

    Args:
        architecture: One of ``VARIANTS``.
        input_shape: Height, width and channels of the pixels.
        weights: Path of the ``.h5`` weights to load; by default they are random.
        name: Name of the model.
    """
    width, depth = VARIANTS[architecture]
    repeats = [math.ceil(count * depth) for count, *_ in STAGES]
    repeats[0], repeats[-1] = STAGES[0][0], STAGES[-1][0]
    places = [(i, j) for i, count in enumerate(repeats) for j in range(count)]
    pixels = keras.Input(input_shape)
    x = layers.Rescaling(1 / 255)(pixels)
    x = _normed(x, layers.Conv2D(STEM, 3, 2, **_kernel("stem_conv")), "stem_")
    for done, (i, j) in enumerate(places):
        _, channels, expansion, side, stride = STAGES[i]
        x = _block(
            x,
            f"block{i + 1}{chr(ord('a') + j)}_",
            channels=_rounded(channels * width),
            expansion=expansion,
            side=side,
            stride=1 if j else stride,
            drop=DROP_PATH_RATE * done / len(places),
        )
    x = _normed(x, layers.Conv2D(TOP, 1, **_kernel("top_conv")), "top_")
    model = keras.Model(pixels, layers.GlobalAveragePooling2D(name="avg_pool")(x), name=name)
    if weights:
        model.load_weights(weights)
    return model


def _block(
    x: keras.KerasTensor,
    name: str,
    *,
    channels: int,
    expansion: int,
    side: int,
    stride: int,
    drop: float,
) -> keras.KerasTensor:
    """Return what an inverted residual block makes of a map."""
    before, entered = x.shape[-1], x
    if expansion > 1:
        expand = layers.Conv2D(before * expansion, 1, **_kernel(f"{name}expand_conv"))
        x = _normed(x, expand, f"{name}expand_")
    depthwise = layers.DepthwiseConv2D(
        side, stride, **_kernel(f"{name}dwconv", "depthwise_initializer")
    )
    x = _normed(x, depthwise, name)
    x = layers.Conv2D(channels, 1, **_kernel(f"{name}project_conv"))(x)
    x = layers.BatchNormalization(name=f"{name}project_bn")(x)
    if stride > 1 or channels != before:
        return x
    x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, entered])


def _kernel(name: str, initializer: str = "kernel_initializer") -> dict[str, object]:
    law = VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")
    return {"padding": "same", "use_bias": False, "name": name, initializer: law}


def _normed(x: keras.KerasTensor, convolution: layers.Layer, name: str) -> keras.KerasTensor:
    """Convolve, normalise by the batch, keep what lies between 0 and 6."""
    x = layers.BatchNormalization(name=f"{name}bn")(convolution(x))
    return layers.Activation("relu6", name=f"{name}activation")(x)


def _rounded(channels: float) -> int:
    """Return the nearest multiple of 8 that keeps nine tenths of the channels."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest

"""Feed the training loop with ``tf.data``: the recipe's augmentations, each drawn from a seed."""

import numpy as np
import tensorflow as tf
from jaxtyping import Int, UInt8

from vitrine.data.shards import Shards
from vitrine.training.recipes import Recipe, epoch_seed

__all__ = ["batches"]

RATIOS, TRIES = (3 / 4, 4 / 3), 10
"""Aspect ratios that a random crop may take, and how many are tried: torchvision's."""


def _box(height: int, width: int, seed: tf.Tensor, scale: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the corner and the sides of a crop, by the law of torchvision's RandomResizedCrop.

    The share of the area is uniform in [scale, 1], the aspect's logarithm is uniform; the first try
    that fits is placed anywhere, and where none fits the largest allowed crop is central.
    """
    ratio = tf.math.log(tf.constant(RATIOS))
    drawn = tf.random.stateless_uniform((TRIES + 1, 4), seed)  # area, aspect, corner
    area = height * width * (scale + (1 - scale) * drawn[:TRIES, 0])
    aspect = tf.exp(ratio[0] + (ratio[1] - ratio[0]) * drawn[:TRIES, 1])
    tried = tf.round(tf.sqrt(tf.stack([area / aspect, area * aspect], axis=1)))
    whole = tf.constant([height, width], tf.float32)
    largest = tf.minimum(whole, tf.round(whole[::-1] * [1 / RATIOS[0], RATIOS[1]]))
    sides = tf.concat([tried, largest[None]], axis=0)
    chosen = tf.argmax(tf.reduce_all(sides <= whole, axis=1))  # the first that fits
    extent, room = sides[chosen], whole - sides[chosen]
    begin = tf.where(chosen < TRIES, drawn[chosen, 2:] * (room + 1), room / 2)
    return tf.cast(tf.minimum(begin, room), tf.int32), tf.cast(extent, tf.int32)


def _crop(pixels: tf.Tensor, seed: tf.Tensor, recipe: Recipe) -> tf.Tensor:
    size = (recipe.image_size, recipe.image_size)
    if recipe.crop_scale < 1:
        height, width, channels = pixels.shape
        begin, extent = _box(height, width, seed, recipe.crop_scale)
        pixels = tf.slice(pixels, [*tf.unstack(begin), 0], [*tf.unstack(extent), channels])
    resized = tf.image.resize(pixels, size, antialias=True)
    return tf.ensure_shape(resized, (*size, 3))


def _blend(first: tf.Tensor, second: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(factor * first + (1 - factor) * second, 0.0, 255.0)


def _jitter(pixels: tf.Tensor, seed: tf.Tensor, most: float) -> tf.Tensor:
    """Change brightness, contrast, then saturation, each by a factor in [1 - most, 1 + most]."""
    factors = tf.random.stateless_uniform((3,), seed, 1 - most, 1 + most)
    pixels = _blend(pixels, tf.zeros_like(pixels), factors[0])
    pixels = _blend(pixels, tf.reduce_mean(tf.image.rgb_to_grayscale(pixels)), factors[1])
    return _blend(pixels, tf.image.rgb_to_grayscale(pixels), factors[2])


def _mixup(
    pixels: tf.Tensor, targets: tf.Tensor, seed: tf.Tensor, alpha: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mix each photo of the batch with its mirror place in the batch, in one proportion."""
    seeds = tf.random.split(seed, 2)
    gammas = tf.stack([tf.random.stateless_gamma((), s, alpha) for s in tf.unstack(seeds)])
    share = gammas[0] / tf.reduce_sum(gammas)  # a Beta(alpha, alpha) variable
    return (
        share * pixels + (1 - share) * pixels[::-1],
        share * targets + (1 - share) * targets[::-1],
    )


def batches(
    pixels: UInt8[np.ndarray, "image height width 3"] | Shards,
    labels: Int[np.ndarray, " image"],
    recipe: Recipe,
    *,
    seed: int,
    epoch: int,
    classes: int,
) -> tf.data.Dataset:
    """Return the whole batches of one epoch: float pixels in [0, 255] and soft targets.

    Args:
        pixels: Decoded photos, uint8, larger than the recipe's size so that a crop has room. Of
            those that are memory-mapped, no more is in memory than a few batches.
        labels: Class of each.
        recipe: Says which augmentations, and the size they end at.
        seed: Seed of the run.
        epoch: Number of the epoch, from 0: with the seed it decides the order and every draw.
        classes: Number of classes.
    """
    first = epoch_seed(seed, epoch)
    order = np.random.default_rng(first).permutation(len(labels))

    def photo(i: np.int64) -> UInt8[np.ndarray, "height width 3"]:
        return np.asarray(pixels[i])

    def augment(i: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        seed = tf.stack([first, tf.cast(i, tf.int32)])
        crop, flip, jitter = tf.unstack(tf.random.split(seed, 3))
        # Without a state, or determinism would have the photos augmented one after another.
        read = tf.numpy_function(photo, [i], tf.uint8, stateful=False)
        image = _crop(tf.ensure_shape(read, pixels.shape[1:]), crop, recipe)
        if recipe.flip:
            mirrored = tf.random.stateless_uniform((), flip) < 1 / 2
            image = tf.where(mirrored, image[:, ::-1], image)
        if recipe.jitter:
            image = _jitter(image, jitter, recipe.jitter)
        return image, tf.one_hot(tf.gather(labels, i), classes)

    data = tf.data.Dataset.from_tensor_slices(order.astype(np.int64))
    data = data.map(augment, tf.data.AUTOTUNE, deterministic=True)
    data = data.batch(recipe.batch_size, drop_remainder=True)
    if recipe.mixup:
        counted = data.enumerate()
        data = counted.map(
            lambda step, batch: _mixup(
                *batch, tf.stack([first, tf.cast(-1 - step, tf.int32)]), recipe.mixup
            )
        )  # fmt: skip
    return data.prefetch(2)

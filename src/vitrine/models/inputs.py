"""The image a network takes: its axes, type, channels and size, and the windows that suit it."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["check_image", "pair", "scaled_windows"]

AXES = ("image", "channel", "height", "width")


def check_image(
    image: Tensor, in_chans: int | None = None, img_size: tuple[int, int] | None = None
) -> None:
    """Refuse what is no batch of images, before a layer does it in its own terms.

    Args:
        image: What the network is called with.
        in_chans: Channels it has to have; any if None.
        img_size: Height and width it has to have, in pixels; any if None.

    Raises:
        TypeError: If it is not of a floating type.
        ValueError: If its axes, channels or size are others.
    """
    if torch.jit.is_tracing():  # sizes are tensors there, that no branch may read
        return
    shape = tuple(image.shape)
    if len(shape) != len(AXES):
        raise ValueError(
            f"expected images of shape ({', '.join(AXES)}), received {shape}; "
            "for one image, add the first axis with image[None]"
        )
    if not image.is_floating_point():
        raise TypeError(
            f"expected images of a floating type, received {image.dtype}; divide them by 255 and "
            "normalise them, as timm.data.create_transform does"
        )
    if in_chans and shape[1] != in_chans:
        raise ValueError(
            f"expected images of {in_chans} channels, the second axis, received {shape}; convert "
            "them, permute the axes, or create the network with in_chans"
        )
    if img_size and shape[2:] != img_size:
        raise ValueError(
            f"expected images of {img_size[0]} x {img_size[1]} pixels, received "
            f"{shape[2]} x {shape[3]}; resize them, call set_input_size, or leave out "
            "strict_img_size"
        )


def pair(side: int | Sequence[int]) -> tuple[int, int]:
    """Return a height and a width, of which a single side is both."""
    tall, wide = (side, side) if isinstance(side, int) else side
    return tall, wide


def scaled_windows(
    windows: Sequence[int | Sequence[int]],
    img_size: int | Sequence[int],
    was: int | Sequence[int] | None = None,
) -> tuple[int | tuple[int, int], ...]:
    """Return the windows that cover as much of a new image as the given ones do of another.

    Args:
        windows: Side of the windows of each level, or their height and width, in positions.
        img_size: Side of the new image, or its height and width, in pixels.
        was: That of the other; None for the one whose map, a sixteenth of it, fills the first
            window, as with all published networks.
    """
    before = pair(was) if was else tuple(16 * side for side in pair(windows[0]))
    pairs = (
        tuple(-(-side * new // old) for side, new, old in zip(pair, after, before, strict=True))
        for pair, after in ((pair(window), pair(img_size)) for window in windows)
    )
    return tuple(tall if tall == wide else (tall, wide) for tall, wide in pairs)

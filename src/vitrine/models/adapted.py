"""A MambaVision adapted as timm's factory may ask: device, type, stride, layers, size of image."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from jaxtyping import Float
from timm.layers import get_act_layer, get_norm_layer
from timm.models._features import FeatureGetterNet
from torch import Tensor, nn

from vitrine.models.backbone import Side
from vitrine.models.mambavision import MambaVision

__all__ = ["MapsByIndex", "adapted"]

STRIDES = (8, 16, 32)
Layer = str | Callable[..., nn.Module]


class MapsByIndex(FeatureGetterNet):
    """The maps of the levels by the number of their level, as timm's ``dict`` of features."""

    def forward(self, image: Float[Tensor, "image in_chans height width"]) -> dict[str, Tensor]:
        """Return the maps, from the finest to the coarsest."""
        return dict(zip(map(str, self.out_indices), super().forward(image), strict=True))


def adapted(
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    output_stride: int = 32,
    img_size: Side | None = None,
    strict_img_size: bool = False,
    act_layer: Layer | None = None,
    norm_layer: Layer | None = None,
    norm_layer_cl: Layer | None = None,
    window_size: Sequence[Side],
    **options: Any,
) -> MambaVision:
    """Return a new network, with timm's own options.

    Args:
        device: Where its weights are made.
        dtype: Type of its weights.
        output_stride: Pixels between two positions of the last map, 8, 16 or 32: levels that would
            halve it further are dilated instead.
        img_size: Side of the images, or their height and width, in pixels.
        strict_img_size: Whether images of another size are refused.
        act_layer: Activation, or its name in timm, of the patch embedding and of the blocks; the
            mixers keep theirs.
        norm_layer: Normalisation of the maps, in the place of the batch norms.
        norm_layer_cl: Normalisation of the tokens, channels last, in the place of the layer norms.
        window_size: Sides of the windows, for that size of image.
        options: The other arguments of ``MambaVision``.

    Raises:
        ValueError: If the stride is another, if a size is imposed that is not given, or as
            ``MambaVision`` does.
    """
    if strict_img_size and not img_size:
        raise ValueError("expected an img_size beside strict_img_size=True, received none; give it")
    with torch.device(device) if device is not None else nullcontext():
        network = MambaVision(window_size=window_size, **options)
        if act_layer:
            act: Any = get_act_layer(act_layer)
            _replace(network, (nn.ReLU, nn.GELU), lambda _: act())
        if norm_layer:
            norm: Any = get_norm_layer(norm_layer)
            _replace(network, nn.BatchNorm2d, lambda old: norm(old.num_features))
        if norm_layer_cl:
            norm_cl: Any = get_norm_layer(norm_layer_cl)
            _replace(network, nn.LayerNorm, lambda old: norm_cl(*old.normalized_shape))
    _dilate(network, output_stride)
    network.patch_embed.strict_img_size = strict_img_size
    if img_size:
        network.set_input_size(img_size, window_size)
    return network.to(dtype=dtype) if dtype else network


def _replace(
    network: nn.Module, kinds: type | tuple[type, ...], make: Callable[[Any], nn.Module]
) -> None:
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, kinds):
                setattr(parent, name, make(child))


def _dilate(network: Any, output_stride: int) -> None:
    """Dilate the levels beyond a stride, instead of halving their map.

    Every weight sees tokens as far apart as it would on the smaller map that it was made for: one
    position out of ``dilation`` in each direction is what that map would have had there.
    """
    if output_stride not in STRIDES:
        raise ValueError(f"expected an output_stride among {STRIDES}, received {output_stride}")
    dilation = 1
    for above, level, info in zip(
        network.levels, network.levels[1:], network.feature_info[1:], strict=False
    ):
        if info["reduction"] > output_stride:
            (halving,) = above.downsample.reduction
            halving.stride, spread = (1, 1), (dilation, dilation)
            halving.padding = halving.dilation = spread
            dilation *= 2
            level.dilation = dilation
            info["reduction"] = output_stride

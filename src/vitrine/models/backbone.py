"""What timm's factory, optimizers and tools ask of a network in levels, whatever it computes."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from timm.layers import SelectAdaptivePool2d, trunc_normal_
from timm.models._features import feature_take_indices
from timm.models._input import update_model_input_size
from torch import nn

from vitrine.models import checkpoints
from vitrine.models.inputs import pair, scaled_windows

__all__ = ["Backbone", "Side", "check_count", "init_linear"]

Side = int | Sequence[int]
"""A side, or a height and a width."""


def init_linear(module: nn.Module) -> None:
    """Give a linear layer fresh weights, and no other module."""
    if isinstance(module, nn.Linear):
        trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def check_count(count: int, **given: Sequence[Side]) -> None:
    """Refuse sizes that are not so many, or not positive.

    Raises:
        ValueError: If they are not; the message has their name.
    """
    for name, sizes in given.items():
        listed = isinstance(sizes, Sequence)
        if not listed or len(sizes) != count or any(min(pair(size)) < 1 for size in sizes):
            found = tuple(sizes) if listed else f"{sizes}, one for all"
            raise ValueError(f"expected {count} positive {name}, received {found}")


class Backbone(nn.Module):
    """A network with ``patch_embed``, ``levels``, ``norm``, ``head_drop`` and ``head``.

    Its head follows ``num_features`` channels, those of ``feature_info`` for its last level.
    """

    patch_embed: Any
    head_drop: Any
    _chosen: Any = None
    """Windows that someone chose, and the size of image that they are for."""

    @property
    def drop_rate(self) -> float:
        """Dropout before the head; it may be set."""
        return self.head_drop.p

    @drop_rate.setter
    def drop_rate(self, rate: float) -> None:
        self.head_drop.p = rate

    def prune_intermediate_layers(
        self, indices: int | Sequence[int] = 1, prune_norm: bool = False, prune_head: bool = True
    ) -> list[int]:
        """Drop what the maps at ``indices`` do not need, and return these indices."""
        take, stop = feature_take_indices(len(self.levels), indices)
        shortened = stop + 1 < len(self.levels)
        self.levels = self.levels[: stop + 1]
        self.levels[-1].downsample = nn.Identity()
        self.num_features = self.feature_info[stop]["num_chs"]
        if prune_norm or shortened:
            self.norm = nn.Identity()
        if prune_head or shortened:
            self.reset_classifier(0, "")
        return take

    def get_classifier(self) -> nn.Module:
        """Return the head."""
        return self.head

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the head by a fresh one, none for 0, and the pooling if one is named.

        Raises:
            ValueError: If a head is asked for over a map that is not pooled.
        """
        pool = self.global_pool.pool_type if global_pool is None else global_pool
        if num_classes and not pool:
            raise ValueError(
                f"expected a pooling before a head of {num_classes} classes, received none; choose "
                "global_pool avg, max, avgmax or catavgmax, or num_classes=0"
            )
        self.global_pool = SelectAdaptivePool2d(pool_type=pool, flatten=bool(pool))
        self.num_classes = num_classes
        self.head_hidden_size = self.num_features * self.global_pool.feat_mult()
        head = nn.Linear(self.head_hidden_size, num_classes) if num_classes else nn.Identity()
        self.head = head.to(next(self.patch_embed.parameters()))
        init_linear(self.head)

    def set_input_size(
        self,
        img_size: Side | None = None,
        window_size: Sequence[Side] | None = None,
        window_ratio: int | Sequence[int] | None = None,
        patch_size: Side | None = None,
        always_partition: bool | None = None,
    ) -> None:
        """Choose the windows of the last two levels, by themselves or for an image.

        Args:
            img_size: Side of the image, or its height and width, in pixels: without a window size,
                the windows grow or shrink with it. It is imposed if the network is strict.
            window_size: As the constructor takes them.
            window_ratio: As in timm, what divides a quarter of the image to make the windows, for
                both levels or for each; rounded down. A window size overrides it.
            patch_size: Of timm's networks; none is accepted.
            always_partition: Of timm's networks; none is accepted.

        Raises:
            ValueError: If the sizes are not so many, if an argument is not accepted, or if a ratio
                is given without any image.
        """
        for name, given in (("patch_size", patch_size), ("always_partition", always_partition)):
            if given is not None:
                raise ValueError(
                    f"expected no {name}, received {given}: patches have 4 pixels a side and a "
                    "map is always cut into windows; leave it out"
                )
        windowed = [level for level in self.levels if level.window_size is not None]
        img_size = pair(img_size) if img_size else self.patch_embed.img_size
        if window_ratio is not None and window_size is None:
            ratios = window_ratio
            if isinstance(ratios, int):
                ratios = [ratios] * len(windowed)
            if not all(isinstance(ratio, int) for ratio in ratios):
                raise ValueError(f"expected whole numbers as window_ratio, received {window_ratio}")
            check_count(len(windowed), window_ratio=ratios)
            if img_size is None:
                raise ValueError("expected an img_size beside window_ratio, received none; give it")
            window_size = [
                tuple(max(1, side // (4 * ratio)) for side in pair(img_size)) for ratio in ratios
            ]
        if window_size is not None:
            check_count(len(windowed), window_size=window_size)
            self._chosen = tuple(window_size), img_size
        elif self._chosen is None:
            self._chosen = tuple(level.window_size for level in windowed), None
        # From the windows chosen, not from the last ones: roundings would add up.
        windows, chosen_for = self._chosen
        windows = scaled_windows(windows, img_size, chosen_for) if img_size else windows
        for level, side in zip(windowed, windows, strict=True):
            level.window_size = side
        self.patch_embed.img_size = img_size
        update_model_input_size(self, img_size, window_size=windows)

    def no_weight_decay(self) -> set[str]:
        """Return the names of the decay rates and of the skips of the scans."""
        names = (name for name, _ in self.named_parameters())
        return {name for name in names if name.endswith((".A_log", ".D"))}

    def group_matcher(self, coarse: bool = False) -> dict:
        """Return the patterns that order the parameters by depth, for a decay by layer."""
        level, with_previous = r"^levels\.(\d+)", (99999,)
        fine = [(level + r"\.blocks\.(\d+)", None), (level + r"\.downsample", with_previous)]
        blocks = [(level, None)] if coarse else fine
        return {"stem": r"^patch_embed", "blocks": [*blocks, (r"^norm", with_previous)]}

    def set_grad_checkpointing(self, enable: bool = True, *, keep_products: bool = False) -> None:
        """Recompute the windowed blocks in the backward pass, instead of keeping what they made.

        The convolutional blocks are kept: computed twice, their batch norms would count twice.

        Args:
            enable: Whether to recompute.
            keep_products: Whether to keep what the large products of matrices and the attention of
                these blocks made, and recompute the rest: less memory is spared, and much less
                time lost. Scans are recomputed in float32 alone.
        """
        for level in self.levels:
            level.grad_checkpointing = enable and level.window_size is not None
            level.keep_products = keep_products

    def load_pretrained(self, path: str | PathLike[str]) -> None:
        """Load a checkpoint, as timm asks for: other classes or channels adapt to the model's."""
        checkpoints.load_checkpoint(self, path, swap_head=True, adapt_stem=True)

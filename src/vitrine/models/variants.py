"""The names of MambaVision: sizes, published weights, registration with timm.

Sizes, crops and scores of the published networks are those of their authors' tables (snapshot of
2026-03-11); ``mambavision_micro`` and ``mambavision_nano`` are ours, and come without weights. A
name may end in the tag of its weights, as ``mambavision_base.nv_in21k_ft_in1k`` does; without one,
the first listed here is meant.

FLOPs are multiply-adds for one image and 1000 classes, half of what ``torch.utils.flop_counter``
counts outside the scans; those, about one in a hundred, are not in them.
"""

from typing import Any, cast

from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models import (
    build_model_with_cfg,
    generate_default_cfgs,
    register_model,
    register_model_deprecations,
    resolve_pretrained_cfg,
)
from timm.models._features import FeatureGetterNet
from torch import nn

from vitrine.models.adapted import MapsByIndex, adapted
from vitrine.models.checkpoints import fetch
from vitrine.models.inputs import scaled_windows

__all__ = ["SIZES"]

COLUMNS = ("depths", "dim", "in_dim", "num_heads", "window_size", "drop_path_rate", "layer_scale")
SIZES = {
    "mambavision_nano": ((1, 1, 5, 3), 16, 16, (2, 4), (14, 7), 0.0, None),
    "mambavision_micro": ((1, 1, 2, 5), 32, 16, (4, 8), (14, 7), 0.0, None),
    "mambavision_tiny": ((1, 3, 8, 4), 80, 32, (8, 16), (14, 7), 0.2, None),
    "mambavision_tiny2": ((1, 3, 11, 4), 80, 32, (8, 16), (14, 7), 0.2, None),
    "mambavision_small": ((3, 3, 7, 5), 96, 64, (8, 16), (14, 7), 0.2, None),
    "mambavision_base": ((3, 3, 10, 5), 128, 64, (8, 16), (14, 7), 0.3, 1e-5),
    "mambavision_large": ((3, 3, 10, 5), 196, 64, (16, 32), (14, 7), 0.3, 1e-5),
    "mambavision_large2": ((3, 3, 12, 5), 196, 64, (16, 32), (14, 7), 0.3, 1e-5),
    "mambavision_large2_512": ((3, 3, 12, 5), 196, 64, (16, 32), (32, 16), 0.3, 1e-5),
    "mambavision_large3_256": ((3, 3, 20, 10), 256, 64, (16, 32), (16, 8), 0.5, 1e-5),
    "mambavision_large3_512": ((3, 3, 20, 10), 256, 64, (16, 32), (32, 16), 0.5, 1e-5),
}


GETTERS = {"list": FeatureGetterNet, "dict": MapsByIndex}
"""What stands for timm's extractors that need the maps to be outputs of top-level modules."""


def _cfg(side: int = 224, **published: object) -> dict:
    return {
        "input_size": (3, side, side),
        "pool_size": (side // 32, side // 32),
        "interpolation": "bicubic",
        "crop_pct": 1.0,
        "mean": IMAGENET_DEFAULT_MEAN,
        "std": IMAGENET_DEFAULT_STD,
        "num_classes": 1000,
        "first_conv": "patch_embed.conv_down.0",
        "classifier": "head",
        "paper_name": "MambaVision: A Hybrid Mamba-Transformer Vision Backbone",
        "paper_ids": "arXiv:2407.08083",
        **published,
    }


def _nvidia(repository: str, file: str, side: int = 224, **published: object) -> dict:
    return _cfg(
        side,
        hf_hub_id=f"nvidia/MambaVision-{repository}",
        hf_hub_filename=f"mambavision_{file}.pth.tar",
        license="cc-by-nc-sa-4.0",
        notes=("the model cards say NVIDIA Source Code License-NC: non-commercial either way",),
        **published,
    )


_SQUASH = {"crop_pct": 0.93, "crop_mode": "squash"}
default_cfgs = generate_default_cfgs(
    {
        "mambavision_nano": _cfg(),
        "mambavision_micro": _cfg(),
        "mambavision_tiny.nv_in1k": _nvidia("T-1K", "tiny_1k"),
        "mambavision_tiny2.nv_in1k": _nvidia("T2-1K", "tiny2_1k", crop_pct=0.98),
        "mambavision_small.nv_in1k": _nvidia("S-1K", "small_1k", crop_pct=0.93),
        "mambavision_base.nv_in1k": _nvidia("B-1K", "base_1k"),
        "mambavision_base.nv_in21k_ft_in1k": _nvidia("B-21K", "base_21k"),
        "mambavision_large.nv_in1k": _nvidia("L-1K", "large_1k"),
        "mambavision_large.nv_in21k_ft_in1k": _nvidia("L-21K", "large_21k"),
        "mambavision_large2.nv_in1k": _nvidia("L2-1K", "large2_1k"),
        "mambavision_large2_512.nv_in21k_ft_in1k": _nvidia(
            "L2-512-21K", "L2_21k_240m_512", 512, **_SQUASH
        ),
        "mambavision_large3_256.nv_in21k_ft_in1k": _nvidia("L3-256-21K", "L3_21k_740m_256", 256),
        "mambavision_large3_512.nv_in21k_ft_in1k": _nvidia(
            "L3-512-21K", "L3_21k_740m_512", 512, **_SQUASH
        ),
    }
)


def _create(name: str, pretrained: bool, **kwargs: Any) -> nn.Module:
    overlay = dict(kwargs.pop("pretrained_cfg_overlay", None) or {})
    cfg = resolve_pretrained_cfg(name, kwargs.get("pretrained_cfg"), overlay)
    downloads = pretrained and cfg.hf_hub_id and not (cfg.file or cfg.source or cfg.state_dict)
    if downloads:
        overlay["file"] = str(fetch(cfg, kwargs.get("cache_dir")))
    if downloads or (cfg.file and not cfg.source):
        # Files are read by our own loader, that is strict and knows their prefixes.
        overlay["custom_load"] = True
    sizes = dict(zip(COLUMNS, SIZES[name], strict=True))
    if side := kwargs.get("img_size", kwargs.get("strict_img_size") and cfg.input_size[-2:]):
        kwargs["img_size"] = side
        sizes["window_size"] = scaled_windows(sizes["window_size"], side)
    features: dict[str, Any] = {"out_indices": (0, 1, 2, 3), "feature_cls": "getter"}
    features |= kwargs.pop("feature_cfg", {})
    kind = kwargs.pop("feature_cls", features["feature_cls"])
    features["feature_cls"] = GETTERS.get(kind, kind)
    model = build_model_with_cfg(
        adapted,
        name,
        pretrained,
        pretrained_cfg_overlay=overlay,
        feature_cfg=features,
        **{**sizes, **kwargs},
    )
    if downloads:  # the path is this machine's: the hub's identifiers are what to keep
        cast(Any, model.pretrained_cfg).pop("file")
    return model


@register_model
def mambavision_nano(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """Ours, 1.0 M parameters, 0.13 GFLOPs at 224: for smoke runs, teaching and the service."""
    return _create("mambavision_nano", pretrained, **kwargs)


@register_model
def mambavision_micro(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """Ours, 4.7 M parameters, 0.44 GFLOPs at 224, beside 5.3 M and 0.39 for EfficientNet-B0."""
    return _create("mambavision_micro", pretrained, **kwargs)


@register_model
def mambavision_tiny(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """MambaVision-T, 31.8 M parameters, 4.6 GFLOPs at 224; published top-1 82.3 %."""
    return _create("mambavision_tiny", pretrained, **kwargs)


@register_model
def mambavision_tiny2(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """MambaVision-T2, 35.1 M parameters, 5.2 GFLOPs at 224; published top-1 82.7 %."""
    return _create("mambavision_tiny2", pretrained, **kwargs)


@register_model
def mambavision_small(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """MambaVision-S, 50.1 M parameters, 7.6 GFLOPs at 224; published top-1 83.3 %."""
    return _create("mambavision_small", pretrained, **kwargs)


@register_model
def mambavision_base(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """MambaVision-B, 97.7 M parameters, 15.2 GFLOPs at 224; published top-1 84.2 %, 21K 84.9."""
    return _create("mambavision_base", pretrained, **kwargs)


@register_model
def mambavision_large(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """MambaVision-L, 228.0 M parameters, 35.2 GFLOPs at 224; published top-1 85.0 %, 21K 86.1."""
    return _create("mambavision_large", pretrained, **kwargs)


@register_model
def mambavision_large2(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """MambaVision-L2, 241.6 M parameters, 37.9 GFLOPs at 224; published top-1 85.3 %."""
    return _create("mambavision_large2", pretrained, **kwargs)


@register_model
def mambavision_large2_512(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """MambaVision-L2, 241.6 M parameters, windows for 512: 206 GFLOPs; published top-1 87.3 %."""
    return _create("mambavision_large2_512", pretrained, **kwargs)


@register_model
def mambavision_large3_256(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """MambaVision-L3, 739.6 M parameters, windows for 256: 124 GFLOPs; published top-1 87.3 %."""
    return _create("mambavision_large3_256", pretrained, **kwargs)


@register_model
def mambavision_large3_512(pretrained: bool = False, **kwargs: object) -> nn.Module:
    """MambaVision-L3, 739.6 M parameters, windows for 512: 511 GFLOPs; published top-1 88.1 %."""
    return _create("mambavision_large3_512", pretrained, **kwargs)


# The names of the authors' own package.
register_model_deprecations(
    __name__,
    {
        f"mamba_vision_{letter}": f"mambavision_{name}"
        for letter, name in (
            ("T", "tiny.nv_in1k"),
            ("T2", "tiny2.nv_in1k"),
            ("S", "small.nv_in1k"),
            ("B", "base.nv_in1k"),
            ("B_21k", "base.nv_in21k_ft_in1k"),
            ("L", "large.nv_in1k"),
            ("L_21k", "large.nv_in21k_ft_in1k"),
            ("L2", "large2.nv_in1k"),
            ("L2_512_21k", "large2_512.nv_in21k_ft_in1k"),
            ("L3_256_21k", "large3_256.nv_in21k_ft_in1k"),
            ("L3_512_21k", "large3_512.nv_in21k_ft_in1k"),
        )
    },
)

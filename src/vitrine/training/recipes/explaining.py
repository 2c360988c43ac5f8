"""Recipes of MobileNetV2's probe and of its controls: smaller photos, random weights."""

from dataclasses import replace

from vitrine.training.recipes.recipe import Recipe
from vitrine.training.recipes.scratch import SCRATCH

__all__ = ["EXPLAINING", "INT8_PROBE"]

INT8_PROBE = Recipe(
    name="mobilenetv2-int8-probe",
    trainer="probe",
    architecture="tflite:MobilenetV2/Logits/AvgPool",
    weights="mobilenet_v2_1.0_224_quant.tflite",
    backbone="frozen",
    source="ours; Kornblith et al., Do Better ImageNet Models Transfer Better?, "
    "arXiv 1805.08974, for the protocol of the linear probe",
)

_SLOW = {"epochs": 25, "batch_size": 8, "learning_rate": 1e-5, "weight_decay": 0.01}

EXPLAINING = (
    replace(
        INT8_PROBE,
        name="mobilenetv2-int8-slow-head",
        **_SLOW,
        source="the earlier proof of concept, as ressources/README.md tells it",
    ),
    replace(
        INT8_PROBE,
        name="mobilenetv2-int8-fast-head",
        **_SLOW | {"learning_rate": 1e-3},
        source="ours: the slow head, at a rate a hundred times as high",
    ),
    replace(
        INT8_PROBE,
        name="mobilenetv2-int8-probe-128",
        image_size=128,
        source="ours: the probe, on photos no larger than those of the networks from scratch",
    ),
    Recipe(
        name="mobilenetv2-random-probe",
        trainer="probe",
        architecture="timm:mobilenetv2_100",
        backbone="frozen",
        source="ours: the probe, on a network of the same shape that has learned nothing",
    ),
    Recipe(
        name="mobilenetv2-torch-scratch",
        trainer="torch",
        architecture="mobilenetv2_100",
        norm_momentum=0.01,
        **SCRATCH,
    ),
)

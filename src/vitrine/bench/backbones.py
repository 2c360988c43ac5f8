"""Benchmark candidate backbones beside the baseline: parameters, multiply-adds, speed.

timm builds each without weights. What is not measured is not here: accuracy on ImageNet is cited,
from ``ressources/backbones.csv``, which also lists the candidates; the licence of the published
weights is the one that timm's registry declares.
"""

import csv
from dataclasses import replace
from typing import Any

import timm
import torch
from timm.models import get_pretrained_cfg
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.onnx import OnnxExporterError
from torch.utils.flop_counter import FlopCounterMode

import vitrine.models  # noqa: F401  (registers the models)
from vitrine import paths
from vitrine.bench.clock import Bench, inferring
from vitrine.bench.model import compare_onnx
from vitrine.models.rebuilt import image
from vitrine.models.scan.derivatives import flops_outside_scans

__all__ = ["BASELINE", "candidates", "measure", "multiply_adds"]

BASELINE = "tf_efficientnet_b0.in1k"
"""What the ratios compare to."""
BATCH = 8
QUICK = {BASELINE: 64, "mambavision_nano": 64}


def candidates() -> dict[str, int]:
    """Return the names of the candidates, in timm's registry, with the side of their images."""
    path = paths.root() / "ressources" / "backbones.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["model"]: int(row["side"]) for row in csv.DictReader(lines)}


def measure(bench: Bench) -> dict[str, Any]:
    """Return the results of the candidates: a row each, and a row each in ONNX Runtime; no bar.

    ONNX Runtime is asked on the CPU only.
    """
    device = bench.device
    networks, rows, work = {}, {}, {}
    for name, side in (QUICK if bench.quick else candidates()).items():
        networks[name] = network = _build(name).to(device)
        rows[name] = {
            "model": name,
            "side": side,
            "batch": BATCH,
            "parameters": sum(p.numel() for p in network.parameters()),
            "multiply_adds": multiply_adds(network, side, device),
            "licence": getattr(get_pretrained_cfg(name), "license", None),
        }
        batch = image(BATCH, side, side).to(device, memory_format=torch.channels_last)
        work[name] = inferring(network, batch)
    timings = bench.time(work)
    for name, row in rows.items():
        row |= timings.row(name, BASELINE, BATCH)
        bench.tell(
            f"backbone {name:38} {row['parameters'] / 1e6:6.1f} M "
            f"{row['multiply_adds'] / 1e9:6.2f} G multiply-adds "
            f"{row['images_per_second']:7.2f} img/s {row['ratio']:5.2f}x {BASELINE}"
        )
    onnx = []
    if device == "cpu":
        onnx = [_runtime(name, net, rows[name]["side"], bench) for name, net in networks.items()]
    return {"baseline": BASELINE, "rows": list(rows.values()), "onnx": onnx}


def multiply_adds(network: nn.Module, side: int, device: str = "cpu") -> float:
    """Return the multiply-adds of one image: convolutions and products of matrices.

    Attention is counted as the products that it is. Scans and pointwise work are not counted, as
    in the published figures.

    Args:
        network: The network, in evaluation mode.
        side: Side of the image, in pixels.
        device: Where the network lies.
    """
    counter = FlopCounterMode(display=False)
    with counter, torch.inference_mode(), sdpa_kernel(SDPBackend.MATH):
        network(torch.zeros(1, 3, side, side, device=device))
    return flops_outside_scans(counter) / 2


def _build(name: str) -> nn.Module:
    torch.manual_seed(0)
    return timm.create_model(name).eval().to(memory_format=torch.channels_last)


def _runtime(name: str, network: nn.Module, side: int, bench: Bench) -> dict[str, Any]:
    """Return the row of ONNX Runtime; where the exporter refuses, what it says."""
    try:
        (row,) = compare_onnx(name, network, replace(bench, turns=1), side=side, batches=(BATCH,))
    except OnnxExporterError as error:
        row = {"model": name, "refusal": str(error).strip().splitlines()[0]}
        bench.tell(f"onnx {name}: {row['refusal']}")
    return row

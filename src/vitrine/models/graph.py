"""A trained PyTorch network as an ONNX file: bytes in, logits and their evidence out.

Every classifier exported here ends in the mean of a map, then a linear layer. Both are linear, so
the layer may be applied to each place of the map first: what it gives there is the evidence of that
place for each class, and its mean plus the bias is the logit. This is the class-activation map of
Zhou et al., "Learning Deep Features for Discriminative Localization", arXiv:1512.04150.
"""

import warnings
from typing import Any, cast

import jaxtyping
import numpy as np
import onnx
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

__all__ = ["GraphError", "float_graph", "stripped"]

TOLERANCE = 1e-4


class GraphError(ValueError):
    """A network that has no form outside PyTorch."""


class _Served(nn.Module):
    """The network as its file is called."""

    def __init__(self, network: nn.Sequential) -> None:
        super().__init__()
        self.normalise, self.backbone = network

    def forward(
        self, image: UInt8[Tensor, "batch height width 3"]
    ) -> tuple[Float[Tensor, "batch category"], Float[Tensor, "batch category row column"]]:
        """Return the logits, and what each place adds to each of them."""
        features = self.backbone.forward_features(self.normalise(image.permute(0, 3, 1, 2)))
        head = self.backbone.get_classifier()
        evidence = torch.einsum("bfrc,kf->bkrc", features, head.weight)
        return self.backbone.forward_head(features), evidence


def float_graph(network: nn.Sequential, side: int, *, names: tuple[str, str, str]) -> bytes:
    """Return the ONNX file of a network, in float32, for any number of images.

    Args:
        network: What ``vitrine.training.torch.network.build`` returns, trained: its normalisation,
            then a network of timm.
        side: Side of the square photo, in pixels.
        names: Of the input, of the logits, and of the evidence.

    Raises:
        GraphError: If its logits are not the mean of a map, seen through a linear layer.
    """
    served = _Served(network).eval()
    drawn = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    example = torch.from_numpy(drawn)
    _check_evidence(served, example)
    # Shape checks off: the exporter does not see through them, and an installed package has none.
    checked = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own use of what Python deprecates
            program = torch.onnx.export(
                served,
                (example,),
                dynamo=True,
                dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
                input_names=[names[0]],
                output_names=list(names[1:]),
                verbose=False,
            )
    finally:
        jaxtyping.config.update("jaxtyping_disable", checked)
    return stripped(cast(Any, program).model_proto)


@torch.inference_mode()
def _check_evidence(served: _Served, example: Tensor) -> None:
    try:
        logits, evidence = served(example)
        bias = served.backbone.get_classifier().bias
        gap = float((evidence.mean(dim=(2, 3)) + bias - logits).abs().max())
    except (AttributeError, RuntimeError, TypeError) as error:
        raise GraphError(
            "expected a network that ends in a map, its mean and a linear layer, found another "
            "end; nothing can say where such a network looks"
        ) from error
    if not gap <= TOLERANCE * (1 + float(logits.abs().max())):  # nor where it is no number
        raise GraphError(
            f"expected the mean of the evidence to be the logits, found a difference of {gap:.3g}; "
            "the network does more than a mean before its classifier"
        )


def stripped(model: onnx.ModelProto) -> bytes:
    """Return the file without what the exporter tells of the machine and of the source code."""
    model.doc_string = ""
    del model.metadata_props[:]
    graph = model.graph
    for thing in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        thing.doc_string = ""
        del thing.metadata_props[:]
    for weights in graph.initializer:
        weights.doc_string = ""
        del weights.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)

"""A naive service to compare with ours: ``async def``, the work inside, PyTorch as it is.

``python -m vitrine.bench.naive``, with ARCHITECTURE, SIDE and PORT in the environment. While an
image is decoded or computed the event loop stands still, so that nobody else is answered, not even
a health probe. Weights are fresh ones: they do not change what an answer costs.
"""

import io
import os

import numpy as np
import timm
import torch
import uvicorn
from fastapi import FastAPI, UploadFile
from PIL import Image
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn

from vitrine.data import dataset

__all__ = ["answer", "build", "create_app", "decode"]


def build(architecture: str) -> nn.Module:
    """Return a network of timm with fresh weights, for the classes of the catalogue."""
    return timm.create_model(architecture, num_classes=len(dataset.current().classes)).eval()


def decode(data: bytes, side: int) -> Tensor:
    """Decode in full, resize, normalise: the usual lines, one after another."""
    picture = Image.open(io.BytesIO(data)).convert("RGB").resize((side, side))
    pixels = np.asarray(picture, dtype=np.float32) / 255
    mean, std = np.array((IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD), dtype=np.float32)
    pixels = (pixels - mean) / std
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def answer(network: nn.Module, image: Tensor) -> list[float]:
    """Return the probabilities of an image."""
    with torch.inference_mode():
        return network(image).softmax(dim=1)[0].tolist()


def create_app(architecture: str, side: int) -> FastAPI:
    """Return the application; its routes are those of ours that a load calls."""
    app, network = FastAPI(), build(architecture)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    app.get("/readyz")(healthz)

    @app.post("/api/v1/predict")
    async def predict(file: UploadFile) -> dict[str, list[float]]:
        data = await file.read()
        return {"probabilities": answer(network, decode(data, side))}

    return app


if __name__ == "__main__":
    app = create_app(os.environ["ARCHITECTURE"], int(os.environ["SIDE"]))
    uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning", access_log=False)

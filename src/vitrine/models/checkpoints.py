"""Read weights, published or our own: tensors only, and every key accounted for.

EfficientNets are read under timm's names of layers or under those of ``efficientnet_pytorch``. A
checkpoint that does not fit to the last key is refused, and leaves the model as it was: one loaded
by halves still answers, only wrongly.

``python -m vitrine.models.checkpoints ARCHITECTURE FILE TARGET`` writes a checkpoint again as
safetensors, in timm's names.
"""

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from os import PathLike
from pathlib import Path

import torch
from huggingface_hub import hf_hub_download
from safetensors.torch import save_file
from timm import create_model
from timm.models import PretrainedCfg, adapt_input_conv
from torch import Tensor, nn

from vitrine.models.containers import INDEX, CheckpointError, opened, parts, some

__all__ = ["CheckpointError", "fetch", "load_checkpoint", "read_checkpoint"]

LICENCE = (
    "{source}: weights by NVIDIA, for research or evaluation only. Their repository says "
    "CC-BY-NC-SA-4.0, their model cards say NVIDIA Source Code License-NC: both forbid commercial "
    "use, and this package ships none of them."
)
ENTRIES = ("state_dict_ema", "model_ema", "state_dict", "model")
"""Averaged weights come first, as in timm: they are those that were evaluated."""
PREFIXES = ("module.", "_orig_mod.", "model.")
STEM = "patch_embed.conv_down.0.weight"
HUB, HUB_FILES = "hf-hub:", ("model.safetensors", f"model{INDEX}")
FLAT_STEM = "_conv_stem.weight"
"""Tells an EfficientNet whose blocks are numbered through, as ``efficientnet_pytorch`` does."""
ENDS = {
    "_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2",
    "_fc": "classifier",
}  # fmt: skip
NARROW = {
    "_depthwise_conv": "conv_dw", "_bn1": "bn1", "_se_reduce": "se.conv_reduce",
    "_se_expand": "se.conv_expand", "_project_conv": "conv_pw", "_bn2": "bn2",
}  # fmt: skip
"""Parts of a block that does not widen its input, those of the first stage."""
WIDE = NARROW | {
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_bn1": "bn2", "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}  # fmt: skip


@cache
def _announce_licence(source: str) -> None:
    print(LICENCE.format(source=source), file=sys.stderr)


def fetch(cfg: PretrainedCfg, cache_dir: str | PathLike[str] | None = None) -> Path:
    """Return the path of published weights, downloaded at need from their authors' repository.

    A file placed by hand in ``cache_dir``, by default the ``checkpoints`` folder of ``torch.hub``,
    comes first. The licence is printed on the standard error, once a process and repository.

    Args:
        cfg: Where the weights are published: ``hf_hub_id`` and ``hf_hub_filename``.
        cache_dir: Where to look and where to download; by default the caches of torch and the hub.

    Raises:
        CheckpointError: If the file is not at hand and cannot be downloaded.
    """
    name, source = str(cfg.hf_hub_filename), str(cfg.hf_hub_id)
    _announce_licence(source)
    placed = Path(cache_dir or Path(torch.hub.get_dir(), "checkpoints")) / name
    if placed.is_file():
        return placed
    advice = f"then place it at {placed}"
    return _download(source, name, cache_dir=cache_dir, advice=advice)


def _download(source: str, name: str, *, advice: str, **options: object) -> Path:
    try:
        return Path(hf_hub_download(source, name, **options))
    except Exception as error:  # what the hub raises offline has no base class of its own
        raise CheckpointError(
            f"expected to download {name} from {source}, could not ({type(error).__name__}); on a "
            f"connected machine, download that file from that repository of the Hugging Face hub, "
            f"{advice}"
        ) from error


def read_checkpoint(path: str | PathLike[str]) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint, under the names that the bare network gives them.

    A safetensors file, or the index of several, is told by its suffix; any other is taken for what
    ``torch.save`` wrote, of which the averaged weights (``state_dict_ema``, else ``model_ema``),
    else ``state_dict``, else ``model``, else the whole is kept. A prefix that all keys have, left
    by a training wrapper or by Hugging Face, is removed.

    Args:
        path: A file, or ``hf-hub:owner/name``, perhaps with ``@revision``, for the safetensors of
            a repository of the Hugging Face hub.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it cannot be opened safely, or does not hold a state dict.
    """
    path = _from_hub(str(path)) if str(path).startswith(HUB) else Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a checkpoint at {path}, found no file; check the path")
    state = opened(path)
    if isinstance(state, dict):
        named = [state[entry] for entry in ENTRIES if entry in state]
        state = next((entry for entry in named if entry is not None), (named or [state])[0])
    if not isinstance(state, dict) or not state:
        strays = [f"{'an empty' if state == {} else 'a'} {type(state).__name__}"]
    else:
        strays = [
            str(key)
            for key, value in state.items()
            if not (isinstance(key, str) and isinstance(value, Tensor))
        ]
    if strays:
        raise CheckpointError(
            f"expected a state dict of tensors alone in {path.name}, found {some(strays)}; save "
            "model.state_dict(), bare or under the key 'state_dict'"
        )
    while prefix := next((p for p in PREFIXES if all(key.startswith(p) for key in state)), None):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def load_checkpoint(
    model: nn.Module,
    path: str | PathLike[str],
    *,
    swap_head: bool = False,
    adapt_stem: bool = False,
    anew: Iterable[str] = (),
) -> tuple[str, ...]:
    """Load a checkpoint into a network of timm's registry, wholly or not at all.

    Args:
        model: The network. Windows and pooling of a MambaVision are free: no weight depends on
            them.
        path: A ``.pth.tar`` or ``.safetensors`` file, or what else ``read_checkpoint`` takes.
        swap_head: Whether to leave out a head of another size, and keep the model's own.
        adapt_stem: Whether to adapt a first convolution made for other images: its channels are
            summed for one channel, repeated and rescaled for another number.
        anew: Names of modules that keep what the network has, whatever the file holds for them.

    Returns:
        The names of what did not come from the file: of a head kept, and of modules left anew.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it cannot be opened safely, or if a key is missing, unexpected or of
            another shape; the message names them.
    """
    state, own = read_checkpoint(path), model.state_dict()
    if FLAT_STEM in state:
        state = _staged(state, own)
    kept: tuple[str, ...] = ()
    named = (name for name, part in model.named_modules() if part is model.get_classifier())
    head = [f"{name}.{end}" for name in named for end in ("weight", "bias")]
    if swap_head and any(_shape(state.get(key)) != _shape(own.get(key)) for key in head):
        kept = tuple(key for key in head if key in own)
        state = {key: value for key, value in state.items() if key not in head}
        state |= {key: own[key] for key in kept}
    if begun := tuple(f"{name}." for name in anew):
        state = {key: value for key, value in state.items() if not key.startswith(begun)}
        fresh = {key: value for key, value in own.items() if key.startswith(begun)}
        state, kept = state | fresh, (*kept, *fresh)
    if adapt_stem and STEM in state and STEM in own:
        state[STEM] = _for_channels(state[STEM], own[STEM].shape[1])
    if problems := _misfits(state, own):
        raise CheckpointError(
            f"expected the {len(own)} keys of the model in {Path(path).name}, found "
            f"{'; '.join(problems)}; create the architecture the file was made for, and pass "
            "swap_head=True if only the number of classes differs"
        )
    model.load_state_dict(state)
    return kept


def _staged(state: Mapping[str, Tensor], own: Iterable[str]) -> dict[str, Tensor]:
    """Rename the layers of ``efficientnet_pytorch`` as timm does, which numbers blocks by stage.

    A key that has no place keeps its name, and is then refused as unexpected.
    """
    places = dict.fromkeys(".".join(key.split(".")[:3]) for key in own if key.startswith("blocks."))
    named = {}
    for key, tensor in state.items():
        module, _, variable = key.rpartition(".")
        blocks, _, rest = module.partition(".")
        number, _, part = rest.partition(".")
        if blocks != "_blocks":
            module = ENDS.get(module, module)
        elif number.isdecimal() and int(number) < len(places):
            widens = f"_blocks.{number}._expand_conv.weight" in state
            module = f"{list(places)[int(number)]}.{(WIDE if widens else NARROW).get(part, part)}"
        named[f"{module}.{variable}"] = tensor
    return named


def _for_channels(kernel: Tensor, in_chans: int) -> Tensor:
    """Adapt the first convolution of colour or grayscale images; another is refused as it is."""
    channels = kernel.shape[1:2].numel()
    adaptable = kernel.shape[2:] == (3, 3) and channels in (1, 3)
    return adapt_input_conv(in_chans, kernel, base_chans=channels) if adaptable else kernel


def _from_hub(name: str) -> Path:
    """Return the weights of a repository, whole or by the index of their parts, downloaded."""
    source, _, revision = name.removeprefix(HUB).partition("@")
    if source.lower().startswith("nvidia/"):
        _announce_licence(source)
    advice, missing = "then give its path in the place of the name", None
    for file in HUB_FILES:
        try:
            found = _download(source, file, revision=revision or None, advice=advice)
        except CheckpointError as error:
            missing = missing or error
            continue
        for part in parts(found) if file.endswith(INDEX) else ():
            _download(source, part, revision=revision or None, advice=advice)
        return found
    raise missing or CheckpointError(source)


def _misfits(state: dict[str, Tensor], own: dict[str, Tensor]) -> list[str]:
    kinds = {
        "missing": [key for key in own if key not in state],
        "unexpected": [key for key in state if key not in own],
        "of another shape": [
            f"{key} {_shape(state[key])} for {_shape(own[key])}"
            for key in own
            if key in state and _shape(state[key]) != _shape(own[key])
        ],
    }
    return [f"{len(keys)} {kind}: {some(keys)}" for kind, keys in kinds.items() if keys]


def _shape(value: Tensor | None) -> tuple[int, ...] | None:
    return None if value is None else tuple(value.shape)


def _rewrite(architecture: str, source: Path, target: Path) -> None:
    network = create_model(architecture)
    load_checkpoint(network, source)
    part = target.with_suffix(".part")
    save_file({key: t.contiguous() for key, t in network.state_dict().items()}, part)
    part.replace(target)


if __name__ == "__main__":
    try:
        _rewrite(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    except CheckpointError as error:
        sys.exit(str(error))

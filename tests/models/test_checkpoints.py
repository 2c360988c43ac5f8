import argparse
import contextlib
import json
import os
import pickle
import tarfile

import huggingface_hub.constants
import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.models.checkpoints import CheckpointError, load_checkpoint, read_checkpoint

PUBLISHED = {"hf_hub_id": "nvidia/MambaVision-T-1K", "hf_hub_filename": "mambavision.pth.tar"}


def small(**kwargs):
    kwargs = {"depths": (1, 1, 2, 2), "num_classes": 5, **kwargs}
    return timm.create_model("mambavision_nano", **kwargs)


@pytest.fixture
def source():
    """A network whose weights are all unlike those of another fresh one."""
    model = small()
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor += 1 if tensor.dtype == torch.int64 else 0.5
    return model


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def prefixed(prefix, model):
    return {prefix + key: tensor for key, tensor in model.state_dict().items()}


def assert_same(model, expected, but=()):
    for key, tensor in model.state_dict().items():
        if key not in but:
            torch.testing.assert_close(tensor, expected[key], rtol=0, atol=0, msg=key)


class Payload:
    """Run a command when unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


# What is read


@pytest.mark.parametrize("entry", ["state_dict", "model", None])
@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod."])
def test_a_training_archive_is_read_whatever_its_entry_and_wrapper(entry, prefix, source, tmp_path):
    path = tmp_path / "mambavision.pth.tar"
    state = prefixed(prefix, source)
    extras = {"args": argparse.Namespace(lr=0.005, size=[224]), "epoch": 310, "arch": "T"}
    torch.save({entry: state, **extras} if entry else state, path)
    model = small()

    kept = load_checkpoint(model, path)

    assert kept == ()
    assert_same(model, source.state_dict())


def test_the_published_state_dict_comes_before_other_entries(source, tmp_path):
    path = tmp_path / "mambavision.pth.tar"
    torch.save({"model": small().state_dict(), "state_dict": source.state_dict()}, path)
    model = small()

    load_checkpoint(model, path)

    assert_same(model, source.state_dict())


@pytest.mark.parametrize("entry", ["state_dict_ema", "model_ema"])
def test_averaged_weights_come_first_unless_there_are_none(entry, source, tmp_path):
    averaged, alone = tmp_path / "averaged.pth.tar", tmp_path / "alone.pth.tar"
    torch.save({"state_dict": small().state_dict(), entry: source.state_dict()}, averaged)
    torch.save({"state_dict": source.state_dict(), entry: None}, alone)

    for path in (averaged, alone):
        model = small()
        load_checkpoint(model, path)
        assert_same(model, source.state_dict())


@pytest.mark.parametrize("zipped", [True, False])
def test_values_of_numpy_beside_the_weights_are_passed_over(zipped, source, tmp_path):
    path = tmp_path / "mambavision.pth.tar"
    extras = {"metric": np.float64(82.3), "epoch": np.int64(3), "rng": np.arange(3, dtype="u4")}
    content = {**extras, "best": {"loss": np.float32(0.5)}, "state_dict": source.state_dict()}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    model = small()

    load_checkpoint(model, path)

    assert_same(model, source.state_dict())


def sharded(model, folder, prefix="model."):
    """Write the weights in two files and their index, as the Hugging Face hub holds large ones."""
    state, shards = prefixed(prefix, model), {}
    for i, key in enumerate(state):
        shards.setdefault(f"model-{i % 2 + 1:05d}-of-00002.safetensors", []).append(key)
    for name, keys in shards.items():
        save_file({key: state[key] for key in keys}, folder / name)
    index = folder / "model.safetensors.index.json"
    files = {key: name for name, keys in shards.items() for key in keys}
    index.write_text(json.dumps({"metadata": {}, "weight_map": files}))
    return index


def test_weights_in_several_files_are_read_by_their_index(source, tmp_path):
    index, model = sharded(source, tmp_path), small()

    load_checkpoint(model, index)

    assert_same(model, source.state_dict())


def test_a_part_that_is_absent_is_named(source, tmp_path):
    index = sharded(source, tmp_path)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()

    with pytest.raises(CheckpointError, match="expected model-00002-of-00002.safetensors beside"):
        read_checkpoint(index)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": {"a": "../x.safetensors"}}'])
def test_an_index_that_lists_no_file_beside_it_is_refused(text, tmp_path):
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(text)

    with pytest.raises(CheckpointError, match="found bytes that cannot be read"):
        read_checkpoint(index)


def test_the_safetensors_of_hugging_face_are_read_under_their_prefix(source, tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(prefixed("model.", source), path)
    model = small(window_size=(7, 7), global_pool="max")

    load_checkpoint(model, path)

    assert_same(model, source.state_dict())


def test_half_precision_weights_are_widened_to_those_of_the_model(source, tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(source.bfloat16().state_dict(), path)
    model = small()

    load_checkpoint(model, path)

    assert model.head.weight.dtype == torch.float32
    assert_same(model, source.float().state_dict())


# What is refused


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("place", ["beside", "inside a namespace", "as the state dict"])
def test_a_pickle_that_runs_code_is_refused_and_not_run(zipped, place, source, tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "mambavision.pth.tar"
    payload = Payload(f"touch {trace}")
    content = {
        "beside": {"state_dict": source.state_dict(), "optimizer": payload},
        "inside a namespace": {
            "state_dict": source.state_dict(),
            "args": argparse.Namespace(x=payload),
        },
        "as the state dict": payload,
    }
    torch.save(content[place], path, _use_new_zipfile_serialization=zipped)
    model = small()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}

    with pytest.raises(CheckpointError, match="nothing of it was run") as caught:
        load_checkpoint(model, path)

    assert not trace.exists()
    assert (
        "system" in str(caught.value)
    ) == zipped  # the old format does not list what it asks for
    assert_same(model, before)


def test_a_pickled_module_is_refused_by_the_name_of_its_class(tmp_path):
    path = tmp_path / "model.pth"
    torch.save(torch.nn.Linear(2, 2), path)

    with pytest.raises(CheckpointError, match="asks for torch.nn.modules.linear.Linear"):
        read_checkpoint(path)


def test_a_text_is_no_pickle_that_asks_for_something(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("# Vitrine\n")

    with pytest.raises(CheckpointError, match=r"in README.md, found bytes that cannot be read"):
        read_checkpoint(path)


@pytest.mark.parametrize("suffix", [".pth.tar", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\x80\x02}q\x00.", bytes(100)])
def test_bytes_that_are_no_checkpoint_are_refused(suffix, content, tmp_path):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match=f"in weights{suffix}, found"):
        read_checkpoint(path)


def test_an_archive_of_files_is_refused(tmp_path):
    path, member = tmp_path / "weights.pth.tar", tmp_path / "weights.pth"
    torch.save({"a": torch.ones(1)}, member)
    with tarfile.open(path, "w") as archive:
        archive.add(member, arcname="weights.pth")

    with pytest.raises(CheckpointError, match="bytes that cannot be read"):
        read_checkpoint(path)


@pytest.mark.parametrize("suffix", [".pth.tar", ".safetensors"])
def test_damage_is_refused_or_harmless_but_never_another_error(suffix, tmp_path):
    path = tmp_path / f"weights{suffix}"
    state = {"model.a": torch.arange(6.0), "model.b": torch.ones(2, 3)}
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    whole = path.read_bytes()
    dice = torch.Generator().manual_seed(0)

    for _ in range(150):
        damaged = bytearray(whole)
        for place in torch.randint(len(whole), (3,), generator=dice).tolist():
            damaged[place] ^= 1 << int(torch.randint(8, (1,), generator=dice))
        path.write_bytes(damaged[: int(torch.randint(1, 2 * len(whole), (1,), generator=dice))])
        with contextlib.suppress(CheckpointError):
            read = read_checkpoint(path)
            assert all(isinstance(name, str) for name in read)
            assert all(isinstance(value, torch.Tensor) for value in read.values())


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([torch.ones(1)], "found a list"),
        ({}, "found an empty dict"),
        ({"state_dict": None}, "found a NoneType"),
        ({"a": torch.ones(1), "epoch": 3}, "found epoch"),
        ({1: torch.ones(1)}, "found 1"),
    ],
)
def test_anything_but_a_state_dict_is_refused(content, found, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(content, path)

    with pytest.raises(CheckpointError, match=f"of tensors alone in weights.pth, {found}"):
        read_checkpoint(path)


def test_an_absent_file_is_said_to_be_absent(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a checkpoint at .*nowhere.pth"):
        load_checkpoint(small(), tmp_path / "nowhere.pth")


def test_every_key_that_does_not_fit_is_named_and_nothing_is_loaded(source, tmp_path):
    path = tmp_path / "weights.pth"
    state = source.state_dict()
    del state["levels.2.blocks.0.mixer.A_log"]
    state["levels.2.blocks.0.mixer.conv1d_x.bias"] = torch.zeros(32)
    state["norm.weight"] = torch.zeros(3)
    torch.save(state, path)
    model = small()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}

    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(model, path, swap_head=True, adapt_stem=True)

    message = str(caught.value)
    assert "1 missing: levels.2.blocks.0.mixer.A_log;" in message
    assert "1 unexpected: levels.2.blocks.0.mixer.conv1d_x.bias;" in message
    assert "1 of another shape: norm.weight (3,) for (128,);" in message
    assert_same(model, before)


def test_a_checkpoint_of_another_size_names_some_keys_and_counts_the_rest(source, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(source.state_dict(), path)

    with pytest.raises(CheckpointError, match=r"\d+ of another shape: .* and \d+ more"):
        load_checkpoint(small(dim=8), path)


# Heads and channels


@pytest.mark.parametrize("classes", [7, 0])
def test_a_head_of_another_size_is_swapped_on_request_alone(classes, source, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(source.state_dict(), path)
    model = small(num_classes=classes)
    own = {key: tensor.clone() for key, tensor in model.state_dict().items() if "head" in key}

    with pytest.raises(CheckpointError, match="swap_head=True if only the number of classes"):
        load_checkpoint(model, path)
    kept = load_checkpoint(model, path, swap_head=True)

    assert set(kept) == set(own) == ({"head.weight", "head.bias"} if classes else set())
    assert_same(model, {**source.state_dict(), **own})


def test_a_head_of_the_right_size_is_loaded_even_when_a_swap_is_allowed(source, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(source.state_dict(), path)
    model = small()

    kept = load_checkpoint(model, path, swap_head=True)

    assert kept == ()
    assert_same(model, source.state_dict())


def test_weights_without_head_leave_the_one_of_the_model(source, tmp_path):
    path = tmp_path / "weights.pth"
    source.reset_classifier(0)
    torch.save(source.state_dict(), path)
    model = small()

    kept = load_checkpoint(model, path, swap_head=True)

    assert kept == ("head.weight", "head.bias")
    assert_same(model, source.state_dict(), but=kept)


@pytest.mark.parametrize("mixer", ["scan", "identity", "conv", "attention"])
def test_what_scans_or_stands_in_its_place_begins_anew_on_request(mixer, source, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(source.state_dict(), path)
    model = small(mixer=mixer)
    assert model.scanned == ("levels.2.blocks.0.mixer", "levels.3.blocks.0.mixer")
    scans = tuple(f"{name}." for name in model.scanned)
    own = {key: t.clone() for key, t in model.state_dict().items() if key.startswith(scans)}

    kept = load_checkpoint(model, path, anew=model.scanned)

    assert set(kept) == set(own)
    learned = {k: t for k, t in source.state_dict().items() if not k.startswith(scans)}
    assert_same(model, learned | own)


def test_a_stem_for_colours_is_summed_for_grey_on_request_alone(source, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(source.state_dict(), path)
    model = small(in_chans=1)

    with pytest.raises(CheckpointError, match="1 of another shape: patch_embed.conv_down.0.weight"):
        load_checkpoint(model, path)
    load_checkpoint(model, path, adapt_stem=True)

    stem = source.state_dict()["patch_embed.conv_down.0.weight"]
    torch.testing.assert_close(
        model.patch_embed.conv_down[0].weight.detach(), stem.sum(1, keepdim=True)
    )


def test_a_stem_for_grey_is_repeated_for_colours_on_request_alone(source, tmp_path):
    path, grey = tmp_path / "weights.pth", small(in_chans=1)
    torch.save(grey.state_dict(), path)
    model = small()

    with pytest.raises(CheckpointError, match="1 of another shape: patch_embed.conv_down.0.weight"):
        load_checkpoint(model, path)
    load_checkpoint(model, path, adapt_stem=True)

    x = torch.randn(1, 1, 64, 64)
    torch.testing.assert_close(model.eval()(x.expand(-1, 3, -1, -1)), grey.eval()(x))


# pretrained=True, names of the hub


def on_the_hub(cache, repository):
    """Return the folder where the hub's cache holds the files of a repository."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0" * 40)
    return snapshot


@pytest.mark.parametrize("parts", ["one file", "several"])
def test_a_repository_of_the_hub_is_read_by_its_name(parts, offline, source, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    folder = on_the_hub(tmp_path, "someone/network")
    if parts == "several":
        sharded(source, folder)
    else:
        save_file(prefixed("model.", source), folder / "model.safetensors")
    named, pinned = small(), small()

    load_checkpoint(named, "hf-hub:someone/network")
    load_checkpoint(pinned, "hf-hub:someone/network@main")

    assert_same(named, source.state_dict())
    assert_same(pinned, source.state_dict())


def test_offline_a_name_of_the_hub_says_which_file_to_download(offline, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(CheckpointError, match="download model.safetensors from someone/network"):
        read_checkpoint("hf-hub:someone/network")


def test_timm_makes_a_network_again_from_its_name_on_the_hub(offline, source, tmp_path):
    folder = on_the_hub(tmp_path, "someone/network")
    timm.models.save_for_hf(source, folder, safe_serialization=True)

    model = timm.create_model("hf-hub:someone/network", pretrained=True, cache_dir=tmp_path)

    assert_same(model, source.state_dict())


@pytest.mark.parametrize(
    ("alias", "name"),
    [("T", "tiny.nv_in1k"), ("B_21k", "base.nv_in21k_ft_in1k"), ("L2", "large2.nv_in1k")],
)
def test_the_names_of_the_authors_package_stand_for_ours(alias, name):
    with pytest.warns(UserWarning, match=f"to current mambavision_{name}"):
        model = timm.create_model(f"mamba_vision_{alias}", device="meta")

    assert (
        model.pretrained_cfg["hf_hub_id"]
        == timm.get_pretrained_cfg(f"mambavision_{name}").hf_hub_id
    )


def test_offline_the_file_and_its_place_are_named(offline, tmp_path):
    with pytest.raises(CheckpointError) as caught:
        timm.create_model("mambavision_tiny", pretrained=True, cache_dir=tmp_path)

    message = str(caught.value)
    assert "download mambavision_tiny_1k.pth.tar from nvidia/MambaVision-T-1K" in message
    assert f"place it at {tmp_path / 'mambavision_tiny_1k.pth.tar'}" in message


def test_without_a_folder_the_place_is_that_of_torch_hub(offline, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(CheckpointError, match="hub/checkpoints/mambavision_small_1k.pth.tar"):
        timm.create_model("mambavision_small", pretrained=True)


@pytest.mark.parametrize("place", ["by hand", "by the hub"])
def test_a_file_at_hand_is_loaded_offline(place, offline, source, tmp_path):
    path = tmp_path / PUBLISHED["hf_hub_filename"]
    if place == "by the hub":
        path = on_the_hub(tmp_path, "nvidia/MambaVision-T-1K") / path.name
    torch.save({"state_dict": source.state_dict()}, path)

    model = small(pretrained=True, pretrained_cfg_overlay=PUBLISHED, cache_dir=tmp_path)

    assert_same(model, source.state_dict())
    assert str(tmp_path) not in str(model.pretrained_cfg)


def test_the_licence_of_the_weights_is_printed_once(source, tmp_path, capsys):
    torch.save(source.state_dict(), tmp_path / "mambavision.pth.tar")
    overlay = {**PUBLISHED, "hf_hub_id": "nvidia/MambaVision-once"}

    for _ in range(2):
        small(pretrained=True, pretrained_cfg_overlay=overlay, cache_dir=tmp_path)

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("nvidia/MambaVision-once: weights by NVIDIA") == 1
    assert "CC-BY-NC-SA-4.0" in printed.err


def test_a_local_file_is_named_as_timm_does_and_adapts_to_the_model(source, tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(prefixed("model.", source), path)
    overlay = {"file": str(path)}

    model = small(pretrained=True, pretrained_cfg_overlay=overlay, num_classes=9, in_chans=1)
    maps = small(pretrained=True, pretrained_cfg_overlay=overlay, features_only=True)

    stem = "patch_embed.conv_down.0.weight"
    assert_same(model, source.state_dict(), but={stem, "head.weight", "head.bias"})
    assert model.head.out_features == 9
    assert_same(maps.model, source.state_dict())


def test_networks_of_ours_have_no_weights_to_download():
    with pytest.raises(RuntimeError, match="No pretrained weights exist for mambavision_nano"):
        timm.create_model("mambavision_nano", pretrained=True)


def test_a_plain_pickle_is_not_opened(tmp_path):
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({"a": 1}))

    with pytest.raises(CheckpointError, match="found"):
        read_checkpoint(path)

import copy
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from vitrine.data.catalog import CLASSES
from vitrine.explain import derive, drawn, grids, stages
from vitrine.explain.local import integrated_gradients, likeness, randomised
from vitrine.explain.occlusion import occlusion
from vitrine.explain.stages import activations
from vitrine.training import recipes
from vitrine.training.runs import derived
from vitrine.training.torch.network import predict


@pytest.fixture
def photo():
    return np.random.default_rng(1).integers(0, 200, (64, 64, 3), dtype=np.uint8)


def test_occlusion_finds_the_only_place_that_a_model_looks_at(corner_model):
    black = np.zeros((64, 64, 3), np.uint8)

    found = occlusion(corner_model, black, 1, places=7)

    assert (found[:3, :3] > 0).all()
    assert (found[4:] == 0).all() and (found[:, 4:] == 0).all()
    assert found[0, 0] == pytest.approx(1 / 4)  # a patch of a quarter of the side, in half of it


def test_hiding_with_the_colour_that_is_there_changes_nothing(corner_model):
    white = np.full((64, 64, 3), 255, np.uint8)

    assert (occlusion(corner_model, white, 1) == 0).all()


def test_more_places_than_pixels_are_refused(corner_model):
    with pytest.raises(ValueError, match="expected between 1 and 7 places"):
        occlusion(corner_model, np.zeros((8, 8, 3), np.uint8), 1, places=9)


def test_integrated_gradients_of_a_linear_network_are_its_weights_times_the_way():
    import torch
    from torch import nn

    from vitrine.training.torch.network import Normalise

    linear = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16, 2))
    network = nn.Sequential(Normalise((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)), linear)
    photo = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)

    found = integrated_gradients(network, photo, 1)

    with torch.no_grad():
        weights = linear[1].weight[1].view(3, 4, 4).permute(1, 2, 0).numpy()
    way = (photo.astype(float) - 255) / 255 / 0.25
    assert found.pixels == pytest.approx((weights * way).sum(axis=-1), abs=1e-4)
    assert found.incompleteness < 1e-5


def test_integrated_gradients_account_for_the_logit_and_better_with_more_steps(tiny_network, photo):
    coarse, fine = (integrated_gradients(tiny_network, photo, 2, steps=n) for n in (2, 48))

    assert fine.incompleteness < 0.02
    assert fine.incompleteness < coarse.incompleteness


def test_a_blank_photo_is_attributed_nothing(tiny_network):
    found = integrated_gradients(tiny_network, np.full((64, 64, 3), 255, np.uint8), 0)

    assert not found.pixels.any() and found.incompleteness == 0


def maps(network, photo):
    found = {"occlusion": occlusion(partial(predict, network), photo, 0)}
    found["gradients"] = np.abs(grids.pool(integrated_gradients(network, photo, 0).pixels))
    return found | activations(network, photo)


@pytest.mark.parametrize("method", ["occlusion", "gradients", "stage-1", "stage-3"])
def test_a_map_changes_when_the_weights_are_destroyed(tiny_network, photo, method):
    learned, again = (maps(tiny_network, photo)[method] for _ in range(2))

    destroyed = [maps(randomised(tiny_network, seed=s), photo)[method] for s in (0, 1, 2)]

    assert likeness(learned, again) == pytest.approx(1)
    assert np.mean([abs(likeness(learned, each)) for each in destroyed]) < 0.7


@pytest.fixture(scope="module")
def mamba():
    """A MambaVision whose windows do not divide its maps: 5 places a side, in windows of 4."""
    import torch

    from vitrine.training.torch.network import build

    torch.manual_seed(0)
    recipe = recipes.find("mambavision-nano-scratch")
    return build(replace(recipe, image_size=80, windows=(4, 2))).eval()


@pytest.fixture
def wide():
    return np.random.default_rng(2).integers(0, 200, (80, 80, 3), dtype=np.uint8)


def test_stages_of_mambavision_are_the_maps_that_enter_each_halving(mamba, wide):
    import torch

    found = activations(mamba, wide)

    with torch.no_grad():
        inputs = mamba[0](torch.from_numpy(wide).permute(2, 0, 1)[None])
        stages = mamba[1].forward_intermediates(inputs, intermediates_only=True)
    assert list(found) == ["stage-1", "stage-2", "stage-3", "stage-4"]
    for grid, stage in zip(found.values(), stages, strict=True):
        assert grid == pytest.approx(stage[0].abs().mean(dim=0).numpy(), rel=1e-5)


def test_attention_is_shared_evenly_by_a_network_that_asks_nothing_and_not_otherwise(mamba, wide):
    import torch

    learned = stages.received(mamba, wide)

    indifferent = copy.deepcopy(mamba)
    for name, weight in indifferent.named_parameters():
        if "qkv" in name:
            torch.nn.init.zeros_(weight)
    for name, grid in stages.received(indifferent, wide).items():
        assert grid == pytest.approx(1), name
    assert {name: grid.shape for name, grid in learned.items()} == {
        "attention-3": (5, 5),
        "attention-4": (3, 3),
    }
    assert all(grid.min() > 0 and grid.std() > 1e-4 for grid in learned.values())


def test_attention_is_the_one_that_the_block_mixes_with(mamba, wide):
    """Mixing values that are the identity gives the weights themselves."""
    import torch

    mixer = mamba[1].levels[2].blocks[-1].mixer
    entered = {}
    hook = mixer.register_forward_pre_hook(lambda _, inputs: entered.update(tokens=inputs[0]))
    stages.received(mamba, wide)
    hook.remove()
    tokens = entered["tokens"][:1]
    with torch.no_grad():
        query, key, _ = mixer.qkv(tokens).unflatten(-1, (3, mixer.num_heads, -1)).unbind(2)
        query, key = query.transpose(1, 2), key.transpose(1, 2)
        one = torch.eye(tokens.shape[1]).expand(1, mixer.num_heads, -1, -1)
        mixed = torch.nn.functional.scaled_dot_product_attention(query, key, one)

    found = stages.received(mamba, wide)["attention-3"]

    expected = mixed.mean(dim=(1, 2))[0] * tokens.shape[1]
    assert found[:4, :4].ravel() == pytest.approx(expected.numpy(), rel=1e-4)


def test_windows_go_back_to_their_places_and_what_pads_them_is_left_out():
    import torch

    from vitrine.models.mambavision import Level

    level, seen = Level([torch.nn.Identity()], 1, 4, halves=False), []
    level.blocks[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    ramp = torch.arange(30.0).view(1, 1, 5, 6)
    level(ramp)

    grid = stages._laid_out(seen[0][..., 0], level, ramp)

    assert np.array_equal(grid, ramp[0, 0].numpy())


def test_a_network_without_attention_has_no_such_map(tiny_network, photo):
    assert stages.received(tiny_network, photo) == {}


def test_a_network_is_copied_before_its_weights_are_shuffled(tiny_network):
    before = [p.clone() for p in tiny_network.parameters()]

    other = randomised(tiny_network)

    pairs = list(zip(before, tiny_network.parameters(), other.parameters(), strict=True))
    assert all((a == b).all() for a, b, _ in pairs)
    assert any((a != c).any() for a, _, c in pairs)
    assert all(a.flatten().sort().values.equal(c.flatten().sort().values) for a, _, c in pairs)


def test_likeness_reads_the_order_of_the_places_alone():
    grid = np.arange(9.0).reshape(3, 3)

    assert likeness(grid, np.exp(grid)) == pytest.approx(1)
    assert likeness(grid, -grid) == pytest.approx(-1)
    assert likeness(grid, np.ones((3, 3))) == 0


def test_a_map_is_laid_out_and_read_back_and_pooled_by_means():
    grid = np.arange(36.0).reshape(6, 6)

    assert np.array_equal(grids.read(grids.laid_out(grid)), grid)
    assert grids.pool(grid, 3)[0, 0] == grid[:2, :2].mean()
    assert np.array_equal(grids.pool(grid, 6), grid)


def test_everything_that_explains_a_run_is_written_with_its_inputs(
    tiny_run, demo_split, demo_catalog
):
    derive.explain(tiny_run, demo_split, demo_catalog)

    test = demo_split.part("test")
    assert set(derived.read(tiny_run, "embedding").row) == set(test.row)
    assert set(derived.read(tiny_run, "occlusion").label) == set(test.label)
    shares = derived.read(tiny_run, "gradients")
    assert shares.groupby("label")["value"].sum().to_numpy() == pytest.approx(1, abs=1e-2)
    checks = derived.read(tiny_run, "checks").groupby("check")["value"].max()
    assert checks["incompleteness"] < 0.05
    about = derived.about(tiny_run, "drawing")
    assert about["writer"] == "vitrine explain" and about["settings"]["drawn"] == "Watches"
    assert about["inputs"]["split_sha256"] == demo_split.sha256


def test_a_run_on_photos_of_ones_own_is_explained_without_the_drawings_of_the_report(
    tiny_run, demo_split, demo_catalog, monkeypatch
):
    own = replace(demo_catalog, dataset=replace(demo_catalog.dataset, own=True))
    written = []
    monkeypatch.setattr(derived, "write", lambda run, name, *_: written.append(name))

    derive.explain(tiny_run, demo_split, own, quick=True)

    assert written == ["importance", "embedding", "occlusion", "gradients", "checks"]


def test_each_category_has_a_drawing():
    assert {drawn.drawing(category).mode for category in CLASSES} == {"RGB"}

"""What was learned at 64 pixels is carried to other sizes and windows, all of it or not at all."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vitrine.models.checkpoints import CheckpointError
from vitrine.training import probe, recipes
from vitrine.training.recipes import RecipeError
from vitrine.training.runs import start
from vitrine.training.torch.network import build

NAMES = ("mambavision-micro", "efficientnet-b0")


@pytest.fixture(scope="module", params=NAMES)
def learned(request, tmp_path_factory):
    """Return the name of a network and where a pretraining at 64 pixels left it, after a batch."""
    runs = tmp_path_factory.mktemp("runs")
    recipe = recipes.find(f"{request.param}-pretrain")
    torch.manual_seed(0)
    network = build(recipe, classes=200).train()
    with torch.no_grad():
        network(torch.randint(0, 256, (8, 3, 64, 64), dtype=torch.uint8))
    folder = runs / "pretrain" / recipe.name / "seed-0"
    (folder / "weights").mkdir(parents=True)
    save_file(network[1].state_dict(), folder / "weights" / start.LEARNED)
    told = {"name": f"{recipe.name}/seed-0", "recipe": recipe.to_dict()}
    (folder / "run.json").write_text(json.dumps(told))
    return request.param, runs, network.eval()


@pytest.fixture
def transfer(learned, monkeypatch):
    """Return the recipe that carries it to 128 pixels."""
    monkeypatch.setattr("vitrine.paths.runs", lambda: learned[1])
    return recipes.find(f"{learned[0]}-transfer")


def test_all_but_the_head_is_carried_to_twice_the_side(learned, transfer):
    before = learned[2][1].state_dict()

    network = build(transfer)[1]

    head = [
        f"{'head' if 'mamba' in learned[0] else 'classifier'}.{end}" for end in ("weight", "bias")
    ]
    after = network.state_dict()
    assert after.keys() == before.keys()
    for name in after.keys() - set(head):
        assert torch.equal(after[name], before[name]), name
    assert after[head[0]].shape[0] == 7
    assert (after[head[1]] == 0).all()


def test_features_at_the_side_and_windows_of_learning_are_those_learned(learned, transfer):
    pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    windows = (4, 2) if "mamba" in learned[0] else ()

    carried = build(replace(transfer, image_size=64, windows=windows)).eval()

    with torch.inference_mode():
        assert torch.equal(
            carried[1].forward_features(carried[0](pixels)),
            learned[2][1].forward_features(learned[2][0](pixels)),
        )


def test_a_run_says_whose_weights_it_started_from_and_how_they_were_learned(learned, transfer):
    facts = start.facts(transfer)["start"]

    assert facts["learned"]["run"] == f"{learned[0]}-pretrain/seed-0"
    assert facts["learned"]["image_size"] == 64
    assert len(facts["sha256"]) == 64
    assert start.facts(replace(transfer, weights="none")) == {}


def test_frozen_features_are_those_of_the_weights_carried(learned, transfer):
    recipe = recipes.find(f"{learned[0]}-transfer-probe")
    photos = np.random.default_rng(0).integers(0, 256, (3, 128, 128, 3), dtype=np.uint8)
    network = build(transfer).eval()

    found = probe.extract(recipe, photos)

    with torch.inference_mode():
        maps = network[1].forward_features(network[0](torch.from_numpy(photos).permute(0, 3, 1, 2)))
        expected = network[1].forward_head(maps, pre_logits=True).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_probe_says_too_whose_features_it_read(
    learned, transfer, demo_catalog, demo_split, tmp_path
):
    recipe = replace(recipes.find(f"{learned[0]}-transfer-probe"), image_size=64)

    run = probe.fit(recipe, demo_split, demo_catalog, base=tmp_path)

    assert run.meta["start"] == start.facts(transfer)["start"]


def test_weights_of_another_architecture_are_refused_by_name(learned, transfer):
    other = next(name for name in NAMES if name != learned[0])
    recipe = recipes.find(f"{other}-transfer")

    with pytest.raises(RecipeError, match=f"expected weights of {recipe.architecture}, found"):
        build(replace(recipe, weights=transfer.weights))


def test_weights_that_do_not_fit_to_the_last_key_are_refused(learned, transfer):
    path = learned[1] / transfer.weights / "weights" / start.LEARNED
    state = load_file(path)
    path = path.with_name("cut.safetensors")
    save_file(dict(list(state.items())[:-3]), path)

    with pytest.raises(CheckpointError, match="missing"):
        build(replace(transfer, weights=str(path)))


def test_windows_kept_as_learned_treat_each_quarter_alone_and_wider_ones_do_not():
    torch.manual_seed(0)
    recipe = recipes.find("mambavision-micro-pretrain")
    level = build(recipe)[1].eval().levels[2]
    quarter = torch.randn(1, 128, 4, 4)
    with torch.inference_mode():
        alone = level.encode(quarter)
        kept = level.encode(quarter.repeat(1, 1, 2, 2))
        level.window_size = 8
        wider = level.encode(quarter.repeat(1, 1, 2, 2))

    torch.testing.assert_close(kept, alone.repeat(1, 1, 2, 2), rtol=0, atol=1e-5)
    assert (wider - kept).abs().max() > 1e-3


def test_weights_that_are_not_there_say_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setattr("vitrine.paths.runs", lambda: tmp_path)

    with pytest.raises(RecipeError, match="pretrain/.*-pretrain/seed-0, found no such file; give"):
        build(recipes.find("mambavision-micro-transfer"))

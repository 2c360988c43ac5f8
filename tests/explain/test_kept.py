import json

import numpy as np
import pytest

from vitrine import images, kept, probe, recipes
from vitrine.kept import KeptError
from vitrine.runs import RunError, load


def photos(split, catalog, side):
    return images.cached(catalog, split.part("test").image.tolist(), side)


def test_a_kept_network_gives_the_predictions_of_its_run(tiny_run, demo_split, demo_catalog):
    model = kept.load(tiny_run, demo_split, demo_catalog)

    given = model.predict(photos(demo_split, demo_catalog, 64))

    test = tiny_run.part("test")
    ordered = given[np.argsort(demo_split.part("test").image.to_numpy())]
    assert ordered == pytest.approx(test.probabilities, abs=1e-5)
    assert list(model.sha256) == ["model.pt"]


def test_the_last_layer_applied_to_the_features_gives_the_predictions(
    tiny_run, demo_split, demo_catalog
):
    import torch

    model = kept.load(tiny_run, demo_split, demo_catalog)
    pixels = photos(demo_split, demo_catalog, 64)

    with torch.no_grad():
        head = model.network[1].get_classifier()
        given = head(torch.from_numpy(model.features(pixels))).softmax(dim=1).numpy()

    assert given == pytest.approx(model.predict(pixels), abs=1e-5)


def test_a_probe_is_fitted_again_to_the_same_answers(demo_catalog, demo_split, tmp_path):
    run = probe.fit(recipes.find("histogram-hog").smoke(), demo_split, demo_catalog, base=tmp_path)

    model = kept.load(load(run.name, tmp_path), demo_split, demo_catalog)

    given = model.predict(photos(demo_split, demo_catalog, 64))
    assert model.at_side is None
    assert given.sum(axis=1) == pytest.approx(1)


def test_weights_that_are_not_the_runs_are_refused(
    tiny_run, tiny_network, demo_split, demo_catalog, tmp_path
):
    import shutil

    import torch

    from vitrine.explain.sanity import randomised

    folder = tmp_path / "tiny" / "seed-0"
    shutil.copytree(tiny_run.folder, folder)
    torch.save(randomised(tiny_network).state_dict(), folder / "weights" / "model.pt")

    with pytest.raises(KeptError, match="expected the weights at hand") as refused:
        kept.load(load("tiny", tmp_path), demo_split, demo_catalog)
    assert refused.value.exit_code == 3


def test_a_run_without_its_weights_says_so(tiny_run, demo_split, demo_catalog, tmp_path):
    folder = tmp_path / "tiny" / "seed-0"
    folder.mkdir(parents=True)
    meta = json.loads((tiny_run.folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(meta))

    with pytest.raises(RunError, match="git does not keep them"):
        kept.load(load("tiny", tmp_path), demo_split, demo_catalog)

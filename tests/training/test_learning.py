"""Training is interrupted as a command is, and goes on from a whole checkpoint alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vitrine.data import images
from vitrine.training import probe, recipes
from vitrine.training.runs import RunError, names
from vitrine.training.torch import fit
from vitrine.training.torch import trainer as engine
from vitrine.training.torch.network import pooled, predict


class Interrupted:
    """A trainer that Lightning ends as it ends one at Ctrl-C."""

    interrupted = True

    def fit(self, *_, **__):
        """Exit."""
        raise SystemExit(1)


def learn(trainer, last):
    engine.learn.__wrapped__(trainer, None, last=last, name="a/seed-0")


def test_an_interruption_is_no_failure(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        learn(Interrupted(), tmp_path / "absent.ckpt")


def test_another_exit_is_left_as_it_is(tmp_path):
    trainer = Interrupted()
    trainer.interrupted = False

    with pytest.raises(SystemExit):
        learn(trainer, tmp_path / "absent.ckpt")


def test_a_damaged_checkpoint_is_told_and_a_whole_one_is_read(tmp_path):
    last = tmp_path / "last.ckpt"
    torch.save({"state_dict": {}, "history": []}, last)
    with pytest.raises(KeyboardInterrupt):
        learn(Interrupted(), last)

    last.write_bytes(last.read_bytes()[:-30])
    with pytest.raises(RunError, match=r"whole checkpoint in last\.ckpt, found a damaged file"):
        learn(Interrupted(), last)


def test_changed_bytes_inside_a_checkpoint_and_another_archive_are_told(tmp_path):
    last, weights = tmp_path / "last.ckpt", torch.arange(1000.0)
    torch.save({"state_dict": {"weight": weights}, "history": []}, last)
    whole = last.read_bytes()
    middle = whole.index(weights.numpy().tobytes()) + 2000
    flipped = bytes(255 - byte for byte in whole[middle : middle + 64])
    torch.save({"weight": weights}, other := tmp_path / "other.ckpt")
    np.savez(archive := tmp_path / "archive.npz", model=np.arange(3))

    engine.require_whole(last, "any/seed-0")
    for damaged in (
        b"", b"no archive", whole[:middle] + flipped + whole[middle + 64 :],
        other.read_bytes(), archive.read_bytes(),
    ):  # fmt: skip
        last.write_bytes(damaged)
        with pytest.raises(RunError, match="any/seed-0: expected a whole checkpoint in last"):
            engine.require_whole(last, "any/seed-0")


@pytest.mark.parametrize("steps", ["several", "one"])
def test_a_loss_that_diverges_stops_the_training_and_keeps_no_epoch_of_it(
    steps, demo_catalog, demo_split, tmp_path
):
    recipe = replace(
        recipes.find("efficientnet-b0-torch-scratch").smoke(), name="lost", learning_rate=1e30
    )
    if steps == "one":  # the weights are lost by the step that ends the epoch
        recipe = replace(recipe, batch_size=len(demo_split.part("train")))

    with pytest.raises(RunError, match="recipe lost: expected a finite loss, found nan in epoch 1"):
        fit(recipe, demo_split, demo_catalog, base=tmp_path, device="cpu", threads=1)

    assert names(tmp_path) == []
    assert not (tmp_path / "lost" / "seed-0" / "weights" / "last.ckpt").exists()


def test_a_head_that_starts_at_the_probe_answers_as_the_probe_does(
    demo_catalog, demo_split, tmp_path, monkeypatch
):
    recipe = replace(recipes.find("efficientnet-lite0-torch").smoke(), ema_decay=0.9)
    begun = []

    def stop(_, module, *__, **___):
        begun.append(module)
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "learn", stop)

    with pytest.raises(KeyboardInterrupt):
        fit(recipe, demo_split, demo_catalog, base=tmp_path, device="cpu", threads=1)

    frames = [demo_split.part(part) for part in ("train", "validation")]
    photos = [images.cached(demo_catalog, f.image.tolist(), recipe.image_size) for f in frames]
    model, _ = probe.choose(
        tuple(pooled(begun[0].model, pixels) for pixels in photos),
        tuple(frame.label.to_numpy() for frame in frames),
    )
    expected = model.predict_proba(pooled(begun[0].model, photos[1]))
    for network in (begun[0].model, begun[0].final):
        np.testing.assert_allclose(predict(network, photos[1]), expected, atol=1e-3)

"""A network learns what the network of another run answers for the very pixels that it sees."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vitrine import paths
from vitrine.data import images
from vitrine.training import recipes, trained
from vitrine.training.recipes import RecipeError
from vitrine.training.runs import load
from vitrine.training.torch import fit
from vitrine.training.torch.classifier import Classifier
from vitrine.training.torch.teacher import Teacher

TAUGHT = recipes.find("mambavision-micro-taught").smoke()
MIXED = replace(TAUGHT, mixup=1.0)


@pytest.fixture(scope="module")
def school(demo_catalog, demo_split, tmp_path_factory):
    """Return a folder that holds the run of the teacher."""
    base = tmp_path_factory.mktemp("school")
    lite = recipes.find("efficientnet-lite0-torch").smoke()
    alone = replace(lite, weights="none", head="random", head_epochs=0, layer_decay=1.0)
    fit(alone, demo_split, demo_catalog, base=base, device="cpu", threads=1)
    return base


def test_the_run_of_a_student_names_its_teacher_and_holds_its_own_weights_alone(
    school, demo_catalog, demo_split
):
    run = fit(TAUGHT, demo_split, demo_catalog, base=school, device="cpu", threads=1)

    (digest,) = run.meta["teacher"]["sha256"].values()
    assert run.meta["teacher"]["run"] == "efficientnet-lite0-torch-smoke/seed-0"
    assert len(digest) == 64
    kept = torch.load(run.folder / "weights" / "model.pt", weights_only=True)
    own = Classifier(TAUGHT, 0, 1).model.state_dict()
    assert set(kept) == set(own)


@pytest.mark.parametrize("recipe", [TAUGHT, MIXED], ids=["plain", "mixed"])
def test_the_loss_is_the_divergence_from_the_teacher_on_the_pixels_that_the_student_sees(
    recipe, school, demo_catalog, demo_split
):
    teacher = Teacher(recipe, demo_split, demo_catalog, school)
    run = load(f"{recipe.teacher}/seed-0", school)
    whole = trained.load(run, demo_split, demo_catalog).network
    frame = demo_split.part("train")[:8]
    photos = images.cached(demo_catalog, frame.image.tolist(), recipe.image_size)
    pixels = torch.from_numpy(np.array(photos)).permute(0, 3, 1, 2)
    seen = []

    def watched(shown):
        seen.append(shown.clone())
        return teacher(shown)

    module = Classifier(recipe, 0, 1, teacher=watched).eval()
    loss, logits = module.judge((pixels, torch.tensor(frame.label.tolist())))

    (shown,) = seen
    assert torch.equal(shown, pixels.float()) == (not recipe.mixup)
    with torch.no_grad():
        torch.testing.assert_close(logits, module.model[1](module.scaled(shown)))
        large = F.interpolate(shown, (64, 64), mode="bicubic", align_corners=False).clamp(0, 255)
        said = whole(large).softmax(1)
        expected = (said * (said.log() - logits.log_softmax(1))).sum(1).mean()
    torch.testing.assert_close(loss, expected, rtol=0.02, atol=0)  # bfloat16 answers
    assert not any(p.requires_grad for p in teacher.network.parameters())
    assert teacher.network.training is False


def test_a_teacher_that_is_absent_or_of_another_split_is_refused(
    school, demo_catalog, demo_split, tmp_path
):
    with pytest.raises(
        RecipeError, match=r"its teacher efficientnet-lite0-torch-smoke/seed-0 with"
    ):
        fit(TAUGHT, demo_split, demo_catalog, base=tmp_path, device="cpu", threads=1)
    assert not list(tmp_path.iterdir())
    other = replace(demo_split, name="another", sha256="0" * 64)
    with pytest.raises(
        RecipeError, match="trained on the same split, found .* train it on another"
    ):
        fit(replace(TAUGHT, name="late"), other, demo_catalog, base=school, device="cpu", threads=1)


def test_the_teacher_of_a_published_run_is_looked_for_among_those_made_again(
    school, demo_catalog, demo_split, tmp_path, monkeypatch
):
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    again = tmp_path / "build" / "retrain" / "folds" / "repeat-0-fold-0"
    again.parent.mkdir(parents=True)
    again.symlink_to(school)

    teacher = Teacher(
        TAUGHT, demo_split, demo_catalog, tmp_path / "runs" / "folds" / "repeat-0-fold-0"
    )

    assert teacher.facts["run"] == "efficientnet-lite0-torch-smoke/seed-0"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("trainer", "keras", "expected teacher to be none: only what PyTorch trains has one"),
        ("teacher_size", 0, "expected teacher_size to be at least 1 with a teacher"),
        ("crops", 4, "expected crops to be at least 1 for a pretraining with a teacher, and 0"),
        ("label_smoothing", 0.1, "expected label_smoothing to be none: the teacher's answers"),
    ],
)
def test_a_recipe_with_a_teacher_that_it_cannot_have_is_refused(field, value, expected):
    with pytest.raises(RecipeError, match=expected):
        replace(TAUGHT, **{field: value})

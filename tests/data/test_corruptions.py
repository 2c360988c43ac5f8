import numpy as np
import pytest

from vitrine.data import corruptions, demo
from vitrine.data.corruptions import CORRUPTIONS, STRENGTHS, corrupt, resize


@pytest.fixture(scope="module")
def photo():
    drawn = demo.draw("Watches", np.random.default_rng(3)).resize((224, 224))
    return np.asarray(drawn)


@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name != "crop"])
def test_a_stronger_corruption_moves_the_photo_further_from_itself(photo, name):
    distances = [
        np.abs(corrupt(photo, name, strength, name="a.jpg").astype(int) - photo).mean()
        for strength in STRENGTHS
    ]

    assert distances[0] > 0
    assert distances == sorted(distances)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_gives_the_same_photo_again_of_the_same_size_and_leaves_the_first_alone(
    photo, name
):
    before = photo.copy()

    spoiled = corrupt(photo, name, 3, name="a.jpg")

    assert spoiled.shape == photo.shape and spoiled.dtype == np.uint8
    assert np.array_equal(spoiled, corrupt(photo, name, 3, name="a.jpg"))
    assert np.array_equal(photo, before)


@pytest.mark.parametrize("name", ["noise", "crop"])
def test_what_is_drawn_depends_on_the_name_of_the_photo_and_on_the_seed(photo, name):
    first = corrupt(photo, name, 3, name="a.jpg")

    assert not np.array_equal(first, corrupt(photo, name, 3, name="b.jpg"))
    assert not np.array_equal(first, corrupt(photo, name, 3, name="a.jpg", seed=1))


def test_noise_is_the_same_draw_at_every_strength():
    grey = np.full((64, 64, 3), 128, np.uint8)  # far from both ends, so that nothing is clipped

    weak, strong = (corrupt(grey, "noise", s, name="a.jpg").astype(float) - 128 for s in (1, 2))

    assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.99
    assert weak.std() / 255 == pytest.approx(0.08, rel=0.03)


def test_brightness_adds_to_the_value_and_keeps_the_hue():
    colour = np.array([[[40, 80, 20], [0, 0, 0], [255, 255, 255]]], np.uint8)

    lit = corrupt(colour, "brightness", 2, name="a.jpg")

    assert lit[0, 0].tolist() == [66, 131, 33]  # (80 + 51) / 80 times each channel
    assert lit[0, 1].tolist() == [51, 51, 51]
    assert lit[0, 2].tolist() == [255, 255, 255]


@pytest.mark.parametrize(("strength", "kept"), [(1, 90), (3, 70), (5, 50)])
def test_a_crop_keeps_that_share_of_a_side(strength, kept):
    stripes = np.repeat(np.arange(100, dtype=np.uint8), 100).reshape(100, 100, 1).repeat(3, axis=2)

    cropped = corrupt(stripes, "crop", strength, name="a.jpg")[..., 0].astype(int)

    assert cropped.max() - cropped.min() == pytest.approx(kept, abs=2)


def test_resizing_to_the_same_side_changes_nothing(photo):
    assert np.array_equal(resize(photo[None], 224), photo[None])
    assert resize(photo[None], 32).shape == (1, 32, 32, 3)


@pytest.mark.parametrize(("name", "strength"), [("fog", 1), ("blur", 0), ("blur", 6)])
def test_an_unknown_corruption_or_strength_is_refused_with_what_there_is(photo, name, strength):
    with pytest.raises(ValueError, match="expected a corruption among blur, noise"):
        corrupt(photo, name, strength, name="a.jpg")


def test_five_strengths_are_declared_for_each_parameter():
    tables = ("_BLUR", "_NOISE", "_JPEG", "_BRIGHTNESS", "_CROP")

    assert {len(getattr(corruptions, table)) for table in tables} == {len(STRENGTHS)}


def test_each_corruption_draws_for_itself_as_it_did_for_the_published_facts():
    grey = np.full((8, 8, 3), 128, np.uint8)
    draw = np.random.default_rng([7, *b"noise", 0, *b"a.jpg"]).normal(scale=0.18, size=grey.shape)

    spoiled = corrupt(grey, "noise", 3, name="a.jpg", seed=7)

    assert np.array_equal(spoiled, (255 * (grey / 255 + draw).clip(0, 1)).round().astype(np.uint8))


def test_crops_reach_both_ends_of_the_photo():
    stripes = np.repeat(np.arange(10, dtype=np.uint8), 10).reshape(10, 10, 1).repeat(3, axis=2)

    # 9 rows of 10 are kept: there are two places, the first rows and the last ones.
    crops = [corrupt(stripes, "crop", 1, name=f"{i}.jpg") for i in range(20)]

    assert {(int(crop.min()), int(crop.max())) for crop in crops} == {(0, 8), (1, 9)}

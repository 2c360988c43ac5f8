import pytest
import timm
import torch

import vitrine.models  # noqa: F401
from vitrine.models import rebuilt


def test_a_weight_follows_from_its_key_alone():
    key, shape = "levels.2.blocks.0.mixer.dt_proj.bias", (160,)

    first, again = rebuilt.weight(key, shape), rebuilt.weight(key, shape)

    assert torch.equal(first, again)
    assert not torch.equal(first, rebuilt.weight("levels.2.blocks.1.mixer.dt_proj.bias", shape))
    assert torch.equal(rebuilt.weight(key, (40,)), first[:40])
    assert first.dtype == torch.float32


def test_the_stream_stays_between_minus_one_and_one():
    numbers = rebuilt.stream("anything", 10_000)

    assert -1 <= numbers.min() < -0.99 < 0.99 < numbers.max() < 1
    assert abs(numbers.mean()) < 0.02


def test_no_scale_bias_or_step_of_a_filled_network_is_zero():
    network = rebuilt.fill(timm.create_model("mambavision_nano", num_classes=7))

    assert all((weight != 0).any() for weight in network.parameters())
    assert all((m.D > 0).all() for m in network.modules() if hasattr(m, "A_log"))


def test_an_image_follows_from_its_shape():
    image = rebuilt.image(2, 8, 10)

    assert image.shape == (2, 3, 8, 10)
    assert image[0].ne(image[1]).any()
    assert torch.equal(image, rebuilt.image(2, 8, 10))


def test_a_key_without_a_law_is_refused():
    with pytest.raises(ValueError, match="received 'pos_embed'"):
        rebuilt.weight("pos_embed", (1, 4))

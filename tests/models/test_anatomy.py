"""What a network says of itself: stages, blocks and padding, against the table of its sizes."""

import math

import pytest
import timm

from vitrine.models import anatomy
from vitrine.models.variants import SIZES


@pytest.mark.parametrize("name", ["mambavision_nano", "mambavision_tiny", "mambavision_base"])
def test_stages_are_those_of_the_table_of_sizes(name):
    depths, dim, *_ = SIZES[name]

    found = anatomy.stages(name)

    assert [len(stage.blocks) for stage in found] == list(depths)
    assert [stage.shape for stage in found] == [
        (dim * 2**i, 56 // 2**i, 56 // 2**i) for i in range(4)
    ]
    for stage, depth in zip(found[2:], depths[2:], strict=True):
        assert stage.blocks == ("scan",) * math.ceil(depth / 2) + ("attention",) * (depth // 2)


def test_windows_that_fall_right_waste_no_token_and_others_do():
    *_, third, fourth = anatomy.stages("mambavision_nano", 224)
    *_, padded, _ = anatomy.stages("mambavision_nano", 200, 264)

    assert (third.tokens, third.padding) == (196, 0.0)
    assert (fourth.tokens, fourth.padding) == (49, 0.0)
    assert padded.shape[1:] == (13, 17) and padded.tokens == 2 * 14 * 14
    assert padded.padding == pytest.approx(1 - 13 * 17 / 392)


def test_convolutional_stages_have_no_window():
    first, second, *_ = anatomy.stages("mambavision_nano", 256)

    assert first.window is second.window is None
    assert first.padding == second.padding == 0


def test_the_parts_of_a_block_are_its_modules_in_the_order_of_their_work():
    found = anatomy.parts("mambavision_tiny", stage=3, block=1)
    block = timm.create_model("mambavision_tiny").levels[2].blocks[0]

    names = [part.name for part in found]
    assert names[0] == "norm1" and names[-1] == "mlp.fc2"
    assert names.index("mixer.x_proj") < names.index("mixer.out_proj") < names.index("norm2")
    own = sum(p.numel() for p in (block.mixer.A_log, block.mixer.D))
    assert sum(part.parameters for part in found) + own == sum(
        p.numel() for p in block.parameters()
    )
    assert {part.name: part.shape for part in found}["mixer.x_proj"] == (196, 20 + 2 * 8)


def test_what_does_nothing_in_evaluation_is_no_part():
    found = anatomy.parts("mambavision_nano", stage=1, block=1)

    assert [part.kind for part in found] == [
        "Conv2d",
        "BatchNorm2d",
        "GELU",
        "Conv2d",
        "BatchNorm2d",
    ]

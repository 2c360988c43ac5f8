"""What timm's factory and tools may ask of a MambaVision: each option, beside what it must give."""

import pytest
import timm
import torch
from mambavision_oracle import fill, image
from timm.layers import set_fused_attn
from timm.models._features import FeatureGetterNet
from timm.models._features_fx import get_graph_node_names
from timm.utils import AttentionExtract
from torch import nn

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.models.mambavision import AttentionMixer, Level, MixerBlock
from vitrine.models.windows import Window, split_windows

SMALL = {"depths": (1, 1, 2, 2), "num_classes": 7}
WINDOWS = {"window_size": (4, 2)}


def small(**kwargs):
    return timm.create_model("mambavision_nano", **{**SMALL, **WINDOWS, **kwargs})


def sides(network):
    return [level.window_size for level in network.levels[2:]]


# Device, type


@pytest.mark.parametrize("device", ["meta", "cpu", torch.device("cpu")])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_weights_are_made_on_the_device_and_in_the_type_asked_for(device, dtype):
    network = small(device=device, dtype=dtype)

    floats = [t for t in network.state_dict().values() if t.is_floating_point()]
    assert {(t.device, t.dtype) for t in floats} == {(torch.device(device), dtype)}


# Stride


@pytest.mark.parametrize(("stride", "strides"), [(16, [4, 8, 16, 16]), (8, [4, 8, 8, 8])])
def test_a_dilated_map_holds_the_map_that_it_stands_for(stride, strides):
    x = image(1, 72, 104)
    usual, dilated = fill(small()).eval(), fill(small(output_stride=stride)).eval()

    maps = dilated.forward_intermediates(x, intermediates_only=True)

    assert [info["reduction"] for info in dilated.feature_info] == strides
    expected = usual.forward_intermediates(x, intermediates_only=True)
    for i, (found, whole) in enumerate(zip(maps, expected, strict=True)):
        step = 4 * 2**i // strides[i]
        assert found.shape[2:] == (-(-72 // strides[i]), -(-104 // strides[i]))
        torch.testing.assert_close(found[..., ::step, ::step], whole)


def test_a_dilated_network_tells_its_strides_to_what_decodes_its_maps():
    features = small(features_only=True, output_stride=16, out_indices=(2, 3))

    maps = features(image(1, 64, 64))

    assert features.feature_info.reduction() == [16, 16]
    assert [tuple(found.shape[2:]) for found in maps] == [(4, 4), (4, 4)]


def test_another_stride_is_refused():
    with pytest.raises(ValueError, match=r"expected an output_stride among .*, received 4"):
        small(output_stride=4)


# Tracing


def test_a_traced_graph_answers_for_any_size_as_the_network(untyped):
    network = fill(small()).eval()

    graph = torch.fx.symbolic_trace(network)

    torch.fx.symbolic_trace(small(drop_path_rate=0.2).train())
    for size in ((64, 64), (72, 40)):
        torch.testing.assert_close(graph(image(2, *size)), network(image(2, *size)))


def test_names_of_nodes_are_found_in_training_and_in_evaluation(untyped):
    training, evaluation = get_graph_node_names(small())

    for names in (training, evaluation):
        assert {"levels.0.encoded", "levels.2.blocks.0.mixer.selective_scan"} <= set(names)


# Features


@pytest.mark.parametrize("kind", ["list", "dict", "hook", "fx", "getter"])
def test_maps_are_the_same_whatever_extracts_them(kind, untyped):
    x, network = image(2, 72, 40), fill(small()).eval()
    features = small(features_only=True, feature_cls=kind, out_indices=(1, 3)).eval()
    kept = {key: t for key, t in network.state_dict().items() if key.startswith(("patch", "lev"))}
    holder = next(
        m for m in features.modules() if "levels.0.blocks.0.conv1.weight" in m.state_dict()
    )
    holder.load_state_dict(kept, strict=False)

    maps = features(x)

    if kind == "dict":
        assert list(maps) == ["1", "3"]
        maps = list(maps.values())
    _, expected = network.forward_intermediates(x, indices=[1, 3])
    assert features.feature_info.channels() == [32, 128]
    for found, wanted in zip(maps, expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_maps_can_be_laid_out_as_tokens_and_normalised():
    x, network = image(2, 72, 40), fill(small()).eval()
    features = FeatureGetterNet(network, out_indices=(3,), output_fmt="NLC", norm=True)

    (tokens,) = features(x)

    expected = network.forward_features(x)
    assert tokens.shape == (2, 3 * 2, 128)
    torch.testing.assert_close(tokens.transpose(1, 2).reshape(expected.shape), expected)


def test_the_factory_hands_on_what_concerns_the_extraction():
    chosen = {"norm": True, "output_fmt": "NLC", "out_indices": (3,)}

    features = small(features_only=True, feature_cfg=chosen)

    assert (features.norm, features.output_fmt, features.out_indices) == (True, "NLC", [3])


# Size of the image, windows


@pytest.mark.parametrize(
    ("img_size", "windows"), [(256, [16, 8]), (200, [13, 7]), ((256, 192), [(16, 12), (8, 6)])]
)
def test_windows_grow_with_the_image_that_the_network_is_made_for(img_size, windows):
    made = timm.create_model("mambavision_nano", device="meta", img_size=img_size)
    changed = timm.create_model("mambavision_nano", device="meta")

    changed.set_input_size((64, 64))
    changed.set_input_size(img_size)

    assert sides(made) == sides(changed) == windows
    assert made.patch_embed.img_size == changed.patch_embed.img_size


def test_windows_that_are_given_stay_and_are_those_that_grow(untyped):
    network = small(img_size=64)
    given = sides(network)

    network.set_input_size(128)
    grown = sides(network)
    network.set_input_size(window_size=(8, (2, 4)))

    assert (given, grown, sides(network)) == ([4, 2], [8, 4], [8, (2, 4)])
    with pytest.raises(ValueError, match="expected 2 positive window_size, received 7"):
        network.set_input_size(window_size=7)


def test_windows_may_be_a_share_of_the_map_of_patches_as_in_timm():
    ours = timm.create_model("mambavision_nano", device="meta", img_size=(256, 192))
    theirs = timm.create_model("swin_tiny_patch4_window7_224", device="meta")

    for ratio in (8, (4, 8)):
        ours.set_input_size(window_ratio=ratio)
        whole = ratio if ratio == 8 else (2, 2, *ratio)
        theirs.set_input_size((256, 192), window_ratio=whole)
        assert sides(ours) == [layer.blocks[0].window_size for layer in theirs.layers[2:]]
    ours.set_input_size(160, window_ratio=(6, 9))
    theirs.set_input_size(160, window_ratio=(2, 2, 6, 9))
    assert sides(ours) == [layer.blocks[0].window_size[0] for layer in theirs.layers[2:]]
    ours.set_input_size(64, window_ratio=99)
    least = sides(ours)
    ours.set_input_size(192, window_size=(6, 3), window_ratio=5)

    assert (least, sides(ours)) == ([1, 1], [6, 3])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"patch_size": 4}, "expected no patch_size, received 4: patches have 4 pixels a side"),
        ({"always_partition": False}, "expected no always_partition, .* is always cut into"),
        ({"window_ratio": 8}, "expected an img_size beside window_ratio, received none; give it"),
        ({"img_size": 64, "window_ratio": (8,)}, r"2 positive window_ratio, received \(8,\)"),
        ({"img_size": 64, "window_ratio": 0}, "expected 2 positive window_ratio, received"),
        ({"img_size": 64, "window_ratio": (2.5, 8)}, "whole numbers as window_ratio, received"),
        ({"img_size": 64, "window_ratio": ((4, 8), 8)}, "whole numbers as window_ratio, received"),
    ],
)
def test_what_windows_cannot_be_chosen_by_is_refused_in_a_sentence(asked, sentence, untyped):
    network = timm.create_model("mambavision_nano", device="meta")

    with pytest.raises(ValueError, match=sentence):
        network.set_input_size(**asked)


def test_a_window_may_be_wider_than_tall():
    block = MixerBlock(AttentionMixer(8, 2), 8, 4.0, None, drop_path=0.0)
    level, x = Level([block], 8, (2, 3), halves=False).eval(), torch.randn(1, 8, 4, 6)

    found = level(x)

    for top, left in ((0, 0), (0, 3), (2, 0), (2, 3)):
        window = x[..., top : top + 2, left : left + 3]
        expected = block(window.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, (2, 3))
        torch.testing.assert_close(found[..., top : top + 2, left : left + 3], expected)


def test_a_strict_network_takes_its_size_alone_until_it_is_changed(untyped):
    network = small(strict_img_size=True, img_size=64)
    message = "expected images of 64 x 64 pixels, received 96 x 64"

    with pytest.raises(ValueError, match=message):
        network(image(1, 96, 64))
    network.set_input_size((96, 64))

    assert network(image(1, 96, 64)).shape == (1, 7)
    by_default = small(strict_img_size=True)
    assert by_default.patch_embed.img_size == (224, 224)


def test_a_network_is_saved_and_made_again_with_its_size_and_windows(tmp_path):
    network = fill(small(img_size=64)).eval()
    network.set_input_size(96, window_size=(6, (3, 2)))
    timm.models.save_for_hf(network, tmp_path, safe_serialization=True)

    again = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()

    assert sides(again) == [6, (3, 2)]
    torch.testing.assert_close(again(image(1, 96, 96)), network(image(1, 96, 96)))


# Layers


def test_activations_and_norms_are_the_ones_asked_for():
    network = small(act_layer="silu", norm_layer="groupnorm1", norm_layer_cl="rmsnorm")

    kinds = {type(module).__name__ for module in network.modules()}

    assert {"GroupNorm1", "RmsNorm"} <= kinds
    assert kinds.isdisjoint({"ReLU", "GELU", "BatchNorm2d", "LayerNorm"})
    assert any("si" in kind.lower() or "swish" in kind.lower() for kind in kinds)
    assert network(image(1, 64, 64)).isfinite().all()


def test_dropout_is_read_and_set_as_an_attribute():
    network = small(drop_rate=0.25)

    found = network.drop_rate
    network.drop_rate = 1.0

    assert found == 0.25
    assert network.train().forward_head(torch.ones(1, 128, 2, 2), pre_logits=True).eq(0).all()


# What is no batch of images, no pair of windows


def test_one_side_for_all_windows_is_told_in_a_sentence(untyped):
    with pytest.raises(
        ValueError, match="expected 2 positive window_size, received 7, one for all"
    ):
        small(window_size=7)


def test_no_image_at_all_has_no_answer():
    assert small().eval()(image(1, 64, 64)[:0]).shape == (0, 7)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.zeros(3, 64, 64), ValueError, r"expected images of shape .*\(3, 64, 64\)"),
        (torch.zeros(1, 3, 64, 64, dtype=torch.uint8), TypeError, "received torch.uint8; divide"),
        (torch.zeros(1, 1, 64, 64), ValueError, r"expected images of 3 channels.*\(1, 1, 64, 64\)"),
        (torch.zeros(1, 64, 64, 3), ValueError, r"expected images of 3 channels.*permute"),
    ],
)
def test_what_is_no_batch_of_images_is_told_in_a_sentence(x, error, message, untyped):
    with pytest.raises(error, match=message):
        small()(x)


def test_a_stem_that_was_replaced_takes_what_it_takes(untyped):
    network = small()
    network.patch_embed.conv_down[0] = nn.Sequential(nn.Conv2d(5, 16, 3, 2, 1), nn.Identity())

    assert network(torch.zeros(1, 5, 64, 64)).shape == (1, 7)


@pytest.mark.parametrize("method", ["fx", "hook"])
def test_the_weights_of_attention_are_found_by_their_usual_names(method, untyped):
    set_fused_attn(False)
    model = small().eval()
    set_fused_attn(True)

    with torch.inference_mode():
        found = AttentionExtract(model, method=method)(torch.randn(1, 3, 64, 64))

    made = {name: m for name, m in model.named_modules() if isinstance(m, AttentionMixer)}
    by_block = {name.partition(".attn")[0]: weights for name, weights in found.items()}
    assert by_block.keys() == made.keys() and len(found) == len(made) == 2
    for name, weights in by_block.items():
        tokens = weights.shape[-1]
        assert weights.shape[1:] == (made[name].num_heads, tokens, tokens)
        torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))


@pytest.mark.parametrize(("dilation", "windows"), [(1, 16), (2, 16), (3, 36)])
def test_interleaved_windows_are_no_more_than_the_map_needs(dilation, windows):
    tokens = split_windows(torch.zeros(1, 5, 8, 8), Window(2, 2, dilation))

    assert tokens.shape == (windows, 4, 5)

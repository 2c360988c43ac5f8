"""What may stand in the place of MambaVision's scan: same width, same shapes, counted weights."""

import jaxtyping
import numpy as np
import onnxruntime
import pytest
import timm
import torch
from mambavision_oracle import fill, image

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.models.mambavision import Level
from vitrine.models.mixers import AttentionMixer, ConvMixer, ScanMixer, mixer_named
from vitrine.training.recipes import MIXERS
from vitrine.training.torch.network import build

KINDS = {
    "scan": ScanMixer,
    "identity": torch.nn.Identity,
    "conv": ConvMixer,
    "attention": AttentionMixer,
}
DIM, HEADS, SIDE = 16, 4, 4


@pytest.fixture
def tokens():
    return torch.randn(3, SIDE * SIDE, DIM, generator=torch.Generator().manual_seed(0))


def small(mixer):
    options = {"depths": (1, 1, 2, 2), "window_size": (4, 2), "num_classes": 7}
    return timm.create_model("mambavision_nano", mixer=mixer, **options)


@pytest.mark.parametrize("name", KINDS)
def test_tokens_keep_their_shape_and_every_weight_learns_from_them(name, tokens):
    mixer = mixer_named(name, DIM, HEADS)

    mixed = mixer(tokens)
    (mixed if mixed.requires_grad else mixed.requires_grad_()).square().sum().backward()

    assert type(mixer) is KINDS[name]
    assert mixed.shape == tokens.shape
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in mixer.parameters())


def test_attention_learns_in_bfloat16_from_plain_products_and_answers_with_the_kernel(tokens):
    mixer = AttentionMixer(DIM, HEADS)

    def answer(half, learning):
        half = torch.autocast("cpu", dtype=torch.bfloat16, enabled=half)
        with torch.profiler.profile() as profile, torch.set_grad_enabled(learning), half:
            mixed = mixer(tokens)
        return mixed, any("flash_attention" in event.key for event in profile.key_averages())

    expected, _ = answer(half=False, learning=False)
    kernel = {}
    for case in ((False, True), (True, False), (True, True)):
        mixed, kernel[case] = answer(*case)
        torch.testing.assert_close(
            mixed.float(), expected, rtol=0, atol=0.02 * expected.abs().max()
        )

    assert kernel == {(False, True): True, (True, False): True, (True, True): False}


class Wrapped(torch.nn.Module):
    """A linear layer that keeps its bias to itself, as adapters and quantised layers do."""

    def __init__(self, linear):
        super().__init__()
        self.inner = linear

    def forward(self, x):
        return self.inner(x)


def test_a_wrapped_projection_of_the_step_changes_nothing(tokens):
    mixer = mixer_named("scan", DIM, HEADS)
    torch.nn.init.normal_(mixer.dt_proj.bias)
    expected = mixer(tokens)

    mixer.dt_proj = Wrapped(mixer.dt_proj)

    torch.testing.assert_close(mixer(tokens), expected)


@pytest.mark.filterwarnings("ignore:torch.ao.quantization is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_a_network_quantised_by_torch_answers_as_it_did():
    network, x = fill(small("scan")).eval(), image(2, 64, 64)

    quantised = torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear})

    with torch.inference_mode():
        found, expected = quantised(x), network(x)
    assert not isinstance(quantised.levels[2].blocks[0].mixer.dt_proj, torch.nn.Linear)
    assert (found - expected).norm() < 0.1 * expected.norm()


@pytest.mark.parametrize("name", KINDS)
def test_every_weight_of_a_network_learns_whatever_its_mixer(name):
    network = small(name).train()

    network(image(2, 64, 64)).square().sum().backward()

    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_the_convolution_sees_both_directions_of_a_window_and_one_token_around(tokens):
    mixer = ConvMixer(DIM)
    centre = 1 * SIDE + 2  # second row, third column
    tokens.requires_grad_()

    mixer(tokens)[0, centre].sum().backward()

    seen = tokens.grad[0].abs().sum(1).reshape(SIDE, SIDE) > 0
    expected = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    expected[0:3, 1:4] = True
    assert torch.equal(seen, expected)
    assert not tokens.grad[1:].any()  # windows stay apart


def test_the_convolution_sees_the_rows_of_a_window_wider_than_tall(tokens):
    level = Level([ConvMixer(DIM)], DIM, (2, 8), halves=False)
    x = tokens.transpose(1, 2).unflatten(2, (2, 8)).requires_grad_()

    level(x)[0, :, 1, 4].sum().backward()

    seen = x.grad[0].abs().sum(0) > 0
    expected = torch.zeros(2, 8, dtype=torch.bool)
    expected[:, 3:6] = True
    assert torch.equal(seen, expected)


@pytest.mark.parametrize("name", KINDS)
def test_windows_of_any_shape_suit_every_mixer_whenever_they_are_chosen(name):
    network = timm.create_model("mambavision_nano", mixer=name, img_size=(64, 96), num_classes=7)
    wide = network(image(1, 64, 96))

    network.set_input_size((96, 64))
    tall = network(image(1, 96, 64))
    network.levels[2].window_size = network.levels[3].window_size = 3

    assert wide.shape == tall.shape == network(image(1, 96, 64)).shape == (1, 7)


def test_a_convolution_alone_refuses_tokens_that_fill_no_window(tokens, untyped):
    mixer = ConvMixer(DIM)

    with pytest.raises(ValueError, match="the 3 x 3 tokens of a window, received 15; set the"):
        mixer(tokens[:, :15])


def test_only_the_first_half_of_a_level_is_replaced_and_the_rest_keeps_its_keys():
    usual, other = small("scan"), small("conv")

    for level in other.levels[2:]:
        assert [type(block.mixer) for block in level.blocks] == [ConvMixer, AttentionMixer]
    scans = ("levels.2.blocks.0.mixer.", "levels.3.blocks.0.mixer.")
    states = [
        {key: tensor.shape for key, tensor in network.state_dict().items()}
        for network in (usual, other)
    ]
    kept = [{k: s for k, s in state.items() if not k.startswith(scans)} for state in states]
    assert kept[0] == kept[1]


def test_without_a_mixer_the_network_is_the_one_that_scans():
    torch.manual_seed(0)
    usual = timm.create_model("mambavision_nano")
    torch.manual_seed(0)
    named = timm.create_model("mambavision_nano", mixer="scan")

    states = usual.state_dict(), named.state_dict()

    assert list(states[0]) == list(states[1])
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


COUNTED = {"scan": 4_430_679, "identity": 3_977_047, "conv": 4_411_095, "attention": 4_832_599}


@pytest.mark.parametrize("recipe", MIXERS, ids=lambda recipe: recipe.mixer)
def test_arms_of_equal_width_have_these_numbers_of_weights(recipe):
    with torch.device("meta"):
        network = build(recipe, pretrained=False)[1]

    assert sum(p.numel() for p in network.parameters()) == COUNTED[recipe.mixer]
    replaced = network.levels[3].blocks[0].mixer
    assert type(replaced) is KINDS[recipe.mixer]


def test_an_unknown_mixer_is_refused_with_those_that_exist():
    message = "expected a mixer among scan, identity, conv, attention, received 'fft'"

    with pytest.raises(ValueError, match=message):
        timm.create_model("mambavision_nano", mixer="fft")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_another_runtime_answers_as_the_network_that_convolves(tmp_path):
    network, path = fill(small("conv")).eval(), tmp_path / "model.onnx"
    jaxtyping.config.update("jaxtyping_disable", True)  # exporters do not see through the checks
    try:
        torch.onnx.export(
            network, (image(2, 72, 64),), path, dynamo=True, verbose=False,
            dynamic_shapes={"image": {0: torch.export.Dim("batch")}}, input_names=["image"],
        )  # fmt: skip
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = image(3, 72, 64)

    (logits,) = session.run(None, {"image": x.numpy()})

    with torch.inference_mode():
        np.testing.assert_allclose(logits, network(x).numpy(), rtol=0, atol=1e-4)

import copy
from collections import Counter

import pytest
import timm
import torch
import torch.nn.functional as F
from mambavision_oracle import fill, image, load_reference, loss_weights, plain_forward
from timm.optim import param_groups_layer_decay, param_groups_weight_decay
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.models.mambavision import AttentionMixer, Level, MixerBlock, ScanMixer
from vitrine.models.scan.derivatives import flops_outside_scans
from vitrine.models.variants import COLUMNS, SIZES

PUBLISHED = {"T": "mambavision_tiny", "B": "mambavision_base"}
SMALL = {"depths": (1, 1, 2, 2), "window_size": (4, 2)}
STAGES = {"patch_embed", "levels.0", "levels.1", "levels.2", "levels.3"}


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="module", params=["T", "B"])
def published(request):
    model = fill(timm.create_model(PUBLISHED[request.param], drop_path_rate=0.0))
    return model.double().eval(), load_reference(request.param)


def small(**kwargs):
    return timm.create_model("mambavision_nano", **{"num_classes": 7, **SMALL, **kwargs})


def relative(found, expected):
    found, expected = found.detach().double(), torch.as_tensor(expected).detach().double()
    return float((found - expected).norm() / expected.norm())


def assert_summary(found, recorded, bar):
    first = torch.as_tensor(recorded["first"], dtype=torch.float64)
    assert relative(found.flatten()[: len(first)], first) < bar
    assert found.norm().item() == pytest.approx(recorded["l2"], rel=bar)
    assert found.mean().item() == pytest.approx(recorded["mean"], abs=bar * recorded["std"])
    assert found.std(correction=0).item() == pytest.approx(recorded["std"], rel=bar)


# The published network, rebuilt: weights from a generator, answers recorded


def test_keys_shapes_types_and_order_are_the_published_ones(published):
    model, reference = published

    state = model.state_dict()

    types = {torch.float64: "float32", torch.int64: "int64"}  # the fixture has widened the floats
    found = [[key, list(tensor.shape), types[tensor.dtype]] for key, tensor in state.items()]
    assert found == reference["state_dict"]
    assert sum(p.numel() for p in model.parameters()) == reference["n_params"]


@pytest.mark.parametrize("case", [0, 1], ids=["224x224", "200x264"])
@pytest.mark.parametrize(("dtype", "bar"), [(torch.float32, 2e-6), (torch.float64, 1e-11)])
def test_logits_are_the_published_ones(published, case, dtype, bar):
    model, reference = published
    recorded = reference["cases"][case]
    x = image(recorded["batch"], recorded["height"], recorded["width"]).to(dtype)
    if dtype == torch.float64 and reference["variant"] == "mamba_vision_B":
        x = x[:1]  # the images are independent of one another, and this network is slow

    with torch.no_grad():
        logits = model.to(dtype)(x).double()
    model.double()

    for found, answer in zip(logits, recorded["logits_f64"], strict=False):
        assert_summary(found, answer, bar)
        assert found.argmax() == answer["argmax"]


def test_every_stage_is_the_published_one_on_an_odd_size():
    model = fill(timm.create_model("mambavision_tiny")).double().eval()
    recorded = load_reference("T")["cases"][1]["stages_f64"]
    stages = {}
    for name in STAGES:
        hook = lambda module, inputs, output, name=name: stages.update({name: output})  # noqa: E731
        model.get_submodule(name).register_forward_hook(hook)

    with torch.no_grad():
        model(image(2, 200, 264).double())

    for name in STAGES:
        assert list(stages[name].shape) == recorded[name]["shape"]
        assert_summary(stages[name], recorded[name], 1e-11)


def assert_gradients(model, x, recorded):
    x = x.double().requires_grad_()
    model.zero_grad()

    logits = model(x)
    loss = (logits * loss_weights(len(x))).sum() / logits.numel()
    loss.backward()

    assert loss.item() == pytest.approx(recorded["loss"], rel=1e-11)
    norms = {name: p.grad.norm().item() for name, p in model.named_parameters()}
    # The floor is for the biases that a batch norm cancels: their gradient is rounding noise.
    assert norms == pytest.approx(recorded["grad_l2"], rel=1e-8, abs=1e-12)
    assert x.grad.norm().item() == pytest.approx(recorded["input_grad_l2"], rel=1e-8)
    for name, first in recorded["grad_first4_of_some"].items():
        found = model.get_parameter(name).grad.flatten()[:4].tolist()
        assert found == pytest.approx(first, rel=1e-8, abs=1e-12)
    return logits.detach()


def test_gradients_are_the_published_ones(published):
    model, reference = published

    assert_gradients(model, image(2, 64, 96), reference["gradients_eval_mode"])


def test_gradients_of_tiny_at_its_native_size_are_the_published_ones():
    model = fill(timm.create_model("mambavision_tiny")).double().eval()

    assert_gradients(model, image(1, 224, 224), load_reference("T")["gradients_eval_mode_224"])


def test_a_training_step_of_tiny_is_the_published_one():
    model = fill(timm.create_model("mambavision_tiny", drop_path_rate=0.0)).double().train()
    recorded = load_reference("T")["gradients_train_mode"]

    logits = assert_gradients(model, image(4, 64, 96), recorded)

    assert_summary(logits, recorded["logits"], 1e-11)
    for name, statistics in recorded["running_stats_after"].items():
        assert_summary(model.get_buffer(name), statistics, 1e-11)


# Every other variant, against the same network written a second time


def test_the_plain_forward_answers_what_was_published():
    reference = load_reference("T")
    state = fill(timm.create_model("mambavision_tiny")).double().state_dict()

    with torch.no_grad():
        logits = plain_forward(state, image(2, 64, 96).double(), (8, 16), (14, 7))

    loss = (logits * loss_weights(2)).sum() / logits.numel()
    assert loss.item() == pytest.approx(reference["gradients_eval_mode"]["loss"], rel=1e-11)


@pytest.mark.parametrize("name", SIZES)
def test_every_variant_agrees_with_the_plain_forward(name):
    size = dict(zip(COLUMNS, SIZES[name], strict=True))
    heads = [heads // 4 if heads > 4 else heads for heads in size["num_heads"]]
    narrow = {"dim": 32 if size["dim"] % 7 else 28, "num_heads": heads, "depths": (1, 1, 3, 2)}
    model = fill(timm.create_model(name, num_classes=9, **narrow)).double().eval()
    x = image(1, 72, 40).double()

    with torch.no_grad():
        found = model(x)

    expected = plain_forward(model.state_dict(), x, heads, size["window_size"])
    assert relative(found, expected) < 1e-11


PARAMETERS = {  # millions, as published; ours as counted
    "mambavision_nano": 1.0,
    "mambavision_micro": 4.7,
    "mambavision_tiny": 31.8,
    "mambavision_tiny2": 35.1,
    "mambavision_small": 50.1,
    "mambavision_base": 97.7,
    "mambavision_large": 227.9,
    "mambavision_large2": 241.5,
    "mambavision_large2_512": 241.5,
    "mambavision_large3_256": 739.6,
    "mambavision_large3_512": 739.6,
}


@pytest.mark.parametrize("name", SIZES)
def test_every_variant_has_its_published_number_of_parameters(name):
    with torch.device("meta"):
        model = timm.create_model(name)

    count = sum(p.numel() for p in model.parameters()) / 1e6
    assert count == pytest.approx(PARAMETERS[name], abs=0.07)  # of L, less the scales: 227.93


def cost(name):
    model = timm.create_model(name).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, 224, 224))
    return sum(p.numel() for p in model.parameters()) / 1e6, flops_outside_scans(counter) / 2e9


def test_micro_costs_about_what_efficientnet_b0_does():
    parameters, multiply_adds = cost("mambavision_micro")
    baseline_parameters, baseline_multiply_adds = cost("efficientnet_b0")

    assert parameters == pytest.approx(4.7, abs=0.05)
    assert multiply_adds == pytest.approx(0.44, abs=0.005)
    assert parameters == pytest.approx(baseline_parameters, rel=0.15)
    assert multiply_adds == pytest.approx(baseline_multiply_adds, rel=0.15)


def test_nano_has_at_most_1_15_million_parameters():
    parameters, multiply_adds = cost("mambavision_nano")

    assert parameters < 1.15
    assert multiply_adds == pytest.approx(0.13, abs=0.005)


# What timm's tools rely on


PUBLISHED_CFGS = """
tiny.nv_in1k                    T-1K        mambavision_tiny_1k           224 1.0  center
tiny2.nv_in1k                   T2-1K       mambavision_tiny2_1k          224 0.98 center
small.nv_in1k                   S-1K        mambavision_small_1k          224 0.93 center
base.nv_in1k                    B-1K        mambavision_base_1k           224 1.0  center
base.nv_in21k_ft_in1k           B-21K       mambavision_base_21k          224 1.0  center
large.nv_in1k                   L-1K        mambavision_large_1k          224 1.0  center
large.nv_in21k_ft_in1k          L-21K       mambavision_large_21k         224 1.0  center
large2.nv_in1k                  L2-1K       mambavision_large2_1k         224 1.0  center
large2_512.nv_in21k_ft_in1k     L2-512-21K  mambavision_L2_21k_240m_512   512 0.93 squash
large3_256.nv_in21k_ft_in1k     L3-256-21K  mambavision_L3_21k_740m_256   256 1.0  center
large3_512.nv_in21k_ft_in1k     L3-512-21K  mambavision_L3_21k_740m_512   512 0.93 squash
"""


@pytest.mark.parametrize("line", PUBLISHED_CFGS.strip().splitlines())
def test_every_published_file_is_described_where_it_is(line):
    name, repository, file, side, crop, mode = line.split()

    cfg = timm.get_pretrained_cfg(f"mambavision_{name}")

    assert (cfg.hf_hub_id, cfg.hf_hub_filename) == (
        f"nvidia/MambaVision-{repository}",
        f"{file}.pth.tar",
    )
    assert cfg.input_size == (3, int(side), int(side))
    assert (cfg.crop_pct, cfg.crop_mode, cfg.interpolation) == (float(crop), mode, "bicubic")
    assert (cfg.mean, cfg.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (cfg.num_classes, cfg.license) == (1000, "cc-by-nc-sa-4.0")


def test_all_names_are_registered_and_the_first_tag_is_the_default():
    names = timm.list_models("mambavision*")
    with_weights = timm.list_models("mambavision*", pretrained=True)

    assert set(names) == set(SIZES)
    assert len(with_weights) == len(PUBLISHED_CFGS.strip().splitlines())
    assert timm.get_pretrained_cfg("mambavision_base").tag == "nv_in1k"


def test_features_are_the_four_maps_before_they_are_halved(rng):
    x = torch.randn(2, 3, 72, 40, generator=rng)
    model = small().eval()
    features = timm.create_model("mambavision_nano", features_only=True, **SMALL).eval()
    features.load_state_dict(model.state_dict(), strict=False)
    features.model.load_state_dict(
        {k: v for k, v in model.state_dict().items() if not k.startswith(("head", "norm"))},
        strict=False,
    )

    maps = features(x)

    assert [tuple(m.shape) for m in maps] == [
        (2, 16, 18, 10),
        (2, 32, 9, 5),
        (2, 64, 5, 3),
        (2, 128, 3, 2),
    ]
    assert features.feature_info.channels() == [16, 32, 64, 128]
    assert features.feature_info.reduction() == [4, 8, 16, 32]
    final, intermediates = model.forward_intermediates(x)
    for found, expected in zip(maps, intermediates, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
    torch.testing.assert_close(final, model.forward_features(x), rtol=0, atol=0)
    torch.testing.assert_close(model.norm(maps[-1]), final, rtol=0, atol=0)


def test_features_taken_by_hooks_are_the_same_maps(rng):
    x = torch.randn(1, 3, 64, 64, generator=rng)
    model = small(features_only=True, feature_cls="hook").eval()

    maps = model(x)

    expected = model.body.forward_intermediates(x, intermediates_only=True)
    for found, wanted in zip(maps, expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def test_a_shortened_feature_network_has_no_idle_parameter(rng):
    model = small(features_only=True, out_indices=(1, 2))

    maps = model(torch.randn(2, 3, 64, 64, generator=rng))
    sum(m.square().mean() for m in maps).backward()

    assert [m.shape[1] for m in maps] == [32, 64]
    assert all(p.grad is not None for p in model.parameters())


def test_intermediates_can_be_chosen_normalised_and_cut_short(rng):
    model = small().eval()
    x = torch.randn(1, 3, 64, 64, generator=rng)
    _, every = model.forward_intermediates(x)

    last, normed = model.forward_intermediates(x, indices=1, norm=True)
    third, two = model.forward_intermediates(x, indices=[0, 2], stop_early=True)

    torch.testing.assert_close(normed[0], last, rtol=0, atol=0)
    torch.testing.assert_close(third, every[2], rtol=0, atol=0)
    assert [m.shape[1] for m in two] == [16, 64]
    with pytest.raises(ValueError, match="expected output_fmt NCHW or NLC, received NHWC"):
        model.forward_intermediates(x, output_fmt="NHWC")


def test_the_head_can_be_bypassed_replaced_and_removed(rng):
    model = small().eval()
    x = torch.randn(2, 3, 64, 64, generator=rng)
    features = model.forward_features(x)

    pooled = model.forward_head(features, pre_logits=True)

    torch.testing.assert_close(pooled, features.mean((2, 3)))
    torch.testing.assert_close(model.get_classifier()(pooled), model(x))
    model.reset_classifier(3, "catavgmax")
    assert model(x).shape == (2, 3)
    assert model.head_hidden_size == 2 * model.num_features == 256
    model.reset_classifier(0)
    assert model(x).shape == (2, 256)
    model.reset_classifier(0, "")
    torch.testing.assert_close(model(x), features)
    with pytest.raises(ValueError, match="expected a pooling before a head of 5 classes"):
        model.reset_classifier(5)


@pytest.mark.parametrize("pool", ["avg", "max", "avgmax", "catavgmax"])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_pooling_and_channels_are_free(pool, channels, rng):
    model = small(global_pool=pool, in_chans=channels, drop_rate=0.5).eval()

    assert model(torch.randn(1, channels, 64, 64, generator=rng)).shape == (1, 7)


@pytest.mark.parametrize("size", [(64, 64), (33, 97), (224, 160), (8, 8), (1, 1)])
def test_any_image_size_is_accepted(size, rng):
    model = small().eval()

    logits = model(torch.randn(2, 3, *size, generator=rng))

    assert logits.shape == (2, 7)
    assert logits.isfinite().all()


def test_windows_are_chosen_at_load_and_change_no_key(rng):
    x = torch.randn(2, 3, 96, 64, generator=rng).double()
    one, another = fill(small()).double().eval(), small(window_size=(2, 1)).double().eval()

    another.load_state_dict(one.state_dict())

    assert relative(another(x), one(x)) > 1e-3
    expected = plain_forward(another.state_dict(), x, (2, 4), (2, 1))  # 3 x 2 windows an image
    assert relative(another(x), expected) < 1e-11


def test_decay_rates_and_skips_of_the_scans_are_not_decayed():
    model = small()

    free, decayed = param_groups_weight_decay(
        model, weight_decay=0.05, no_weight_decay_list=model.no_weight_decay()
    )

    assert (free["weight_decay"], decayed["weight_decay"]) == (0.0, 0.05)
    scans = [m for m in model.modules() if isinstance(m, ScanMixer)]
    assert len(scans) == 2
    unweighted = {id(p) for p in free["params"]}
    assert all({id(scan.A_log), id(scan.D)} <= unweighted for scan in scans)


def test_learning_rates_decay_from_the_head_down_to_the_stem():
    model = small()
    names = {id(p): name for name, p in model.named_parameters()}

    groups = param_groups_layer_decay(model, layer_decay=0.5)

    scale = {names[id(p)]: group["lr_scale"] for group in groups for p in group["params"]}
    order = ["patch_embed.conv_down.0.weight"]
    order += [f"levels.{i}.blocks.0.conv1.weight" for i in (0, 1)]
    order += [f"levels.{i}.blocks.{j}.norm1.weight" for i in (2, 3) for j in (0, 1)]
    order += ["head.weight"]
    assert [scale[name] for name in order] == [0.5**k for k in range(7, -1, -1)]
    assert (
        scale["levels.2.downsample.reduction.0.weight"] == scale["levels.2.blocks.1.norm1.weight"]
    )
    assert scale["norm.weight"] == scale["levels.3.blocks.1.norm1.weight"]
    coarse = timm.models.group_parameters(model, model.group_matcher(coarse=True), reverse=True)
    assert {coarse[name] for name in order} == {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("keep_products", [False, True])
def test_checkpointing_changes_neither_gradients_nor_statistics(
    keep_products, half, rng, monkeypatch
):
    # What keeps products watches operators, and few short scans are then left to another form.
    monkeypatch.setenv("VITRINE_SCAN", "chunked")
    x = torch.randn(2, 3, 64, 64, generator=rng)
    plain = small(drop_path_rate=0.0).train()
    thrifty = copy.deepcopy(plain)
    thrifty.set_grad_checkpointing(keep_products=keep_products)

    for model in (plain, thrifty):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = model(x).square().mean()
        loss.backward()

    assert [level.grad_checkpointing for level in thrifty.levels] == [False, False, True, True]
    for one, other in zip(plain.parameters(), thrifty.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=0)
    for one, other in zip(plain.buffers(), thrifty.buffers(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


ATTENTION = "_scaled_dot_product_flash_attention_for_cpu"


class Seen(TorchDispatchMode):
    """Counts the operators that run, by their names."""

    def __init__(self):
        super().__init__()
        self.count = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("half", [False, True])
def test_a_block_whose_products_are_kept_recomputes_the_rest_alone(half, rng, monkeypatch):
    monkeypatch.setenv("VITRINE_SCAN", "chunked")
    x = torch.randn(2, 3, 64, 64, generator=rng)
    network = small(drop_path_rate=0.5).train()

    def count(**options):
        network.set_grad_checkpointing(**options)
        with Seen() as seen, torch.autocast("cpu", torch.bfloat16, enabled=half):
            network(x).square().mean().backward()
        return seen.count

    plain, kept, whole = count(enable=False), count(keep_products=True), count()

    scanned = ["chunked_scan", "convolution"]
    kept_once, again = ["addmm", ATTENTION], ["gelu", *scanned]
    if half:  # attention is made of plain products there, which are computed again
        kept_once, again = ["addmm", *scanned], ["gelu", "bmm"]
    for name in kept_once:
        assert plain[name] == kept[name] < whole[name], name
    for name in again:
        assert plain[name] < kept[name] == whole[name], name


def test_stochastic_depth_grows_linearly_from_none_to_its_rate():
    model = small(drop_path_rate=0.5)

    rates = [block.drop_path.drop_prob for level in model.levels for block in level.blocks]

    assert rates == pytest.approx([0.1 * i for i in range(6)])


def test_stochastic_depth_drops_each_window_on_its_own(rng):
    block = MixerBlock(AttentionMixer(8, 2), 8, 4.0, None, drop_path=0.5)
    level = Level([block], 8, 2, halves=False).train()
    x = torch.randn(1, 8, 16, 16, generator=rng)
    torch.manual_seed(0)

    moved = (level(x) - x).abs().amax(1).unflatten(2, (8, 2)).unflatten(1, (8, 2)).amax((0, 2, 4))

    assert 0 < (moved == 0).sum() < 64


def test_every_parameter_is_reached_by_the_gradient(rng):
    model = small(layer_scale=1e-5)

    model(torch.randn(2, 3, 64, 64, generator=rng)).square().mean().backward()

    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_a_fresh_network_starts_as_the_published_one_did():
    model = timm.create_model("mambavision_nano", layer_scale=1e-5)
    block = model.levels[3].blocks[0]
    scan = block.mixer

    torch.testing.assert_close(scan.A_log.exp(), torch.arange(1.0, 9).repeat(64, 1))
    assert scan.D.eq(1).all()
    assert scan.dt_proj.bias.eq(0).all()
    assert block.gamma_1.eq(1e-5).all()
    assert block.gamma_1 is not block.gamma_2
    assert block.mlp.fc1.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert model.head.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert model.patch_embed.conv_down[3].weight.std().item() == pytest.approx(
        (1 / 3 / (16 * 9)) ** 0.5, rel=0.1
    )
    model.reset_classifier(500)
    assert model.head.weight.std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"depths": (1, 1, 2)}, "expected 4 positive depths, received \\(1, 1, 2\\)"),
        ({"window_size": (7,)}, "expected 2 positive window_size, received \\(7,\\)"),
        ({"window_size": (7, 0)}, "expected 2 positive window_size, received \\(7, 0\\)"),
        ({"window_size": ((4, 2), (2, 0))}, "expected 2 positive window_size, received"),
        ({"num_heads": (2, 4, 8)}, "expected 2 positive num_heads"),
        ({"num_heads": (3, 4)}, "expected num_heads to divide the width 64, received 3"),
        ({"global_pool": ""}, "expected a pooling before a head of 7 classes"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        small(**kwargs)


# Precision, layout, compilers


def test_autocast_to_bfloat16_answers_nearly_the_same_and_trains(rng):
    model = fill(small()).eval()
    x = torch.randn(2, 3, 64, 64, generator=rng)
    expected = model(x)

    with torch.autocast("cpu", torch.bfloat16):
        logits = model(x)
        loss = F.cross_entropy(logits, torch.tensor([0, 1]))
    loss.backward()

    assert logits.dtype == torch.bfloat16
    assert relative(logits, expected) < 0.03
    assert all(p.grad.isfinite().all() and p.grad.dtype == p.dtype for p in model.parameters())


def test_a_model_cast_to_bfloat16_answers_nearly_the_same(rng):
    model = fill(small()).eval()
    x = torch.randn(2, 3, 64, 64, generator=rng)
    expected = model(x)

    logits = model.bfloat16()(x.bfloat16())

    assert relative(logits, expected) < 0.05


def test_channels_last_changes_the_layout_alone(rng):
    model = fill(small()).eval()
    x = torch.randn(2, 3, 72, 40, generator=rng)
    expected = model(x)

    model.to(memory_format=torch.channels_last)
    logits = model(x.to(memory_format=torch.channels_last))

    assert relative(logits, expected) < 2e-6


def test_one_graph_is_compiled_for_the_whole_network(untyped, rng):
    model = small(drop_path_rate=0.2).train()
    x = torch.randn(2, 3, 64, 64, generator=rng)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")

    compiled(x).square().mean().backward()

    assert all(p.grad is not None for p in model.parameters())
    model.eval()
    torch.testing.assert_close(compiled(x), model(x))


def test_an_exported_program_takes_any_batch(untyped, rng):
    model = fill(small()).eval()
    x = torch.randn(5, 3, 64, 64, generator=rng)

    program = torch.export.export(
        model, (x[:2],), dynamic_shapes={"image": {0: torch.export.Dim("batch")}}
    )

    for batch in (1, 5):
        torch.testing.assert_close(
            program.module()(x[:batch]), model(x[:batch]), rtol=1e-5, atol=1e-5
        )

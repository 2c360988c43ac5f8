"""Both trainers keep the same promises, tried for real on the synthetic catalogue.

TensorFlow and PyTorch never meet in one process, and a run killed in the middle is killed for good.
The networks are the smallest that have batch normalisation and drop paths: those of the report are
trained by the notebooks in miniature.
"""

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import apart
from vitrine.data import images
from vitrine.training import probe, recipes, runs

TRAINERS = {"torch": "efficientnet-b0-torch-scratch", "keras": "efficientnet-b0-keras-scratch"}
SMALL = {"torch": "test_efficientnet", "keras": "Tiny"}
SCRIPT = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from vitrine.data import catalog, splits
from vitrine.training import recipes

folder, base, trainer, name, seed, changes, resume, killed = sys.argv[1:9]
photos = catalog.load(Path(folder))
recipe = replace(recipes.find(name).smoke(), **eval(changes))
if trainer == "torch":
    from vitrine.training.torch import fit
else:
    from vitrine.training.keras import fit
rate = recipes.Recipe.learning_rate_at
def last_rate(recipe, passes):
    if passes > 1.5:
        os.kill(os.getpid(), signal.SIGKILL)
    return rate(recipe, passes)
if killed == "True":
    recipes.Recipe.learning_rate_at = last_rate
fit(recipe, splits.draw(photos), photos, seed=int(seed), base=Path(base), device="cpu",
    threads=1, resume=resume == "True")
"""


def lesson(trainer, **changes):
    """Return the recipe of three epochs of mixed photos."""
    changes = {"architecture": SMALL[trainer], "epochs": 3, "mixup": 0.4} | changes
    return replace(recipes.find(TRAINERS[trainer]).smoke(), **changes)


@pytest.fixture(scope="session")
def train(demo_catalog, demo_split):
    """Train to the end, or until the process is killed in the middle of the second epoch."""

    def made(base, trainer, *, seed=0, resume=False, killed=False, **changes):
        if trainer == "torch" and not killed:
            from vitrine.training.torch import fit

            recipe = lesson(trainer, **changes)
            fit(
                recipe, demo_split, demo_catalog, seed=seed, base=base, device="cpu", threads=1,
                resume=resume,
            )  # fmt: skip
            return
        changes = {"architecture": SMALL[trainer], "epochs": 3, "mixup": 0.4} | changes
        arguments = [demo_catalog.folder, base, trainer, TRAINERS[trainer], seed, changes]
        apart_from(trainer)(SCRIPT, *arguments, resume, killed, code=-9 if killed else 0)

    return made


def apart_from(trainer):
    """Return what runs a script in a process of its own."""
    return apart.keras if trainer == "keras" else afresh


def afresh(script, *arguments, code=0):
    """Run a script in a process that has nothing yet."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(Path(runs.__file__).parents[3])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr[-2000:]
    return done


def load(base, trainer, seed=0):
    return runs.load(f"{TRAINERS[trainer]}-smoke/seed-{seed}", base)


@pytest.fixture(scope="session", params=TRAINERS)
def whole(request, train, tmp_path_factory):
    """Return a trainer and the run it made without being stopped."""
    base = tmp_path_factory.mktemp(request.param)
    train(base, request.param)
    return request.param, load(base, request.param)


def test_a_run_killed_and_resumed_equals_one_never_stopped(whole, train, tmp_path):
    trainer, reference = whole
    train(tmp_path, trainer, killed=True)
    (history,) = tmp_path.rglob("history.csv")
    assert (len(history.read_text().splitlines()), runs.names(tmp_path)) == (2, [])

    train(tmp_path, trainer, resume=True)

    resumed = load(tmp_path, trainer)
    columns = ["epoch", "train_loss", "val_loss", "val_accuracy", "learning_rate"]
    assert resumed.history[columns].equals(reference.history[columns])
    assert resumed.table.equals(reference.table)


def test_another_seed_gives_another_run_and_the_folder_is_whole(whole, train, tmp_path):
    trainer, reference = whole
    train(tmp_path, trainer, seed=1)

    other = load(tmp_path, trainer, seed=1)

    assert not np.array_equal(other.part().probabilities, reference.part().probabilities)
    assert np.isfinite(reference.history.train_loss).all()
    meta = reference.meta
    assert {"epochs": 3, "mixup": 0.4}.items() <= meta["recipe"].items()
    assert meta["data"]["edition"] == "demo"
    assert meta["hardware"]["device"] == "cpu"
    assert meta["parameters"] == {"torch": 100_995, "keras": 895}[trainer]
    assert meta["timing"]["images_per_second"] > 0
    kept = sorted(path.name for path in (reference.folder / "weights").iterdir())
    assert kept == {"torch": ["model.pt"], "keras": ["model.weights.h5"]}[trainer]


@pytest.mark.parametrize("trainer", TRAINERS)
def test_fewer_photos_than_a_batch_are_a_batch(trainer, train, tmp_path, demo_split):
    train(tmp_path, trainer, batch_size=4096, epochs=1)

    made = load(tmp_path, trainer)

    assert made.meta["recipe"]["batch_size"] == len(demo_split.part("train"))
    assert made.meta["data"]["classes"] == list(made.classes) and len(made.classes) == 7
    assert made.meta["data"]["dataset"] == "Flipkart"


@pytest.mark.parametrize("trainer", [*TRAINERS, "probe", "head"])
def test_every_photo_of_a_letterboxed_recipe_is_letterboxed(
    trainer, train, tmp_path, demo_catalog, demo_split
):
    hog = replace(recipes.find("histogram-hog").smoke(), letterbox=True)
    cache = demo_catalog.folder / "cache"
    for kept in cache.glob("*-letterbox-*.npy"):
        kept.unlink()
    before = set(cache.glob("*.npy"))

    if trainer == "probe":
        probe.fit(replace(hog, image_size=40), demo_split, demo_catalog, base=tmp_path)
    elif trainer == "head":
        features, taught = partial(probe.extract, hog), replace(hog, image_size=44)
        probe.head_on(features, taught, demo_split, demo_catalog)
    else:
        size = {"torch": 48, "keras": 56}[trainer]
        train(tmp_path, trainer, letterbox=True, epochs=1, image_size=size)

    made = {path.name for path in set(cache.glob("*.npy")) - before}
    assert all("-letterbox-" in name for name in made)
    sides = sorted(int(name.split("-")[3]) for name in made)
    assert sides == {
        "probe": [40], "head": [44, 44], "torch": [48, 48, 256], "keras": [56, 56, 256],
    }[trainer]  # fmt: skip


def test_the_rate_of_an_epoch_is_that_of_its_last_step(whole, demo_split):
    trainer, reference = whole
    recipe = lesson(trainer)
    steps = len(demo_split.part("train")) // recipe.batch_size

    passes = [epoch - 0.5 / steps for epoch in (1, 2, 3)]
    expected = [recipe.learning_rate_at(p) for p in passes]

    assert reference.history.learning_rate.tolist() == pytest.approx(expected, rel=1e-4)


KEPT = """
import sys
from pathlib import Path
import numpy as np
from dataclasses import replace
from vitrine.training import recipes
from vitrine.training.keras import build, predict

pixels, weights, answers, name = sys.argv[1:]
network = build(replace(recipes.find(name).smoke(), architecture="Tiny"))
network.load_weights(weights)
np.save(answers, predict(network, np.load(pixels)))
"""


def test_predictions_are_those_of_the_kept_weights(whole, demo_catalog, tmp_path):
    trainer, reference = whole
    test = reference.part("test")
    pixels = np.stack([images.preprocess(demo_catalog.path(name), 64) for name in test.image])
    if trainer == "torch":
        import torch

        from vitrine.training.torch import build, predict

        network = build(lesson(trainer))
        state = torch.load(reference.folder / "weights" / "model.pt", weights_only=True)
        network.load_state_dict(state)
        found = predict(network, pixels)
    else:
        np.save(tmp_path / "pixels.npy", pixels)
        weights, answers = reference.folder / "weights" / "model.weights.h5", tmp_path / "found.npy"
        apart.keras(KEPT, tmp_path / "pixels.npy", weights, answers, TRAINERS[trainer])
        found = np.load(answers)

    np.testing.assert_allclose(found, test.probabilities, rtol=0, atol=2e-5)


def test_early_stopping_keeps_the_best_epoch(demo_catalog, demo_split, tmp_path):
    from vitrine.training.torch import fit

    recipe = replace(
        recipes.find(TRAINERS["torch"]).smoke(), architecture="resnet10t", norm_momentum=0.1,
        learning_rate=3e-3, epochs=6, patience=1,
    )  # fmt: skip

    run = fit(recipe, demo_split, demo_catalog, base=tmp_path, device="cpu", threads=1)

    best = int(run.history.val_loss.argmin())
    assert len(run.history) == best + 2 < 6
    validation = run.part("validation")
    given = validation.probabilities[np.arange(len(validation.truth)), validation.truth]
    loss = -np.log(np.maximum(given, 1e-12)).mean()
    assert loss == pytest.approx(run.history.val_loss[best], rel=1e-3)


FULL = """
import errno, sys
from dataclasses import replace
from pathlib import Path
from vitrine.data import catalog, splits
from vitrine.training import recipes

folder, base, trainer, name = sys.argv[1:5]
if trainer == "torch":
    from vitrine.training.torch import fit
    architecture, kept = "resnet10t", "model.pt"
else:
    from vitrine.training.keras import fit
    architecture, kept = "Tiny", "model.weights.h5"
    module = sys.modules["vitrine.training.keras.fit"]
    real = module.save_state
    module.save_state = lambda network, path, history: (
        written.append(path.stem), real(network, path, history)
    )
written = []
photos = catalog.load(Path(folder))
split = splits.draw(photos)
recipe = replace(
    recipes.find(name).smoke(), architecture=architecture, norm_momentum=0.0, patience=1, epochs=4
)
recipes.Recipe.stops = lambda recipe, losses: len(losses) == 2
options = {"base": Path(base), "device": "cpu", "threads": 1, "resume": True}
kept = Path(base) / recipe.name / "seed-0" / "weights" / kept
kept.parent.mkdir(parents=True)
kept.symlink_to("/dev/full")
try:
    fit(recipe, split, photos, **options)
except OSError as error:
    print(errno.errorcode.get(error.errno, error))
kept.unlink()
print(len(fit(recipe, split, photos, **options).history), *written[:2])
"""


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_disk_full_at_the_end_costs_nothing_and_resuming_trains_no_further(
    trainer, demo_catalog, tmp_path
):
    arguments = [demo_catalog.folder, tmp_path, trainer, TRAINERS[trainer]]
    done = apart_from(trainer)(FULL, *arguments)

    # The first epoch is the best so far: killed before the last state, it is trained again.
    order = {"torch": [], "keras": ["best", "last"]}[trainer]
    assert done.stdout.split() == ["ENOSPC", "2", *order], done.stderr[-2000:]


def test_the_average_of_the_weights_moves_once_a_step_however_a_batch_is_cut(
    demo_catalog, demo_split, tmp_path, monkeypatch
):
    from timm.utils import ModelEmaV3

    from vitrine.training.torch import fit

    moved = []
    monkeypatch.setattr(ModelEmaV3, "update", lambda self, model, step: moved.append(step))
    recipe = replace(
        recipes.find(TRAINERS["torch"]).smoke(), architecture="resnet10t", norm_momentum=0.0,
        ema_decay=0.9, accumulate=2, epochs=1,
    )  # fmt: skip

    fit(recipe, demo_split, demo_catalog, base=tmp_path, device="cpu", threads=1)

    steps = (demo_split.frame.part == "train").sum() // recipe.batch_size
    assert moved == list(range(1, steps + 1))


def test_every_option_of_the_torch_recipe_trains(demo_catalog, demo_split, tmp_path):
    from vitrine.training.torch import fit

    recipe = replace(
        recipes.find(TRAINERS["torch"]).smoke(), epochs=2, ema_decay=0.9, mixup=0.2, cutmix=1.0,
        accumulate=2, layer_decay=0.8, randaugment="rand-m5-n1", precision="bfloat16",
    )  # fmt: skip

    run = fit(recipe, demo_split, demo_catalog, base=tmp_path, device="cpu", threads=1)

    assert run.meta["precision"] == "bf16-mixed"
    assert np.isfinite(run.history.train_loss).all()


def test_a_frozen_backbone_leaves_all_but_the_head_as_it_was(demo_catalog, demo_split, tmp_path):
    import torch

    from vitrine.training.torch import build, fit

    recipe = replace(
        recipes.find(TRAINERS["torch"]).smoke(), backbone="frozen", epochs=1,
        architecture="resnet10t",
    )  # fmt: skip
    run = fit(recipe, demo_split, demo_catalog, base=tmp_path, device="cpu", threads=1)

    torch.manual_seed(0)
    import lightning

    lightning.seed_everything(0, verbose=False)
    fresh = build(recipe).state_dict()
    trained = torch.load(run.folder / "weights" / "model.pt", weights_only=True)
    moved = {name for name in fresh if not torch.equal(fresh[name], trained[name])}
    assert moved == {"1.fc.weight", "1.fc.bias"}


def test_both_frameworks_start_from_the_same_laws():
    """Head and batch normalisation; TensorFlow speaks from a process of its own."""
    import torch
    from torch import nn

    from vitrine.training.torch.network import build

    script = """
import keras, numpy as np
from vitrine.training import recipes
from vitrine.training.keras.network import build
keras.utils.set_random_seed(0)
network = build(recipes.find("efficientnet-b0-keras-scratch").smoke())
norm = network.get_layer("backbone").get_layer("stem_bn")
head = network.get_layer("head")
print(head.kernel.numpy().std(), np.abs(head.bias.numpy()).max(), norm.momentum, norm.epsilon)
print(sum(np.prod(v.shape) for v in network.trainable_variables))
"""
    printed = apart.keras(script).stdout
    deviation, bias, momentum, epsilon, parameters = map(float, printed.split())
    torch.manual_seed(0)
    network = build(recipes.find(TRAINERS["torch"]).smoke())[1]
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]

    assert float(network.classifier.weight.detach().std()) == pytest.approx(deviation, rel=0.05)
    assert float(network.classifier.bias.detach().abs().max()) == bias == 0
    assert [m.momentum for m in norms] == pytest.approx([1 - momentum] * len(norms))
    assert [m.eps for m in norms] == [epsilon] * len(norms)
    assert sum(p.numel() for p in network.parameters()) == parameters == 4_016_515


@pytest.mark.parametrize("name", ["mambavision-micro-scratch", "mambavision-tiny-scratch"])
def test_mambavision_has_windows_that_fit_the_photos(name):
    import torch

    from vitrine.training.torch.network import build

    recipe = recipes.find(name)
    network = build(recipe)[1]
    sides = []
    for level in network.levels[2:]:
        level.register_forward_pre_hook(lambda _, args: sides.append(args[0].shape[-1]))
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, recipe.image_size, recipe.image_size))

    assert [level.window_size for level in network.levels[2:]] == sides == [8, 4]


def test_weights_that_cannot_be_had_are_refused_with_the_file_to_place(monkeypatch):
    from vitrine.training.torch import build

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    recipe = recipes.find("efficientnet-b0-torch")

    with pytest.raises(recipes.RecipeError, match="model.safetensors.*--weights PATH"):
        build(recipe)
    with pytest.raises(recipes.RecipeError, match="nowhere.pth, found no such file"):
        build(replace(recipe, weights="nowhere.pth"))
    with pytest.raises(recipes.RecipeError, match="expected an architecture that timm knows"):
        build(replace(recipe, head_epochs=0, weights="none", architecture="efficientnet_zz"))
    with pytest.raises(recipes.RecipeError, match="timm has tf_efficientnet_b0.aa_in1k, "):
        build(replace(recipe, architecture="tf_efficientnet_b0"))


@pytest.mark.parametrize(
    ("architecture", "found"),
    [
        ("vgg11", "takes drop_rate, drop_path_rate, found vgg11"),
        ("deit_tiny_distilled_patch16_224", "one linear layer, found tuple"),
    ],
)
def test_a_network_of_timm_that_the_recipe_does_not_fit_is_refused(architecture, found):
    from vitrine.training.torch.network import build

    recipe = replace(recipes.find(TRAINERS["torch"]), architecture=architecture)

    with pytest.raises(recipes.RecipeError, match=found):
        build(recipe)


def test_a_network_of_a_fixed_size_is_built_for_that_of_the_recipe():
    import torch

    from vitrine.training.torch.network import build

    recipe = replace(recipes.find(TRAINERS["torch"]), architecture="vit_tiny_patch16_224")
    network = build(recipe).eval()

    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 128, 128, dtype=torch.uint8)).shape == (2, 7)


def test_weights_are_carried_to_a_network_that_names_others(monkeypatch):
    from torch import nn

    from vitrine.training.torch import network

    asked = []
    monkeypatch.setattr(network.start, "require_own", lambda recipe, name: asked.append(name))
    monkeypatch.setattr(network.start, "find", lambda recipe: Path())
    monkeypatch.setattr(network, "load_checkpoint", lambda *_, **__: ())
    for architecture in ("tf_efficientnet_b0.aa_in1k", "timm:mambavision_micro"):
        network.carry(
            replace(recipes.find("histogram-hog"), architecture=architecture), nn.Identity()
        )

    assert asked == ["tf_efficientnet_b0", "mambavision_micro"]


@pytest.mark.parametrize("mixer", ["", "scan", "conv"])
def test_a_mixer_that_a_recipe_names_begins_anew_and_the_rest_is_carried(mixer, tmp_path):
    import timm
    import torch
    from safetensors.torch import save_file

    from vitrine.training.torch.network import build

    source = timm.create_model("mambavision_nano", num_classes=3)
    learned = {k: torch.full_like(t, 7) for k, t in source.state_dict().items()}
    save_file(learned, tmp_path / "learned.safetensors")
    recipe = replace(
        recipes.find(TRAINERS["torch"]), architecture="mambavision_nano", windows=(), mixer=mixer,
        weights=str(tmp_path / "learned.safetensors"),
    )  # fmt: skip

    state = build(recipe, 7)[1].state_dict()

    anew = {k for k, t in state.items() if not (t == 7).all()}
    scan = re.compile(r"levels\.(2\.blocks\.[012]|3\.blocks\.[01])\.mixer\.")  # of 5 blocks, of 3
    scans = {key for key in state if scan.match(key)} if mixer else set()
    assert anew - {"head.weight", "head.bias"} == scans
    assert bool(scans) == bool(mixer)


def test_a_frozen_backbone_in_keras_drops_no_path_and_its_normalisation_may_stay_frozen():
    """TensorFlow speaks from a process of its own."""
    script = """
from dataclasses import replace
import keras, numpy as np
from vitrine.training import recipes
from vitrine.training.keras.network import build, freeze
keras.utils.set_random_seed(0)
recipe = replace(recipes.find("efficientnet-b0-keras-scratch").smoke(), drop_path_rate=0.9)
network = build(replace(recipe, drop_rate=0.0))
pixels = np.random.default_rng(0).integers(0, 256, (4, recipe.image_size, recipe.image_size, 3))
for frozen in (False, True, False):
    freeze(network, frozen=frozen)
    first, second = (network(pixels.astype("float32"), training=True).numpy() for _ in range(2))
    print(int(np.array_equal(first, second)))
norm = network.get_layer("backbone").get_layer("stem_bn")
for kept in (False, True):
    freeze(network, frozen=False, norm=kept)
    before = norm.moving_mean.numpy()
    network(pixels.astype("float32"), training=True)
    print(int(np.array_equal(before, norm.moving_mean.numpy())), len(norm.trainable_weights))
print(len(network.get_layer("backbone").get_layer("stem_conv").trainable_weights))
"""
    printed = apart.keras(script).stdout

    assert printed.split() == ["0", "1", "0", "0", "2", "1", "0", "1"]


def test_a_damaged_state_of_keras_is_told_as_torch_tells_it(tmp_path):
    script = """
import sys
from pathlib import Path
import numpy as np
from vitrine.training.runs import RunError
from vitrine.training.keras.fit import load_state

last = Path(sys.argv[1])
np.savez(last, history="[]", model_0=np.arange(1000.0))
whole = last.read_bytes()
middle = len(whole) // 2
spoiled = whole[:middle] + b"spoiled" + whole[middle + 7:]
for damaged in (b"", b"no archive", whole[:-30], spoiled, whole.replace(b"history", b"another")):
    last.write_bytes(damaged)
    try:
        load_state(None, last, None)
    except RunError as error:
        print(error)
"""
    weights = tmp_path / "any" / "seed-0" / "weights"
    weights.mkdir(parents=True)
    done = apart.keras(script, weights / "last.npz")

    told = (
        "run any/seed-0: expected a whole checkpoint in last.npz, found a damaged file; move the "
        "folder of the run away to start again\n"
    )
    assert done.stdout == 5 * told


def test_weights_that_keras_cannot_read_are_refused_by_the_name_of_their_file(tmp_path):
    """TensorFlow speaks from a process of its own."""
    script = """
import sys
from dataclasses import replace
from vitrine.training import recipes
from vitrine.training.keras.network import build
for path in sys.argv[1:]:
    try:
        build(replace(recipes.find("efficientnet-b0-keras").smoke(), weights=path))
    except recipes.RecipeError as error:
        print(error)
"""
    files = [tmp_path / name for name in ("mine.safetensors", "mine.weights.h5", "mine.txt")]
    for file in files:
        file.write_text("no weights")
    printed = apart.keras(script, *files).stdout

    assert len(printed.splitlines()) == len(files)
    for file, said in zip(files, printed.splitlines(), strict=True):
        assert f"expected {file.name} to hold weights of EfficientNetB0, found another" in said
        assert "; give `--weights PATH`" in said


def test_asking_for_a_gpu_that_is_not_there_is_refused(demo_catalog, demo_split, tmp_path):
    import torch

    from vitrine.training.torch import fit

    if torch.cuda.is_available():
        return  # the opposite is tested by training on it
    recipe = recipes.find(TRAINERS["torch"]).smoke()

    with pytest.raises(recipes.RecipeError, match="expected a CUDA device, found none"):
        fit(recipe, demo_split, demo_catalog, base=tmp_path, device="cuda")


def test_after_the_epochs_of_the_head_the_whole_network_learns(demo_catalog, demo_split, tmp_path):
    import timm
    import torch

    from vitrine.training.torch import fit

    learned = timm.create_model("test_efficientnet", num_classes=10).state_dict()
    torch.save(learned, tmp_path / "first.pth")
    recipe = replace(
        recipes.find(TRAINERS["torch"]).smoke(), architecture="test_efficientnet", epochs=2,
        head_epochs=1, weights=str(tmp_path / "first.pth"),
    )  # fmt: skip

    run = fit(recipe, demo_split, demo_catalog, base=tmp_path, device="cpu", threads=1)

    trained = torch.load(run.folder / "weights" / "model.pt", weights_only=True)
    assert not torch.equal(trained["1.conv_stem.weight"], learned["conv_stem.weight"])


BEST = """
import sys
from dataclasses import replace
from pathlib import Path
import tensorflow as tf
from tensorflow.python.eager.context import pywrap_tfe
from vitrine.data import catalog, splits
from vitrine.training import recipes
from vitrine.training.keras import fit

folder, base, name = sys.argv[1:4]
module = sys.modules[fit.__module__]
losses = iter([2.0, 1.0, 3.0])
real, prepared = module._validate, []
forget = pywrap_tfe.TFE_ContextClearCaches
pywrap_tfe.TFE_ContextClearCaches = lambda handle: (prepared.append("again"), forget(handle))
def told(network, pixels, labels):
    print(len(prepared))
    return next(losses), real(network, pixels, labels)[0]
module._validate = told
photos = catalog.load(Path(folder))
recipe = replace(
    recipes.find(name).smoke(), architecture="Tiny", patience=1, epochs=4, learning_rate=3e-3
)
fit(recipe, splits.draw(photos), photos, base=Path(base), device="cpu", threads=1)
tf.random.set_seed(0)  # what would have it forget
print(len(prepared))
"""


def test_keras_prepares_its_graph_once_and_keeps_the_epoch_of_the_least_loss(
    demo_catalog, tmp_path
):
    done = apart.keras(BEST, demo_catalog.folder, tmp_path, TRAINERS["keras"])

    first, *later, after = map(int, done.stdout.split())  # times TensorFlow was told to forget it
    assert later == [first, first] and after == first + 1

    run = load(tmp_path, "keras")
    validation = run.part("validation")
    given = validation.probabilities[np.arange(len(validation.truth)), validation.truth]
    loss = -np.log(np.maximum(given, 1e-12)).mean()
    # The losses told were 2, 1 and 3; what each epoch measured stands under « val_accuracy ».
    assert len(run.history) == 3
    assert loss == pytest.approx(run.history.val_accuracy[1], abs=2e-5)
    assert loss != pytest.approx(run.history.val_accuracy[2], abs=2e-4)

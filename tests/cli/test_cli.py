import errno
import hashlib
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from vitrine import cli
from vitrine.explain.runtimes import RUNTIMES
from vitrine.training import runs, session

NAMES = ("histogram-hog/seed-0", "mobilenetv2-int8-probe/seed-0")


@pytest.fixture
def within(monkeypatch, capsys):
    """Run the command in this process, where what it would load is loaded already."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["vitrine", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        said = capsys.readouterr()
        return SimpleNamespace(returncode=caught.value.code, stdout=said.out, stderr=said.err)

    return run


def one_sentence(done):
    lines = done.stderr.strip().splitlines()
    return len(lines) == 1 and lines[0].startswith("vitrine: expected ")


def test_an_unknown_recipe_is_bad_input():
    command = [sys.executable, "-W", "ignore", "-c", "from vitrine.cli import main; main()"]
    done = subprocess.run([*command, "train", "resnet-9000"], capture_output=True, text=True)

    assert done.returncode == 2
    assert one_sentence(done)
    assert "found 'resnet-9000'" in done.stderr


@pytest.mark.parametrize("command", [("train", "majority"), ("pretrain", "any"), ("sweep", "any")])
def test_an_unknown_device_is_a_usage_error(command, within):
    done = within(*command, "--device", "tpu")

    assert done.returncode == 2
    assert "expected auto, cpu or cuda, found 'tpu'" in done.stderr


@pytest.mark.parametrize("command", [("export", "nothing"), ("bench", "model")])
def test_an_unknown_runtime_is_refused_before_anything_is_loaded(command, within, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # the sentence on one line

    done = within(*command, "--runtime", "onnx", "--runtime", "nope")

    assert done.returncode == 2
    assert f"expected {', '.join(RUNTIMES[:-1])} or {RUNTIMES[-1]}, found 'nope'" in done.stderr


@pytest.mark.parametrize("option", ["--port", "--api-port"])
def test_a_number_that_is_no_port_is_a_usage_error(option, within, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    done = within("up", option, "65536")

    assert done.returncode == 2
    assert f"{option}': Input should be less than or equal to 65535" in done.stderr


def test_an_export_is_told_by_its_path_and_by_the_command_that_serves_it(
    within, tmp_path, monkeypatch
):
    score = SimpleNamespace(value=0.5, low=0.4, high=0.6)
    parity = SimpleNamespace(images=10, largest_gap=0.0)
    card = SimpleNamespace(
        metrics={"accuracy": score}, parity=parity, version="1", precision="float32"
    )
    folder = tmp_path / "my models" / "seed-0"
    monkeypatch.setattr("vitrine.serving.export.export", lambda *_, **__: (folder, card))
    monkeypatch.setattr("vitrine.training.session.Session.catalog", lambda _: None)
    shown = {}
    for here in (tmp_path, tmp_path.parent / "elsewhere"):
        here.mkdir(exist_ok=True)
        monkeypatch.chdir(here)
        shown[here] = within("export", NAMES[0]).stdout.splitlines()

    inside, outside = shown.values()
    assert inside[0].startswith("written: my models/seed-0 (version 1, float32); 10 test photos")
    assert inside[-1] == "to try it in a browser: vitrine up --model 'my models/seed-0'"
    assert outside[-1].endswith(f"--model '{folder}'")


def test_an_unknown_run_is_bad_input(within):
    done = within("runs", "show", "nothing/seed-3")

    assert done.returncode == 2
    assert one_sentence(done)


def test_imagenet_weights_offline_say_which_file_to_place_where(within, monkeypatch, caplog):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    done = within("train", "efficientnet-b0-torch", "--profile", "smoke")

    (waiting,), refusal = caplog.messages, done.stderr.splitlines()
    assert done.returncode == 2
    assert waiting.endswith("weights of tf_efficientnet_b0.aa_in1k, downloaded where absent")
    assert len(refusal) == 1 and refusal[0].startswith("vitrine: expected the weights 'imagenet'")
    assert "model.safetensors" in refusal[0]


def test_a_full_disk_is_told_in_a_sentence_that_says_what_to_do(monkeypatch, capsys):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/srv/elsewhere")
    monkeypatch.setattr(cli, "app", lambda: (_ for _ in ()).throw(full))

    with pytest.raises(SystemExit) as caught:
        cli.main()

    said = capsys.readouterr().err
    assert caught.value.code == 1
    assert said.startswith("vitrine: expected room on the disk, found it full (No space left")
    assert "make room and run `vitrine" in said


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["train", "majority"], "run `vitrine train majority --resume`"),
        (["pretrain", "x", "--seed", "1"], "run `vitrine pretrain x --seed 1 --resume`"),
        (["train", "majority", "--resume"], "run `vitrine train majority --resume`"),
        (["sweep", "majority"], "run `vitrine sweep majority`"),
    ],
)
@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_the_command_that_goes_on_is_one_that_will_not_be_refused(
    given, told, stop, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", ["vitrine", *given])
    monkeypatch.setattr(cli, "app", lambda: (_ for _ in ()).throw(stop))

    with pytest.raises(SystemExit):
        cli.main()

    assert told in capsys.readouterr().err


INTERRUPTED = """
import errno, os, signal, sys

class Keyboard:
    def find_spec(name, *_):
        if name not in ("vitrine", "vitrine.cli"):
            del sys.meta_path[0]
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Keyboard)
from vitrine.cli import main
main()
"""


def test_an_interruption_while_the_command_is_still_being_imported_is_a_sentence():
    # Without -S, what site imports would hide what the command does.
    found = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-S", "-c", INTERRUPTED], env=os.environ | {"PYTHONPATH": found},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 130
    assert done.stderr.startswith("interrupted; ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.EROFS, "expected to be allowed to use build, found it refused (Read-only file sys"),
        (errno.EEXIST, "expected a path that can be used, found build (File exists); correct it"),
        (errno.ENOENT, "expected a path that can be used, found build (No such file or directory)"),
    ],
)
def test_a_path_that_the_system_refuses_is_told_in_a_sentence(code, said, monkeypatch, capsys):
    refused = OSError(code, os.strerror(code), "build")
    monkeypatch.setattr(cli, "app", lambda: (_ for _ in ()).throw(refused))

    with pytest.raises(SystemExit):
        cli.main()

    assert capsys.readouterr().err.startswith(f"vitrine: {said}")


def test_a_figure_is_told_where_it_lies_from_any_folder(within, tmp_path, monkeypatch):
    monkeypatch.setattr("vitrine.book.gallery.write", lambda _: [tmp_path / "figure.html"])

    done = within("figure", "fig-comparaison-ecarts")

    assert done.returncode == 0
    assert done.stdout == f"written: {tmp_path / 'figure.html'}\n"


@pytest.mark.parametrize(
    ("command", "run"),
    [
        (["train", "majority"], "majority/seed-0"),
        (["pretrain", "mambavision-micro-pretrain"], "mambavision-micro-pretrain/seed-0"),
    ],
)
def test_going_on_from_a_finished_run_leaves_it_as_it_is(command, run, within):
    done = within(*command, "--resume")

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"run {run}: finished before\n"


def test_a_recipe_for_the_photos_is_refused_before_the_corpus_is_looked_for(within, monkeypatch):
    monkeypatch.setattr("vitrine.paths.data", lambda: pytest.fail("the corpus was looked for"))

    done = within("pretrain", "majority")

    assert done.returncode == 2
    assert "expected one for `vitrine pretrain`, found one for the photos" in done.stderr


def test_weights_are_left_out_of_a_recipe_that_protects_them(within, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    asked = ("--profile", "smoke", "--weights", "none", "--device", "cuda")
    done = within("train", "efficientnet-b0-torch", *asked)

    assert done.returncode == 2
    assert "expected a CUDA device" in done.stderr  # and not the epochs of the head alone


def test_a_run_is_named_after_what_it_starts_from(within, tmp_path, monkeypatch):
    named = []
    monkeypatch.setattr("vitrine.paths.runs", lambda: tmp_path)
    monkeypatch.setattr(session.Session, "fit", lambda _, recipe, **__: named.append(recipe.name))
    for run in ("a/seed-0", "b/seed-0", "b/seed-1"):
        kept = tmp_path / "pretrain" / run / "weights" / "model.safetensors"
        kept.parent.mkdir(parents=True)
        kept.touch()
        (kept.parents[1] / "run.json").write_text(json.dumps({"name": run, "recipe": {}}))
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "Model.safetensors").write_text(place)

    starts = [
        "none", "pretrain/a/seed-0", "pretrain/b/seed-0", kept, tmp_path / "here/Model.safetensors",
        tmp_path / "there/Model.safetensors", "nowhere/Model.safetensors",
    ]  # fmt: skip
    for start in starts:
        within("train", "efficientnet-b0-torch", "--profile", "smoke", "--weights", str(start))

    here, there = (hashlib.sha256(place.encode()).hexdigest()[:8] for place in ("here", "there"))
    assert [name.removeprefix("efficientnet-b0-torch-smoke-") for name in named] == [
        "none", "a-seed-0", "b-seed-0", "b-seed-1", f"model-{here}", f"model-{there}", "model",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stop", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; what was finished is kept"),
        (SystemExit(130), 130, "interrupted; what was finished is kept"),  # as typer has it
        (SystemExit(2), 2, ""),
        (PermissionError(13, "Permission denied", "runs"), 1, "allowed to use runs, found it ref"),
    ],
)
def test_an_interruption_and_a_refusal_are_told(stop, code, said, monkeypatch, capsys):
    monkeypatch.setattr(cli, "app", lambda: (_ for _ in ()).throw(stop))

    with pytest.raises(SystemExit) as caught:
        cli.main()

    told = capsys.readouterr().err
    assert caught.value.code == code
    assert said in told and bool(said) == bool(told)


@pytest.mark.parametrize(
    ("recipe", "option", "found"),
    [
        ("majority", ["--device", "cuda"], "it computes on the CPU"),
        ("text-title", ["--device", "cuda"], "it computes on the CPU"),
        ("title-and-image", ["--weights", "imagenet"], "expected no --weights"),
        ("histogram-hog", ["--weights", "nowhere"], "expected no --weights for histogram-hog"),
    ],
)
def test_what_a_probe_has_not_is_a_usage_error(recipe, option, found, within):
    done = within("train", recipe, "--profile", "smoke", *option)

    assert done.returncode == 2
    assert found in done.stderr


def test_an_unknown_profile_is_bad_input(within):
    done = within("train", "majority", "--profile", "quick")

    assert done.returncode == 2
    assert "published, smoke" in done.stderr


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (["99_absent"], "99_absent"),
        (["05_comparaison", "99_absent"], "99_absent"),
        (["/nowhere/05_comparaison.ipynb"], "/nowhere/05_comparaison.ipynb"),
        (["05_comparaison", "-p", "retrian=True"], "retrian"),
        (["04_sota_pytorch", "-p", "retrain=no"], "'no'"),
        (["05_comparaison", "--profile", "quick"], "'quick'"),
    ],
)
def test_a_notebook_or_a_parameter_that_does_not_exist_is_bad_input(request_, found, within):
    done = within("run", *request_)

    assert done.returncode == 2
    assert f"found none named '{found}'" in done.stderr or f"found {found};" in done.stderr
    assert "_comparaison.ipynb" not in done.stdout  # nothing was executed


def test_an_unknown_figure_is_bad_input_and_is_told_its_nearest(within):
    done = within("figure", "fig-comparaison-ecart")

    assert done.returncode == 2
    assert one_sentence(done)
    assert "near it are fig-comparaison-ecarts" in done.stderr


def test_an_unknown_option_is_a_usage_error(within):
    assert within("train", "majority", "--sed", "3").returncode == 2


def test_runs_are_listed_with_their_accuracy(within):
    done = within("runs", "list")

    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == runs.names()


def test_compare_prints_markdown_with_gaps_classes_and_changed_images(within):
    done = within("runs", "compare", *NAMES)

    first, second = (runs.load(name).part("test") for name in NAMES)
    changed = int((first.predicted != second.predicted).sum())
    gap = (second.predicted == second.truth).mean() - (first.predicted == first.truth).mean()
    assert done.returncode == 0
    assert f"{gap:+.3f} [" in done.stdout
    assert f"{changed} images change label" in done.stdout
    assert "Exact McNemar test" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["data", "fetch"], ["data", "verify"], ["data", "prepare"], ["data", "status"],
        ["data", "facts"], ["data", "corpus"], ["pretrain"], ["sweep"], ["train"],
        ["run"], ["book"], ["publish"], ["check"], ["ledger"],
        ["runs", "list"], ["runs", "show"], ["runs", "compare"], ["figure"], ["note"], ["slides"],
        ["export"], ["serve"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_command_shows_an_example(command):
    from typer.testing import CliRunner

    from vitrine.cli import app

    shown = CliRunner().invoke(app, [*command, "--help"])

    assert shown.exit_code == 0
    assert f"Example: vitrine {' '.join(command)}" in " ".join(shown.stdout.split())


def test_an_archive_that_is_a_web_page_is_refused(within, tmp_path):
    page = tmp_path / "page.zip"
    page.write_text("<html><body>403</body></html>")

    done = within("data", "fetch", "--from", str(page))

    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) == 1


def test_compare_tells_the_test_of_the_two_runs_and_counts_the_images_that_it_does_not_list():
    from vitrine.metrics.paired import mcnemar
    from vitrine.report.compare import MOST, to_markdown

    first, second = map(runs.load, NAMES)
    a, b = first.part("test"), second.part("test")

    text = to_markdown(first, second)

    changed = int((a.predicted != b.predicted).sum())
    assert changed > MOST == text.count(" → ")
    assert text.endswith(f"- and {changed - MOST} more")
    p = mcnemar(a.truth, a.predicted, b.predicted).p_value
    assert f"Exact McNemar test on accuracy: p = {p:.3g}." in text

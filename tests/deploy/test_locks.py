import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
IMAGES = ("api", "ui")


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "requirements" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pins(lock):
    """Return each package of a lock with its version, marker and hashes."""
    entries = re.split(r"\n(?=[a-zA-Z0-9#])", (ROOT / "requirements" / f"{lock}.txt").read_text())
    found = {}
    for entry in entries:
        if named := re.match(r"([\w.\-]+)==(\S+)( ; [^\\\n]+?)? \\", entry):
            hashes = frozenset(re.findall(r"--hash=(\S+)", entry))
            found.setdefault(named[1], set()).add((named[2], hashes))
    return found


@pytest.mark.parametrize("lock", ["all", *IMAGES])
def test_lock_was_resolved_from_the_dependencies_of_today(lock):
    stamp = script("stamp")

    last = (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines()[-1]

    assert last == stamp.MARK + stamp.digest(), "run `make lock`"


@pytest.mark.parametrize("image", IMAGES)
def test_image_holds_the_very_packages_that_the_tests_run_with(image):
    tested = pins("all")

    held = pins(image)

    assert len(held) > 10
    assert {name for name in held if held[name] != tested.get(name)} == set()


@pytest.mark.parametrize("image", IMAGES)
def test_image_holds_what_its_extra_asks_for_and_no_training(image):
    asked = {re.match(r"[\w.\-]+", line)[0] for line in script("extra").requirements(image)}

    held = set(pins(image))

    assert asked <= held
    assert not held & {"torch", "tensorflow", "keras", "scikit-learn", "scipy", "sympy"}


def test_api_image_needs_no_table_library():
    assert not {"pandas", "gradio", "plotly"} & set(pins("api"))


def test_extra_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match="expected one of the extras api, ui.*got cuda"):
        script("extra").requirements("cuda")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda p: p.name)
def test_every_locked_package_is_pinned_by_version_and_hash_and_names_no_address(lock):
    text = lock.read_text()
    entries = re.split(r"\n(?=[a-zA-Z0-9])", text)
    packages = [entry for entry in entries if not entry.startswith("#")]

    assert packages
    assert all(re.match(r"[\w.\-]+==\S+", entry) for entry in packages)
    assert all("--hash=sha256:" in entry for entry in packages)
    assert "://" not in text


def test_readme_tells_what_old_macs_lack_of_the_lock():
    told = (ROOT / "README.md").read_text().partition("Jusqu’à macOS")[2].partition("\n\n")[0]

    named = set(re.findall(r"`([\w-]+)`", told))

    assert named == {"ai-edge-litert", "onnxruntime", "tensorflow", "torch", "torchvision"}
    assert named <= set(pins("all"))


def test_make_help_lists_every_public_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))

    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip

    assert targets == {line.split()[1] for line in shown.splitlines()}

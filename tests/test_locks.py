import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.fixture
def stamp():
    spec = importlib.util.spec_from_file_location("stamp", ROOT / "requirements" / "stamp.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_lock_was_resolved_from_the_dependencies_of_today(stamp):
    last = (ROOT / "requirements" / "all.txt").read_text().splitlines()[-1]

    assert last == stamp.MARK + stamp.digest(), "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda p: p.name)
def test_every_locked_package_is_pinned_by_version_and_hash_and_names_no_address(lock):
    text = lock.read_text()
    entries = re.split(r"\n(?=[a-zA-Z0-9])", text)
    packages = [entry for entry in entries if not entry.startswith("#")]

    assert packages
    assert all(re.match(r"[\w.\-]+==\S+", entry) for entry in packages)
    assert all("--hash=sha256:" in entry for entry in packages)
    assert "://" not in text


def test_make_help_lists_every_public_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))

    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip

    assert targets == {line.split()[1] for line in shown.splitlines()}

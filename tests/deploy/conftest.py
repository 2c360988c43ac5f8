"""The scripts of deploy/ and requirements/ are run by path; here they are imported."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in ("deploy", "requirements"):
    sys.path.insert(0, str(ROOT / folder))


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return a way to put a stand-in for a command, written in Python, first on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    def install(name: str, code: str) -> None:
        script = folder / name
        script.write_text(f"#!{sys.executable} -IS\nimport json, pathlib, sys\n{code}")
        script.chmod(0o755)

    return install

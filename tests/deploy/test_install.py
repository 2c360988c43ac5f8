"""``make setup`` touches its own environment, and no other that happens to be active."""

import os
import shutil
import subprocess
import sys

from vitrine import paths

UV = """\
#!/usr/bin/env bash
echo "$*" >> "$CALLS"
if [ "$1" = venv ]; then mkdir -p .venv/bin && ln -sf "$(command -v true)" .venv/bin/python; fi
"""


def test_the_packages_go_to_the_environment_of_the_project_whatever_is_active(tmp_path):
    root, tools = tmp_path / "un clone", tmp_path / "tools"
    shutil.copytree(paths.root() / "requirements", root / "requirements")
    shutil.copy(paths.root() / "pyproject.toml", root)
    tools.mkdir()
    (tools / "uv").write_text(UV)
    (tools / "uv").chmod(0o755)
    environment = os.environ | {
        "CALLS": str(tmp_path / "calls"),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "VIRTUAL_ENV": str(tmp_path / "another"),
    }
    command = ["bash", str(root / "requirements" / "install.sh")]

    subprocess.run(command, env=environment, check=True, capture_output=True)
    subprocess.run(command, env=environment, check=True, capture_output=True)  # does nothing

    made, *filled = (tmp_path / "calls").read_text().splitlines()
    assert made.startswith("venv ") and made.endswith(" .venv")
    assert [call.split()[1] for call in filled] == ["sync", "install"]
    assert all(" --python .venv/bin/python " in call for call in filled)


def test_a_clone_has_the_same_bytes_where_git_writes_the_line_ends_of_windows(tmp_path):
    clone = ["git", "clone", "--quiet", "--depth", "1", "-c", "core.autocrlf=true"]
    subprocess.run([*clone, paths.root().as_uri(), str(tmp_path / "clone")], check=True)

    listed = subprocess.run(
        ["git", "ls-files", "--eol"], cwd=tmp_path / "clone", capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    ends = [line.split()[:2] for line in listed.stdout.splitlines()]

    assert len(ends) > 500
    assert {(i[2:], w[2:]) for i, w in ends if i[2:] != w[2:]} == set()

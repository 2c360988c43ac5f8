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

"""Build the file tree of an image from its Dockerfile, without a container engine.

``COPY`` copies from the repository, through ``.dockerignore``; ``RUN`` runs where it is uv's, with
the paths of the image moved below a folder. Two steps only have a stand-in: ``pip install`` of uv
(the uv at hand serves) and ``useradd`` (a number is enough to run as somebody else).
"""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

from dockerfile import Copy, Dockerfile, Stage

__all__ = ["PYTHON", "BuildError", "build", "files", "in_tree", "kept", "rules", "variables"]

REPOSITORY = Path(__file__).resolve().parents[1]
REPLACED = ("pip install --no-cache-dir --require-hashes -r uv.txt", "useradd ")
PYTHON = getattr(sys, "_base_executable", sys.executable)
"""Stands for the Python of the base image."""


class BuildError(Exception):
    """A step of a Dockerfile that did not work out, with what to do."""


def in_tree(text: str, tree: Path) -> str:
    """Move the absolute paths of an image, all below ``/app`` or ``/build``, below a folder."""
    return re.sub(r"(?<![\w.])/(app|build)(?=[/:\s]|$)", lambda m: f"{tree}/{m[1]}", text)


def variables(stage: Stage, tree: Path, given: dict[str, str]) -> dict[str, str]:
    """Return the environment of a stage: nothing of ours but what is given, paths in the tree."""
    found = dict(given)
    for name, value in stage.environment.items():
        if name in given and name != "PATH":
            continue
        names = re.compile(r"\$(\w+)")
        found[name] = names.sub(lambda m: found.get(m[1], ""), in_tree(value, tree))
    return found


def kept(path: str, rules: list[str]) -> bool:
    """Tell whether ``.dockerignore`` lets a file of the repository into the build.

    The last rule that names the file, or a folder above it, decides.
    """
    parents = [str(p) for p in (PurePosixPath(path), *PurePosixPath(path).parents)][:-1]
    allowed = True
    for rule in rules:
        pattern = rule.lstrip("!").removeprefix("**/")
        whole = "**/" not in rule
        names = parents if whole else [PurePosixPath(p).name for p in parents]
        if any(fnmatch.fnmatch(name, pattern) for name in names):
            allowed = rule.startswith("!")
    return allowed


def rules() -> list[str]:
    """Return the rules of ``.dockerignore``."""
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def files(source: Path) -> list[Path]:
    """Return the files of a folder, or the file itself."""
    return [p for p in sorted(source.rglob("*")) if p.is_file()] if source.is_dir() else [source]


def _copy_in(step: Copy, target: Path) -> None:
    """Copy from the repository what ``.dockerignore`` lets through."""
    if not step.target.endswith("/"):
        raise BuildError(f"COPY … {step.target}: expected a folder, with a / at its end")
    ignored = rules()
    for name in step.sources:
        source = REPOSITORY / name
        if not source.exists():
            raise BuildError(f"COPY {name}: there is no such file in the repository")
        copied = 0
        for file in files(source):
            if kept(file.relative_to(REPOSITORY).as_posix(), ignored):
                copied += 1
                place = target / (file.relative_to(source) if source.is_dir() else file.name)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
        if not copied:
            raise BuildError(f"COPY {name}: .dockerignore keeps it out; name it there")


def _uv() -> str:
    found = shutil.which("uv") or shutil.which("uv", path=REPOSITORY / ".tools" / "bin")
    if not found:
        raise BuildError("expected uv on the path or in .tools/bin, found none; run `make setup`")
    return found


def _run(command: str, stage: Stage, tree: Path) -> None:
    if command.startswith(REPLACED):
        return
    if not command.startswith("uv "):
        raise BuildError(
            f"RUN {command}: the rehearsal has no way to do this; teach deploy/tree.py"
        )
    here = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME") or _network(k)}
    given = here | {"UV_PYTHON": PYTHON}
    words = in_tree(command, tree).split()
    done = subprocess.run(
        [_uv(), *words[1:]],
        cwd=tree / stage.workdir.lstrip("/"),
        env=variables(stage, tree, given),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(
            f"RUN {command}: exit code {done.returncode}. Without a network uv can only use its "
            f"cache, which `make setup` fills. uv said:\n{done.stderr.strip()[-1500:]}"
        )


def _network(name: str) -> bool:
    """Tell a variable that says how uv reaches an index: mirror, certificate, proxy, cache."""
    return name.upper().endswith("_PROXY") or name.startswith(("UV_", "SSL_", "XDG_CACHE"))


def build(dockerfile: Dockerfile, folder: Path) -> Path:
    """Follow a Dockerfile and return the folder that stands for ``/`` in the image.

    Args:
        dockerfile: What to follow.
        folder: An empty folder; one tree a stage is made in it.

    Raises:
        BuildError: At the first step that does not work out.
    """
    trees: dict[str, Path] = {}
    for stage in dockerfile.stages:
        tree = trees[stage.name] = folder / (stage.name or "image")
        (tree / stage.workdir.lstrip("/")).mkdir(parents=True)
        for step in stage.steps:
            if isinstance(step, str):
                _run(step, stage, tree)
            elif step.origin:
                source = trees[step.origin] / step.sources[0].lstrip("/")
                place = tree / step.target.lstrip("/")
                shutil.copytree(source, place, symlinks=True, copy_function=os.link)
            else:
                _copy_in(step, tree / stage.workdir.lstrip("/") / step.target)
    return tree

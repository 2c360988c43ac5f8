"""Read a Dockerfile: the few instructions that ours use, as data.

The rehearsal follows the Dockerfile itself, so that what it tries cannot drift from what an image
is. Syntax: Dockerfile reference, https://docs.docker.com/reference/dockerfile/.
"""

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Copy", "Dockerfile", "Stage", "read"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """One ``COPY``.

    Attributes:
        sources: Paths in the build context, or in the stage ``origin``.
        target: Path in the image; a folder where it ends with ``/``.
        origin: Name of the stage it copies from; empty for the build context.
    """

    sources: tuple[str, ...]
    target: str
    origin: str


@dataclass(kw_only=True, slots=True)
class Stage:
    """What lies between two ``FROM``.

    Attributes:
        base: The image it starts from.
        name: What follows ``AS``; empty for a stage without a name.
        steps: ``COPY`` and ``RUN`` in their order, a ``RUN`` as its command line.
        environment: Variables; a value may name ``$PATH``.
        user: Who runs the command; empty is root.
        health: Words of the health check, in exec form.
        command: Words of ``CMD``, in exec form.
    """

    base: str
    name: str
    steps: list[Copy | str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The stages of a Dockerfile, in their order; the last one is the image."""

    stages: tuple[Stage, ...]

    @property
    def final(self) -> Stage:
        """Return the stage that becomes the image."""
        return self.stages[-1]

    @property
    def context(self) -> list[str]:
        """Return every path that the image takes from the repository, as written."""
        copies = [step for stage in self.stages for step in stage.steps if isinstance(step, Copy)]
        return [source for copy in copies if not copy.origin for source in copy.sources]


def read(path: Path) -> Dockerfile:
    """Read a Dockerfile.

    Raises:
        ValueError: If it holds an instruction, or a form of one, that this module does not know.
    """
    stages: list[Stage] = []
    for line in _logical_lines(path.read_text(encoding="utf-8")):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, *alias = rest.split()
            stages.append(Stage(base=base, name=alias[1] if alias else ""))
        elif not stages:
            raise ValueError(f"{path.name}: expected FROM first, found {word}")
        elif not _apply(stages[-1], word, rest.strip()):
            raise ValueError(
                f"{path.name}: found {word}, which the rehearsal cannot follow; "
                "teach deploy/dockerfile.py or do without"
            )
    if not stages:
        raise ValueError(f"{path.name}: expected at least one FROM, found none")
    return Dockerfile(tuple(stages))


def _logical_lines(text: str) -> list[str]:
    kept = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return "\n".join(kept).replace("\\\n", " ").splitlines()


def _apply(stage: Stage, word: str, rest: str) -> bool:
    """Record one instruction; tell whether it is a known one."""
    match word:
        case "ENV":
            stage.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        case "ARG":
            name, _, default = rest.partition("=")
            stage.environment.setdefault(name, default)
        case "WORKDIR":
            stage.workdir = rest
        case "COPY":
            stage.steps.append(_copy(rest))
        case "RUN":
            stage.steps.append(" ".join(rest.split()))
        case "USER":
            stage.user = rest
        case "HEALTHCHECK":
            stage.health = json.loads(rest.partition("CMD ")[2])
        case "CMD":
            stage.command = json.loads(rest)
        case "EXPOSE" | "LABEL":
            pass
        case _:
            return False
    return True


def _copy(rest: str) -> Copy:
    words = rest.split()
    options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
    *sources, target = [word for word in words if not word.startswith("--")]
    return Copy(sources=tuple(sources), target=target, origin=options.get("from", ""))

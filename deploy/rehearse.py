"""Rehearse both images without a container engine: locked packages, start, answers, stop.

    make rehearse            # or: python deploy/rehearse.py [--keep FOLDER]

For each image: uv installs the packages of its lock, by their hashes, in an empty environment; the
sources that its Dockerfile copies are put beside them, and nothing else; its server is started with
no other variable of this machine, as somebody who cannot write these files. Then it is asked like a
container (``probe``), told to stop, and its files compared with what they were. What only an engine
can show stays unseen: the base image, the limits of compose, the capabilities. What else the
Dockerfiles say is checked by ``tests/deploy``.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import probe

__all__ = ["IMAGES", "Image", "RehearsalError", "Tree", "main", "rehearse", "sources"]

REPOSITORY = Path(__file__).resolve().parents[1]
PYTHON = getattr(sys, "_base_executable", sys.executable)
"""Stands for the Python of the base image."""
USER = "10001"


class RehearsalError(Exception):
    """An image that would not do what it should: what was expected, what was found."""


class ServerError(RehearsalError):
    """A server that does not do what it should, with the last it said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """What is asked of an image.

    Attributes:
        name: ``Dockerfile.<name>`` describes it, ``requirements/<name>.txt`` locks its packages.
        module: What ``python -m`` runs.
        health: Path that its health check asks.
        probe: Asks the questions, given the address.
        megabytes: What its tree may weigh, packages included.
        grace: Seconds that it may take to stop.
    """

    name: str
    module: str
    health: str
    probe: Callable[[str], str]
    megabytes: int
    grace: float


IMAGES = (
    Image(name="api", module="vitrine.serving", health="/readyz", probe=probe.probe_api,
          megabytes=240, grace=25),
    Image(name="ui", module="vitrine.serving.ui", health="/healthz", probe=probe.probe_ui,
          megabytes=420, grace=15),
)  # fmt: skip


def sources(image: str) -> list[str]:
    """Return the files and folders of ``src`` that the Dockerfile of an image copies."""
    return [name.rstrip("/") for name in re.findall(r"\bsrc/(\S+)", _dockerfile(image))]


def _pictures(image: str) -> list[str]:
    """Return the folders of ``ressources`` that the Dockerfile of an image copies."""
    return re.findall(r"^COPY (ressources/\S+)/ ", _dockerfile(image), re.MULTILINE)


def _dockerfile(image: str) -> str:
    return (REPOSITORY / "deploy" / f"Dockerfile.{image}").read_text(encoding="utf-8")


class Tree:
    """The packages and sources of an image, ready to run as somebody who cannot write them.

    Args:
        image: The image.
        folder: Where to build; it need not exist.

    Raises:
        RehearsalError: If a package cannot be installed, or a source is absent.
    """

    def __init__(self, image: Image, folder: Path) -> None:
        self.image, self.root, self.temporary = image, folder / "app", folder / "tmp"
        self.root.mkdir(parents=True)
        self.temporary.mkdir()
        self.temporary.chmod(0o1777)
        self.python = str(self.root / ".venv" / "bin" / "python")
        lock = REPOSITORY / "requirements" / f"{image.name}.txt"
        _uv("venv", str(self.root / ".venv"))
        _uv("pip", "sync", "--python", self.python, "--require-hashes", str(lock))
        self._copy(REPOSITORY / "deploy" / "health.py", "health.py")
        for name in sources(image.name):
            self._copy(REPOSITORY / "src" / name, name)
        for name in _pictures(image.name):
            self._copy(REPOSITORY / name, name)
        for path in (self.root, *self.root.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)

    def _copy(self, source: Path, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            shutil.copyfile(source, target)
        else:
            raise RehearsalError(
                f"expected {name}, which Dockerfile.{self.image.name} copies, found no such file; "
                "correct its COPY"
            )

    def start(self, *words: str, **more: str) -> subprocess.Popen:
        """Start Python in the tree, with no other variable of this machine than what is given."""
        given = {"PATH": os.defpath, "HOME": "/nonexistent", "TMPDIR": str(self.temporary), **more}
        return subprocess.Popen(
            [*self.powerless(), self.python, *words],
            cwd=self.root,
            env=given | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def powerless(self) -> list[str]:
        """Return what to put before a command so that root loses its rights; else nothing.

        The image's user cannot be had where the Python of this machine is only root's: then root
        without capabilities, whom the permissions of files bind like anybody, stands for it.
        """
        if os.geteuid() != 0:
            return []
        python = Path(PYTHON).resolve()
        open_to_all = all(folder.stat().st_mode & 0o001 for folder in python.parents)
        who = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if open_to_all else []
        return ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", *who]

    def says(self, *words: str, **more: str) -> tuple[int, str]:
        """Run Python in the tree to its end and return its exit code and what it said."""
        process = self.start(*words, **more)
        said, _ = process.communicate(timeout=60)
        return process.returncode, said.strip()

    def listing(self) -> dict[str, tuple[int, int]]:
        """Return size and date of every file, to see whether any was written."""
        files = (p for p in self.root.rglob("*") if p.is_file() and not p.is_symlink())
        return {
            str(p.relative_to(self.root)): (p.stat().st_size, p.stat().st_mtime_ns) for p in files
        }


def _uv(*words: str) -> None:
    """Run uv as the Dockerfiles do; copies, not links: the files are made read-only afterwards."""
    uv = shutil.which("uv") or shutil.which("uv", path=REPOSITORY / ".tools" / "bin")
    if not uv:
        raise RehearsalError(
            "expected uv on the path or in .tools/bin, found none; run `make setup`"
        )
    settings = {"UV_PYTHON": PYTHON, "UV_LINK_MODE": "copy", "UV_NO_PROGRESS": "1"}
    compiled = {"UV_COMPILE_BYTECODE": "1", "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(
        [uv, *words], env=compiled | os.environ | settings, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RehearsalError(
            f"expected uv {' '.join(words)} to succeed, found exit code {done.returncode}. Without "
            "a network uv can only use its cache, which `make setup` fills. uv said:\n"
            f"{done.stderr.strip()[-1500:]}"
        )


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def _check_files(built: Tree) -> str:
    megabytes = sum(size for size, _ in built.listing().values()) / 1e6
    if megabytes > built.image.megabytes:
        raise RehearsalError(
            f"expected at most {built.image.megabytes} MB, found {megabytes:.0f}; see what grew"
        )
    code, found = built.says("-c", probe.ABSENT, *probe.FORBIDDEN)
    if code or found:
        raise RehearsalError(f"expected none of {', '.join(probe.FORBIDDEN)}, found: {found}")
    return f"{megabytes:.0f} MB; none of {', '.join(probe.FORBIDDEN)}"


@contextmanager
def running(built: Tree, **more: str):
    """Run the image's command, and give its address once its health check passes.

    Raises:
        RehearsalError: If it does not come up, or on leaving: if it does not stop as it should, or
            has written into its own files.
    """
    before, port = built.listing(), _free_port()
    process = built.start("-m", built.image.module, PORT=str(port), **more)
    address = f"http://127.0.0.1:{port}"
    try:
        took = probe.wait_for(
            f"{address}/healthz", seconds=180, alive=lambda: process.poll() is None
        )
        print(f"  healthy after {took:.1f} s")
        code, said = built.says("health.py", built.image.health, PORT=str(port))
        if code:
            raise RehearsalError(f"expected the health check to pass, it said: {said}")
        yield address
        print(f"  {_stop(process, built.image.grace)}")
    except ServerError:  # of a server that runs inside this one
        raise
    except (probe.ProbeError, RehearsalError) as error:
        process.kill()
        said = process.communicate()[0].strip()[-2000:]
        raise ServerError(f"{error}\nThe server said:\n{said}") from error
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    if built.listing() != before:
        raise RehearsalError("expected the tree to stay as it was; the server wrote into it")


def _stop(process: subprocess.Popen, grace: float) -> str:
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=grace)
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"expected it to stop within {grace:g} s of SIGTERM") from None
    # uvicorn stops in order, then lets the signal end it: 143 for a shell, -15 here
    if process.returncode not in (0, -signal.SIGTERM):
        raise RehearsalError(f"expected exit code 0 or SIGTERM, found {process.returncode}")
    return f"stopped {time.monotonic() - start:.1f} s after SIGTERM"


def rehearse(folder: Path) -> None:
    """Build both trees in a folder, run the API, then the interface against it.

    Raises:
        RehearsalError: If an image cannot be built, or does not do what it should.
    """
    folder.chmod(0o755)
    built = {}
    for image in IMAGES:
        print(f"{image.name}: installing its locked packages", flush=True)
        built[image.name] = Tree(image, folder / image.name)
        print(f"  {_check_files(built[image.name])}", flush=True)
    api, ui = (built[image.name] for image in IMAGES)
    print("api:", flush=True)
    with running(api) as service:
        print(f"  {api.image.probe(service)}", flush=True)
        print("ui:", flush=True)
        with running(ui, API_URL=service) as interface:
            print(f"  {ui.image.probe(interface)}", flush=True)
        print("api:", flush=True)


def main(arguments: list[str]) -> int:
    """Rehearse; 0 if both images do what they should, 1 if not."""
    parser = argparse.ArgumentParser(prog="rehearse.py", description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="build in this new folder and leave it there")
    options = parser.parse_args(arguments)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="vitrine-rehearsal-"))
    try:
        folder.mkdir(parents=True, exist_ok=not options.keep)
        rehearse(folder.resolve())
    except FileExistsError:
        parser.error(f"expected a new folder, found {folder}")
    except (RehearsalError, OSError) as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print("rehearsed: both images do what they should")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Deploy an image on an Azure Web App, by digest, and roll back if it is not well.

    python deploy/release.py --app NAME --group GROUP --revision COMMIT \
        --image docker.io/ACCOUNT/vitrine-ui@sha256:…

Needs the ``az`` command line, logged in. Exit codes: 0 the image answers; 1 it does not, and what
ran before runs again; 2 bad usage. The new image is known by the ``X-Vitrine-Revision`` header of
its answers, since the former one goes on answering until the exchange.
"""

import argparse
import re
import subprocess
import sys
import time
from http import HTTPStatus

from probe import ask

__all__ = ["AzureError", "WebApp", "main", "release", "wait_until_well"]

BY_DIGEST = re.compile(r"[\w./:-]+@sha256:[0-9a-f]{64}")
PREFIX = "DOCKER|"
PAUSE = 5.0


class AzureError(Exception):
    """What ``az`` answered when it refused."""


class WebApp:
    """A Web App for containers, seen through ``az``."""

    def __init__(self, name: str, group: str) -> None:
        self.name = name
        self.group = group

    def _az(self, *words: str) -> str:
        line = [
            "az",
            *words,
            "--name",
            self.name,
            "--resource-group",
            self.group,
            "--output",
            "tsv",
        ]
        try:
            done = subprocess.run(line, capture_output=True, text=True, check=True)
        except FileNotFoundError as error:
            raise AzureError("expected the az command line, found none; install it") from error
        except subprocess.CalledProcessError as error:
            raise AzureError(f"az {' '.join(words)}: {error.stderr.strip()}") from error
        return done.stdout.strip()

    def image(self) -> str:
        """Return the image that it is set to run; empty before the first one."""
        current = self._az("webapp", "config", "show", "--query", "linuxFxVersion")
        return current.removeprefix(PREFIX) if current.startswith(PREFIX) else ""

    def run(self, image: str) -> None:
        """Set the image; the platform pulls it and exchanges the containers by itself."""
        self._az("webapp", "config", "container", "set", "--container-image-name", image)

    def address(self) -> str:
        """Return where the public reaches it."""
        return "https://" + self._az("webapp", "show", "--query", "defaultHostName")


def wait_until_well(address: str, *, revision: str | None, seconds: float) -> str:
    """Ask ``/healthz`` until it answers 200, and from that revision where one is given.

    Returns:
        Empty once it is well; else what the last answer was.
    """
    last, deadline = "no answer", time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            answer = ask(f"{address}/healthz", timeout=10)
            found = answer.headers.get("x-vitrine-revision", "none")
            last = f"status {answer.status}, revision {found}"
            if answer.status == HTTPStatus.OK and revision in (None, found):
                return ""
        except OSError as error:
            last = str(error)
        time.sleep(min(PAUSE, max(0.0, deadline - time.monotonic())))
    return last


def release(app: WebApp, image: str, *, address: str, revision: str, seconds: float) -> bool:
    """Run an image, wait for it, and put the former one back if it does not answer.

    Returns:
        Whether the new image answers.

    Raises:
        AzureError: If ``az`` refuses.
    """
    former = app.image()
    print(f"{app.name}: {former or 'no image'} -> {image}")
    app.run(image)
    trouble = wait_until_well(address, revision=revision, seconds=seconds)
    if not trouble:
        print(f"{app.name}: revision {revision} answers")
        return True
    print(f"{app.name}: not well after {seconds:g} s ({trouble})", file=sys.stderr)
    if not former:
        print(f"{app.name}: this is its first image, there is none to put back", file=sys.stderr)
        return False
    app.run(former)
    trouble = wait_until_well(address, revision=None, seconds=seconds)
    state = f"does not answer either ({trouble}): look at its log" if trouble else "answers"
    print(f"{app.name}: put back {former}, which {state}", file=sys.stderr)
    return False


def main(arguments: list[str]) -> int:
    """Read the command line, release, and return the exit code."""
    parser = argparse.ArgumentParser(prog="release.py", description=__doc__.splitlines()[0])
    for name in ("--app", "--group", "--image", "--revision"):
        parser.add_argument(name, required=True)
    parser.add_argument("--address", help="default: the app's own host, over https")
    parser.add_argument("--seconds", type=float, default=300, help="how long to wait")
    options = parser.parse_args(arguments)
    if not BY_DIGEST.fullmatch(options.image):
        parser.error(f"expected an image by digest, NAME@sha256:…, found {options.image}")
    app = WebApp(options.app, options.group)
    try:
        well = release(
            app,
            options.image,
            address=options.address or app.address(),
            revision=options.revision,
            seconds=options.seconds,
        )
    except AzureError as error:
        print(f"{app.name}: {error}", file=sys.stderr)
        return 1
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

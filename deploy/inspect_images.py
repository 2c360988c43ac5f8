"""Check images that Docker has built: user, health check, size, no training framework.

python deploy/inspect_images.py vitrine-api vitrine-ui
"""

import json
import subprocess
import sys

from probe import ABSENT, FORBIDDEN

__all__ = ["faults", "main"]

MEGABYTES = 700
SEALED = ("--network", "none", "--read-only", "--cap-drop", "ALL")


def _docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"docker {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def faults(image: str) -> list[str]:
    """Return what is wrong with an image.

    Raises:
        OSError: If Docker is absent, or does not have this image.
    """
    seen = json.loads(_docker("image", "inspect", image))[0]
    found = []
    if not seen["Config"]["User"].isdecimal() or seen["Config"]["User"] == "0":
        found.append(f"expected a user other than root, found {seen['Config']['User'] or 'root'}")
    if not seen["Config"].get("Healthcheck"):
        found.append("expected a health check, found none")
    if seen["Size"] > MEGABYTES * 1e6:
        found.append(f"expected at most {MEGABYTES} MB, found {seen['Size'] / 1e6:.0f}")
    heavy = _docker("run", "--rm", *SEALED, image, "python", "-c", ABSENT, *FORBIDDEN)
    if heavy:
        found.append(f"expected none of {', '.join(FORBIDDEN)}, found: {heavy}")
    return found


def main(images: list[str]) -> int:
    """Inspect images; 0 if nothing is wrong with them, 1 if something is, 2 for bad usage."""
    if not images:
        print("usage: inspect_images.py IMAGE …", file=sys.stderr)
        return 2
    wrong = False
    for image in images:
        try:
            found = faults(image)
        except OSError as error:
            found = [str(error)]
        wrong = wrong or bool(found)
        for fault in found:
            print(f"{image}: {fault}", file=sys.stderr)
        if not found:
            print(f"{image}: not root, not large, none of {', '.join(FORBIDDEN)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

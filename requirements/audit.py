"""Ask whether a locked package has a known vulnerability, and refuse an answer that says nothing.

    python requirements/audit.py requirements/api.txt requirements/ui.txt

``pip-audit`` asks the package index. Where that cannot be reached, or answers nothing (a mirror
often does), pip-audit leaves the packages out and exits 0: here each one must have been looked up.
Exit codes: 0 none known, 1 some are or the service was not heard, 2 bad usage.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

__all__ = ["audit", "judge", "main"]

COMMAND = (sys.executable, "-m", "pip_audit")
OPTIONS = ("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off")


def judge(answer: dict, locked: set[str]) -> list[str]:
    """Return what is wrong with an answer of pip-audit; nothing when no package is vulnerable.

    Args:
        answer: What it wrote, read as JSON.
        locked: Names of the packages it was asked about.
    """
    asked = {row["name"]: row for row in answer["dependencies"]}
    heard = {name for name, row in asked.items() if "vulns" in row}
    faults = []
    if unheard := sorted(locked - heard):
        faults.append(
            f"the vulnerability service told nothing of {len(unheard)} of {len(locked)} packages "
            f"({', '.join(unheard[:3])}, …): nothing is known of them; run again where it answers"
        )
    for name in sorted(heard):
        for found in asked[name]["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "none yet"
            faults.append(
                f"{name} {asked[name]['version']} has {found['id']}, fixed in: {fixed}; "
                "run `make lock`"
            )
    return faults


def audit(lock: Path, command: tuple[str, ...] = COMMAND) -> list[str]:
    """Ask about the packages of a lock and return what is wrong."""
    lines = re.findall(r"^[\w.\-]+==[^\\\n]+", lock.read_text(encoding="utf-8"), re.M)
    pinned = [Requirement(line.strip()) for line in lines]
    # pip-audit does not look up what only another platform installs
    here = {r.name for r in pinned if r.marker is None or r.marker.evaluate()}
    done = subprocess.run(
        [*command, "--requirement", str(lock), *OPTIONS],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:
        last = (done.stderr.strip() or "nothing").splitlines()[-1]
        return [f"expected an answer of pip-audit, it stopped: {last}"]
    return judge(answer, here)


def main(names: list[str]) -> int:
    """Audit locks; return the exit code."""
    if not names:
        print("usage: audit.py LOCK …", file=sys.stderr)
        return 2
    failed = False
    for name in names:
        faults = audit(Path(name))
        failed = failed or bool(faults)
        for fault in faults or ["no known vulnerability"]:
            print(f"{name}: {fault}", file=sys.stderr if faults else sys.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

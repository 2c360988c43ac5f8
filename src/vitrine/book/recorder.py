"""The kernel of our executions: ipykernel, which also notes what it reads from the repository.

Run by ``runner`` as ``python -m vitrine.book.recorder -f <connection file>``. An audit hook sees
every file opened and every folder listed by Python, in any library, which a declaration written by
hand would forget. Not seen: ``exists`` and ``stat``, and files opened by compiled code.
"""

import faulthandler
import os
import sys
from pathlib import Path

__all__ = ["LOG", "record"]

LOG = "VITRINE_READS"
_LISTINGS = {"os.listdir", "os.scandir"}


def record(log: str, root: str) -> None:
    """Append to ``log`` the path, relative to ``root``, of all that is read from now on.

    A file gives a line ``runs/x/run.json``, a folder that is listed ``runs/``. A file that is
    looked for and absent counts as read: its arrival would change the notebook.
    """
    stream = Path(log).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115  (lives on)
    prefix = os.path.join(root, "")  # noqa: PTH118  (called at each open, must stay cheap)
    seen: set[str] = set()

    def note(event: str, arguments: tuple) -> None:
        if event != "open" and event not in _LISTINGS:
            return
        if event == "open" and len(arguments) > 2 and arguments[2] & os.O_WRONLY:  # noqa: PLR2004
            return
        try:
            path = os.path.abspath(os.fsdecode(arguments[0] or "."))  # noqa: PTH100
        except (TypeError, ValueError):  # an open file descriptor, or a name no file can have
            return
        if path.startswith(prefix) and (line := _relative(path, prefix, event)) not in seen:
            seen.add(line)
            stream.write(line + "\n")

    sys.addaudithook(note)


def _relative(path: str, prefix: str, event: str) -> str:
    return path[len(prefix) :].replace(os.sep, "/") + ("/" if event in _LISTINGS else "")


if __name__ == "__main__":
    # As ipykernel_launcher does: the folder in front belongs to the notebook, not to the kernel.
    if sys.path[0] == "" or Path(sys.path[0]) == Path.cwd():
        del sys.path[0]
    from ipykernel import kernelapp

    # ipykernel redirects 2 to itself: who crashes in compiled code says so to the copy.
    faulthandler.enable(os.fdopen(os.dup(2), "w"))
    if log := os.environ.get(LOG):
        record(log, os.environ["VITRINE_ROOT"])
    kernelapp.launch_new_instance()

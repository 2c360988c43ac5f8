"""The kernel of our executions: ipykernel, which also notes what it reads and imports.

Run by ``engine`` as ``python -m vitrine.book.recorder -f <connection file>``. An audit hook sees
every file opened and every folder listed by Python, in any library, which a declaration written by
hand would forget. Not seen: ``exists`` and ``stat``, and files opened by compiled code. Modules are
those of ``sys.modules`` after each cell, so that one whose kernel is killed at the end has them.
"""

import faulthandler
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

__all__ = ["IMPORT", "LOG", "record"]

LOG = "VITRINE_READS"
"""Variable of the environment that names the file to write."""

IMPORT = "import "
"""What a line on a module starts with."""

_LISTINGS = {"os.listdir", "os.scandir"}


def record(log: str, root: str) -> Callable[..., None]:
    """Append to ``log`` the path, relative to ``root``, of all that is read from now on.

    A file gives a line ``runs/x/run.json``, a folder that is listed ``runs/``. A file that is
    looked for and absent counts as read: its arrival would change the notebook.

    Returns:
        A function that appends ``import x`` for each module imported since, to call after a cell:
        those of vitrine, and of other packages the first name.
    """
    stream = Path(log).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115  (lives on)
    prefix = os.path.join(root, "")  # noqa: PTH118  (called at each open, must stay cheap)
    seen: set[str] = set()
    of_the_kernel = {name for name in sys.modules if not _is_ours(name)}

    def note(line: str) -> None:
        if line not in seen:
            seen.add(line)
            stream.write(line + "\n")

    def note_read(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" and event not in _LISTINGS:
            return
        name, _, flags = (*arguments, 0, 0)[:3]
        if event == "open" and flags & os.O_WRONLY:
            return
        try:
            path = os.path.abspath(os.fsdecode(name or "."))  # noqa: PTH100
        except (TypeError, ValueError):  # an open file descriptor, or a name no file can have
            return
        if path.startswith(prefix):
            note(path[len(prefix) :].replace(os.sep, "/") + ("/" if event in _LISTINGS else ""))

    def note_imports(*_: object) -> None:
        for name in sorted(set(sys.modules) - of_the_kernel):
            if _is_ours(name) or "." not in name:
                note(IMPORT + name)

    sys.addaudithook(note_read)
    return note_imports


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "vitrine"


if __name__ == "__main__":
    # As ipykernel_launcher does: the folder in front belongs to the notebook, not to the kernel.
    if sys.path[0] == "" or Path(sys.path[0]) == Path.cwd():
        del sys.path[0]
    from ipykernel import kernelapp

    # ipykernel redirects 2 to itself: who crashes in compiled code says so to the copy.
    faulthandler.enable(os.fdopen(os.dup(2), "w"))
    kernel = kernelapp.IPKernelApp.instance()
    kernel.initialize()
    if log := os.environ.get(LOG):
        note_imports = record(log, os.environ["VITRINE_ROOT"])
        cast(Any, kernel.shell).events.register("post_run_cell", note_imports)
    kernel.start()

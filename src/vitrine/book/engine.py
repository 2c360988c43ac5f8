"""Run a notebook with papermill, in our interpreter, and reject incomplete executions."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import nbformat
import papermill
import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from traitlets import default

from vitrine import paths
from vitrine.book import recorder
from vitrine.book.sources import NotebookError

__all__ = ["Progress", "Run", "seen_by_papermill"]

Progress = Callable[[int, int], None]
"""Called before each cell with its number, from 1, and the number of cells."""

_ENGINE = "vitrine"


class Run:
    """One execution, whose files live in a folder that the caller provides and removes.

    Args:
        folder: Empty folder.
        profile: ``published`` or ``smoke``, given to the kernel as ``VITRINE_PROFILE``.
        photos: Whether original photos may be shown, given as ``VITRINE_PHOTOS``.
        timeout: Most seconds a cell may take, or none.
        progress: Called before each cell.
    """

    def __init__(
        self, folder: Path, *, profile: str, photos: bool, timeout: int | None, progress: Progress
    ) -> None:
        self.output, self.stderr = folder / "output.ipynb", folder / "stderr.txt"
        self._log = folder / "reads.txt"
        self._timeout, self._progress, self._cell = timeout, progress, 0
        self._environment = os.environ | {
            recorder.LOG: str(self._log),
            "PLOTLY_RENDERER": "plotly_mimetype",
            "PYTHONHASHSEED": "0",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TQDM_DISABLE": "1",
            "VITRINE_PHOTOS": str(int(photos)),
            "VITRINE_PROFILE": profile,
            "VITRINE_ROOT": str(paths.root()),
        }

    def execute(self, notebook: NotebookNode, parameters: dict[str, object]) -> NotebookNode:
        """Execute every cell, from the repository root.

        Returns:
            The notebook as papermill wrote it; ``output`` holds it too, even after a failure, and
            ``stderr`` what the kernel and compiled code say.

        Raises:
            NotebookError: Says in a few words what went wrong, and in which cell.
        """
        cells = len(notebook.cells) + bool(parameters)

        def started(cell: NotebookNode, cell_index: int) -> None:
            self._cell = cell_index + 1
            self._progress(self._cell, cells)

        try:
            with _quiet(), self.stderr.open("wb") as stderr:
                papermill.execute_notebook(
                    notebook,
                    self.output,
                    parameters,
                    engine_name=_ENGINE,
                    progress_bar=False,
                    cwd=paths.root(),
                    execution_timeout=self._timeout,
                    env=self._environment,
                    stderr=stderr,
                    on_cell_start=started,
                )
            executed = nbformat.read(self.output, as_version=4)
            _accept(executed)
        except Exception as error:  # nbclient, zmq and the kernel each have their own
            raise NotebookError(f"{_why(error)} in cell {self._cell}") from error
        return executed

    def log(self) -> list[str]:
        """Return what the kernel read under the root and imported, as ``recorder`` notes it."""
        return self._log.read_text(encoding="utf-8").splitlines() if self._log.is_file() else []


def seen_by_papermill(notebook: NotebookNode) -> set[str]:
    """Return the names of the parameters that papermill recognises."""
    with _quiet():
        return set(papermill.inspect_notebook(notebook))


class _KernelManager(AsyncKernelManager):
    """Starts this interpreter, whatever kernel the machine calls python3.

    Its connection is encrypted where the platform can: others may share the loopback.
    """

    @default("transport_encryption")
    def _encrypt(self) -> str:
        return "auto" if zmq.has("curve") else "disabled"

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", recorder.__name__, "-f", "{connection_file}"]
        # The rest says among others that the connection may be encrypted.
        return KernelSpec(**get_kernel_dict() | {"argv": command})


class _Engine(NBClientEngine):
    """papermill's engine with our kernel and its environment, without timings in the cells."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: object,
        kernel_name: str,
        *,
        env: dict[str, str],
        stderr: BinaryIO,
        on_cell_start: Callable,
        execution_timeout: int | None,
        start_timeout: int = 60,
        **ignored: object,
    ) -> NotebookNode:
        client = PapermillNotebookClient(
            nb_man,
            kernel_name=kernel_name,
            kernel_manager_class=_KernelManager,
            timeout=execution_timeout,
            startup_timeout=start_timeout,
            record_timing=False,
            coalesce_streams=True,  # where a kernel cuts what is printed depends on its pace
            on_cell_start=on_cell_start,
        )
        return client.execute(env=env, stderr=stderr)


papermill_engines.register(_ENGINE, _Engine)


def _accept(notebook: NotebookNode) -> None:
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise NotebookError(f"{output.ename}: {output.evalue}")
        if cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None:
            raise NotebookError(f"a kernel that stopped before cell {number} was executed")


def _why(error: Any) -> str:
    if isinstance(error, papermill.PapermillExecutionError):
        return f"{error.ename}: {error.evalue}".strip().splitlines()[0]
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return first if isinstance(error, NotebookError) else f"{type(error).__name__}: {first}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep papermill's log and the deprecations of its dependencies off our own output."""
    logger = logging.getLogger("papermill")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)

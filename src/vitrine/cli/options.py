"""Options that several commands share, and the progress bar that they show."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = [
    "Device", "Resume", "Retrain", "Steps", "Threads", "known_runtime", "require_published",
]  # fmt: skip


def _among(*names: str) -> Callable[[Any], Any]:
    """Return what refuses another value of an option, or of one that is repeated."""

    def known(given: Any) -> Any:
        for each in [given] if isinstance(given, str) else given or ():
            if each not in names:
                told = f"{', '.join(names[:-1])} or {names[-1]}"
                raise typer.BadParameter(f"expected {told}, found {each!r}")
        return given

    return known


Device = Annotated[
    str, typer.Option(help="auto, cpu or cuda.", callback=_among("auto", "cpu", "cuda"))
]
known_runtime = _among("onnx", "openvino", "openvino-bf16", "onnx-int8", "openvino-int8")
"""Those of ``explain.runtimes``, which takes a while to import."""
Threads = Annotated[int | None, typer.Option(min=1, help="Threads on a CPU; all cores by default.")]
Resume = Annotated[
    bool, typer.Option(help="Go on from the last epoch; what is finished is left as it is.")
]
Retrain = Annotated[
    bool, typer.Option(help="Make a published run again, under build/retrain; it stays as it is.")
]


def require_published() -> None:
    """Refuse, in a project of the user's own photos, what is done to the published ones alone."""
    from vitrine.data import dataset

    if (data := dataset.current()).own:
        published = dataset.read(dataset.PUBLISHED).name
        raise dataset.DatasetError(
            f"expected the data set {published}, of which this command is, found {data.name}, of "
            "your own photos; use `vitrine check`, or work in a clone of vitrine"
        )


class Steps:
    """Show how many steps are done: a bar on a terminal, nothing elsewhere.

    Args:
        noun: What a step is.
    """

    def __init__(self, noun: str) -> None:
        columns = (TextColumn(f"  {noun}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.bar = Progress(*columns, transient=True, disable=not sys.stderr.isatty())
        self.task = self.bar.add_task(noun, total=None)

    def __enter__(self) -> "Steps":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def __call__(self, done: int, steps: int) -> None:
        """Tell that some of the steps are done."""
        self.bar.update(self.task, completed=done, total=steps)

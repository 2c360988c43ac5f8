"""Show the progress of a long command on the terminal."""

import sys

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["Steps"]


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

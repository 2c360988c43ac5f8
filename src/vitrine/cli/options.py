"""Options that several commands share."""

from typing import Annotated

import typer

__all__ = ["Device", "Resume", "Retrain", "Threads"]


def _known(device: str) -> str:
    if device not in ("auto", "cpu", "cuda"):
        raise typer.BadParameter(f"expected auto, cpu or cuda, found {device!r}")
    return device


Device = Annotated[str, typer.Option(help="auto, cpu or cuda.", callback=_known)]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads on a CPU; all cores by default.")]
Resume = Annotated[
    bool, typer.Option(help="Go on from the last epoch; what is finished is left as it is.")
]
Retrain = Annotated[
    bool, typer.Option(help="Make a published run again, under build/retrain; it stays as it is.")
]

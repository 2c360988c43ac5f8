"""Draw a synthetic catalogue of the seven classes by code: no network, no font, no photo.

It exists to try the software end to end in seconds, in tests and in smoke runs; nothing measured
on it is a result. Its files are named ``demo-...`` and its receipt says ``"edition": "demo"``.

    pen -> surface -> parts -> personal, household -> scene (draw) -> writer (write)
                    published (two drawings) --^
"""

from typing import Any

from vitrine.data.demo.scene import SHAPES, draw

__all__ = ["SHAPES", "draw", "write"]


def __getattr__(name: str) -> Any:
    if name == "write":  # a page that only draws does not depend on receipts and tables
        from vitrine.data.demo.writer import write

        return write
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Draw a synthetic catalogue of the seven classes by code: no network, no font, no photo.

It exists to try the software end to end in seconds, in tests and in smoke runs; nothing measured
on it is a result. Its files are named ``demo-...`` and its receipt says ``"edition": "demo"``.

    pen -> surface -> parts -> personal, household -> scene (draw) -> writer (write)
"""

from vitrine.data.demo.scene import SHAPES, draw
from vitrine.data.demo.writer import write

__all__ = ["SHAPES", "draw", "write"]

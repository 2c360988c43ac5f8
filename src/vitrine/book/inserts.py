"""Replace comments of prose pages by tables that code writes from tracked files.

====================================  ===========================================================
``<!-- lectures : tableau -->``       the reading notes, one row each
``<!-- lectures : notes -->``         in full, the reading notes that a chapter verifies
``<!-- lectures : date -->``          the day of the last reading
``<!-- durées : commandes -->``       how long each command took, where it was measured
``<!-- durées : entraînements -->``   how long each published run took to train
``<!-- photos : bande -->``           the free pictures, where there are some
``<!-- photos : erreurs -->``         those that the served model gets wrong
``<!-- service : charge -->``         what clients saw of our service and of a naive one
``<!-- service : étapes -->``         what decoding and computing a photo cost in both
``<!-- service : machine -->``        where and when that was measured
``<!-- service : seuils -->``         every bar set to the service, and what was measured
``<!-- vitesses : seuils -->``        every bar set to a speed, and what was measured
``<!-- vitesses : manqués -->``       how many the ordinary memory layout misses
``<!-- vitesses : réseaux -->``       how many times faster our network is than timm's of its size
``<!-- vitesses : moteurs -->``       how many times faster other runtimes are than ONNX Runtime
``<!-- vitesses : balayages -->``     how many times faster our scan is than other libraries'
====================================  ===========================================================
"""

import re
from collections.abc import Callable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from vitrine.book import measurements, pictures, reading_notes
from vitrine.book.wording import day

__all__ = ["INSERTS", "fill", "setup"]


def _read(root: Path) -> list[reading_notes.Reading]:
    return reading_notes.read(root, files=False)


INSERTS: dict[str, Callable[[Path], str]] = {
    "lectures : tableau": lambda root: reading_notes.table(_read(root)),
    "lectures : notes": lambda root: reading_notes.notes(_read(root)),
    "lectures : date": lambda root: day(max(n.read for n in _read(root))),
    "durées : commandes": measurements.commands,
    "durées : entraînements": measurements.trainings,
    "photos : bande": pictures.strip,
    "photos : erreurs": pictures.errors,
    "service : charge": measurements.load,
    "service : étapes": measurements.stages,
    "service : machine": measurements.machine,
    "service : seuils": measurements.service_bars,
    "vitesses : seuils": measurements.bars,
    "vitesses : manqués": measurements.missed,
    "vitesses : réseaux": measurements.rivals,
    "vitesses : moteurs": measurements.other_runtimes,
    "vitesses : balayages": measurements.scan_rivals,
}
"""What may stand in a comment, and what writes it from the root of the repository."""

_MARK = re.compile(r"<!-- (" + "|".join(map(re.escape, INSERTS)) + r") -->")


def fill(text: str, root: Path) -> str:
    """Return a page in MyST with its comments replaced."""
    return _MARK.sub(lambda match: INSERTS[match[1]](root), text)


def setup(app: Sphinx) -> None:
    """Fill each page as it is read."""
    app.connect("source-read", _fill)


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    if _MARK.search(source[0]):
        try:
            source[0] = fill(source[0], Path(app.srcdir))
        except (OSError, ValueError) as error:
            raise ExtensionError(str(error)) from error

"""The models that answer: each loaded when it is asked for, and again when its files change.

A model takes the place of the one before in a single assignment, once it has been read, checked
against its card and tried on its samples. What is being computed goes on with the model it began
with; a model that is refused changes nothing.
"""

import threading

from vitrine.serving.card import Card, read
from vitrine.serving.predictor import Predictor, packaged, shipped
from vitrine.serving.settings import Settings

__all__ = ["LoadedModels"]


class LoadedModels:
    """The served model, and the others of the package that have the same classes.

    Args:
        settings: Which model is served, and with how many threads each runs.

    Attributes:
        names: What ``model=`` calls each, the one that answers by default first: its name in the
            package, or its run.

    Raises:
        ModelError: If the model cannot be served.
    """

    def __init__(self, settings: Settings) -> None:
        self._threads, self._changing = settings.intra_op_threads, threading.Lock()
        served = packaged(settings.model_dir)
        first = Predictor(served, self._threads)
        name = next((n for n, folder in shipped().items() if folder == served), first.card.name)
        self._loaded, self._folders = {name: first}, {name: served}
        self._set_beside(name, first.card)

    def _set_beside(self, name: str, card: Card) -> None:
        self._folders = {name: self._folders[name]} | {
            other: folder
            for other, folder in shipped().items()
            if other != name and _labels(read(folder)[0]) == _labels(card)
        }
        self.names = tuple(self._folders)

    def of(self, name: str | None = None) -> Predictor:
        """Return a model, loaded the first time that it is asked for.

        Args:
            name: One of ``names``; by default the first.
        """
        name = name or self.names[0]
        if found := self._loaded.get(name):
            return found
        with self._changing:
            if name not in self._loaded:
                self._loaded[name] = Predictor(self._folders[name], self._threads)
            return self._loaded[name]

    def reload(self, name: str) -> Predictor:
        """Read the files of a model again, and serve them from now on.

        Where the first one has other classes now, so have those beside it.

        Args:
            name: One of ``names``.

        Raises:
            ModelError: If they cannot be served; the former model still is.
        """
        with self._changing:
            made = self._loaded[name] = Predictor(self._folders[name], self._threads)
            if name == self.names[0]:
                self._set_beside(name, made.card)
            return made


def _labels(card: Card) -> list[str]:
    return [each.label for each in card.classes]

"""The event handlers of the page: choose, send, classify, transform, filter."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go
from plotly.io.json import to_json_plotly

from vitrine.data import images
from vitrine.data.showcase import Showcase
from vitrine.report.fr import space
from vitrine.report.names import model_name
from vitrine.serving.ui import dashboard, markup, pictures
from vitrine.serving.ui.client import Client, Model, ServiceError
from vitrine.serving.ui.offline import gradio as gr
from vitrine.serving.ui.settings import Settings
from vitrine.serving.ui.uploads import Uploads

PlotData = gr.components.plot.PlotData  # pyright: ignore[reportAttributeAccessIssue]

__all__ = ["CHOOSE", "Choice", "Page", "PlotData"]

_SHOWN, _SMALL = 640, 72
"""Longest side, in pixels, of a photo on the page and of one in the table."""
CHOOSE = space("Choisissez un exemple ou envoyez une photo, puis « Classer l’image ».")
_GONE = ServiceError(
    "photo_perdue", "Photo introuvable", "La photo n’est plus là. Choisissez-la de nouveau."
)


@dataclass(frozen=True)
class Choice:
    """The photo that a visitor chose, which stays on the server.

    Attributes:
        path: Where it lies; for a visitor's photo, where ``uploads`` says that it does.
        name: What it is called on the page.
        truth: Its class, as the data set names it; ``None`` for a visitor's photo, empty for a
            sample of nothing that the catalogue has.
        credit: Who took it and its licence, where that has to be told.
    """

    path: Path
    name: str
    truth: str | None = None
    credit: str = ""

    @property
    def sent(self) -> bool:
        """Whether a visitor sent it: it is then not on the disk."""
        return self.truth is None


class Page:
    """What the events of the page call.

    Args:
        client: The service.
        shown: The data set.
        settings: Where the note may lie.
        uploads: What visitors send.
    """

    def __init__(
        self, client: Client, shown: Showcase, settings: Settings, uploads: Uploads
    ) -> None:
        self.client, self.shown, self.settings, self.uploads = client, shown, settings, uploads
        self.choices = {
            row.image: Choice(
                shown.path(row.image),
                row.product_name,
                row["class"],
                row.description if shown.synthetic else "",
            )
            for _, row in shown.samples.iterrows()
        }
        self.photos = dashboard.table(shown)

    @property
    def first(self) -> str | None:
        """The sample shown on arrival."""
        return next(iter(self.choices), None)

    def arrive(self) -> tuple[object, ...]:
        """Return the head, the state of the service and a line on its model.

        The clock ticks while the service is away, so that the page recovers whole, by itself.
        """
        watched = self.watch()
        model = self._model() if watched[0] == "" else None
        note = self.settings.note_pdf is not None and self.settings.note_pdf.is_file()
        line = markup.model_line(model) if model else ""
        return markup.intro(model, note=note), *watched, line

    def watch(self) -> tuple[object, ...]:
        """Return the banner, the button and the clock: empty, hidden and still when it answers."""
        away = not self.client.ready()
        return (
            markup.away() if away else "",
            gr.update(visible=away),
            gr.update(active=away),
        )

    def preview(self, key: str | None) -> tuple[object, ...]:
        """Show the sample that was chosen."""
        if key is None:  # the list is emptied when a visitor sends a photo
            return (gr.skip(),) * 4
        choice = self.choices[key]
        return choice, self.photo(choice), markup.waiting(CHOOSE), ""

    def receive(self, sent: Mapping[str, object] | None) -> tuple[object, ...]:
        """Take a visitor's photo, as Gradio describes it; leave the list of samples empty."""
        if sent is None:
            return (gr.skip(),) * 3
        return Choice(Path(str(sent["path"])), "votre photo"), None, ""

    def wait(self, choice: Choice | None) -> str:
        """Say at once that the photo is looked at."""
        return markup.waiting(CHOOSE if choice is None else "Analyse en cours…")

    def classify(self, choice: Choice | None) -> tuple[object, ...]:
        """Return the photo with what counted in it, and what was found, or why nothing was."""
        untouched = (gr.skip(),) * 3
        if choice is None:
            return gr.skip(), markup.waiting(CHOOSE), *untouched
        try:
            content = self._content(choice)
            found = self.client.classify(content)
            photo = pictures.jpeg(content, _SHOWN)
        except (OSError, images.ImageError):
            return markup.waiting("Aucune photo."), markup.failure(_GONE), *untouched
        except ServiceError as error:
            # A photo that the service refused is not opened here either.
            photo = markup.waiting("Cette photo n’est pas affichée.") if choice.sent else gr.skip()
            watched = self.watch() if error.away else untouched
            return photo, markup.failure(error), *watched
        figure = markup.figure(
            photo,
            alt=space(f"Photo : {choice.name}"),
            heat=pictures.heat(found.evidence),
            where=pictures.where(found.evidence),
        )
        return figure, markup.answer(found, choice.truth), *untouched

    def compare(self, choice: Choice | None) -> str:
        """Return what each model of the service says of a photo, side by side."""
        if choice is None:
            return markup.waiting(CHOOSE)
        try:
            content = self._content(choice)
            answers = [
                (model_name(each.name.partition("/")[0]), self.client.classify(content, each.model))
                for each in self.client.models()
            ]
        except OSError:
            return markup.failure(_GONE)
        except ServiceError as error:
            return markup.failure(error)
        return markup.compared(answers, choice.truth)

    def transform(self, key: str | None) -> str:
        """Show a sample beside what the model receives of it."""
        if key is None:
            return ""
        choice = self.choices[key]
        try:
            content = choice.path.read_bytes()
            received = self.client.preprocess(content)
            before = pictures.jpeg(content, _SHOWN)
        except (OSError, images.ImageError):
            return markup.failure(_GONE)
        except ServiceError as error:
            return markup.failure(error)
        side = pictures.side(received)
        return markup.transformed(before, pictures.png(received), name=choice.name, side=side)

    def figures(self, classes: list[str]) -> tuple[object, ...]:
        """Draw the photos of some classes."""
        photos = dashboard.select(self.photos, classes)
        draw = (dashboard.counts, dashboard.sizes, dashboard.ratios, dashboard.weights)
        return dashboard.summary(photos), *(_drawn(each(photos)) for each in draw)

    def table(self) -> str:
        """Return the samples, with a small image of each."""
        rows = []
        for choice in self.choices.values():
            try:
                small = pictures.jpeg(choice.path, _SMALL)
            except (OSError, images.ImageError):
                continue
            size = choice.credit or self._size(choice.path.name)
            rows.append((small, choice.name, choice.truth or "", size))
        return markup.samples(rows)

    def _content(self, choice: Choice) -> bytes:
        """Return a photo; only a sample is ever read from the disk."""
        return self.uploads.read(choice.path) if choice.sent else choice.path.read_bytes()

    def _size(self, image: str) -> str:
        known = self.shown.photos[self.shown.photos.fichier == image]
        return f"{known.largeur.iloc[0]} × {known.hauteur.iloc[0]}" if len(known) else "inconnue"

    def _model(self) -> Model | None:
        try:
            return self.client.model()
        except ServiceError:
            return None

    def photo(self, choice: Choice) -> str:
        """Return a sample as it is before it is classed."""
        try:
            return markup.figure(
                pictures.jpeg(choice.path, _SHOWN),
                alt=space(f"Photo : {choice.name}"),
                caption=f"{choice.name}. Photo\u00a0: {choice.credit}."
                if choice.credit
                else choice.name,
            )
        except (OSError, images.ImageError):
            return markup.waiting("Cette photo ne peut pas être affichée.")


def _drawn(figure: go.Figure) -> PlotData:
    """Return a figure with the settings that plotly reads beside it: no tool bar in English."""
    drawn = figure.to_plotly_json() | {"config": {"displayModeBar": False, "doubleClick": False}}
    return PlotData(type="plotly", plot=to_json_plotly(drawn))

"""The event handlers of the page: arrive, classify, compare, transform, filter."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

import plotly.graph_objects as go
from plotly.io.json import to_json_plotly

from vitrine.data import dataset
from vitrine.data.showcase import Showcase
from vitrine.report.names import model_name
from vitrine.serving.card import Words
from vitrine.serving.speech import Speech
from vitrine.serving.ui import dashboard, markup, pictures
from vitrine.serving.ui.client import Answer, Client, Model, ServiceError
from vitrine.serving.ui.offline import gradio as gr
from vitrine.serving.ui.settings import Settings
from vitrine.serving.ui.uploads import REFUSED, SENT, Uploads

PlotData = gr.components.plot.PlotData  # pyright: ignore[reportAttributeAccessIssue]

__all__ = ["Page", "PlotData", "Sample"]

SHORT = 90
"""Characters of the name of a sample, at most, in their table."""


@dataclass(frozen=True)
class Sample:
    """A photo that visitors may try.

    Attributes:
        path: Where it lies.
        name: What it is called on the page: its file, where its photos have no title.
        truth: Its class, as the data set names it; empty where the catalogue has none for it.
        credit: Who took it and its licence, where that has to be told.
    """

    path: Path
    name: str
    truth: str
    credit: str = ""

    def caption(self, say: Speech) -> str:
        """Return what is written under it."""
        return say("{name}. Photo : {credit}.", **vars(self)) if self.credit else self.name


class Page:
    """What the events of the page call.

    A photo is named by what the browser shows, never by what this server remembers: ``key`` is the
    file name of a sample or the key of a photo that was sent, ``src`` the latter's address in the
    browser, which alone can show it.

    The samples are those that the card of the model offers; of a service that is away as the page
    starts, or whose card offers none, those of the data set.

    Args:
        client: The service.
        shown: The data set.
        settings: Where the data and the note lie.
        uploads: What visitors send.

    Attributes:
        say: What speaks the language of the page.
        names: Name on screen of each class of the data set.
    """

    def __init__(
        self, client: Client, shown: Showcase, settings: Settings, uploads: Uploads
    ) -> None:
        self.client, self.settings, self.uploads = client, settings, uploads
        self.say = Speech(settings.page_language)
        self.names = dataset.current().names(settings.page_language)
        self.model: Model | None = None
        with suppress(ServiceError):  # away: the photos of the data folder are offered
            self.model = client.model()
        if self.model and self.model.offered:
            shown = shown.offering((each.image, each.label) for each in self.model.offered)
        self.shown = shown
        self.samples = {
            row.image: Sample(
                shown.path(row.image),
                (self.say(row.product_name) if shown.synthetic else row.product_name) or row.image,
                row["class"],
                row.description if shown.synthetic else "",
            )
            for _, row in shown.samples.iterrows()
        }
        self.photos = dashboard.table(shown, settings.data_dir)

    @property
    def words(self) -> Words:
        """What the photos and the classes of the model are called, as it last told."""
        return self.model.words if self.model else Words()

    @property
    def choose(self) -> str:
        """What stands for an answer where there is no photo."""
        return markup.waiting(self.say("Choisissez un exemple ou donnez une photo."))

    @property
    def first(self) -> str:
        """The sample shown on arrival; empty where there is none."""
        return next(iter(self.samples), "")

    def arrive(self, choice: object) -> tuple[object, ...]:
        """Return the head, a line on the model, and the answer for the photo shown.

        The clock ticks while the service is away, so that the page recovers whole, by itself.
        """
        try:
            self.model = model = self.client.model()
        except ServiceError as error:
            return (
                markup.intro(self.say, None, self.names, note=self._note),
                "",
                *self._failed(choice, error),
            )
        head = markup.intro(self.say, model, self.names, note=self._note)
        return head, markup.model_line(self.say, model), *self.classify(choice)

    def classify(self, choice: object) -> tuple[object, ...]:
        """Return the photo shown with its map, what was found or why nothing was, and the details.

        Then come the banner, the button and the clock of ``_watch``.
        """
        key, src = _parsed(choice)
        if not key:  # nothing to choose from, or a photo that is still coming
            skipped = gr.skip() if src else self.choose
            return gr.skip(), skipped, "", *self._watch(None)
        try:
            found = self.client.classify(self._content(key))
        except ServiceError as error:
            return self._failed(choice, error)
        said = markup.answer(self.say, found, self._truth(key), self.words)
        return (
            self.figure(key, src, found),
            said,
            markup.details(self.say, found),
            *self._watch(None),
        )

    def try_out(self) -> tuple[str, str]:
        """Return the first sample and its answer: what a check of a deployment asks for."""
        figure, said, *_ = self.classify({"key": self.first})
        return str(figure), str(said)

    def compare(self, choice: object) -> str:
        """Return what each model of the service says of a photo, side by side."""
        key, _ = _parsed(choice)
        if not key:
            return self.choose
        try:
            content = self._content(key)
            answers = [
                (self._called(each.name), self.client.classify(content, each.model))
                for each in self.client.models()
            ]
        except ServiceError as error:
            return markup.failure(self.say, error)
        return markup.compared(self.say, answers, self._truth(key), self.words)

    def transform(self, choice: object) -> str:
        """Show a sample beside what the model receives of it."""
        key, _ = _parsed(choice)
        if not key:
            return ""
        try:
            received = self.client.preprocess(self._content(key))
        except ServiceError as error:
            return markup.failure(self.say, error)
        return pictures.transformed(
            self.say,
            pictures.address(key),
            pictures.png(received),
            name=self.samples[key].name,
            side=pictures.side(received),
        )

    def figures(self, classes: list[str]) -> tuple[object, ...]:
        """Draw the photos of some classes."""
        photos = dashboard.select(self.photos, classes)
        draw: tuple[Callable[..., go.Figure], ...] = (
            dashboard.counts, dashboard.sizes, dashboard.ratios, dashboard.weights,
        )  # fmt: skip
        summary = dashboard.summary(self.say, photos, self.names)
        return summary, *(_drawn(each(self.say, photos, self.names)) for each in draw)

    def table(self) -> str:
        """Return the samples, with a small image of each."""
        return markup.samples(
            self.say,
            [
                (key, _short(sample.name), sample.truth, sample.credit or self._size(key))
                for key, sample in self.samples.items()
            ],
            self.names,
            self.words,
        )

    def gallery(self, name: str, legend: str) -> str:
        """Return the samples as a group of radio buttons, a row for the first of each class."""
        ranks: dict[str, int] = {}
        order = []
        for key, sample in self.samples.items():
            ranks[sample.truth] = ranks.get(sample.truth, -1) + 1
            order.append((ranks[sample.truth], key))
        shown = [(key, self.samples[key]) for _, key in sorted(order, key=lambda pair: pair[0])]
        options = [(key, sample.name, sample.caption(self.say)) for key, sample in shown]
        return pictures.gallery(name, legend, options, chosen=self.first)

    def _content(self, key: str) -> bytes:
        """Return a photo; only a sample is ever read from the disk.

        Raises:
            ServiceError: If it is not there.
        """
        if key.startswith((SENT, REFUSED)):
            return self.uploads.read(key)
        try:
            return self.samples[key].path.read_bytes()
        except (KeyError, OSError) as error:
            detail = self.say("La photo n’est plus là. Choisissez-en une autre.")
            title = self.say("Photo introuvable")
            raise ServiceError("photo_perdue", title, detail) from error

    @property
    def _note(self) -> bool:
        return self.settings.note_pdf is not None and self.settings.note_pdf.is_file()

    def _failed(self, choice: object, error: ServiceError) -> tuple[object, ...]:
        """Return what ``classify`` does where there is no answer; what is no photo is not shown."""
        key, src = _parsed(choice)
        return (
            self.figure(key, src if error.passing else ""),
            markup.failure(self.say, error),
            "",
            *self._watch(error),
        )

    def _watch(self, error: ServiceError | None) -> tuple[object, ...]:
        """Return the banner, the button to try again and the clock, after an answer or an error."""
        away = error is not None and error.away
        again = gr.update(visible=error is not None and error.passing)
        return markup.away(self.say) if away else "", again, gr.update(active=away)

    def _called(self, run: str) -> str:
        """Return what the model of a run is called: in English its recipe, as in the report."""
        recipe = run.partition("/")[0]
        return model_name(recipe) if self.say.french else recipe

    def _truth(self, key: str) -> str | None:
        return self.samples[key].truth if key in self.samples else None

    def figure(self, key: str, src: str = "", found: Answer | None = None) -> str:
        """Return a photo, with what counted in it once that is known; nothing without a key."""
        if not key:
            return ""
        sample = self.samples.get(key)
        if sample is None and not src:
            return markup.waiting(self.say("Cette photo n’est pas affichée."))
        return pictures.figure(
            self.say,
            pictures.address(key) if sample else src,
            alt=self.say("Photo : {name}", name=sample.name if sample else self.say("votre photo")),
            caption=sample.caption(self.say) if sample else "",
            heat=pictures.heat(found.evidence) if found else "",
            where=pictures.where(self.say, found.evidence) if found else "",
        )

    def _size(self, image: str) -> str:
        known = self.photos[self.photos.image == image]
        if known.empty:
            return self.say("inconnue")
        return f"{known.width.iloc[0]:.0f} × {known.height.iloc[0]:.0f}"


def _short(name: str) -> str:
    """Return a name, cut where it is too long to be read."""
    return shorten(name, SHORT, placeholder="…")


def _parsed(choice: object) -> tuple[str, str]:
    """Return the key of the photo that a browser shows, and its address there."""
    if not isinstance(choice, Mapping):
        return "", ""
    key, src = str(choice.get("key") or ""), str(choice.get("src") or "")
    return key, src if src.startswith("blob:") else ""


def _drawn(figure: go.Figure) -> PlotData:
    """Return a figure with the settings that plotly reads beside it: no tool bar in English."""
    drawn = figure.to_plotly_json() | {"config": {"displayModeBar": False, "doubleClick": False}}
    return PlotData(type="plotly", plot=to_json_plotly(drawn))

"""The page: two tabs, and what happens when a visitor acts."""

from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go
from plotly.io.json import to_json_plotly

from vitrine import images
from vitrine.catalog import CLASSES_FR
from vitrine.serving.ui import dashboard, markup, pictures
from vitrine.serving.ui.client import Client, Model, ServiceError
from vitrine.serving.ui.offline import gradio as gr
from vitrine.serving.ui.settings import Settings
from vitrine.showcase import DASHBOARD, SAMPLES, Showcase
from vitrine.typography import space

PlotData = gr.components.plot.PlotData

__all__ = ["TITLE", "build"]

TITLE = "Vitrine — ranger une photo de produit"
_SHOWN, _SMALL = 640, 72
"""Longest side, in pixels, of a photo on the page and of one in the table."""
_RETRY_S = 5.0
_KEPT_S = (600, 1800)
"""How often the photos sent are looked over, and how old one may be: under an hour in all."""

_SYNTHETIC = space(
    "Le jeu de photos n’est pas sur cette machine : les exemples et le tableau de bord montrent un "
    "catalogue synthétique, dessiné par du code. Vos propres photos sont classées pour de bon."
)
_MISSING = {
    DASHBOARD: space(
        "Le tableau de bord n’est pas disponible : sa table, dataset_dashboard.csv, est absente ou "
        "illisible. La classification marche sans elle."
    ),
    SAMPLES: space(
        "Les photos d’exemple ne sont pas disponibles : leur table, sampled.csv, est absente ou "
        "illisible. Vous pouvez envoyer la vôtre."
    ),
}
_CHOOSE = space("Choisissez un exemple ou envoyez une photo, puis « Classer l’image ».")
_GONE = ServiceError(
    "photo_perdue", "Photo introuvable", "La photo n’est plus là. Choisissez-la de nouveau."
)
_TO_RESULT = """() => {
  const result = document.getElementById("resultat");
  if (result && window.innerWidth < 800) result.scrollIntoView({ block: "start" });
}"""


@dataclass(frozen=True)
class Choice:
    """The photo that a visitor chose, which stays on the server.

    Attributes:
        path: Where it lies.
        name: What it is called on the page.
        truth: Its class, as the data set names it; ``None`` for a visitor's photo.
    """

    path: Path
    name: str
    truth: str | None = None


class Page:
    """What the events of the page call.

    Args:
        client: The service.
        shown: The data set.
        settings: Where the note may lie.
    """

    def __init__(self, client: Client, shown: Showcase, settings: Settings) -> None:
        self.client, self.shown, self.settings = client, shown, settings
        self.choices = {
            row.image: Choice(shown.path(row.image), row.product_name, row["class"])
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
        note = self.settings.note is not None and self.settings.note.is_file()
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
            return gr.skip(), gr.skip(), gr.skip()
        choice = self.choices[key]
        return choice, self._photo(choice), markup.waiting(_CHOOSE)

    def receive(self, path: str | None) -> tuple[object, ...]:
        """Take a visitor's photo, and leave the list of samples empty."""
        if path is None:
            return gr.skip(), gr.skip()
        return Choice(Path(path), "votre photo"), None

    def wait(self, choice: Choice | None) -> str:
        """Say at once that the photo is looked at."""
        return markup.waiting(_CHOOSE if choice is None else "Analyse en cours…")

    def classify(self, choice: Choice | None) -> tuple[object, ...]:
        """Return the photo with what counted in it, and what was found, or why nothing was."""
        untouched = (gr.skip(),) * 3
        if choice is None:
            return gr.skip(), markup.waiting(_CHOOSE), *untouched
        try:
            content = choice.path.read_bytes()
            found = self.client.classify(content)
            photo = pictures.jpeg(content, _SHOWN)
        except (OSError, images.ImageError):
            return markup.waiting("Aucune photo."), markup.failure(_GONE), *untouched
        except ServiceError as error:
            # A photo that the service refused is not opened here either.
            photo = gr.skip() if choice.truth else markup.waiting("Cette photo n’est pas affichée.")
            watched = self.watch() if error.away else untouched
            return photo, markup.failure(error), *watched
        figure = markup.figure(
            photo,
            alt=space(f"Photo : {choice.name}"),
            heat=pictures.heat(found.evidence),
            where=pictures.where(found.evidence),
        )
        return figure, markup.answer(found, choice.truth), *untouched

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
            size = self._size(choice.path.name)
            rows.append((small, choice.name, choice.truth or "", size))
        return markup.samples(rows)

    def _size(self, image: str) -> str:
        known = self.shown.photos[self.shown.photos.fichier == image]
        return f"{known.largeur.iloc[0]} × {known.hauteur.iloc[0]}" if len(known) else "inconnue"

    def _model(self) -> Model | None:
        try:
            return self.client.model()
        except ServiceError:
            return None

    def _photo(self, choice: Choice) -> str:
        try:
            return markup.figure(
                pictures.jpeg(choice.path, _SHOWN),
                alt=space(f"Photo : {choice.name}"),
                caption=choice.name,
            )
        except (OSError, images.ImageError):
            return markup.waiting("Cette photo ne peut pas être affichée.")


def build(client: Client, shown: Showcase, settings: Settings) -> gr.Blocks:
    """Return the page.

    Args:
        client: The service.
        shown: The data set.
        settings: Where the note may lie.
    """
    page = Page(client, shown, settings)
    private = {"api_visibility": "private", "show_progress": "hidden"}
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=_KEPT_S) as blocks:
        head = _html(markup.intro(None, note=False), elem_id="tete")
        banner = _html(elem_id="service")
        retry = gr.Button("Réessayer", visible=False, size="sm", elem_id="reessayer")
        clock = gr.Timer(_RETRY_S, active=False)
        if shown.synthetic:
            _html(markup.notice(_SYNTHETIC), elem_id="synthetique")
        with gr.Tabs(elem_id="onglets"):
            with gr.Tab("Classification", id="classification", elem_id="onglet-classification"):
                model_line = _classification(page, (banner, retry, clock), private)
            with gr.Tab("Tableau de bord", id="tableau", elem_id="onglet-tableau") as tab:
                _dashboard(page, tab, private)
        for event in (blocks.load, retry.click, clock.tick):
            event(page.arrive, None, [head, banner, retry, clock, model_line], **private)
    blocks.queue(default_concurrency_limit=8, max_size=64)
    return blocks


def _html(value: str = "", **options: object) -> gr.HTML:
    """Return a part of the page whose style is ours alone."""
    return gr.HTML(value, apply_default_css=False, **options)


def _samples_list(page: Page, label: str, elem_id: str) -> gr.Dropdown:
    named = [(markup.short(choice.name), key) for key, choice in page.choices.items()]
    return gr.Dropdown(named, value=page.first, label=label, elem_id=elem_id, filterable=False)


def _classification(page: Page, watched: tuple, private: dict) -> gr.HTML:
    first = page.first
    chosen = gr.State(page.choices.get(first))
    if SAMPLES in page.shown.faults:
        _html(markup.notice(_MISSING[SAMPLES]), elem_id="sans-exemples")
    with gr.Row(elem_id="classement", equal_height=False):
        with gr.Column(scale=1, min_width=260):
            samples = _samples_list(page, "Une photo d’exemple", "exemple")
            with gr.Row(elem_id="gestes"):
                go = gr.Button("Classer l’image", variant="primary", elem_id="classer")
                upload = gr.UploadButton(
                    "Envoyer ma photo", elem_id="envoyer", type="filepath",
                    file_types=[".jpg", ".jpeg", ".png", ".webp"],
                )  # fmt: skip
            photo = _html(page._photo(page.choices[first]) if first else "", elem_id="photo")
        with gr.Column(scale=1, min_width=260):
            result = _html(markup.waiting(_CHOOSE), elem_id="resultat")
            model_line = _html(elem_id="modele")
    outputs = [photo, result, *watched]
    samples.change(page.preview, samples, [chosen, photo, result], **private)
    go.click(page.wait, chosen, result, **private).then(
        page.classify, chosen, outputs, api_name="classer", show_progress="hidden"
    ).then(None, js=_TO_RESULT)
    upload.upload(page.receive, upload, [chosen, samples], **private).then(
        page.wait, chosen, result, **private
    ).then(page.classify, chosen, outputs, **private).then(None, js=_TO_RESULT)
    return model_line


def _dashboard(page: Page, tab: gr.Tab, private: dict) -> None:
    if DASHBOARD in page.shown.faults:
        _html(markup.notice(_MISSING[DASHBOARD]), elem_id="sans-tableau")
    else:
        wanted = gr.CheckboxGroup(
            [(label, name) for name, label in CLASSES_FR.items()],
            label=space("Filtrer par catégorie (aucune cochée : toutes)"), elem_id="filtre",
        )  # fmt: skip
        drawn = page.figures([])
        summary = _html(drawn[0], elem_id="resume")
        with gr.Row(elem_id="graphiques"):
            charts = [
                _chart(title, elem_id, value)
                for (title, elem_id), value in zip(_CHARTS, drawn[1:], strict=True)
            ]
        wanted.change(page.figures, wanted, [summary, *charts], **private)
    if page.choices:
        _html('<h2 class="titre-2">Une image transformée</h2>', elem_id="titre-transformee")
        key = _samples_list(page, "La photo à transformer", "exemple-transforme")
        transformed = _html(elem_id="transformee")
        for event in (tab.select, key.change):
            event(page.transform, key, transformed, **private)
        listed = f'<h2 class="titre-2">Les photos d’exemple</h2>{page.table()}'
        _html(listed, elem_id="exemples")


_CHARTS = (
    ("Photos par catégorie", "figure-nombres"),
    ("Largeur et hauteur", "figure-tailles"),
    ("Proportions", "figure-rapports"),
    ("Taille des fichiers", "figure-poids"),
)


def _chart(title: str, elem_id: str, value: PlotData) -> gr.Plot:
    with gr.Column(min_width=260, elem_classes="graphique"):
        _html(f'<h2 class="titre-2">{title}</h2>')
        return gr.Plot(value, show_label=False, container=False, elem_id=elem_id)


def _drawn(figure: go.Figure) -> PlotData:
    """Return a figure with the settings that plotly reads beside it: no tool bar in English."""
    drawn = figure.to_plotly_json() | {"config": {"displayModeBar": False, "doubleClick": False}}
    return PlotData(type="plotly", plot=to_json_plotly(drawn))

"""Lay out the page in Gradio: two tabs, their components and their events."""

from vitrine.data.catalog import CLASSES_FR
from vitrine.data.showcase import DASHBOARD, SAMPLES, Showcase
from vitrine.report.fr import space
from vitrine.serving.ui import markup
from vitrine.serving.ui.client import Client
from vitrine.serving.ui.events import CHOOSE, Page, PlotData
from vitrine.serving.ui.offline import gradio as gr
from vitrine.serving.ui.settings import Settings
from vitrine.serving.ui.uploads import Uploads

__all__ = ["TITLE", "build"]

TITLE = "Vitrine — ranger une photo de produit"
_RETRY_S = 5.0
_POLL_S = 0.05
"""Seconds between two looks of Gradio at its queue; each millisecond, it is 5 % of a core."""

_SYNTHETIC = space(
    "Le jeu de photos n’est pas sur cette machine : les exemples sont des photos libres, et le "
    "tableau de bord compte un catalogue synthétique. Vos propres photos sont classées de même."
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
_TO_RESULT = """() => {
  const result = document.getElementById("resultat");
  if (result && window.innerWidth < 800) result.scrollIntoView({ block: "start" });
}"""


def build(client: Client, shown: Showcase, settings: Settings, uploads: Uploads) -> gr.Blocks:
    """Return the page.

    Args:
        client: The service.
        shown: The data set.
        settings: Where the note may lie.
        uploads: What visitors send.
    """
    page = Page(client, shown, settings, uploads)
    private = {"api_visibility": "private", "show_progress": "hidden"}
    with gr.Blocks(title=TITLE, analytics_enabled=False) as blocks:
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
    blocks._queue.sleep_when_free = _POLL_S
    blocks._queue.progress_update_sleep_when_free = 1.0  # the page shows no progress of its own
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
                # Any file: the service says in French what Gradio would refuse in English.
                upload = gr.UploadButton("Envoyer ma photo", elem_id="envoyer")
            photo = _html(page.photo(page.choices[first]) if first else "", elem_id="photo")
        with gr.Column(scale=1, min_width=260):
            result = _html(markup.waiting(CHOOSE), elem_id="resultat")
            compare = gr.Button("Comparer les modèles", size="sm", elem_id="comparer")
            compared = _html(elem_id="comparaison")
            model_line = _html(elem_id="modele")
    outputs = [photo, result, *watched]
    samples.change(page.preview, samples, [chosen, photo, result, compared], **private)
    compare.click(page.compare, chosen, compared, **private)
    go.click(page.wait, chosen, result, **private).then(
        page.classify, chosen, outputs, api_name="classer", show_progress="hidden"
    ).then(None, js=_TO_RESULT)
    # Not preprocessed: Gradio would look on the disk for a photo that is in memory.
    upload.upload(
        page.receive, upload, [chosen, samples, compared], preprocess=False, **private
    ).then(page.wait, chosen, result, **private).then(
        page.classify, chosen, outputs, **private
    ).then(None, js=_TO_RESULT)
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

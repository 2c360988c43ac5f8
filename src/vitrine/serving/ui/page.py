"""Lay out the page in Gradio: two tabs, their components and their events."""

from importlib import resources

from vitrine.data.showcase import DASHBOARD, SAMPLES, Showcase
from vitrine.serving.speech import Speech
from vitrine.serving.ui import markup
from vitrine.serving.ui.client import Client
from vitrine.serving.ui.events import Page, PlotData
from vitrine.serving.ui.offline import gradio as gr
from vitrine.serving.ui.settings import Settings
from vitrine.serving.ui.uploads import Uploads

__all__ = ["build", "title"]

_RETRY_S = 5.0
_POLL_S = 0.05
"""Seconds between two looks of Gradio at its queue; each millisecond, it is 5 % of a core."""

_AT_ONCE = """(choice) => window.vitrine.shown(choice)"""
_TO_RESULT = """() => {
  const result = document.getElementById("resultat");
  if (result && window.innerWidth < 800) result.scrollIntoView({ block: "start" });
}"""


def title(say: Speech) -> str:
    """Return the title of the page."""
    return say("Vitrine — ranger une photo")


def build(client: Client, shown: Showcase, settings: Settings, uploads: Uploads) -> gr.Blocks:
    """Return the page.

    Args:
        client: The service.
        shown: The data set.
        settings: Where the note may lie, and what the page speaks.
        uploads: What visitors send.
    """
    page = Page(client, shown, settings, uploads)
    shown, say = page.shown, page.say
    private = {"api_visibility": "private", "show_progress": "hidden"}
    with gr.Blocks(title=title(say), analytics_enabled=False) as blocks:
        head = _html(markup.intro(say, page.model, page.names, note=False), elem_id="tete")
        banner = _html(elem_id="service")
        clock = gr.Timer(_RETRY_S, active=False)
        if shown.synthetic:
            drawn = say(
                "Le jeu de photos n’est pas sur cette machine : les exemples sont des photos "
                "libres, et le tableau de bord compte un catalogue synthétique. Vos propres photos "
                "sont classées de même."
            )
            _html(markup.notice(drawn), elem_id="synthetique")
        with gr.Tabs(elem_id="onglets"):
            with gr.Tab(
                say("Classification"), id="classification", elem_id="onglet-classification"
            ):
                choice, retry, model_line, outputs = _classification(page, (banner, clock), private)
            with gr.Tab(say("Tableau de bord"), id="tableau", elem_id="onglet-tableau") as tab:
                _dashboard(page, tab, private)
        for event in (blocks.load, retry.click, clock.tick):
            event(page.arrive, choice, [head, model_line, *outputs], **private)
        gr.api(page.try_out, api_name="classer")
    blocks.queue(default_concurrency_limit=8, max_size=64)
    blocks._queue.sleep_when_free = _POLL_S
    blocks._queue.progress_update_sleep_when_free = 1.0  # the page shows no progress of its own
    return blocks


def _html(value: str = "", **options: object) -> gr.HTML:
    """Return a part of the page whose style is ours alone."""
    return gr.HTML(value, apply_default_css=False, **options)


def _gallery(page: Page, name: str, legend: str, more: str = "", **options: object) -> gr.HTML:
    """Return the samples to choose from; its value tells which photo the browser shows.

    The names of photos are in a property, which Gradio writes as it is: what stands in its
    template would be run as code.
    """
    static = resources.files("vitrine.serving.ui")
    return gr.HTML(
        {"key": page.first}, html_template="${photos}", photos=page.gallery(name, legend) + more,
        js_on_load=(static / "gallery.js").read_text(encoding="utf-8"), apply_default_css=False,
        **options,
    )  # fmt: skip


def _classification(page: Page, watched: tuple, private: dict) -> tuple:
    """Lay out the first tab; return its choice, its button, its line on the model, its outputs."""
    (banner, clock), say = watched, page.say
    if not page.samples:
        told = (
            say(
                "Les photos d’exemple ne sont pas disponibles : leur liste est absente ou "
                "illisible. Vous pouvez envoyer la vôtre."
            )
            if SAMPLES in page.shown.faults
            else say(
                "Les photos d’exemple du modèle ne sont pas sur cette machine. Vous pouvez envoyer "
                "la vôtre."
            )
        )
        _html(markup.notice(told), elem_id="sans-exemples")
    with gr.Row(elem_id="classement", equal_height=False):
        with gr.Column(scale=1, min_width=260):
            choice = _gallery(
                page, "exemple", say("Une photo d’exemple"), _drop(say), most=page.uploads.most,
                elem_id="choix",
            )  # fmt: skip
            photo = _html(page.figure(page.first), elem_id="photo")
        with gr.Column(scale=1, min_width=260):
            result = _html(page.choose, elem_id="resultat")
            retry = gr.Button(say("Réessayer"), visible=False, size="sm", elem_id="reessayer")
            with gr.Accordion(say("Détails"), open=False, elem_id="details"):
                details = _html(elem_id="reponse")
                model_line = _html(elem_id="modele")
                compare = gr.Button(say("Comparer les modèles"), size="sm", elem_id="comparer")
                compared = _html(elem_id="comparaison")
    outputs = [photo, result, details, banner, retry, clock]
    choice.change(None, choice, [photo, result, details, compared], js=_AT_ONCE)
    choice.change(
        page.classify, choice, outputs, trigger_mode="always_last", **private
    ).then(None, js=_TO_RESULT)  # fmt: skip
    compare.click(page.compare, choice, compared, **private)
    return choice, retry, model_line, outputs


def _drop(say: Speech) -> str:
    """Return the zone that takes a photo of the visitor's."""
    told = say("<strong>Envoyer ma photo</strong> ou la déposer ici, ou la coller")
    return (
        '<label class="depot"><input type="file" accept=".jpg,.jpeg,.png,.webp">'
        f"<span>{told}</span></label>"
    )


def _dashboard(page: Page, tab: gr.Tab, private: dict) -> None:
    say = page.say
    if DASHBOARD in page.shown.faults:
        told = say(
            "Le tableau de bord n’est pas disponible : la liste des photos est absente ou "
            "illisible. La classification marche sans elle."
        )
        _html(markup.notice(told), elem_id="sans-tableau")
    else:
        wanted = gr.CheckboxGroup(
            [(label, name) for name, label in page.names.items()],
            label=say("Filtrer par catégorie (aucune cochée : toutes)"), elem_id="filtre",
        )  # fmt: skip
        titles = (
            (say("Photos par catégorie"), "figure-nombres"),
            (say("Largeur et hauteur"), "figure-tailles"),
            (say("Proportions"), "figure-rapports"),
            (say("Taille des fichiers"), "figure-poids"),
        )
        drawn = page.figures([])
        summary = _html(drawn[0], elem_id="resume")
        with gr.Row(elem_id="graphiques"):
            charts = [
                _chart(title, elem_id, value)
                for (title, elem_id), value in zip(titles, drawn[1:], strict=True)
            ]
        wanted.change(page.figures, wanted, [summary, *charts], **private)
        _html(f'<button type="button" id="parcourir">{say("Parcourir les photos")}</button>')
    if page.samples:
        changed = f'<h2 class="titre-2">{say("Une image transformée")}</h2>'
        _html(changed, elem_id="titre-transformee")
        legend = say("La photo à transformer")
        key = _gallery(page, "transformer", legend, elem_id="choix-transforme")
        transformed = _html(elem_id="transformee")
        for event in (tab.select, key.change):
            event(page.transform, key, transformed, **private)
        listed = f'<h2 class="titre-2">{say("Les photos d’exemple")}</h2>{page.table()}'
        _html(listed, elem_id="exemples")


def _chart(title: str, elem_id: str, value: PlotData) -> gr.Plot:
    with gr.Column(min_width=260, elem_classes="graphique"):
        _html(f'<h2 class="titre-2">{title}</h2>')
        return gr.Plot(value, show_label=False, container=False, elem_id=elem_id)

"""The page in a real browser: a visitor's gestures, by mouse and by keyboard, wide and narrow."""

import os
import re
from pathlib import Path

import pytest
from pictures import plain

import reader_fonts

pytestmark = [
    pytest.mark.browser,
    # Gradio uses what pandas is about to drop.
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]
VIEWS = [("light", 1280), ("dark", 390), ("light", 320)]
SCREENSHOTS = os.environ.get("VITRINE_SCREENSHOTS", "")
"""Folder for pictures of the page, which the workflow keeps; empty takes none."""


@pytest.fixture
def visit(browser, ui_url):
    """Open the page; what it asks outside or complains of is a fault at the end of the test."""
    faults, contexts = [], []

    def open_page(theme="light", width=1280, opened=browser, url=ui_url, locale="fr-FR"):
        context = opened.new_context(
            color_scheme=theme, viewport={"width": width, "height": 900}, locale=locale,
            reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(30_000)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: faults.append(str(error)))
        inside = (url, "data:", "blob:")
        tab.on("request", lambda r: None if r.url.startswith(inside) else faults.append(r.url))
        tab.goto(url)
        tab.wait_for_selector("#tete .bouton-lien")  # the head comes with the first event
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def french(text):
    """Return a text with plain spaces."""
    return re.sub("[\u00a0\u202f]", " ", text)


def faults_of(tab, where):
    """Return what axe-core finds, every rule, and whether the page is too wide."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(tab, options={"preload": False}).response["violations"]
    faults = [(where, f["id"], [" ".join(n["target"]) for n in f["nodes"]][:3]) for f in found]
    if tab.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        faults.append((where, "wider than the screen"))
    return faults


def picture(tab, name):
    """Take a picture of the whole page, where somebody asks for it."""
    if SCREENSHOTS:
        width = tab.viewport_size["width"]
        tab.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}.png", full_page=True)


def classify(tab):
    """Wait for the class of the photo shown on arrival, lay its map over it, open the details."""
    tab.wait_for_selector("#resultat .carte")
    tab.check("#voir-carte")
    tab.click("#details button")
    tab.click("#comparer")
    tab.wait_for_selector("#comparaison tbody tr:nth-child(3)")  # the served one and the package's


def open_dashboard(tab):
    """Open the second tab, its table of values too."""
    tab.click("#onglet-tableau-button")
    tab.wait_for_selector("#transformee img")
    tab.wait_for_selector("#figure-poids .main-svg")
    tab.click("summary:has-text('Les valeurs des graphiques')")


@pytest.mark.parametrize(("theme", "width"), VIEWS)
def test_both_tabs_are_accessible_and_fit_the_screen(visit, theme, width):
    tab = visit(theme, width)

    classify(tab)
    picture(tab, "classification")
    faults = faults_of(tab, "classification")
    open_dashboard(tab)
    picture(tab, "tableau-de-bord")
    faults += faults_of(tab, "tableau de bord")

    assert faults == []
    assert tab.title() == "Vitrine — ranger une photo"
    assert tab.locator("h1").count() == 1
    names = tab.eval_on_selector_all(
        ".js-plotly-plot", "plots => plots.map(p => [p.role, p.ariaLabel.split('\\u00a0: ')[0]])"
    )
    assert names == [
        ["img", "Photos par catégorie"], ["img", "Largeur et hauteur"], ["img", "Proportions"],
        ["img", "Taille des fichiers"],
    ]  # fmt: skip


def test_an_english_page_is_accessible_and_says_all_in_english(visit, page_at):
    with page_at(page_language="en") as url:
        tab = visit(width=390, url=url)
        tab.click("#choix label >> nth=1")
        tab.wait_for_selector("#resultat .avis:has-text('Beauty and Personal Care')")
        alt = tab.get_attribute("#photo .photo", "alt")
        faults = faults_of(tab, "classification")
        tab.click("#onglet-tableau-button")
        tab.wait_for_selector("#transformee img")
        tab.wait_for_selector("#figure-poids .main-svg")
        picture(tab, "dashboard-english")
        faults += faults_of(tab, "dashboard")
        tab.click("#parcourir")
        tab.wait_for_selector("#apercu figcaption:has-text('(photo 1 of 70)')")
        lang = tab.evaluate("document.documentElement.lang")
        names = tab.eval_on_selector_all(".js-plotly-plot", "plots => plots.map(p => p.ariaLabel)")

    assert faults == [] and lang == "en" and alt.startswith("Photo: ")
    assert names[0] == "Photos by class: the values are in the table above."


@pytest.mark.parametrize("width", [320, 390])
def test_the_names_of_the_classes_are_read_beside_their_bars_in_any_browser(visit, width):
    tab = visit(width=width, locale="en-GB")
    tab.wait_for_selector("#resultat .barres")

    lang = tab.evaluate("document.documentElement.lang")
    sizes = tab.eval_on_selector_all(
        ".barres th[scope=row]", "cells => cells.map(c => [c.offsetWidth, c.offsetHeight])"
    )

    assert lang == "fr"  # whatever the browser's
    assert len(sizes) == 7
    assert all(wide > 100 and high < 80 for wide, high in sizes)  # not a letter a line


@pytest.mark.parametrize("family", reader_fonts.FAMILIES)
def test_both_tabs_fit_a_narrow_screen_with_any_fonts(visit, browser, tmp_path, family):
    opened = reader_fonts.launch(browser, family, tmp_path)
    tab = visit(width=320, opened=opened)
    widths = []

    def measure(name):
        picture(tab, f"{name}-{family}")
        widths.append(tab.evaluate("document.documentElement.scrollWidth"))

    classify(tab)
    measure("classification")
    open_dashboard(tab)
    measure("tableau-de-bord")
    tab.add_style_tag(content=reader_fonts.SPACED)
    measure("tableau-de-bord-espace")
    tab.click("#onglet-classification-button")
    measure("classification-espace")
    painted = reader_fonts.families(tab, "h1, p, th, summary, button")
    opened.close()

    assert widths == [320] * 4
    assert painted == {family}


def test_the_keyboard_alone_chooses_classes_and_filters(visit):
    tab = visit()

    def until(name, key="Tab"):
        for _ in range(40):
            tab.keyboard.press(key)
            focused = tab.evaluate(
                """() => { const f = document.activeElement;
                  const label = f.labels?.[0];
                  const s = getComputedStyle(label?.matches("#choix label") ? label : f);
                  const name = f.ariaLabel || label?.title || label?.innerText || f.innerText || "";
                  return [name.trim(), s.outlineStyle !== "none" || s.boxShadow !== "none"]; }"""
            )
            if name in focused[0]:
                assert focused[1], f"nothing shows that {name} has the focus"
                return
        raise AssertionError(f"the keyboard does not reach {name}")

    tab.wait_for_selector("#resultat .carte")
    until("Robe")
    tab.keyboard.press("m")  # a letter chooses nothing and loses nothing
    tab.keyboard.press("Escape")
    tab.keyboard.press("ArrowRight")
    tab.wait_for_selector("#resultat .avis:has-text('Beauté et soins')")
    until("Envoyer ma photo")

    assert tab.get_attribute("#choix :checked", "value") in tab.get_attribute("#photo img", "src")
    assert "Catégorie proposée" not in tab.inner_text("#annonce")  # only what is new is said
    assert "Probabilité" in tab.inner_text("#annonce")

    until("Tableau de bord", "Shift+Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#transformee img")  # the tab has all its parts
    until("Montres")
    tab.keyboard.press("Space")
    tab.wait_for_function("document.querySelector('#resume').innerText.startsWith('10 photos')")

    rows = "[...document.querySelectorAll('#figure-nombres .ytick')].length"
    tab.wait_for_function(f"{rows} === 7")
    until("Parcourir les photos")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#apercu[open]")
    until("Suivante")
    tab.keyboard.press("Enter")
    tab.wait_for_function("document.querySelector('#apercu img').naturalWidth > 0")
    assert "Montres" in tab.inner_text("#apercu") and "photo 2 sur 10" in tab.inner_text("#apercu")
    for _ in range(2):  # from the first to the last
        tab.click("#apercu button:has-text('Précédente')")
    assert "photo 10 sur 10" in tab.inner_text("#apercu")
    tab.keyboard.press("Escape")
    assert not tab.is_visible("#apercu")


def test_photos_asked_for_before_their_figure_is_drawn_are_shown_once_it_is(visit):
    tab = visit()
    tab.get_by_role("tab", name="Tableau de bord").click()
    plot = "#figure-tailles .js-plotly-plot"
    tab.wait_for_selector(plot)
    tab.evaluate(f"(drawn = document.querySelector('{plot}')).classList.remove('js-plotly-plot')")

    tab.click("#parcourir")
    tab.wait_for_timeout(300)
    assert not tab.is_visible("#apercu")
    tab.evaluate("drawn.classList.add('js-plotly-plot')")

    tab.wait_for_selector("#apercu[open]")


IN_SIGHT = """() => {
  const title = document.querySelector("#resultat h2").getBoundingClientRect();
  return title.top >= 0 && title.bottom <= window.innerHeight;
}"""


def test_a_photo_is_sent_and_a_file_that_is_none_is_refused_in_french(visit, tmp_path):
    tab = visit(width=390)
    (tmp_path / "bonne.jpg").write_bytes(plain("blue"))
    (tmp_path / "fausse.jpg").write_text("<script>alert(1)</script>")

    def send(name):
        with tab.expect_file_chooser() as chooser:
            tab.click("#choix .depot")
        chooser.value.set_files(tmp_path / name)

    send("bonne.jpg")
    tab.wait_for_selector("#resultat h2:has-text('Informatique')")
    shares = french(tab.inner_text("#resultat .barres tbody"))
    alt = tab.get_attribute("#photo .photo", "alt")
    tab.wait_for_function(IN_SIGHT)
    assert tab.locator("#choix :checked").count() == 0
    send("fausse.jpg")
    tab.wait_for_selector("#resultat .echec")

    assert alt == "Photo\u00a0: votre photo"
    assert len(re.findall(r"\d,\d %", shares)) == 7
    refused = french(tab.inner_text("#resultat"))
    assert "Format non pris en charge" in refused and "Convertissez le fichier" in refused
    assert tab.locator("#photo img").count() == 0


PASTE = """(bytes) => {
  const given = new DataTransfer();
  given.items.add(new File([new Uint8Array(bytes)], "collee.jpg", { type: "image/jpeg" }));
  const event = new ClipboardEvent("paste", { clipboardData: given, bubbles: true });
  document.body.dispatchEvent(event);
}"""
DROP = """(bytes) => {
  const given = new DataTransfer();
  given.items.add(new File([new Uint8Array(bytes)], "deposee.jpg", { type: "image/jpeg" }));
  const drop = document.querySelector("#choix .depot");
  for (const type of ["dragover", "drop"]) {
    const options = { dataTransfer: given, bubbles: true, cancelable: true };
    const kept = drop.dispatchEvent(new DragEvent(type, options));
    if (kept) throw new Error(`the browser would open the file itself: ${type}`);
    const lit = drop.classList.contains("dessus");
    if (lit !== (type === "dragover")) throw new Error(`the zone shows the wrong thing: ${type}`);
  }
}"""


@pytest.mark.parametrize("gesture", [PASTE, DROP], ids=["pasted", "dropped"])
def test_a_photo_is_pasted_or_dropped(visit, gesture):
    tab = visit()
    tab.wait_for_selector("#resultat .carte")

    tab.evaluate(gesture, list(plain("blue")))

    tab.wait_for_selector("#photo img[src^='blob:']")
    tab.wait_for_selector("#resultat h2:has-text('Informatique')")
    assert tab.locator("#resultat .avis:has-text('Catégorie du catalogue')").count() == 0


def test_an_upload_that_ends_after_another_choice_changes_nothing(visit, tmp_path):
    (tmp_path / "bonne.jpg").write_bytes(plain("blue"))
    tab, held = visit(), []
    tab.wait_for_selector("#resultat .carte")
    tab.route("**/envoi", lambda route: held.append(route))

    tab.set_input_files("#choix input[type=file]", tmp_path / "bonne.jpg")
    tab.wait_for_selector("#resultat .occupe:has-text('Envoi en cours')")
    tab.click("#choix label >> nth=1")
    tab.wait_for_selector("#resultat .avis:has-text('Beauté et soins')")
    with tab.expect_response("**/envoi"):
        held[0].continue_()
    tab.wait_for_timeout(500)

    assert tab.locator("#resultat .avis:has-text('Beauté et soins')").count() == 1
    assert not tab.get_attribute("#photo img", "src").startswith("blob:")


def test_a_photo_that_is_pasted_on_the_dashboard_is_not_sent(visit):
    tab, sent = visit(), []
    tab.wait_for_selector("#resultat .carte")
    tab.route("**/envoi", lambda route: sent.append(route) or route.abort())
    open_dashboard(tab)

    tab.evaluate(PASTE, list(plain("blue")))
    tab.wait_for_timeout(300)

    assert sent == []


def test_a_photo_is_shown_at_once_while_the_service_looks_at_it(visit):
    tab = visit()
    tab.wait_for_selector("#resultat .carte")
    held = []
    tab.route("**/queue/join*", lambda route: held.append(route))

    tab.click("#choix label >> nth=2")
    tab.wait_for_selector("#resultat .occupe:has-text('Analyse en cours')")
    chosen = tab.get_attribute("#choix :checked", "value")
    shown = tab.get_attribute("#photo .photo", "src")
    tab.wait_for_timeout(200)
    for route in held:
        route.continue_()
    tab.unroute("**/queue/join*")

    assert chosen in shown
    tab.wait_for_selector("#resultat h2")


def test_after_a_restart_the_photo_shown_is_classed_or_told_to_be_gone(visit, page_at, tmp_path):
    (tmp_path / "bonne.jpg").write_bytes(plain("blue"))
    with page_at() as url:
        tab = visit(url=url)
        tab.set_input_files("#choix input[type=file]", tmp_path / "bonne.jpg")
        tab.wait_for_selector("#resultat h2:has-text('Informatique')")
        tab.click("#details button")
    with page_at(int(url.rpartition(":")[2])):
        tab.click("#comparer")
        tab.wait_for_selector("#comparaison h2:has-text('Photo introuvable')")
        tab.click("#choix label >> nth=1")
        tab.wait_for_selector("#resultat .avis:has-text('Beauté et soins')")


def test_a_file_that_is_no_photo_or_too_large_is_refused_in_french(visit, tmp_path):
    tab = visit()
    (tmp_path / "mobile.gif").write_bytes(plain("blue", form="GIF"))
    (tmp_path / "enorme.jpg").write_bytes(plain("blue") + b"\0" * 31_000_000)

    sent = []
    tab.on("request", lambda asked: sent.append(asked.url) if "envoi" in asked.url else None)

    def refusal(name, title):
        tab.set_input_files("#choix input[type=file]", tmp_path / name)
        tab.wait_for_selector(f"#resultat .echec h2:has-text('{title}')", timeout=120_000)
        return french(tab.inner_text("#resultat"))

    assert "JPEG, PNG ou WebP" in refusal("mobile.gif", "Format non pris en charge")
    assert "au plus 13 Mo" in refusal("enorme.jpg", "Fichier trop volumineux")
    assert len(sent) == 1  # a file that is too large stays where it is
    assert tab.get_attribute("#choix input[type=file]", "accept") == ".jpg,.jpeg,.png,.webp"
    assert tab.locator(".toast-body").count() == 0


def test_a_click_on_a_point_of_the_figure_of_sizes_opens_its_photo(visit):
    tab = visit()
    open_dashboard(tab)
    points = tab.locator("#figure-tailles .scatterlayer .trace:last-child .point")
    points.last.scroll_into_view_if_needed()
    box = points.last.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    tab.mouse.move(x - 1, y)
    tab.mouse.move(x, y)
    tab.wait_for_selector("#figure-tailles .hovertext", state="attached")
    tab.mouse.click(x, y)

    tab.wait_for_function("document.querySelector('#apercu img')?.naturalWidth > 0")
    assert re.search("Montres, .* pixels", french(tab.inner_text("#apercu")))
    tab.click("#apercu button:has-text('Fermer')")
    assert not tab.is_visible("#apercu")
    tab.route("**/photos/photo/*", lambda route: route.fulfill(status=200, body="no photo"))
    tab.click("#parcourir")
    tab.wait_for_selector("#apercu figcaption:has-text('pas sur cette machine')")
    tab.mouse.click(2, 2)  # outside of the dialog
    assert not tab.is_visible("#apercu")


def test_a_product_name_is_text_and_the_map_is_laid_on_demand(visit):
    tab = visit()

    alt = tab.get_attribute("#photo .photo", "alt")
    assert french(alt) == "Photo : Robe <b>d’essai</b> & fils"
    assert tab.locator("#photo b").count() == 0
    laid = tab.wait_for_selector("#photo .carte-chaleur", state="attached")
    assert not laid.is_visible()
    tab.check("#voir-carte")
    photo = tab.query_selector("#photo .photo")
    assert laid.bounding_box() == photo.bounding_box()


def test_the_page_tells_that_the_service_is_away_and_recovers_by_itself(visit, service):
    service.away = True
    try:
        tab = visit()
        tab.wait_for_selector("#service .alerte")
        tab.wait_for_selector("#resultat .echec")
        said = tab.inner_text("#resultat")
        assert tab.is_visible("#reessayer")
    finally:
        service.away = False
    tab.wait_for_selector("#service .alerte", state="detached")
    head = french(tab.inner_text("#tete"))

    assert "Le service de classement" in said and "10 photos jamais vues" in head
    tab.wait_for_selector("#resultat .barres")
    assert not tab.is_visible("#reessayer")

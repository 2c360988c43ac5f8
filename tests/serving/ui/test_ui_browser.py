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

    def open_page(theme="light", width=1280, opened=browser):
        context = opened.new_context(
            color_scheme=theme, viewport={"width": width, "height": 900}, locale="fr-FR",
            reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(30_000)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: faults.append(str(error)))
        inside = (ui_url, "data:", "blob:")
        tab.on("request", lambda r: None if r.url.startswith(inside) else faults.append(r.url))
        tab.goto(ui_url)
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
    """Ask for the class of the first photo, and wait for its answer and its map."""
    tab.click("#classer")
    tab.wait_for_selector("#resultat .carte")
    tab.wait_for_selector("#photo .carte-chaleur")
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
    assert tab.title() == "Vitrine — ranger une photo de produit"
    assert tab.locator("h1").count() == 1
    names = tab.eval_on_selector_all(
        ".js-plotly-plot", "plots => plots.map(p => [p.role, p.ariaLabel.split('\\u00a0: ')[0]])"
    )
    assert names == [
        ["img", "Photos par catégorie"], ["img", "Largeur et hauteur"], ["img", "Proportions"],
        ["img", "Taille des fichiers"],
    ]  # fmt: skip


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
                """() => { const f = document.activeElement; const s = getComputedStyle(f);
                  const name = f.ariaLabel || f.labels?.[0]?.innerText || f.innerText || "";
                  return [name.trim(), s.outlineStyle !== "none" || s.boxShadow !== "none"]; }"""
            )
            if name in focused[0]:
                assert focused[1], f"nothing shows that {name} has the focus"
                return
        raise AssertionError(f"the keyboard does not reach {name}")

    until("Une photo d’exemple")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_function("document.querySelector('#photo .photo').alt.includes('bottle')")
    until("Classer l’image")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#resultat .carte")

    assert "Catégorie du catalogue : Puériculture" in french(tab.inner_text("#resultat"))
    assert "Catégorie proposée" not in tab.inner_text("#annonce")  # only what is new is said
    assert "Probabilité" in tab.inner_text("#annonce")

    until("Tableau de bord", "Shift+Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#transformee img")  # the tab has all its parts
    until("Montres")
    tab.keyboard.press("Space")
    tab.wait_for_function("document.querySelector('#resume').innerText.startsWith('10 photos')")

    tab.wait_for_function("document.querySelectorAll('#figure-nombres .bars .point').length === 1")


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
            tab.click("#envoyer")
        chooser.value.set_files(tmp_path / name)

    send("bonne.jpg")
    tab.wait_for_selector("#resultat h2:has-text('Informatique')")
    shares = french(tab.inner_text("#resultat .barres tbody"))
    alt = tab.get_attribute("#photo .photo", "alt")
    tab.wait_for_function(IN_SIGHT)
    send("fausse.jpg")
    tab.wait_for_selector("#resultat .echec")

    assert alt == "Photo\u00a0: votre photo"
    assert len(re.findall(r"\d,\d %", shares)) == 7
    refused = french(tab.inner_text("#resultat"))
    assert "Format non pris en charge" in refused and "Convertissez le fichier" in refused
    assert tab.locator("#photo img").count() == 0


def test_a_photo_that_was_sent_is_classed_again_though_no_disk_holds_it(visit, tmp_path):
    tab = visit()
    (tmp_path / "bonne.jpg").write_bytes(plain("blue"))
    tab.set_input_files("#gestes input[type=file]", tmp_path / "bonne.jpg")
    former = tab.wait_for_selector("#resultat h2:has-text('Informatique')")
    former.evaluate("title => title.dataset.ancien = 1")

    tab.click("#classer")

    tab.wait_for_selector("#resultat h2:not([data-ancien]):has-text('Informatique')")


def test_a_file_that_gradio_would_refuse_in_english_or_in_silence_is_refused_in_french(
    visit, tmp_path
):
    tab = visit()
    (tmp_path / "mobile.gif").write_bytes(plain("blue", form="GIF"))
    (tmp_path / "enorme.jpg").write_bytes(plain("blue") + b"\0" * 31_000_000)

    def refusal(name, title):
        tab.set_input_files("#gestes input[type=file]", tmp_path / name)
        tab.wait_for_selector(f"#resultat .echec h2:has-text('{title}')", timeout=120_000)
        return french(tab.inner_text("#resultat"))

    assert "JPEG, PNG ou WebP" in refusal("mobile.gif", "Format non pris en charge")
    assert "au plus 13 Mo" in refusal("enorme.jpg", "Fichier trop volumineux")
    assert tab.get_attribute("#gestes input[type=file]", "accept") == ".jpg,.jpeg,.png,.webp"
    assert tab.locator(".toast-body").count() == 0


def test_a_product_name_is_text_and_the_map_can_be_taken_off(visit):
    tab = visit()

    alt = tab.get_attribute("#photo .photo", "alt")
    assert french(alt) == "Photo : Robe <b>d’essai</b> & fils"
    assert tab.locator("#photo b").count() == 0
    tab.click("#classer")
    laid = tab.wait_for_selector("#photo .carte-chaleur")
    photo = tab.query_selector("#photo .photo")
    assert laid.bounding_box() == photo.bounding_box()
    tab.uncheck("#voir-carte")
    assert not laid.is_visible()


def test_the_page_tells_that_the_service_is_away_and_recovers_by_itself(visit, service):
    service.away = True
    try:
        tab = visit()
        tab.wait_for_selector("#service .alerte")
        tab.click("#classer")
        tab.wait_for_selector("#resultat .echec")
        said = tab.inner_text("#resultat")
        assert tab.is_visible("#reessayer")
    finally:
        service.away = False
    tab.wait_for_selector("#service .alerte", state="detached")
    head = french(tab.inner_text("#tete"))

    tab.click("#classer")

    assert "Le service de classement" in said and "10 photos jamais vues" in head
    tab.wait_for_selector("#resultat .barres")
    assert not tab.is_visible("#reessayer")

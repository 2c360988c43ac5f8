"""The slides need nothing but a browser, can be followed without a mouse, and obey the ledger."""

import copy
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from vitrine.book import checks, ledger_view, slides
from vitrine.book.drawings import SCREEN
from vitrine.book.illustrations import ILLUSTRATIONS

TRACKED = ledger_view.read_ledger()


@pytest.fixture
def ledger():
    return copy.deepcopy(TRACKED)


class Outline(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.sections, self.headings, self.loads = [], [], []
        self.pictures = 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "section":
            self.sections.append(given["id"])
        if tag in ("h1", "h2", "h3"):
            self.headings.append((tag, given.get("tabindex"), len(self.sections)))
        inside = given.get("src", "").startswith("data:")
        if tag in ("link", "iframe") or ("src" in given and not inside):
            self.loads.append(tag)
        self.pictures += tag == "img" and inside


def test_seventeen_slides_each_have_one_heading_that_takes_the_focus(ledger):
    page = slides.page(ledger)

    outline = Outline(page)
    assert len(set(outline.sections)) == 17
    first, *titles = outline.headings
    assert first == ("h1", None, 0)
    assert titles == [("h2", "-1", rank) for rank in range(1, 18)]


def test_one_file_holds_everything_and_passes_the_checks_of_the_book(ledger, tmp_path):
    page = slides.page(ledger)
    (tmp_path / "slides.html").write_text(page)

    checks.check_html(tmp_path)

    assert Outline(page).loads == []
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "@import" not in page and "prefers-color-scheme: dark" in page and "@media print" in page


def test_a_drawing_keeps_its_numbers_and_the_prose_its_french_spaces(ledger):
    page = slides.page(ledger)

    drawing = re.search(r"<svg.*?</svg>", page, re.DOTALL)[0]
    assert 'viewBox="0 0 640 ' in drawing
    assert "ranger nos photos\N{NARROW NO-BREAK SPACE}?" in page
    assert " ?<" not in page


def test_numbers_follow_the_ledger_and_say_where_they_come_from(ledger):
    ledger["values"]["data.test"] |= {"value": 4321.0}
    best = ledger_view.LedgerView(ledger).recipes()[0]

    page = slides.page(ledger)

    assert "4\N{NARROW NO-BREAK SPACE}321" in page and ">158<" not in page
    assert f"exécution : {best}/seed-" in page or f"exécutions : {best}/seed-" in page


def test_the_surest_photos_are_set_beside_all_the_photos_of_the_same_run(ledger):
    story = ledger_view.LedgerView(ledger)

    rows = ILLUSTRATIONS["answered"](story, SCREEN).rows

    runs = [story.entry(key)["runs"] for _, key in rows]
    assert len(runs) > 6
    assert runs[::2] == runs[1::2]
    assert all(len(names) == 1 for names in runs)


def test_the_answer_tells_of_the_equal_start_once_it_is_measured(ledger):
    told = "le même départ ne les départage pas"
    ledger["verdicts"]["equal_images"] = {"state": "undecided", "text": told, "expression": "…"}
    with_it = slides.page(ledger)
    del ledger["verdicts"]["equal_images"]

    assert "Le même départ ne les départage pas" in with_it
    assert "les mêmes images ?" not in slides.page(ledger).replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_what_is_not_measured_is_said_not_to_be(ledger):
    ledger["values"] = {
        key: value for key, value in ledger["values"].items() if key.startswith("data.")
    }
    ledger["verdicts"] = {}

    page = slides.page(ledger)

    assert "Aucune note n’est encore publiée" in page
    assert "pas encore de duel de MambaVision" in page
    assert "<svg" not in page


def test_the_recommended_model_and_what_it_answers_for_free_pictures_are_shown(ledger):
    page = slides.page(ledger).replace("\N{NARROW NO-BREAK SPACE}", " ")

    photos = [ledger["values"][f"pictures.{kind}"]["value"] for kind in ("products", "others")]
    assert Outline(page).pictures == sum(photos)
    assert 'alt="Tasse de café"> répond «' in page.replace("\N{NO-BREAK SPACE}", " ")
    for key in ("oof.efficientnet-lite0-torch.accuracy", "recommended.coverage"):
        value = ledger["values"][key]["value"]
        assert (
            page.split('id="deployer"')[1].split("</section>")[0].count(f'value="{value!r}"') == 1
        )


def test_the_book_is_linked_only_where_there_is_one(ledger):
    assert 'href="page.html"' in slides.page(ledger, book="page.html")
    assert "href" not in slides.page(ledger)


@pytest.mark.browser
def test_keys_lead_from_slide_to_slide_and_paper_shows_them_all(ledger, tmp_path, browser):
    file = tmp_path / "slides.html"
    file.write_text(slides.page(ledger))
    visible = "[...document.querySelectorAll('section')].filter(s => s.offsetParent).length"

    page = browser.new_page(viewport={"width": 360, "height": 640})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    for key in ("ArrowRight", "PageDown", "ArrowLeft", "End"):
        page.keyboard.press(key)
    focus = page.evaluate("document.activeElement.textContent")
    place, alone = page.url.rpartition("#")[2], page.evaluate(visible)
    page.keyboard.press("Home")
    widest = []
    for _ in range(17):
        widest.append(page.evaluate("document.documentElement.scrollWidth"))
        page.keyboard.press("ArrowRight")
    page.set_viewport_size({"width": 1280, "height": 720})  # of a projector
    highest = []
    for _ in range(17):
        highest.append(page.evaluate("document.documentElement.scrollHeight"))
        page.keyboard.press("ArrowLeft")
    page.emulate_media(media="print")
    printed = page.evaluate(visible)
    page.close()

    assert (place, focus, alone) == ("retenir", "À retenir", 1)
    assert printed == 17
    assert max(widest) <= 360
    assert max(highest) <= 720
    assert asked == [file.as_uri()]


def test_a_page_that_links_them_has_them_made_beside_it(ledger, miniature):
    root = miniature.root
    miniature.write("runs/ledger.json", json.dumps(ledger))
    miniature.write("pages/page.md", "# Titre\n\n{emporter}`note`, {emporter}`la suite <slides>`\n")
    miniature.write("pages/other.md", "---\norphan: true\n---\n\n# Autre\n\n{emporter}`video`\n")
    miniature.write(
        "conf.py",
        "root_doc = 'pages/page'\nexclude_patterns = ['notebooks']\n"
        "extensions = ['myst_parser', 'vitrine.book.roles', 'vitrine.book.downloads']\n",
    )

    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-n", ".", "out"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip

    html = (root / "out" / "pages" / "page.html").read_text()
    assert 'href="../note.pdf"' in html and ">la note technique (PDF)<" in html
    assert 'href="../slides.html"' in html and ">la suite<" in html
    assert (root / "out" / "note.pdf").read_bytes().startswith(b"%PDF")
    assert 'href="pages/page.html"' in (root / "out" / "slides.html").read_text()
    (complaint,) = done.stderr.strip().splitlines()
    assert "expected one of note, slides, found 'video'" in complaint

"""The book itself, built from the published notebooks and looked at in a browser."""

import re

import pytest
import yaml
from bs4 import BeautifulSoup
from pygments.token import STANDARD_TYPES

import reader_fonts
from vitrine import paths
from vitrine.book import build, checks, markup, sources
from vitrine.book.proofreading import strangers

VIEWS = [("light", 1280, None), ("dark", 320, "DejaVu"), ("light", 320, "Liberation")]
"""Theme, width and family of fonts: those of the machine where none is named."""
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],  # what passed is not told element by element: it takes long
    "preload": False,
}
SPOKEN = ("aria-label", "placeholder", "title", "data-bs-title", "alt")
HALF_AN_HOUR = 30 * 260
"""Words that are read silently in half an hour, at 238 (non-fiction) to 260 a minute
(Brysbaert 2019, doi 10.1016/j.jml.2019.104047)."""
HEAVIEST = 300_000
"""Bytes of a page without the libraries it shares with the others."""


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """Return the pages of the book, outputs as published: nothing is executed."""
    folder = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "build", lambda: folder)
        notebooks = [paths.notebooks() / f"{name}.ipynb" for name in sources.names()]
        return build.render(build.stage(notebooks))


def pages(html):
    found = sorted([*html.glob("book/*.html"), *html.glob("notebooks/*.html")])
    assert len(found) >= len(sources.names()) + 5
    return [*found, html / "search.html"]


def test_links_anchors_captions_and_language_hold(html):
    checks.check_html(html)


def interface(page):
    """Return the words of a page that are not of its chapter: menus, buttons, hints."""
    soup = BeautifulSoup(page, "html.parser")
    for apart in soup(["script", "style", "pre", "code", "kbd", "noscript", "data"]):
        apart.decompose()
    found = []
    for element in soup.select("nav, header, footer, button, label, summary, dialog, form, input"):
        found += element.stripped_strings
        for each in [element, *element.find_all(True)]:
            found += [each[name] for name in SPOKEN if each.get(name)]
    return found


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ('<button title="Fullscreen mode">x</button>', ["Fullscreen", "mode"]),
        ("<nav><p>Next page</p></nav>", ["Next"]),
        ('<form><input placeholder="Search"></form>', ["Search"]),
        ("<label><span aria-label='Thème clair'>Rechercher</span></label>", []),
        ("<article><p>Some words</p></article>", []),
    ],
)
def test_an_english_word_of_the_interface_is_found(known, markup, found):
    words = [word for text in interface(markup) for _, word in strangers(text, known)]

    assert set(words) <= set(found) and bool(words) == bool(found)


def test_the_interface_of_every_page_is_in_french(html, known):
    unknown = {
        (page.name, word)
        for page in pages(html)
        for text in interface(page.read_text(encoding="utf-8"))
        for _, word in strangers(text, known)
    }

    assert unknown == set()


def test_no_line_of_a_page_can_start_with_a_mark_of_punctuation(html):
    parted = re.compile(r"\S+ [;!?%»]|« \S+| ;")
    found = set()
    for page in pages(html):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for apart in soup(["head", "script", "style", "pre", "code", "kbd", "svg"]):
            apart.decompose()
        for apart in soup.select(".math, .citation-list"):
            apart.decompose()
        found |= {(page.name, each) for each in parted.findall(soup.get_text())}

    assert found == set()


def test_the_first_part_is_read_in_half_an_hour(html):
    contents = yaml.safe_load((paths.root() / "_toc.yml").read_text(encoding="utf-8"))
    first = {f"{chapter['file']}.html" for chapter in contents["parts"][0]["chapters"]}
    told = []

    checks.check_words(html, tell=told.append)

    counted = dict(re.findall(r"^(\S+\.html): (\d+) words$", "\n".join(told), re.MULTILINE))
    assert first <= set(counted)
    assert sum(int(counted[page]) for page in first) <= HALF_AN_HOUR


def test_pages_are_light(html):
    sizes = {page.name: page.stat().st_size for page in pages(html)}

    assert max(sizes.values()) < HEAVIEST, sizes


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_word_of_code_is_bare_only_where_its_colour_is_that_of_the_text(html, theme):
    styles = (html / "_static/pygments.css").read_text(encoding="utf-8")
    start = re.escape(f'html[data-theme="{theme}"] .highlight')
    text = re.search(start + r" \{[^}]* color: (#\w+) \}", styles)[1]

    code = BeautifulSoup((html / "notebooks/05_comparaison.html").read_text(), "html.parser")
    kinds = {name for span in code.select("pre span[class]") for name in span["class"]}

    assert {"k", "s2", "mi"} <= kinds
    for name in (STANDARD_TYPES[kind] for kind in markup.PLAIN):
        assert name not in kinds
        assert re.search(rf"{start} \.{name} \{{ color: {text} \}}", styles)


PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width", "family"), VIEWS)
def test_every_page_is_accessible_fits_the_screen_with_any_fonts_and_asks_nothing_outside(
    html, browser, tmp_path, theme, width, family
):
    from axe_playwright_python.sync_playwright import Axe

    faults, painted = [], {family}
    opened = reader_fonts.launch(browser, family, tmp_path) if family else browser
    context = opened.new_context(
        color_scheme=theme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    context.set_default_timeout(120_000)  # on a machine that does something else
    tab = context.new_page()
    tab.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on(
        "request",
        lambda r: None if r.url.startswith(("file:", "data:")) else faults.append(r.url),
    )
    for page in pages(html):
        tab.goto(page.as_uri())
        tab.evaluate(PAINTED)  # colours are read from the page as it stays
        for fold in tab.query_selector_all("details.vitrine-provenance"):
            fold.evaluate("fold => fold.open = true")
        widths = [tab.evaluate(WIDTH)]
        if width >= 1280:
            faults += [f"{page.name}: cut: {table}" for table in tab.evaluate(CUT)]
        if family != "Liberation":  # fonts change no colour and no role
            for fault in Axe().run(tab, options=RULES).response["violations"]:
                places = [" ".join(node["target"]) for node in fault["nodes"]]
                faults.append(f"{page.name}: {fault['id']}: {places[:3]}")
        if family:
            tab.evaluate(UNFOLDED)
            tab.evaluate(PAINTED)
            widths.append(tab.evaluate(WIDTH))
            tab.add_style_tag(content=reader_fonts.SPACED)
            widths.append(tab.evaluate(WIDTH))
        if max(widths) > width:
            faults.append(f"{page.name}: wider than the screen: {widths}")
    if family:  # in a tab of its own: DevTools loads the page again, which files may not do
        asked = context.new_page()
        asked.goto((html / "book/introduction.html").as_uri())
        painted = reader_fonts.families(asked, "h1, p, td, code")
    context.close()
    if family:
        opened.close()

    assert faults == []
    assert painted == {family}


WIDTH = "document.documentElement.scrollWidth"
CUT = """() => [...document.querySelectorAll(".bd-article table")].flatMap((table) => {
  const room = table.closest(".output, .pst-scrollable-table-container");
  const cut = room && table.offsetWidth && room.scrollWidth > room.clientWidth;
  return cut ? [table.innerText.slice(0, 60)] : [];
})"""
"""Tables whose last columns a reader of a wide screen would have to scroll to."""
UNFOLDED = "() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
SMALLEST = 11
"""Pixels of the smallest letters of a figure."""
LETTERS = """() => [...document.querySelectorAll(".vitrine-plot")].flatMap((plot) => {
  const { left, right } = plot.getBoundingClientRect();
  const name = plot.closest("figure")?.id ?? "figure";
  return [...plot.querySelectorAll(".main-svg text")].flatMap((text) => {
    const place = text.getBoundingClientRect();
    const size = parseFloat(getComputedStyle(text).fontSize);
    if (!place.width) return [];
    const cut = place.left < left - 1 || place.right > right + 1;
    return cut || size < SMALLEST ? [`${name}: ${text.textContent} (${size} px)`] : [];
  });
})""".replace("SMALLEST", str(SMALLEST))


WIDE_CAPTIONS = """() => [...document.querySelectorAll("caption")]
  .filter((caption) => caption.getBoundingClientRect().right > document.documentElement.clientWidth)
  .map((caption) => `caption cut: ${caption.innerText}`)"""


@pytest.mark.browser
def test_captions_and_the_letters_of_every_figure_are_whole_on_a_phone(html, browser):
    tab = browser.new_page(viewport={"width": 390, "height": 900})
    faults = []
    for page in pages(html):
        tab.goto(page.as_uri())
        faults += [f"{page.name}: {fault}" for fault in tab.evaluate(WIDE_CAPTIONS)]
        if tab.query_selector(".vitrine-plot"):
            tab.wait_for_selector(".vitrine-plot .main-svg")
            faults += [f"{page.name}: {fault}" for fault in tab.evaluate(LETTERS)]
    tab.close()

    assert faults == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(html, browser, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    tab = context.new_page()
    tab.goto((html / "notebooks" / "05_comparaison.html").as_uri())
    tab.wait_for_selector(".vitrine-plot .main-svg")
    stops = []
    while len(stops) < 400 and (not stops or stops[-1]["tag"] != "BODY"):
        tab.keyboard.press("Tab")
        stops.append(tab.evaluate(STOP))
    context.close()

    assert stops[0]["name"] == "Passer au contenu principal"
    assert stops[-1]["tag"] == "BODY", "the keyboard is held somewhere"
    assert [stop for stop in stops[:-1] if not stop["shown"]] == []
    reached = {stop["name"] for stop in stops}
    assert {"Données (CSV)", "D’où viennent les résultats de cette page"} <= reached
    buttons = {stop["name"] for stop in stops if "modebar" in stop["classes"]}
    assert buttons <= FRENCH


FRENCH = {
    "Enregistrer en PNG", "Agrandir une zone", "Déplacer", "Agrandir", "Réduire",
    "Rétablir les axes",
}  # fmt: skip
STOP = """() => {
  const focused = document.activeElement;
  const style = getComputedStyle(focused);
  const name = focused.ariaLabel || focused.dataset.title || focused.innerText || "";
  return {
    tag: focused.tagName,
    classes: focused.className.toString(),
    name: name.trim(),
    shown: style.outlineStyle !== "none" || !["none", ""].includes(style.boxShadow),
  };
}"""

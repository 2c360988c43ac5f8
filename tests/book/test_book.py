"""The miniature book, from sources to pages; built once, in the manner of ``vitrine book``."""

import filecmp
import re
import shutil

import pytest
from nbformat.v4 import new_output

from vitrine.book import build, checks, runner, sources, stamps

FIGURE = """\
# %% [markdown]
# ## Des courbes
#
# On attend {valeur}`b0.macro_f1` à la fin ; l'entraînement dure.

# %% mystnb={"figure": {"name": "fig-courbes", "caption": "Les « courbes »."}, "image": {"alt": "Deux courbes croissantes"}} tags=["hide-input"]
import plotly.graph_objects as go

figure = go.Figure([go.Scatter(x=[1, 2], y=[0.5, 0.75], name="a", line_color="#102a43")])
figure.add_bar(x=[1, 2], y=[0.25, 1234.5], name="b")
figure.update_layout(xaxis_title="époque", height=300, width=2000)

# %% [markdown]
# Puis un tableau.

# %% tags=["nbval-check-output"]
import pandas

print(seed)
pandas.DataFrame({"F1": [0.5]}, index=["B0"])
"""  # noqa: E501
INTRODUCTION = """# Que mesure-t-on ?

Voir la {numref}`fig-courbes`, selon {cite:t}`hk24` et {cite:p}`hk24` : $x^2$, {valeur:ic}`gap`.

```{bibliography}
```
"""


def use(patch, miniature) -> None:
    patch.setenv("VITRINE_ROOT", str(miniature.root))


@pytest.fixture(scope="module")
def built(new_miniature):
    """A root whose book has been built, and what the build told."""
    made, told = new_miniature(), []
    made.book("book/introduction", "notebooks/01_courbes")
    made.write("book/introduction.md", INTRODUCTION)
    made.notebook("01_courbes", FIGURE, title="Les courbes")
    with pytest.MonkeyPatch.context() as patch:
        use(patch, made)
        made.first_page = build.build(tell=told.append)
    made.told = told
    return made


@pytest.fixture
def book(built, monkeypatch):
    use(monkeypatch, built)
    return built


def page(book, name: str) -> str:
    return (book.root / "build" / "html" / f"{name}.html").read_text(encoding="utf-8")


def test_the_book_is_built_strictly_checked_and_opened_on_its_first_page(book):
    assert book.first_page == book.root / "build" / "html" / "index.html"
    assert book.told[0] == "[1/1] 01_courbes: executing, because it was never executed"
    entrance = page(book, "index")
    assert 'lang="fr"' in entrance and 'url=book/introduction.html"' in entrance
    words = re.sub("<[^>]+>", "", page(book, "book/introduction"))
    assert "Hatamizadeh et Kautz (2024) et (Hatamizadeh et Kautz, 2024)\u00a0:" in words
    assert "Que mesure-t-on\u202f?" in words and "Ali Hatamizadeh et Jan Kautz." in words


def test_a_figure_is_light_and_comes_with_caption_alt_text_table_and_csv(book):
    text = page(book, "notebooks/01_courbes")

    assert 'aria-label="Deux courbes croissantes"' in text
    assert 'caption-number">Figure 1 ' in text and "Les «\u00a0courbes\u00a0»." in text
    assert "<noscript><table>" in text and ">1234,5</td>" in text
    (csv,) = (book.root / "build" / "html" / "_downloads").rglob("fig-courbes.csv")
    assert csv.read_text().splitlines()[:2] == ["série,époque,y", "a,1,0.5"]
    assert len(text) < 60_000


def test_plotly_and_mathjax_are_loaded_only_where_they_serve(book):
    static = book.root / "build" / "html" / "_static"

    assert (static / "plotly.min.js").stat().st_size > 1_000_000
    assert "plotly.min.js" in page(book, "notebooks/01_courbes")
    assert "plotly.min.js" not in page(book, "book/introduction")
    assert "tex-svg.js" in page(book, "book/introduction")
    assert "tex-svg.js" not in page(book, "notebooks/01_courbes")
    assert "thebe" not in page(book, "notebooks/01_courbes")


def test_two_clean_builds_are_byte_identical_and_only_the_first_executes(book, tmp_path):
    first = tmp_path / "first"
    shutil.copytree(book.root / "build" / "html", first)
    told: list[str] = []

    build.build(tell=told.append)

    assert told[0] == "[1/1] 01_courbes: fresh, skipped"
    files = [p.relative_to(first) for p in first.rglob("*") if p.is_file()]
    same, different, missing = filecmp.cmpfiles(
        first, book.root / "build" / "html", [str(f) for f in files], shallow=False
    )
    assert (different, missing) == ([], []) and len(same) > 50


def test_a_failed_build_says_where_and_leaves_the_former_book(book):
    former = page(book, "book/introduction")
    source = book.root / "book" / "introduction.md"
    source.write_text(INTRODUCTION + "\n{ref}`nulle-part`\n\n{valeur}`b0.typo`\n")

    try:
        with pytest.raises(checks.BookError, match=r"introduction\.md:\d+: .*'b0\.typo'"):
            build.build(tell=lambda line: None)
    finally:
        source.write_text(INTRODUCTION)

    assert page(book, "book/introduction") == former


def test_publishing_writes_a_pair_that_is_fresh_then_follows_the_text(book):
    told: list[str] = []
    (pair,) = runner.publish(tell=told.append)

    assert told == ["01_courbes: executing, because it was never executed", "01_courbes: published"]
    checks.check_notebooks()
    source = sources.find("01_courbes")
    text = source.read_text()
    source.write_text(text.replace("Puis un tableau", "Enfin un tableau"))
    assert checks.states()["01_courbes"].state is stamps.State.PROSE
    with pytest.raises(checks.BookError, match=r"from line \d+ of 01_courbes\.py; run vitrine"):
        checks.check_notebooks()

    runner.publish(tell=told.append)

    assert told[2:] == ["01_courbes: text refreshed"]
    assert "Enfin un tableau" in pair.read_text(encoding="utf-8")
    source.write_text(text.replace("print(seed)", "print(seed, 1)"))
    with pytest.raises(checks.BookError, match="found it stale, because its code changed"):
        checks.check_notebooks()
    source.write_text(text)


def test_outputs_that_name_a_place_on_this_machine_are_not_published(miniature):
    miniature.write("_toc.yml", "root: notebooks/01_page\n")
    source = miniature.notebook("01_page", f"# %%\nprint('{miniature.root}/x')\n")
    notebook = sources.read(source)
    for cell in stamps.code_cells(notebook):
        cell.execution_count = 1
    notebook.cells[-1].outputs = [new_output("stream", text=f"{miniature.root}/x")]
    notebook.metadata[stamps.KEY] = stamps.make(
        notebook, profile="published", parameters={}, photos=False, log=[]
    )
    runner.executed_path(source).parent.mkdir(parents=True)
    runner.write(notebook, runner.executed_path(source))

    with pytest.raises(sources.NotebookError, match="without a place on this machine"):
        runner.publish()

    assert not source.with_suffix(".ipynb").exists()


@pytest.mark.browser
def test_pages_open_from_files_without_an_outside_request_or_a_console_error(book, browser):
    faults, seen, origins = [], {}, {}
    for theme, width in (("light", 1280), ("dark", 390)):
        context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 800})
        tab = context.new_page()
        tab.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on(
            "request",
            lambda r: None if r.url.startswith(("file:", "data:")) else faults.append(r.url),
        )
        for name in ("notebooks/01_courbes", "book/introduction", "search"):
            tab.goto((book.root / "build" / "html" / f"{name}.html").as_uri())
            if "01" in name:
                tab.wait_for_selector(".vitrine-plot .main-svg")
                tab.wait_for_selector(".vitrine-donnees details")
                seen[theme] = tab.evaluate(LOOK)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            origins[theme, name] = tab.evaluate(ORIGIN)
        tab.goto((book.root / "build" / "html" / "search.html").as_uri() + "?q=entrainement")
        tab.wait_for_selector("#search-results li")
        context.close()

    assert faults == []
    for told in (origins[theme, "book/introduction"] for theme in ("light", "dark")):
        assert told["titles"] == 0 and not told["before"] and not told["after"]
        assert "exécutions : b0-scratch/seed-0" in told["focused"]
    assert seen["light"]["ink"] != seen["dark"]["ink"]
    assert seen["light"]["line"] == "rgb(16, 42, 67)" != seen["dark"]["line"]
    assert seen["dark"]["width"] <= 390
    assert seen["light"]["ticks"].replace("\u202f", "") == "05001000"


LOOK = """() => {
  const style = (selector) => getComputedStyle(document.querySelector(selector));
  return {
    ink: style(".vitrine-plot .xtitle").fill,
    line: style(".vitrine-plot .js-line").stroke,
    ticks: document.querySelector(".vitrine-plot .yaxislayer-above").textContent,
    width: document.querySelector(".vitrine-plot .main-svg").getBoundingClientRect().width,
  };
}"""

ORIGIN = """() => {
  const bubble = document.querySelector("#vitrine-origine");
  const shown = () => (bubble.hidden ? "" : bubble.textContent);
  const before = shown();
  const number = document.querySelector(".values");
  number?.focus();
  const focused = shown();
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  const titles = document.querySelectorAll(".values[title]").length;
  return { before, focused, after: shown(), titles };
}"""

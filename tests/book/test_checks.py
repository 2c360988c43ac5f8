from dataclasses import replace

import jupytext
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from vitrine.book import checks, runner, sources
from vitrine.book.checks import BookError
from vitrine.data import dataset

PAGE = """<!DOCTYPE html>
<html lang="fr"><head><link rel="stylesheet" href="_static/a.css">
<link rel="canonical" href="https://example.org/"></head>
<body><main id="main"><article>{}</article></main>
<pre>Contents of <b>Fig. 1</b></pre></body></html>
"""
GOOD = """<p id="ici">Voir <a href="#ici">ici</a>, <a href="autre.html#la">là</a> et
<a href="https://example.org/">ailleurs</a>.</p>
<figure><div class="vitrine-figure" aria-label="Deux courbes"></div><br>
<figcaption>Les courbes.</figcaption></figure>
<figure><img src="a.png" alt="Une photo"><figcaption>Une photo.</figcaption></figure>"""


@pytest.fixture
def write(tmp_path):
    def write(body: str, page: str = PAGE) -> None:
        (tmp_path / "page.html").write_text(page.replace("{}", body), encoding="utf-8")
        (tmp_path / "autre.html").write_text(PAGE.replace("{}", '<p id="la">Là.</p>'))

    return write


def test_a_good_book_passes(tmp_path, write):
    write(GOOD)

    checks.check_html(tmp_path)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<script src="https://cdn.example/x.js"></script>', "nothing from outside"),
        ('<video src="//cdn.example/x.mp4"></video>', "nothing from outside"),
        ('<video poster="https://cdn.example/x.png"></video>', "nothing from outside"),
        ('<picture><source srcset="https://cdn.example/x.webp"></picture>', "nothing from outside"),
        (
            '<picture><source srcset="a.webp 1x, //cdn.example/b.webp 2x"></picture>',
            "nothing from outside",
        ),
        ('<object data="https://cdn.example/x.svg"></object>', "nothing from outside"),
        ('<a href="absent.html">a</a>', "links that lead somewhere, found 'absent.html'"),
        ('<a href="#absent">a</a>', "anchors that exist, found '#absent'"),
        ('<a href="autre.html#absent">a</a>', "anchors that exist, found 'autre.html#absent'"),
        ('<figure><img src="a.png" alt="Une photo"></figure>', "a caption for each figure"),
        ('<img src="a.png" alt="Une photo">', "a caption for each figure"),
        ('<figure><img src="a.png"><figcaption>a</figcaption></figure>', "an alternative text"),
        (
            '<figure><img src="a.png" alt="_images/0123456789abcdef.png"><figcaption>a</figcaption>'
            "</figure>",
            "an alternative text",
        ),
        (
            '<figure><div class="vitrine-figure" aria-label=""></div><figcaption>a</figcaption>'
            "</figure>",
            "an alternative text",
        ),
        ("<p>Search this book...</p>", "French, found 'Search this book'"),
        ('<button title="Toggle primary sidebar"></button>', "French, found 'Toggle primary"),
        ("<p>Voir la Fig. 3</p>", "French, found 'Fig. '"),
    ],
)
def test_a_fault_on_a_page_is_named_with_the_page(tmp_path, write, body, fault):
    write(GOOD + body)

    with pytest.raises(BookError) as refusal:
        checks.check_html(tmp_path)

    assert len(set(str(refusal.value).splitlines())) == 1
    assert str(refusal.value).startswith("page.html: ") and fault in str(refusal.value)


def test_a_page_in_another_language_is_refused(tmp_path, write):
    write(GOOD, PAGE.replace('lang="fr"', 'lang="en"'))

    with pytest.raises(BookError, match='expected lang="fr", found'):
        checks.check_html(tmp_path)


def test_an_english_book_has_the_words_of_the_theme(tmp_path):
    page = PAGE.replace('lang="fr"', 'lang="en"').replace("{}", "<p>Contents</p><p>Fig. 3</p>")
    (tmp_path / "page.html").write_text(page, encoding="utf-8")

    checks.check_html(tmp_path, language="en")


def test_a_class_and_a_data_set_may_be_called_as_the_theme_says(tmp_path, write, monkeypatch):
    named = {"name": "Contents of a drawer", "classes": {"a": "Fig. rouge", "b": "Figue"}}
    own = replace(dataset.current(), **named)
    monkeypatch.setattr(dataset, "current", lambda: own)

    write(GOOD + "<p>Contents of a drawer</p><p>Fig. rouge</p>")
    checks.check_html(tmp_path)
    write(GOOD + "<p>On this page</p>")

    with pytest.raises(BookError, match="found 'On this page'"):
        checks.check_html(tmp_path)


def test_an_empty_book_is_refused(tmp_path):
    with pytest.raises(BookError, match="found none"):
        checks.check_html(tmp_path)


def test_an_error_output_that_a_strict_build_would_print_is_refused(tmp_path):
    output = new_output("error", ename="ValueError", evalue="no", traceback=[])
    notebook = new_notebook(cells=[new_code_cell("1"), new_code_cell("2", outputs=[output])])
    runner.write(notebook, tmp_path / "01_page.ipynb")

    with pytest.raises(BookError, match=r"01_page.ipynb: .* found ValueError in cell 2"):
        checks.check_outputs([tmp_path / "01_page.ipynb"])


FIGURE = """\
# %% mystnb={"figure": {"name": "fig-a", "caption": "Légende"}, "image": {"alt": "Deux points"}}
1
"""


@pytest.mark.parametrize(
    ("saved", "found"),
    [
        (lambda line: line, None),
        (lambda line: line.replace("é", "\\u00e9"), r"found \u00e9 in its metadata"),
        (
            lambda line: line.replace('"name": "fig-a", "caption": "L', '"caption": "L')
            .replace('gende"}', 'gende", "name": "fig-a"}'),
            "found the keys of a figure sorted",
        ),
    ],
    ids=["by hand", "escaped", "sorted"],
)  # fmt: skip
def test_a_source_that_lab_rewrote_is_named_with_its_line_and_what_to_do(miniature, saved, found):
    source = miniature.notebook("01_page", saved(FIGURE))

    if found is None:
        checks.check_prose()
        return
    with pytest.raises(BookError) as refusal:
        checks.check_prose()

    line = 1 + source.read_text().splitlines().index(saved(FIGURE).splitlines()[0])
    (told,) = str(refusal.value).splitlines()
    assert told.startswith(f"notebooks/01_page.py:{line}: ") and found in told
    assert told.endswith("git checkout -p notebooks/01_page.py")


def test_what_jupytext_writes_again_is_what_is_refused(miniature):
    source = miniature.notebook("01_page", FIGURE)
    jupytext.write(jupytext.read(source, fmt="py:percent"), source, fmt="py:percent")

    (told,) = sources.rewritten(miniature.root)

    assert r"found \u00e9" in told


def test_words_of_prose_are_counted_page_by_page_and_too_many_are_refused(
    tmp_path, write, monkeypatch
):
    told = []
    write(
        "<p>L’image : 78,9 % des <b>photos</b>.</p><pre>some code</pre><summary>Montrer</summary>"
        "<table><tr><td>une donnée</td></tr></table>"
        '<div class="vitrine-donnees a"><p>Données</p></div><p>Fin.</p>'
    )

    checks.check_words(tmp_path, tell=told.append)

    assert told == ["autre.html: 1 words", "page.html: 5 words", "in all: 6 words"]
    monkeypatch.setattr(checks, "MOST_WORDS", 5)
    with pytest.raises(BookError, match="at most 5 words in the pages, found 6; shorten"):
        checks.check_words(tmp_path)


def test_a_book_in_english_keeps_the_words_of_the_theme_and_no_other_fault(tmp_path, write):
    english = PAGE.replace('lang="fr"', 'lang="en"')
    write(GOOD + "<p>Search this book...</p>", english)
    (tmp_path / "autre.html").write_text(english.replace("{}", '<p id="la">There.</p>'))

    checks.check_html(tmp_path, language="en")
    with pytest.raises(BookError, match="expected lang=\"fr\", found 'en'"):
        checks.check_html(tmp_path)
    write(GOOD + '<a href="absent.html">a</a>', english)
    with pytest.raises(BookError, match="links that lead somewhere"):
        checks.check_html(tmp_path, language="en")

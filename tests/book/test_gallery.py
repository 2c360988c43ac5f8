"""One figure alone is the figure of the page: same names, same lines, same data."""

import ast
import json
import os
import re
import subprocess
import sys

import nbformat
import pytest

from vitrine import paths
from vitrine.book import exhibit, gallery
from vitrine.book.slices import slice_of
from vitrine.report import tables

CHAPTERS = (
    "02_donnees", "03_baseline_tensorflow", "04_sota_pytorch", "05_toutes_les_photos",
    "05_comparaison", "06_interpretabilite", "07_a_armes_egales",
)  # fmt: skip
NEEDS_A_FRAMEWORK = {"fig-reference-augmentation": ["tensorflow"]}
"""What these chapters show that tracked files cannot give: pictures out of a training pipeline."""


def kept(*cells):
    return [ast.unparse(line) for line in slice_of(cells, len(cells) - 1)]


def declared():
    """Read the names with another eye than the one under test: in the text of the sources."""
    texts = [(paths.notebooks() / f"{name}.py").read_text() for name in CHAPTERS]
    return [name for text in texts for name in re.findall(r'"name": "(fig-[\w-]+)"', text)]


def published_figure(piece):
    notebook = nbformat.read(paths.notebooks() / f"{piece.notebook}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == piece.name:
            (output,) = cell.outputs
            return output.data["application/vnd.plotly.v1+json"]
    raise AssertionError(piece.name)


def test_names_are_those_that_the_notebooks_declare_and_all_but_one_can_be_made():
    found = {p.name: p for p in gallery.pieces() if p.notebook in CHAPTERS}

    assert [name for name in found if name.startswith("fig-")] == declared()
    assert {n: p.frameworks for n, p in found.items() if p.frameworks} == NEEDS_A_FRAMEWORK
    assert len(found) > len(declared())  # tables too


@pytest.mark.parametrize("name", ["fig-donnees-equilibre", "fig-comparaison-cites"])
def test_a_figure_made_alone_is_the_one_that_was_published(name):
    piece = gallery.find(name)

    drawn = json.loads(gallery.make(piece).to_json())

    published = published_figure(piece)
    assert drawn == {"data": published["data"], "layout": published["layout"]}


def test_a_table_made_alone_is_shown_as_on_the_page():
    (piece,) = [
        p
        for p in gallery.pieces()
        if p.name.startswith("tab-") and p.title == "Ce que d’autres ont publié sur ces images"
    ]

    shown = gallery.make(piece)

    assert isinstance(shown, tables.Shown)
    assert list(shown.frame.columns)[:2] == ["Modèle", "Tronc"]


def test_the_page_asks_nothing_of_the_network_and_the_files_hold_the_data(tmp_path):
    page, content, rows = exhibit.write(gallery.find("fig-donnees-distances"), tmp_path)

    text = page.read_text()
    assert 'lang="fr"' in text
    assert "http" not in re.sub(r'<script type="application/json".*?</script>', "", text)
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000
    assert len(json.loads(content.read_text())["data"]) == 2
    assert len(rows.read_text().splitlines()) > 10


def test_a_table_is_written_as_rows(tmp_path):
    _, content, rows = exhibit.write(gallery.find("tab-donnees-3"), tmp_path)

    records = json.loads(content.read_text())
    assert len(records) == len(rows.read_text().splitlines()) - 1
    assert not (tmp_path / "plotly.min.js").exists()


def test_an_unknown_name_is_told_its_nearest():
    with pytest.raises(gallery.GalleryError, match="near it are fig-comparaison-ecarts"):
        gallery.find("fig-comparison-ecart")
    with pytest.raises(gallery.GalleryError, match="--list"):
        gallery.find("zzz")


def test_what_needs_a_framework_is_refused_with_the_command_that_makes_it():
    with pytest.raises(gallery.GalleryError, match="vitrine run 03_baseline_tensorflow"):
        gallery.find("fig-reference-augmentation")


def test_the_published_profile_is_used_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("VITRINE_PROFILE", "smoke")
    piece = gallery.find("tab-donnees-1")

    shown = gallery.make(piece)

    assert shown.frame["Total"].iloc[-1] == 1050
    assert os.environ["VITRINE_PROFILE"] == "smoke"


def test_making_a_figure_loads_no_framework():
    code = (
        "import sys; from vitrine.book import gallery; gallery.make(gallery.find("
        "'fig-pytorch-courbes')); print(*sorted(gallery.FRAMEWORKS & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("a = 1\nb = 2", "a"), ["a = 1", "a"]),
        (("a = 1", "a = 2\na"), ["a = 2", "a"]),
        (("a = 1", "a += 1\na"), ["a = 1", "a += 1", "a"]),
        (("a = {}", "a['k'] = 1\nb = 3", "a"), ["a = {}", "a['k'] = 1", "a"]),
        (("a = []", "a.append(1)\nprint(2)\na"), ["a = []", "a.append(1)", "a"]),
        (("import x\na = []", "x.fill(a)\n0", "a"), ["import x", "a = []", "x.fill(a)", "a"]),
        (("import x, y\na = 1", "x.show(a)", "a"), ["a = 1", "a"]),
        (("from m import f, g", "g"), ["from m import g", "g"]),
        (("k = 1", "a = [k for k in range(3)]", "a"), ["a = [k for k in range(3)]", "a"]),
        (("k = 1", "a = [k for j in range(3)]", "a"),
         ["k = 1", "a = [k for j in range(3)]", "a"]),
        (("k = 9\na = []", "for k in range(2):\n    a.append(k)\na"),
         ["a = []", "for k in range(2):\n    a.append(k)", "a"]),
        (("k = 9\na = []", "for j in range(2):\n    a.append(k)\n    k = j\na"),
         ["k = 9", "a = []", "for j in range(2):\n    a.append(k)\n    k = j", "a"]),
        (("a = 1", "if b:\n    a = 2", "a"), ["a = 1", "if b:\n    a = 2", "a"]),
        (("k = 1", "f = lambda k: k", "f"), ["f = lambda k: k", "f"]),
    ],
)  # fmt: skip
def test_a_slice_holds_what_its_last_expression_needs_and_nothing_else(cells, expected):
    assert kept(*cells) == expected


def test_a_cell_that_shows_nothing_is_refused():
    with pytest.raises(ValueError, match="ends on an expression"):
        slice_of(["a = 1"], 0)

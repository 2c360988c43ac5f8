"""One figure alone is the figure of the page: same names, same data."""

import json
import re

import nbformat
import pytest

from vitrine import paths
from vitrine.book import gallery

CHAPTERS = (
    "02_donnees", "03_baseline_tensorflow", "04_sota_pytorch", "05_toutes_les_photos",
    "05_comparaison", "06_interpretabilite", "07_a_armes_egales",
)  # fmt: skip


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


def test_names_are_those_that_the_notebooks_declare_and_all_but_a_picture_have_data():
    found = {p.name: p for p in gallery.pieces() if p.notebook in CHAPTERS}

    assert [name for name in found if name.startswith("fig-")] == declared()
    assert [n for n, p in found.items() if not p.figure and not p.table] == [
        "fig-reference-augmentation"
    ]
    assert len(found) > len(declared())  # tables too


def test_a_figure_alone_is_the_one_that_was_published(tmp_path):
    piece = gallery.find("fig-comparaison-cites")

    page, content, _ = gallery.write(piece, tmp_path)

    published = published_figure(piece)
    drawn = {"data": published["data"], "layout": published["layout"]}
    assert json.loads(content.read_text()) == drawn
    (shown,) = re.findall(r'id="donnees">(.*?)</script>', page.read_text(), re.DOTALL)
    assert json.loads(shown) == drawn


def test_the_page_asks_nothing_of_the_network_and_the_files_hold_the_data(tmp_path):
    page, content, rows = gallery.write(gallery.find("fig-donnees-distances"), tmp_path)

    text = page.read_text()
    assert 'lang="fr"' in text
    assert "http" not in re.sub(r'<script type="application/json".*?</script>', "", text)
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000
    assert len(json.loads(content.read_text())["data"]) == 2
    assert len(rows.read_text().splitlines()) > 10


def test_a_table_alone_is_written_in_rows_with_numbers_that_machines_read(tmp_path):
    (piece,) = [p for p in gallery.pieces() if p.name == "tab-donnees-1"]

    page, content, rows = gallery.write(piece, tmp_path)

    records = json.loads(content.read_text())
    assert records[-1]["Total"] == 1050
    assert len(records) == len(rows.read_text().splitlines()) - 1
    assert rows.read_text().splitlines()[-1].endswith(",1050")
    assert "1\u202f050</td>" in page.read_text()
    assert not (tmp_path / "plotly.min.js").exists()


def test_an_unknown_name_is_told_its_nearest():
    with pytest.raises(gallery.GalleryError, match="near it are fig-comparaison-ecarts"):
        gallery.find("fig-comparison-ecart")
    with pytest.raises(gallery.GalleryError, match="--list"):
        gallery.find("zzz")


def test_a_picture_has_no_data_and_is_refused_with_the_notebook_that_shows_it():
    with pytest.raises(gallery.GalleryError, match="picture; see it in notebooks/03_baseline"):
        gallery.find("fig-reference-augmentation")

"""The foot of every page: the newest run that it cites, and links that need an address."""

import json

import pytest

from vitrine.book import footer, pictures
from vitrine.book.footer import newest


def run(root, place, started, commit):
    file = root / "runs" / place / "run.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"timing": {"started": started}, "code": {"commit": commit}}))


def test_the_newest_run_is_told_by_its_day_and_its_commit_pretrainings_included(tmp_path):
    run(tmp_path, "b0/seed-0", "2026-11-25T21:14:47+00:00", "aaaaaaaaaaaa")
    run(tmp_path, "pretrain/b0/seed-0", "2026-12-01T01:00:00+00:00", "bbbbbbbbbbbb")

    assert newest(tmp_path, ["b0/seed-0", "absent/seed-0"]) == "1er décembre 2026, commit bbbbbbb"
    assert newest(tmp_path, []) == ""


@pytest.mark.parametrize("notebook", [True, False])
def test_links_that_need_the_address_of_the_repository_appear_with_it_alone(notebook):
    told = dict(
        footer._outside("https://github.com/a/b", "notebooks/02_donnees", notebook=notebook)
    )

    assert footer._outside("", "notebooks/02_donnees", notebook=notebook) == []
    assert told["Le dépôt"] == "https://github.com/a/b"
    assert told["Signaler une erreur"].endswith("/a/b/issues/new")
    assert any("labpath=notebooks/02_donnees.ipynb" in url for url in told.values()) == notebook
    elsewhere = footer._outside("https://forge.example/a/b", "x", notebook=True)
    assert [title for title, _ in elsewhere] == ["Le dépôt", "Signaler une erreur"]


def test_the_strip_tells_the_class_author_and_licence_of_each_picture(tmp_path):
    assert pictures.strip(tmp_path) == ""
    index = tmp_path / pictures.PLACE / "index.json"
    index.parent.mkdir(parents=True)
    row = {"name": "tasse", "title": "Une tasse", "author": "A. <B>", "licence": "CC0-1.0"}
    inside = {"class": "Kitchen & Dining", "rendered": True}
    rows = [row | inside, row | {"name": "chat", "class": None}]
    index.write_text(json.dumps(rows), encoding="utf-8")

    strip = pictures.strip(tmp_path)

    assert (
        strip.count("<li>") == 2 and 'src="../_static/pictures/tasse.jpg" alt="Une tasse"' in strip
    )
    assert "Cuisine et table, objet de synthèse" in strip and strip.count("synthèse</span>") == 1
    assert "hors catalogue" in strip
    assert "A. &lt;B&gt;, CC0-1.0" in strip
    assert pictures.errors(tmp_path) == ""  # nobody asked the model


@pytest.mark.parametrize(
    ("label", "outside", "told"),
    [
        ("Kitchen & Dining", False, "répond « Cuisine et table » (juste)"),
        ("Watches", True, "répond « Cuisine et table » (faux, signalée hors catalogue)"),
        (None, False, "répond « Cuisine et table »</span>"),
        (None, True, "répond « Cuisine et table » (signalée hors catalogue)"),
    ],
)
def test_the_strip_tells_what_the_served_model_answers(tmp_path, label, outside, told):
    row = {"name": "a", "title": "T", "author": "A", "licence": "L", "class": label}
    answer = {"name": "a", "answer": "Kitchen & Dining", "outside": outside}
    for place, content in (
        (pictures.PLACE / "index.json", [row]),
        (pictures.PICTURES, {"rows": [answer]}),
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(json.dumps(content), encoding="utf-8")

    assert told in pictures.strip(tmp_path)
    wrong = "faux" in told or (label is None and not outside)
    assert bool(pictures.errors(tmp_path)) == wrong

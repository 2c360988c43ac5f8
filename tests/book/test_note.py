"""The note is short, says nothing that the ledger does not, and is the same twice."""

import copy
import json
import re
from functools import wraps
from pathlib import Path

import pytest
import typst

from vitrine.book import ledger_view, note, proofreading

PAGES = Path(note.__file__).parent / "pages"
RUNS = re.compile(r"^(?!data\.|power\.|poc|trial\.)")


@pytest.fixture
def ledger():
    return copy.deepcopy(ledger_view.read_ledger())


def without_runs(ledger):
    ledger["values"] = {k: v for k, v in ledger["values"].items() if not RUNS.match(k)}
    ledger["verdicts"] = {}
    return ledger


def test_it_holds_in_ten_pages_and_two_builds_agree_to_the_byte(ledger):
    first, second = note.pdf(ledger), note.pdf(ledger)

    (pages,) = re.findall(rb"/Type/Pages/Count (\d+)", first)
    assert 3 <= int(pages) <= 10
    assert first == second
    assert b"/Lang(fr" in first
    assert b"CreationDate" not in first


def test_its_prose_has_french_spaces_and_its_drawings_keep_theirs(ledger):
    text = note.source(ledger)

    assert "à 95\N{NARROW NO-BREAK SPACE}%" in text
    assert 'viewBox=\\"0 0 640 ' in text


def test_a_note_that_is_too_long_is_refused(ledger, monkeypatch):
    monkeypatch.setattr(note, "PAGES", 2)

    with pytest.raises(note.NoteError, match="at most 2 pages, found"):
        note.pdf(ledger)


def test_every_number_that_it_cites_changes_with_the_ledger(ledger, monkeypatch):
    cited = set()
    entry = ledger_view.LedgerView.entry

    @wraps(entry)
    def spied(self, key):
        cited.add(key)
        return entry(self, key)

    monkeypatch.setattr(ledger_view.LedgerView, "entry", spied)
    before = note.source(ledger)

    assert len(cited) > 50
    for key in sorted(cited):
        changed = copy.deepcopy(ledger)
        value = changed["values"][key]
        step = 3 * 10 ** -value["decimals"] / (100 if value["unit"] == "%" else 1)
        for end in ("value", "low", "high"):
            value[end] = None if value[end] is None else value[end] + step
        assert note.source(changed) != before, key


def test_a_changed_value_is_printed_and_the_document_changes(ledger):
    before = note.pdf(ledger)
    ledger["values"]["majority.accuracy"] |= {"value": 0.1234, "low": 0.05, "high": 0.2351}

    assert "12,3 % \\[5,0 ; 23,5\\]" in re.sub(r"[\u00a0\u202f]", " ", note.source(ledger))
    assert note.pdf(ledger) != before


@pytest.mark.parametrize("template", ["note.typ", "slides.html"])
def test_no_result_is_typed_in_a_template(template):
    assert proofreading.typed_results(PAGES / template) == []


def test_without_a_single_run_it_says_so_and_still_compiles(ledger):
    text = note.source(without_runs(ledger))

    assert "aucune exécution publiée" in text
    assert "rien n’en est dit ici" in text
    assert "ne mesure pas encore sur quoi les modèles s’appuient" in text
    assert note.pdf(ledger).startswith(b"%PDF")


def test_any_key_but_those_of_the_data_may_be_missing(ledger):
    one_recipe = ledger_view.LedgerView(ledger).recipes()[0]
    beginnings = (f"{one_recipe}.", "gap.", "power.", "poc_gap.", "trial.")
    values = [key for key in ledger["values"] if key.startswith(beginnings)]
    for section, keys in (("values", values), ("verdicts", list(ledger["verdicts"]))):
        for key in keys:
            poorer = ledger | {section: {k: v for k, v in ledger[section].items() if k != key}}
            note.source(poorer)

    del ledger["values"]["data.test"]
    with pytest.raises(ValueError, match="found 'data.test'"):
        note.source(ledger)


def test_verdicts_speak_for_the_data(ledger):
    said = {
        "architectures_differ": "rien ne départage a_b et c",
        "equal_images": "le même départ ne départage pas a et b",
        "equal_clock": "le même temps non plus",
    }
    for key, text in said.items():
        ledger["verdicts"][key] = {"state": "undecided", "text": text, "expression": "…"}

    text = " ".join(note.source(ledger).replace("\N{NO-BREAK SPACE}", " ").split())

    assert "Entraînée de zéro avec la même recette : rien ne départage a\\_b et c." in text
    start, later = said["equal_images"], said["equal_clock"]
    assert f"Après un même préentraînement, en petit : {start} ; {later}." in text


@pytest.mark.parametrize(
    ("section", "key", "change", "reason"),
    [
        ("values", "data.test", {"profile": "smoke"}, "published profile"),
        ("verdicts", "all_learn", {"state": "false"}, "to hold"),
    ],
)
def test_what_may_not_be_cited_stops_it(ledger, section, key, change, reason):
    ledger[section][key] |= change

    with pytest.raises(ValueError, match=reason):
        note.source(ledger)


def test_every_special_character_of_typst_is_printed_as_it_is():
    text = r"a_b *c* #d [e] `f` $g$ @h <i> ~ / \ - -- = + // ' " + '"'
    plain = (
        '#let t(it) = if it.has("text") { it.text } else if it.has("children") '
        '{ it.children.map(t).join() } else { " " }\n'
    )

    source = f"{plain}#metadata(t([{note.escape(text)}])) <m>".encode()

    assert typst.query(source, "<m>", field="value", one=True) == json.dumps(text)

"""The note is short, says nothing that the ledger does not, and is the same twice."""

import copy
import json
import re
from functools import wraps
from pathlib import Path

import pytest
import typst

from vitrine import __version__, paths
from vitrine.book import footer, ledger_view, note, proofreading

PAGES = Path(note.__file__).parent / "pages"
RUNS = re.compile(r"^(?!data\.|power\.|poc|trial\.)")


@pytest.fixture
def ledger():
    return copy.deepcopy(ledger_view.read_ledger())


def told(ledger):
    """Return the note with plain spaces, on one line."""
    return " ".join(re.sub(r"[\u00a0\u202f]", " ", note.source(ledger)).split())


@pytest.fixture
def undated(monkeypatch):
    """Leave the date out, which is read from every run, where a test writes many notes."""
    monkeypatch.setattr(footer, "newest", lambda root, runs: "")


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


def test_it_bears_the_version_and_the_day_of_the_newest_run_that_it_cites(ledger, miniature):
    for run, day, commit in (
        ("majority/seed-0", "2027-03-01", "0123456789"),
        ("histogram-hog/seed-0", "2027-02-28", "1123456789"),
        ("nobody-cites-it/seed-0", "2027-03-02", "2123456789"),
    ):
        made = {"timing": {"started": f"{day}T10:00:00+00:00"}, "code": {"commit": commit}}
        miniature.write(f"runs/{run}/run.json", json.dumps(made))

    text, document = told(ledger), note.pdf(ledger)

    assert f'version: "{__version__}", run: "1er mars 2027, commit 0123456"' in text
    assert b"/CreationDate(D:20270301" in document


def test_a_note_whose_runs_have_no_file_bears_no_day(ledger, miniature):
    assert miniature.root == paths.root()

    assert b"CreationDate" not in note.pdf(ledger)


def test_it_leads_with_the_model_to_deploy_then_with_the_verdicts(ledger):
    values = ledger["values"]
    values["oof.efficientnet-lite0-torch.accuracy"] |= {"value": 0.811, "low": 0.8, "high": 0.822}
    values["recommended.coverage"] |= {"value": 0.633, "low": 0.6, "high": 0.644}
    values["recommended.answered_accuracy"] |= {"value": 0.955, "low": 0.9, "high": 0.966}
    values["data.present"]["value"] = 987
    first = ledger["verdicts"]["poc_below_power"]["text"]

    brief = told(ledger).partition("*En bref.*")[2].partition("= La question")[0]

    deployed, _, verdicts = brief.partition(note.escape(first[1:]))
    assert "EfficientNet-Lite0" in deployed
    assert "81,1 % \\[80,0 ; 82,2\\] des 987 photos" in deployed
    assert "seule à 63,3 % \\[60,0 ; 64,4\\] des photos" in deployed
    assert "juste à 95,5 % \\[90,0 ; 96,6\\]" in deployed
    assert note.escape(ledger["verdicts"]["equal_images"]["text"][1:]) in verdicts


def test_its_table_has_each_model_on_all_photos_beside_the_published_test(ledger):
    values = ledger["values"]
    values["oof.histogram-hog.accuracy"] |= {"value": 0.611, "low": 0.6, "high": 0.622}
    values["histogram-hog.accuracy"] |= {"value": 0.511, "low": 0.5, "high": 0.522}

    text = told(ledger)

    assert "\\[60,0 ; 62,2\\]], [51,1 % \\[50,0 ; 52,2\\]]," in text
    rows = text.partition("[Toutes les photos]")[2].partition("caption:")[0]
    order = ["Lite0, PyTorch", "Lite0 (sonde)", "(micro, de zéro)", "Titre et description]"]
    places = [rows.index(name) for name in order]
    assert places == sorted(places)
    assert re.search(r"\[Titre et description\], \[[^–]+\], \[–\], \[–\], \[–\]", rows)


def test_what_the_text_adds_is_told_with_both_gaps(ledger):
    values, verdicts = ledger["values"], ledger["verdicts"]
    pairs = ("text-title-description.efficientnet-lite0-probe",
             "text-and-image.text-title-description")  # fmt: skip
    for pair, value in zip(pairs, (0.071, 0.012), strict=True):
        values[f"oof_gap.{pair}.accuracy"] |= {"value": value, "low": -0.5, "high": 0.5}
    verdicts["text_against_image"]["text"] = "le texte devance la photo"
    verdicts["image_helps_text"]["text"] = "elle ne change rien"

    text = told(ledger)

    assert "un texte, le texte devance la photo (\\+7,1 points" in text
    assert "La photo en plus du texte : elle ne change rien (\\+1,2 point " in text


def test_all_that_it_cites_is_a_reference_of_the_book(ledger):
    asked = set(re.findall(r'work\("(\w+)"\)', (PAGES / "note.typ").read_text(encoding="utf-8")))

    cited = set(re.findall(r"#cite\(<(\w+)>\);", note.source(ledger)))

    assert len(asked) > 5
    assert cited == asked


def test_it_lists_the_references_that_it_cites_and_no_other(ledger, miniature):
    def listed(cited="One", other="Another", eprint="1905.11946"):
        miniature.write(
            "book/references.bib",
            f"@misc{{tan2019efficientnet,\n  author = {{Tan, M.}},\n  title  = {{{cited}}},\n"
            f"  eprint = {{{eprint}}}\n}}\n@misc{{other,\n  title = {{{other}}}\n}}\n",
        )
        return note.pdf(ledger)

    first = listed()

    assert listed(other='A "title"') == first
    assert listed(cited="Two") != first
    assert listed(eprint="1905.11947") != first


def test_its_prose_has_french_spaces_and_its_drawings_keep_theirs(ledger):
    text = note.source(ledger)

    assert "à 95\N{NARROW NO-BREAK SPACE}%" in text
    assert 'viewBox=\\"0 0 640 ' in text


def test_a_note_that_is_too_long_is_refused(ledger, monkeypatch):
    monkeypatch.setattr(note, "PAGES", 2)

    with pytest.raises(note.NoteError, match="at most 2 pages, found"):
        note.pdf(ledger)


def test_every_number_that_it_cites_changes_with_the_ledger(ledger, undated, monkeypatch):
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

    assert "12,3 % \\[5,0 ; 23,5\\]" in told(ledger)
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


def test_any_key_but_those_of_the_data_may_be_missing(ledger, undated):
    one_recipe = ledger_view.LedgerView(ledger).recipes()[0]
    beginnings = (
        f"{one_recipe}.", "gap.", "power.", "poc_gap.", "trial.",
        "recommended.",
    )  # fmt: skip
    values = [
        key
        for key in ledger["values"]
        if key.startswith(beginnings) or re.fullmatch(r"oof(_gap)?\..+\.accuracy", key)
    ]
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

    text = told(ledger)

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

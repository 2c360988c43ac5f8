"""Reading notes are written alike, name what exists, and are read again in time."""

import re
from datetime import date

import pytest

from vitrine import paths
from vitrine.book import inserts, reading_notes
from vitrine.book.checks import BookError
from vitrine.book.reading_notes import ReadingError
from vitrine.cli import report

NOTE = """# Notes

Un mot d’abord.

## Une part

### Un titre

- référence : hk24
- date : 2024-07
- statut : relu (CVPR 2025)
- code : MIT
- poids : aucun
- vérifié : les réponses (`notebooks/01_page.py`) ; la vitesse (`runs/ledger.json`)
- lu : 2026-11-25
- à revoir : 2027-01-01

Une première ligne.
Une seconde.
"""
BIB = """@misc{hk24, author={Hatamizadeh, Ali}, title={MambaVision}, year={2024},
  eprint={2407.08083}}
@misc{other, author={Other, Ann}, title={Other}, year={1993}}
"""


@pytest.fixture
def written(miniature):
    """Write the notes, changed or not, beside what they name."""

    def write(old="", new=""):
        assert old in NOTE
        miniature.notebook("01_page", "")
        miniature.write("_toc.yml", "format: jb-book\nroot: notebooks/01_page\n")
        miniature.write("book/references.bib", BIB)
        miniature.write(reading_notes.FILE, NOTE.replace(old, new, 1) if old else NOTE)
        return miniature.root

    return write


def test_a_note_is_read_with_its_fields_its_part_and_its_lines(written):
    (note,) = reading_notes.read(written())

    assert (note.theme, note.title, note.key, note.line) == ("Une part", "Un titre", "hk24", 7)
    assert (note.published, note.status) == ("2024-07", "relu (CVPR 2025)")
    assert (note.code, note.weights, note.verified) == ("MIT", "aucun", True)
    assert (note.read, note.review) == (date(2026, 11, 25), date(2027, 1, 1))
    assert note.text == ("Une première ligne.", "Une seconde.")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- code : MIT\n", "", "the field « - code : … »"),
        ("- code : MIT\n- poids : aucun\n", "- poids : aucun\n- code : MIT\n", "« - code : … »"),
        ("- code : MIT", "- code : ", "the field « - code : … »"),
        ("référence : hk24", "référence : absent", "a reference of book/references.bib"),
        ("date : 2024-07", "date : 2024-13", "a date such as 2024-07"),
        ("date : 2024-07", "date : 2024-08", "the date 2024-07, as the arXiv identifier says"),
        ("relu (CVPR", "lu (CVPR", "a status among relu"),
        ("lu : 2026-11-25", "lu : hier", "a day such as 2026-11-25 in « lu »"),
        ("revoir : 2027-01-01", "revoir : 2026-11-25", "a review after the reading"),
        ("notebooks/01_page.py", "notebooks/02_absent.py", "a file of the repository"),
        ("les réponses (`notebooks/01_page.py`) ; la vitesse (`runs/ledger.json`)", "tout",
         "« rien », or what was verified with its file"),
        ("Une première ligne.\nUne seconde.\n", "", "one to 3 lines of text"),
        ("Une première ligne.\n", "Une.\nDeux.\nTrois.\n", "one to 3 lines of text"),
        ("## Une part\n", "", "a part, ## and its title"),
        ("## Une part\n", "## Vide\n\n## Une part\n", "a note under « Vide »"),
    ],
)  # fmt: skip
def test_a_malformed_note_is_refused_with_its_line_and_what_is_expected(written, old, new, said):
    root = written(old, new)

    with pytest.raises(ReadingError) as refusal:
        reading_notes.read(root)

    assert re.match(r"ressources/RESEARCH\.md:\d+: expected ", str(refusal.value))
    assert said in str(refusal.value)


def test_a_reference_has_one_note(written):
    root = written()
    note = NOTE[NOTE.index("### ") :]
    (root / reading_notes.FILE).write_text(NOTE + "\n" + note, encoding="utf-8")

    with pytest.raises(ReadingError, match="one note a reference, found a second one for hk24"):
        reading_notes.read(root)


def test_a_copy_without_the_files_that_notes_name_can_be_read(written):
    root = written("notebooks/01_page.py", "tests/test_absent.py")

    assert len(reading_notes.read(root, files=False)) == 1


@pytest.mark.parametrize(("today", "late"), [((2027, 1, 1), 0), ((2027, 1, 2), 1)])
def test_a_note_is_late_from_the_day_after_its_review(written, today, late):
    notes = reading_notes.read(written())

    assert len(reading_notes.overdue(notes, date(*today))) == late


def test_a_page_is_filled_with_the_notes_and_leads_to_the_notebooks(written):
    root = written()
    page = (
        "Le <!-- lectures : date -->.\n\n<!-- lectures : tableau -->\n\n<!-- lectures : notes -->"
    )

    filled = inserts.fill(page, root)

    assert filled.startswith("Le 25 novembre 2026.")
    assert "| Un titre {cite:p}`hk24` | relu | MIT | aucun | oui | 1er janvier 2027 |" in filled
    assert "### Une part\n\nUn titre\n: Une première ligne. Une seconde.\n" in filled
    assert "les réponses ({doc}`../notebooks/01_page`) ; la vitesse (`runs/ledger.json`)." in filled
    assert "<!--" not in filled


def test_a_note_that_no_chapter_verifies_stays_in_the_table(written):
    readings = reading_notes.read(written("`notebooks/01_page.py`", "`runs/ledger.json`"))
    readings += reading_notes.read(written(" les réponses (`notebooks/01_page.py`) ;", ""))

    assert reading_notes.notes(readings) == ""
    assert reading_notes.table(readings).count("Un titre") == 2


@pytest.mark.parametrize(
    ("licence", "shown"), [("MIT (non vérifié)", "MIT ?"), ("non vérifié", "?"), ("MIT", "MIT")]
)
def test_a_licence_that_we_have_not_read_has_a_question_mark(written, licence, shown):
    readings = reading_notes.read(written("code : MIT", f"code : {licence}"))

    assert f"| relu | {shown} | aucun |" in reading_notes.table(readings)


def test_a_comment_that_is_no_insert_is_left_alone(written):
    assert inserts.fill("<!-- résultats -->", written()) == "<!-- résultats -->"


def test_the_tracked_notes_are_well_formed_and_many_enough():
    notes = reading_notes.read(paths.root())

    assert len(notes) >= 25
    assert all(100 < sum(map(len, note.text)) < 600 for note in notes)
    assert sum(note.verified for note in notes) >= 10


def test_the_check_of_the_report_warns_of_a_late_note_and_goes_on(written, monkeypatch, capsys):
    written("revoir : 2027-01-01", "revoir : 2026-11-26")
    monkeypatch.setattr(reading_notes, "overdue", lambda notes, today: list(notes))
    monkeypatch.setattr("vitrine.report.ledger.check", lambda: None)
    monkeypatch.setattr("vitrine.book.checks.states", dict)
    monkeypatch.setattr("vitrine.book.checks.check_notebooks", lambda: None)

    report.check()

    said = capsys.readouterr()
    assert said.err == (
        "warning: ressources/RESEARCH.md:7: expected hk24 to be read again by 2026-11-26; do so, "
        "then move its dates\n"
    )
    assert said.out == "the published report is consistent\n"


def test_the_check_of_the_report_names_a_slip_of_typography(written, monkeypatch, capsys):
    root = written()
    (root / "book" / "page.md").write_text("Un mot...\n", encoding="utf-8")
    monkeypatch.setattr("vitrine.report.ledger.check", lambda: None)
    monkeypatch.setattr("vitrine.book.checks.states", dict)
    monkeypatch.setattr("vitrine.book.checks.check_notebooks", lambda: None)

    with pytest.raises(BookError, match="no fault in the prose, found 1"):
        report.check()

    assert "page.md:1: expected the ellipsis …, found '...'" in capsys.readouterr().err


def test_what_was_verified_in_a_chapter_is_cited_there():
    named = {
        note.key: re.findall(r"`(notebooks/[^`]+)`", note.checked) for note in reading_notes.read()
    }

    astray = [
        key
        for key, chapters in named.items()
        if chapters and not any(key in (paths.root() / c).read_text("utf-8") for c in chapters)
    ]

    assert len([key for key, chapters in named.items() if chapters]) >= 10
    assert astray == []

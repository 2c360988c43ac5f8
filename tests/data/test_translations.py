import ast
from pathlib import Path
from string import Formatter, Template

import pytest

from vitrine.data import project, translations
from vitrine.data.dataset import LANGUAGES
from vitrine.data.translations import catalogue, said
from vitrine.report import own

SPOKEN = "_say", "_table"
"""Methods of the report whose texts are keys of messages."""


def forms(message):
    """Return each text of a message: its singular alone, or all its plural forms."""
    return [message.string] if isinstance(message.string, str) else list(message.string)


def braces(text):
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


def asked_by_the_report():
    """Return the texts given to what looks a message up."""
    called = [
        node
        for node in ast.walk(ast.parse(Path(own.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in SPOKEN
    ]
    given = [text for node in called for text in node.args]
    return {
        text.value
        for each in given
        for text in ast.walk(each)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    }


def asked_by_the_pages():
    """Return what the templates ask for, of what is no fact of the project."""
    pages = (path for path in (project.TEMPLATES / "common").rglob("*") if path.is_file())
    asked = {
        name
        for path in pages
        for name in Template(path.read_text(encoding="utf-8")).get_identifiers()
    }
    return asked.union(project.PARTED.values()) - {"name", "quoted", "language"}


def test_every_language_has_the_same_messages_with_the_same_braces_and_none_is_empty():
    of = {
        language: {each.id: each for each in catalogue(language) if each.id}
        for language in LANGUAGES
    }

    french, english = of["fr"], of["en"]
    assert set(LANGUAGES) == {path.stem for path in translations.FOLDER.glob("*.po")}
    assert list(french) == list(english) and len(french) > 30
    for key in french:
        told = [forms(each[key]) for each in (french, english)]
        assert all(text.strip() for texts in told for text in texts), key
        assert len({frozenset(braces(text)) for texts in told for text in texts}) == 1, key
    assert not any(each.fuzzy for messages in of.values() for each in messages.values())


def test_every_message_is_used_and_every_one_used_is_there():
    there = {
        each.id if isinstance(each.id, str) else each.id[0] for each in catalogue("fr") if each.id
    }

    assert asked_by_the_report() | asked_by_the_pages() == there


@pytest.mark.parametrize(
    ("language", "count", "told"),
    [
        ("fr", 0, "0 autre catégorie"),
        ("fr", 1, "1 autre catégorie"),
        ("fr", 2, "2 autres catégories"),
        ("en", 0, "0 other classes"),
        ("en", 1, "1 other class"),
        ("en", 2, "2 other classes"),
    ],
)
def test_a_count_has_the_plural_of_its_language(language, count, told):
    assert said(language, "others", count) == told

"""What the page says: each French sentence of the code has its English, and no other has one."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from vitrine.data import dataset, pictures
from vitrine.metrics.panel import METRICS
from vitrine.serving import card, predictor, speech
from vitrine.serving.speech import Speech

SERVING = Path(speech.__file__).parent
MODULES = [*SERVING.glob("*.py"), *(SERVING / "ui").glob("*.py")]
SCRIPTS = list((SERVING / "ui").glob("*.js"))
FRENCH = re.compile("[àâçéèêëîïôûùœ’]", re.IGNORECASE)
ELSEWHERE = {
    "words.classes", "words.outside", "word", "model.licence", "card.licence", "row.product_name",
    "METRICS[name].heading",
}  # fmt: skip
"""What is said that the code does not write: of cards, of metrics and of free pictures."""


def calls(tree):
    """Return the first argument of each call of what says."""
    return [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("say", "_say")
    ]


def asked():
    """Return the texts that the code says, and the source of those that it does not write."""
    given = [node for path in MODULES for node in calls(ast.parse(path.read_text("utf-8")))]
    written = {node.value for node in given if isinstance(node, ast.Constant)}
    in_scripts = {
        text
        for path in SCRIPTS
        for text in re.findall(r'\bsay\("(.*?)"\)', path.read_text("utf-8"))
    }
    other = {ast.unparse(node) for node in given if not isinstance(node, ast.Constant)}
    return written | in_scripts, other


def told_elsewhere():
    """Return what the cards of the package, the metrics and the free photos say."""
    words = (card.Words(), card.Words(**dataset.read(dataset.PUBLISHED).words))
    licences = {card.read(folder)[0].licence for folder in predictor.shipped().values()}
    titles = {picture.title for picture in pictures.photos()}
    headings = {metric.heading for metric in METRICS.values()}
    return {text for each in words for _, text in each} | licences | titles | headings


def braces(text):
    return sorted(field for _, field, _, _ in Formatter().parse(text) if field is not None)


def test_every_sentence_has_its_english_and_every_english_is_that_of_one():
    written, other = asked()

    assert len(written) > 100 and other == ELSEWHERE
    assert written | told_elsewhere() == set(speech._english())


def test_an_english_sentence_has_the_braces_of_the_french_and_no_space_of_its_own():
    for french, english in speech._english().items():
        assert english.strip() and braces(french) == braces(english), french
        assert not re.search("[\u00a0\u202f]| [:;!?%]", english), english
        assert not FRENCH.search(english.replace("’", "")), english


def test_no_french_is_written_but_in_what_says_it():
    """Docstrings and column names aside: an accent elsewhere would be read by all visitors."""
    found = set()
    for path in (SERVING / "ui").glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        said = {id(node) for call in calls(tree) for node in ast.walk(call)}
        alone = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        found |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            and id(node) not in said | alone and FRENCH.search(node.value)
        }  # fmt: skip
    for path in SCRIPTS:
        left = re.sub(r'\bsay\(".*?"\)|//.*', "", path.read_text("utf-8"))
        found |= set(FRENCH.findall(left))

    assert found == {"Catégorie"}  # a column of dataset_dashboard.csv


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("fr", ["97,3\u202f%", "25\u202f%", "1\u202f234", "0,75", "2,5", "sept", "13"]),
        ("en", ["97.3%", "25%", "1,234", "0.75", "2.5", "7", "13"]),
    ],
)
def test_numbers_are_those_of_the_language(language, told):
    say = Speech(language)

    assert [
        say.percent(0.973), say.percent(0.25, 0), say.number(1234), say.number(0.75, 2),
        say.significant(2.5), say.count(7), say.count(13),
    ] == told  # fmt: skip


def test_a_text_keeps_its_facts_as_they_are_and_one_of_elsewhere_its_braces():
    french, english = Speech("fr"), Speech("en")

    assert french("Photo : {name}", name="a : b") == "Photo\u00a0: a : b"
    assert english("Photo : {name}", name="a : b") == "Photo: a : b"
    assert english("sortes {0} d’objets") == "sortes {0} d’objets"


def test_a_script_says_what_its_calls_name():
    source = 'button(say("Fermer"), say("Photo : {name}"), essay("Fermer"), "Fermer");'

    assert Speech("en").script(source) == (
        'button("Close", "Photo: {name}", essay("Fermer"), "Fermer");'
    )
    assert '"Photo\u00a0: {name}"' in Speech("fr").script(source)

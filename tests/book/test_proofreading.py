"""What readers are given to read is French, and printed as French is."""

import pytest

from vitrine import paths
from vitrine.book import proofreading


@pytest.fixture
def page(tmp_path):
    def write(text):
        path = tmp_path / "page.md"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l'image", "the apostrophe ’"),
        ('un "mot" cité', "guillemets « »"),
        ("un “mot” cité", "guillemets « »"),
        ("et ainsi de suite...", "the ellipsis …"),
        ("Pourquoi? Parce que.", "a space before ; ! ?"),
        ("d’abord; ensuite", "a space before ; ! ?"),
        ("Voici: un mot", "a space before :"),
        ("15% des photos", "a space before %"),
        ("un «mot » cité", "a space inside « »"),
        ("un « mot» cité", "a space inside « »"),
        ("un mot - un autre", "a dash –, a colon or a comma"),
        ("A partir de là", "À"),
        ("Un mot. A la fin, un autre.", "À"),
        ("Etat de l’art", "an accent on the capital"),
        ("la vue d’ensemble du coeur", "the letter œ"),
    ],
)
def test_a_slip_of_typography_is_found(page, text, expected):
    (slip,) = proofreading.slips(page(f"# Titre\n\n{text}\n"))

    assert (slip.line, slip.expected) == (3, expected)
    assert str(slip).startswith(f"{slip.path}:3: expected {expected}, found ")


@pytest.mark.parametrize(
    "text",
    [
        "Pourquoi ? Parce que : un, deux ; trois… « quatre » à 5 %.",
        "Le code `a'b; c: \"d\"...` et la formule $f'(x): 5%$.",
        '```python\nprint("l\'image"); a: int\n```',
        "Selon {cite:p}`a,b` et {doc}`c <d>` : oui.",
        "| Nombre | Mot |\n|--:|:--|\n| 1 | un |",
        "terme (*from scratch; yes*)\n: une définition",
        "À 10:30, voir https://example.org/a:b?c.",
        "<!-- l'image; -->\n% A la fin",
        "État, À la fin, Ça, cœur, œuvre.",
        ":::{dessin} xyz\n:name: fig-xyz\n:alt: Deux courbes.\nUne légende.\n:::",
    ],
)
def test_what_is_well_printed_or_no_prose_is_left_alone(page, text):
    assert proofreading.slips(page(f"# Titre\n\n{text}\n")) == []


@pytest.mark.parametrize(
    "word", ["exactitudde", "Préentrainement", "d’entrainement", "sur-aprentissage", "trainig"]
)
def test_a_wrong_word_is_found_with_its_line(page, known, word):
    (slip,) = proofreading.misspelt(page(f"# Titre\n\nUn mot,\npuis {word} ici.\n"), known)

    assert (slip.line, slip.text) == (4, word)


@pytest.mark.parametrize(
    "text",
    [
        "L’exactitude qu’il n’a pas, aujourd’hui, jusqu’à l’œuvre.",
        "EfficientNet-B0, ResNet-50, HOG, CPU, PyTorch et MobileViTv2.",
        "Le surapprentissage d’un transformeur préentraîné ; Réentraîner.",
        "Un `trainig`, $trainig$ et {valeur}`trainig`, terme (*trainig*).",
        "C’est-à-dire semi-séparable, peut-être.",
    ],
)
def test_french_names_acronyms_and_code_pass(page, known, text):
    assert proofreading.misspelt(page(text), known) == []


def test_a_citation_does_not_hide_the_prose_that_follows_it(page, known):
    text = "Selon {cite:p}`hk24`, un trainig. Puis l'image et `du code`.\n"

    assert "un trainig" in proofreading.blank(text)
    assert [slip.text for slip in proofreading.misspelt(page(text), known)] == ["trainig"]
    assert [slip.expected for slip in proofreading.slips(page(text))] == ["the apostrophe ’"]


def test_captions_and_alternative_texts_are_read_too(miniature, known):
    source = miniature.notebook(
        "01_page",
        '# %% mystnb={"figure": {"caption": "Un trainig"}, "image": {"alt": "Deux..."}}\n1\n',
    )

    assert [slip.text for slip in proofreading.misspelt(source, known)] == ["trainig"]
    assert [slip.expected for slip in proofreading.slips(source)] == ["the ellipsis …"]


def test_the_list_of_terms_is_in_order_and_holds_no_word_of_the_dictionary(dictionary, terms):
    assert sorted(set(terms)) == terms
    assert [term for term in terms if dictionary.lookup(term)] == []


@pytest.mark.parametrize(
    "path", proofreading.files(), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_the_prose_of_the_repository_is_french_and_printed_as_french(path, known):
    found = [*proofreading.slips(path), *proofreading.misspelt(path, known)]

    assert [str(slip) for slip in found] == []


def test_the_whole_repository_is_read():
    read = {path.name for path in proofreading.files()}

    assert {"introduction.md", "RESEARCH.md", "05_comparaison.py"} <= read
    assert len(read) >= 17
    assert paths.root() / "book" / "veille.md" in proofreading.files()

"""The prose pages say what the code does, cite what exists, and list what is announced."""

import re

import pytest
import yaml
from pybtex.database import parse_file

from vitrine import paths
from vitrine.book import reading_notes, sources
from vitrine.book.french import fold
from vitrine.data.catalog import CLASSES_FR
from vitrine.report.ledger import equal_start, mixers
from vitrine.report.ledger.measures import COMPARISONS
from vitrine.training.recipes import RECIPES, find

BOOK = paths.root() / "book"
CHAPTERS = [*sorted(BOOK.glob("*.md")), *sorted(paths.notebooks().glob("[0-9]*.py"))]
LISTS = ("ecarts", "glossaire", "introduction", "references", "seuils")
"""Pages that are no chapter: the first one, and lists."""
UNBOUND = ("01_du_papier_au_code", "accessibilite", "reproduire")
"""Chapters that say how: one computes on its page all that it retains, two have no result."""
ROWS = {
    "Côté de l’image (px)": "image_size",
    "Époques": "epochs",
    "Images par pas": "batch_size",
    "Taux d’apprentissage maximal": "learning_rate",
    "Époques de montée en régime": "warmup_epochs",
    "Décroissance des poids": "weight_decay",
    "Lissage des étiquettes": "label_smoothing",
    "Dropout avant la tête": "drop_rate",
    "Profondeur stochastique": "drop_path_rate",
    "Part minimale gardée par le recadrage": "crop_scale",
    "Variation des couleurs": "jitter",
}


def test_the_contents_have_three_parts_and_every_page_results_before_the_theory():
    contents = yaml.safe_load((paths.root() / "_toc.yml").read_text(encoding="utf-8"))
    parts = {part["caption"]: [c["file"] for c in part["chapters"]] for part in contents["parts"]}
    pages = [contents["root"], *(page for files in parts.values() for page in files)]

    assert [caption.split(".")[0] for caption in parts] == ["I", "II", "III"]
    assert sorted(page.split("/")[1] for page in pages) == sorted(path.stem for path in CHAPTERS)
    assert sources.names()[0] == "02_donnees"
    assert pages.index("notebooks/05_comparaison") < pages.index("notebooks/00_espaces_d_etat")


def test_a_published_run_is_told_to_be_made_again_apart():
    lines = (BOOK / "reproduire.md").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    commands = [
        line for line in lines if re.search(r"^(torchrun .*)?vitrine (train|pretrain|sweep) ", line)
    ]
    published = {path.parent.parent.name for path in paths.runs().rglob("seed-*/run.json")}

    assert len(commands) > 8
    for command in commands:
        named = {name for word in command.split() if (name := word.partition("=")[0]) in RECIPES}
        assert named and ("--retrain" in command.split()) == (named <= published)


def table(page, header, place=0):
    """Return the cells of a table of a page, the first that starts with this header or a next."""
    lines = (BOOK / page).read_text(encoding="utf-8").splitlines()
    start = [number for number, line in enumerate(lines) if line == header][place] + 2
    end = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]


def prose(path):
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(c.source for c in sources.read(path).cells if c.cell_type == "markdown")


@pytest.mark.parametrize(
    "recipe", ["efficientnet-b0-keras-scratch", "efficientnet-b0-torch-scratch"]
)
def test_the_protocol_states_the_recipe_that_runs(recipe):
    stated = {name: float(value.replace(",", ".")) for name, value in table(
        "protocole_detail.md", "| Choix | Valeur |"
    )}  # fmt: skip

    assert stated == {name: getattr(find(recipe), field) for name, field in ROWS.items()}
    assert find(recipe).patience == 0 and find(recipe).flip


@pytest.mark.parametrize(
    ("page", "place", "made"),
    [
        ("protocole.md", 0, COMPARISONS),
        ("protocole_detail.md", 0, equal_start.COMPARISONS),
        ("protocole_detail.md", 1, mixers.COMPARISONS),
    ],
)
def test_the_protocol_announces_the_comparisons_that_are_made(page, place, made):
    announced = {(b.strip("`"), a.strip("`")) for a, b, _ in table(
        page, "| Candidate | Contre | Question |", place
    )}  # fmt: skip

    assert announced == set(made)


def test_the_protocol_names_recipes_that_exist():
    rows = table("protocole.md", "| Recette | Ce que c’est | Ce que nous voulons savoir |")
    named = [re.findall("`([^`]+)`", row[0]) for row in rows]

    assert all(named)
    assert {name for names in named for name in names} <= set(RECIPES)


def test_every_reference_has_an_address_or_an_identifier_and_is_cited():
    library = parse_file(str(BOOK / "references.bib")).entries
    noted = {note.key for note in reading_notes.read()}
    cited = {
        key.strip()
        for path in CHAPTERS
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", prose(path))
        for key in keys.split(",")
    }
    # Elkan's paper of 2001 has neither; its place in the proceedings is given.
    bare = {
        key for key, entry in library.items() if not {"doi", "eprint", "url"} & set(entry.fields)
    }

    assert cited <= set(library)
    assert set(library) <= cited | noted
    assert bare <= {"elkan2001foundations"}


def test_the_need_names_the_seven_categories_as_the_data_and_the_screens_do():
    named = {row[0]: row[1] for row in table(
        "besoin.md", "| Dans les données | En français | Ce qui la rend difficile |"
    )}  # fmt: skip

    assert named == CLASSES_FR


def test_the_protocol_declares_the_one_setting_that_differs():
    text = (BOOK / "protocole_detail.md").read_text(encoding="utf-8")
    scratch = [recipe for recipe in RECIPES.values() if recipe.name.endswith("-scratch")]
    torch = {r.name: r.norm_momentum for r in scratch if r.trainer == "torch"}

    assert torch["efficientnet-b0-torch-scratch"] == 0.01 and "celle de Keras**, 0,01" in text
    assert torch["mambavision-micro-scratch"] == 0 and "la valeur de PyTorch**, 0,1" in text


def test_the_glossary_is_in_alphabetical_order():
    text = (BOOK / "glossaire.md").read_text(encoding="utf-8")
    terms = re.findall(r"^(?!\s|:::|#|\*)(\S.*?)(?: \(.*|, .*)?\n  \S", text, re.MULTILINE)
    plain = [fold(term) for term in terms]

    assert len(terms) > 30
    assert plain == sorted(plain)


@pytest.mark.parametrize(
    "path", [p for p in CHAPTERS if p.stem not in LISTS], ids=lambda path: path.stem
)
def test_each_chapter_opens_with_its_question_and_closes_with_its_doubts(path):
    opening = re.match(r"# [^\n]+\n\n\*\*[^*]+\?\*\*(.+?)\n\n", prose(path).strip(), re.DOTALL)

    assert opening is not None
    answer = re.sub(r"\{[\w:-]+\}`[^`]*`", "", opening[1])
    assert len(re.findall(r"[.!?…](?=\s|$)", answer)) == 2, "the answer is not in two sentences"
    headings = re.findall(r"^## (.+)", prose(path), re.MULTILINE)
    assert headings[-2:] == ["Ce que nous retenons", "Ce qui pourrait être faux"]


NOTEBOOKS = sorted(paths.notebooks().glob("[0-9]*.py"))
EXERCISE = re.compile(r"^\*\*(?:[12]\. |Exercice)|^:::\{admonition\} Exercice", re.MULTILINE)
LONGEST = 12
"""Lines of a cell."""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_with_what_one_will_know_and_the_time_it_takes(path):
    opening = prose(path).strip().split("\n\n")[1]
    last = re.split(r"(?<=[.?])\s", " ".join(opening.split()))[-1]

    assert re.match(r"(En [\w-]+ minutes, vous saurez|Vous saurez en [\w-]+ minutes) ", last)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_asks_two_or_three_exercises_each_with_a_folded_solution(path):
    cells = sources.read(path).cells
    asked = [n for n, cell in enumerate(cells) if EXERCISE.search(cell.source)]

    assert 2 <= len(asked) <= 3
    for place in asked:
        solution = cells[place + 1]
        assert solution.cell_type == "code" and solution.metadata["tags"] == ["hide-cell"]
        assert len([line for line in solution.source.splitlines() if line.strip()]) <= LONGEST


def test_a_cell_that_answers_yes_or_no_to_itself_is_off_the_page():
    cells = [cell for path in NOTEBOOKS for cell in sources.read(path).cells]

    checks = [cell for cell in cells if '"oui" if' in cell.source]

    assert checks
    assert all("remove-cell" in cell.metadata["tags"] for cell in checks)


@pytest.mark.parametrize(
    "path", [p for p in CHAPTERS if p.stem not in (*LISTS, *UNBOUND)], ids=lambda path: path.stem
)
def test_what_a_chapter_retains_is_bound_to_the_ledger(path):
    retained = prose(path).partition("## Ce que nous retenons")[2]

    assert re.search(r"\{(?:valeur|verdict)[\w:-]*\}`", retained.partition("\n## ")[0])

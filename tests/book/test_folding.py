"""What a page shows of the code of its notebook."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from vitrine.book.folding import fold


def cell(source, *tags, printed=""):
    outputs = [new_output("stream", text=printed)] if printed else []
    return new_code_cell(source, metadata={"tags": list(tags)}, outputs=outputs)


def shown(*cells):
    """Return, of each code cell that a page shows, its source and the tags it was given."""
    folded = fold(new_notebook(cells=list(cells))).cells
    return [
        (each.source, each.metadata.tags[-1:])
        for each in folded
        if each.cell_type == "code" and "remove-cell" not in each.metadata.tags
    ]


def test_code_is_folded_above_its_output_with_that_of_the_silent_cells_before_it():
    cells = [cell("a = 1"), new_markdown_cell("Puis."), cell("b = 2"), cell("a + b", printed="3")]

    assert shown(*cells, cell("c = 3")) == [
        ("a = 1\n\nb = 2\n\na + b", ["hide-input"]),
        ("c = 3", ["hide-input"]),
    ]


def test_code_that_is_the_subject_of_its_section_stays_in_the_open_and_takes_no_other():
    cells = [cell("a = 1"), cell("step()", "keep-input", printed="3"), cell("b", printed="4")]

    assert shown(*cells) == [
        ("a = 1", ["hide-input"]), ("step()", ["keep-input"]), ("b", ["hide-input"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "checking",
    [
        cell("x", "check", printed="12 lignes"),
        cell("x", "nbval-check-output", printed="mêmes nombres : oui\n\net rognés : False\n"),
        cell("x", "nbval-check-output", printed="{'Δ = 0,02': True, 'Δ = 0,1': True}\n"),
    ],
)
def test_a_cell_that_only_checks_shows_nothing_and_lets_code_through(checking):
    assert shown(cell("a = 1"), checking, cell("a", printed="1")) == [
        ("a = 1\n\na", ["hide-input"])
    ]


@pytest.mark.parametrize(
    "told",
    [
        cell("x", "nbval-check-output", printed="égaux : oui\nparamètres : 4016515"),
        cell("x", printed="égaux : oui"),
        cell("x", "nbval-check-output"),
    ],
)
def test_a_cell_that_tells_something_else_is_shown(told):
    assert [source for source, _ in shown(told)] == ["x"]


def test_a_hidden_cell_is_the_solution_of_an_exercise():
    (solution,) = fold(new_notebook(cells=[cell("2 * delta", "hide-cell")])).cells

    assert solution.metadata.mystnb["code_prompt_show"] == "Montrer une solution"
    assert solution.metadata.tags == ["hide-cell"]

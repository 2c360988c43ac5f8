import pytest

from vitrine.book.ledger_view import refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{valeur}`b0.macro_f2`", "found 'b0.macro_f2'; near it are b0.macro_f1"),
        ("{valeur:ecart-ic}`gone`", "found 'gone'; declare it"),
        ("{valeur:ic}`b0.smoke`", "found profile 'smoke'"),
        ("{verdict}`wrong`", "expected the verdict 'wrong' to hold"),
        ("{verdict}`gap`", "expected a key of verdicts"),
    ],
)
def test_what_may_not_be_cited_is_told_with_its_file_and_line(miniature, text, reason):
    miniature.write("book/page.md", f"# Titre\n\nUn début,\npuis {text}.\n")

    (found,) = refused()

    assert found.startswith("book/page.md:4: expected")
    assert reason in found


def test_notebooks_are_read_too_and_what_may_be_cited_is_left_alone(miniature):
    miniature.write("book/page.md", "{valeur}`b0.macro_f1`, {verdict}`even`, ``{valeur}`x` ``\n")
    source = miniature.notebook("01_page", "# %% [markdown]\n# Ici {valeur:ecart}`lost`.\n")

    (found,) = refused()

    line = source.read_text().splitlines().index("# Ici {valeur:ecart}`lost`.") + 1
    assert found.startswith(f"notebooks/01_page.py:{line}: expected a key")

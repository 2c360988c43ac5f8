import pytest

from vitrine.book.proofreading import lint, typed_results


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Le score est de 78,9 % sur le test.", ["78,9 %"]),
        ("Un écart de 3 points, ou 1,5\u00a0point.", ["3 points", "1,5\u00a0point"]),
        ("Il traite 1\u202f234 images/s en 12 ms.", ["1 234 images/s", "12 ms"]),
        ("```{note}\nOn gagne 5 %.\n```", ["5 %"]),
        ("| Réseau | 81 % |", ["81 %"]),
        ("Selon {cite}`hk24`, 82 %. Ici, 79 %.", ["79 %"]),
        ("Soit **84,8** %, ou 84,8&nbsp;%.", ["84,8** %", "84,8&nbsp;%"]),
        ("Vingt, soit 84,8 pour cent, 5 pts, 5 pp.", ["84,8 pour cent", "5 pts", "5 pp"]),
        ("Il en lit 120 images par seconde.", ["120 images par s"]),
    ],
)
def test_a_result_typed_in_prose_is_found(tmp_path, text, found):
    page = tmp_path / "page.md"
    page.write_text(f"# Titre\n\n{text}\n", encoding="utf-8")

    assert [" ".join(f.text.split()) for f in typed_results(page)] == [
        " ".join(t.split()) for t in found
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Le score est de {valeur}`b0.macro_f1`, soit {valeur:ecart}`gap`.",
        "L'intervalle à 95 % de confiance, avec un IC 95 %.",
        "15 % des photos au test.",
        "D'après {cite:t}`hk24`, on obtient 82,7 % en 2,1 ms.",
        "```python\nprint('12 %')\n```",
        "La formule $p = 5\\%$ et le code `12 %`.",
        "* Il y en a 3\n* points de vue",
        "Les 7 catégories, les 1050 photos, 224 px, en 2024.",
        "<!-- 12 % -->\n% 13 %",
    ],
)
def test_what_is_not_a_typed_result_is_left_alone(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(f"# Titre\n\n{text}\n", encoding="utf-8")

    assert typed_results(page) == []


def test_a_finding_names_the_file_the_line_and_the_text(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Titre\n\nUn début,\npuis 12 % ici.\n", encoding="utf-8")

    (finding,) = typed_results(page)

    assert finding.line == 4
    assert str(finding).startswith(f"{page}:4: expected a number of the ledger, found '12 %'")


def test_notebooks_are_read_in_their_prose_captions_and_alt_texts_but_not_in_their_code(miniature):
    source = miniature.notebook(
        "01_page",
        "# %% [markdown]\n# Ici,\n# 12 % de trop.\n\n"
        '# %% mystnb={"figure": {"caption": "Un gain de 3 points"}, "image": {"alt": "4 %"}}\n'
        'print("99 %")\n',
    )
    lines = source.read_text().splitlines()

    findings = lint(miniature.root)

    assert [(f.text, lines[f.line - 1][:9]) for f in findings] == [
        ("12 %", "# 12 % de"),
        ("3 points", "# %% myst"),
        ("4 %", "# %% myst"),
    ]


@pytest.mark.parametrize("marker", ["#%%", "#\t%%", "# %%"])
@pytest.mark.parametrize("above", ["", "# Un commentaire, au-dessus du premier marqueur.\n\n"])
def test_a_marker_is_what_jupytext_takes_for_one(miniature, marker, above):
    source = miniature.notebook("01_page", "# %% [markdown]\n# Ici 12 % de trop.\n")
    head, mark, cells = source.read_text().partition("# %% [markdown]\n")
    source.write_text(head + above + (mark + cells).replace("# %%", marker))
    lines = source.read_text().splitlines()

    (finding,) = lint(miniature.root)

    assert lines[finding.line - 1] == "# Ici 12 % de trop."

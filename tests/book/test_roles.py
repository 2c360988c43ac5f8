import subprocess
import sys

from bs4 import BeautifulSoup

PAGE = """# Titre : {valeur}`b0.macro_f1`

Un score de {valeur:ic}`b0.macro_f1` et un écart de {valeur:ecart}`gap`, {valeur:ecart-ic}`gap`.

| nom | valeur |
|:--|--:|
| B0 | {valeur}`b0.macro_f1` |

{verdict}`even`
"""


def sphinx(root, *options):
    (root / "conf.py").write_text(
        "extensions = ['myst_parser', 'vitrine.book.roles']\nroot_doc = 'page'\n"
        "exclude_patterns = ['runs', 'notebooks']\n"
    )
    command = [sys.executable, "-m", "sphinx", "-q", *options, ".", "out"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_numbers_are_printed_in_french_with_their_origin_and_follow_the_ledger(miniature):
    miniature.write("page.md", PAGE)

    done = sphinx(miniature.root, "-W")

    assert (done.returncode, done.stderr) == (0, "")
    html = (miniature.root / "out" / "page.html").read_text(encoding="utf-8")
    assert html.count(">78,9\u202f%</data>") >= 2
    assert ">78,9\u202f%\u00a0<wbr>[71,9\u00a0;\u00a084,6]</data>" in html
    assert ">\u22121,2\u00a0point</data>" in html
    assert ">\u22121,2\u00a0point\u00a0<wbr>[\u22125,0\u00a0;\u00a0+2,0]</data>" in html
    assert 'value="0.789"' in html and "commit : abc1234" in html and "profil : publié" in html
    assert "Les données ne départagent pas les réseaux.</span>" in html
    gap = BeautifulSoup(html, "html.parser").find("data", value="-0.0123")
    assert "intervalle à 95 % : \u22121,2\u00a0point" in gap["title"]

    ledger = miniature.root / "runs" / "ledger.json"
    ledger.write_text(ledger.read_text().replace("0.789", "0.8"))
    assert sphinx(miniature.root, "-W").returncode == 0

    assert ">80,0\u202f%</data>" in (miniature.root / "out" / "page.html").read_text("utf-8")


def test_a_citation_that_does_not_hold_stops_even_a_plain_and_a_repeated_build(miniature):
    keys = ("{valeur}`b0.typo`", "{valeur}`b0.smoke`", "{verdict}`wrong`")
    miniature.write("page.md", "# Titre\n\n" + "\n\n".join(keys) + "\n\n{valeur}`gap`\n")

    for _ in range(2):
        done = sphinx(miniature.root)

        assert done.returncode == 2
        assert (
            "page.md:3: expected a key of values in runs/ledger.json, found 'b0.typo'; declare it"
            in (done.stderr)
        )
        assert "page.md:5: expected 'b0.smoke' from the published profile" in done.stderr
        assert "page.md:7: expected the verdict 'wrong' to hold, found gap.value > 0" in done.stderr
        assert "'gap'" not in done.stderr

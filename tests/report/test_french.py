"""Numbers in French have one form wherever they are printed."""

import re
from pathlib import Path

import pytest

import vitrine
from vitrine.report import fr

SOURCE = Path(vitrine.__file__).parent
BY_HAND = re.compile(r"""replace\(\s*["']\.["'],\s*["'],["']\)|NARROW NO-BREAK""")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (fr.number(-1234.5, 1), "−1\u202f234,5"),
        (fr.number(-0.04, 1), "0,0"),
        (fr.number(3.25, 1, sign=True), "+3,2"),
        (fr.number(0.0, 1, sign=True), "0,0"),
        (fr.significant(10.0), "10"),
        (fr.significant(0.0001234), "0,000123"),
        (fr.scientific(2.06e-5), "2,1\u00a0×\u00a010⁻⁵"),
        (fr.percent(0.789), "78,9\u202f%"),
        (fr.percent(1, 0), "100\u202f%"),
        (fr.bracket("1", "2"), "[1\u00a0;\u00a02]"),
        (fr.spelled(7), "sept"),
        (fr.spelled(1300), "1\u202f300"),
    ],
)
def test_a_number_is_written_the_french_way(text, expected):
    assert text == expected


def test_no_other_module_writes_a_decimal_comma_or_names_a_narrow_space():
    files = [path for path in SOURCE.rglob("*.py") if path.name != "fr.py"]

    by_hand = {path.name for path in files if BY_HAND.search(path.read_text(encoding="utf-8"))}

    assert len(files) > 200
    assert by_hand == set()

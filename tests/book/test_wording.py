import pytest

from vitrine.book import wording
from vitrine.book.french import fold
from vitrine.report.fr import space, space_markup

THIN, WIDE, MINUS = "\u202f", "\u00a0", "\u2212"


def entry(value, unit, **more):
    return {"value": value, "unit": unit, "decimals": 1, "low": None, "high": None} | more


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (entry(0.789, "%"), f"78,9{THIN}%"),
        (entry(0.0, "%"), f"0,0{THIN}%"),
        (entry(1234567, "count", decimals=0), f"1{THIN}234{THIN}567"),
        (entry(41.26, "images/s"), f"41,3{WIDE}images/s"),
        (entry(-1.99, "points"), f"{MINUS}2,0{WIDE}point"),
        (entry(2.0, "points"), f"2,0{WIDE}points"),
        (entry(3.5, ""), "3,5"),
        (entry(3.5, None), "3,5"),
    ],
)
def test_a_value_is_written_as_french_writes_it(given, text):
    assert wording.value(given) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (entry(0.032, "%"), f"+3,2{WIDE}points"),
        (entry(-0.012, "%"), f"{MINUS}1,2{WIDE}point"),
        (entry(-0.0001, "%"), f"0,0{WIDE}point"),
        (entry(3.2, "points"), f"+3,2{WIDE}points"),
        (entry(-2.5, "s"), f"{MINUS}2,5{WIDE}s"),
    ],
)
def test_a_gap_is_signed_and_one_of_percentages_is_in_points(given, text):
    assert wording.gap(given) == text


def test_an_interval_follows_its_value_without_repeating_the_unit():
    given = entry(-0.012, "%", low=-0.05, high=0.02)

    assert wording.interval(given) == f"{MINUS}1,2{THIN}%{WIDE}[{MINUS}5,0{WIDE};{WIDE}2,0]"
    assert wording.interval(given, signed=True) == (
        f"{MINUS}1,2{WIDE}point{WIDE}[{MINUS}5,0{WIDE};{WIDE}+2,0]"
    )


def test_a_value_without_interval_cannot_print_one():
    with pytest.raises(ValueError, match="no interval"):
        wording.interval(entry(0.5, "%"))


def test_provenance_tells_the_interval_of_a_difference_in_signed_points():
    entry = {"value": 0.032, "low": -0.01, "high": 0.074, "unit": "%", "decimals": 1}

    told = wording.provenance(entry | {"signed": True})

    assert f"+3,2{WIDE}points{WIDE}[{MINUS}1,0" in told and "%" not in told.split(" : ")[-1]
    assert f"3,2{THIN}%" in wording.provenance(entry)


def test_provenance_names_runs_seeds_commit_hardware_and_profile():
    given = entry(0.5, "%", n=158, seeds=[0, 1], runs=["b0/seed-0"], commit="abc1234")

    text = wording.provenance(given | {"hardware": "2 cœurs", "profile": "published"})

    assert text == (
        "exécution : b0/seed-0 · graines : 0, 1 · n : 158 · commit : abc1234 · "
        "matériel : 2 cœurs · profil : publié"
    )


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ("Vraiment ?", f"Vraiment{THIN}?"),
        ("ceci : cela ; fin !", f"ceci{WIDE}: cela{THIN}; fin{THIN}!"),
        ("« oui »", f"«{WIDE}oui{WIDE}»"),
        ("95 % de 1 050 photos de 224 px", f"95{THIN}% de 1{THIN}050 photos de 224{WIDE}px"),
        ("en 2024 et 12 réseaux", "en 2024 et 12 réseaux"),
    ],
)
def test_no_line_breaks_before_french_punctuation_or_a_unit(typed, set_):
    assert space(typed) == set_


def test_search_ignores_accents_and_ligatures():
    assert fold("Œuvre Entraînée") == "oeuvre entrainee"


def test_the_french_of_markup_is_spaced_between_its_tags_only():
    given = '<td title="a ; b">oui ; 5 %</td><code>a ; b</code><script>x ? y : z</script> « fin »'

    spaced = space_markup(given)

    assert spaced == (
        f'<td title="a ; b">oui{THIN}; 5{THIN}%</td><code>a ; b</code>'
        f"<script>x ? y : z</script> «{WIDE}fin{WIDE}»"
    )


@pytest.mark.parametrize("given", [0, 1234567, -12, 0.5, -1234.25])
def test_a_number_written_in_french_is_read_back(given):
    assert wording.parsed(wording.number(given, 0 if type(given) is int else 2)) == given


@pytest.mark.parametrize("text", ["", "78,9\u202f%", "B0", "1,2,3", "12 images", "2024-07"])
def test_a_text_that_is_no_number_is_left_as_it_is(text):
    assert wording.parsed(text) == text

"""Tables say in French what they are given, and nothing that changes from run to run."""

from dataclasses import replace

import pandas as pd
import pytest

from vitrine import paths
from vitrine.data import splits
from vitrine.metrics import Interval
from vitrine.metrics.panel import METRICS
from vitrine.report import fr, tables
from vitrine.training import recipes, runs
from vitrine.training.runs import Run

THIN, WIDE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


def test_shown_table_puts_numbers_to_the_right_in_french_and_escapes_text():
    frame = pd.DataFrame({"Nom": ["a < b", "c"], "Compte": [1050, 2], "Part": [0.25, -1.5]})

    html = tables.show(frame, decimals=2)._repr_html_()

    assert "<td>a &lt; b</td>" in html
    assert f'<td class="nombre" style="text-align: right">1{THIN}050</td>' in html
    assert ">0,25</td>" in html and ">\N{MINUS SIGN}1,50</td>" in html


def test_shown_table_prints_the_same_every_time():
    frame = pd.DataFrame({"Nom": ["a"], "Oui": [True]})

    assert repr(tables.show(frame)) == repr(tables.show(frame)) == "Nom  Oui\na    oui"


def test_empty_table_shows_its_headings():
    shown = tables.show(pd.DataFrame({"Nom": [], "Compte": []}))

    assert ">Nom</th>" in shown._repr_html_() and repr(shown) == "Nom  Compte"


def test_leaks_count_every_pair_once_whatever_the_order_of_its_sides():
    pairs = pd.DataFrame(
        {
            "part_a": ["train", "test", "train", "validation"],
            "part_b": ["test", "train", "train", "test"],
            "exact": [True, False, True, False],
        }
    )

    table = tables.leaks(pairs).set_index("Parties")

    assert table["Doublons exacts"].sum() + table["Quasi-doublons"].sum() == 4
    row = table.loc["Entraînement et test"]
    assert (row["Fuite"], row["Doublons exacts"], row["Quasi-doublons"]) == (True, 1, 1)


def test_parts_add_up_to_the_split():
    table = tables.parts(splits.load())

    assert table.iloc[-1].tolist() == ["Ensemble", 758, 134, 158, 1050]
    assert (table.Total[:-1] == 150).all()


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_recipe_lists_every_choice_it_makes(name):
    chosen = recipes.find(name)

    table = tables.recipe(chosen).set_index("Choix")

    assert table.loc["Réseau", "Valeur"] == chosen.architecture
    silent = {"name", "trainer", "source", "precision", "backbone", "accumulate"}
    assert set(recipes.Recipe.__dataclass_fields__) - set(tables.CHOICES) == silent
    if chosen.flip:
        assert table.loc["Miroir horizontal", "Valeur"] == "oui"
    if chosen.windows:
        sides = " et ".join(map(str, chosen.windows))
        assert table.loc["Côtés des fenêtres", "Valeur"] == sides


def test_scores_write_shares_in_percent_and_losses_as_they_are():
    panel = {"accuracy": Interval(0.789, 0.7, 0.85), "log_loss": Interval(1.234, 1.0, 1.5)}

    table = tables.scores({"un modèle": panel})

    assert table["un modèle"].tolist() == [
        f"78,9{THIN}% [70,0{WIDE};{WIDE}85,0]",
        f"1,23 [1,00{WIDE};{WIDE}1,50]",
    ]


def test_a_metric_is_named_and_written_as_it_declares_itself(monkeypatch):
    nats = replace(METRICS["log_loss"], name="surprise", french="Surprise", decimals=3)
    share = replace(METRICS["accuracy"], name="hits", french="Réussites", decimals=0)
    monkeypatch.setitem(METRICS, "surprise", nats)
    monkeypatch.setitem(METRICS, "hits", share)
    panel = {"surprise": Interval(1.2345, 1.0, 1.5), "hits": Interval(0.789, 0.7, 0.85)}

    table = tables.scores({"un modèle": panel})

    assert table.Mesure.tolist() == ["Surprise (nats)", "Réussites"]
    assert table["un modèle"].tolist() == [
        f"1,234 [1,000{WIDE};{WIDE}1,500]",
        f"79{THIN}% [70{WIDE};{WIDE}85]",
    ]


def test_departures_are_percentages_of_two_digits_and_rounding_is_none():
    effects = {"224 × 224": {"ordre<br>des blocs": 1.2849, "arrondi": 3e-16, "epsilon": 6.96e-5}}
    origins = {"ordre<br>des blocs": "l’usage", "arrondi": "l’article", "epsilon": "l’usage"}

    table = tables.departures(effects, origins)

    assert list(table["Si l’on écrivait"]) == ["ordre des blocs", "arrondi", "epsilon"]
    assert list(table["224 × 224"]) == [
        "130\N{NARROW NO-BREAK SPACE}%",
        "aucun",
        "0,0070\N{NARROW NO-BREAK SPACE}%",
    ]


def test_rates_and_changes_are_judged_on_validation_alone(tmp_path):
    rows = pd.DataFrame(
        {"image": ["a.jpg", "b.jpg", "c.jpg"], "label": [0, 1, 0]}
        | {f"p_{k}": [1.0 if k == 0 else 0.0] * 3 for k in range(7)}
    )
    rows["split"] = ["validation", "validation", "test"]
    rows.to_csv(tmp_path / "predictions.csv", index=False)
    run = Run("x/seed-0", tmp_path, {"recipe": {"learning_rate": 1e-3, "head": "probe"}})

    table, changes = tables.rates([run]), tables.changes({"rien": run})

    assert table["Taux maximal"].tolist() == [fr.scientific(1e-3)]
    assert table["Départ de la tête"].tolist() == ["sonde"]
    assert changes["Ce qui change"].tolist() == ["rien"]
    for judged in (table, changes):
        assert judged["Exactitude, validation"].tolist() == [fr.percent(0.5)]


def test_learned_normalisation_alone_costs_more_than_a_few_photos_as_chapter_04_says():
    fold = paths.runs() / runs.place(0, 0)
    chapter = (paths.root() / "notebooks" / "04_sota_pytorch.py").read_text(encoding="utf-8")

    right = {}
    tried = [folder.name for folder in fold.glob("efficientnet-lite0-torch-with-*")]
    for name in ("efficientnet-lite0-torch", *tried):
        part = runs.load(f"{name}/seed-0", fold).part("validation")
        right[name.partition("-with-")[2]] = int((part.predicted == part.truth).sum())
    lost = {change: right[""] - count for change, count in right.items() if change}

    assert "normalisation coûte le plus ; le reste tient à quelques photos" in chapter
    assert len(lost) == 6 and lost.pop("learned-norm") > 10
    assert max(abs(count) for count in lost.values()) <= 3

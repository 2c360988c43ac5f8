from vitrine.metrics import Interval
from vitrine.metrics.paired import McNemar
from vitrine.metrics.table import Announced
from vitrine.report import tables

THIN, WIDE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
PANELS = {
    "sonde": {"accuracy": Interval(0.85, 0.78, 0.9), "log_loss": Interval(0.5, 0.4, 0.62)},
    "plancher": {"accuracy": Interval(0.14, 0.1, 0.2), "log_loss": Interval(1.95, 1.9, 2.0)},
}


def test_a_star_marks_the_leader_and_only_where_there_is_one():
    table = tables.comparison(
        PANELS, seeds={"sonde": 1, "plancher": 1}, leaders={"accuracy": "sonde", "log_loss": None}
    )

    assert table["Exactitude"].tolist() == [
        f"85,0{THIN}% [78,0{WIDE};{WIDE}90,0]{THIN}★",
        f"14,0{THIN}% [10,0{WIDE};{WIDE}20,0]",
    ]
    assert not table["Perte logarithmique (nats)"].str.contains("★").any()


def test_a_gap_is_settled_only_if_its_interval_and_its_corrected_test_agree():
    wide, clear = Interval(0.02, -0.05, 0.09), Interval(0.2, 0.1, 0.3)
    cases = {"a": (wide, 0.001), "b": (clear, 0.2), "c": (clear, 0.0004)}
    test = McNemar(158, 3, 20, 0.0004)

    table = tables.announced(
        {name: Announced({"accuracy": gap}, test, 0.0004, p) for name, (gap, p) in cases.items()}
    )

    assert table["Établi"].tolist() == [False, False, True]
    assert table.iloc[0, 1] == f"+2,0 [−5,0{WIDE};{WIDE}+9,0]"
    assert table["Paires discordantes (b, c)"].tolist() == ["20, 3"] * 3
    assert table["p (Holm)"].tolist() == ["0,001", "0,200", f"<{WIDE}0,001"]
    assert f'right">&lt;{WIDE}0,001</td>' in tables.show(table)._repr_html_()


def test_a_gap_that_other_training_photos_undo_is_not_settled():
    clear, test = Interval(0.2, 0.1, 0.3), McNemar(158, 3, 20, 0.0004)
    again = {"a": Interval(0.1, -0.01, 0.2), "b": None}

    table = tables.announced(
        {name: Announced({"accuracy": clear}, test, 0.0, 0.0, g) for name, g in again.items()}
    )

    assert table["Établi"].tolist() == [False, True]
    shown = table["Répétitions (points)"]
    assert shown.tolist() == [f"+10,0 [−1,0{WIDE};{WIDE}+20,0]", ""]


def test_errors_say_what_each_model_answers_and_show_no_whole_file_name():
    table = tables.errors(["0123456789abcdef.jpg"], [6], {"sonde": [6], "réseau": [0]})

    assert table.iloc[0].tolist() == ["01234567…", "Montres", "juste", "Puériculture"]

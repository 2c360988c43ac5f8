import json
import re

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vitrine.book.figure_data import Table, tabulate, to_csv, to_html
from vitrine.book.markup import tidy_table


def as_json(figure: go.Figure) -> dict:
    return json.loads(figure.to_json())


def test_a_line_gives_a_row_a_point_under_the_titles_of_its_axes():
    figure = go.Figure([go.Scatter(x=np.arange(2), y=np.array([0.25, 1 / 3]), name="test")])
    figure.update_layout(xaxis_title="époque", yaxis_title="<b>exactitude</b>")

    table = tabulate(as_json(figure))

    assert table.columns == ["époque", "exactitude"]
    assert to_csv(table) == "époque,exactitude\n0,0.25\n1,0.333333\n"


def test_several_series_are_told_apart_and_may_have_other_columns():
    figure = go.Figure(
        [
            go.Scatter(x=[1, 2], y=[3, 4], name="a"),
            go.Bar(x=[1], y=[5], name="b", error_y={"array": [0.5], "arrayminus": [0.25]}),
        ]
    )

    table = tabulate(as_json(figure))

    assert table.columns == ["série", "x", "y", "y, erreur +", "y, erreur −"]
    assert table.rows == [
        ["a", 1, 3, None, None],
        ["a", 2, 4, None, None],
        ["b", 1, 5, 0.5, 0.25],
    ]


def test_horizontal_bars_start_with_the_names_of_their_categories():
    figure = go.Figure(go.Bar(x=[0.5, 0.25], y=["Montres", "Cuisine"], orientation="h"))
    figure.update_layout(xaxis_title="F1")

    table = tabulate(as_json(figure))

    assert table == Table(["catégorie", "F1"], [["Montres", 0.5], ["Cuisine", 0.25]])


def test_rows_placed_by_number_are_named_by_the_marks_of_their_axis():
    figure = go.Figure(go.Scatter(x=[0.5, 0.25], y=[-0.1, 0.9], text=["B0, Keras", "HOG"]))
    figure.update_layout(yaxis={"tickvals": [0, 1], "ticktext": ["B0,<br>Keras", "HOG"]})

    table = tabulate(as_json(figure))

    assert table == Table(["catégorie", "x"], [["B0, Keras", 0.5], ["HOG", 0.25]])


def test_marks_that_are_numbers_name_nothing():
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))
    figure.update_layout(xaxis={"tickvals": [1, 2], "ticktext": ["1 000", "2 000"]})

    assert tabulate(as_json(figure)).rows == [[1, 3], [2, 4]]


def test_a_matrix_gives_a_row_a_cell():
    figure = go.Figure(
        go.Heatmap(
            z=np.array([[1, 2], [3, 4]]), x=["a", "b"], y=["c", "d"], colorbar_title="photos"
        )
    )
    figure.update_layout(xaxis_title="prédit", yaxis_title="vrai")

    table = tabulate(as_json(figure))

    assert table.columns == ["vrai", "prédit", "photos"]
    assert to_csv(table).splitlines()[1:] == ["c,a,1", "c,b,2", "d,a,3", "d,b,4"]


def test_axes_of_subplots_keep_their_own_titles():
    figure = go.Figure([go.Scatter(x=[1], y=[2]), go.Scatter(x=[3], y=[4], xaxis="x2")])
    figure.update_layout(xaxis_title="temps", xaxis2={"title": {"text": "espace"}})

    assert tabulate(as_json(figure)).columns == ["temps", "y", "espace"]


def test_panels_are_told_apart_by_their_titles_and_share_the_one_of_an_axis():
    figure = make_subplots(rows=2, cols=1, subplot_titles=["flou", "<i>bruit</i>"])
    for row in (1, 2):
        figure.add_scatter(x=[row], y=[10 * row], name="B0", row=row, col=1)
    figure.update_xaxes(title_text="force", row=2, col=1)
    figure.add_annotation(text="à part", x=0.5, y=0.5, xref="x domain", yref="y domain")

    table = tabulate(as_json(figure))

    assert table == Table(["panneau", "force", "y"], [["flou", 1, 10], ["bruit", 2, 20]])


def test_a_long_table_is_cut_on_the_page_and_says_so():
    table = Table(["n", "<p>"], [[n, "a & b"] for n in range(50)])

    text = to_html(table, most=40)

    assert text.count("<tr>") == 41
    assert "10 lignes de plus" in text
    assert "&lt;p&gt;" in text and "a &amp; b" in text
    assert len(to_csv(table).splitlines()) == 51


def test_a_long_table_of_several_series_keeps_the_ends_of_each():
    rows = [[name, number] for name in ("a", "b") for number in range(50)] + [["c", 7]]

    text = to_html(Table(["série", "x"], rows), most=12)

    seen = re.findall(r"<tr><td>(\w)</td><td class=nombre>(\d+)</td></tr>", text)
    assert seen == [
        *(("a", x) for x in ("0", "16", "33", "49")),
        *(("b", x) for x in ("0", "16", "33", "49")),
        ("c", "7"),
    ]
    assert "et 92 lignes de plus" in text


def test_numbers_on_the_page_have_a_comma_and_absent_ones_are_blank():
    text = to_html(Table(["x"], [[0.5], [None], [float("nan")], [1234567]]))

    cells = text.split("<tbody>")[1]
    assert "0,5" in cells and "1234567" in cells and "nan" not in cells and "None" not in cells


def test_a_table_of_pandas_loses_its_borders_and_gains_scopes():
    text = (
        '<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th>'
        "<th>F1</th></tr></thead><tbody><tr><th>B0</th><td>0,79</td></tr></tbody></table>"
    )

    assert tidy_table(text) == (
        '<table class="dataframe"><thead><tr><td></td><th scope="col">F1</th></tr></thead>'
        '<tbody><tr><th scope="row">B0</th><td>0,79</td></tr></tbody></table>'
    )

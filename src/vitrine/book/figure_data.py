"""Turn the JSON of a plotly figure into a table, as CSV and HTML, for readers without the figure.

Works on the JSON of a figure, as a notebook stores it, so that a page needs no plotly to be built.
"""

import base64
import csv
import html
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Table", "to_csv", "to_html", "tabulate"]

_PANEL, _SERIES = "panneau", "série"
_AXES = {"x": "xaxis", "y": "yaxis", "z": "zaxis"}
# Data of a trace, one value a point, in the order of the columns.
_COLUMNS = (
    "x", "y", "z", "r", "theta", "labels", "parents", "values", "ids", "locations",
    "lower", "q1", "median", "q3", "upper", "text",
)  # fmt: skip
_ERRORS = {"array": "erreur +", "arrayminus": "erreur −"}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text and numbers under named columns; ``None`` where a series has no such value."""

    columns: list[str]
    rows: list[list[object]]


def tabulate(figure: Mapping[str, Any]) -> Table:
    """List every point of every trace, under the titles of its axes.

    Args:
        figure: JSON of a plotly figure, with plain or base64 arrays.
    """
    layout = figure.get("layout") or {}
    points = [point for trace in figure.get("data") or [] for point in _points(trace, layout)]
    columns = list(dict.fromkeys(name for point in points for name in point))
    if _SERIES in columns and len({point.get(_SERIES) for point in points}) == 1:
        columns.remove(_SERIES)
    # Names before numbers: horizontal bars have theirs on the second axis.
    columns.sort(key=lambda name: not any(isinstance(p.get(name), str) for p in points))
    return Table(columns, [[point.get(name) for name in columns] for point in points])


def to_csv(table: Table) -> str:
    """Write a table as CSV, with points in decimals and 6 significant digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_number(value, ".") for value in row] for row in table.rows)
    return stream.getvalue()


def to_html(table: Table, *, most: int = 24) -> str:
    """Write rows of a table as HTML, in French; what is left out is said in a note.

    A long table keeps its first rows; one of several series, some of each, evenly spaced.

    Args:
        table: What to show.
        most: Most rows shown. A page must stay light: all rows are in the CSV.
    """
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.columns)
    kept = _few(table, most)
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in kept)
    left = len(table.rows) - len(kept)
    note = f"<p>… et {left} lignes de plus dans le fichier CSV.</p>" if left > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def _few(table: Table, most: int) -> list[list[object]]:
    if len(table.rows) <= most or _SERIES not in table.columns:
        return table.rows[:most]
    column = table.columns.index(_SERIES)
    by_series: dict[object, list[list[object]]] = {}
    for row in table.rows:
        by_series.setdefault(row[column], []).append(row)
    share = max(2, most // len(by_series))
    return [
        rows[place]
        for rows in by_series.values()
        for place in dict.fromkeys(np.linspace(0, len(rows) - 1, share).round().astype(int))
    ]


def _points(trace: Mapping, layout: Mapping) -> Iterator[dict[str, Any]]:
    panel = _panel(trace, layout)
    name = {_PANEL: panel} if panel else {}
    name |= {_SERIES: _plain(trace["name"])} if trace.get("name") else {}
    columns = {key: _array(trace.get(key)) for key in _COLUMNS}
    columns = {key: values for key, values in columns.items() if values is not None}
    if trace.get("type") == "table":
        yield from _cells_of_table(trace)
    elif "z" in columns and columns["z"].ndim == 2:  # noqa: PLR2004  (a matrix)
        yield from _matrix(trace, columns, layout, name)
    else:
        titles = {key: _title(key, trace, layout) for key in columns}
        for key in {"x", "y"} & columns.keys():
            if (names := _names_along(key, trace, layout, columns[key])) is not None:
                # Rows placed by number, named by the marks of their axis.
                columns[key] = names
                titles[key] = titles[key] if titles[key] != key else "catégorie"
                if [_plain(text) for text in columns.get("text", ())] == list(names):
                    del columns["text"]
        for axis in ("x", "y"):
            for key, label in _ERRORS.items():
                if (values := _array((trace.get(f"error_{axis}") or {}).get(key))) is not None:
                    columns[f"{axis}-{key}"] = values
                    titles[f"{axis}-{key}"] = f"{titles.get(axis, axis)}, {label}"
        for index in range(max((len(values) for values in columns.values()), default=0)):
            yield name | {
                titles[key]: values[index] for key, values in columns.items() if index < len(values)
            }


def _matrix(trace: Mapping, columns: Mapping, layout: Mapping, name: dict) -> Iterator[dict]:
    z = columns["z"]
    xs, ys = columns.get("x", range(z.shape[1])), columns.get("y", range(z.shape[0]))
    x, y = _title("x", trace, layout), _title("y", trace, layout)
    bar = (trace.get("colorbar") or {}).get("title") or {}
    value = _plain(bar.get("text") if isinstance(bar, Mapping) else bar) or "valeur"
    for row, label in enumerate(ys):
        for column, other in enumerate(xs):
            yield name | {y: label, x: other, value: z[row, column]}


def _cells_of_table(trace: Mapping) -> Iterator[dict[str, object]]:
    names = [_plain(v[0] if isinstance(v, list) else v) for v in trace["header"]["values"]]
    for row in zip(*trace["cells"]["values"], strict=True):
        yield dict(zip(names, row, strict=True))


def _title(key: str, trace: Mapping, layout: Mapping) -> str:
    if key not in _AXES:
        return {"text": "étiquette", "labels": "étiquette", "values": "valeur"}.get(key, key)
    values = trace.get(key)
    named = isinstance(values, list) and any(isinstance(value, str) for value in values)
    given = _written(_axis(key, trace, layout))
    return given or ("catégorie" if named else _written_once(_AXES[key], layout) or key)


def _axis(key: str, trace: Mapping, layout: Mapping) -> Mapping:
    return layout.get(str(trace.get(f"{key}axis") or key).replace(key, _AXES[key], 1)) or {}


def _written(axis: Mapping) -> str:
    title = axis.get("title") or {}
    return _plain(title.get("text") if isinstance(title, Mapping) else title)


def _written_once(kind: str, layout: Mapping) -> str:
    """Return the title that panels share, written under one of them alone."""
    said = {_written(axis) for name, axis in layout.items() if name.startswith(kind)} - {""}
    return said.pop() if len(said) == 1 else ""


def _panel(trace: Mapping, layout: Mapping) -> str:
    """Return the text over the panel of a trace, where plotly centres the titles of panels."""
    x, y = (_axis(key, trace, layout).get("domain") for key in "xy")
    if x and y:
        for note in layout.get("annotations") or []:
            over = note.get("xref") == note.get("yref") == "paper" and not note.get("showarrow")
            if over and np.allclose([note["x"], note["y"]], [sum(x) / 2, y[1]], atol=1e-3):
                return _plain(note.get("text"))
    return ""


def _names_along(
    key: str, trace: Mapping, layout: Mapping, values: np.ndarray
) -> np.ndarray | None:
    axis = _axis(key, trace, layout)
    marks, names = axis.get("tickvals"), [_plain(n) for n in axis.get("ticktext") or []]
    if (
        not names
        or marks is None
        or len(marks) != len(names)
        or not all(n[:1].isalpha() for n in names)
    ):
        return None
    if not all(isinstance(v, int | float | np.number) for v in (*values, *marks)):
        return None
    distances = np.abs(np.subtract.outer(values.astype(float), np.array(marks, dtype=float)))
    return np.array(names, dtype=object)[distances.argmin(axis=1)]


def _array(value: object) -> np.ndarray | None:
    if isinstance(value, Mapping) and "bdata" in value:
        flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=np.dtype(value["dtype"]))
        shape = str(value.get("shape", flat.size)).split(",")
        return flat.reshape([int(side) for side in shape])
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(item, list) for item in value):
        return np.array(value, dtype=object)
    array = np.empty(len(value), dtype=object)
    array[:] = value
    return array


def _plain(text: object) -> str:
    return (
        "" if text is None else " ".join(html.unescape(re.sub(r"<[^>]+>", " ", str(text))).split())
    )


def _number(value: object, mark: str) -> str:
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else format(float(value), ".6g").replace(".", mark)
    return _plain(value)


def _cell(value: object) -> str:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return f"<td{' class=nombre' if number else ''}>{html.escape(_number(value, ','))}</td>"

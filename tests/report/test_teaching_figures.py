"""Figures of the chapters that teach: what each step shows, and what is drawn of a network."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from vitrine import paths
from vitrine.models import anatomy
from vitrine.report.figures import architecture, ssm, style
from vitrine.report.tables import sizes


def shown(figure, step):
    """Return the names of the traces that a reader sees at a step of the slider."""
    ((visible, traces),) = [
        (s.args[0]["visible"], s.args[1]) for s in figure.layout.sliders[0].steps if s.label == step
    ]
    at = dict(zip(traces, visible, strict=True))
    return [t.name for i, t in enumerate(figure.data) if at.get(i, True)]


@pytest.fixture
def held():
    times = np.linspace(0, 2, 9)
    outputs = {"bloqueur": np.zeros(2), "Euler": np.array([1.0, 50.0])}
    steps = {
        "1": (np.array([1.0, 2.0]), outputs),
        "2": (np.array([2.0]), {"bloqueur": np.zeros(1)}),
    }
    return ssm.held(times, np.sin(times), steps, first="2")


def test_a_step_shows_its_traces_and_those_that_no_step_names(held):
    assert shown(held, "1") == ["temps continu", "bloqueur, pas 1", "Euler, pas 1"]
    assert shown(held, "2") == ["temps continu", "bloqueur, pas 2"]


def test_the_first_step_is_what_is_visible_before_any_choice(held):
    seen = [trace.name for trace in held.data if trace.visible in (True, None)]

    assert seen == shown(held, "2") and held.layout.sliders[0].active == 1


def test_what_diverges_does_not_crush_the_rest(held):
    low, high = held.layout.yaxis.range

    assert low < -0.1 and 1 < high < 3


def test_the_sum_of_the_terms_is_the_mark_at_each_position():
    inputs, kernel = np.array([1.0, 2.0, 0.0, -1.0]), np.array([0.5, 0.25, 0.125, 0.0])
    output = np.convolve(inputs, kernel)[:4]

    figure = ssm.views(inputs, kernel, output, [1, 3])

    marks = {t.x[0]: t.y[0] for t in figure.data if t.type == "scatter" and t.mode == "markers"}
    assert marks == pytest.approx({1: output[1], 3: output[3]})
    terms = [t for t in figure.data if t.type == "bar"]
    assert [sum(t.y) for t in terms] == pytest.approx(list(marks.values()))


def test_influence_leaves_empty_what_has_none():
    figure = ssm.influence({"a": np.array([[2.0, 0.0], [1.0, 4.0]]), "b": np.eye(2)})

    assert [list(row) for row in figure.data[0].z] == [[0.5, None], [0.25, 1.0]]
    assert [note.text for note in figure.layout.annotations] == ["a", "b"]
    assert figure.layout.meta == {"stack": True}


def test_a_memory_is_drawn_beside_as_many_samples():
    signal = np.arange(6.0)

    figure = ssm.past(signal, {2: signal, 4: signal}, {2: signal[-2:], 4: signal[-4:]})

    assert list(figure.data[2].x) == [4, 5] and list(figure.data[4].x) == [2, 3, 4, 5]
    assert shown(figure, "2") == ["signal", "2 coefficients", "2 derniers échantillons"]


def test_steps_chosen_are_told_apart_by_kind():
    figure = ssm.steps_chosen(["blanc", "symbole", "blanc"], np.array([0.0, 0.5, 0.1]))

    assert {t.name: (t.x, t.y) for t in figure.data}["symbole"] == ((1,), (0.5,))
    assert {t.name: t.x for t in figure.data}["blanc"] == (0, 2)


@pytest.fixture(scope="module")
def drawn():
    plans = {"nano": anatomy.stages("mambavision_nano"), "T": anatomy.stages("mambavision_tiny")}
    return architecture.stages(plans, first="T")


def test_each_block_of_each_network_has_a_mark_in_the_box_of_its_stage(drawn):
    names = shown(drawn, "T")
    assert names == [
        "convolution, T", "balayage, T", "attention, T", "étages, T", "entrée et sortie",
    ]  # fmt: skip
    boxes = sorted((box.y0, box.y1) for box in drawn.layout.shapes)
    traces = {trace.name: trace for trace in drawn.data}
    within = [[top < y < bottom for top, bottom in boxes].index(True)
              for y in traces["balayage, T"].y]  # fmt: skip
    assert within == [4, 4, 4, 4, 5, 5], "the image and the first reduction stand above the stages"
    assert list(traces["attention, T"].x) == [5, 6, 7, 8, 3, 4]


def test_each_stage_says_its_map_its_blocks_and_its_windows(drawn):
    (words,) = [trace for trace in drawn.data if trace.name == "étages, T"]

    assert words.text[2:6] == (
        "<b>Étage 2</b>, 28 × 28, 160 canaux", "3 convolutions",
        "<b>Étage 3</b>, 14 × 14, 320 canaux", "4 balayages puis 4 attentions, fenêtres de 14",
    )  # fmt: skip


def test_an_arrow_leads_from_each_box_to_the_next(drawn):
    boxes = sorted((box.y0, box.y1) for box in drawn.layout.shapes)

    arrows = [(note.ay, note.y) for note in drawn.layout.annotations if note.arrowhead]

    assert arrows == [
        (bottom, top) for (_, bottom), (top, _) in zip(boxes, boxes[1:], strict=False)
    ]


def test_a_block_is_drawn_with_the_shapes_of_its_modules():
    figure = architecture.block(anatomy.parts("mambavision_tiny", 3, 1))

    (steps,) = [trace for trace in figure.data if trace.mode == "text"]
    said = dict(text.split("<br>") for text in steps.text)
    assert said["Balayage sélectif"] == said["Pas étendu"] == "196 jetons × 160"
    assert said["Perceptron, élargi"] == "196 jetons × 1280"
    assert said["Addition"] == "196 jetons × 320"
    assert len(figure.layout.shapes) == len(steps.x)
    arrows = [(note.x, note.y) for note in figure.layout.annotations if note.arrowhead]
    assert len(arrows) == len(steps.x) + 1 + 2, "two joined branches, two detours"


def test_boxes_of_one_row_do_not_overlap():
    figure = architecture.block(anatomy.parts("mambavision_nano", 3, 1))

    boxes = sorted((box.y0, box.x0, box.x1) for box in figure.layout.shapes)
    detour = max(x for x in figure.data[0].x if x is not None)

    for (row, _, right), (other, left, _) in zip(boxes, boxes[1:], strict=False):
        assert row != other or right <= left
    assert max(right for *_, right in boxes) < detour < 1


def test_padding_is_drawn_in_percent():
    (line,) = architecture.padding({"étage 3": {224: 0.0, 240: 0.7130612}}).data

    assert list(line.y) == [0, 71.3061]


def test_counted_and_published_sizes_stand_side_by_side():
    published = pd.read_csv(paths.root() / "ressources" / "mambavision_published.csv")
    counted = {"ours": (1_000_000, 2e9), "mambavision_tiny": (31_794_248, 4.5e9)}

    table = sizes.networks(published, counted, {"ours": 64, "mambavision_tiny": 224})

    first, second = table.to_dict("records")
    assert (first["comptés (M)"], first["comptés (G)"], first["Images/s (A100)"]) == (1, 2, "")
    assert (second["Paramètres publiés (M)"], second["GFLOP publiés"]) == ("31,8", "4,4")
    assert first["GFLOP publiés"] == ""
    assert second["Images/s (A100)"] == f"6{style.THIN}298"


@pytest.mark.parametrize(
    ("study", "columns", "best"), [("mixer", 5, 82.3), ("pattern", 2, 82.3), ("window", 5, 82.3)]
)
def test_a_study_shows_what_its_authors_measured_and_nothing_else(study, columns, best):
    cited = pd.read_csv(paths.root() / "ressources" / "mambavision_ablations.csv")

    table = sizes.ablations(cited, study)

    assert table.shape[1] == columns and not table.isna().any(axis=None)
    assert table["ImageNet, top-1 (%)"].max() == table["ImageNet, top-1 (%)"].iloc[-1] == best


def test_modules_are_named_in_french():
    parts = [SimpleNamespace(name="norm1", kind="LayerNorm", shape=(196, 8), parameters=16)]

    (row,) = sizes.block(parts).to_dict("records")

    assert row["Ce que c’est"] == "normalisation par jeton"
    assert row["Taille de la réponse"] == "196 × 8"

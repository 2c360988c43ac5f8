"""The figure of candidate backbones draws what is cited against what was measured."""

import pandas as pd

from vitrine.report.figures import candidates

TABLE = pd.DataFrame(
    [
        (name, score, 5.3, 0.39, speed, "MIT")
        for name, score, speed in (
            ("B0", "77,1", 34.8), ("MambaVision nano", "non publié", 142.0),
            ("Large", "82,7", 7.5), ("MambaVision-T", "82,3", 9.5),
        )
    ],
    columns=[
        "Réseau", "Top-1 ImageNet, cité (%)", "Paramètres (M)", "Multiplications (G)",
        "Images/s, un fil", "Licence des poids",
    ],
)  # fmt: skip


def test_a_network_stands_at_its_speed_and_its_cited_score_and_without_one_nowhere():
    figure = candidates.speeds(TABLE, baseline="B0")

    (points,) = figure.data
    assert list(points.text) == ["Large", "MambaVision-T", "B0"]
    assert list(points.x) == [7.5, 9.5, 34.8]
    assert list(points.y) == [82.7, 82.3, 77.1]
    assert figure.layout.xaxis.type == "log"


def test_a_name_close_under_another_stands_on_the_other_side():
    (points,) = candidates.speeds(TABLE, baseline="B0").data

    assert list(points.textposition) == ["middle right", "middle left", "middle right"]


def test_the_baseline_and_the_candidates_of_the_book_stand_out():
    (points,) = candidates.speeds(TABLE, baseline="B0").data

    grey, green, blue = points.marker.color
    assert len({grey, green, blue}) == 3


def test_pointing_at_a_network_says_what_the_table_says():
    (points,) = candidates.speeds(TABLE, baseline="B0").data

    assert points.customdata[0] == (
        "<b>Large</b><br>exactitude citée : 82,7\u202f%<br>5,3 M de paramètres<br>"
        "0,39 G de multiplications<br>7,5 images/s<br>licence des poids : MIT"
    )

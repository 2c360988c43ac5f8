"""The figure of candidate backbones orders them by what is cited and draws what was measured."""

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


def test_networks_go_from_the_best_cited_score_down_and_those_without_one_come_last():
    figure = candidates.speeds(TABLE, baseline="B0")

    (points,) = figure.data
    assert list(figure.layout.yaxis.ticktext) == [
        "Large<br><i>82,7\u202f%</i>", "MambaVision-T<br><i>82,3\u202f%</i>",
        "B0<br><i>77,1\u202f%</i>", "MambaVision nano<br><i>non publié</i>",
    ]  # fmt: skip
    assert list(points.x) == [7.5, 9.5, 34.8, 142.0]
    assert figure.layout.xaxis.type == "log"


def test_the_baseline_and_the_candidates_of_the_book_stand_out():
    (points,) = candidates.speeds(TABLE, baseline="B0").data

    grey, green, blue, also_green = points.marker.color
    assert green == also_green and len({grey, green, blue}) == 3


def test_pointing_at_a_network_says_what_the_table_says():
    (points,) = candidates.speeds(TABLE, baseline="B0").data

    assert points.text[0] == (
        "<b>Large</b><br>exactitude citée : 82,7\u202f%<br>5,3 M de paramètres<br>"
        "0,39 G de multiplications<br>7,5 images/s<br>licence des poids : MIT"
    )

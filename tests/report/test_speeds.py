"""Tables of the benchmarks say what the sheets hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vitrine.report.figures import watch
from vitrine.report.tables import speeds
from vitrine.training.runs import Run

SCAN = {
    "rows": [
        {
            "batch": 32, "length": 196, "width": 160, "pass": "training", "candidate": "chunked",
            "milliseconds": 30, "ratio": 39.1, "memory_mib": 24.6, "memory_share": 0.142,
        }
    ],
    "bars": [
        {"about": "scan", "length": 196, "pass": "training", "at_least": 28.0, "measured": 39.14,
         "reached": True},
        {"about": "memory", "length": 196, "pass": "training", "at_most": 0.3, "measured": 0.142,
         "reached": True},
    ],
}  # fmt: skip
MODEL = {
    "rows": [
        {
            "batch": 8, "pass": "training", "candidate": "ours", "dtype": "bfloat16",
            "milliseconds": 1500.0, "images_per_second": 5.3, "ratio": 2.9, "ratio_same_dtype": 2.1,
        }
    ],
    "onnx": [
        {
            "model": "mambavision_tiny", "batch": 16, "eager_milliseconds": 1400.0,
            "onnx_milliseconds": 800.0, "ratio": 1.75, "same_top1": True, "largest_gap": 2.14e-5,
        }
    ],
    "bars": [
        {"about": "network", "model": "mambavision_tiny", "pass": "training", "dtype": "bfloat16",
         "at_least": 2.6, "measured": 2.5, "reached": False},
        {"about": "recomputed memory", "model": "mambavision_tiny", "dtype": "float32",
         "at_most": 0.75, "measured": 0.74, "reached": True},
        {"about": "recomputed time", "model": "mambavision_tiny", "dtype": "float32",
         "at_most": 1.1, "measured": 1.2, "reached": False},
        {"about": "kernel", "length": 196, "pass": "forward", "at_least": 1.0, "measured": 1.25,
         "reached": True},
        {"about": "kernel", "model": "mambavision_tiny", "pass": "forward", "dtype": "float32",
         "at_least": 1.0, "measured": 1.0, "reached": True},
        {"about": "runtime gap", "model": "mambavision_tiny", "batch": 16, "at_most": 1e-4,
         "measured": 2.14e-5, "reached": True},
        {"about": "runtime top-1", "model": "other", "batch": 1, "at_least": 1.0, "measured": 1.0,
         "reached": True},
    ],
}  # fmt: skip


def test_each_bar_has_its_limit_its_measure_and_its_verdict_in_french():
    table = speeds.benchmarks(SCAN, MODEL).replace(r"[\u00a0\u202f]", " ", regex=True)

    assert [tuple(row) for row in table.to_numpy()] == [
        ("balayage, vitesse, avant et arrière, 196 jetons", "≥ 28 ×", "39,1 ×", True),
        ("balayage, mémoire, avant et arrière, 196 jetons", "≤ 30 %", "14,2 %", True),
        (
            "MambaVision-T, canaux en dernier, pas d’entraînement, bfloat16",
            "≥ 2,6 ×", "2,5 ×", False,
        ),
        (
            "MambaVision-T, pas d’entraînement qui recalcule ses balayages, float32, mémoire",
            "≤ 75 %", "74 %", True,
        ),
        (
            "MambaVision-T, pas d’entraînement qui recalcule ses balayages, float32, durée",
            "≤ 1,1 ×", "1,2 ×", False,
        ),
        ("face au noyau CUDA de mamba-ssm, passe avant, 196 jetons", "≥ 1 ×", "1,25 ×", True),
        (
            "face au noyau CUDA de mamba-ssm, passe avant, MambaVision-T, float32",
            "≥ 1 ×", "1 ×", True,
        ),
        (
            "ONNX Runtime face à PyTorch, MambaVision-T, lot de 16, écart des logits",
            "≤ 1,0 × 10⁻⁴", "2,1 × 10⁻⁵", True,
        ),
        (
            "ONNX Runtime face à PyTorch, other, lot de 1, même première réponse",
            "oui", "oui", True,
        ),
    ]  # fmt: skip


def test_a_bar_of_the_service_is_a_row_at_its_worst_load():
    asked = {"about": "processor time an answer", "model": "mambavision", "at_most": 5.0}
    rate = {"about": "answers a second beside LitServe", "model": "packaged", "at_least": 1.0}
    refused = {"about": "refused", "model": "mambavision", "at_most": 0.0, "reached": True}
    first = {
        "bars": [
            asked | {"measured": 5.75, "reached": False},
            asked | {"measured": 4.5, "reached": True},
        ]
    }
    second = {"bars": [rate | {"measured": 0.971, "reached": False},
                       rate | {"measured": 1.02, "reached": True},
                       refused | {"measured": 0.0}]}  # fmt: skip

    table = speeds.services(first, second).replace(r"[\u00a0\u202f]", " ", regex=True)

    assert [tuple(row) for row in table.to_numpy()] == [
        ("processeur d’une réponse", "MambaVision", "≤ 5 ms", "5,75 ms", False),
        ("réponses par seconde, face à LitServe", "EfficientNet-Lite0", "≥ 1 ×", "0,971 ×", False),
        ("requêtes refusées", "MambaVision", "≤ 0", "0", True),
    ]


def test_a_sheet_without_bars_makes_an_empty_table_with_its_columns():
    assert list(speeds.benchmarks({"bars": []})) == ["Mesure", "Seuil", "Mesuré", "Atteint"]


def test_rows_of_the_three_other_tables_are_those_of_the_sheets():
    scan, network, runtime = (
        make(sheet).iloc[0].to_dict()
        for make, sheet in (
            (speeds.scans, SCAN), (speeds.networks, MODEL), (speeds.runtimes, MODEL)
        )
    )  # fmt: skip

    assert scan["Forme"] == "par tranches (la nôtre, sur processeur)"
    assert (scan["Durée (ms)"], scan["Mémoire (% du témoin)"]) == (30.0, pytest.approx(14.2))
    assert (network["Balayage"], network["Images/s"]) == ("le nôtre", 5.3)
    assert network["Fois plus rapide que le témoin en float32"] == 2.9
    assert (runtime["Réseau"], runtime["Fois plus rapide"]) == ("MambaVision-T", 1.75)
    assert runtime["Même première réponse"] is True


def test_measured_costs_are_drawn_at_their_lengths_in_the_order_of_a_count():
    rows = [
        {"mixer": mixer, "length": length, "milliseconds": cost * length}
        for length in (49, 100)
        for mixer, cost in (("scan", 2.0), ("attention", 3.0))
    ]

    measured = watch.cost_against_length(rows)
    counted = watch.cost_against_length({"attention": np.array([1.0, 2.0, 3.0, 4.0])})

    assert [(t.name, list(t.x), list(t.y)) for t in measured.data] == [
        ("attention", [49, 100], [147.0, 300.0]),
        ("balayage sélectif", [49, 100], [98.0, 200.0]),
    ]
    assert measured.layout.yaxis.title.text == "Durée (ms)"
    assert [(t.name, list(t.x)) for t in counted.data] == [("attention", list(watch.LENGTHS))]
    assert counted.layout.yaxis.title.text.startswith("Multiplications")


BACKBONES = {
    "baseline": "b0",
    "rows": [
        {
            "model": name, "side": 224, "batch": 8, "parameters": 5_300_000, "licence": licence,
            "multiply_adds": adds, "milliseconds": 80.0, "images_per_second": 100.0, "ratio": ratio,
        }
        for name, adds, ratio, licence in (
            ("large", 4.5e9, 0.25, "cc-by-nc-sa-4.0"), ("b0", 4e8, 1.0, "apache-2.0"),
            ("ours", 3e8, 0.5, None), ("odd", 2e8, 2.0, "mit"),
        )
    ],
    "onnx": [
        {"model": "b0", "ratio": 2.5, "same_top1": True, "relative_gap": 1e-6},
        {"model": "ours", "ratio": 2.5, "same_top1": True, "relative_gap": 1e-2},
        {"model": "odd", "refusal": "no operator"},
    ],
}  # fmt: skip
CITED = pd.DataFrame(
    {
        "model": ["b0", "large", "ours", "odd"],
        "label": ["B0", "Large", "Ours", "Odd"],
        "top1": [77.1, 82.3, np.nan, 80.0],
    }
)


def test_backbones_are_listed_by_their_work_with_what_is_cited_and_what_is_not_known():
    table = speeds.backbones(BACKBONES, CITED).replace(r"[\u00a0\u202f]", " ", regex=True)

    assert list(table["Réseau"]) == ["Odd", "Ours", "B0", "Large"]
    assert list(table["Top-1 ImageNet, cité (%)"]) == ["80,0", "non publié", "77,1", "82,3"]
    assert list(table["Vitesse (B0 = 1)"]) == [2.0, 0.5, 1.0, 0.25]
    assert set(table["Images/s, carte graphique"]) == {"non mesuré"}
    assert list(table["ONNX Runtime"]) == [
        "export refusé", "réponses différentes", "2,5 × PyTorch", "non essayé",
    ]  # fmt: skip
    assert list(table["Licence des poids"]) == [
        "MIT", "sans poids publiés", "Apache-2.0", "CC BY-NC-SA 4.0, non commerciale",
    ]  # fmt: skip


def test_a_card_that_was_measured_has_its_column():
    card = {"rows": [{"model": "b0", "images_per_second": 2345.6}]}

    table = speeds.backbones(BACKBONES, CITED, card).set_index("Réseau")

    assert table.loc["B0", "Images/s, carte graphique"] == "2\u202f345,6"
    assert table.loc["Odd", "Images/s, carte graphique"] == "non mesuré"


def test_what_a_model_costs_is_read_from_its_run_and_from_the_sheets():
    hardware = {"gpu": None, "cpu": "a core"}
    timing = {"seconds": 600.0, "training_seconds": 300.0, "cpu_seconds": 600.0}
    trained = {
        "parameters": 7, "hardware": hardware, "timing": timing | {"peak_memory_mib": 1024},
    }  # fmt: skip
    fitted = trained | {"timing": timing | {"training_seconds": 0, "peak_memory_mib": 1024}}
    runs = {"net": Run("net/seed-0", Path(), trained), "probe": Run("probe/seed-0", Path(), fitted)}
    row = {"recipe": "net", "milliseconds": 32.0, "batch": 16, "multiply_adds": 5.0}
    cuda = {"rows": [row | {"milliseconds": 128.0, "batch": 256}]}

    bare = speeds.costs(runs, {"recipes": {"rows": [row]}})
    full = speeds.costs(runs, {"recipes": {"rows": [row]}, "recipes-cuda": cuda})

    assert bare.recipe.tolist() == ["net", "probe"] and bare.minutes.tolist() == [5.0, 10.0]
    assert (bare.core[0], bare.multiply_adds[0]) == (2.0, 5.0)
    assert bare.core.isna().tolist() == [False, True] and bare.card.isna().all()
    assert full.card[0] == 0.5
    assert (bare.energy > 0).all()

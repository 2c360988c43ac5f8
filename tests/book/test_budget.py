"""The page on reproduction says what was measured, and what was not."""

import json
from pathlib import Path

from vitrine.book import measurements

HARDWARE = {"cpu": "AMD EPYC", "threads": 2, "cores": 2, "gpu": None}


def run(recipe, seed, seconds, **timing):
    return {
        "name": f"{recipe}/seed-{seed}", "recipe": {"name": recipe}, "hardware": HARDWARE,
        "timing": {"training_seconds": seconds, "seconds": 30.0} | timing,
    }  # fmt: skip


def cells(table):
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]
    ]


def test_a_command_that_was_not_measured_says_so(tmp_path):
    rows = cells(measurements.commands(tmp_path))

    assert [row[0] for row in rows] == [f"`make {target}`" for target in measurements.COMMANDS]
    assert {(row[3], row[4]) for row in rows} == {("non mesurée", "–")}


def test_a_command_is_shown_with_its_duration_its_machine_and_its_day(tmp_path):
    sheet = tmp_path / measurements.SHEET
    sheet.parent.mkdir(parents=True)
    measured = {"target": "book", "date": "2026-12-01", "seconds": 201.0, "hardware": HARDWARE}
    sheet.write_text(json.dumps({"rows": [measured]}), encoding="utf-8")

    book, *others = cells(measurements.commands(tmp_path))

    assert book[3:] == ["3,4 min", "AMD EPYC, 2 fils, 1er décembre 2026"]
    assert {row[3] for row in others} == {"non mesurée"}


def test_readme_shows_the_commands_measured_alone_or_says_that_none_was(tmp_path):
    before = measurements.measured(tmp_path)
    sheet = tmp_path / measurements.SHEET
    sheet.parent.mkdir(parents=True)
    measures = [
        {"target": target, "date": "2026-12-01", "seconds": seconds, "hardware": HARDWARE}
        for target, seconds in (("test", 900.0), ("book", 201.0))
    ]
    sheet.write_text(json.dumps({"rows": measures}), encoding="utf-8")

    rows = cells(measurements.measured(tmp_path))
    sheet.write_text(json.dumps({"rows": [measures[0] | {"target": "setup"}]}), encoding="utf-8")

    assert measurements.measured(tmp_path) == before  # that of another command alone
    assert "pas encore mesurées" in before
    assert rows == [
        ["`make book`", "3,4 min", "AMD EPYC, 2 fils, 1er décembre 2026"],
        ["`make test`", "15 min", "AMD EPYC, 2 fils, 1er décembre 2026"],
    ]


def test_trainings_are_grouped_by_recipe_from_the_fastest_seed_to_the_slowest(tmp_path):
    runs = [run("net", 0, 1200.0), run("net", 1, 1800.0), run("probe", 0, 0)]
    learned = run("big", 0, 3000.0)
    for place, each in [*(("runs", each) for each in runs), ("runs/pretrain", learned)]:
        folder = tmp_path / place / Path(each["name"])
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps(each), encoding="utf-8")

    rows = cells(measurements.trainings(tmp_path))

    assert rows == [
        ["`net`", "2", "de 20 min à 30 min", "AMD EPYC, 2 fils"],
        ["`probe`", "1", "30 s", "AMD EPYC, 2 fils"],
        ["`big`", "1", "50 min", "AMD EPYC, 2 fils"],
    ]


def test_the_commands_are_targets_of_the_makefile():
    from vitrine import paths

    makefile = (paths.root() / "Makefile").read_text(encoding="utf-8")

    assert all(f"\n{target}:" in makefile for target in measurements.COMMANDS)


def test_every_bar_is_listed_and_those_of_the_ordinary_layout_that_are_missed_are_counted(tmp_path):
    bar = {"about": "network", "model": "mambavision_tiny", "at_least": 1.5, "measured": 2.0,
           "reached": True}  # fmt: skip
    about = [bar | {"pass": name, "dtype": "float32"} for name in ("forward", "training")]
    rows = [
        {"pass": name, "dtype": "float32", "candidate": "ours", "ratio": ratio}
        for name, ratio in (("forward", 1.4), ("training", 1.5))
    ]
    sheet = tmp_path / "runs" / "bench" / "model.json"
    sheet.parent.mkdir(parents=True)
    sheet.write_text(json.dumps({"bars": about, "rows": rows}), encoding="utf-8")

    listed = cells(measurements.bars(tmp_path))

    assert [row[1:] for row in listed] == [["≥\u00a01,5\u00a0×", "2\u00a0×", "oui"]] * 2
    assert measurements.missed(tmp_path) == "1 sur 2"


def test_other_networks_runtimes_and_scans_stand_beside_ours_with_their_ratios(tmp_path):
    bench = tmp_path / "runs" / "bench"
    bench.mkdir(parents=True)
    timed = {"kind": "training", "dtype": "bfloat16"}
    sheets = {
        "model-against": [
            {"candidate": name, "ours_faster": ratio} | timed
            for name, ratio in (("mambavision_tiny", 1.0), ("commit", 1.2), ("swin", 1.057))
        ],
        "model-runtimes": [
            {
                "model": "mambavision_nano", "runtime": name, "batch": 1, "ratio": ratio,
                "relative_gap": 0.0125,
            }
            for name, ratio in (("onnx", 1.0), ("onnx-int8", 2.5))
        ],
        "scan-peers": [
            {"shape": "1x64x32x8", "pass": name, "candidate": library, "ours_faster": ratio}
            for name, slower, faster in (("forward", 2.0, 0.85), ("training", 3.0, 4.0))
            for library, ratio in (
                ("ours", 1.0), ("mambapy", slower), ("mambax", faster), ("plain", 0.1),
            )
        ],
    }  # fmt: skip
    for name, rows in sheets.items():
        sheet = {"rows": rows, "commit": "b79d5091234"}
        (bench / f"{name}.json").write_text(json.dumps(sheet), encoding="utf-8")

    assert measurements.rivals(tmp_path).splitlines() == [
        "| Réseau | pas d’entraînement, bfloat16 |", "|---|--:|",
        "| la nôtre au commit b79d509 | 1,20 |", "| swin | 1,06 |",
    ]  # fmt: skip
    assert cells(measurements.other_runtimes(tmp_path)) == [
        ["MambaVision nano", "ONNX Runtime, entiers de 8 bits", "1", "2,50", "1,25"]
    ]
    assert cells(measurements.scan_rivals(tmp_path)) == [["1", "64", "32", "8", "0,85", "3,00"]]

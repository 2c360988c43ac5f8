"""The page on the service shows its measures in tables, and figures outside a notebook."""

import json
import subprocess
import sys

import pytest

from vitrine.book import measurements, plotly_renderer
from vitrine.report.ledger.service import SHEET

MEASURES = {
    "date": "2026-12-01",
    "hardware": {"cpu": "AMD EPYC", "cores": 2},
    "models": [
        {"model": "packaged", "architecture": "tf_efficientnet_lite0.in1k"},
        {"model": "efficientnet_b0", "architecture": "efficientnet_b0"},
    ],
    "rows": [
        {
            "model": "efficientnet_b0", "server": server, "clients": clients, "p50": 1234.4,
            "p99": 2000.0, "cpu_milliseconds": cpu, "slowest_probe": 9.6, "memory_mb": 254.7,
        }
        for clients in (1, 8)
        for server, cpu in (("ours", 12.34), ("naive", 24.0))
    ],
    "stages": [
        {"model": "packaged", "stage": stage, "server": server, "cpu_milliseconds": spent}
        for stage, server, spent in (
            ("decode", "ours", 4.25), ("decode", "naive", 16.8),
            ("inference", "ours", 2.0), ("inference", "naive", 7.0),
        )
    ],
}  # fmt: skip
PAGE = """# Titre

Voir {numref}`fig-attentes`.

:::{dessin} attentes
:name: fig-attentes
:alt: Quatre courbes.
Ce qu’on attend, *en ms*.
:::
"""


@pytest.fixture
def root(tmp_path):
    path = tmp_path / SHEET
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(MEASURES), encoding="utf-8")
    return tmp_path


def rows(table):
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]
    ]


def test_a_load_is_a_row_with_its_units_rounded(root):
    first, *others = rows(measurements.load(root))

    assert first == [
        "EfficientNet-B0", "1", "le nôtre", "1\u202f234", "2\u202f000", "12,3", "10", "255",
    ]  # fmt: skip
    assert [row[1:3] for row in others] == [["1", "le naïf"], ["8", "le nôtre"], ["8", "le naïf"]]


def test_the_two_forms_of_a_stage_stand_side_by_side(root):
    assert rows(measurements.stages(root)) == [
        ["EfficientNet-Lite0", "décodage", "4,2", "16,8"],
        ["EfficientNet-Lite0", "réseau", "2,0", "7,0"],
    ]


def test_the_machine_and_the_day_are_told(root):
    assert measurements.machine(root) == "AMD EPYC, 2 cœurs, le 1er décembre 2026"


def build(root, page):
    (root / "page.md").write_text(page, encoding="utf-8")
    (root / "conf.py").write_text(
        "extensions = ['myst_parser', 'vitrine.book.plotly_renderer']\n"
        "root_doc = 'page'\nnumfig = True\n"
        "myst_enable_extensions = ['colon_fence']\nexclude_patterns = ['runs']\nlanguage = 'fr'\n"
    )
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", ".", "built/html"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_a_figure_on_a_page_of_prose_has_number_caption_alt_text_and_data(root):
    done = build(root, PAGE)

    assert (done.returncode, done.stderr) == (0, "")
    html = (root / "built/html/page.html").read_text(encoding="utf-8")
    assert 'aria-label="Quatre courbes."' in html and 'href="#fig-attentes"' in html
    assert "<em>en ms</em>" in html and "<noscript><table>" in html
    data = next((root / "built/html/_downloads").rglob("fig-attentes.csv"))
    assert "1234.4" in data.read_text(encoding="utf-8")


def test_a_drawing_that_moves_has_number_caption_and_alt_text_and_no_data(root):
    done = build(root, PAGE.replace("attentes\n", "balayage\n", 1))

    assert (done.returncode, done.stderr) == (0, "")
    html = (root / "built/html/page.html").read_text(encoding="utf-8")
    assert html.count("<svg viewBox") == 2 and 'href="#fig-attentes"' in html
    assert 'role="img" aria-label="Quatre courbes."' in html and "<em>en ms</em>" in html
    assert "<noscript>" not in html


def test_a_figure_that_cannot_be_drawn_is_told(root):
    figure = PAGE[PAGE.index(":::") :]
    faults = {
        "one of the drawings attentes, balayage, modeles, trajet": ("attentes\n", "attente\n"),
        "expected the options alt and name, found no alt": (":alt: Quatre courbes.\n", ""),
        "expected a caption below the options, found none": ("Ce qu’on attend, *en ms*.\n", ""),
    }

    done = build(root, "# Titre\n\n" + "\n".join(figure.replace(*f, 1) for f in faults.values()))

    assert done.returncode != 0
    assert [told for told in faults if told not in done.stderr] == []


def test_every_drawing_can_be_made_from_the_tracked_files():
    from vitrine import paths

    assert all(make(paths.root()).data for make in plotly_renderer.DRAWINGS.values())

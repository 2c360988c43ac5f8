"""The package reads in one direction, and says nothing of the machine that made its files."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import vitrine
from vitrine.data import pictures
from vitrine.serving.predictor import shipped

ROOT = Path(vitrine.__file__).parent
REPOSITORY = ROOT.parents[1]
LAYERS = [
    {"paths"},
    {"data", "metrics", "models"},
    {"ssm", "training"},
    {"explain"},
    {"report"},
    {"book", "serving"},
    {"bench"},
    {"cli"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
MODULES = sorted(
    p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py" and "templates" not in p.parts
)


def unit(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported_units(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "vitrine":
            found |= {alias.name for alias in node.names if not alias.name.startswith("__")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vitrine."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("vitrine.")}
    return found - {unit(path)}


def test_modules_import_only_what_comes_before_them():
    backwards = {
        (str(path.relative_to(ROOT)), name)
        for path in MODULES
        for name in imported_units(path)
        if RANK[name] >= RANK[unit(path)]
    }

    assert backwards == set()


def summary(name: str) -> str:
    """Return the first line of the docstring of a module or of a package."""
    path = ROOT / f"{name}.py"
    path = path if path.is_file() else ROOT / name / "__init__.py"
    return ast.get_docstring(ast.parse(path.read_text())).splitlines()[0]


def test_a_newcomer_reads_of_each_module_what_it_says_of_itself_in_the_order_of_imports():
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")

    told = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+) \|$", text, re.MULTILINE)

    assert [(int(layer), name, line) for layer, name, line in told] == [
        (number, name, summary(name).replace("``", "`"))
        for number, layer in enumerate(LAYERS, start=1)
        for name in sorted(layer)
    ]
    assert set(RANK) == {unit(path) for path in MODULES}


def test_modules_stay_short_enough_to_hold_one_noun():
    whole_network = ROOT / "models" / "mambavision.py"  # to be read beside its paper
    lines = {path: len(path.read_text().splitlines()) for path in MODULES}

    assert lines.pop(whole_network) <= 400
    assert {str(path.relative_to(ROOT)): n for path, n in lines.items() if n > 320} == {}


def test_no_two_modules_of_the_tests_share_a_name():
    """Pytest imports each by its base name alone: a second of the same name stops the suite."""
    modules = [p.name for p in (REPOSITORY / "tests").rglob("*.py") if p.name != "conftest.py"]

    shared = [name for name, count in Counter(modules).items() if count > 1]

    assert len(modules) > 90
    assert shared == []


# Imported in this order, each adds to what is there already: who may load least comes first.
LIGHT = {
    "vitrine.data.images": {"pandas", "scipy"},
    "vitrine.metrics.metrics": {"torch", "tensorflow", "plotly", "scipy", "sklearn", "pandas"},
    "vitrine.serving.api": {"torch", "tensorflow", "pandas", "scipy", "sklearn", "typer"},
    "vitrine.training.exchange": {"torch", "tensorflow", "keras", "timm"},
    "vitrine.training.runs": {"torch", "tensorflow", "plotly", "scipy", "sklearn"},
    "vitrine.cli": {"torch", "tensorflow", "plotly", "sklearn"},
    "vitrine.training.sweep": {"torch", "tensorflow", "dask"},
    "vitrine.metrics.panel": {"torch", "tensorflow", "plotly"},
    "vitrine.training.session": {"torch", "tensorflow", "plotly"},
    "vitrine.report.ledger": {"torch", "tensorflow", "plotly"},
    "vitrine.explain.facts": {"torch", "tensorflow", "plotly"},
    "vitrine.training.pretrain.sources": {"torch", "tensorflow"},
    "vitrine.bench.results": {"torch", "tensorflow"},
    "vitrine.serving.export": {"torch", "tensorflow"},
}
IMPORTS = """
import importlib, sys
for module, heavy in eval(sys.argv[1]).items():
    importlib.import_module(module)
    if found := heavy & set(sys.modules):
        sys.exit(f"{module} imports {found}")
"""


@pytest.mark.parametrize(
    "given",
    [LIGHT, {"vitrine.training.keras": {"torch"}}, {"vitrine.training.torch": {"tensorflow"}}],
    ids=["light", "keras", "torch"],
)
def test_importing_a_module_leaves_heavy_libraries_alone(given):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, repr(given)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return [REPOSITORY / name for name in listed.stdout.split("\0") if name]


def test_tracked_files_hold_no_machine_path_and_no_registry():
    # the patterns are cut in two so that this file does not match them
    machine = re.compile(
        rb"/(?:home|root|Users)/[a-z]" rb"|/wor" rb"k/(?:main|shared)|/tm" rb"p/[a-z]"
    )
    registry = re.compile(
        rb"pypi\.o" rb"rg|pythonho" rb"sted|npmj" rb"s\.(?:org|com)|deb\.deb" rb"ian"
    )

    guilty = [
        str(path.relative_to(REPOSITORY))
        for path in tracked_files()
        if path.is_file()
        and (machine.search(content := path.read_bytes()) or registry.search(content))
    ]

    assert guilty == []


def test_tracked_files_are_ours_and_small():
    forbidden = {".jpg", ".jpeg", ".tflite", ".h5", ".keras", ".pth", ".pt", ".ckpt", ".onnx"}
    served = {folder / "model.onnx" for folder in shipped().values()}
    free = {picture.path for picture in pictures.read()}
    told = served | free  # whose licences are told: by their cards, by their index

    guilty = [
        path.name
        for path in tracked_files()
        if path.is_file()
        and ((path.suffix in forbidden and path not in told) or path.stat().st_size > 5_000_000)
    ]

    assert guilty == []

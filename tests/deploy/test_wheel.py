"""What is installed from the project holds all that its code reads beside itself."""

import subprocess
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def packed():
    """Return where each file of the wheel comes from, by its place in the wheel."""
    included = WheelBuilder(str(ROOT)).recurse_included_files()
    return {each.distribution_path: Path(each.path).resolve() for each in included}


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(packed):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "src/vitrine"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = {ROOT / name for name in listed.stdout.split()}

    assert set(packed.values()) == {path.resolve() for path in files if path.is_file()}


@pytest.mark.parametrize(
    "needed",
    ["serving/models/mambavision/model.onnx", "serving/models/mambavision/model.json",
     "serving/models/efficientnet-lite0/model.onnx", "serving/models/efficientnet-lite0/NOTICE",
     "serving/pages/card.md", "serving/english.toml", "serving/ui/page.css", "serving/ui/page.js",
     "book/pages/note.typ",
     "data/locale/fr.po", "data/locale/en.po", "data/templates/common/_config.yml"],
)  # fmt: skip
def test_what_the_code_reads_beside_itself_is_in_the_wheel(packed, needed):
    place = f"vitrine/{needed}"

    assert packed[place] == ROOT / "src" / place
    assert packed[place].stat().st_size > 0

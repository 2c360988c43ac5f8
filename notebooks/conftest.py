"""The gate of nbval: a notebook in which no cell is compared passes for nothing."""

import os
from collections import Counter

import pytest

# tqdm warns on stderr when a notebook has no widgets: nothing of ours, and it would be compared.
os.environ.setdefault("PYTHONWARNINGS", "ignore:IProgress not found")


def _is_compared(item) -> bool:
    return bool(item.options.get("check")) and any(
        output.output_type != "stream" or output.text.strip() for output in item.cell.outputs
    )


HOLLOW = pytest.StashKey[bool]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    cells = [item for item in items if type(item).__name__ == "IPyNbCell"]
    if not (config.option.nbval or config.option.nbval_lax):
        return
    compared = Counter(item.parent.name for item in cells if _is_compared(item))
    for item in cells:
        item.stash[HOLLOW] = not compared[item.parent.name]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.stash.get(HOLLOW, False):
        pytest.fail(
            f"expected at least one compared cell in {item.parent.name}, found none; tag a cell "
            "nbval-check-output and publish the notebook",
            pytrace=False,
        )

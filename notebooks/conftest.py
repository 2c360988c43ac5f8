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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    cells = [item for item in items if type(item).__name__ == "IPyNbCell"]
    if not cells or not (config.option.nbval or config.option.nbval_lax):
        return
    compared = Counter({item.parent.name: 0 for item in cells})
    compared.update(item.parent.name for item in cells if _is_compared(item))
    hollow = [name for name, count in compared.items() if count == 0]
    if hollow:
        raise pytest.UsageError(
            f"expected at least one compared cell in each notebook, found none in "
            f"{', '.join(hollow)}; tag a cell nbval-check-output and publish the notebook"
        )

"""Print the requirements of one extra, without the project's own: what an image installs.

The images hold the service, not the report: no pandas or scikit-learn in the API because a
notebook needs them. ``uv pip compile --extra`` would add the project's dependencies.
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def requirements(extra: str) -> list[str]:
    """Return the requirements that pyproject.toml lists under an extra.

    Raises:
        ValueError: If there is no such extra.
    """
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    if extra not in extras:
        raise ValueError(f"expected one of the extras {', '.join(extras)}; got {extra}")
    return extras[extra]


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))

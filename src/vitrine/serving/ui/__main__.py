"""``python -m vitrine.serving.ui``: run the web page, configured by its environment alone.

This is what the container runs. Exit codes are those of ``vitrine``.
"""

import sys

from vitrine.serving.settings import SettingsError
from vitrine.serving.ui.app import serve
from vitrine.serving.ui.settings import Settings

__all__ = ["main"]


def main() -> int:
    """Serve, and return the exit code of a failure told in one sentence."""
    try:
        serve(Settings())
    except SettingsError as error:
        print(f"vitrine: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

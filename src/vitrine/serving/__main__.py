"""``python -m vitrine.serving``: run the service, configured by its environment alone.

This is what the container runs: it needs neither the command line nor its libraries. Exit codes are
those of ``vitrine``.
"""

import sys

from vitrine.serving.api import serve
from vitrine.serving.card import ModelError
from vitrine.serving.settings import Settings, SettingsError

__all__ = ["main"]


def main() -> int:
    """Serve, and return the exit code of a failure told in one sentence."""
    try:
        serve(Settings())
    except (ModelError, SettingsError) as error:
        print(f"vitrine: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    return 0


if __name__ == "__main__":
    sys.exit(main())

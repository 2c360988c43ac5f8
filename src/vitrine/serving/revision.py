"""Which commit a server was built from, told in a header of every answer.

The former image goes on answering while a new one starts: whoever deploys has to tell them apart.
"""

import os
import re
from collections.abc import Mapping

from vitrine.serving.settings import SettingsError

__all__ = ["HEADER", "headers"]

HEADER = "X-Vitrine-Revision"


def headers(environment: Mapping[str, str] = os.environ) -> list[tuple[str, str]]:
    """Return the header that tells ``REVISION``, or none where it is not set.

    Raises:
        SettingsError: If it holds what a commit, a tag or a branch would not.
    """
    revision = environment.get("REVISION", "").strip()
    if not revision:
        return []
    if not re.fullmatch(r"[A-Za-z0-9._/-]{1,100}", revision):
        raise SettingsError(f"expected REVISION to be a commit or a tag, found {revision!r}")
    return [(HEADER, revision)]

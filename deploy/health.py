"""Ask the server of this container whether it is well: exit code 0 if it answers 200, else 1."""

import os
import sys
import urllib.request
from http import HTTPStatus

address = f"http://127.0.0.1:{os.environ['PORT']}{sys.argv[1]}"
try:
    with urllib.request.urlopen(address, timeout=2) as answer:
        sys.exit(answer.status != HTTPStatus.OK)
except OSError as error:
    sys.exit(f"{sys.argv[1]}: {error}")

#!/usr/bin/env bash
# papermill 2.7.0 (nbformat 5.10.4): a parameter annotated with a union, `seed: int | None = None`, is
# no parameter for papermill: `inspect_notebook` and `--help-notebook` leave it out, and giving it to
# `execute_notebook` warns of an unknown parameter, although `int`, `list[str]` and a quoted "int" are
# seen. The value is injected all the same. Code that refuses unknown parameters from what papermill
# lists refuses a true one; code that trusts the warning believes that nothing was set.
# Seen where a notebook's parameters were checked before a training.
#
# Expected output (this script fails if it changes):
#   listed: ['rate', 'names', 'side']
#   warned: Passed unknown parameter: seed
#   injected: seed = 3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check papermill==2.7.0 nbformat==5.10.4
cat > "$folder/try.py" <<'PY'
import logging
import sys

import nbformat
import papermill

source = """rate: float = 0.1
seed: int | None = None
names: list[str] = ["a"]
side: "int" = 224"""
cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
notebook.metadata["language_info"] = {"name": "python"}
path, out = sys.argv[1:]
nbformat.write(notebook, path)


class Heard(logging.Handler):
    def emit(self, record):
        if "unknown parameter" in record.getMessage():
            print("warned:", record.getMessage())


print("listed:", list(papermill.inspect_notebook(path)))
logging.getLogger("papermill").addHandler(Heard(logging.WARNING))
made = papermill.execute_notebook(path, out, parameters={"seed": 3}, prepare_only=True)
injected = next(c for c in made.cells if "injected-parameters" in c.metadata.tags)
print("injected:", injected.source.splitlines()[-1])
PY
seen=$("$folder/env/bin/python" -W ignore "$folder/try.py" "$folder/a.ipynb" "$folder/b.ipynb" 2>/dev/null)
echo "$seen"
[ "$seen" = "listed: ['rate', 'names', 'side']
warned: Passed unknown parameter: seed
injected: seed = 3" ] || { echo "the behaviour has changed" >&2; exit 1; }

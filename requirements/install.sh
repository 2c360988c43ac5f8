#!/usr/bin/env bash
# Make .venv from the hash-pinned requirements/all.txt. Does nothing when it is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
  found=$("$python" --version 2>&1 || true)
  echo "setup: expected Python 3.11 to 3.13, found ${found:-none}; set PYTHON to one of them" >&2
  exit 2
fi

stamp=.venv/.vitrine
wanted=$(cat requirements/all.txt pyproject.toml | "$python" -c \
  'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  exit 0
fi

# The environment weighs 8 GB, once unpacked, and as much again in uv's cache on another disk.
needed_gb=10
free_gb=$(df -Pk . | awk 'NR == 2 {print int($4 / 1048576)}')
echo "setup: the environment takes about 8 GB on the disk; $free_gb GB are free"
if [ ! -d .venv ] && [ "$free_gb" -lt "$needed_gb" ]; then
  echo "setup: expected at least $needed_gb GB free, found $free_gb; make room first" >&2
  exit 1
fi

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  if [ ! -x .tools/bin/uv ]; then
    echo "setup: bringing uv into .tools/"
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes \
      --root-user-action=ignore --target .tools --upgrade -r requirements/uv.txt
  fi
  uv=.tools/bin/uv
fi

[ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
echo "setup: installing the locked packages"
# By name: uv would otherwise empty another environment that is active.
"$uv" pip sync --python .venv/bin/python --require-hashes requirements/all.txt
"$uv" pip install --python .venv/bin/python --quiet --no-deps --no-build-isolation --editable .
echo "$wanted" > "$stamp"
echo "setup: done; to type vitrine by itself: source .venv/bin/activate"

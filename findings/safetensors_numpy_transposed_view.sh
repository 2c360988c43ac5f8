#!/usr/bin/env bash
# safetensors 0.8.0, numpy 2.4.6: `safetensors.numpy.save_file` writes the memory of an array as it
# lies, under the shape that the array shows. A transposed view comes back with the right shape, the
# wrong values, and no error, although `numpy.save` and `safetensors.torch` handle or refuse it.
# Seen where kernels cross from PyTorch (out, in, h, w) to Keras (h, w, in, out) by `.transpose`.
#
# Expected output (this script fails if it changes):
#   shape kept: True
#   values kept: False
#   values kept once contiguous: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cat > "$folder/try.py" <<'PY'
import sys
import numpy as np
from safetensors.numpy import load_file, save_file

kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
path = sys.argv[1]
save_file({"view": kernel.T, "copy": np.ascontiguousarray(kernel.T)}, path)
back = load_file(path)
print("shape kept:", back["view"].shape == kernel.T.shape)
print("values kept:", bool((back["view"] == kernel.T).all()))
print("values kept once contiguous:", bool((back["copy"] == kernel.T).all()))
PY
seen=$("$folder/env/bin/python" "$folder/try.py" "$folder/weights.safetensors")
echo "$seen"
[ "$seen" = "shape kept: True
values kept: False
values kept once contiguous: True" ] || { echo "the behaviour has changed" >&2; exit 1; }

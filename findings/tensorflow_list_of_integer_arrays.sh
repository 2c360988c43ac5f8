#!/usr/bin/env bash
# tensorflow-cpu 2.21.0 (numpy 2.4.6): a list of integer NumPy arrays loses its type. `tf.stack`,
# `tf.constant` and `tf.convert_to_tensor` of [uint8, uint8] give int32, and so do int8, int16, uint16
# and int64; with one value beyond 32 bits the same call on int64 arrays gives int64: the type follows
# the values. One array alone keeps its type, so do floats, tensors in a list, `tf.concat` of the same
# list, and `tf.data.Dataset.from_tensor_slices`. Photos stacked before a `tf.data` pipeline take four
# times the memory, and a `tf.numpy_function` that promises uint8 fails far from the cause.
# Seen where photos, uint8, were stacked for a batch of training.
#
# Expected output (this script fails if it changes):
#   stack of two: uint8 int32, int16 int32, int64 int32, float16 float16
#   stack of two int64 with a large value: int64
#   concat uint8, slices uint8, one array uint8
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check \
    tensorflow-cpu==2.21.0 numpy==2.4.6
cat > "$folder/try.py" <<'PY'
import numpy as np
import tensorflow as tf

found = []
for kind in ("uint8", "int16", "int64", "float16"):
    array = np.ones((2, 2), kind)
    types = {call([array, array]).dtype.name for call in (tf.stack, tf.constant, tf.convert_to_tensor)}
    found.append(f"{kind} {'/'.join(sorted(types))}")
print("stack of two:", ", ".join(found))
large = np.array([1, 2**40])
print("stack of two int64 with a large value:", tf.stack([large, large]).dtype.name)
photo = np.ones((2, 2), np.uint8)
print(
    f"concat {tf.concat([photo, photo], 0).dtype.name}, "
    f"slices {tf.data.Dataset.from_tensor_slices([photo, photo]).element_spec.dtype.name}, "
    f"one array {tf.convert_to_tensor(photo).dtype.name}"
)
PY
seen=$("$folder/env/bin/python" "$folder/try.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "stack of two: uint8 int32, int16 int32, int64 int32, float16 float16
stack of two int64 with a large value: int64
concat uint8, slices uint8, one array uint8" ] || { echo "the behaviour has changed" >&2; exit 1; }

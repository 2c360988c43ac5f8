#!/usr/bin/env bash
# imagehash 4.3.2 (numpy 2.4.6, pillow 12.3.0, scipy 1.17.1): two perceptual hashes (`phash`) are
# always at an even distance. Each bit says whether a coefficient is above the median, so that 32 of
# the 64 bits are set whatever the picture, and two words of equal weight differ in an even number of
# bits. Thresholds of 4 and 5 are one threshold, a search at distance 1 finds nothing that a search at
# distance 0 does not, and half of the values of a histogram stay empty. `dhash`, which compares
# neighbours, has odd distances too.
# Seen where near-duplicate product photos were counted at every distance.
#
# Expected output (this script fails if it changes):
#   phash: bits set [32], odd distances 0 of 1770
#   dhash: odd distances found: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check \
    imagehash==4.3.2 numpy==2.4.6 pillow==12.3.0 pywavelets==1.9.0 scipy==1.17.1
cat > "$folder/try.py" <<'PY'
from itertools import combinations

import imagehash
import numpy as np
from PIL import Image

rng = np.random.default_rng(0)
pictures = [
    Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((160, 120))
    for _ in range(60)
]
for name in ("phash", "dhash"):
    hashes = [getattr(imagehash, name)(picture) for picture in pictures]
    odd = [(a - b) % 2 for a, b in combinations(hashes, 2)]
    if name == "phash":
        weights = sorted({int(found.hash.sum()) for found in hashes})
        print(f"phash: bits set {weights}, odd distances {sum(odd)} of {len(odd)}")
    else:
        print(f"dhash: odd distances found: {any(odd)}")
PY
seen=$("$folder/env/bin/python" "$folder/try.py")
echo "$seen"
[ "$seen" = "phash: bits set [32], odd distances 0 of 1770
dhash: odd distances found: True" ] || { echo "the behaviour has changed" >&2; exit 1; }

#!/usr/bin/env bash
# torch 2.15.0: a checkpointed branch (`torch.utils.checkpoint`, use_reentrant=False) that ends in a
# linear layer does not compute that layer again: recomputation stops once it has what the backward
# pass reads, and nothing reads the output of the last product. With a dropout or a stochastic depth
# after it, inside the checkpoint, the product is made again: its output is still read by nobody, but
# the mask of the dropout is, and comes after it. Moving the dropout out of the checkpoint changes
# neither values nor gradients, and spares the largest product of a perceptron.
# Seen where the blocks of a vision network, whose stochastic depth lay inside the checkpoint, paid
# 4 % of a training step for it.
#
# Expected output (this script fails if it changes):
#   products, no checkpoint: 2
#   products, dropout after the checkpoint: 3
#   products, dropout inside the checkpoint: 4
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check torch==2.15.0 numpy==2.4.6
cat > "$folder/try.py" <<'PY'
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint


class Products(TorchDispatchMode):
    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten.addmm.default
        return func(*args, **(kwargs or {}))


first, last = nn.Linear(8, 32), nn.Linear(32, 8)


def branch(x):
    return last(first(x).relu())


def products(block):
    x = torch.ones(4, 8, requires_grad=True)
    with Products() as seen:
        block(x).sum().backward()
    return seen.count


drop = nn.Dropout(0.5)
outside = lambda x: drop(checkpoint(branch, x, use_reentrant=False))
inside = lambda x: checkpoint(lambda x: drop(branch(x)), x, use_reentrant=False)
print("products, no checkpoint:", products(lambda x: drop(branch(x))))
print("products, dropout after the checkpoint:", products(outside))
print("products, dropout inside the checkpoint:", products(inside))
PY
seen=$("$folder/env/bin/python" "$folder/try.py")
echo "$seen"
[ "$seen" = "products, no checkpoint: 2
products, dropout after the checkpoint: 3
products, dropout inside the checkpoint: 4" ] || { echo "the behaviour has changed" >&2; exit 1; }

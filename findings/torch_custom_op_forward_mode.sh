#!/usr/bin/env bash
# torch 2.15.0: an operator made by `torch.library.custom_op`, whose gradient is registered by
# `register_autograd`, has a right backward and a silent forward mode: `torch.func.jvp` and `jacfwd`
# answer a derivative of zero, where a formula that does not exist might be expected to raise, as it
# does for an `autograd.Function` without `jvp`. Sums of products with other operators are then wrong
# and plausible: the paths through the operator are missing, the others are right.
# Seen where a selective scan for CPUs was registered as an operator, and where the derivative of a
# whole network along a direction came back a third of its value.
# The packages of PyTorch for Linux on the index bring CUDA: this downloads about 3 GB.
#
# Expected output (this script fails if it changes):
#   backward: [2.0]
#   jvp: [0.0]
#   jacfwd: [[0.0]]
#   autograd.Function without jvp: NotImplementedError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check torch==2.15.0 numpy==2.4.6
cat > "$folder/try.py" <<'PY'
import torch


@torch.library.custom_op("finding::double", mutates_args=())
def double(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


double.register_fake(torch.empty_like)
double.register_autograd(lambda ctx, grad: 2 * grad)


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return 2 * x

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


x = torch.tensor([3.0], requires_grad=True)
double(x).sum().backward()
print("backward:", x.grad.tolist())
point, along = torch.tensor([3.0]), torch.tensor([1.0])
print("jvp:", torch.func.jvp(double, (point,), (along,))[1].tolist())
print("jacfwd:", torch.func.jacfwd(double)(point).tolist())
try:
    print(torch.func.jvp(Twice.apply, (point,), (along,)))
except NotImplementedError as error:
    print("autograd.Function without jvp:", type(error).__name__)
PY
seen=$("$folder/env/bin/python" -W ignore "$folder/try.py")
echo "$seen"
[ "$seen" = "backward: [2.0]
jvp: [0.0]
jacfwd: [[0.0]]
autograd.Function without jvp: NotImplementedError" ] || { echo "the behaviour has changed" >&2; exit 1; }

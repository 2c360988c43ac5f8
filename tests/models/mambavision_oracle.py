"""What the tests of MambaVision hold it to: published weights rebuilt, and a forward in one piece.

The generator of weights and inputs is described in ``data/reference_T.json``; the package has it in
``models.rebuilt``, and the recorded logits hold it to the description. ``plain_forward`` is written
from the description of the published network alone and shares nothing with the package: no module,
no scan, the windows cut one by one. It is slow, in the order a reader would compute.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

from vitrine.models.rebuilt import fill, image, stream

__all__ = ["fill", "image", "load_reference", "loss_weights", "plain_forward"]

DATA = Path(__file__).parent / "data"


def load_reference(letter):
    return json.loads((DATA / f"reference_{letter}.json").read_text())


def loss_weights(batch, classes=1000):
    return torch.from_numpy(stream(f"grad:{batch}x{classes}", batch * classes)).reshape(batch, -1)


def plain_forward(state, x, num_heads, window_size):
    def batch_norm(x, name, eps):
        mean, var, scale, shift = (
            state[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + eps).sqrt() * scale + shift

    def conv(x, name, stride):
        return F.conv2d(x, state[f"{name}.weight"], state.get(f"{name}.bias"), stride, padding=1)

    def linear(x, name):
        y = x @ state[f"{name}.weight"].T
        return y + state[f"{name}.bias"] if f"{name}.bias" in state else y

    def layer_norm(x, name):
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def neighbours(x, weight):
        before, after = torch.zeros_like(x), torch.zeros_like(x)
        before[1:], after[:-1] = x[:-1], x[1:]
        return before * weight[:, 0, 0] + x * weight[:, 0, 1] + after * weight[:, 0, 2]

    def silu(x):
        return x / (1 + (-x).exp())

    def scan(tokens, name):
        A, D = -state[f"{name}.A_log"].exp(), state[f"{name}.D"]
        half, states = A.shape
        projected = linear(tokens, f"{name}.in_proj")
        x = silu(neighbours(projected[:, :half], state[f"{name}.conv1d_x.weight"]))
        z = silu(neighbours(projected[:, half:], state[f"{name}.conv1d_z.weight"]))
        mixed = linear(x, f"{name}.x_proj")
        step, B, C = mixed[:, : -2 * states], mixed[:, -2 * states : -states], mixed[:, -states:]
        delta = F.softplus(linear(step, f"{name}.dt_proj") + state[f"{name}.dt_proj.bias"])
        h, outputs = torch.zeros_like(A), []
        for t in range(len(tokens)):
            h = (delta[t, :, None] * A).exp() * h + (delta[t] * x[t])[:, None] * B[t]
            outputs.append(h @ C[t] + D * x[t])
        return linear(torch.cat([torch.stack(outputs), z], dim=1), f"{name}.out_proj")

    def attention(tokens, name, heads):
        parts = linear(tokens, f"{name}.qkv").chunk(3, dim=1)
        outputs = []
        for q, k, v in zip(*(part.chunk(heads, dim=1) for part in parts), strict=True):
            outputs.append((q @ k.T / q.shape[1] ** 0.5).softmax(dim=1) @ v)
        return linear(torch.cat(outputs, dim=1), f"{name}.proj")

    def block(tokens, name, heads):
        scans = f"{name}.mixer.A_log" in state
        mixer = f"{name}.mixer"
        normed = layer_norm(tokens, f"{name}.norm1")
        y = scan(normed, mixer) if scans else attention(normed, mixer, heads)
        tokens = tokens + y * state.get(f"{name}.gamma_1", 1)
        hidden = F.gelu(linear(layer_norm(tokens, f"{name}.norm2"), f"{name}.mlp.fc1"))
        return tokens + linear(hidden, f"{name}.mlp.fc2") * state.get(f"{name}.gamma_2", 1)

    def windows(x, names, heads, side):
        batch, channels, height, width = x.shape
        padded = torch.zeros(batch, channels, -(-height // side) * side, -(-width // side) * side)
        padded = padded.to(x)
        padded[:, :, :height, :width] = x
        for b in range(batch):
            for top in range(0, padded.shape[2], side):
                for left in range(0, padded.shape[3], side):
                    window = padded[b, :, top : top + side, left : left + side]
                    tokens = window.reshape(channels, -1).T
                    for name in names:
                        tokens = block(tokens, name, heads)
                    window.copy_(tokens.T.reshape(channels, side, side))
        return padded[:, :, :height, :width]

    for step in (0, 3):
        x = conv(x, f"patch_embed.conv_down.{step}", 2)
        x = batch_norm(x, f"patch_embed.conv_down.{step + 1}", 1e-4).clamp(min=0)
    for level in range(4):
        head = f"levels.{level}.blocks."
        depth = len({key[len(head) :].split(".")[0] for key in state if key.startswith(head)})
        names = [f"{head}{j}" for j in range(depth)]
        if level < 2:
            for name in names:
                y = batch_norm(conv(x, f"{name}.conv1", 1), f"{name}.norm1", 1e-5)
                y = conv(F.gelu(y, approximate="tanh"), f"{name}.conv2", 1)
                x = x + batch_norm(y, f"{name}.norm2", 1e-5)
        else:
            x = windows(x, names, num_heads[level - 2], window_size[level - 2])
        if level < 3:
            x = conv(x, f"levels.{level}.downsample.reduction.0", 2)
    return linear(batch_norm(x, "norm", 1e-5).mean((2, 3)), "head")

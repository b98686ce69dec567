"""The minimal residual network in PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from turingdiff.network._weights import Architecture, Weights


class _Circular(nn.Conv2d):
    """A 3x3 convolution on the torus; padding_mode="circular" would lose the channels-last order, and speed."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.cat((x[:, :, -1:], x, x[:, :, :1]), 2)
        x = torch.cat((x[..., -1:], x, x[..., :1]), 3)
        return functional.conv2d(x, self.weight, self.bias)


class ResidualNetwork(nn.Module):
    """Noise from a noisy image: the equations of `turingdiff.network._weights.Architecture`."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture

        def convolution(into: int, out: int) -> nn.Conv2d:
            if a.padding == "circular":
                return _Circular(into, out, 3)
            return nn.Conv2d(into, out, 3, padding=1)

        self.up = convolution(a.colours, a.width)
        self.middle = nn.ModuleList(convolution(a.width, a.width) for _ in range(a.layers))
        self.down = convolution(a.width, a.colours)
        self.time = nn.Linear(2 * a.frequencies, a.embedding)
        # The convolution's bias is the constant of this sum.
        self.shift = nn.ModuleList(nn.Linear(a.embedding, a.width, bias=False) for _ in range(a.layers))
        self.classes = nn.Embedding(a.classes, a.embedding) if a.classes else None
        for parameter in self.down.parameters():
            nn.init.zeros_(parameter)

    def forward(self, phi: torch.Tensor, features: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """The noise in phi (B, C, H, W), of the variance-preserving frame, at the clock of `features` (B, 2F)."""
        z = self.time(features)
        if self.classes is not None:
            z = z + self.classes(labels)
        z = functional.relu(z)
        h = self.up(phi)
        for convolution, shift in zip(self.middle, self.shift, strict=True):
            h = h + functional.relu(convolution(h) + shift(z)[:, :, None, None])
        return self.down(h)

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights as NumPy arrays, in the names and shapes of the architecture."""
        held = {name: value.detach().numpy() for name, value in self.state_dict().items()}
        layers = range(self.architecture.layers)
        arrays = {name: held[name] for name in ("up.weight", "up.bias", "down.weight", "down.bias")}
        arrays |= {f"time.{part}": held[f"time.{part}"] for part in ("weight", "bias")}
        for part in ("weight", "bias"):
            arrays[f"middle.{part}"] = np.stack([held[f"middle.{layer}.{part}"] for layer in layers])
        arrays["shift.weight"] = np.stack([held[f"shift.{layer}.weight"] for layer in layers])
        if self.classes is not None:
            arrays["classes"] = held["classes.weight"]
        return {name: np.array(value, np.float32, order="C") for name, value in arrays.items()}

    @classmethod
    def of(cls, weights: Weights) -> ResidualNetwork:
        """The network with given weights."""
        network = cls(weights.architecture)
        held = {name: torch.from_numpy(array.copy()) for name, array in weights.arrays.items()}
        state = {name: held[name] for name in held if name.split(".")[0] in ("up", "down", "time")}
        for layer in range(weights.architecture.layers):
            state |= {f"middle.{layer}.{part}": held[f"middle.{part}"][layer] for part in ("weight", "bias")}
            state[f"shift.{layer}.weight"] = held["shift.weight"][layer]
        if "classes" in held:
            state["classes.weight"] = held["classes"]
        network.load_state_dict(state)
        return network

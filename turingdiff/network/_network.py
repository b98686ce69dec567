"""A trained network as a rule of the engine: it, too, is a local rule."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from turingdiff.denoising._noise_prediction import NoisePredictor, variance_preserving
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.network._cell import circular_network_cell, zeros_network_cell
from turingdiff.network._convolutions import layer_constants, residual_layers, wrapped_ring, zero_ring
from turingdiff.network._weights import PADDINGS, Weights, load_weights

SHIPPED = ("resnet-circular", "resnet-zeros")
BY_PADDING = {"zeros": (zeros_network_cell, zero_ring), "circular": (circular_network_cell, wrapped_ring)}


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Network(NoisePredictor):
    """A trained network as a rule: dy/dsigma is the noise that it sees, since D = y - sigma noise.

    Parameters
    ----------
    weights
        Architecture, arrays and the record of the training.
    label
        The class it is told, where it was trained with classes.
    """

    weights: Weights
    label: int | None = None

    def __repr__(self) -> str:
        return f"<rule {self.name} of {', '.join(self.channels)}; {self.weights.architecture}; {self.neighbourhood}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _network, (self.weights, self.name, self.label)

    def conditional(self, label: Any) -> Network:
        """The network told another class.

        Raises
        ------
        ValueError
            For a network trained without classes, or a class it does not know.
        """
        return _network(self.weights, self.name, label)


def network(source: str | os.PathLike[str] | Weights, *, label: int | None = None) -> Network:
    """A trained network: dy/dsigma = noise(y/sqrt(1 + sigma²), t(sigma)), the paper's minimal ResNet.

    It is local (its receptive field is its radius), and with circular padding equivariant under shifts. Zero padding
    lets it know the border: each layer sees zeros there. It goes on any canvas; PyTorch is needed for training only.

    Parameters
    ----------
    source
        ``"resnet-zeros"`` or ``"resnet-circular"``, which come with the package (trained on its 2,000 images);
        the path of a file of `turingdiff train`; or weights.
    label
        The class, for a network that was trained with classes.

    Raises
    ------
    TypeError
        For something else.
    FileNotFoundError
        For a path where there is no file.
    ValueError
        For a file that is damaged or not a network's, and a label that the network does not know or needs.

    References
    ----------
    Kamb & Ganguli, An analytic theory of creativity in convolutional diffusion models, ICML 2025, C.1.
    """
    return _network(*weights_of(source), label)


def weights_of(source: str | os.PathLike[str] | Weights) -> tuple[Weights, str]:
    """The weights that `network` means, and their name."""
    if isinstance(source, Weights):
        return source, "network"
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"a network is a name, the path of a file, or Weights; got {source!r}")
    name = os.fspath(source)
    if name in SHIPPED:
        return _shipped(name), name
    if not Path(name).is_file():
        raise FileNotFoundError(
            f"no network {name!r}: there are {', '.join(SHIPPED)}, and the files that turingdiff train writes"
        )
    return load_weights(name), Path(name).stem


@cache
def _shipped(name: str) -> Weights:
    with as_file(files("turingdiff.data") / f"{name}.npz") as path:
        return load_weights(path)


def _network(weights: Weights, name: str, label: int | None) -> Network:
    architecture, arrays = weights.architecture, dict(weights.arrays)
    cell, pad = BY_PADDING[architecture.padding]
    of_class: Any = 0.0
    if label is not None or architecture.classes:
        if label is None or not 0 <= label < architecture.classes or label != int(label):
            known = f"the classes 0 to {architecture.classes - 1}" if architecture.classes else "no classes"
            raise ValueError(f"{name} knows {known}, got label={label!r}")
        of_class = arrays["classes"][int(label)]
    noise = partial(
        _noise,
        cache(partial(residual_layers, weights, pad)),
        cache(partial(layer_constants, weights, of_class=of_class)),
    )
    arrays.pop("classes", None)
    # As parameters, arrays of two axes would be maps of the field: they get an axis more.
    told = {**arrays, "time.bias": arrays["time.bias"].astype(float) + of_class}
    return Network(
        cell=cell,
        params={key: array[None] if array.ndim == 2 else array for key, array in told.items()},
        channels=architecture.colours,
        neighbourhood=Neighbourhood(architecture.radius, PADDINGS[architecture.padding]),
        name=name,
        function=noise,
        canvas=tuple(weights.record["size"]),
        weights=weights,
        label=None if label is None else int(label),
    )


def _noise(layers: Callable, constants: Callable, fields: np.ndarray, sigma: float) -> np.ndarray:
    """The noise in fields (B, C, H, W); `layers` are those of a dtype, `constants` those of a level."""
    phi = variance_preserving(fields, sigma)
    return layers(fields.dtype).noise(phi, constants(sigma).astype(fields.dtype))

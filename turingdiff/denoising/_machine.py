"""A machine: an analytic denoiser of a training set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np

from turingdiff.denoising._denoiser import Denoiser, FieldFunction
from turingdiff.denoising._levels import cosine_levels
from turingdiff.denoising._patch_sizes import odd, patch_sizes
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.patches.admissible import Admissible
from turingdiff.patches.posterior import patch_posterior


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Machine(Denoiser):
    """An analytic denoiser, of a training set.

    Parameters
    ----------
    images
        The training set (N, C, H, W), as given: uint8 or float32.
    admissible
        ``admissible(field, image, r)``: the training patches a pixel is compared with, for machines of patches.
    labels
        (N,) the class of every image; see `conditional`.
    remade
        ``remade(images)``: the same machine of other images.
    numbers
        (N,) the index of every image in the set that was given, rising; None where these are all of them.
    """

    images: np.ndarray
    remade: Callable[[np.ndarray], Machine]
    admissible: Callable[[tuple[int, int], tuple[int, int], int], Admissible] | None = None
    labels: np.ndarray | None = None
    numbers: np.ndarray | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The images say it all: covariances and compiled functions are made anew where the machine is unpickled.
        return _with_labels, (self.remade, self.images, self.labels, self.numbers)

    def conditional(self, label: Any) -> Machine:
        """The machine of the images of one class. Sources of its pixels keep the index that they have in the whole set.

        Raises
        ------
        ValueError
            For a machine without labels, or a label that no image has.
        """
        if self.labels is None:
            raise ValueError(f"{self.name} has no labels: give them with the images, labels=labels")
        chosen = self.labels == label
        if not chosen.any():
            raise ValueError(f"{self.name} has no image of class {label!r}; it has {np.unique(self.labels).tolist()}")
        numbers = np.flatnonzero(chosen) if self.numbers is None else self.numbers[chosen]
        return _with_labels(self.remade, self.images[chosen], self.labels[chosen], numbers)

    def numbered(self, places: np.ndarray) -> np.ndarray:
        """Indices in the set that was given, of images of this machine."""
        return places if self.numbers is None else self.numbers[places]

    def images_numbered(self, numbers: np.ndarray) -> np.ndarray:
        """Images by their indices in the set that was given."""
        return self.images[numbers if self.numbers is None else np.searchsorted(self.numbers, numbers)]


def of_class(machine: Any, label: Any) -> Any:
    """The machine of one class, or the machine itself for None."""
    if label is None:
        return machine
    if not isinstance(machine, Denoiser):
        raise ValueError(f"{getattr(machine, 'name', machine)} knows no classes: leave out the label")
    return machine.conditional(label)


def _with_labels(
    remade: Callable[[np.ndarray], Machine],
    images: np.ndarray,
    labels: np.ndarray | None,
    numbers: np.ndarray | None = None,
) -> Machine:
    return replace(remade(images), labels=labels, numbers=numbers)


Factory = TypeVar("Factory", bound=Callable[..., Machine])


def short_name(name: str) -> Callable[[Factory], Factory]:
    """Decorate a function that makes a machine of images: the command line then has the machine under this name too."""

    def named(factory: Factory) -> Factory:
        factory.short_name = name  # type: ignore[attr-defined]
        return factory

    return named


def make_machine(
    name: str,
    cell: Callable,
    images: np.ndarray,
    neighbourhood: Neighbourhood,
    posterior: FieldFunction,
    remade: Callable[..., Machine],
    *,
    labels: Sequence[Any] | None = None,
    params: dict[str, Any] | None = None,
    **parts: Any,
) -> Machine:
    """Make a machine of its cell function and its posterior mean; `params` are by default the images."""
    return Machine(
        cell=cell,
        params={"images": images} if params is None else params,
        channels=images.shape[1],
        neighbourhood=neighbourhood,
        name=name,
        images=images,
        function=posterior,
        canvas=images.shape[2:],
        labels=_check_labels(labels, images),
        remade=remade,
        **parts,
    )


def is_torus(boundary: Any, name: str) -> bool:
    """Whether a machine's boundary is the torus; it is zero padding otherwise."""
    if boundary not in ("zero", "periodic"):
        raise ValueError(f'{name} is defined for boundary="zero" or "periodic", got {boundary!r}')
    return boundary == "periodic"


def same_size(images: np.ndarray, shape: tuple[int, int]) -> None:
    """Refuse a field of another size than the training images."""
    if tuple(shape) != images.shape[2:]:
        raise ValueError(
            f"this machine compares whole images, or places in them, so the field must have the size of the training "
            f"images {images.shape[2:]}, got {tuple(shape)}; equivariant_local goes on any canvas"
        )


def _check_labels(labels: Sequence[Any] | None, images: np.ndarray) -> np.ndarray | None:
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (len(images),):
        raise ValueError(f"labels must be one for each of the {len(images)} images, got the shape {array.shape}")
    return array


DEFAULT_PATCH = "fashion-resnet-zeros"
Labels = Sequence[Any] | None


def _patch_machine(name, cell, images, patch, boundary, admissible, admits, remade, labels) -> Machine:
    size, largest = patch_sizes(patch, cosine_levels(20))
    radius = partial(_radius_of, size)
    places = partial(_places, admissible)
    reachable = partial(_check_reachable, places, images.shape[2:], largest // 2)
    reachable(images.shape[2:])
    return make_machine(
        name,
        cell,
        images,
        Neighbourhood(largest // 2, boundary),
        partial(_patch_posterior, images, places, radius),
        remade,
        labels=labels,
        radius_at=None if isinstance(patch, (int, np.integer)) else radius,
        admissible=places,
        admits=admits or reachable,
    )


@lru_cache(maxsize=256)
def _places(admissible: Callable, field: tuple[int, int], image: tuple[int, int], r: int) -> Admissible:
    return admissible(field, image, r)


def _radius_of(size: Callable[[float], int], sigma: float) -> int:
    return size(sigma) // 2


def _check_reachable(places: Callable, image: tuple[int, int], r: int, shape: tuple[int, int]) -> None:
    places(shape, image, r)


def _patch_posterior(
    images: np.ndarray, places: Callable, radius: Callable, fields: np.ndarray, sigma: float
) -> np.ndarray:
    r = radius(sigma)
    return patch_posterior(images, fields, sigma, r, places(fields.shape[2:], images.shape[2:], r))


def compared_with(
    machine: Machine, shape: tuple[int, int], sigma: float, patch: int | None = None
) -> tuple[int, Admissible]:
    """The radius of the windows at `sigma`, or of `patch`, and the training patches that pixels are compared with."""
    if not isinstance(machine, Machine):
        raise ValueError(
            f"{getattr(machine, 'name', machine)} has no training set, and so no training patches behind its pixels: "
            "take a machine that is made of images, such as td.denoising.equivariant_local(images)"
        )
    if machine.admissible is None:
        raise ValueError(
            f"{machine.name} has no softmax over the patches of a pixel; ideal, local and equivariant_local have one"
        )
    r = machine.radius(sigma) if patch is None else odd(patch, "patch") // 2
    r = max(shape) - 1 if r is None else r
    return r, machine.admissible(shape, machine.images.shape[2:], r)

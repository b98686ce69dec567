"""The bundled images, and the loaders of the user's own."""

from turingdiff.data.bundled import fashion, find_fashion
from turingdiff.data.images import check_images, from_unit, to_unit
from turingdiff.data.pictures import read_map, read_mask, resampled
from turingdiff.data.readers import load

__all__ = [
    "check_images",
    "fashion",
    "find_fashion",
    "from_unit",
    "load",
    "read_map",
    "read_mask",
    "resampled",
    "to_unit",
]

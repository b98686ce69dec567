"""Local-score diffusion: analytic denoisers ("machines"), noise levels, sampling, and where pixels come from.

A public name ``x`` lives in ``_x.py``, except for these.

=====================================================  =========================
names                                                  module
=====================================================  =========================
`cosine_levels`, `karras_levels`, `linear_levels`      ``_levels``
`add_noise`, `sample`                                  ``_sampling``
`from_noise_prediction`                                ``_noise_prediction``
`Calibration`, `calibrate`                             ``_calibration``
`NetworkCalibration`, `calibrate_to`                   ``_calibration_to_network``
`Mosaic`, `mosaic`, `Consistency`, `consistency`       ``_mosaic``
`Network`, `network`                                   `turingdiff.network`
=====================================================  =========================
"""

from typing import Any

from turingdiff.denoising._calibration import Calibration, calibrate
from turingdiff.denoising._calibration_to_network import NetworkCalibration, calibrate_to
from turingdiff.denoising._denoiser import Denoiser, denoiser
from turingdiff.denoising._equivariant import equivariant
from turingdiff.denoising._equivariant_local import equivariant_local
from turingdiff.denoising._ideal import ideal
from turingdiff.denoising._levels import cosine_levels, karras_levels, linear_levels
from turingdiff.denoising._local import local
from turingdiff.denoising._machine import Machine
from turingdiff.denoising._mosaic import Consistency, Mosaic, consistency, mosaic
from turingdiff.denoising._noise_prediction import from_noise_prediction
from turingdiff.denoising._patch_composite import patch_composite
from turingdiff.denoising._pca_local import pca_local
from turingdiff.denoising._sampling import add_noise, sample
from turingdiff.denoising._smoothed import smoothed
from turingdiff.denoising._uncertainty import Uncertainty, uncertainty
from turingdiff.denoising._wiener import wiener

__all__ = [
    "Calibration",
    "Consistency",
    "Denoiser",
    "Machine",
    "Mosaic",
    "Network",
    "NetworkCalibration",
    "Uncertainty",
    "add_noise",
    "calibrate",
    "calibrate_to",
    "consistency",
    "cosine_levels",
    "denoiser",
    "equivariant",
    "equivariant_local",
    "from_noise_prediction",
    "ideal",
    "karras_levels",
    "linear_levels",
    "local",
    "mosaic",
    "network",
    "patch_composite",
    "pca_local",
    "sample",
    "smoothed",
    "uncertainty",
    "wiener",
]


def __getattr__(name: str) -> Any:
    # A trained network is one more denoiser, but built on this package: it is looked up when asked for.
    if name in ("Network", "network"):
        from turingdiff import network as package

        return getattr(package, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

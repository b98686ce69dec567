"""Local-score diffusion: analytic denoisers ("machines"), noise levels, sampling, and where pixels come from."""

from turingdiff.denoising.levels import cosine_levels, karras_levels
from turingdiff.denoising.machine import Machine
from turingdiff.denoising.machines import equivariant_local, ideal, local
from turingdiff.denoising.mosaics import Mosaic, mosaic
from turingdiff.denoising.sampling import add_noise, sample

__all__ = [
    "Machine",
    "Mosaic",
    "add_noise",
    "cosine_levels",
    "equivariant_local",
    "ideal",
    "karras_levels",
    "local",
    "mosaic",
    "sample",
]

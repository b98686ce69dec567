"""Local-score diffusion: analytic denoisers ("machines"), noise levels, sampling, and where pixels come from."""

from turingdiff.denoising.calibration import Calibration, calibrate
from turingdiff.denoising.calibration_to_network import NetworkCalibration, calibrate_to
from turingdiff.denoising.covariance_masks import pca_local
from turingdiff.denoising.denoiser import Denoiser
from turingdiff.denoising.entropies import Uncertainty, uncertainty
from turingdiff.denoising.gaussian import wiener
from turingdiff.denoising.levels import cosine_levels, karras_levels, linear_levels
from turingdiff.denoising.machine import Machine
from turingdiff.denoising.machines import equivariant_local, ideal, local
from turingdiff.denoising.mosaics import Consistency, Mosaic, consistency, mosaic
from turingdiff.denoising.networks import Network, network
from turingdiff.denoising.orbits import equivariant
from turingdiff.denoising.patch_averages import patch_composite
from turingdiff.denoising.sampling import add_noise, sample
from turingdiff.denoising.smoothing import smoothed

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
    "equivariant",
    "equivariant_local",
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

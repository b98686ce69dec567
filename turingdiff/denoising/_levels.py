"""Noise levels: decreasing grids of sigma that end at 0."""

from __future__ import annotations

import numpy as np

# The paper's code stops the cosine short of its end by this factor, which keeps sigma(t = 1) at 80.2.
COSINE_STRETCH = 1.008
LINEAR_STEPS = 1000
# Within these limits distances over sigma², and their products with weights, are numbers.
LOWEST, HIGHEST = 1e-100, 1e100


def cosine_sigma(t: float | np.ndarray) -> np.ndarray:
    """sigma(t) = tan(pi/2 t/1.008), t in [0, 1]: abar = cos² (Kamb & Ganguli 2025, their code's default)."""
    return np.tan(np.pi / 2 * np.asarray(t) / COSINE_STRETCH)


def cosine_time(sigma: float) -> float:
    """T in [0, 1] at which the cosine schedule has the level sigma: the inverse of `cosine_sigma`."""
    return float(2 / np.pi * COSINE_STRETCH * np.arctan(sigma))


def cosine_levels(n: int = 20) -> np.ndarray:
    """The n + 1 levels of t = 1, 1 - 1/n, ..., 0 on the cosine schedule; the last is 0."""
    return cosine_sigma(np.arange(_count(n), -1, -1) / n)


def linear_levels(n: int = 20) -> np.ndarray:
    """The n + 1 levels of evenly spaced steps of the linear schedule of DDPM; the last is 0.

    Step s of 1000 has beta rising evenly from 1e-4 to 0.02 and sigma² = 1/abar - 1, abar the product of 1 - beta up to
    s (Ho, Jain & Abbeel 2020, section 4). The levels are those of the steps 1000 (1 - k/n), rounded, k = 0, ..., n.
    """
    if _count(n) > LINEAR_STEPS:
        raise ValueError(f"the linear schedule has {LINEAR_STEPS} steps, got n = {n}")
    abar = np.cumprod(1 - np.linspace(1e-4, 0.02, LINEAR_STEPS))
    sigma = np.append(0.0, np.sqrt(1 / abar - 1))
    return sigma[np.rint(np.linspace(LINEAR_STEPS, 0, int(n) + 1)).astype(int)]


def karras_levels(n: int = 20, sigma_max: float = 80.0, sigma_min: float = 0.002, rho: float = 7.0) -> np.ndarray:
    """N levels between sigma_max and sigma_min, even in sigma^(1/rho), and 0 (Karras et al. 2022, eq. 5)."""
    if not 0 < sigma_min < sigma_max:
        raise ValueError(f"levels need 0 < sigma_min < sigma_max, got {sigma_min} and {sigma_max}")
    ramp = np.linspace(sigma_max ** (1 / rho), sigma_min ** (1 / rho), max(_count(n), 2)) ** rho
    return np.append(ramp[:n], 0.0)


def level(sigma: float) -> float:
    """Return a noise level as a float, and refuse what is none."""
    if np.ndim(sigma):
        raise TypeError(f"sigma is one number for all fields, got an array of shape {np.shape(sigma)}")
    if not (np.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma must be positive and finite, got {sigma}")
    sigma = float(sigma)
    if not LOWEST <= sigma <= HIGHEST:
        raise ValueError(f"sigma must lie between {LOWEST:g} and {HIGHEST:g}, for arithmetic to be exact; got {sigma}")
    return sigma


def _count(n: int) -> int:
    if n != int(n) or n < 1:
        raise ValueError(f"the number of steps must be a whole number >= 1, got {n!r}")
    return int(n)

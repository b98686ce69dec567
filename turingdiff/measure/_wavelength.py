"""The dominant wavelength of a field."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from turingdiff.measure._spectrum import Window, fourier_modes, ring_power
from turingdiff.measure._validation import check_varies, finite_values, least_contrast

# Error of the centroid of a pure wave with a fractional number of periods, as a standard deviation in units of the
# fundamental 2 pi/L; measured over orientations and phases, see tests/test_measure.py.
RESOLUTION = 0.15


@dataclass(frozen=True)
class Wavelength:
    """A length and its standard uncertainty, in the units of ``dx``; ``float()`` gives the length."""

    value: float
    uncertainty: float

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        digits = max(0, 1 - math.floor(math.log10(self.uncertainty)))
        return f"{self.value:.{digits}f} ± {self.uncertainty:.{digits}f}"


def wavelength(field: ArrayLike, dx: float = 1.0, *, window: Window = None) -> Wavelength:
    """Measure the dominant wavelength of a field, 2 pi/k at the peak of its radial power spectrum.

    k is the centroid of the peak: the mean wavenumber, each mode weighted with its power over the number of modes
    in its ring, inside a band centred on k itself, from k/2 to 3k/2 (and never narrower than two fundamentals
    either way). It starts at the strongest ring and is iterated until the band sits where its centroid is,
    so neither harmonics nor a flat background of noise bias it. Rows of stripes give the distance between
    stripes; a honeycomb of spots gives the distance between its *rows*, sqrt(3)/2 of that between spots.

    The uncertainty is that of the centroid of a random Gaussian field with these powers, together with
    0.15 fundamentals for the finite size of the field. A field without a peak still gives a number: white noise
    about two cells, a photograph, whose power falls from the longest waves on, about its own size. Look at
    ``spectrum`` to see whether there is a peak.

    Parameters
    ----------
    field
        (H, W), (C, H, W) or (B, C, H, W), as in ``spectrum``: channels and samples give one wavelength, of
        their mean power; more samples lessen the uncertainty.
    dx
        Grid spacing; the answer is in its units.
    window
        As in ``spectrum``. For pure stripes whose edges do not match, the error with ``"hann"`` is two to
        four times smaller; for random patterns, of which it discards a part, nearly twice as large.

    Raises
    ------
    TypeError
        If the field is not an array of real numbers.
    ValueError
        As in ``spectrum``, and if the field is constant to within the rounding of its dtype.
    """
    values = finite_values(field)
    modes = fourier_modes(values, dx, window)
    deviation = math.sqrt(modes.power @ modes.copies)  # a half of the contrast at most
    check_varies(
        values, deviation, least_contrast(None, field) / 2, "no wavelength; let the run go on until a pattern has grown"
    )

    k, step = modes.wavenumber, modes.fundamental
    counts = np.bincount(modes.ring, modes.copies)
    weight = modes.copies * modes.power / counts[modes.ring]
    weight[modes.ring == 0] = 0.0
    peak = np.argmax(ring_power(modes))
    in_peak = modes.ring == peak
    centre = float(weight[in_peak] @ k[in_peak] / weight[in_peak].sum())
    for _ in range(100):
        reach = max(centre / 2, 2 * step)
        # The band's edges are ramps, one fundamental wide: a mode that enters must not make it jump.
        band = weight * np.clip((reach - np.abs(k - centre)) / step + 0.5, 0, 1)
        last, centre = centre, float(band @ k / band.sum())
        if abs(centre - last) <= 1e-9 * centre:
            break

    # Powers of a Gaussian field are exponential variables: the mean of B has variance p²/B, which its own
    # square over B + 1 estimates without bias. The 2: k and -k are the same mode.
    variance = 2 / (modes.samples + 1) * np.sum(band**2 * (k - centre) ** 2 / modes.copies) / band.sum() ** 2
    # The edges of the band move with its centroid, and so amplify its error.
    on_edge = np.abs(np.abs(k - centre) - reach) < step / 2
    gain = weight[on_edge] @ np.abs(k - centre)[on_edge] / step / band.sum()
    error = math.sqrt(variance * modes.overlap) / max(1 - gain, 1e-3)
    error = min(math.hypot(error, RESOLUTION * step), reach / math.sqrt(3))  # at most: anywhere in the band
    value = 2 * math.pi / centre
    return Wavelength(value, value * error / centre)

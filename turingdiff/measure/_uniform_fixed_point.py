"""The uniform field that is its own denoised image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.rule import Rule
from turingdiff.measure._denoiser_dispersion import check_denoiser, fixed_point_near, follow_fixed_point
from turingdiff.measure._linearisation import check_uniform


def uniform_fixed_point(rule: Rule, sigma: float, guess: ArrayLike | None = None) -> NDArray[np.float64]:
    """The uniform field that is its own denoised image, D(y*; sigma) = y*.

    Without a guess, it is on the branch that continues the fixed point at the highest level of the rule. There is one
    there: under strong noise D is the mean of the training set whatever y, and so is y*. From there it is followed by
    Newton's method, the noise falling at most by 2 between searches, also where it becomes unstable, as the grey
    between black and white does. Other branches appear in pairs at lower noise; give a guess to find one. Where there
    is no fixed point within sigma of the last one (the branch has ended in a saddle-node, or a patch schedule has
    changed the rule), y -> D(y) is iterated until it converges, and the limit is followed from there.

    Parameters
    ----------
    rule
        A denoiser that commutes with shifts, as for `dispersion`.
    sigma
        The noise level.
    guess
        (C,) or a uniform (C, H, W) field: where Newton's method begins at `sigma`. From a guess farther than sigma
        from a fixed point the limit of y -> D(y) is found.

    Returns
    -------
    ndarray
        (C,), in units of the images, to about 1e-6 min(sigma, sigma²).

    Raises
    ------
    ValueError
        As `dispersion`; and where no fixed point is found.

    Examples
    --------
    >>> import numpy as np
    >>> import turingdiff as td
    >>> images = np.stack([np.full((1, 5, 5), grey, np.float32) for grey in (-1, 1)])
    >>> machine = td.denoising.equivariant_local(images, patch=3, boundary="periodic")
    >>> print(td.measure.uniform_fixed_point(machine, 2.0, [0.9]).round(3))
    [0.975]
    """
    canvas = check_denoiser(rule, [sigma], guess)
    if guess is None:
        return follow_fixed_point(rule, canvas, [float(sigma)])[-1].state
    return fixed_point_near(rule, canvas, check_uniform(rule, guess), float(sigma)).state

"""The number of legs in a picture of trousers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from turingdiff.measure._count_runs import count_runs
from turingdiff.measure._topology import otsu_level
from turingdiff.measure._validation import one_channel

ALONG = 1.0  # rows: the blur smooths the texture of a leg, and closes no gap between legs
BLANK = 0.5  # of the 2 between black and white: a picture with less contrast counts as empty


def count_legs(picture: ArrayLike) -> int:
    """Count the legs in a picture of trousers that stand upright, light on dark: the pieces at the height of the shins.

        legs = median over five rows, from three quarters of the height down, of the runs of each (`count_runs`)

    after a Gaussian blur by one row along the legs, above the level that separates the two classes of the picture. Of
    28 rows these are rows 21 to 25. A leg that ends above them is not counted, nor is one that begins below; two that
    touch count once. The count has a meaning for trousers only. It was tuned on 46 pictures labelled by eye;
    docs/results/legs.json has its errors on others.

    Parameters
    ----------
    picture
        (H, W) or (1, H, W), values from -1 to 1, at least 20 rows. Any width.

    Returns
    -------
    int
        0 for a picture without contrast.

    Raises
    ------
    TypeError, ValueError
        As `count_runs`, and for a picture with fewer than 20 rows.
    """
    from scipy.ndimage import gaussian_filter1d  # here: it takes longer to load than to use

    values = one_channel(picture)
    height = values.shape[0]
    if height < 20:
        raise ValueError(f"picture has {height} rows, expected at least 20, five of them in the last quarter")
    if np.ptp(values) < BLANK:
        return 0
    smooth = gaussian_filter1d(values, ALONG, axis=0, mode="nearest")
    level = otsu_level(smooth)
    top = 3 * height // 4
    return int(np.median([count_runs(smooth, row, level) for row in range(top, top + 5)]))

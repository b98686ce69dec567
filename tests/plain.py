"""What the engine does, in the plainest NumPy and Python: the oracle of the engine's tests."""

import numpy as np

import turingdiff as td


def ghosts(line, low, high, pad):
    """The `pad` cells before a line of values, the line, and the `pad` cells behind it, straight from the definition.

    `low` and `high`: "periodic", "no_flux", "zero", or the number that is held at the face.
    """
    n = len(line)

    def value(k):
        if 0 <= k < n:
            return line[k]
        side = low if k < 0 else high
        if side == "periodic":
            return value(k % n)
        if side == "zero":
            return 0.0
        mirrored = value(-1 - k if k < 0 else 2 * n - 1 - k)
        return mirrored if side == "no_flux" else 2 * side - mirrored

    return np.array([value(k) for k in range(-pad, n + pad)])


def padded(neighbourhood, field, pad):
    """`field` (C, H, W) framed by the halos of `neighbourhood`: columns first, then whole rows."""
    channels, height, width = field.shape
    rows, columns = neighbourhood.halos(channels, height, width, pad)

    def framed(array, halo, axis):
        shape = [1, 1, 1]
        shape[axis] = -1
        scale = halo.scale.astype(field.dtype).reshape(shape)
        offset = np.moveaxis(halo.offset.astype(field.dtype), 0, axis)
        beyond = scale * array.take(halo.source, axis) + offset
        before, behind = np.split(beyond, [pad], axis)
        return np.concatenate([before, array, behind], axis)

    return framed(framed(field, columns, 2), rows, 1)


def rate(rule, field, t=0.0):
    """The rate of `rule` on `field` (C, H, W): its cell function as plain Python, cell by cell."""
    scalar = field.dtype.type
    cell = getattr(rule.cell, "py_func", rule.cell)
    height, width = field.shape[1:]
    radius, dx = rule.radius(t), rule.neighbourhood.dx
    pad = 1 if radius is None else max(radius, 1)
    reach = max(height, width) if radius is None else radius
    mask = rule.neighbourhood.mask
    seen = None if mask is None else padded(rule.neighbourhood, mask[None].astype(float), pad)[0] > 0.5
    g = td.Geometry(scalar(dx), scalar(1 / dx**2), reach, pad, height, width, seen)
    phi = padded(rule.neighbourhood, field, pad)
    values = [np.asarray(value) for value in rule.params.values()]
    values = [value if value.dtype == np.uint8 else value.astype(field.dtype) for value in values]
    out = np.full_like(phi, np.nan)
    for y in range(height):
        for x in range(width):
            p = tuple(_own(value, y, x) for value in values)
            if mask is not None and not mask[y, x]:
                out[:, y + pad, x + pad] = 0
                continue
            cell(phi, y + pad, x + pad, scalar(t), p, g, out)
    return out[:, pad : pad + height, pad : pad + width]


def _own(value, y, x):
    """A parameter as cell (y, x) gets it."""
    return {0: lambda: value[()], 2: lambda: value[y, x]}.get(value.ndim, lambda: value)()

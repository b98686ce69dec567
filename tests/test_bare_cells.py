"""Both families as bare cell functions through the same compiled path (DESIGN, section 1)."""

import math

import numpy as np
import pytest
from rules import last

import turingdiff as td

A, B, D_U, D_V = 0.1, 0.9, 1.0, 10.0
SIDE = 12


# The names are those of the package's own cells, so that the compiler's cache is shared where the code is the same.
def schnakenberg(phi, i, j, t, p, g, out):
    Du, Dv, a, b = p
    u, v = phi[0, i, j], phi[1, i, j]
    around_u = (phi[0, i - 1, j] + phi[0, i + 1, j]) + (phi[0, i, j - 1] + phi[0, i, j + 1])
    around_v = (phi[1, i - 1, j] + phi[1, i + 1, j]) + (phi[1, i, j - 1] + phi[1, i, j + 1])
    uuv = u * u * v
    out[0, i, j] = Du * ((around_u - 4 * u) * g.per_dx2) + (a - u + uuv)
    out[1, i, j] = Dv * ((around_v - 4 * v) * g.per_dx2) + (b - uuv)


def els(phi, i, j, t, p, g, out):
    """Equivariant local score on the torus: each pixel against every patch of every image."""
    images, r = p[0], g.radius
    count, _, height, width = images.shape
    total, mean = 0.0, 0.0
    for n in range(count):
        for y in range(height):
            for x in range(width):
                squared = 0.0
                for a in range(-r, r + 1):
                    for b in range(-r, r + 1):
                        squared += (phi[0, i + a, j + b] - images[n, 0, (y + a) % height, (x + b) % width]) ** 2
                weight = math.exp(-squared / (2 * t * t))
                total += weight
                mean += weight * images[n, 0, y, x]
    out[0, i, j] = (phi[0, i, j] - mean / total) / t


def life(phi, i, j, t, p, g, out):
    """Conway's Life as a rate: with dt = 1 an Euler step is a generation."""
    here, alive = phi[0, i, j], 0.0
    for a in range(-1, 2):
        for b in range(-1, 2):
            alive += phi[0, i + a, j + b]
    lives = 1.0 if alive == 3 or (here == 1 and alive == 4) else 0.0
    out[0, i, j] = lives - here


@pytest.mark.parametrize("boundary", ["periodic", "no_flux"])
def test_schnakenberg_as_a_bare_cell_is_the_built_in_to_the_last_bit(boundary):
    bare = td.Rule(schnakenberg, (D_U, D_V, A, B), ["u", "v"], td.Neighbourhood(1, boundary, dx=0.5))
    built_in = td.morphogenesis.schnakenberg(a=A, b=B, diffusion=(D_U, D_V), dx=0.5, boundary=boundary)
    field, times = built_in.initial((SIDE, SIDE), rng=0), td.uniform(0, 0.5, 0.005)
    assert bare.rate(field).tobytes() == built_in.rate(field).tobytes()
    found = list(td.evolve(bare, field, times, every=40))
    expected = list(td.evolve(built_in, field, times, every=40))
    assert [t for t, _ in found] == [t for t, _ in expected]
    assert [frame.tobytes() for _, frame in found] == [frame.tobytes() for _, frame in expected]
    assert not np.array_equal(found[-1][1], field)


@pytest.mark.slow
def test_els_as_a_bare_cell_is_the_built_in_machine():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 1, 6, 6)).astype(np.float32)
    levels = td.denoising.cosine_levels(6)[2:]
    bare = td.Rule(els, {"images": images}, 1, td.Neighbourhood(1, "periodic"), clock="sigma", name="bare ELS")
    built_in = td.denoising.equivariant_local(images, patch=3, boundary="periodic")
    start = built_in.initial((SIDE, SIDE), rng=0, dtype=np.float64) / 50
    rate = bare.rate(start, levels[0])
    np.testing.assert_allclose(rate, built_in.rate(start, levels[0]), rtol=0, atol=1e-5 / levels[0])
    found, expected = last(td.evolve(bare, start, levels)), last(td.evolve(built_in, start, levels))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.abs(found).max() <= 1  # a mean of pixels
    assert found.std() > 0.1


GLIDER = [(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)]


def life_rule(boundary="periodic"):
    return td.Rule(life, (), ["alive"], td.Neighbourhood(1, boundary))


def board(cells, shape=(9, 10), at=(0, 0)):
    field = np.zeros((1, *shape))
    for y, x in cells:
        field[0, (y + at[0]) % shape[0], (x + at[1]) % shape[1]] = 1
    return field


def test_a_glider_moves_one_cell_down_and_right_in_four_generations():
    # Conway's Life (Gardner, Scientific American, October 1970): period 4, displacement (1, 1).
    frames = [frame for _, frame in td.evolve(life_rule(), board(GLIDER), td.uniform(0, 8, 1))]
    np.testing.assert_array_equal(frames[4], board(GLIDER, at=(1, 1)))
    np.testing.assert_array_equal(frames[8], board(GLIDER, at=(2, 2)))
    assert all((frame.sum(), np.unique(frame).tolist()) == (5, [0, 1]) for frame in frames)
    assert not np.array_equal(frames[2], frames[0])


def test_a_glider_goes_around_the_torus():
    end = last(td.evolve(life_rule(), board(GLIDER), td.uniform(0, 4 * 90, 1), every=360))
    np.testing.assert_array_equal(end, board(GLIDER))


def test_a_blinker_blinks_and_a_block_stays_at_the_edge_of_an_empty_world():
    blinker, standing = [(4, 3), (4, 4), (4, 5)], [(3, 4), (4, 4), (5, 4)]
    block = [(0, 0), (0, 1), (1, 0), (1, 1)]
    frames = [frame for _, frame in td.evolve(life_rule("zero"), board(blinker + block), [0, 1, 2])]
    np.testing.assert_array_equal(frames[1], board(standing + block))
    np.testing.assert_array_equal(frames[2], frames[0])

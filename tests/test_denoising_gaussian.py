"""The Wiener machine: the exact posterior of a Gaussian, and the best affine denoiser of any set."""

import numpy as np
import pytest
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import _wiener as gaussian
from turingdiff.denoising import ideal, wiener

SIGMAS = (0.002, 0.05, 0.3, 1.0, 5.0, 80.0)


def pictures(shape, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == np.uint8:
        return rng.integers(0, 256, shape, np.uint8)
    return rng.uniform(-1, 1, shape).astype(dtype)


def covariance_of(shape, seed=0):
    """A covariance of standard deviations about .2, far from diagonal."""
    size = np.prod(shape)
    mix = np.random.default_rng(seed).standard_normal((size, size)) / np.sqrt(size)
    return 0.04 * mix @ mix.T


def gaussian_set(count, shape, mean, covariance, seed=1):
    """Images whose mean and covariance (divided by N) are the given ones, to the last bits of float64."""
    draws = np.random.default_rng(seed).standard_normal((count, np.prod(shape)))
    draws -= draws.mean(axis=0)
    white = np.linalg.qr(draws)[0] * np.sqrt(count)
    return (mean + (white @ np.linalg.cholesky(covariance).T).reshape(count, *shape)).astype(np.float32)


def posterior(y, mean, covariance, sigma):
    """E[x | x + sigma n = y] for x ~ N(mean, covariance), by solving, not by eigenvalues."""
    offset = (y - mean).reshape(len(y), -1)
    inner = np.linalg.solve(covariance + sigma**2 * np.eye(len(covariance)), offset.T)
    return mean + (covariance @ inner).T.reshape(y.shape)


def moments(images):
    x = td.data.to_unit(images).astype(float).reshape(len(images), -1)
    return x.mean(axis=0).reshape(images.shape[1:]), np.cov(x.T, bias=True)


# --- the exact posterior


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 3, 3)])
@pytest.mark.parametrize("sigma", SIGMAS)
def test_on_a_gaussian_set_it_is_the_posterior_of_the_gaussian(shape, sigma):
    mean, covariance = 0.1 * pictures(shape, float), covariance_of(shape)
    images = gaussian_set(400, shape, mean, covariance)
    assert np.abs(images).max() < 1
    y = mean + (0.2 + sigma) * np.random.default_rng(2).standard_normal((3, *shape))
    # The images are rounded to float32: 6e-8 of .2, in a covariance and its inverse.
    np.testing.assert_allclose(
        wiener(images).denoise(y, sigma), posterior(y, mean, covariance, sigma), rtol=0, atol=2e-5
    )


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("count, dtype", [(5, np.float32), (24, np.float32), (70, np.float32), (1200, np.uint8)])
def test_it_is_the_posterior_of_the_moments_of_any_set(count, dtype, sigma):
    images = pictures((count, 2, 3, 4), dtype)
    y = pictures((2, 2, 3, 4), float, seed=3) * (1 + sigma)
    found, expected = wiener(images).denoise(y, sigma), posterior(y, *moments(images), sigma)
    # Fewer images than pixels: the textbook form loses digits to the inverse of a singular matrix.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 + 1e-14 / sigma**2)
    single = wiener(images).denoise(y.astype(np.float32), sigma)
    np.testing.assert_allclose(single, found, rtol=0, atol=1e-6 * (1 + sigma))


@pytest.mark.parametrize("sigma", [0.15, 0.5])
def test_for_many_gaussian_images_the_ideal_machine_tends_to_it(sigma):
    shape = (1, 1, 2)
    covariance = 0.03 * np.array([[1.0, 0.6], [0.6, 0.8]])
    images = gaussian_set(40_000, shape, np.full(shape, 0.1), covariance)
    images = images[np.abs(images).max((1, 2, 3)) <= 1]
    y = np.array([[[[0.2, -0.1]]], [[[0.4, 0.3]]]])
    difference = ideal(images).denoise(y, sigma) - wiener(images).denoise(y, sigma)
    assert np.abs(difference).max() < 0.01
    assert np.abs(wiener(images).denoise(y, sigma) - y).max() > 0.03


def test_the_flow_takes_noisy_gaussians_to_gaussians():
    shape, top = (1, 2, 3), 20.0
    mean, covariance = 0.1 * pictures(shape, float), covariance_of(shape)
    machine = wiener(gaussian_set(300, shape, mean, covariance))
    factor = np.linalg.cholesky(covariance + top**2 * np.eye(6))
    noise = np.random.default_rng(5).standard_normal((600, 6))
    start = mean + (noise @ factor.T).reshape(-1, *shape)
    levels = [*np.geomspace(top, 1e-3, 200), 0]
    *_, (_, end) = td.evolve(machine, start, levels, stepper=td.heun)
    # Along a mode of variance l the flow multiplies by sqrt((l + s²)/(l + S²)) from S to s.
    values, vectors = np.linalg.eigh(covariance)
    modes = (start - mean).reshape(-1, 6) @ vectors
    expected = mean + (modes * np.sqrt(values / (values + top**2)) @ vectors.T).reshape(start.shape)
    np.testing.assert_allclose(end, expected, atol=2e-3)
    found = np.cov(end.reshape(-1, 6).T)
    np.testing.assert_allclose(found, covariance, atol=5 * 0.2**2 / np.sqrt(600))


def test_it_is_the_best_affine_denoiser_of_its_set():
    # The expected loss of y -> mu + A (y - mu) + b over the set and all noise: exact, and least at its A and b = 0.
    images, sigma = pictures((9, 1, 2, 3)), 0.6
    mean, covariance = moments(images)
    machine = wiener(images)
    A = np.stack([(machine.denoise(mean + e, sigma) - mean).ravel() for e in np.eye(6).reshape(6, 1, 2, 3)], axis=1)

    def loss(A, b):
        bias = (A - np.eye(6)) @ covariance @ (A - np.eye(6)).T
        return np.trace(bias) + sigma**2 * np.trace(A @ A.T) + b @ b

    least = loss(A, np.zeros(6))
    rng = np.random.default_rng(0)
    for _ in range(20):
        dA, db = 1e-2 * rng.standard_normal((6, 6)), 1e-2 * rng.standard_normal(6)
        assert loss(A + dA, db) > least
        up, down = (loss(A + s * 1e-3 * dA, np.zeros(6)) for s in (1, -1))
        assert abs(up - down) < 1e-9  # stationary
    unbiased = covariance * 9 / 8  # divided by N - 1, another machine
    assert loss(unbiased @ np.linalg.inv(unbiased + sigma**2 * np.eye(6)), np.zeros(6)) > least * (1 + 1e-5)


# --- directions without variance


def test_pixels_without_variance_stay_at_their_mean():
    images = pictures((30, 1, 3, 4))
    images[:, 0, 1] = np.float32(0.3)
    for count in (5, 30):  # by singular values, and by the covariance
        for sigma in (1e-6, 0.1, 10.0):
            D = wiener(images[:count]).denoise(pictures((2, 1, 3, 4), float) * 3, sigma)
            np.testing.assert_allclose(D[:, 0, 1], np.float32(0.3), rtol=0, atol=1e-12)
            assert np.abs(D[:, 0, 0] - images[:count].mean(0)[0, 0]).max() > 1e-4


def test_the_denoised_lie_in_the_space_of_the_images():
    images = pictures((4, 1, 5, 5))
    assert wiener(images).params["modes"].shape == (3, 1, 5, 5)
    D = wiener(images).denoise(pictures((1, 1, 5, 5), float) * 5, 0.01)
    basis = images.astype(float).reshape(4, -1)
    _, residual, *_ = np.linalg.lstsq(basis.T, D.ravel(), rcond=None)
    assert residual.max(initial=0) < 1e-20


@pytest.mark.parametrize("count", [1, 3])
def test_of_equal_images_it_knows_only_the_one(count):
    images = np.repeat(pictures((1, 2, 3, 4)), count, axis=0)
    machine = wiener(images)
    np.testing.assert_allclose(machine.denoise(pictures((2, 2, 3, 4), float), 0.5), np.stack([images[0]] * 2))


def test_at_no_noise_it_keeps_and_at_much_it_gives_the_mean():
    images = pictures((40, 1, 3, 4))
    y = images[:2].astype(float)
    np.testing.assert_allclose(wiener(images).denoise(y, 1e-6), y, atol=1e-9)
    np.testing.assert_allclose(wiener(images).denoise(y, 1e6), np.stack([images.mean(0)] * 2), atol=1e-6)


# --- how it is computed


def test_both_decompositions_give_the_same_machine():
    images = pictures((30, 1, 5, 6))
    mean = images.astype(float).mean(axis=0)
    y = pictures((2, 1, 5, 6), float)
    of_two = []
    for decomposed in (gaussian._decomposed_images, gaussian._decomposed_covariance):
        modes, variances = decomposed(images, mean)
        kept = variances > 1e-12
        components = gaussian.Components(mean, modes[kept].reshape(-1, 1, 5, 6), variances[kept])
        of_two.append(gaussian.gaussian_posterior(components, y, 0.3))
    np.testing.assert_allclose(*of_two, rtol=0, atol=1e-12)


def test_blocks_of_images_add_up(monkeypatch):
    images, y = pictures((50, 1, 4, 4)), pictures((1, 1, 4, 4), float)
    whole = wiener(images).denoise(y, 0.4)
    for at_once in (1, 7, 50):
        monkeypatch.setattr(gaussian, "IMAGES_AT_ONCE", at_once)
        np.testing.assert_allclose(wiener(images).denoise(y, 0.4), whole, rtol=0, atol=1e-13)


def test_the_same_set_is_the_same_machine_in_any_order():
    images, y = pictures((60, 1, 5, 5)), pictures((3, 1, 5, 5), seed=2)
    D = wiener(images).denoise(y, 0.4)
    assert wiener(images).denoise(y, 0.4).tobytes() == D.tobytes()
    for same in (images[::-1], np.concatenate([images, images])):
        np.testing.assert_allclose(wiener(same).denoise(y, 0.4), D, rtol=0, atol=1e-6)


def test_bytes_do_not_depend_on_the_other_samples():
    machine, y = wiener(td.data.fashion()[0][:900]), pictures((5, 1, 28, 28), float)
    assert len(machine.params["modes"]) > 700
    together = machine.denoise(y, 0.7)
    assert [machine.denoise(field, 0.7).tobytes() for field in y] == [D.tobytes() for D in together]


def test_bytes_and_floats_of_the_same_images_give_the_same():
    images, y = pictures((6, 1, 5, 5), np.uint8), pictures((1, 1, 5, 5), seed=4)
    assert wiener(images).images is images
    found = wiener(images).denoise(y, 0.4)
    assert wiener(td.data.to_unit(images)).denoise(y, 0.4).tobytes() == found.tobytes()


# --- symmetry


def test_it_is_equivariant_if_the_set_is_closed_under_shifts():
    images, y = pictures((3, 2, 4, 5)), pictures((1, 2, 4, 5), float, seed=2)
    orbit = np.concatenate([np.roll(images, shift, (2, 3)) for shift in np.ndindex(4, 5)])
    for sigma in (0.1, 1.0):
        for shift in [(1, 0), (0, 1), (3, 2)]:
            moved = wiener(orbit).denoise(np.roll(y, shift, (2, 3)), sigma)
            np.testing.assert_allclose(moved, np.roll(wiener(orbit).denoise(y, sigma), shift, (2, 3)), atol=1e-12)
            moved = wiener(images).denoise(np.roll(y, shift, (2, 3)), sigma)
            assert np.abs(moved - np.roll(wiener(images).denoise(y, sigma), shift, (2, 3))).max() > 0.01


# --- at the door


def test_it_is_conditional_on_labels():
    images, y = pictures((6, 1, 5, 5)), pictures((1, 1, 5, 5))
    one = wiener(images, labels=list("abacba")).conditional("b")
    assert one.denoise(y, 0.5).tobytes() == wiener(images[[1, 4]]).denoise(y, 0.5).tobytes()


def test_a_field_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"size of the training images \(5, 6\), got \(6, 5\)"):
        wiener(pictures((2, 1, 5, 6))).denoise(np.zeros((1, 6, 5)), 1.0)


@all_in_one("sigma", [0, -1.0, np.nan, np.inf])
def test_refused_levels(sigma):
    with pytest.raises(ValueError, match="sigma must be positive and finite"):
        wiener(pictures((2, 1, 5, 6))).denoise(np.zeros((1, 5, 6)), sigma)


def test_a_covariance_that_is_too_large_is_refused():
    images = np.zeros((4097, 1, 64, 65), np.uint8)
    with pytest.raises(ValueError, match=r"matrix of 4097 x 4097, expected at most 4096: take 4096 of the images"):
        wiener(images)

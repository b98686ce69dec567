"""The machine in other frames: score, velocity, reverse SDE, classes."""

from itertools import pairwise

import numpy as np
import pytest
from quick import all_in_one
from rules import last

import turingdiff as td
from turingdiff.denoising import Machine, equivariant_local, ideal, local
from turingdiff.denoising._machine import make_machine

IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 2, 5, 6)).astype(np.float32)
LABELS = np.array([0, 1, 0, 2, 1, 0])
every_machine = pytest.mark.parametrize("make", [ideal, local, equivariant_local], ids=lambda make: make.__name__)


def made(make, images=IMAGES, **options):
    return make(images, **options) if make is ideal else make(images, patch=3, **options)


def noise(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)


@every_machine
@pytest.mark.parametrize("abar", [0.1, 0.5, 0.97])
def test_the_score_is_the_papers_and_the_rate_in_its_frame(make, abar):
    # eq. 3: s = sum_n W_n (sqrt(abar) x_n - phi)/(1 - abar), W = softmax(-||phi - sqrt(abar) x_n||²/(2 (1 - abar)))
    machine, phi = made(make), noise(2, 5, 6)
    found = machine.score(phi, abar)
    if make is ideal:
        far = np.sqrt(abar) * IMAGES.astype(float) - phi
        logits = -(far**2).sum((1, 2, 3)) / (2 * (1 - abar))
        weights = np.exp(logits - logits.max())
        expected = np.tensordot(weights / weights.sum(), far, 1) / (1 - abar)
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    sigma = np.sqrt((1 - abar) / abar)
    y = phi / np.sqrt(abar)
    # y - D = sigma rate, so that score = -rate/sqrt(1 - abar)
    np.testing.assert_allclose(found, -machine.rate(y, sigma) / np.sqrt(1 - abar), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("abar", [0.3, 0.9])
def test_the_score_is_the_gradient_of_the_log_density(abar):
    machine, phi = ideal(IMAGES), noise(2, 5, 6)

    def log_density(phi):
        logits = -((phi - np.sqrt(abar) * IMAGES.astype(float)) ** 2).sum((1, 2, 3)) / (2 * (1 - abar))
        return logits.max() + np.log(np.exp(logits - logits.max()).sum())

    step = 1e-5
    for cell in [(0, 0, 0), (1, 2, 3), (0, 4, 5)]:
        push = np.zeros_like(phi)
        push[cell] = step
        slope = (log_density(phi + push) - log_density(phi - push)) / (2 * step)
        assert machine.score(phi, abar)[cell] == pytest.approx(slope, rel=1e-6, abs=1e-8)


@every_machine
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_velocity_and_score_keep_shape_and_dtype(make, dtype):
    machine, x = made(make), noise(3, 2, 5, 6).astype(dtype)
    for found in (machine.score(x, 0.4), machine.velocity(x, 0.4)):
        assert found.shape == x.shape
        assert found.dtype == dtype


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_the_velocity_is_the_closed_form_of_flow_matching(t):
    # Bertrand et al. 2025: sum_n softmax(-||x - t x_n||²/(2 (1 - t)²)) (x_n - x)/(1 - t)
    x = noise(2, 5, 6)
    images = IMAGES.astype(float)
    logits = -((x - t * images) ** 2).sum((1, 2, 3)) / (2 * (1 - t) ** 2)
    weights = np.exp(logits - logits.max())
    expected = np.tensordot(weights / weights.sum(), images - x, 1) / (1 - t)
    np.testing.assert_allclose(ideal(IMAGES).velocity(x, t), expected, rtol=1e-8)


def test_flow_matching_and_the_probability_flow_lead_to_the_same_image():
    machine = equivariant_local(IMAGES[:, :1], patch=3)
    start = noise(1, 5, 6)
    x, ts = start, np.linspace(0.02, 0.995, 1500)
    for t, later in pairwise(ts):  # Heun
        first = machine.velocity(x, t)
        x = x + (later - t) / 2 * (first + machine.velocity(x + (later - t) * first, later))
    sigmas = (1 - ts) / ts
    y = last(td.evolve(machine, start / ts[0], sigmas, stepper=td.heun))
    np.testing.assert_allclose(x / ts[-1], y, atol=2e-3)


@pytest.mark.parametrize("value", [0, 1, -0.5, 2, np.nan])
def test_frames_end_before_their_ends(value):
    machine, x = ideal(IMAGES), noise(2, 5, 6)
    with pytest.raises(ValueError, match="abar must lie between 0 and 1"):
        machine.score(x, value)
    with pytest.raises(ValueError, match="t must lie between 0 and 1"):
        machine.velocity(x, value)


# --- the reverse SDE

MU, S = 1.5, 0.64


def gaussian_machine():
    """Independent pixels N(mu, S): D = mu + S/(S + sigma²) (y - mu), with all that is Gaussian known."""

    def cell(phi, i, j, t, p, g, out):
        out[0, i, j] = t / (p[1] + t * t) * (phi[0, i, j] - p[0])

    def posterior(fields, sigma):
        return MU + S / (S + sigma**2) * (fields - MU)

    images = np.zeros((1, 1, 2, 2), np.float32)
    params = {"mu": MU, "S": S}
    return make_machine("gaussian", cell, images, td.Neighbourhood(0), posterior, ideal, params=params)


def test_the_reverse_sde_keeps_the_marginals_of_the_probability_flow():
    rule = gaussian_machine().reverse_sde()
    levels = np.geomspace(20, 0.05, 1000)
    start = MU + np.sqrt(S + 400) * noise(1, 120, 120)
    for sigma, field in td.evolve(rule, start, levels, stepper=td.euler_maruyama, rng=2, every=333):
        assert field.mean() == pytest.approx(MU, abs=5 * np.sqrt((S + sigma**2) / field.size))
        assert field.var() == pytest.approx(S + sigma**2, rel=0.05)


def test_the_reverse_sde_forgets_its_start_and_the_flow_does_not():
    machine = gaussian_machine()
    levels, start = np.geomspace(20, 0.05, 400), MU + np.sqrt(S + 400) * noise(1, 50, 50)
    flow = last(td.evolve(machine, start, levels, stepper=td.heun))
    sde = last(td.evolve(machine.reverse_sde(), start, levels, stepper=td.euler_maruyama, rng=2))
    assert np.corrcoef(start.ravel(), flow.ravel())[0, 1] > 0.999
    assert abs(np.corrcoef(start.ravel(), sde.ravel())[0, 1]) < 0.1


def test_the_drift_of_the_reverse_sde_is_twice_the_rate_and_its_last_step_is_to_D():
    machine = equivariant_local(IMAGES, patch=3)
    rule, y = machine.reverse_sde(), noise(2, 5, 6)
    np.testing.assert_array_equal(rule.rate(y, 0.7), 2 * machine.rate(y, 0.7))
    np.testing.assert_array_equal(rule.noise(0.5), 1.0)
    ended = last(td.evolve(rule, y, [0.7, 0.0], stepper=td.euler_maruyama, rng=0))
    np.testing.assert_allclose(ended, machine.denoise(y, 0.7), atol=1e-12)


# --- classes


@every_machine
def test_a_conditional_machine_is_the_machine_of_its_class(make):
    machine = made(make, labels=LABELS)
    y = noise(2, 5, 6)
    for label in (0, 1, 2):
        one = machine.conditional(label)
        assert isinstance(one, Machine)
        np.testing.assert_array_equal(one.denoise(y, 0.8), made(make, IMAGES[label == LABELS]).denoise(y, 0.8))
    assert not np.array_equal(machine.conditional(0).denoise(y, 0.8), machine.denoise(y, 0.8))


def test_a_conditional_machine_keeps_its_labels():
    one = made(equivariant_local, labels=LABELS).conditional(1)
    assert one.labels.tolist() == [1, 1]
    found = td.denoising.sample(one, n=1, levels=td.denoising.karras_levels(3), labels=[1])
    assert found.tobytes() == td.denoising.sample(one, n=1, levels=td.denoising.karras_levels(3)).tobytes()


def test_samples_of_given_classes():
    machine = equivariant_local(IMAGES, patch=3, labels=LABELS)
    levels = td.denoising.karras_levels(6)
    both = td.denoising.sample(machine, n=3, levels=levels, labels=[2, 0, 2], rng=5)
    assert both.shape == (3, 2, 5, 6)
    assert both.tobytes() != td.denoising.sample(machine, n=3, levels=levels, rng=5).tobytes()
    for k, label in enumerate([2, 0, 2]):
        alone = td.denoising.sample(machine.conditional(label), n=3, levels=levels, rng=5)
        np.testing.assert_allclose(both[k], alone[k], atol=1e-6)
    fewer = td.denoising.sample(machine, n=2, levels=levels, labels=[2, 0], rng=5)
    assert fewer.tobytes() == both[:2].tobytes()


@all_in_one(
    "call, message",
    [
        (lambda: ideal(IMAGES).conditional(0), "ideal has no labels: give them with the images"),
        (lambda: ideal(IMAGES, labels=LABELS).conditional(7), r"no image of class 7; it has \[0, 1, 2\]"),
        (lambda: ideal(IMAGES, labels=LABELS[:3]), r"one for each of the 6 images, got the shape \(3,\)"),
        (lambda: td.denoising.sample(ideal(IMAGES, labels=LABELS), n=2, labels=9), "each of the 2 images, got 9"),
        (
            lambda: td.denoising.sample(ideal(IMAGES, labels=LABELS), n=2, labels=[0]),
            r"each of the 2 images, got \[0\]",
        ),
    ],
)
def test_labels_that_do_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""Dispersion relations of denoisers, per unit of -ln sigma, against closed forms."""

import numpy as np
import pytest
from scipy.optimize import brentq
from tiny_networks import tiny

import turingdiff as td
from turingdiff.engine.stencils import laplacian

dispersion, speciation, fixed_point = td.measure.dispersion, td.measure.speciation, td.measure.uniform_fixed_point
ideal, equivariant, local, equivariant_local, wiener = (
    td.denoising.ideal,
    td.denoising.equivariant,
    td.denoising.local,
    td.denoising.equivariant_local,
    td.denoising.wiener,
)


def uniform(*greys, shape=(4, 6)):
    return np.stack([np.full((1, *shape), grey, np.float32) for grey in greys])


def random_images(shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def all_shifts(images):
    height, width = images.shape[2:]
    moved = [np.roll(images, (y, x), (2, 3)) for y in range(height) for x in range(width)]
    return np.concatenate(moved)


def torus(images, patch=3):
    return equivariant_local(images, patch=patch, boundary="periodic")


def waves(shape):
    """The wavenumbers that fit on a canvas: kx, and ky as a column."""
    ky, kx = (2 * np.pi * np.fft.fftfreq(n) for n in shape)
    return kx, ky[:, None]


# --- a Gaussian set: nothing ever grows


def smoothing(phi, i, j, t, p, g, out):
    mean = ((phi[0, i - 1, j] + phi[0, i + 1, j]) + (phi[0, i, j - 1] + phi[0, i, j + 1])) / 4
    out[0, i, j] = (phi[0, i, j] - mean * p[0] / (p[0] + t * t)) / t


@pytest.mark.parametrize("sigma", [0.05, 1.0, 20.0])
def test_a_linear_denoiser_against_its_symbol(sigma):
    curve = dispersion(td.Rule(smoothing, (0.5,), ["y"], clock="sigma"), [0.7], t=sigma)
    kx, ky = np.linspace(0, 3, 5), np.linspace(0, 3, 4)[:, None]
    expected = (np.cos(kx) + np.cos(ky)) / 2 * 0.5 / (0.5 + sigma**2) - 1
    np.testing.assert_allclose(curve.growth(kx, ky), expected, rtol=0, atol=1e-8)
    assert (curve.clock, curve.t, curve.regime) == ("sigma", sigma, "stable")


def spectral(spectrum, mean):
    """The denoiser of Gaussian images with this power spectrum, by FFT; it sees the whole field."""

    def field_rate(field, sigma):
        gain = spectrum / (spectrum + sigma**2)
        return (field - mean - np.fft.ifft2(gain * np.fft.fft2(field - mean)).real) / sigma

    return td.Rule(smoothing, (1.0,), ["y"], td.Neighbourhood(None), clock="sigma", field_rate=field_rate)


@pytest.mark.parametrize("shape", [(5, 7), (4, 6), (1, 8)])
@pytest.mark.parametrize("sigma", [0.1, 1.0, 30.0])
def test_gaussian_images_give_S_over_S_plus_sigma2_minus_1_at_every_wave(shape, sigma):
    kx, ky = waves(shape)
    spectrum = 9 / (0.1 + 2 - np.cos(kx) - np.cos(ky))
    rule = spectral(spectrum, mean=0.2)
    curve = dispersion(rule, np.full((1, *shape), 0.2), t=sigma)
    np.testing.assert_allclose(curve.growth(kx, ky), spectrum / (spectrum + sigma**2) - 1, rtol=0, atol=1e-8)
    assert curve.max_growth < 0
    assert curve.canvas == shape


def test_the_wiener_machine_of_a_set_closed_under_shifts_is_such_a_denoiser():
    images = all_shifts(random_images((2, 1, 4, 5)))
    spectrum = (np.abs(np.fft.fft2(images[:, 0] - images.mean())) ** 2).mean(axis=0) / 20
    kx, ky = waves((4, 5))
    for sigma in (0.1, 1.0, 10.0):
        curve = dispersion(wiener(images), t=sigma)
        np.testing.assert_allclose(curve.growth(kx, ky), spectrum / (spectrum + sigma**2) - 1, rtol=0, atol=1e-6)
        assert curve.state == pytest.approx([images.mean()], abs=1e-6)
    assert speciation(wiener(images), [10.0, 1.0, 0.1, 0.0]).first is None


# --- two uniform images: black or white is decided at a noise of the size of the window


@pytest.mark.parametrize("make", [ideal, equivariant])
@pytest.mark.parametrize("sigma", [0.8, 2.0, 2.9, 3.0, 7.0, 60.0])
def test_two_uniform_images_differ_in_the_sum_of_the_field(make, sigma):
    # D = c tanh(c n mean(y)/sigma²)
    c, n = 0.6, 24
    curve = dispersion(make(uniform(-c, c)), t=sigma)
    expected = np.full((4, 6), -1.0)
    expected[0, 0] = c**2 * n / sigma**2 - 1
    np.testing.assert_allclose(curve.growth(*waves((4, 6))), expected, rtol=0, atol=2e-6 * max(1, expected.max()))
    np.testing.assert_allclose(curve.state, [0], atol=1e-9)


@pytest.mark.parametrize("make", [ideal, equivariant])
def test_the_uniform_mode_changes_sign_at_sigma2_c2_H_W(make):
    critical = 0.6 * np.sqrt(24)
    machine = make(uniform(-0.6, 0.6))
    for share, grows in ((1 - 1e-4, True), (1 + 1e-4, False)):
        curve = dispersion(machine, t=critical * share)
        assert (curve.growth(0.0) > 0) == grows
        assert curve.regime == ("unstable" if grows else "stable")
    assert speciation(machine, critical * np.geomspace(1.2, 0.8, 41)).first == (
        pytest.approx(critical, rel=1e-3), 0, 0
    )  # fmt: skip


@pytest.mark.parametrize("patch", [1, 3, 5])
def test_the_uniform_mode_changes_sign_at_sigma_c_times_the_patch(patch):
    c = np.float32(0.7)
    machine = torus(uniform(-c, c, shape=(5, 5)), patch)
    for share in (1 - 1e-4, 1 + 1e-4):
        curve = dispersion(machine, t=float(c * patch * share))
        assert (curve.growth(0.0) > 0) == (share < 1)
        assert curve.canvas is None
    assert speciation(machine, c * patch * np.geomspace(1.2, 0.8, 41)).first[0] == pytest.approx(c * patch, rel=1e-3)


@pytest.mark.parametrize("sigma", [0.8, 2.0, 5.0])
def test_ELS_that_knows_black_and_white_sees_the_sum_of_its_window(sigma):
    # D = tanh(sum of the window / sigma²)
    curve = dispersion(torus(uniform(-1, 1)), t=sigma)
    kx, ky = np.linspace(0, 3, 5), np.linspace(0, 3, 4)[:, None]
    expected = (1 + 2 * np.cos(kx)) * (1 + 2 * np.cos(ky)) / sigma**2 - 1
    np.testing.assert_allclose(curve.growth(kx, ky), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("make", [ideal, equivariant, torus])
@pytest.mark.parametrize("sigma", [0.8, 1.5, 2.5])
def test_beyond_the_threshold_the_other_branches_are_stable(make, sigma):
    count = 9 if make is torus else 24
    machine = make(uniform(-1, 1))
    white = brentq(lambda y: np.tanh(count * y / sigma**2) - y, 0.1, 2)
    for sign in (-1, 1):
        found = fixed_point(machine, sigma, [sign * 0.95])
        np.testing.assert_allclose(found, [sign * white], atol=1e-7)
        curve = dispersion(machine, found, t=sigma)
        assert curve.growth(0.0) == pytest.approx(count / sigma**2 * (1 - white**2) - 1, abs=1e-6)
        assert curve.regime == "stable"
    np.testing.assert_allclose(fixed_point(machine, sigma), [0], atol=1e-9)


# --- which fixed point


@pytest.mark.parametrize("sigma", [40.0, 9.0, 4.0, 1.0, 0.3])
def test_of_two_black_and_one_white_the_branch_from_above_ends_in_black(sigma):
    # D = tanh(n y/sigma² - ln(2)/2), whose lowest root is the one that comes down.
    machine = equivariant(uniform(-1, -1, 1))
    black = brentq(lambda y: np.tanh(24 * y / sigma**2 - np.log(2) / 2) - y, -1.5, -1 / 3 + 1e-12)
    np.testing.assert_allclose(fixed_point(machine, sigma), [black], atol=1e-6)
    assert dispersion(machine, t=sigma).growth(0.0) < 0


def test_a_guess_far_from_all_images_runs_to_the_nearest_branch():
    np.testing.assert_allclose(fixed_point(equivariant(uniform(-1, -1, 1)), 1.0, [7.0]), [1], atol=1e-6)


def test_the_fixed_point_is_its_own_denoised_image_in_colour_too():
    machine = torus(random_images((5, 3, 5, 6)))
    for curve in (path := speciation(machine, [30.0, 3.0, 1.0, 0.5])).curves:
        field = np.tile(curve.state[:, None, None], (1, 3, 3))
        np.testing.assert_allclose(machine.denoise(field, curve.t), field, rtol=0, atol=1e-6)
        assert curve.matrix(0.3).shape == (3, 3)
    np.testing.assert_allclose(path.curves[-1].state, fixed_point(machine, 0.5), atol=1e-6)
    assert path.states.shape == (4, 3)


# --- waves


@pytest.mark.parametrize("sigma", [1.0, 3.9, 4.1, 20.0])
def test_a_set_of_stripes_has_a_turing_instability_at_their_wavelength(sigma):
    # The orbit of a cos(pi x/2) on n pixels has the power a² n/4 at that wave and none elsewhere.
    stripes = np.tile(np.cos(np.pi * np.arange(8) / 2), (1, 1, 8, 1)).astype(np.float32)
    curve = dispersion(equivariant(stripes), t=sigma)
    assert curve.growth(np.pi / 2) == pytest.approx(16 / sigma**2 - 1, abs=1e-5)
    assert curve.growth(0.0) == pytest.approx(-1, abs=1e-5)
    assert (curve.regime, curve.k_max == np.pi / 2) == (("Turing", True) if sigma < 4 else ("stable", True))
    path = speciation(equivariant(stripes), [20.0, 4.1, 3.9, 1.0])
    assert path.first == (pytest.approx(4, rel=1e-3), pytest.approx(np.pi / 2), 0)
    assert "wave of length 4 becomes unstable first" in str(path)


def test_ELS_of_any_images_answers_a_wave_on_a_large_torus_as_predicted():
    machine = torus(random_images((3, 2, 7, 7)), lambda sigma: 5 if sigma > 1 else 3)
    for sigma, reach in ((0.9, 1), (1.3, 2)):
        curve = dispersion(machine, [0.1, -0.2], t=sigma)
        assert curve.kernel.shape == (2, 2, 2 * reach + 1, 2 * reach + 1)
        check_wave(machine, curve, (10, 10))


@pytest.mark.parametrize("shape", [(4, 6), (5, 7)])
def test_the_equivariant_machine_answers_a_wave_as_predicted(shape):
    machine = equivariant(random_images((3, 2, *shape)))
    for sigma in (0.5, 1.0, 5.0):
        check_wave(machine, dispersion(machine, t=sigma), shape)


def test_a_network_with_circular_padding_answers_a_wave_as_predicted():
    net = td.denoising.network(tiny(padding="circular", colours=3))
    for sigma in (0.5, 2.0):
        check_wave(net, dispersion(net, [0.1, -0.2, 0.3], t=sigma), (14, 15))


def check_wave(rule, curve, shape, small=1e-5):
    k = 2 * np.pi * np.array([2, 1]) / shape  # along y and x
    wave = np.exp(1j * (k[0] * np.arange(shape[0])[:, None] + k[1] * np.arange(shape[1])))
    push = (np.array([1.0, 0.5 - 0.3j, 0.2j])[: len(curve.state)]).reshape(-1, 1, 1) * wave
    base, sigma = curve.state.reshape(-1, 1, 1), curve.t
    answers = [-sigma * rule.rate(base + sign * small * push.real, sigma) for sign in (1, -1)]
    expected = np.einsum("cd,dyx->cyx", curve.matrix(k[1], k[0]), push).real
    np.testing.assert_allclose((answers[0] - answers[1]) / (2 * small), expected, rtol=0, atol=1e-5)


def test_waves_of_a_local_machine_travel_unless_every_image_has_its_point_reflection():
    images, k = random_images((4, 1, 5, 5)), np.array([0.5, 1.3])
    values = dispersion(torus(images), t=0.8).eigenvalues(k, 0.4)
    assert np.abs(values.imag).max() > 1e-3
    both = np.concatenate([images, images[:, :, ::-1, ::-1]])
    assert not dispersion(torus(both), t=0.8).eigenvalues(k, 0.4).imag.any()


def test_waves_of_a_machine_of_whole_images_never_travel():
    # D - y is a gradient there (of sigma² log p), so that its Jacobian is symmetric.
    curve = dispersion(equivariant(random_images((3, 3, 5, 6))), t=0.8)
    kx, ky = waves((5, 6))
    np.testing.assert_allclose(curve.eigenvalues(kx, ky).imag, 0, atol=2e-6)


def test_the_growth_of_a_run_is_that_of_the_dispersion_relation():
    # An Euler step in sigma multiplies a wave by 1 + lambda (sigma - sigma')/sigma.
    machine, k = equivariant(random_images((3, 1, 8, 8))), 2 * np.pi * 3 / 8
    curve = dispersion(machine, t=2.0)
    start = curve.state[:, None, None] + 1e-5 * np.cos(k * np.arange(8)) * np.ones((1, 8, 8))
    end = td.simulate(machine, start, [2.0, 1.9]).final
    grown = np.fft.fft2(end)[0, 0, 3] / np.fft.fft2(start)[0, 0, 3]
    assert grown == pytest.approx(1 + curve.eigenvalues(k)[0] * 0.05, abs=1e-5)


# --- the whole way down


def test_a_held_state_is_linearised_at_every_level():
    machine, levels = torus(uniform(-1, -1, 1)), [8.0, 2.0, 1.0]
    path = speciation(machine, levels, state=[0.1])
    np.testing.assert_array_equal(path.states, np.full((3, 1), 0.1))
    for growth, sigma in zip(path.growth([0.0, 0.7]), levels, strict=True):
        np.testing.assert_array_equal(growth, dispersion(machine, [0.1], t=sigma).growth([0.0, 0.7]))


def test_waves_that_grow_from_the_first_level_were_decided_there_and_others_never():
    path = speciation(torus(uniform(-1, 1)), [2.0, 1.0])
    assert path.decided_at(0.0) == 2
    assert np.isnan(path.decided_at(2.5))
    np.testing.assert_array_equal(path.decided_at([0.0, 2.5], np.zeros((3, 1))).shape, (3, 2))


@pytest.mark.parametrize(
    "rule, levels",
    [(torus(uniform(-1, 1)), [4.0, 2.0, 1.0, 0.0]), (equivariant(random_images((3, 3, 4, 6))), [2.0]),
     (wiener(uniform(-1, 1)), [8.0, 0.5])],
)  # fmt: skip
def test_a_speciation_is_drawn(rule, levels, tmp_path):
    file = td.show.save_figure(td.show.speciation_figure(speciation(rule, levels)), tmp_path / "speciation.png")
    assert file.stat().st_size > 10_000


# --- what is refused


def test_machines_that_know_places_are_refused_with_the_name_of_their_twin():
    images = random_images((3, 1, 6, 6))
    for state in (None, [0.0]):
        with pytest.raises(ValueError, match=r"not the same everywhere.*equivariant_local.*periodic"):
            dispersion(local(images, patch=3, boundary="periodic"), state, t=1.0)
        for make in (ideal, wiener):
            with pytest.raises(ValueError, match=r"not the same everywhere.*denoising.equivariant\(images\)"):
                dispersion(make(images), state, t=1.0)
        for machine in (local(images, patch=3), equivariant_local(images, patch=3)):
            with pytest.raises(ValueError, match='periodic twin, with boundary="periodic"'):
                dispersion(machine, state, t=1.0)
    with pytest.raises(ValueError, match="ELS was made for the boundary 'zero': make its periodic twin"):
        equivariant_local(images, patch=3).on_torus()


@pytest.mark.parametrize("sigma", [0.1, 1.0, 60.0])
@pytest.mark.parametrize("make", [ideal, lambda images: local(images, patch=3, boundary="periodic")])
def test_they_are_found_out_at_every_level(make, sigma):
    with pytest.raises(ValueError, match="not the same everywhere"):
        speciation(make(random_images((30, 1, 6, 6))), [sigma])


def test_a_network_with_zero_padding_is_refused():
    with pytest.raises(ValueError, match="one with circular padding"):
        dispersion(td.denoising.network(tiny(padding="zeros")), t=1.0)


def test_the_reverse_sde_of_a_machine_is_refused():
    with pytest.raises(ValueError, match="give dispersion the denoiser itself"):
        dispersion(torus(uniform(-1, 1)).reverse_sde(), [0.0], t=1.0)


def test_a_denoiser_with_a_map_for_a_parameter_is_refused():
    with pytest.raises(ValueError, match="p0 is a map"):
        dispersion(td.Rule(smoothing, (np.ones((3, 3)),), ["y"], clock="sigma"), t=1.0)


def test_a_rule_of_the_whole_field_needs_a_canvas():
    with pytest.raises(ValueError, match="give dispersion a uniform field"):
        dispersion(spectral(np.ones((4, 4)), 0.0), [0.0], t=1.0)


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan, np.inf])
def test_sigma_is_positive(sigma):
    for measure in (fixed_point, lambda rule, t: dispersion(rule, t=t)):
        with pytest.raises(ValueError, match="sigma > 0"):
            measure(torus(uniform(-1, 1)), sigma)


@pytest.mark.parametrize("levels", [[], [0.0], [1.0, 2.0], [2.0, 2.0], [2.0, -1.0]])
def test_levels_fall(levels):
    with pytest.raises(ValueError, match="sigma > 0"):
        speciation(torus(uniform(-1, 1)), levels)


def test_a_state_that_is_none():
    with pytest.raises(ValueError, match="must be uniform"):
        dispersion(equivariant(uniform(-1, 1)), random_images((1, 4, 6)), t=1.0)
    with pytest.raises(ValueError, match="one real value for each of grey"):
        dispersion(equivariant(uniform(-1, 1)), [0.0, 1.0], t=1.0)


def test_a_denoiser_without_a_fixed_point_is_told():
    def away(phi, i, j, t, p, g, out):
        out[0, i, j] = -(1.0 + 0.0 * laplacian(phi, 0, i, j, g)) / t  # D = y + 1

    with pytest.raises(ValueError, match="no uniform field that is its own denoised image"):
        fixed_point(td.Rule(away, (), ["y"], clock="sigma"), 0.01)


def test_a_rule_over_time_has_no_levels():
    rule = td.morphogenesis.brusselator()
    for measure in (fixed_point, lambda rule, sigma: speciation(rule, [sigma])):
        with pytest.raises(ValueError, match="runs over time"):
            measure(rule, 1.0)

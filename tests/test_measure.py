import tracemalloc
from dataclasses import FrozenInstanceError

import naive_measure as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one

from turingdiff.measure import agreement, leave_one_out, novelty, spectrum, wavelength

sides = st.integers(1, 9)
seeds = st.integers(0, 2**32 - 1)


def noise(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def stripes(shape, k, angle=0.0, phase=0.0):
    y, x = np.indices(shape)
    return np.cos(k * (np.cos(angle) * x + np.sin(angle) * y) + phase)


def band_noise(shape, k, width, seed):
    """Gaussian noise whose power is a Gaussian of |k| about k."""
    H, W = shape
    size = 2 * np.pi * np.hypot(np.fft.fftfreq(H)[:, None], np.fft.fftfreq(W))
    return np.fft.ifft2(np.fft.fft2(noise(shape, seed)) * np.exp(-(((size - k) / (2 * width)) ** 2))).real


# --- spectrum


@given(sides, sides, seeds, st.floats(0.1, 10))
def test_spectrum_is_the_defining_sum_and_obeys_parseval(H, W, seed, dx):
    if H * W < 2:
        return
    field = noise((H, W), seed) + 5
    found = spectrum(field, dx)
    assert (found.power * found.modes).sum() == pytest.approx(field.var())
    assert found.modes.sum() == H * W - 1
    for j, (power, modes) in naive.radial(field).items():
        assert found.wavenumber[j - 1] == pytest.approx(2 * np.pi * j / (max(H, W) * dx))
        assert found.power[j - 1] == pytest.approx(power, abs=1e-14)
        assert found.modes[j - 1] == modes


def test_spectrum_averages_channels_and_samples():
    batch = noise((3, 2, 8, 10))
    each = [spectrum(plane).power for plane in batch.reshape(6, 8, 10)]
    np.testing.assert_allclose(spectrum(batch).power, np.mean(each, axis=0))
    np.testing.assert_allclose(spectrum(batch[0]).power, np.mean(each[:2], axis=0))


@pytest.mark.parametrize("shape", [(1, 24), (24, 1)])
def test_spectrum_of_a_line_of_cells(shape):
    field = 3 * np.cos(2 * np.pi * 4 * np.arange(24) / 24).reshape(shape)
    found = spectrum(field, dx=0.5)
    assert found.power.argmax() == 3
    assert found.power[3] * found.modes[3] == pytest.approx(4.5)
    assert found.wavenumber[3] == pytest.approx(2 * np.pi / (6 * 0.5))


@pytest.mark.parametrize("value", [0.0, 0.1, -7e11])
def test_spectrum_of_a_constant_is_zero(value):
    assert not spectrum(np.full((7, 9), value)).power.any()
    assert not spectrum(np.full((7, 9), value), window="hann").power.any()


def test_hann_window_keeps_the_power_of_white_noise_and_hides_the_seam():
    batch = noise((40, 1, 24, 24))
    plain, faded = spectrum(batch), spectrum(batch, window="hann")
    assert (faded.power * faded.modes).sum() == pytest.approx((plain.power * plain.modes).sum(), rel=0.05)
    broken = stripes((64, 64), 2 * np.pi * 6.5 / 64)
    far = slice(20, None)
    assert spectrum(broken, window="hann").power[far].sum() < 1e-3 * spectrum(broken).power[far].sum()


@pytest.mark.parametrize("measure", [spectrum, wavelength])
@pytest.mark.parametrize(
    ("field", "options", "error", "match"),
    [
        (np.zeros(5), {}, ValueError, r"got shape \(5,\).*field\[None, :\]"),
        (np.zeros((1, 1, 1, 5, 5)), {}, ValueError, r"expected \(H, W\)"),
        (np.zeros((2, 0, 5)), {}, ValueError, "at least one cell"),
        (np.ones((1, 1)), {}, ValueError, "one cell, expected at least two"),
        (np.full((4, 4), np.nan), {}, ValueError, "NaN or infinite"),
        (np.full((4, 4), np.inf), {}, ValueError, "smaller steps"),
        (np.ones((4, 4), complex), {}, TypeError, "complex128"),
        (np.array([["a"]]), {}, TypeError, "real numbers"),
        (np.eye(4), {"dx": 0}, ValueError, "dx is 0"),
        (np.eye(4), {"dx": np.nan}, ValueError, "positive length"),
        (np.eye(4), {"window": "tukey"}, ValueError, "'tukey', expected None or 'hann'"),
    ],
)
def test_spectrum_and_wavelength_refuse(measure, field, options, error, match):
    with pytest.raises(error, match=match):
        measure(field, **options)


# --- wavelength


@pytest.mark.parametrize("waves", [(0, 1), (0, 2), (5, 0), (3, 4), (-2, 7), (9, 13)])
@pytest.mark.parametrize("shape", [(32, 32), (40, 60)])
def test_wavelength_of_whole_waves_is_exact(waves, shape):
    y, x = np.indices(shape)
    my, mx = waves
    field = np.sin(2 * np.pi * (my * y / shape[0] + mx * x / shape[1]) + 0.3) + 4
    expected = 0.25 / np.hypot(my / shape[0], mx / shape[1])
    assert float(wavelength(field, dx=0.25)) == pytest.approx(expected)


@pytest.mark.parametrize("window", [None, "hann"])
@pytest.mark.parametrize("shape", [(64, 64), (48, 80), (1, 64)])
def test_wavelength_of_broken_stripes_within_its_uncertainty(window, shape):
    rng = np.random.default_rng(1)
    z, off = [], []
    for _ in range(150):
        periods = rng.uniform(3, 12)  # along the longer side: seldom a whole number
        k = 2 * np.pi * periods / max(shape)
        angle = rng.uniform(0, np.pi) if min(shape) > 1 else 0.0
        found = wavelength(stripes(shape, k, angle, rng.uniform(0, 6)), window=window)
        z.append((found.value - 2 * np.pi / k) / found.uncertainty)
        off.append((2 * np.pi / found.value / k - 1) * periods)
    assert np.abs(z).max() < 3
    assert np.sqrt(np.mean(np.square(off))) < (0.2 if window is None else 0.1)  # fundamentals


@pytest.mark.parametrize("window", [None, "hann"])
@pytest.mark.parametrize("relative_width", [0.05, 0.12, 0.25])
def test_wavelength_of_band_passed_noise_within_its_uncertainty(window, relative_width):
    rng = np.random.default_rng(2)
    z, error = [], []
    for seed in range(60):
        shape = ((64, 64), (48, 96))[seed % 2]
        k = 2 * np.pi * rng.uniform(6, 11) / max(shape)
        found = wavelength(band_noise(shape, k, relative_width * k, seed), window=window)
        z.append((2 * np.pi / k - found.value) / found.uncertainty)
        error.append(found.value * k / (2 * np.pi) - 1)
    assert np.mean(np.abs(z) < 2) > 0.85
    assert np.mean(np.abs(z) < 3) > 0.95
    assert np.sqrt(np.mean(np.square(z))) > 0.3, "the uncertainty should not be far too large either"
    assert np.abs(np.mean(error)) < 0.03


def test_more_samples_lessen_the_error_and_the_uncertainty():
    k = 2 * np.pi / 5
    batch = np.stack([band_noise((64, 64), k, 0.3 * k, seed) for seed in range(32)])[:, None]
    one, many = wavelength(batch[0]), wavelength(batch)
    assert many.uncertainty < 0.75 * one.uncertainty
    assert abs(many.value - 5) < 3 * many.uncertainty
    copies = wavelength(np.repeat(batch[0], 5, axis=0))  # channels are no new samples
    assert copies.uncertainty == pytest.approx(one.uncertainty)


def test_neither_harmonics_nor_a_white_background_pull_the_wavelength():
    field = np.sign(stripes((64, 64), 2 * np.pi / 8, phase=0.1))
    assert float(wavelength(field)) == pytest.approx(8)
    found = wavelength(band_noise((96, 96), 2 * np.pi / 8, 0.03, 5) / 0.05 + noise((96, 96)))
    assert abs(found.value - 8) < 3 * found.uncertainty


def test_honeycomb_gives_the_distance_between_rows():
    y, x = np.indices((96, 96)) * (2 * np.pi / 12)
    field = sum(np.cos(np.cos(a) * x + np.sin(a) * y) for a in np.pi / 3 * np.arange(3))
    found = wavelength(field, window="hann")
    assert abs(found.value - 12) < 2 * found.uncertainty


@given(seeds, st.floats(-50, 50), st.floats(0.01, 100), st.integers(0, 30), st.integers(0, 30))
def test_wavelength_ignores_offset_contrast_place_and_transposition(seed, offset, contrast, dy, dx):
    field = band_noise((24, 32), 1.2, 0.2, seed)
    expected = wavelength(field)
    for same in (offset + contrast * field, np.roll(field, (dy, dx), axis=(0, 1)), field.T, field[::-1]):
        found = wavelength(same)
        assert found.value == pytest.approx(expected.value, rel=1e-6)
        assert found.uncertainty == pytest.approx(expected.uncertainty, rel=1e-4)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
@pytest.mark.parametrize("value", [0, 3])
def test_wavelength_refuses_a_constant(dtype, value):
    with pytest.raises(ValueError, match=r"constant .*no wavelength"):
        wavelength(np.full((2, 8, 8), value, dtype))


@all_in_one("dtype", [np.float64, np.float32])
def test_wavelength_refuses_what_is_only_rounding_and_takes_a_small_pattern(dtype):
    eps = np.finfo(dtype).eps
    pattern = stripes((32, 32), 2 * np.pi / 8)
    with pytest.raises(ValueError, match="constant"):
        wavelength((1 + eps * pattern).astype(dtype))
    assert float(wavelength((1 + 100 * eps * pattern).astype(dtype))) == pytest.approx(8, rel=0.01)


def test_wavelength_shows_itself():
    found = wavelength(stripes((64, 64), 2 * np.pi / 8))
    assert str(found) == "8.00 ± 0.15"
    with pytest.raises(FrozenInstanceError):
        found.value = 1.0


# --- agreement


def test_agreement_by_hand():
    reference = np.array([[1.0, 2.0, 3.0, 4.0]])
    same = agreement(reference, reference)
    assert (same.r2, same.pearson) == (1, pytest.approx(1))
    shifted = agreement(reference + 2, reference)  # SSres = 16, SStot = 5
    assert (shifted.r2, shifted.pearson) == (pytest.approx(1 - 16 / 5), pytest.approx(1))
    flipped = agreement(5 - reference, reference)  # SSres = 20
    assert (flipped.r2, flipped.pearson) == (pytest.approx(-3), pytest.approx(-1))
    mean = agreement(np.full((1, 4), 2.5), reference)
    assert mean.r2 == pytest.approx(0)
    assert np.isnan(mean.pearson)


def test_r2_is_not_pearson_squared_and_not_symmetric():
    a, b = noise((2, 5, 6)), noise((2, 5, 6), 1)
    b += 2 * a
    found = agreement(a, b)
    assert abs(found.r2 - found.pearson**2) > 0.01
    assert abs(found.r2 - agreement(b, a).r2) > 0.1
    assert found.pearson == pytest.approx(agreement(b, a).pearson)


@given(st.integers(1, 3), sides, st.integers(2, 6), seeds)
def test_agreement_is_the_definition_sample_by_sample(C, H, W, seed):
    a, b = noise((3, C, H, W), seed), noise((3, C, H, W), seed + 1)
    found = agreement(a, b)
    assert found.r2.shape == found.pearson.shape == (3,)
    for i in range(3):
        one = agreement(a[i], b[i])
        assert isinstance(one.r2, float)
        assert (found.r2[i], found.pearson[i]) == (pytest.approx(one.r2), pytest.approx(one.pearson))
        assert (one.r2, one.pearson) == pytest.approx(naive.agreement(a[i], b[i]))


@all_in_one(
    ("a", "b", "match"),
    [
        (np.eye(3), np.eye(4), r"shape \(3, 3\) and reference \(4, 4\)"),
        (np.ones((2, 1, 3, 3)), np.ones((1, 3, 3)), "expected the same"),
        (np.eye(3), np.full((3, 3), 0.1), "reference is constant, expected one that varies"),
        (np.ones((2, 1, 3, 3)), np.stack([np.eye(3), np.ones((3, 3))])[:, None], r"samples \[1\]"),
        (np.full((3, 3), np.nan), np.eye(3), "prediction: has NaN"),
        (np.eye(3), np.full((3, 3), np.inf), "reference: has NaN or inf"),
        (np.ones(3), np.arange(3.0), r"prediction: got shape \(3,\)"),
    ],
)
def test_agreement_refuses(a, b, match):
    with pytest.raises(ValueError, match=match):
        agreement(a, b)


# --- novelty


@given(
    st.integers(1, 6),
    st.integers(1, 3),
    sides,
    sides,
    st.integers(0, 4),
    st.integers(0, 4),
    seeds,
    st.booleans(),
)
def test_novelty_is_the_search_over_all_shifts(N, C, h, w, more_h, more_w, seed, coarse):
    images, image = noise((N, C, h, w), seed), noise((C, h + more_h, w + more_w), seed + 1)
    if coarse:  # many ties
        images, image = images.round(), image.round()
    found = novelty(image, images, yardstick=[2.0])
    distance, index, shift = naive.nearest(image, images)
    assert found.distance == pytest.approx(distance, abs=1e-12)
    assert found.relative == pytest.approx(distance / 2, abs=1e-12)
    # Sums of equal terms in another order may differ in the last place, so a tie may go either way.
    again = naive.distances(image, images)[found.index][found.shift]
    assert again == pytest.approx(distance, abs=1e-12)
    if not coarse and distance > 1e-6 and h * w > 4:
        assert (found.index, found.shift) == (index, shift)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(28, 28), (7, 10)])
def test_a_shifted_training_image_is_not_new(channels, shape):
    images = np.random.default_rng(3).integers(0, 256, (50, channels, *shape), np.uint8)
    as_float = images.astype(np.float32) / np.float32(127.5) - np.float32(1)
    shifted = np.roll(as_float[31], (5, -2), axis=(1, 2))
    for train in (images, as_float, as_float.astype(np.float64)):
        found = novelty(shifted, train)
        assert (found.distance, found.relative, found.index) == (0, 0, 31)
        assert found.shift == (5, shape[1] - 2)
        np.testing.assert_array_equal(np.roll(as_float[found.index], found.shift, axis=(-2, -1)), shifted)
    assert novelty(np.roll(images[31], 4, axis=2), images).distance == 0


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("canvas", "corner"), [((64, 64), (30, 2)), ((40, 100), (35, 88)), ((28, 40), (9, 7))])
def test_a_copy_anywhere_on_a_larger_canvas_is_found_across_its_seams_too(channels, canvas, corner):
    images = np.random.default_rng(4).uniform(-1, 1, (20, channels, 28, 28)).astype(np.float32)
    image = noise((channels, *canvas)).astype(np.float32)
    image[:, :28, :28] = images[13]
    image = np.roll(image, corner, axis=(1, 2))
    found = novelty(image, images)
    assert (found.distance, found.index) == (0, 13)
    assert found.shift == corner


def test_uint8_equals_float():
    rng = np.random.default_rng(5)
    images, image = rng.integers(0, 256, (30, 1, 9, 9), np.uint8), rng.integers(0, 256, (1, 9, 9), np.uint8)

    def real(u):
        return u.astype(np.float32) / np.float32(127.5) - np.float32(1)

    assert novelty(image, images) == novelty(real(image), real(images))
    np.testing.assert_array_equal(leave_one_out(images), leave_one_out(real(images)))


def test_a_batch_is_its_images_one_by_one():
    images, batch = noise((40, 2, 6, 7)), noise((35, 2, 8, 7), 1)
    yardstick = leave_one_out(images)
    found = novelty(batch, images, yardstick=yardstick)
    assert found.shift.shape == (35, 2)
    for i, image in enumerate(batch):
        one = novelty(image, images, yardstick=yardstick)
        assert (found.distance[i], found.index[i], found.relative[i]) == (
            one.distance,
            one.index,
            one.relative,
        )
        assert tuple(found.shift[i]) == one.shift


def test_leave_one_out_is_the_distance_to_the_nearest_other():
    images = noise((9, 1, 4, 5))
    every = [naive.nearest(images[i], np.delete(images, i, axis=0))[0] for i in range(9)]
    np.testing.assert_allclose(leave_one_out(images), every)
    np.testing.assert_allclose(leave_one_out(images, sample=3), [every[0], every[4], every[8]])
    assert novelty(noise((1, 4, 5), 1), images).relative == pytest.approx(
        naive.nearest(noise((1, 4, 5), 1), images)[0] / np.median(every)
    )


def test_ties_go_to_the_first_and_constants_are_images_too():
    images = np.zeros((100, 1, 8, 8))
    found = novelty(np.full((1, 8, 8), 0.5), images)
    assert (found.distance, found.index, found.shift) == (0.5, 0, (0, 0))
    assert np.isnan(found.relative)  # all training images are copies: there is no unit
    assert not leave_one_out(images).any()
    images[60] = 0.5
    assert novelty(np.full((1, 8, 8), 0.5), images).index == 60


def test_one_training_image_has_no_unit():
    images = noise((1, 1, 4, 4))
    assert np.isnan(novelty(noise((1, 4, 4), 1), images).relative)
    assert novelty(images[0], images, yardstick=1.0).relative == 0


def test_a_near_copy_is_told_from_a_copy():
    images = np.repeat(noise((1, 1, 12, 12)), 300, axis=0)
    images += 1e-9 * noise((300, 1, 12, 12), 1)  # closer than the rounding of a transform tells apart
    found = novelty(np.roll(images[211], (2, 3), axis=(1, 2)), images, yardstick=1.0)
    assert found.distance < 2e-9
    assert found.shift == (2, 3)


def test_memory_does_not_grow_with_the_set():
    images = np.random.default_rng(6).integers(0, 256, (6000, 1, 28, 28), np.uint8)
    image = noise((1, 28, 28))
    tracemalloc.start()
    novelty(image, images, yardstick=1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32e6  # in float64 the set alone has 38 MB, its spectra 40 MB


TRAIN = np.zeros((3, 1, 5, 5), np.float32)


@all_in_one(
    ("image", "images", "options", "error", "match"),
    [
        (np.zeros((5, 5)), TRAIN, {}, ValueError, r"image: got shape \(5, 5\), expected \(C, H, W\)"),
        (TRAIN[0], TRAIN[0], {}, ValueError, r"images: got shape .*expected \(N, C, H, W\)"),
        (TRAIN[0], TRAIN[:0], {}, ValueError, "none of them 0"),
        (np.zeros((3, 5, 5)), TRAIN, {}, ValueError, "3 channels .*have 1"),
        (np.zeros((1, 4, 9)), TRAIN, {}, ValueError, "at least as large both ways"),
        (np.zeros((1, 5, 5), int), TRAIN, {}, TypeError, "int64, expected uint8"),
        (TRAIN[0], TRAIN.astype(complex), {}, TypeError, "images: got dtype complex"),
        (np.full((1, 5, 5), np.nan), TRAIN, {}, ValueError, "image: has NaN"),
        (TRAIN[0], TRAIN + np.float32(np.inf), {}, ValueError, "images: has NaN or infinite"),
        (TRAIN[0], TRAIN, {"yardstick": []}, ValueError, "yardstick is"),
        (TRAIN[0], TRAIN, {"yardstick": -1.0}, ValueError, "as leave_one_out"),
    ],
)
def test_novelty_refuses(image, images, options, error, match):
    with pytest.raises(error, match=match):
        novelty(image, images, **options)


def test_leave_one_out_refuses():
    with pytest.raises(ValueError, match="at least 2"):
        leave_one_out(TRAIN[:1])
    with pytest.raises(ValueError, match="sample is 0"):
        leave_one_out(TRAIN, sample=0)


def test_inputs_are_not_written():
    images, image = noise((4, 1, 6, 6)), noise((1, 6, 6), 1)
    for array in (images, image):
        array.setflags(write=False)
    novelty(image, images)
    agreement(image, images[0])
    wavelength(image)
    spectrum(image, window="hann")

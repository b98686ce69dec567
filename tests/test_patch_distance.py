"""How new the parts of an image are, the plane that this spans with novelty, and the pieces of a mosaic."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one

import turingdiff as td
from turingdiff.measure import leave_one_out, novelty, patch_distance, patch_leave_one_out, sources

seeds = st.integers(0, 2**32 - 1)
BOUNDARIES = [None, "periodic", "zero"]
every_boundary = pytest.mark.parametrize("boundary", BOUNDARIES)


def noise(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def smooth(shape, seed=0, cells=2.0):
    """Images with structure: noise blurred on the torus."""
    k = np.hypot(np.fft.fftfreq(shape[-2])[:, None], np.fft.fftfreq(shape[-1]))
    blurred = np.fft.ifft2(np.fft.fft2(noise(shape, seed)) * np.exp(-((2 * np.pi * cells * k) ** 2) / 2)).real
    return blurred / blurred.std()


def windows_of(image, patch, boundary):
    """Every window and its centre, one by one."""
    r, (_, H, W) = patch // 2, image.shape
    inside = boundary is None
    for y in range(r, H - r) if inside else range(H):
        for x in range(r, W - r) if inside else range(W):
            window = np.zeros((len(image), patch, patch))
            for dy in range(-r, r + 1):
                for dx in range(-r, r + 1):
                    if boundary == "periodic" or (0 <= y + dy < H and 0 <= x + dx < W):
                        window[:, dy + r, dx + r] = image[:, (y + dy) % H, (x + dx) % W]
            yield (y, x), window


def naive(image, images, patch, boundary):
    """Distance, image, row and column of the nearest window of each, by looking at all of them."""
    found = []
    for _, window in windows_of(image, patch, boundary):
        best = (np.inf, -1, -1, -1)
        for n, other in enumerate(images):
            for (y, x), there in windows_of(other, patch, boundary):
                distance = np.sqrt(np.mean((window - there) ** 2))
                best = min(best, (distance, n, y, x), key=lambda one: one[0])
        found.append(best)
    return [np.array(part) for part in zip(*found, strict=True)]


# --- patch_distance


@given(
    st.integers(1, 4),
    st.integers(1, 2),
    st.tuples(*[st.integers(3, 6)] * 4),
    st.sampled_from([1, 3]),
    st.sampled_from(BOUNDARIES),
    seeds,
    st.booleans(),
)
def test_every_window_is_compared_with_every_other(N, C, sizes, patch, boundary, seed, coarse):
    images, image = noise((N, C, *sizes[:2]), seed), noise((C, *sizes[2:]), seed + 1)
    if coarse:  # many ties, and copies
        images, image = images.round(), image.round()
    found = patch_distance(image, images, patch, boundary=boundary, yardstick=[2.0])
    distance, *place = naive(image, images, patch, boundary)
    np.testing.assert_allclose(found.map.ravel(), distance, atol=1e-12)
    for name, expected in zip(("image", "row", "column"), place, strict=True):
        np.testing.assert_array_equal(getattr(found, name).ravel(), expected)
    assert found.distance == pytest.approx(np.sqrt(np.mean(distance**2)))
    assert found.relative == found.distance / 2


@pytest.mark.compiled
@every_boundary
def test_what_is_skipped_is_farther(boundary):
    """Against all pairs at once, on more windows than a box or a block holds."""
    images, image = smooth((40, 1, 24, 20), cells=1.5), smooth((1, 30, 17), 1, cells=1.5)
    found = patch_distance(image, images, 5, boundary=boundary, yardstick=1.0)
    queries = np.stack([window.ravel() for _, window in windows_of(image, 5, boundary)])
    train = np.concatenate([[w.ravel() for _, w in windows_of(other, 5, boundary)] for other in images])
    squares = (queries**2).sum(1)[:, None] + (train**2).sum(1) - 2 * queries @ train.T
    nearest = squares.argmin(axis=1)
    np.testing.assert_allclose(found.map.ravel(), np.sqrt(np.mean((queries - train[nearest]) ** 2, axis=1)))
    np.testing.assert_array_equal(found.image.ravel(), nearest // (len(train) // 40))


@pytest.mark.parametrize("channels", [1, 3])
@every_boundary
def test_a_training_image_is_made_of_itself(channels, boundary):
    images = np.random.default_rng(3).integers(0, 256, (9, channels, 8, 7), np.uint8)
    as_float = images.astype(np.float32) / np.float32(127.5) - np.float32(1)
    for image in (images[7], as_float[7], as_float[7].astype(np.float64)):
        for train in (images, as_float):
            found = patch_distance(image, train, 3, boundary=boundary, yardstick=1.0)
            assert found.distance == found.relative == found.map.max() == 0
            assert (found.image == 7).all()
    y, x = np.indices(found.map.shape) + (1 if boundary is None else 0)
    np.testing.assert_array_equal([found.row, found.column], [y, x])
    assert found.map.shape == ((6, 5) if boundary is None else (8, 7))


@pytest.mark.compiled
def test_a_mosaic_differs_at_its_seams_alone():
    images = noise((8, 1, 20, 20))
    image = images[2].copy()
    image[:, :, 9:] = images[5][:, :, 3:14]  # moved by 6 columns
    found = patch_distance(image, images, 5)
    columns = np.arange(2, 18)  # where windows are centred
    across = (columns > 9 - 3) & (columns < 9 + 2)
    assert (found.map[:, across] > 0).all()
    assert not found.map[:, ~across].any()
    assert (found.image[:, columns <= 6] == 2).all()
    assert (found.image[:, columns >= 11] == 5).all()
    assert (found.column - columns)[:, columns >= 11].max() == -6


@pytest.mark.compiled
def test_any_piece_inside_a_larger_canvas_is_no_news():
    images = noise((6, 2, 9, 9))
    canvas = np.tile(images[4], (1, 3, 3))
    found = patch_distance(canvas, images, 3, boundary="periodic")
    assert found.map.shape == (27, 27)
    assert not found.map.any()  # on the torus it joins
    assert patch_distance(canvas, images, 3).map.any()
    assert not patch_distance(images[4][:, 2:8, 1:], images, 3).map.any()


@given(st.integers(3, 7), st.integers(3, 7), st.sampled_from([1, 3]), seeds)
def test_on_the_torus_it_is_no_larger_than_the_distance_of_novelty_and_does_not_see_shifts(H, W, patch, seed):
    images, image = noise((3, 1, H, W), seed), noise((1, H, W), seed + 1)
    found = patch_distance(image, images, patch, boundary="periodic", yardstick=1.0)
    assert found.distance <= novelty(image, images, yardstick=1.0).distance + 1e-12
    moved = patch_distance(np.roll(image, (2, 1), (1, 2)), images, patch, boundary="periodic", yardstick=1.0)
    np.testing.assert_allclose(moved.map, np.roll(found.map, (2, 1), (0, 1)), atol=1e-12)
    if patch > 1:
        smaller = patch_distance(image, images, 1, boundary="periodic", yardstick=1.0)
        assert smaller.distance <= found.distance + 1e-12


@pytest.mark.compiled
def test_a_batch_is_its_images_one_by_one():
    images, batch = noise((10, 2, 6, 7)), noise((5, 2, 8, 7), 1)
    yardstick = patch_leave_one_out(images, 3)
    found = patch_distance(batch, images, 3, yardstick=yardstick)
    assert found.map.shape == (5, 6, 5)
    for i, image in enumerate(batch):
        one = patch_distance(image, images, 3)
        assert (one.distance, one.relative) == (found.distance[i], found.relative[i])
        for name in ("map", "image", "row", "column"):
            np.testing.assert_array_equal(getattr(one, name), getattr(found, name)[i])


@pytest.mark.compiled
@every_boundary
def test_leave_one_out_is_the_distance_to_the_others(boundary):
    images = noise((9, 1, 5, 5)).round()  # some windows are in several images
    every = [
        patch_distance(images[i], np.delete(images, i, axis=0), 3, boundary=boundary, yardstick=1.0).distance
        for i in range(9)
    ]
    np.testing.assert_allclose(patch_leave_one_out(images, 3, boundary=boundary), every)
    np.testing.assert_allclose(
        patch_leave_one_out(images, 3, boundary=boundary, sample=3), [every[0], every[4], every[8]]
    )
    other = noise((1, 5, 5), 1)
    found = patch_distance(other, images, 3, boundary=boundary)
    assert found.relative == pytest.approx(found.distance / np.median(every))


def test_a_set_without_a_unit():
    assert np.isnan(patch_distance(noise((1, 4, 4), 1), noise((1, 1, 4, 4)), 3).relative)
    copies = np.zeros((5, 1, 4, 4))
    assert np.isnan(patch_distance(np.ones((1, 4, 4)), copies, 3).relative)
    assert patch_distance(np.ones((1, 4, 4)), copies, 3).distance == 1
    assert (patch_distance(np.ones((1, 4, 4)), copies, 3).image == 0).all()


@pytest.mark.compiled
def test_a_near_copy_is_told_from_a_copy():
    images = np.repeat(noise((1, 1, 8, 8)), 30, axis=0)
    images += 1e-9 * noise((30, 1, 8, 8), 1)
    found = patch_distance(images[21], images, 3, yardstick=1.0)
    assert (found.image == 21).all()
    assert not found.map.any()
    assert 0 < np.median(patch_leave_one_out(images, 3)) < 3e-9


@pytest.mark.compiled
def test_memory_does_not_grow_with_the_set():
    images, image = smooth((800, 1, 28, 28)), smooth((1, 28, 28), 1)
    tracemalloc.start()
    patch_distance(image, images, 7, yardstick=1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 75e6  # all windows have 152 MB


TRAIN = np.zeros((3, 1, 5, 5), np.float32)


@all_in_one(
    ("image", "images", "patch", "options", "error", "match"),
    [
        (np.zeros((5, 5)), TRAIN, 3, {}, ValueError, r"image: got shape \(5, 5\), expected \(C, H, W\)"),
        (TRAIN[0], TRAIN[0], 3, {}, ValueError, r"images: got shape .*expected \(N, C, H, W\)"),
        (np.zeros((3, 5, 5)), TRAIN, 3, {}, ValueError, "3 channels .*have 1"),
        (np.zeros((1, 5, 5), int), TRAIN, 3, {}, TypeError, "int64, expected uint8"),
        (np.full((1, 5, 5), np.nan), TRAIN, 3, {}, ValueError, "image: has NaN"),
        (TRAIN[0], TRAIN + np.float32(np.inf), 3, {}, ValueError, "images: has NaN or infinite"),
        (TRAIN[0], TRAIN, 4, {}, ValueError, "patch is 4, expected an odd number from 1 to 5"),
        (TRAIN[0], TRAIN, 7, {}, ValueError, "patch is 7, expected an odd number from 1 to 5"),
        (np.zeros((1, 9, 3)), TRAIN, 5, {}, ValueError, "from 1 to 3"),
        (TRAIN[0], TRAIN, 3.0, {}, TypeError, "patch is 3.0, expected an odd whole number"),
        (TRAIN[0], TRAIN, 3, {"boundary": "no_flux"}, ValueError, "'no_flux', expected None .*'periodic'.*'zero'"),
        (TRAIN[0], TRAIN, 3, {"yardstick": -1.0}, ValueError, "yardstick is"),
    ],
)
def test_patch_distance_refuses(image, images, patch, options, error, match):
    with pytest.raises(error, match=match):
        patch_distance(image, images, patch, **options)


def test_patch_leave_one_out_refuses():
    with pytest.raises(ValueError, match="at least 2"):
        patch_leave_one_out(TRAIN[:1], 3)
    with pytest.raises(ValueError, match="sample is 0"):
        patch_leave_one_out(TRAIN, 3, sample=0)


# --- the plane of creativity


def plane(examples, images, patch, boundary=None):
    """Novelty and patch distance of each, in units of the training set."""
    whole, local = leave_one_out(images), patch_leave_one_out(images, patch, boundary=boundary)
    return {
        name: (
            novelty(example, images, yardstick=whole).relative,
            patch_distance(example, images, patch, boundary=boundary, yardstick=local).relative,
        )
        for name, example in examples.items()
    }


@pytest.mark.compiled
def test_the_plane_orders_copy_mosaic_sample_and_noise():
    images = td.data.fashion()[0][:200]
    machine = td.denoising.equivariant_local(images, patch=5, boundary="zero")
    sample = td.denoising.sample(machine, 1, levels=td.denoising.cosine_levels(10), rng=1)[0]
    quilt = images[11].copy()
    quilt[:, 14:] = images[30][:, 14:]
    examples = {"copy": images[11], "mosaic": quilt, "sample": sample, "noise": noise((1, 28, 28))}
    at = plane(examples, images, 5)
    assert at["copy"] == (0, 0)
    assert at["noise"][0] > 2 < at["noise"][1]
    for name in ("mosaic", "sample"):
        assert 0.5 < at[name][0] < at["noise"][0]
        assert 0 < at[name][1] < 0.25 * at["noise"][1]
        assert at[name][1] < 1.5  # one more training image has about 1
    assert at["copy"][1] < at["mosaic"][1] < at["sample"][1] < at["noise"][1]


@pytest.mark.slow
@pytest.mark.compiled
def test_the_plane_orders_turing_patterns_against_other_runs():
    rule = td.morphogenesis.schnakenberg(a=0.1, dx=1.0, diffusion=(1, 30))
    seeds = [rule.initial((48, 48), rng=seed) for seed in range(13)]
    runs = np.stack([td.simulate(rule, start, rule.times(t_end=60)).final[:1] for start in seeds])
    images, unseen = runs[:12], runs[12]
    scattered = np.random.default_rng(0).permutation(unseen.ravel()).reshape(unseen.shape)
    examples = {
        "copy": np.roll(images[3], (5, 9), (1, 2)),
        "other run": unseen,
        "stretched": np.repeat(np.repeat(unseen, 2, 1), 2, 2)[:, :48, :48],
        "scattered": scattered,
    }
    at = plane(examples, images, 7, "periodic")
    assert at["copy"] == (0, 0)
    assert at["other run"][0] == pytest.approx(1, abs=0.2)
    assert at["other run"][1] == pytest.approx(1, abs=0.4)
    assert at["stretched"][1] > 1.5
    assert at["scattered"][1] > max(at["stretched"][1], 3)


# --- sources


def maps(H, W):
    """A copy of image 0."""
    return np.zeros((H, W), int), *np.indices((H, W))


def test_a_copy_is_one_piece_of_one_image():
    found = sources(*maps(6, 8))
    assert (found.images, found.pieces) == (1, 1)
    np.testing.assert_array_equal(found.sizes, [48])
    assert not found.labels.any()


def test_quarters_of_four_images_are_four_pieces():
    image, row, column = maps(8, 8)
    image[:4, 4:], image[4:, :4], image[4:, 4:] = 1, 2, 3
    found = sources(image, row, column)
    assert (found.images, found.pieces) == (pytest.approx(4), pytest.approx(4))
    np.testing.assert_array_equal(found.sizes, [16] * 4)
    np.testing.assert_array_equal(found.labels[[0, 0, 7, 7], [0, 7, 0, 7]], [0, 1, 2, 3])


def test_pieces_of_one_image_that_were_moved_apart_are_two():
    image, row, column = maps(8, 9)
    column[:, 6:] -= 2
    found = sources(image, row, column)
    assert found.images == 1
    np.testing.assert_array_equal(found.sizes, [48, 24])
    assert found.pieces == pytest.approx(np.exp(-(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3))))
    image[:, 6:] = 5
    assert sources(image, row, column).images == pytest.approx(found.pieces)


def test_the_same_shift_in_two_places_is_two_pieces():
    image, row, column = maps(6, 9)
    image[:, 3:6] = 1
    np.testing.assert_array_equal(sources(image, row, column).sizes, [18, 18, 18])
    assert sources(image, row, column).images == pytest.approx(np.exp(np.log(1.5) * 2 / 3 + np.log(3) / 3))


def test_on_the_torus_a_piece_goes_over_the_seam_and_over_the_edge_of_its_source():
    image, row, column = maps(6, 8)
    shifted = (row + 2) % 6, (column - 3) % 8
    assert len(sources(image, *shifted).sizes) == 4
    np.testing.assert_array_equal(sources(image, *shifted, period=(6, 8)).sizes, [48])
    tiled = image, row, column % 4  # a canvas twice as wide as its source
    assert len(sources(*tiled).sizes) == 2
    assert len(sources(*tiled, period=(6, 4)).sizes) == 1
    assert len(sources(*tiled, period=(6, 5)).sizes) == 2


def test_only_pixels_that_count_are_counted():
    image, row, column = maps(6, 6)
    image[:, 2] = 1
    where = image == 0
    found = sources(image, row, column, where=where)
    assert found.images == 1
    np.testing.assert_array_equal(found.sizes, [18, 12])
    np.testing.assert_array_equal(found.labels[0], [1, 1, -1, 0, 0, 0])


@given(st.integers(1, 6), st.integers(1, 6), seeds)
def test_the_numbers_stay_within_their_bounds(H, W, seed):
    rng = np.random.default_rng(seed)
    image, row, column = rng.integers(0, 2, (3, H, W))
    found = sources(image, row, column)
    assert found.sizes.sum() == H * W
    assert (np.diff(found.sizes) <= 0).all()
    np.testing.assert_array_equal(np.bincount(found.labels.ravel()), found.sizes)
    assert 1 <= found.images <= 2 + 1e-12
    assert 1 - 1e-12 <= found.pieces <= len(found.sizes) + 1e-9
    assert found.images <= found.pieces + 1e-9
    flipped = sources(image[:, ::-1], row[:, ::-1], 1 - column[:, ::-1])
    np.testing.assert_array_equal(flipped.sizes, found.sizes)


@pytest.mark.compiled
def test_a_mosaic_and_a_patch_distance_tell_their_sources():
    images = noise((6, 1, 12, 12)).astype(np.float32).clip(-1, 1)
    image = images[1].copy()
    image[:, :, 6:] = images[4][:, :, 6:]
    machine = td.denoising.equivariant_local(images, patch=3, boundary="periodic")
    found = sources(td.denoising.mosaic(machine, image), period=(12, 12))
    assert found.sizes[:2].sum() >= 96  # all but the two columns either side of both seams
    nearest = sources(patch_distance(image, images, 3, boundary="periodic"), period=(12, 12))
    np.testing.assert_array_equal(nearest.sizes[:2], found.sizes[:2])
    assert sources(patch_distance(images[1], images, 3)).pieces == 1


@all_in_one(
    ("arguments", "options", "error", "match"),
    [
        ((np.zeros((3, 3)),) * 3, {}, TypeError, "image: got dtype float64, expected whole numbers"),
        ((np.zeros((2, 3, 3), int),) * 3, {}, ValueError, r"expected \(H, W\).*one image of a batch"),
        ((np.zeros((3, 3), int), np.zeros((3, 4), int), np.zeros((3, 3), int)), {}, ValueError, "the same"),
        ((np.zeros((3, 3), int), np.zeros((3, 3), int)), {}, ValueError, "only one of row and column"),
        ((np.zeros((3, 3), int),), {}, TypeError, "got a ndarray, expected a mosaic"),
        (maps(3, 3), {"period": (3, 0)}, ValueError, "period is"),
        (maps(3, 3), {"where": np.ones((3, 3))}, TypeError, "expected bool"),
        (maps(3, 3), {"where": np.zeros((3, 3), bool)}, ValueError, "with 0 pixels"),
    ],
)
def test_sources_refuses(arguments, options, error, match):
    with pytest.raises(error, match=match):
        sources(*arguments, **options)

"""Films and stills: what is in the files, pixel by pixel."""

import os
import stat
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from turingdiff.files import atomic_path
from turingdiff.show import Film, animate, animate_side_by_side, colour, files, save_frame, save_still


@dataclass
class FakeRun:
    frames: np.ndarray
    clock: str = "time"
    times: np.ndarray | None = None
    name: str = "fake"

    def __post_init__(self):
        if self.times is None:
            count = len(self.frames)
            down = np.geomspace(10, 0.1, count) if self.clock == "sigma" else None
            self.times = np.linspace(0, 12, count) if down is None else down

    def view(self, k):
        return self.frames[k]


def pattern(count=6, height=12, width=16, seed=0):
    """A field that grows from nothing: (K, 1, H, W)."""
    final = np.random.default_rng(seed).normal(size=(height, width))
    return FakeRun(np.stack([final * s for s in np.linspace(0, 1, count)])[:, None])


def denoising(shape=(1, 8, 8), count=5, seed=1):
    frames = np.clip(np.random.default_rng(seed).normal(size=(count, *shape)), -1, 1)
    return FakeRun(frames, clock="sigma")


def read(path):
    """Every frame as RGB, and the delays in ms."""
    frames, delays = [], []
    with Image.open(path) as image:
        for k in range(image.n_frames):
            image.seek(k)
            frames.append(np.asarray(image.convert("RGB")))
            delays.append(image.info["duration"])
    return np.stack(frames), delays


def blocks(picture, scale):
    return np.kron(picture, np.ones((scale, scale), dtype=picture.dtype))


def leftovers(folder):
    return sorted(entry.name for entry in folder.iterdir())


# --- the film of one run -------------------------------------------------------------------------------


def test_frames_size_and_delays(tmp_path):
    film = animate(pattern(count=6), tmp_path / "a.gif", fps=25, scale=3, hold=1.5)
    frames, delays = read(film)
    assert frames.shape == (6, 36, 48, 3)
    assert delays == [40] * 5 + [1500]
    assert film == Film(tmp_path / "a.gif", 6, 48, 36, os.path.getsize(film), 1.7)
    assert leftovers(tmp_path) == ["a.gif"]


def test_film_speaks_for_itself(tmp_path):
    film = animate(pattern(), tmp_path / "a.gif", fps=25)
    assert str(film).startswith(f"{tmp_path / 'a.gif'}: 6 frames of 320 x 240, 1.7 s, ")
    assert str(film).endswith("kB")
    assert str(Film(film.path, 1, 2, 3, 12_345_678, 0.5)).endswith("1 frame of 2 x 3, 0.5 s, 12.3 MB")


@pytest.mark.parametrize(("fps", "delay"), [(25, 40), (30, 30), (10, 100), (12, 80), (50, 20), (1000, 20), (0.5, 2000)])
def test_fps_becomes_the_nearest_delay(tmp_path, fps, delay):
    _, delays = read(animate(pattern(count=3), tmp_path / "a.gif", fps=fps, scale=1, hold=0))
    assert delays == [delay] * 3


@pytest.mark.parametrize(("count", "delay"), [(3, 200), (30, 100), (60, 50), (75, 40), (90, 40)])
def test_by_default_a_short_run_is_shown_slowly(tmp_path, count, delay):
    _, delays = read(animate(pattern(count=count), tmp_path / "a.gif", scale=1, hold=0))
    assert delays == [delay] * count


def test_equal_frames_are_kept(tmp_path):
    still = FakeRun(np.repeat(pattern().frames[-1:], 5, axis=0))
    frames, delays = read(animate(still, tmp_path / "a.gif", scale=1, hold=1, fps=25))
    assert len(frames) == 5
    assert delays == [40] * 4 + [1000]
    assert (frames == frames[0]).all()


def test_one_frame_is_a_still(tmp_path):
    film = animate(pattern(count=1), tmp_path / "a.gif")
    frames, delays = read(film)
    assert len(frames) == 1
    assert delays == [1500]


def test_one_palette_and_endless_loop(tmp_path):
    film = animate(pattern(), tmp_path / "a.gif")
    with Image.open(film) as image:
        assert image.info["loop"] == 0
    assert local_palettes(film) == [False] * 6


def local_palettes(path):
    """Walk the blocks of a GIF; for each frame, whether it has a palette of its own."""
    data = path.path.read_bytes()
    assert data[:6] == b"GIF89a"
    assert data[10] == 0xF7  # a global table of 256 colours
    at, found = 13 + 768, []
    while data[at] != 0x3B:
        if data[at] == 0x21:
            at += 2
        else:
            found.append(bool(data[at + 9] & 0x80))
            at += 11
        while data[at]:
            at += data[at] + 1
        at += 1
    assert at == len(data) - 1
    return found


def test_a_value_keeps_its_colour(tmp_path):
    run = pattern(count=20, height=20, width=20)
    run.frames[..., :5, :5] = 0.5
    frames, _ = read(animate(run, tmp_path / "a.gif", scale=1))
    assert (frames[:, :5, :5] == frames[0, 0, 0]).all()
    assert len(np.unique(frames[-1].reshape(-1, 3), axis=0)) > 60


def test_pixels_are_the_colours_of_the_map(tmp_path):
    run = pattern(count=4)
    frames, _ = read(animate(run, tmp_path / "a.gif", scale=1, colormap="viridis", limits=(-1, 2)))
    table = colour.colours("viridis", colour.COLOURS)
    for frame, field in zip(frames, run.frames[:, 0], strict=True):
        share = np.clip((field + 1) / 3, 0, 1)
        np.testing.assert_array_equal(frame, table[np.rint(share * (colour.COLOURS - 1)).astype(int)])


def test_enlarged_by_whole_pixels(tmp_path):
    run = pattern()
    small, _ = read(animate(run, tmp_path / "small.gif", scale=1))
    large, _ = read(animate(run, tmp_path / "large.gif", scale=5))
    np.testing.assert_array_equal(large, small.repeat(5, axis=1).repeat(5, axis=2))


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((28, 28), (252, 252)),
        ((256, 256), (256, 256)),
        ((32, 128), (256, 1024)),
        ((1, 5), (240, 1200)),
        ((1, 60), (20, 1200)),
        ((1, 3000), (1, 3000)),
    ],
)
def test_default_scale(tmp_path, shape, size):
    film = animate(FakeRun(np.zeros((1, 1, *shape))), tmp_path / "a.gif")
    assert (film.height, film.width) == size


def test_denoising_is_grey_between_fixed_limits(tmp_path):
    run = denoising()
    run.frames[:, 0, 0, :3] = [-3, 0, 3]
    frames, _ = read(animate(run, tmp_path / "a.gif", scale=1))
    assert (frames == frames[..., :1]).all()
    assert (frames[:, 0, 0] == 0).all()
    assert (abs(frames[:, 0, 1].astype(int) - 128) <= 1).all()
    assert (frames[:, 0, 2] == 255).all()


def test_rgb_has_few_colours_and_no_flicker(tmp_path):
    run = denoising(shape=(3, 16, 16))
    flat = np.array([0.9, -0.7, 0.1])
    run.frames[:, :, :4, :4] = flat[:, None, None]
    run.frames[-1] = flat[:, None, None]
    run.frames[-1, :, 8:] = -1
    frames, _ = read(animate(run, tmp_path / "a.gif", scale=2))
    assert (frames[:, :8, :8] == frames[0, 0, 0]).all()
    assert abs(frames[0, 0, 0] - np.rint((flat + 1) * 127.5)).max() <= 4
    assert frames[-1, 16:].max() <= 4
    truth = (run.frames[0] + 1) * 127.5
    error = frames[0, ::2, ::2] - np.moveaxis(truth, 0, -1)
    assert np.sqrt((error**2).mean()) < 25


@pytest.mark.parametrize(("count", "rows", "columns"), [(2, 1, 2), (4, 2, 2), (5, 2, 3), (9, 3, 3)])
def test_replicas_in_a_grid(tmp_path, count, rows, columns):
    rng = np.random.default_rng(2)
    run = FakeRun(rng.uniform(-1, 1, size=(3, count, 1, 6, 6)), clock="sigma")
    frames, _ = read(animate(run, tmp_path / "a.gif", scale=2))
    assert frames.shape[1:3] == (rows * 15 - 3, columns * 15 - 3)
    table = colour.colours("gray", colour.COLOURS)
    covered = np.zeros(frames.shape[1:3], dtype=bool)
    for n in range(count):
        place = np.s_[15 * (n // columns) :, 15 * (n % columns) :][0:2]
        tile = frames[-1][place][:12, :12]
        expected = table[colour.indexed(run.frames[-1, n, 0], -1, 1, colour.COLOURS)]
        np.testing.assert_array_equal(tile, expected.repeat(2, axis=0).repeat(2, axis=1))
        covered[place][:12, :12] = True
    assert (frames[:, ~covered] == colour.BACKGROUND).all()


def test_views_of_replicas_without_a_channel_axis(tmp_path):
    run = FakeRun(np.random.default_rng(0).normal(size=(2, 3, 2, 6, 6)))
    run.view = lambda k: run.frames[k, :, 0]  # three replicas, not RGB
    film = animate(run, tmp_path / "a.gif", scale=1)
    assert film.width > film.height // 2
    frames, _ = read(film)
    assert len(np.unique(frames.reshape(-1, 3), axis=0)) > 20


def test_same_input_same_bytes(tmp_path):
    for name in ("a.gif", "b.gif"):
        animate(pattern(), tmp_path / name)
        animate(denoising(shape=(3, 8, 8)), tmp_path / f"rgb_{name}")
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    assert (tmp_path / "rgb_a.gif").read_bytes() == (tmp_path / "rgb_b.gif").read_bytes()


def test_the_run_is_not_written(tmp_path):
    run = pattern()
    run.frames.flags.writeable = False
    animate(run, tmp_path / "a.gif")


@given(seed=st.integers(0, 1000), count=st.integers(1, 5), height=st.integers(1, 9), width=st.integers(1, 9))
def test_written_and_read_back(tmp_path_factory, seed, count, height, width):
    frames = np.random.default_rng(seed).integers(0, 255, size=(count, height, width), dtype=np.uint8)
    palette = np.random.default_rng(0).integers(0, 256, size=(255, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("gif") / "a.gif"
    with path.open("wb") as file:
        files.write_gif(file, iter(frames), palette, [7] * count)
    read_back, delays = read(path)
    np.testing.assert_array_equal(read_back, palette[frames])
    assert delays == [70] * count


# --- colour limits -------------------------------------------------------------------------------------


def test_limits_are_those_of_the_later_half():
    field = np.random.default_rng(0).uniform(-1, 1, size=(50, 50))
    low, high = colour.limits([100 * field, 0 * field, field, field])
    # The first frame is clipped, and the limits do not go below a tenth of the whole range.
    assert (low, high) == pytest.approx((-10, 10), rel=0.01)
    low, high = colour.limits([3 * field, 0 * field, field, field])
    assert (low, high) == pytest.approx((-1, 1), rel=0.01)


def test_limits_of_a_uniform_state():
    low, high = colour.limits([np.zeros((4, 4))])
    assert low < 0 < high
    low, high = colour.limits([np.full((4, 4), 1000.0)])
    assert low < 1000 < high


@pytest.mark.parametrize(("size", "contrast"), [(1.0, 1e-9), (1.0, 3e-6), (-250.0, 2e-3), (0.0, 1e-178)])
def test_what_varies_too_little_is_drawn_uniform_and_that_is_told(size, contrast, tmp_path):
    field = size + contrast * np.random.default_rng(0).random((9, 9))
    with pytest.warns(UserWarning, match="the field varies by .*: it is drawn uniform, unless limits="):
        low, high = colour.limits([field])
    assert len(np.unique(colour.indexed(field, low, high, 128))) == 1
    with pytest.warns(UserWarning, match="drawn uniform"):
        assert len(np.unique(png(save_still(field, tmp_path / "a.png")).reshape(-1, 3), axis=0)) == 1
    ends = (float(field.min()), float(field.max()))
    assert len(np.unique(png(save_still(field, tmp_path / "b.png", limits=ends)).reshape(-1, 3), axis=0)) > 20


def test_a_pattern_that_died_is_uniform_by_what_it_was():
    field = 1e-7 * np.random.default_rng(0).random((9, 9))
    assert colour.limits([field]) == pytest.approx((0, 1e-7), abs=1e-8)
    with pytest.warns(UserWarning, match="drawn uniform"):
        low, high = colour.limits([field], largest=0.5)
    assert len(np.unique(colour.indexed(field, low, high, 128))) == 1


def test_one_wild_cell_does_not_set_the_limits():
    field = np.random.default_rng(0).uniform(0, 1, size=(100, 100))
    field[3, 4] = 1e6
    assert colour.limits([field])[1] < 2


def test_limits_need_a_picture():
    with pytest.raises(ValueError, match="give at least one"):
        colour.limits([])


def test_indexed_covers_its_stretch():
    index = colour.indexed(np.array([-9.0, 0, 0.5, 1, 9]), 0, 1, 11, first=16)
    assert index.tolist() == [16, 16, 21, 26, 26]
    assert index.dtype == np.uint8


def test_colours_are_those_of_matplotlib():
    assert colour.colours("gray", 3).tolist() == [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    with pytest.raises(ValueError, match=r"did you mean .*magma"):
        colour.colours("magna", 3)
    with pytest.raises(TypeError, match="expected a matplotlib colour map or the name of one"):
        colour.colours(3, 3)


def test_a_colour_map_of_ones_own(tmp_path):
    from matplotlib.colors import LinearSegmentedColormap

    own = LinearSegmentedColormap.from_list("own", ["red", "blue"])
    table = colour.colours(own, colour.COLOURS)
    assert (table[0].tolist(), table[-1].tolist()) == ([255, 0, 0], [0, 0, 255])
    run = pattern(4, 6, 7)
    film, _ = read(animate(run, tmp_path / "a.gif", scale=1, colormap=own, limits=(-1, 2)))
    last = png(save_frame(run, tmp_path / "a.png", scale=1, colormap=own, limits=(-1, 2)))
    np.testing.assert_array_equal(last, film[-1])
    np.testing.assert_array_equal(last, table[colour.indexed(run.frames[-1, 0], -1, 2, len(table))])
    save_still(run.frames[0], tmp_path / "b.png", colormap=own)
    animate_side_by_side({"a": run, "b": run}, tmp_path / "c.gif", colormap=own)


# --- side by side --------------------------------------------------------------------------------------


def find(sheet, picture):
    """Where `picture` stands in `sheet`, exactly once: (top, left)."""
    rows, columns = picture.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(sheet, (rows, columns), axis=(0, 1))
    corner = (windows[..., 0, 0] == picture[0, 0]).all(axis=-1)
    hits = [(i, j) for i, j in np.argwhere(corner) if (sheet[i : i + rows, j : j + columns] == picture).all()]
    assert len(hits) == 1
    return tuple(map(int, hits[0]))


def shown(run, name, n, scale, limits):
    table = colour.colours(name, n)
    return table[colour.indexed(run.frames[-1, 0], *limits, n)].repeat(scale, axis=0).repeat(scale, axis=1)


def test_panels_titles_and_clocks(tmp_path):
    time, sigma = pattern(count=9), denoising(count=4)
    film = animate_side_by_side({"Gray–Scott": time, "ELS": sigma}, tmp_path / "a.gif", height=64, hold=1, fps=25)
    frames, delays = read(film)
    assert len(frames) == film.frames == 9
    assert delays == [40] * 8 + [1000]
    assert frames.shape[1:3] == (film.height, film.width)
    n = 119  # 239 entries, shared by two colour maps
    left = find(frames[-1], shown(time, "magma", n, 5, colour.limits(time.frames[:, 0])))
    right = find(frames[-1], shown(sigma, "gray", n, 8, (-1, 1)))
    assert right[1] > left[1] + 5 * 16
    assert right[0] + 32 == left[0] + 30  # centred at one height
    head, foot = frames[:, : right[0] - 2], frames[:, right[0] + 66 :]
    assert (head == head[0]).all()
    assert (head[0] == colour.INK).all(axis=-1).any()
    # The clock of the long run moves at each frame, that of the short run three times.
    assert changes(foot[:, :, left[1] : right[1] - 8]) == 8
    assert changes(foot[:, :, right[1] :]) == 3
    # Nothing touches the border.
    for border in (frames[:, :8], frames[:, -8:], frames[:, :, :8], frames[:, :, -8:]):
        assert (border == colour.BACKGROUND).all()
    assert local_palettes(film) == [False] * 9


def changes(frames):
    return int((frames[1:] != frames[:-1]).any(axis=(1, 2, 3)).sum())


def test_panels_start_and_end_together(tmp_path):
    short = FakeRun(np.array([-1.0, 1.0])[:, None, None, None] * np.ones((2, 1, 4, 4)), clock="sigma")
    frames, _ = read(animate_side_by_side({"a": pattern(count=10), "b": short}, tmp_path / "a.gif"))
    middle = frames[:, frames.shape[1] // 2, -60]
    assert (middle[:5] == 0).all()
    assert (middle[5:] == 255).all()


def test_rgb_panel_beside_a_pattern(tmp_path):
    rgb = denoising(shape=(3, 8, 8))
    rgb.frames[-1] = np.array([1.0, -1.0, 0.0])[:, None, None]
    frames, _ = read(animate_side_by_side({"a": pattern(), "b": rgb}, tmp_path / "a.gif", height=64))
    centre = frames[-1, frames.shape[1] // 2, -60].astype(int)
    assert abs(centre - [255, 0, 128]).max() <= 4


def test_one_to_four_panels_with_long_or_no_titles(tmp_path):
    runs = {
        "": pattern(),
        "a title far longer than its picture\nin two lines": denoising(),
        "c": pattern(seed=3),
    }
    film = animate_side_by_side(runs, tmp_path / "a.gif", height=32)
    assert film.height < 200
    animate_side_by_side({"only": pattern()}, tmp_path / "b.gif")
    with pytest.raises(ValueError, match="got 0 panels"):
        animate_side_by_side({}, tmp_path / "c.gif")
    with pytest.raises(ValueError, match="got 5 panels"):
        animate_side_by_side({str(n): pattern() for n in range(5)}, tmp_path / "c.gif")


def test_clock_texts():
    from turingdiff.show.captions import _clock_texts

    def texts(clock, times):
        return _clock_texts(FakeRun(np.zeros((len(times), 1, 2, 2)), clock, np.array(times, dtype=float)))

    assert texts("time", [0, 123.44, 200]) == ["t = 0.0", "t = 123.4", "t = 200.0"]
    assert texts("time", [0, 12000]) == ["t = 0", "t = 12000"]
    assert texts("time", [0]) == ["t = 0.000"]
    assert texts("time", [0, 2e-5]) == ["t = 0.000e+00", "t = 2.000e-05"]
    assert texts("sigma", [152.3, 12.34, 1.2, 0.04123, 0]) == [
        "σ = 152",
        "σ = 12.3",
        "σ = 1.20",
        "σ = 0.0412",
        "σ = 0",
    ]


# --- stills --------------------------------------------------------------------------------------------


def png(path):
    with Image.open(path) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


def test_still_of_a_picture(tmp_path):
    picture = pattern().frames[-1]
    path = save_still(picture, tmp_path / "deep" / "a.png", scale=3, limits=(-2, 2))
    table = colour.colours("magma", 256)
    expected = table[blocks(colour.indexed(picture[0], -2, 2, 256), 3)]
    np.testing.assert_array_equal(png(path), expected)
    np.testing.assert_array_equal(png(save_still(picture[0], tmp_path / "b.png", scale=3, limits=(-2, 2))), expected)
    assert png(save_still(picture, tmp_path / "c.png")).shape == (240, 320, 3)


def test_still_of_rgb_pictures(tmp_path):
    pictures = denoising(shape=(3, 8, 8), count=2).frames
    got = png(save_still(pictures, tmp_path / "a.png", scale=1))
    assert got.shape == (8, 19, 3)
    np.testing.assert_array_equal(got[:, :8], np.moveaxis(np.rint((pictures[0] + 1) * 127.5), 0, -1))


def test_still_of_a_frame_has_the_colours_of_the_film(tmp_path):
    run = pattern()
    frames, _ = read(animate(run, tmp_path / "a.gif"))
    np.testing.assert_array_equal(png(save_frame(run, tmp_path / "last.png")), frames[-1])
    np.testing.assert_array_equal(png(save_frame(run, tmp_path / "third.png", 2)), frames[2])
    with pytest.raises(IndexError):
        save_frame(run, tmp_path / "none.png", 6)


# --- errors, and what they leave behind ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.avi", "a", "a.gif.png"])
def test_other_suffix(tmp_path, name):
    with pytest.raises(ValueError, match=r"a film is a \.gif or an \.mp4"):
        animate(pattern(), tmp_path / name)
    with pytest.raises(ValueError, match=r"a still is a \.png"):
        save_still(np.zeros((3, 4)), tmp_path / "a.gif")


def test_suffix_in_capitals(tmp_path):
    assert read(animate(pattern(), str(tmp_path / "A.GIF")))[0].shape[0] == 6


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"fps": 0}, ValueError, "fps is 0; expected a positive"),
        ({"fps": -5}, ValueError, "fps is -5"),
        ({"fps": float("nan")}, ValueError, "fps is nan"),
        ({"fps": "fast"}, TypeError, "fps is 'fast'"),
        ({"fps": 0.001}, ValueError, "655 s a frame"),
        ({"hold": -1}, ValueError, "hold is -1"),
        ({"hold": float("inf")}, ValueError, "hold is inf"),
        ({"hold": 1000}, ValueError, "655 s a frame"),
        ({"scale": 0}, ValueError, "scale is 0"),
        ({"scale": 1.5}, TypeError, "scale is 1.5"),
        ({"scale": True}, TypeError, "scale is True"),
        ({"colormap": "no such"}, ValueError, "colormap 'no such'"),
        ({"limits": (1, 1)}, ValueError, "low < high"),
        ({"limits": (0, float("nan"))}, ValueError, "low < high"),
        ({"limits": (0, 1, 2)}, ValueError, "low < high"),
    ],
)
def test_bad_arguments(tmp_path, arguments, error, match):
    with pytest.raises(error, match=match):
        animate(pattern(), tmp_path / "a.gif", **arguments)
    assert leftovers(tmp_path) == []


def test_bad_height(tmp_path):
    with pytest.raises(ValueError, match="height is 3 pixels"):
        animate_side_by_side({"a": pattern()}, tmp_path / "a.gif", height=3)


@pytest.mark.parametrize("clock", ["time", "sigma"])
def test_values_that_are_not_finite(tmp_path, clock):
    run = FakeRun(pattern().frames.copy(), clock)
    run.frames[4, 0, 2, 3] = np.nan
    run.frames[4, 0, 2, 4] = np.inf
    run.frames[5] = np.nan  # the first to blow up is the one to name
    (tmp_path / "a.gif").write_bytes(b"yesterday")
    with pytest.raises(ValueError, match=r"frame 4 of 6 \(. = .*\) holds 2 values that are not finite"):
        animate(run, tmp_path / "a.gif")
    assert (tmp_path / "a.gif").read_bytes() == b"yesterday"
    assert leftovers(tmp_path) == ["a.gif"]


@pytest.mark.parametrize("shape", [(2, 5, 5), (5,), (1, 0, 5), (1, 1, 5, 5)])
def test_views_that_are_no_pictures(tmp_path, shape):
    with pytest.raises(ValueError, match=r"frame 0 of 2 .* a picture is \(H, W\)"):
        animate(FakeRun(np.zeros((2, *shape))) if len(shape) != 4 else Odd(shape), tmp_path / "a.gif")


class Odd(FakeRun):
    def __init__(self, shape):
        super().__init__(np.zeros((2, 1, 5, 5)))
        self.view = lambda k: np.zeros(shape)


def test_a_run_without_frames(tmp_path):
    with pytest.raises(ValueError, match="holds no frame"):
        animate(FakeRun(np.zeros((0, 1, 4, 4))), tmp_path / "a.gif")


def test_an_error_midway_leaves_nothing(tmp_path):
    run = denoising()
    view = run.view
    run.view = lambda k: view(k) if k != 3 else 1 / 0
    with pytest.raises(ZeroDivisionError):
        animate(run, tmp_path / "a.gif")
    assert leftovers(tmp_path) == []


# --- files ---------------------------------------------------------------------------------------------


def test_folders_are_made(tmp_path):
    film = animate(pattern(), tmp_path / "new" / "deep" / "a.gif")
    assert leftovers(film.path.parent) == ["a.gif"]


def test_path_is_a_folder(tmp_path):
    (tmp_path / "a.gif").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder; give the path of a file"):
        animate(pattern(), tmp_path / "a.gif")


@pytest.mark.parametrize("below", ["file", "file/deeper"])
def test_parent_is_a_file(tmp_path, below):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file, not a folder"):
        animate(pattern(), tmp_path / below / "a.gif")


def test_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with (
        pytest.raises(PermissionError, match="no permission to write in the folder"),
        atomic_path(tmp_path / "a.gif"),
    ):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
def test_folder_without_permission(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(PermissionError, match="choose another folder"):
        animate(pattern(), folder / "a.gif")


def test_atomic_path_is_whole_or_nothing(tmp_path):
    target = tmp_path / "a.npz"
    with atomic_path(target) as path:
        assert path.parent == tmp_path
        assert path.suffix == ".npz"
        path.write_text("one")
        assert not target.exists()
    with pytest.raises(KeyboardInterrupt):
        stop_halfway(target)
    assert target.read_text() == "one"
    assert leftovers(tmp_path) == ["a.npz"]


def stop_halfway(target):
    with atomic_path(target) as path:
        path.write_text("half")
        raise KeyboardInterrupt


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    with atomic_path(tmp_path / "a.txt") as path:
        path.write_text("")
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_importing_loads_no_drawing_library():
    code = (
        "import sys, turingdiff.show\n"
        "print([m for m in ('matplotlib', 'PIL', 'imageio', 'imageio_ffmpeg') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# --- MP4 -----------------------------------------------------------------------------------------------


def test_mp4_without_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ImportError, match=r"pip install imageio-ffmpeg"):
        animate(pattern(), tmp_path / "a.mp4")
    assert leftovers(tmp_path) == []


def test_mp4(tmp_path):
    encoder = pytest.importorskip("imageio_ffmpeg")
    run = pattern(count=6, height=15, width=17)
    film = animate(run, tmp_path / "a.mp4", fps=10, scale=3, hold=1)
    assert (film.width, film.height) == (52, 46)  # 51 x 45, made even
    assert film.seconds == pytest.approx(1.5)
    assert encoder.count_frames_and_secs(str(film.path)) == (15, pytest.approx(1.5))
    reader = encoder.read_frames(str(film.path))
    meta = next(reader)
    *_, last = reader
    assert meta["size"] == (52, 46)
    assert "yuv420p" in meta["pix_fmt"]
    still = png(save_frame(run, tmp_path / "a.png", scale=3)).astype(float)
    decoded = np.frombuffer(last, dtype=np.uint8).reshape(46, 52, 3)[:45, :51]
    assert abs(decoded.mean() - still.mean()) < 8
    assert leftovers(tmp_path) == ["a.mp4", "a.png"]


def test_mp4_error_midway_leaves_nothing(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    run = denoising()
    run.frames[3] = np.nan
    with pytest.raises(ValueError, match="frame 3 of 5"):
        animate(run, tmp_path / "a.mp4")
    assert leftovers(tmp_path) == []

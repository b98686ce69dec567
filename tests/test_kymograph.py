"""Kymographs: what is drawn where, and what is refused."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import turingdiff as td
from turingdiff.show import colour, kymograph


def ring(times=(0.0, 1.0, 2.0, 4.0), shape=(2, 1, 5), shown=1, channels=("X", "Y")):
    frames = np.random.default_rng(0).uniform(-1, 1, (len(times), *shape))
    return td.Run(np.array(times), frames, "a ring", "time", channels, shown, dx=0.5)


def mesh(figure):
    (found,) = figure.axes[0].collections
    return found


def test_every_row_is_the_shown_species_of_a_frame():
    run = ring()
    figure = kymograph(run)
    np.testing.assert_array_equal(np.reshape(mesh(figure).get_array(), (4, 5)), run.frames[:, 1, 0])
    ax, bar = figure.axes
    assert bar.get_ylabel() == "Y"
    assert ax.get_title(loc="left") == "a ring"


def test_space_is_in_lengths_and_time_runs_downwards():
    ax = kymograph(ring()).axes[0]
    assert ax.get_xlim() == (0, 2.5)
    bottom, top = ax.get_ylim()
    assert bottom > top
    assert "downwards" in ax.get_ylabel()


def test_rows_are_as_high_as_the_time_between_frames():
    corners = mesh(kymograph(ring())).get_coordinates()
    np.testing.assert_allclose(corners[:, 0, 1], [-0.5, 0.5, 1.5, 3, 5])


def test_colours_have_the_limits_of_a_film():
    run = ring()
    low, high = colour.limits([run.view(k) for k in range(4)])
    assert mesh(kymograph(run)).get_clim() == (low, high)


def test_the_colormap_may_be_chosen():
    assert mesh(kymograph(ring(), colormap="viridis")).get_cmap().name == "viridis"


def test_a_run_over_sigma_says_so():
    run = replace(ring(times=(3.0, 2.0, 1.0)), clock="sigma")
    ax = kymograph(run).axes[0]
    bottom, top = ax.get_ylim()
    assert top > bottom  # sigma falls, and the first frame is at the top
    assert ax.get_ylabel() == "sigma, downwards"
    np.testing.assert_array_equal(np.reshape(mesh(ax.figure).get_array(), (3, 5))[0], run.view(0)[0])


def test_the_figure_can_be_saved():
    file = io.BytesIO()
    kymograph(ring()).savefig(file, format="png")
    with Image.open(file) as image:
        assert np.asarray(image.convert("L")).std() > 10


def test_a_channel_that_is_alone_is_shown():
    run = ring(shape=(1, 1, 5), shown=None, channels=("u",))
    np.testing.assert_array_equal(np.reshape(mesh(kymograph(run)).get_array(), (4, 5)), run.frames[:, 0, 0])


@pytest.mark.parametrize("shape", [(2, 4, 5), (2, 5, 1), (3, 2, 1, 5)], ids=["two dimensions", "a column", "a batch"])
def test_what_is_not_a_row_is_refused(shape):
    with pytest.raises(ValueError, match=r"one dimension.*\(W,\)"):
        kymograph(ring(shape=shape))


def test_a_single_frame_is_refused():
    with pytest.raises(ValueError, match="at least two frames, a ring has 1"):
        kymograph(ring(times=(0.0,)))


def test_several_channels_at_once_are_refused():
    with pytest.raises(ValueError, match="shows all of X, Y"):
        kymograph(ring(shown=None))

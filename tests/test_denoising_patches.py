import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one, slow_unless

from turingdiff.denoising import cosine_levels, equivariant_local, ideal, local
from turingdiff.denoising._machine import DEFAULT_PATCH
from turingdiff.denoising._patch_sizes import OURS, PUBLISHED, patch_sizes

IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 1, 30, 30)).astype(np.float32)
LEVELS = cosine_levels(20)  # t = 1, 19/20 ... 0
RISING = LEVELS[-2::-1]  # t = 1/20 ... 1
# Decoded from files/scales_*.pt of the paper's code, low noise first.
FASHION = (3, 3, 5, 5, 7, 7, 9, 9, 9, 11, 11, 11, 13, 13, 13, 15, 15, 15, 17, 17)
RESNETS = ("fashion-resnet-zeros", "mnist-resnet-circular")  # the default, and one that does not only grow
names = pytest.mark.parametrize("name", slow_unless(RESNETS.__contains__, PUBLISHED))


def machines(patch):
    return local(IMAGES, patch), equivariant_local(IMAGES, patch)


@names
def test_a_published_list_has_an_odd_size_for_each_of_twenty_levels(name):
    sizes = PUBLISHED[name]
    assert len(sizes) == 20
    assert all(type(k) is int and k % 2 == 1 and 3 <= k <= 27 for k in sizes)


def test_the_default_is_the_fashion_resnet_of_the_paper():
    assert PUBLISHED[DEFAULT_PATCH] == FASHION
    for made, named in zip((local(IMAGES), equivariant_local(IMAGES)), machines(DEFAULT_PATCH), strict=True):
        assert [made.radius(sigma) for sigma in RISING] == [named.radius(sigma) for sigma in RISING]


@names
def test_entry_i_minus_1_is_used_at_t_i_20(name):
    size, largest = patch_sizes(name, LEVELS)
    assert tuple(size(sigma) for sigma in RISING) == PUBLISHED[name]
    assert largest == max(PUBLISHED[name])
    for machine in machines(name):
        assert tuple(2 * machine.radius(sigma) + 1 for sigma in RISING) == PUBLISHED[name]
        assert machine.neighbourhood.radius == max(PUBLISHED[name]) // 2


@names
@given(st.integers(0, 18), st.floats(0.001, 0.999))
def test_between_two_levels_the_nearer_in_log_sigma_counts(name, i, part):
    if abs(part - 0.5) < 1e-6:
        return
    between = np.exp((1 - part) * np.log(RISING[i]) + part * np.log(RISING[i + 1]))
    size, _ = patch_sizes(name, LEVELS)
    assert size(between) == PUBLISHED[name][i if part < 0.5 else i + 1]


@names
def test_beyond_the_levels_the_last_sizes_stay(name):
    size, _ = patch_sizes(name, LEVELS)
    assert size(1e-6) == PUBLISHED[name][0]
    assert size(1e6) == PUBLISHED[name][-1]


@pytest.mark.parametrize("patch", [1, 3, np.int64(7), 11])
def test_a_number_is_the_size_at_every_level(patch):
    for machine in machines(patch):
        assert machine.neighbourhood.radius == patch // 2
        assert {machine.radius(sigma) for sigma in (*RISING, 1e-3, 1e3)} == {patch // 2}


def test_a_function_of_sigma_gives_the_size():
    def patch(sigma):
        return 9 if 1 < sigma < 10 else 5

    for machine in machines(patch):
        assert [machine.radius(sigma) for sigma in (0.5, 2.0, 80.0)] == [2, 4, 2]
        assert machine.neighbourhood.radius == 4, "the largest, not the first or the last"


def test_ideal_sees_the_whole_image():
    assert ideal(IMAGES).radius(1.0) is None
    assert ideal(IMAGES).neighbourhood.radius is None


@pytest.mark.parametrize("level", [0, 7, 19])
def test_the_size_in_use_is_the_one_declared(level):
    sigma = RISING[level]
    noise = np.random.default_rng(1).standard_normal((1, 30, 30), np.float32)
    y = IMAGES.mean(0) + np.float32(sigma) * noise
    by_name, by_size = local(IMAGES), local(IMAGES, FASHION[level])
    assert by_name.denoise(y, sigma).tobytes() == by_size.denoise(y, sigma).tobytes()
    assert by_name.denoise(y, sigma).tobytes() != local(IMAGES, FASHION[level] + 2).denoise(y, sigma).tobytes()


@given(st.integers(-20, 60))
def test_odd_and_positive_only(k):
    if k % 2 and k > 0:
        assert patch_sizes(k, LEVELS)[1] == k
        assert patch_sizes(lambda sigma: k, LEVELS)[1] == k
        return
    with pytest.raises(ValueError, match=rf"^patch must be odd and >= 1 .*got {k}: try {max(1, k - 1)}$"):
        patch_sizes(k, LEVELS)
    with pytest.raises(ValueError, match=rf"^patch\([0-9.]+\) must be odd and >= 1 .*got {k}: try"):
        patch_sizes(lambda sigma: k, LEVELS)


@all_in_one("patch", [True, 3.0, 2.5, None, (3, 5), np.float64(3), np.array([3])])
def test_anything_but_a_whole_number_is_a_type_error(patch):
    with pytest.raises(TypeError, match="odd whole number, a function of sigma or a schedule's name, got"):
        patch_sizes(patch, LEVELS)
    with pytest.raises(TypeError, match=r"patch\(80\.\d*\) must be an odd whole number"):
        patch_sizes(lambda sigma: patch, LEVELS)


def test_an_unknown_name_lists_the_names():
    with pytest.raises(ValueError, match="no published patch schedule 'cifar'") as caught:
        patch_sizes("cifar", LEVELS)
    assert all(name in str(caught.value) for name in PUBLISHED)


@pytest.mark.parametrize("network", ["resnet-zeros", "resnet-circular"])
def test_our_own_lists_are_what_the_script_measured(network):
    saved = json.loads((Path(__file__).parents[1] / "docs" / "results" / "patches.json").read_text())[network]
    assert OURS[network] == tuple(saved["ELS"])
    assert OURS[f"{network}-local"] == tuple(saved["LS"])
    assert patch_sizes(network, LEVELS)[0](RISING[0]) == saved["ELS"][0]

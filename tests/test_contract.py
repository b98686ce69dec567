"""The contract that every rule of the package keeps (DESIGN, section 1): its cell function is its definition."""

import numba
import numpy as np
import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import slow_unless
from tiny_networks import tiny

import turingdiff as td
from turingdiff.denoising._machine import Machine
from turingdiff.engine import flow
from turingdiff.engine.flow import Flow
from turingdiff.morphogenesis._reaction import Reaction

SIGMA = 1.3


def pixels(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


IMAGES = pixels(4, 2, 6, 6)
BYTES = np.random.default_rng(1).integers(0, 256, (3, 1, 6, 7), np.uint8)


def shrinking(sigma):
    return 5 if sigma > 1 else 3


SYSTEMS = {
    f"{name} {preset or ''}".strip(): (getattr(td.morphogenesis, name), preset)
    for name in td.morphogenesis.__all__
    for preset in (None, *getattr(td.morphogenesis, name).presets)
}


def without_preset(name):
    """Presets share the cell function of their system."""
    return SYSTEMS[name][1] is None


BOUNDARIES = {
    "periodic": "periodic",
    "no_flux": "no_flux",
    "zero": "zero",
    "fixed": td.fixed(0.4),
    "mixed": ("no_flux", td.fixed(0.4), "zero", "no_flux"),
}
MACHINES = {
    "ideal": td.denoising.ideal(IMAGES),
    "ideal bytes": td.denoising.ideal(BYTES),
    "local": td.denoising.local(IMAGES, patch=3),
    "local torus": td.denoising.local(IMAGES, patch=3, boundary="periodic"),
    "local schedule": td.denoising.local(IMAGES, patch=shrinking),
    "ELS": td.denoising.equivariant_local(IMAGES, patch=3),
    "ELS torus": td.denoising.equivariant_local(IMAGES, patch=3, boundary="periodic"),
    "ELS schedule": td.denoising.equivariant_local(IMAGES, patch=shrinking),
    "ELS torus schedule": td.denoising.equivariant_local(IMAGES, patch=shrinking, boundary="periodic"),
    "ELS one pixel": td.denoising.equivariant_local(IMAGES, patch=1),
    "ELS bytes": td.denoising.equivariant_local(BYTES, patch=3),
    "PCA-local": td.denoising.pca_local(IMAGES, threshold=0.05),
    "PCA-local bytes": td.denoising.pca_local(BYTES, threshold=0.05),
    "patch composite": td.denoising.patch_composite(IMAGES, patch=3),
    "patch composite torus": td.denoising.patch_composite(IMAGES, patch=3, boundary="periodic"),
    "patch composite schedule": td.denoising.patch_composite(IMAGES, patch=shrinking),
    "patch composite bytes": td.denoising.patch_composite(BYTES, patch=2),
    "ES": td.denoising.equivariant(IMAGES[:2]),
    "ES bytes": td.denoising.equivariant(BYTES[:2]),
    "wiener": td.denoising.wiener(IMAGES),
    "wiener bytes": td.denoising.wiener(BYTES),
    "smoothed": td.denoising.smoothed(IMAGES, std=0.3, perturbations=3, seed=1),
    "smoothed bytes": td.denoising.smoothed(BYTES, std=0.3, perturbations=2),
}
NETWORKS = {
    f"network {kind} {padding}".replace("  ", " "): td.denoising.network(
        tiny(**options, padding=padding), label=1 if "classes" in options else None
    )
    for kind, options in {"": {}, "colour": {"colours": 3}, "classes": {"colours": 2, "classes": 3}}.items()
    for padding in ("zeros", "circular")
}
DENOISERS = MACHINES | NETWORKS
LOCAL = {name: machine for name, machine in MACHINES.items() if machine.radius(SIGMA) is not None}
ELS = {name: machine for name, machine in MACHINES.items() if "ELS" in name}
WHOLE = ["ES", "ES bytes", "wiener", "smoothed", "smoothed bytes"]
ANY_CANVAS = {"ELS": (9, 7), "ELS torus": (9, 7), "ELS schedule": (7, 9), "ELS torus schedule": (5, 8)}

networks = pytest.mark.parametrize("name", NETWORKS)
denoisers = pytest.mark.parametrize("name", DENOISERS)
# One of each machine, over bytes or floats, with a constant patch or a schedule, on the torus or not.
ONE_EACH = (
    *("ideal bytes", "local schedule", "ELS", "ELS torus schedule", "PCA-local", "patch composite torus", "ES bytes"),
    *("wiener", "smoothed bytes", "network colour zeros", "network circular", "network classes zeros"),
)
machines = pytest.mark.parametrize("name", slow_unless(lambda name: name in ONE_EACH, MACHINES))
one_of_each = pytest.mark.parametrize("name", slow_unless(ONE_EACH.__contains__, DENOISERS))
systems = pytest.mark.parametrize("name", slow_unless(without_preset, SYSTEMS))
THREE = ("schnakenberg", "swift_hohenberg", "positional_information")  # radius 1, radius 2, and by place
# Its rule asks where it stands: that is what it is there to show.
PLACED = [name for name in SYSTEMS if name.startswith("positional_information")]
equivariant = pytest.mark.parametrize(
    "name", slow_unless(THREE.__contains__, [name for name in SYSTEMS if name not in PLACED])
)


def system(name, **options):
    make, preset = SYSTEMS[name]
    return make(preset, **options)


def state(rule, shape=(6, 7), seed=0):
    """A field far from the steady state, but of its size."""
    known = rule.equilibrium is not None or rule.guess is not None
    size = np.abs(rule.steady_state() if known else np.ones(len(rule.channels))).reshape(-1, 1, 1) + 0.1
    return size * np.random.default_rng(seed).uniform(0.1, 2, (len(rule.channels), *shape))


def noisy(machine, shape=None, dtype=np.float32, seed=3):
    """A field on the way to an image, off the machine's training set."""
    return pixels(len(machine.channels), *(shape or machine.canvas), seed=seed, dtype=dtype) * 2


def tolerance(machine, dtype, sigma):
    if dtype == np.float32:
        return 1e-4 / sigma
    # Bytes become pixels in float32, and to plain Python a weight times such a pixel is a float32.
    of_bytes = isinstance(machine, Machine) and machine.images.dtype == np.uint8
    return (1e-6 if of_bytes else 1e-10) / sigma


# --- 1. the field rate is the cell function at every cell


@systems
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_compiled_rate_of_a_system_is_its_cell_function(name, boundary):
    rule = system(name, boundary=BOUNDARIES[boundary])
    np.testing.assert_array_equal(rule.rate(state(rule)), plain.rate(rule, state(rule)))


@denoisers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sigma", [0.4, SIGMA])
def test_the_field_rate_of_a_denoiser_is_its_cell_function(name, dtype, sigma):
    machine = DENOISERS[name]
    field = noisy(machine, dtype=dtype)
    found = machine.rate(field, sigma)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, plain.rate(machine, field, sigma), rtol=0, atol=tolerance(machine, dtype, sigma))


@pytest.mark.parametrize("name, shape", ANY_CANVAS.items())
def test_the_field_rate_is_the_cell_function_on_another_canvas(name, shape):
    machine = MACHINES[name]
    field = noisy(machine, shape, np.float64)
    np.testing.assert_allclose(machine.rate(field, SIGMA), plain.rate(machine, field, SIGMA), rtol=0, atol=1e-10)


@networks
@pytest.mark.parametrize("sigma", [0.01, 80.0])
@pytest.mark.parametrize("shape", [(2, 2), (3, 9), (10, 2), (1, 5), (4, 1), (1, 1)])
def test_the_field_rate_of_a_network_is_its_cell_function_on_fields_smaller_than_its_window(name, shape, sigma):
    machine = NETWORKS[name]
    assert 2 * machine.radius(sigma) + 1 > min(shape)
    field = noisy(machine, shape, np.float64)
    np.testing.assert_allclose(machine.rate(field, sigma), plain.rate(machine, field, sigma), rtol=0, atol=1e-10)


@given(
    st.fixed_dictionaries(
        {
            "colours": st.integers(1, 3),
            "width": st.integers(1, 3),
            "layers": st.integers(1, 3),
            "frequencies": st.integers(1, 3),
            "embedding": st.integers(1, 3),
            "classes": st.integers(0, 2),
            "padding": st.sampled_from(["zeros", "circular"]),
        }
    ),
    st.tuples(st.integers(2, 6), st.integers(2, 6)),
    st.floats(1e-3, 100),
    st.integers(0, 2**32 - 1),
)
def test_the_field_rate_of_any_network_is_its_cell_function(options, shape, sigma, seed):
    machine = td.denoising.network(tiny(seed, **options), label=0 if options["classes"] else None)
    field = noisy(machine, shape, np.float64, seed)
    np.testing.assert_allclose(machine.rate(field, sigma), plain.rate(machine, field, sigma), rtol=0, atol=1e-10)


COMPILED_CELLS = ("ideal bytes", "local", "ELS torus", "wiener")  # the others differ in what they call, or take long


@pytest.mark.compiled
@pytest.mark.parametrize(
    "name",
    slow_unless(
        COMPILED_CELLS.__contains__,
        [
            "ideal bytes",
            "local",
            "ELS torus",
            "PCA-local bytes",
            "patch composite torus",
            "network colour zeros",
            "network colour circular",
            *WHOLE,
        ],
    ),
)
def test_the_compiled_cell_function_of_a_denoiser_is_the_plain_one(name):
    machine = DENOISERS[name]
    field = noisy(machine, dtype=np.float64)
    found = Flow(machine, field).cell_rate(field, SIGMA)
    bound = tolerance(machine, np.float64, SIGMA)
    np.testing.assert_allclose(found, plain.rate(machine, field, SIGMA), rtol=0, atol=bound)


@machines
def test_the_rate_is_y_minus_D_over_sigma(name):
    machine = MACHINES[name]
    field = noisy(machine, dtype=np.float64)
    expected = (field - machine.denoise(field, SIGMA)) / SIGMA
    np.testing.assert_array_equal(machine.rate(field, SIGMA), expected)


@one_of_each
def test_replicas_of_a_denoiser_are_separate_fields(name):
    machine = DENOISERS[name]
    fields = np.stack([noisy(machine, seed=seed) for seed in range(3)])
    together = machine.rate(fields, SIGMA)
    for field, found in zip(fields, together, strict=True):
        assert machine.rate(field, SIGMA).tobytes() == found.tobytes()


# --- 2. locality


def distances(shape, cell, torus):
    """How many cells away every cell is, as a neighbourhood counts."""
    axes = [np.abs(np.arange(n) - x) for n, x in zip(shape, cell, strict=True)]
    if torus:
        axes = [np.minimum(d, n - d) for d, n in zip(axes, shape, strict=True)]
    return np.maximum(axes[0][:, None], axes[1])


def changed(field, mask, by):
    """`field` with every cell of `mask` changed."""
    other = field.copy()
    other[:, mask] += np.random.default_rng(9).uniform(0.5 * by, by, (len(field), mask.sum()))
    return other


CELLS = [(0, 0), (3, 4), (8, 2), (5, 9)]


@systems
@pytest.mark.parametrize("boundary", ["periodic", "no_flux"])
def test_a_system_feels_its_neighbours_and_nothing_beyond(name, boundary):
    rule = system(name, boundary=boundary)
    field = state(rule, (9, 10))
    rate = rule.rate(field)
    for cell in CELLS:
        distance = distances((9, 10), cell, boundary == "periodic")
        far = rule.rate(changed(field, distance > rule.radius(0.0), by=0.5))
        assert far[:, *cell].tobytes() == rate[:, *cell].tobytes()
        at_the_rim = rule.rate(changed(field, distance == rule.radius(0.0), by=0.5))
        felt = at_the_rim[:, *cell] != rate[:, *cell]
        assert felt.any()
        if isinstance(SYSTEMS[name][0], Reaction):
            assert (felt == [d > 0 for d in list(rule.params.values())[: len(rate)]]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sigma", [0.9, SIGMA])
@pytest.mark.parametrize("name", LOCAL)
def test_a_local_machine_feels_its_window_and_nothing_beyond(name, sigma, dtype):
    machine = LOCAL[name]
    shape = (9, 10) if name in ANY_CANVAS else machine.images.shape[2:]
    field = noisy(machine, shape, dtype)
    rate, radius = machine.rate(field, sigma), machine.radius(sigma)
    for cell in [(0, 0), (3, 4), (shape[0] - 1, 2)]:
        distance = distances(shape, cell, machine.neighbourhood.periodic)
        far = machine.rate(changed(field, distance > radius, by=1), sigma)
        assert far[:, *cell].tobytes() == rate[:, *cell].tobytes()
        at_the_rim = machine.rate(changed(field, distance == radius, by=1), sigma)
        assert (at_the_rim[:, *cell] != rate[:, *cell]).all()


FAR = (11, 12)  # wide enough that every window leaves some pixels out, on the torus too


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@networks
def test_a_network_feels_its_window_and_nothing_beyond(name, dtype):
    machine = NETWORKS[name]
    field, radius = noisy(machine, FAR, dtype), machine.radius(SIGMA)
    rate = machine.rate(field, SIGMA)
    for cell in [(0, 0), (5, 4), (10, 2)]:
        distance = distances(FAR, cell, machine.neighbourhood.periodic)
        assert (distance > radius).any()
        far = machine.rate(changed(field, distance > radius, by=1), SIGMA)
        assert far[:, *cell].tobytes() == rate[:, *cell].tobytes()
        at_the_rim = machine.rate(changed(field, distance == radius, by=1), SIGMA)
        assert (at_the_rim[:, *cell] != rate[:, *cell]).any()


@networks
def test_one_pixel_is_felt_in_its_window_and_nowhere_else(name):
    machine = NETWORKS[name]
    field, source = noisy(machine, FAR), (4, 6)
    distance = distances(FAR, source, machine.neighbourhood.periodic)
    other = changed(field, distance == 0, by=1000)
    felt = machine.rate(other, SIGMA) != machine.rate(field, SIGMA)
    assert not felt[:, distance > machine.radius(SIGMA)].any()
    assert felt[:, distance <= machine.radius(SIGMA) - 1].mean() > 0.5


@pytest.mark.parametrize("name", ["ELS", "ELS torus", "local"])
def test_even_an_outlandish_pixel_is_not_felt_from_afar(name):
    machine = LOCAL[name]
    field = noisy(machine)
    outlandish = field.copy()  # so far from every patch that float32 distances are in doubt
    outlandish[:, 0, 0] = 80
    near = distances(field.shape[1:], (0, 0), machine.neighbourhood.periodic) <= machine.radius(0.5)
    rate, other = machine.rate(field, 0.5), machine.rate(outlandish, 0.5)
    assert other[:, ~near].tobytes() == rate[:, ~near].tobytes()
    assert (other[:, near] != rate[:, near]).any()


def test_the_ideal_machine_sees_the_whole_field():
    machine = MACHINES["ideal"]
    assert machine.radius(SIGMA) is None
    field = noisy(machine)
    far = changed(field, distances((6, 6), (0, 0), False) == 5, by=1)
    assert (machine.rate(far, SIGMA)[:, 0, 0] != machine.rate(field, SIGMA)[:, 0, 0]).all()


def test_a_schedule_sees_as_far_as_it_says():
    machine = MACHINES["ELS schedule"]
    assert [machine.radius(sigma) for sigma in (0.9, 1.1)] == [1, 2]
    assert machine.neighbourhood.radius == 2


# --- 3. equivariance


@equivariant
@pytest.mark.parametrize("shift", [(1, 0), (0, -1), (3, 2)])
def test_a_system_on_the_torus_commutes_with_shifts_to_the_last_bit(name, shift):
    rule = system(name, boundary="periodic")
    field = state(rule)
    moved = rule.rate(np.roll(field, shift, (1, 2)))
    assert moved.tobytes() == np.roll(rule.rate(field), shift, (1, 2)).tobytes()


@equivariant
def test_a_boundary_breaks_the_equivariance_of_a_system_at_the_border_only(name):
    rule = system(name, boundary="no_flux")
    field = state(rule, (8, 9))
    moved = rule.rate(np.roll(field, (1, 1), (1, 2)))
    expected = np.roll(rule.rate(field), (1, 1), (1, 2))
    inside = slice(rule.radius(0.0) + 1, -rule.radius(0.0))
    np.testing.assert_array_equal(moved[:, inside, inside], expected[:, inside, inside])
    assert not np.array_equal(moved, expected)


@pytest.mark.parametrize("name", PLACED)
def test_a_rule_that_asks_where_it_stands_is_not_equivariant(name):
    rule = system(name, boundary="periodic")
    field = state(rule, (8, 9))
    moved, expected = rule.rate(np.roll(field, 1, 2)), np.roll(rule.rate(field), 1, 2)
    assert not np.array_equal(moved, expected)
    across, same = rule.rate(np.roll(field, 1, 1)), np.roll(rule.rate(field), 1, 1)
    np.testing.assert_array_equal(across, same)  # its gradient runs along x only


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["ELS torus", "ELS torus schedule"])
@pytest.mark.parametrize("shift", [(1, 0), (0, -1), (3, 2)])
def test_ELS_on_the_torus_commutes_with_shifts(name, shift, dtype):
    machine = MACHINES[name]
    field = noisy(machine, (8, 9), dtype)
    moved = machine.rate(np.roll(field, shift, (1, 2)), SIGMA)
    bound = {np.float32: 1e-5, np.float64: 1e-13}[dtype] / SIGMA
    np.testing.assert_allclose(moved, np.roll(machine.rate(field, SIGMA), shift, (1, 2)), rtol=0, atol=bound)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [name for name in NETWORKS if "circular" in name])
@pytest.mark.parametrize("shift", [(1, 0), (0, -1), (3, 2)])
@pytest.mark.parametrize("shape", [(8, 9), FAR])
def test_a_network_with_circular_padding_commutes_with_shifts(name, shift, dtype, shape):
    machine = NETWORKS[name]
    field = noisy(machine, shape, dtype)
    moved = machine.rate(np.roll(field, shift, (1, 2)), SIGMA)
    bound = {np.float32: 1e-5, np.float64: 1e-13}[dtype]
    np.testing.assert_allclose(moved, np.roll(machine.rate(field, SIGMA), shift, (1, 2)), rtol=0, atol=bound)


@pytest.mark.parametrize("name", [name for name in NETWORKS if "zeros" in name])
def test_zero_padding_breaks_the_equivariance_of_a_network_at_the_border_only(name):
    machine = NETWORKS[name]
    r = machine.radius(SIGMA)
    field = noisy(machine, FAR, np.float64)
    error = np.abs(
        machine.rate(np.roll(field, (1, 1), (1, 2)), SIGMA) - np.roll(machine.rate(field, SIGMA), (1, 1), (1, 2))
    )
    inside = slice(r + 1, -r)  # the window lies within the field before and after the shift
    assert error[:, inside, inside].size
    assert error[:, inside, inside].max() < 1e-13
    border = np.ones(FAR, bool)
    border[1:-1, 1:-1] = False
    assert error[:, border].max() > 0.01


@pytest.mark.parametrize("name", [name for name in NETWORKS if "zeros" in name])
def test_a_network_with_zero_padding_knows_the_border_of_an_empty_field(name):
    machine = NETWORKS[name]
    rate = machine.rate(np.zeros((len(machine.channels), *FAR)), SIGMA)
    r = machine.radius(SIGMA) - 1  # the field itself is zero on both sides of the border: only the layers see it
    inside = rate[:, r:-r, r:-r]
    np.testing.assert_allclose(inside, np.broadcast_to(inside[:, :1, :1], inside.shape), rtol=0, atol=1e-13)
    assert np.ptp(rate, axis=(1, 2)).min() > 0.01


@pytest.mark.parametrize("name", ["ELS", "ELS schedule"])
def test_a_boundary_breaks_the_equivariance_of_ELS_at_the_border_only(name):
    machine = MACHINES[name]
    r = machine.radius(SIGMA)
    field = noisy(machine, (11, 12))
    error = np.abs(
        machine.rate(np.roll(field, (1, 1), (1, 2)), SIGMA) - np.roll(machine.rate(field, SIGMA), (1, 1), (1, 2))
    )
    inside = slice(r + 1, -r)  # the window lies within the field before and after the shift
    assert error[:, inside, inside].max() < 1e-5 / SIGMA
    assert error.max() > 0.01


@pytest.mark.parametrize(
    "name", ["ideal", "local", "local torus", "PCA-local", "patch composite", "wiener", "smoothed"]
)
def test_machines_that_know_places_are_not_equivariant(name):
    machine = MACHINES[name]
    field = noisy(machine)
    moved = machine.rate(np.roll(field, (1, 1), (1, 2)), SIGMA)
    error = np.abs(moved - np.roll(machine.rate(field, SIGMA), (1, 1), (1, 2)))
    assert error[:, 2:-1, 2:-1].max() > 0.01  # also far from the border


# --- 4. inputs and threads


@pytest.mark.parametrize("name", slow_unless(THREE.__contains__, SYSTEMS))
def test_a_system_does_not_write_its_input(name):
    rule = system(name, boundary="zero")
    field = state(rule)
    field.flags.writeable = False
    before = field.tobytes()
    rule.rate(field)
    for _ in td.evolve(rule, field, [0, 1e-4, 2e-4], stepper=td.rk4):
        pass
    assert field.tobytes() == before


@machines
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_machine_writes_neither_its_input_nor_its_images(name, dtype):
    machine = MACHINES[name]
    field, images = noisy(machine, dtype=dtype), machine.images.copy()
    before = field.tobytes()
    machine.rate(field, SIGMA)
    assert field.tobytes() == before
    np.testing.assert_array_equal(machine.images, images)


@pytest.mark.parametrize("name", slow_unless(THREE.__contains__, td.morphogenesis.__all__))
def test_threads_do_not_change_the_bytes_of_a_system(name, threads, monkeypatch):
    rule = system(name, boundary="no_flux")
    expected = rule.rate(state(rule))
    monkeypatch.setattr(flow, "CELLS_FOR_THREADS", 1)
    assert rule.rate(state(rule)).tobytes() == expected.tobytes()


@networks
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_writes_neither_its_input_nor_its_weights(name, dtype):
    machine = NETWORKS[name]
    field, held = noisy(machine, dtype=dtype), {key: array.copy() for key, array in machine.weights.arrays.items()}
    before = field.tobytes()
    machine.rate(field, SIGMA)
    machine.denoise(field, SIGMA)
    assert field.tobytes() == before
    assert all(np.array_equal(array, held[key]) for key, array in machine.weights.arrays.items())


@one_of_each
def test_threads_do_not_change_the_bytes_of_a_denoiser(name, threads):
    machine = DENOISERS[name]
    fields = np.stack([noisy(machine, seed=seed) for seed in range(3)])
    found = machine.rate(fields, SIGMA)
    numba.set_num_threads(1)
    assert found.tobytes() == machine.rate(fields, SIGMA).tobytes()

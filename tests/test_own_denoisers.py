"""Denoisers of a user's own, in four forms: a subclass, a function, a noise prediction, and a rule along sigma."""

import pickle

import numpy as np
import pytest
from tiny_networks import tiny

import turingdiff as td
from turingdiff.denoising import Denoiser, denoiser, from_noise_prediction, ideal

HERE = td.Neighbourhood(0, "periodic")
SHAPE = (8, 9)
LEVELS = td.denoising.cosine_levels(4)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (5, 1, *SHAPE)).astype(np.float32)


# Pixels are independent and standard normal: D = y/(1 + sigma²), and the flow keeps y/sqrt(1 + sigma²).
class Shrink(Denoiser):
    def posterior(self, fields, sigma):
        fields /= 1 + sigma**2  # in place: the fields are a copy
        return fields


class Blurred(Denoiser):
    """One with a constructor of its own."""

    def __init__(self, strength):
        super().__init__(canvas=SHAPE)
        self.strength = strength

    def posterior(self, fields, sigma):
        return fields / (1 + self.strength * sigma**2)


def shrink(fields, sigma):
    return fields.astype(np.float64) / (1 + sigma**2)


def noise_of(phi, t):
    return np.sin(np.pi / 2 * t / 1.008) * phi


def shrink_cell(phi, i, j, t, p, g, out):
    out[0, i, j] = phi[0, i, j] * t / (1 + t * t)


OWN = {
    "subclass": Shrink(canvas=SHAPE, neighbourhood=HERE),
    "function": denoiser(shrink, canvas=SHAPE, neighbourhood=HERE),
    "noise prediction": from_noise_prediction(noise_of, canvas=SHAPE, neighbourhood=HERE),
    "clock": from_noise_prediction(lambda phi, s: s / np.sqrt(1 + s * s) * phi, canvas=SHAPE, neighbourhood=HERE,
                                   clock=float),
    "bare cell": td.Rule(shrink_cell, (), ["grey"], HERE, clock="sigma"),
}  # fmt: skip
own = pytest.mark.parametrize("name", OWN)


def noise(*shape, dtype=np.float32, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@own
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_rate_is_y_minus_D_over_sigma_in_the_dtype_of_the_field(name, dtype):
    rule, y = OWN[name], noise(2, 1, *SHAPE, dtype=dtype)
    before, rate = y.copy(), OWN[name].rate(y, 0.7)
    assert rate.dtype == dtype
    np.testing.assert_allclose(rate, (y - shrink(y, 0.7)) / 0.7, atol=1e-6 if dtype == np.float32 else 1e-14)
    np.testing.assert_array_equal(y, before)
    if isinstance(rule, Denoiser):
        assert rule.denoise(y[0], 0.7).dtype == dtype
        np.testing.assert_allclose(rule.denoise(y[0], 0.7), shrink(y[0], 0.7), atol=1e-6)


@own
def test_every_function_takes_it(name):
    rule = OWN[name]
    y = 3 * noise(1, *SHAPE, dtype=np.float64)
    run = td.simulate(rule, y, np.geomspace(3, 0.1, 200), stepper=td.heun)
    np.testing.assert_allclose(run.final, y * np.sqrt((1 + 0.1**2) / (1 + 3**2)), rtol=1e-4)
    cone = td.measure.influence(rule, y, LEVELS[1:])
    assert cone.radius.tolist() == cone.bound.tolist() == [0] * len(cone.times)
    met = td.measure.divergence(rule, y, np.geomspace(3, 0.1, 200), rng=1, directions=2)
    np.testing.assert_allclose(met.distance[-1] / met.distance[0], np.sqrt(1.01 / 10), rtol=1e-2)
    seen = td.measure.jacobian_map(rule, y, 0.5).of_denoiser()
    assert seen.jacobian.ravel()[seen.jacobian.ravel() != 0] == pytest.approx(1 / 1.25)
    assert td.measure.dispersion(rule, [0.0], t=0.5).max_growth == pytest.approx(1 / 1.25 - 1)
    made = td.denoising.sample(rule, 2, SHAPE, LEVELS)
    assert made.shape == (2, 1, *SHAPE)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(td.denoising.sample(rule, 1, SHAPE, LEVELS), made[:1])
    np.testing.assert_allclose(made, td.denoising.sample(OWN["subclass"], 2, SHAPE, LEVELS), atol=1e-5)
    assert td.measure.novelty(made, IMAGES).distance.shape == (2,)
    assert td.measure.agreement(made[0], made[0]).r2 == 1
    sizes = td.denoising.calibrate_to(rule, IMAGES, levels=LEVELS, patches=[1, 3], trajectories=2, boundary="periodic")
    assert set(sizes.sizes) <= {1, 3}


@pytest.mark.compiled
@own
def test_it_is_compared_as_a_rule_and_as_the_reference(name):
    found = td.compare({"mine": OWN[name]}, samples=2, shapes={"mine": SHAPE})
    assert found.columns["mine"].pictures.shape == (2, 1, *SHAPE)
    assert found.table.rows["neighbourhood radius [cells]"] == ("0",)
    assert "training images" not in found.table.rows
    rules = {"mine": OWN[name], "ideal": ideal(IMAGES)}
    for reference, other in (("mine", "ideal"), ("ideal", "mine")):
        predictions = td.compare(rules, reference=reference, seeds=2).predictions
        assert list(predictions) == [other, f"{other}, other noise", "nearest training image"]


def test_a_training_set_adds_the_rows_of_novelty():
    found = td.compare({"mine": denoiser(shrink, canvas=SHAPE, images=IMAGES)}, samples=2)
    assert found.table.rows["training images"] == ("5",)
    assert "pixels with one source [share]" not in found.table.rows


def test_names_channels_and_reprs():
    assert [rule.name for rule in OWN.values()] == ["Shrink", "shrink", "noise_of", "lambda", "shrink_cell"]
    assert Shrink(channels=3, name="mine").channels == ("red", "green", "blue")
    assert repr(Shrink(canvas=(4, 5))).startswith("<denoiser Shrink of grey; canvas (4, 5); ")


def test_whole_numbers_are_cast_and_classes_are_unknown():
    assert denoiser(lambda y, s: np.zeros(y.shape, int)).denoise(noise(1, 4, 4), 1.0).dtype == np.float32
    with pytest.raises(ValueError, match="Shrink knows no classes"):
        td.denoising.sample(Shrink(), 1, labels=[0])


class Forgotten(Denoiser):
    pass


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (Forgotten, TypeError, r"Forgotten needs a method posterior\(self, fields, sigma\)"),
        (lambda: denoiser(None), TypeError, "is made of a function of fields .* and a level, got None"),
        (lambda: from_noise_prediction(3), TypeError, "is made of a function of fields .* and a level, got 3"),
        (lambda: from_noise_prediction(noise_of, clock=3), TypeError, "clock must be a function of sigma, got 3"),
        (lambda: Shrink(canvas=(4,)), ValueError, r"canvas must be \(H, W\), two whole numbers >= 1, got \(4,\)"),
        (lambda: Shrink(canvas=(4, 0)), ValueError, "canvas must be"),
        (lambda: Shrink(images=IMAGES[0]), ValueError, r"images must be \(N, 1, H, W\)"),
        (lambda: denoiser(shrink).denoise(noise(2, 4, 4), 1.0), ValueError, "shrink has 1 channel"),
        (lambda: denoiser(lambda y, s: y[:, :, 1:]).denoise(noise(1, 4, 4), 1.0), ValueError,
         r"lambda.posterior must return an array of the shape of its fields, \(1, 1, 4, 4\), got \(1, 1, 3, 4\)"),
        (lambda: denoiser(lambda y, s: None).rate(noise(1, 4, 4), 1.0), TypeError, "array of real numbers"),
        (lambda: denoiser(lambda y, s: y * 1j).rate(noise(1, 4, 4), 1.0), TypeError, "got dtype complex64"),
        (lambda: denoiser(lambda y, s: y * np.nan).rate(noise(1, 4, 4), 0.5), ValueError,
         r"lambda.posterior returned nan at \(0, 0, 0, 0\) for sigma = 0.5"),
        (lambda: from_noise_prediction(lambda y, t: y[0]).rate(noise(1, 4, 4), 0.5), ValueError,
         "lambda.predicted_noise must return"),
        (lambda: td.denoising.sample(OWN["bare cell"], 1), ValueError, "does not say how large its images are"),
        (lambda: td.denoising.sample(td.morphogenesis.schnakenberg(), 1), TypeError, "no denoiser .it runs along time"),
        (lambda: td.denoising.sample(Shrink, 1), TypeError, "expected a rule"),
        (lambda: td.denoising.mosaic(Shrink(), noise(1, 4, 4)), ValueError, "Shrink has no training set"),
        (lambda: td.denoising.uncertainty(Shrink(), noise(1, 4, 4), 1.0), ValueError, "Shrink has no training set"),
        (lambda: td.denoising.calibrate(IMAGES, -IMAGES, Shrink()), ValueError, "such as equivariant_local and local"),
        (lambda: Shrink().on_torus(), ValueError, "make its periodic twin"),
    ],
)  # fmt: skip
def test_what_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_a_denoiser_with_a_constructor_of_its_own_is_sampled():
    assert td.denoising.sample(Blurred(2.0), 1, levels=LEVELS).shape == (1, 1, *SHAPE)


MODULE_LEVEL = [
    Blurred(2.0),
    OWN["subclass"], OWN["function"], OWN["noise prediction"], OWN["bare cell"], OWN["subclass"].reverse_sde(),
    td.denoising.ideal(IMAGES, labels=[0, 1, 0, 1, 2]), td.denoising.equivariant(IMAGES), td.denoising.local(IMAGES, 3),
    td.denoising.equivariant_local(IMAGES), td.denoising.equivariant_local(IMAGES, labels=[0] * 5).conditional(0),
    td.denoising.wiener(IMAGES), td.denoising.pca_local(IMAGES), td.denoising.smoothed(IMAGES, std=0.5),
    td.denoising.patch_composite(IMAGES), td.denoising.network(tiny()),
]  # fmt: skip


@pytest.mark.parametrize("rule", MODULE_LEVEL, ids=lambda rule: rule.name)
def test_denoisers_pickle(rule):
    other, y = pickle.loads(pickle.dumps(rule)), noise(len(rule.channels), *SHAPE)
    assert other.rate(y, 0.8).tobytes() == rule.rate(y, 0.8).tobytes()
    assert (other.name, type(other)) == (rule.name, type(rule))
    if getattr(rule, "labels", None) is not None:
        assert other.labels.tolist() == rule.labels.tolist()


# --- measures of one's own


def contrast(pictures):
    return np.ptp(pictures, axis=(1, 2, 3))


def test_measures_of_ones_own_are_rows():
    machine = OWN["subclass"]

    def first_only(pictures):
        pictures[:] = 0  # a copy
        return [1.5, np.nan]

    measures = {"contrast": contrast, "all [share]": lambda pictures: (pictures > 0).mean(),
                "first": first_only, "none": lambda pictures: np.nan}  # fmt: skip
    found = td.compare({"mine": machine}, samples=2, measures=measures)
    rows = {name: cells[0] for name, cells in found.table.rows.items()}
    expected = contrast(found.columns["mine"].pictures)
    assert rows["contrast"].value == pytest.approx(expected.mean())
    assert rows["contrast"].uncertainty == pytest.approx(expected.std(ddof=1) / np.sqrt(2))
    assert rows["all [share]"].value == pytest.approx((found.columns["mine"].pictures > 0).mean())
    assert rows["all [share]"].uncertainty is None
    assert rows["first"] == "1.5 (1 of 2 replicas)"
    assert rows["none"] == "none: not a finite number"
    assert "'contrast': ..." in found.call


def test_with_a_reference_measures_are_columns():
    rules = {"mine": OWN["subclass"], "ideal": ideal(IMAGES)}
    found = td.compare(rules, reference="ideal", seeds=3, measures={"contrast": contrast})
    assert found.table.columns[-1] == "contrast"
    assert list(found.table.rows) == ["ideal", "mine", "mine, other noise", "nearest training image"]
    truth = found.runs["ideal"].view(-1)
    assert found.table.rows["ideal"][-1].value == pytest.approx(contrast(truth).mean())
    assert found.table.rows["ideal"][0] == "-"
    assert found.table.rows["mine"][-1].value == pytest.approx(contrast(found.predictions["mine"].pictures).mean())
    plain = td.compare(rules, reference="ideal", seeds=3).table
    assert "ideal" not in plain.rows
    assert plain.rows["mine"] == found.table.rows["mine"][:-1]


@pytest.mark.parametrize("reference", [None, "mine"])
@pytest.mark.parametrize(
    ("measures", "error", "match"),
    [
        ({"mine": 3}, TypeError, "name to a function of pictures .* got 'mine': 3"),
        ({"odd": lambda pictures: 1 / 0}, ValueError, "measure 'odd' failed on the pictures .* ZeroDivisionError"),
        ({"odd": lambda pictures: pictures}, ValueError, "measure 'odd' must return one number, or one for each of"),
        ({"odd": lambda pictures: "much"}, ValueError, "measure 'odd' failed"),
    ],
)
def test_a_measure_that_fails_is_named(reference, measures, error, match):
    rules = {"mine": OWN["subclass"], "ideal": ideal(IMAGES)}
    options = {} if reference is None else {"reference": reference, "seeds": 2}
    with pytest.raises(error, match=match):
        td.compare(rules, measures=measures, **options)


def test_a_measure_has_a_name_of_its_own():
    with pytest.raises(ValueError, match="a row 'steps' already: give the measure another name"):
        td.compare({"mine": OWN["subclass"]}, samples=2, measures={"steps": contrast})


# --- networks of PyTorch


def test_a_network_of_ones_own_in_pytorch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Conv2d(2, 1, 3, padding=1, padding_mode="circular")

    def predict(phi, log_sigma):
        batch = torch.from_numpy(phi).float()
        clock = torch.full_like(batch, log_sigma)
        with torch.no_grad():
            return net(torch.cat([batch, clock], dim=1))

    machine = from_noise_prediction(predict, canvas=SHAPE, clock=np.log, neighbourhood=td.Neighbourhood(1, "periodic"))
    y = noise(3, 1, *SHAPE)
    with torch.no_grad():
        batch = torch.from_numpy(y) / (1 + 0.5**2) ** 0.5
        expected = net(torch.cat([batch, torch.full_like(batch, np.log(0.5))], dim=1)).numpy()
    np.testing.assert_allclose(machine.rate(y, 0.5), expected, atol=1e-6)
    np.testing.assert_allclose(machine.denoise(y, 0.5), y - 0.5 * expected, atol=1e-6)
    assert td.denoising.sample(machine, 2, levels=LEVELS).shape == (2, 1, *SHAPE)
    assert td.measure.influence(machine, y[0], LEVELS[:3]).radius.tolist() == [0, 1, 2]
    assert machine.denoise(y.astype(float), 0.5).dtype == np.float64

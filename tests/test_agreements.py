"""Theory against experiment: what rules predict of a reference, from the same noise."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from quick import all_in_one, slow
from tiny_networks import tiny

import turingdiff as td
from turingdiff.comparison.against_reference import NEAREST, Agreements, Prediction, check_reference
from turingdiff.denoising import equivariant_local, ideal, network, wiener
from turingdiff.measure import Agreement, leave_one_out, novelty

compiled = pytest.mark.compiled
SIZE = (8, 8)
COLUMNS = ("Pearson", "quartiles of Pearson", "r²", "quartiles of r²", "closer than ideal")


def pictures(count=6, size=SIZE, channels=1, seed=0):
    """Smooth pictures."""
    rough = np.random.default_rng(seed).uniform(-1, 1, (count, channels, *size)).astype(np.float32)
    return (rough + np.roll(rough, 1, 2) + np.roll(rough, 1, 3)) / 3


def small(seed=0, size=SIZE, **options):
    """A random network that makes images of `size`: the noise it sees is about the field itself, as at high levels."""
    weights = tiny(seed, **options)
    arrays = {name: array * np.float32(0.3) for name, array in weights.arrays.items()}
    for colour in range(weights.architecture.colours):
        for name in ("up.weight", "down.weight"):
            arrays[name][colour, colour, 1, 1] += 1
    return network(replace(weights, arrays=arrays, record={"size": list(size)}))


def fixed(picture):
    """A denoiser that makes `picture` (C, H, W) of every noise: a Gaussian without variance."""
    return wiener(picture[None])


def compared(rules, reference="network", seeds=3, **options):
    return td.compare(rules, reference=reference, seeds=seeds, **options)


IMAGES = pictures()


@pytest.fixture(scope="module")
def result():
    """A network, machines of all kinds of windows, and a rule that makes one picture."""
    rules = {"ELS": equivariant_local(IMAGES, patch=lambda sigma: 5 if sigma > 1 else 3), "network": small(),
             "wiener": wiener(IMAGES), "ideal": ideal(IMAGES)}  # fmt: skip
    return compared(rules, seeds=4, samples=2, rng=3)


# --- agreement


def test_a_rule_that_is_the_reference_agrees_for_every_noise_and_level():
    one = compared({"network": small(), "twin": small()}, seeds=5).predictions["twin"]
    assert one.final.r2.shape == (5,)
    assert one.levels.r2.shape == one.levels.pearson.shape == (20, 5)
    for measure in (one.final.r2, one.levels.r2):
        assert (measure == 1).all()
    for measure in (one.final.pearson, one.levels.pearson):
        np.testing.assert_allclose(measure, 1, atol=1e-12)


def test_the_agreement_of_pictures_that_are_known():
    a, b = (picture.astype(float) for picture in IMAGES[:2])
    rules = {"a": fixed(IMAGES[0]), "b": fixed(IMAGES[1]), "faint": fixed(np.float32(0.5) * IMAGES[0])}
    found = compared(rules, "a").predictions
    r2 = 1 - np.sum((a - b) ** 2) / np.sum((a - a.mean()) ** 2)
    faint = 1 - np.sum((a / 2) ** 2) / np.sum((a - a.mean()) ** 2)
    for name, expected, pearson in (("b", r2, np.corrcoef(a.ravel(), b.ravel())[0, 1]), ("faint", faint, 1)):
        np.testing.assert_allclose(found[name].final.r2, [expected] * 3, atol=1e-5)
        np.testing.assert_allclose(found[name].final.pearson, [pearson] * 3, atol=1e-5)
        np.testing.assert_allclose(found[name].levels.r2, np.full((20, 3), expected), atol=1e-3)


@compiled
def test_every_rule_starts_from_the_noises_of_the_reference(result):
    assert list(result.runs) == ["network", "ELS", "wiener", "ideal"]
    start = result.rules["network"].initial(SIZE, 3, replicas=4)
    for run in result.runs.values():
        assert run.frames.shape == (21, 4, 1, *SIZE)
        np.testing.assert_array_equal(run.frames[0], start)
        np.testing.assert_array_equal(run.times, result.runs["network"].times)


def test_the_first_noises_do_not_depend_on_their_number():
    rules = {"network": small(), "wiener": wiener(IMAGES)}
    few, many = (compared(rules, seeds=seeds) for seeds in (2, 5))
    for name in rules:
        np.testing.assert_array_equal(few.runs[name].frames, many.runs[name].frames[:, :2])
    np.testing.assert_array_equal(few.predictions["wiener"].final.r2, many.predictions["wiener"].final.r2[:2])


def test_there_are_100_noises_unless_told_otherwise():
    found = td.compare({"a": fixed(IMAGES[0]), "b": wiener(IMAGES)}, reference="a")
    assert found.predictions["b"].final.r2.shape == (100,)
    assert found.shown == 4


@compiled
def test_the_levels_compare_denoised_images_every_one_on_its_own_way(result):
    truth = result.runs["network"]
    for name in ("ELS", "wiener", "ideal"):
        run, found = result.runs[name], result.predictions[name].levels
        for n, sigma in enumerate(run.times[:-1]):
            ours = result.rules[name].denoise(run.frames[n], sigma)
            theirs = result.rules["network"].denoise(truth.frames[n], sigma)
            expected = td.measure.agreement(ours, theirs)
            np.testing.assert_allclose(found.r2[n], expected.r2, rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(found.pearson[n], expected.pearson, atol=1e-3)


@compiled
def test_the_last_level_is_that_of_the_final_pictures(result):
    for name in ("ELS", "wiener", "ideal"):
        one = result.predictions[name]
        np.testing.assert_array_equal(one.pictures, result.runs[name].view(-1))
        np.testing.assert_allclose(one.levels.r2[-1], one.final.r2, atol=1e-4)


# --- controls


@compiled
def test_one_control_is_the_first_rule_from_the_noise_before(result):
    control, first = result.predictions["ELS, other noise"], result.predictions["ELS"]
    np.testing.assert_array_equal(control.pictures[1:], first.pictures[:-1])
    np.testing.assert_array_equal(control.pictures[0], first.pictures[-1])
    expected = td.measure.agreement(control.pictures, result.runs["network"].view(-1))
    np.testing.assert_array_equal(control.final.r2, expected.r2)
    assert (control.rule, control.levels) == (None, None)


@compiled
def test_the_nearest_training_image_is_the_nearest_over_all_shifts(result):
    truth, control = result.runs["network"].view(-1), result.predictions[NEAREST]
    shifts = [(y, x) for y in range(SIZE[0]) for x in range(SIZE[1])]
    candidates = np.stack([np.roll(image, shift, (-2, -1)) for image in IMAGES for shift in shifts])
    for n, picture in enumerate(truth):
        distances = np.sqrt(((candidates - picture).astype(float) ** 2).mean(axis=(1, 2, 3)))
        np.testing.assert_array_equal(control.pictures[n], candidates[distances.argmin()])
        assert result.nearest.distance[n] == pytest.approx(distances.min(), abs=1e-6)
    assert result.nearest.relative == pytest.approx(result.nearest.distance / np.median(leave_one_out(IMAGES)))
    np.testing.assert_array_equal(control.final.r2, td.measure.agreement(control.pictures, truth).r2)


def test_what_the_ideal_denoiser_makes_is_a_training_image():
    found = compared({"ideal": ideal(IMAGES), "wiener": wiener(IMAGES)}, "ideal", seeds=8)
    np.testing.assert_allclose(found.nearest.distance, 0, atol=1e-6)
    np.testing.assert_allclose(found.predictions[NEAREST].final.r2, 1, atol=1e-6)
    assert len(set(found.nearest.index)) > 1


def test_networks_alone_have_no_training_image():
    found = compared({"network": small(), "other": small(seed=1)})
    assert found.nearest is None
    assert list(found.predictions) == ["other", "other, other noise"]


def test_a_single_training_image_is_the_nearest():
    found = compared({"network": small(), "one": fixed(IMAGES[0])})
    assert list(found.nearest.index) == [0, 0, 0]
    assert np.isnan(found.nearest.relative).all()


def test_bytes_are_training_images_too():
    images = td.data.from_unit(IMAGES)
    found = compared({"network": small(), "wiener": wiener(images)})
    expected = compared({"network": small(), "wiener": wiener(td.data.to_unit(images))})
    np.testing.assert_array_equal(found.predictions[NEAREST].pictures, expected.predictions[NEAREST].pictures)
    assert found.table == expected.table


# --- the table


def agreements(rules, **measured):
    """The result of a comparison with `net` of which only measures, (r², Pearson), are known."""
    made = {name: Prediction(rules.get(name), None, Agreement(*map(np.array, pair))) for name, pair in measured.items()}
    return Agreements("net", rules, {}, made, None, 4)


def test_the_table_holds_quantiles_and_how_often_a_rule_is_closer_than_the_ideal():
    rules = {"net": small(), "ELS": wiener(IMAGES), "perfect": ideal(IMAGES)}
    table = agreements(
        rules,
        ELS=([0.1, 0.5, 0.3, 0.2, 0.4], [1, 1, -1, -1, 0.25]),
        perfect=([0.1, 0.4, 0.4, 0.1, 0.3], [0.5] * 5),
        control=([-2.0, -1, -1, -1, 0.9], [0, 0, 0, 0, 1]),
    ).table
    assert table.corner == "prediction of net"
    assert table.columns == COLUMNS
    assert table.rows == {
        "ELS": ("0.250", "-1.000 to 1.000", "0.300", "0.200 to 0.400", "60%"),  # a draw is no win
        "perfect": ("0.500", "0.500 to 0.500", "0.300", "0.100 to 0.400", "-"),
        "control": ("0.000", "0.000 to 0.000", "-1.000", "-1.000 to -1.000", "20%"),
    }


def test_without_an_ideal_denoiser_nothing_is_closer_than_it():
    table = compared({"network": small(), "wiener": wiener(IMAGES)}).table
    assert list(table.rows) == ["wiener", "wiener, other noise", NEAREST]
    assert {row[-1] for row in table.rows.values()} == {"-"}


@compiled
def test_the_texts_are_the_quantiles_of_the_arrays(result):
    rows, rival = result.table.rows, result.predictions["ideal"].final.r2
    assert list(rows) == ["ELS", "wiener", "ideal", "ELS, other noise", NEAREST]
    for name, row in rows.items():
        final = result.predictions[name].final
        for text, spread, values in ((*row[:2], final.pearson), (*row[2:4], final.r2)):
            assert text == f"{np.median(values):.3f}"
            assert spread == f"{np.quantile(values, 0.25):.3f} to {np.quantile(values, 0.75):.3f}"
        wins = sum(a > b for a, b in zip(final.r2, rival, strict=True))
        assert row[-1] == ("-" if name == "ideal" else f"{wins / 4:.0%}")


def test_an_ideal_reference_has_no_rival():
    table = compared({"ideal": ideal(IMAGES), "wiener": wiener(IMAGES)}, "ideal").table
    assert {row[-1] for row in table.rows.values()} == {"-"}


# --- figure, film, files


def parts(figure):
    """The axes with pictures, and those of curves, sizes and table."""
    framed = [ax for ax in figure.axes if ax.images]
    return framed, [ax for ax in figure.axes if not ax.images]


def titles(figure):
    return [title for ax in parts(figure)[0] if (title := ax.get_title())]


@compiled
def test_the_figure_shows_noise_reference_rules_and_the_nearest_training_image(result):
    figure = result.figure()
    framed, (curves, sizes, table) = parts(figure)
    assert len(framed) == 2 * 6  # as many noises as samples
    assert titles(figure) == ["noise", "network", "ELS", "wiener", "ideal", "nearest\ntraining image"]
    shown = [ax.images[0].get_array() for ax in framed]
    np.testing.assert_array_equal(shown[1], result.runs["network"].view(-1)[0, 0])
    np.testing.assert_array_equal(shown[6 + 2], result.predictions["ELS"].pictures[1, 0])
    np.testing.assert_array_equal(shown[0], result.runs["network"].view(0)[0, 0])
    assert [text.get_text() for text in curves.get_legend().get_texts()] == ["ELS", "wiener", "ideal"]
    assert [text.get_text() for text in sizes.get_legend().get_texts()] == ["ELS"]
    (drawn,) = table.tables
    assert drawn[0, 0].get_text().get_text() == "prediction of network"


@compiled
def test_the_curves_are_medians_and_the_steps_are_patch_sizes(result):
    _, (curves, sizes, _) = parts(result.figure())
    levels = result.runs["network"].times[:-1]
    for line, name in zip(curves.lines, ("ELS", "wiener", "ideal"), strict=True):
        np.testing.assert_allclose(line.get_xdata(), levels)
        np.testing.assert_allclose(line.get_ydata(), np.median(result.predictions[name].levels.r2, axis=1))
    (line,) = sizes.lines
    assert list(line.get_ydata()) == [5 if sigma > 1 else 3 for sigma in levels]
    for ax in (curves, sizes):
        left, right = ax.get_xlim()
        assert left > levels.max() > levels.min() > right > 0  # from noise to image


@pytest.mark.parametrize("count", [1, *slow(2, 9)])
def test_the_figure_of_one_to_many_rules(count, tmp_path):
    rules = {f"rule {n}": wiener(pictures(seed=n)) for n in range(count)}
    found = compared({"network": small()} | rules, samples=3)
    figure = found.figure()
    assert titles(figure) == ["noise", "network", *rules, "nearest\ntraining image"]
    framed, (_, sizes, _) = parts(figure)
    assert len(framed) == 3 * (count + 3)
    assert sizes.get_legend() is None  # no rule has patches
    files = found.save(tmp_path)
    with Image.open(files[1]) as picture:
        assert min(picture.size) > 500
    with Image.open(files[0]) as film:
        assert film.n_frames == 21


def test_the_figure_shows_no_more_noises_than_there_are():
    found = compared({"network": small(), "wiener": wiener(IMAGES)}, seeds=2, samples=9)
    assert len(parts(found.figure())[0]) == 2 * 4


def test_a_canvas_that_is_not_square(tmp_path):
    images = pictures(size=(6, 10))
    found = compared({"network": small(size=(6, 10)), "wiener": wiener(images)})
    assert found.predictions[NEAREST].pictures.shape == (3, 1, 6, 10)
    found.save(tmp_path)


def test_colour_images(tmp_path):
    images = pictures(channels=3)
    rules = {"network": small(colours=3), "wiener": wiener(images), "ideal": ideal(images)}
    found = compared(rules)
    truth = found.runs["network"].view(-1)
    assert truth.shape == (3, 3, *SIZE)
    np.testing.assert_array_equal(found.nearest.distance, novelty(truth, images).distance)
    framed, _ = parts(found.figure())
    assert all(ax.images[0].get_array().shape == (*SIZE, 3) for ax in framed)
    found.save(tmp_path)


@compiled
def test_save_writes_film_figure_and_table(result, tmp_path):
    film, figure, drawing, table, numbers = result.save(tmp_path / "new" / "folder")
    names = ["film.gif", "figure.png", "figure.svg", "table.csv", "table.json"]
    assert [path.name for path in (film, figure, drawing, table, numbers)] == names
    assert sorted(path.name for path in film.parent.iterdir()) == sorted(names)
    held = json.loads(numbers.read_text(encoding="utf-8"))
    cells = [row["cells"] for row in held["rows"]]
    assert [[cell["text"] for cell in row] for row in cells] == [list(row) for row in result.table.rows.values()]
    assert cells[0][2]["value"] == np.median(result.predictions["ELS"].final.r2)
    assert (held["predicted"], held["noises"]) == ("network", 4)
    with Image.open(film) as picture:
        assert picture.n_frames == len(result.runs["network"].times)
    with Image.open(figure) as picture:
        assert len(np.unique(np.asarray(picture).reshape(-1, 4), axis=0)) > 100
    with open(table, encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["prediction of network", *COLUMNS]
    assert rows[1:] == [[name, *texts] for name, texts in result.table.rows.items()]
    assert str(result.table).splitlines()[0].split("  ")[0] == "prediction of network"


@pytest.mark.slow
def test_the_same_seed_makes_the_same_files(tmp_path):
    rules = {"network": small(), "wiener": wiener(IMAGES), "ideal": ideal(IMAGES)}
    saved = [compared(rules, rng=rng).save(tmp_path / name) for name, rng in (("a", 1), ("b", 1), ("c", 2))]
    first, second, other = ([path.read_bytes() for path in paths] for paths in saved)
    assert first == second
    assert all(a != b for a, b in zip(first, other, strict=True))


# --- refused


@all_in_one(
    ("rules", "options", "match"),
    [
        ({}, {"reference": "net"}, r"reference='net' is none of the rules \['network', 'wiener'\]"),
        ({"wiener": None}, {}, "nothing to compare the reference with: give at least one rule more"),
        ({}, {"seeds": 1}, r"seeds must be a whole number >= 2 .*, got 1"),
        ({}, {"seeds": 0}, r"seeds must be a whole number >= 2 .*, got 0"),
        ({}, {"seeds": 2.5}, r"seeds must be a whole number >= 2 .*, got 2\.5"),
        ({}, {"shapes": {"wiener": SIZE}}, "leave shapes out"),
        ({}, {"shapes": {}}, "leave shapes out"),
        ({}, {"reference": None}, "seeds counts the noises that rules share with a reference="),
        ({"wiener": wiener(pictures(size=(8, 9)))}, {}, "wiener makes images of 8x9, network of 8x8"),
        ({"wiener": wiener(pictures(channels=3))}, {}, "images of the channels red, green, blue, network of grey"),
    ],
)
def test_what_cannot_be_compared_is_refused(rules, options, match):
    given = {"network": small(), "wiener": wiener(IMAGES)} | rules
    with pytest.raises(ValueError, match=match):
        compared({name: rule for name, rule in given.items() if rule is not None}, **options)


@all_in_one("rule", [td.morphogenesis.brusselator(), wiener(IMAGES).reverse_sde()])
def test_a_rule_that_is_no_denoiser_is_refused(rule):
    with pytest.raises(TypeError, match=r"other: .* is no denoiser"):
        compared({"network": small(), "other": rule})
    with pytest.raises(TypeError, match=r"other: .* is no denoiser"):
        compared({"network": small(), "other": rule}, "other")


@all_in_one("samples", [0, -1])
def test_a_number_of_pictures_below_1_is_refused_before_the_runs(samples):
    with pytest.raises(ValueError, match=f"samples.*{samples}"):
        compared({"network": small(), "wiener": wiener(IMAGES)}, samples=samples)


@all_in_one("title", ["noise", NEAREST, "wiener, other noise"])
def test_a_rule_with_the_title_of_a_control_is_refused_or_kept(title):
    rules = {"network": small(), "wiener": wiener(IMAGES), title: fixed(IMAGES[0])}
    try:
        found = compared(rules)
    except ValueError as error:
        assert title in str(error)  # noqa: PT017
        return
    assert len(found.predictions) == 4
    assert len(titles(found.figure())) == 5


def test_channels_of_other_names_are_compared():
    rule = wiener(pictures(channels=3))
    other = replace(rule, channels=("a", "b", "c"))
    assert list(check_reference({"one": rule, "two": other}, "two")) == ["two", "one"]

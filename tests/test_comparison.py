import csv
import json
import math

import numpy as np
import pytest
from PIL import Image
from quick import slow

import turingdiff as td
from turingdiff.comparison import check_folder
from turingdiff.comparison.rows import SPREAD, UNIFORM, mean, number
from turingdiff.show.figures import _label_colours
from turingdiff.show.tables import Number, Table

FILES = ["figure.png", "figure.svg", "film.gif", "index.html", "table.csv", "table.json"]


@pytest.fixture(scope="module")
def result():
    images = td.data.fashion()[0][:24]
    return td.compare(
        {
            "Turing": td.morphogenesis.schnakenberg("spots", t_end=3.0),
            "ELS": td.denoising.equivariant_local(images, patch=3),
        },
        samples=2,
        shapes={"Turing": (24, 24)},
        frames=6,
    )


pytestmark = pytest.mark.compiled


def test_every_rule_has_its_run_and_its_clock(result):
    assert list(result.runs) == ["Turing", "ELS"]
    assert result.runs["Turing"].frames.shape[1:] == (2, 2, 24, 24)
    assert result.runs["ELS"].frames.shape[1:] == (2, 1, 28, 28)
    assert result.runs["Turing"].times[-1] == 3.0
    assert result.runs["ELS"].times[-1] == 0.0


def test_the_columns_are_what_the_rules_make_by_themselves(result):
    rule = result.columns["ELS"].rule
    alone = td.denoising.sample(rule, 2, rng=0)
    np.testing.assert_array_equal(result.columns["ELS"].pictures, alone)


def test_measures_stand_under_the_rule_they_belong_to(result):
    rows = result.table.rows
    assert result.table.columns == ("Turing", "ELS")
    assert rows["steps"] == (str(math.ceil(3 / 0.00056)), "20")
    assert rows["training images"] == ("-", "24")
    assert rows["neighbourhood radius [cells]"] == ("1", "1")
    assert rows["light-cone bound of the run [cells]"] == (str(math.ceil(3 / 0.00056)), "20")
    distances = td.measure.novelty(result.columns["ELS"].pictures, result.columns["ELS"].images).distance
    cell = rows["novelty: distance to nearest [rms]"][1]
    assert cell.value == pytest.approx(distances.mean())
    assert cell.uncertainty == pytest.approx(distances.std(ddof=1) / np.sqrt(2))


def test_the_same_rulers_measure_both_families(result):
    for name, place in (("Turing", 0), ("ELS", 1)):
        edge = "periodic" if name == "Turing" else "no_flux"
        planes = result.columns[name].pictures[:, 0]
        alone = [td.measure.structure(plane, boundary=edge) for plane in planes]
        forms = [td.measure.shapes(plane, boundary=edge) for plane in planes]
        expected = {
            "correlation length [cells]": [one.correlation_length for one in alone],
            "orientation order": [one.order for one in alone],
            "Euler characteristic": [one.euler for one in forms],
            "regions above the threshold": [one.components for one in forms],
        }
        for row, values in expected.items():
            assert result.table.rows[row][place].value == pytest.approx(np.mean(values))
    length = result.table.rows["wavelength of linear theory [cells]"]
    curve = td.measure.dispersion(td.morphogenesis.schnakenberg("spots"))
    assert length[0].value == pytest.approx(curve.wavelength / curve.dx)
    assert length[1] == "-"


def test_rows_about_sources_are_those_of_the_mosaics(result):
    column = result.columns["ELS"]
    decided = [m.weight >= 0.5 for m in column.mosaics]
    parts = [td.measure.sources(m, where=w) for m, w in zip(column.mosaics, decided, strict=True)]
    rows = {name: cells[1] for name, cells in result.table.rows.items()}
    assert rows["pixels with a dominant source patch [share]"].value == pytest.approx(np.mean(decided))
    assert rows["effective number of source images"].value == pytest.approx(np.mean([p.images for p in parts]))
    pieces = rows["effective number of copied pieces"].value
    assert pieces == pytest.approx(np.mean([p.pieces for p in parts]))
    for m, picture in zip(column.mosaics, column.pictures, strict=True):
        alone = td.denoising.uncertainty(column.rule, picture, m.sigma)
        np.testing.assert_allclose(m.contributions, alone.sources, rtol=1e-5)
        np.testing.assert_allclose(m.weight, alone.largest, rtol=1e-6)
    near = td.measure.patch_distance(column.pictures, column.images, 3, boundary="zero")
    assert rows["3x3 windows: distance to nearest [rms]"].value == pytest.approx(near.distance.mean())


def test_the_hue_of_a_pixel_is_as_strong_as_its_weight():
    labels, weights = np.array([[3, 3, 3]]), np.array([[0.0, 0.5, 1.0]])
    spread = np.ptp(_label_colours(labels, weights), axis=-1)[0]
    assert spread == pytest.approx(spread[2] * weights[0])
    assert spread[2] > 0.5


def test_numbers_are_written_with_as_many_figures_as_their_error_lets_count():
    assert mean([1.0, 2.0, 3.0]) == "2.0 ± 0.6"
    assert number(12.345, 0.0123) == "12.35 ± 0.01"
    assert number(123.4, 20.0, " in 3 steps") == "123 ± 20 in 3 steps"
    assert number(5e-10, 7e-11) == "5e-10 ± 7e-11"
    assert mean([0.5]) == "0.5"
    assert mean([0.5]).uncertainty is None
    assert mean([0.5, 0.5]).uncertainty == 0
    with pytest.raises(ValueError, match="finite"):
        number(math.nan)


def test_perturbations_are_the_influences_of_their_cells(result):
    column = result.columns["Turing"]
    found, times = column.perturbations, np.asarray(column.rule.times())
    first = int(np.flatnonzero(times == found.times[0])[0])
    assert times[first] == pytest.approx(3.0 * 19 / 20, abs=0.6)  # six frames: the last one before the stretch
    field = column.run.frames[np.flatnonzero(column.run.times == times[first])[0], 0]
    assert len(found.cells) == 64
    np.testing.assert_array_equal(times[first + found.steps], found.times)
    for n in (0, 37):
        alone = td.measure.influence(column.rule, field, times[first:], tuple(found.cells[n]), every=1)
        np.testing.assert_array_equal(found.maps[n], alone.maps[found.steps])
        np.testing.assert_array_equal(found.detectable[n], alone.radius[found.steps])
        np.testing.assert_array_equal(found.visible[n], alone.reach(0.01)[found.steps])
        np.testing.assert_array_equal(found.bound, alone.bound[found.steps])
    assert result.table.rows["a perturbation spreads, at all [cells]"][0].value == found.detectable[:, -1].mean()


def test_sources_have_the_largest_weight_of_which_the_denoised_image_is_the_mean():
    images = td.data.fashion()[0][:6]
    machine = td.denoising.ideal(images)
    column = td.compare({"ideal": machine}, samples=2).columns["ideal"]
    found, run = column.pixel_sources, column.run
    assert found.levels == 20
    assert found.sigma[-1] == 0
    assert found.image.shape == (2, len(found.sigma), 28, 28)
    known = td.data.to_unit(images).astype(float)
    for k, sigma in enumerate(found.sigma[:-1]):
        frame = int(np.flatnonzero(run.times == sigma)[0])
        for n in range(2):
            squares = ((run.frames[frame, n] - known) ** 2).sum(axis=(1, 2, 3))
            weights = np.exp((squares.min() - squares) / (2 * sigma**2))
            weights /= weights.sum()
            np.testing.assert_allclose(machine.denoise(run.frames[frame, n], sigma),
                                       np.tensordot(weights, known, 1), atol=1e-4)  # fmt: skip
            assert (found.number[found.image[n, k]] == weights.argmax()).all()
            np.testing.assert_allclose(found.weight[n, k], weights.max(), rtol=1e-4)
            assert (found.row[n, k] == np.arange(28)[:, None]).all()


def test_sources_of_many_samples_cost_no_more(result, monkeypatch):
    monkeypatch.setattr("turingdiff.comparison.page_data.MOSAICS", 4)
    monkeypatch.setattr("turingdiff.comparison.page_data.SAMPLES", 1)
    column = result.columns["ELS"]
    few = td.comparison.page_data.pixel_sources(column.rule, column.run, column.mosaics)
    assert few.image.shape[:2] == (1, 4)
    assert few.levels == 20
    np.testing.assert_array_equal(few.sigma[[0, -2, -1]], column.run.times[[0, -2, -1]])
    exact = td.denoising.mosaic(column.rule, column.run.frames[0, 0], sigma=few.sigma[0])
    np.testing.assert_array_equal(few.number[few.image[0, 0]], exact.image)
    np.testing.assert_array_equal(few.number[few.image[0, -1]], column.mosaics[0].image)


def test_save_writes_film_figures_tables_and_page(result, tmp_path):
    paths = result.save(tmp_path / "new" / "folder")
    assert sorted(path.name for path in paths) == FILES == sorted(p.name for p in paths[0].parent.iterdir())
    film, figure, drawing, table, numbers, page = paths
    with Image.open(film) as picture:
        assert picture.n_frames >= 6
    with Image.open(figure) as picture:
        assert min(picture.size) > 500
        assert len(np.unique(np.asarray(picture).reshape(-1, 4), axis=0)) > 100
    with open(table, encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["measure", "Turing", "ELS"]
    assert [row[0] for row in rows[1:]] == list(result.table.rows)
    assert drawing.read_text(encoding="utf-8").startswith("<?xml")
    assert page.stat().st_size > film.stat().st_size
    held = json.loads(numbers.read_text(encoding="utf-8"))
    assert held["columns"] == ["Turing", "ELS"]
    assert [[cell["text"] for cell in row["cells"]] for row in held["rows"]] == [row[1:] for row in rows[1:]]
    by_name = {row["name"]: row for row in held["rows"]}
    assert by_name["wavelength"]["unit"] == "cells"
    first = result.columns["Turing"].wavelength
    dx = result.columns["Turing"].rule.neighbourhood.dx
    assert by_name["wavelength"]["cells"][0]["value"] == first.value / dx
    assert by_name["wavelength"]["cells"][0]["uncertainty"] == first.uncertainty / dx
    assert by_name["training images"]["cells"][0] == {"text": "-", "value": None, "uncertainty": None}
    assert by_name["training images"]["cells"][1]["value"] == 24
    assert held["seed"] == 0
    assert held["uncertainty"] == SPREAD
    assert held["versions"]["turingdiff"] == td.__version__
    assert held["command"] == (
        "td.compare({'Turing': schnakenberg spots, 'ELS': ELS}, samples=2, shapes={'Turing': (24, 24)}, rng=0)"
    )


def test_the_same_seed_makes_the_same_bytes(result, tmp_path):
    first, second = ([path.read_bytes() for path in result.save(tmp_path / name)] for name in "ab")
    assert first == second


def test_a_uniform_final_state_has_no_wavelength_and_the_table_says_so(tmp_path):
    rule = td.morphogenesis.gray_scott(t_end=1.0)
    still = td.Rule(
        cell=rule.cell, params=rule.params, channels=rule.channels, neighbourhood=rule.neighbourhood, shown=1,
        start=lambda rule, shape, rng: np.stack([np.ones(shape), np.zeros(shape)]),
        grid=lambda rule: td.uniform(0, 1, 0.5),
    )  # fmt: skip
    result = td.compare({"uniform": still}, samples=1, shapes={"uniform": (16, 16)})
    rows = result.table.rows
    for name in ("wavelength [cells]", "correlation length [cells]", "Euler characteristic"):
        assert rows[name] == (UNIFORM,)
    assert rows["wavelength of linear theory [cells]"][0].startswith("none: ")
    result.save(tmp_path)


def test_replicas_without_a_pattern_are_counted_out():
    def start(rule, shape, rng):
        return np.ones((1, *shape)) * (1 if rng.random() < 0.5 else np.cos(np.arange(shape[1]) * np.pi / 4))

    rule = td.Rule(at_rest, (), 1, start=start, grid=lambda rule: td.uniform(0, 1, 0.5))
    result = td.compare({"still": rule}, samples=4, shapes={"still": (16, 16)})
    flat = int((~result.columns["still"].patterned).sum())
    assert 0 < flat < 4
    assert result.table.rows["wavelength [cells]"][0].endswith(f"({4 - flat} of 4 replicas)")
    assert result.table.rows["wavelength [cells]"][0].value == pytest.approx(8)
    assert result.table.rows["wavelength of linear theory [cells]"][0].startswith("none: at_rest has no uniform")


def test_a_pattern_that_has_died_is_uniform_in_table_and_figure(recwarn):
    def start(rule, shape, rng):
        return 1 + rng.random((1, *shape))

    dying = td.Rule(fading, (), 1, start=start, grid=lambda rule: td.uniform(0, 20, 0.5))
    result = td.compare({"dying": dying}, samples=2, shapes={"dying": (16, 16)})
    assert np.ptp(result.columns["dying"].pictures) > 1e-9
    assert not result.columns["dying"].patterned.any()
    assert result.table.rows["pattern type"] == ("uniform",)
    titles = [ax.get_title("left") for ax in result.figure().axes]
    assert "dying, final state (uniform: 2 of 2)" in titles


def fading(phi, i, j, t, p, g, out):
    out[0, i, j] = -0.7 * phi[0, i, j]


def at_rest(phi, i, j, t, p, g, out):
    out[0, i, j] = 0.0 * phi[0, i, j]


@pytest.mark.parametrize("make", [td.denoising.wiener, *slow(td.denoising.equivariant, td.denoising.pca_local)])
def test_machines_that_weigh_no_patches_have_no_sources(make, tmp_path):
    result = td.compare({"machine": make(td.data.fashion()[0][:8])}, samples=1)
    assert result.columns["machine"].pixel_sources is None
    assert "pixels with a dominant source patch [share]" not in result.table.rows
    assert result.table.rows["training images"] == ("8",)
    assert result.save(tmp_path)[-1].exists()


@pytest.mark.parametrize(("rules", "message"), [({}, "one to four"), (dict.fromkeys("abcde"), "got 5")])
def test_the_number_of_rules(rules, message):
    with pytest.raises(ValueError, match=message):
        td.compare(rules)


def test_the_seed_is_a_number():
    with pytest.raises(TypeError, match="whole number"):
        td.compare({"Turing": td.morphogenesis.brusselator()}, rng=np.random.default_rng(0))


def test_shapes_must_name_the_rules():
    with pytest.raises(ValueError, match="Turnig"):
        td.compare({"Turing": td.morphogenesis.brusselator()}, shapes={"Turnig": (8, 8)})


def test_a_folder_that_cannot_be_made_is_found_before_the_work(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotADirectoryError, match="is a file"):
        check_folder(tmp_path / "file" / "out")
    assert list(check_folder(tmp_path / "out").iterdir()) == []
    (tmp_path / "out" / "writable.txt").write_text("the user's")
    assert [path.name for path in check_folder(tmp_path / "out").iterdir()] == ["writable.txt"]


def test_a_table_fills_gaps_and_lines_up():
    table = Table.of_columns({"a": {"one": "1", "two": "22"}, "b": {"two": "2", "three": "3"}})
    assert table.rows == {"one": ("1", "-"), "two": ("22", "2"), "three": ("-", "3")}
    lines = str(table).splitlines()
    assert isinstance(Table.of_columns({"a": {"one": Number("1", 1.0)}}).rows["one"][0], Number)
    assert (
        len({line.index(text) for line, text in zip(lines, ["b", "-", "2 "[:1], "3"], strict=True) if text != "2"}) == 1
    )


def test_a_rule_with_noise_is_stepped_with_its_noise():
    rules = {str(noise): td.morphogenesis.schnakenberg(t_end=0.5, noise=noise) for noise in (0.0, 0.2)}
    made = td.compare(rules, samples=2, shapes=dict.fromkeys(rules, (16, 16)), frames=5)
    quiet, noisy = (made.columns[name].pictures for name in rules)
    assert noisy.std() > 2 * quiet.std()

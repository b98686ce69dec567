import csv
import math

import numpy as np
import pytest
from PIL import Image

import turingdiff as td
from turingdiff.comparison import check_folder
from turingdiff.tables import Table


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
    assert rows["radius seen [cells]"] == ("1", "1")
    distances = td.measure.novelty(result.columns["ELS"].pictures, result.columns["ELS"].images).distance
    assert rows["novelty: distance to nearest [rms]"][1] == f"{np.median(distances):.3g}"


def test_save_writes_film_figure_and_table(result, tmp_path):
    film, figure, table = result.save(tmp_path / "new" / "folder")
    with Image.open(film) as picture:
        assert picture.n_frames >= 6
    with Image.open(figure) as picture:
        assert min(picture.size) > 500
        assert len(np.unique(np.asarray(picture).reshape(-1, 4), axis=0)) > 100
    with open(table, encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["measure", "Turing", "ELS"]
    assert [row[0] for row in rows[1:]] == list(result.table.rows)


def test_the_same_seed_makes_the_same_figure_bytes(result, tmp_path):
    first, second = (result.save(tmp_path / name)[0].read_bytes() for name in "ab")
    assert first == second


def test_a_uniform_final_state_has_no_wavelength_and_no_row_for_it(tmp_path):
    rule = td.morphogenesis.gray_scott(t_end=1.0)
    still = td.Rule(
        cell=rule.cell, params=rule.params, channels=rule.channels, neighbourhood=rule.neighbourhood, shown=1,
        start=lambda rule, shape, rng: np.stack([np.ones(shape), np.zeros(shape)]),
        grid=lambda rule: td.uniform(0, 1, 0.5),
    )  # fmt: skip
    result = td.compare({"uniform": still}, samples=1, shapes={"uniform": (16, 16)})
    assert "wavelength [cells]" not in result.table.rows
    result.save(tmp_path)


@pytest.mark.parametrize(("rules", "message"), [({}, "one to four"), (dict.fromkeys("abcde"), "got 5")])
def test_the_number_of_rules(rules, message):
    with pytest.raises(ValueError, match=message):
        td.compare(rules)


def test_shapes_must_name_the_rules():
    with pytest.raises(ValueError, match="Turnig"):
        td.compare({"Turing": td.morphogenesis.brusselator()}, shapes={"Turnig": (8, 8)})


def test_a_folder_that_cannot_be_made_is_found_before_the_work(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotADirectoryError, match="is a file"):
        check_folder(tmp_path / "file" / "out")
    assert list(check_folder(tmp_path / "out").iterdir()) == []


def test_a_table_fills_gaps_and_lines_up():
    table = Table.of_columns({"a": {"one": "1", "two": "22"}, "b": {"two": "2", "three": "3"}})
    assert table.rows == {"one": ("1", "-"), "two": ("22", "2"), "three": ("-", "3")}
    lines = str(table).splitlines()
    assert (
        len({line.index(text) for line, text in zip(lines, ["b", "-", "2 "[:1], "3"], strict=True) if text != "2"}) == 1
    )

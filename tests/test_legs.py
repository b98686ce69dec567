"""Legs of trousers: known pictures, and pictures labelled by eye."""

import json
from pathlib import Path

import numpy as np
import pytest
from quick import all_in_one

import turingdiff as td
from turingdiff.measure import count_legs

RESULTS = Path(__file__).parents[1] / "docs" / "results"


def trousers(*lefts, width=28, leg=4, waist=range(6, 22)):
    """A waist and legs of `leg` columns from the given ones on."""
    picture = np.full((28, width), -1.0)
    picture[2:10, waist.start : waist.stop] = 0.7
    for left in lefts:
        picture[10:27, left : left + leg] = 0.7
    return picture


@pytest.fixture(scope="module")
def labelled():
    with np.load(RESULTS / "legs.npz") as file:
        data = dict(file)
    pairs = zip(data["images"], data["width"], strict=True)
    data["counts"] = np.array([count_legs(image[:, :width] / 127.5 - 1) for image, width in pairs])
    return data


@pytest.mark.parametrize("lefts", [(), (12,), (7, 17), (6, 12, 18), (0, 6, 12, 18, 24)])
def test_legs_are_counted_wherever_they_stand(lefts):
    assert count_legs(trousers(*lefts)) == len(lefts)
    assert count_legs(trousers(*lefts)[None]) == len(lefts)
    assert count_legs(trousers(*lefts)[:, ::-1]) == len(lefts)


def test_legs_on_a_wide_canvas():
    lefts = range(2, 52, 7)
    assert count_legs(trousers(*lefts, width=56, waist=range(2, 54))) == len(lefts)


def test_a_gap_of_one_column_parts_two_legs():
    assert count_legs(trousers(8, 13)) == 2
    assert count_legs(trousers(8, 12)) == 1


def test_texture_along_a_leg_and_specks_are_not_legs():
    picture = trousers(7, 17)
    picture[12:27:4, 9] = -1.0  # holes in a leg
    picture[25, 25] = 0.7
    assert count_legs(picture) == 2


def test_what_ends_above_the_shins_is_no_leg():
    picture = trousers(7, 17)
    picture[:20, 24:27] = 0.7
    assert count_legs(picture) == 2
    picture[:27, 24:27] = 0.7
    assert count_legs(picture) == 3


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_a_blank_picture_has_no_legs(value):
    assert count_legs(np.full((28, 28), value)) == 0
    assert count_legs(np.random.default_rng(0).normal(value, 0.01, (28, 28))) == 0


@all_in_one(
    ("picture", "error", "match"),
    [
        (np.zeros((10, 28)), ValueError, "10 rows, expected at least 20"),
        (np.zeros((2, 28, 28)), ValueError, "one channel"),
        (np.full((28, 28), np.nan), ValueError, "NaN"),
        ("legs", TypeError, "array"),
    ],
)
def test_count_legs_refuses(picture, error, match):
    with pytest.raises(error, match=match):
        count_legs(picture)


def test_training_trousers_have_two_legs():
    pictures, labels = td.data.fashion()
    counts = np.array([count_legs(picture) for picture in pictures[labels == 1]])
    assert np.mean(counts == 2) > 0.95


def test_the_set_is_as_large_and_as_mixed_as_it_says(labelled):
    assert len(labelled["images"]) == len(labelled["kind"]) == labelled["labels"].shape[1] >= 60
    assert labelled["labels"].shape[0] == 2
    assert len(np.unique(labelled["kind"])) == 7
    assert (labelled["labels"] >= -1).all()
    assert len(np.unique(labelled["labels"][0])) >= 6  # legs from 1 to many


def test_the_errors_of_the_counter_are_those_reported(labelled):
    first, second = labelled["labels"]
    told, counts = first >= 0, labelled["counts"]
    report = json.loads((RESULTS / "legs.json").read_text(encoding="utf-8"))
    wrong = counts != first
    assert (report["wrong"]["hits"], report["wrong"]["of"]) == (int(wrong[told].sum()), int(told.sum()))
    assert report["wrong"]["share"] < 0.25
    assert report["off by more than one"]["hits"] == int((np.abs(counts - first)[told] > 1).sum()) <= 2
    both = told & (second >= 0)
    assert report["the eye against itself"]["hits"] == int((first != second)[both].sum())


def test_extra_legs_are_not_the_counters_invention(labelled):
    first, narrow = labelled["labels"][0], labelled["width"] == 28
    two_or_fewer = narrow & (first >= 0) & (first <= 2)
    assert two_or_fewer.sum() >= 40
    assert (labelled["counts"][two_or_fewer] > 2).mean() < 0.05

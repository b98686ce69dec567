import numpy as np
import pytest
from PIL import Image
from quick import all_in_one

import turingdiff as td
from turingdiff.show.figures import save_figure


def cards(count, lines=3):
    rng = np.random.default_rng(0)
    return [td.show.Card(f"card {n}", rng.random((20, 30)), [f"line {k}" for k in range(lines)]) for n in range(count)]


def test_every_card_has_its_picture_title_and_lines():
    figure = td.show.contact_sheet(cards(7), columns=3, title="all")
    assert [ax.get_title(loc="left") for ax in figure.axes] == [f"card {n}" for n in range(7)]
    assert [ax.texts[0].get_text() for ax in figure.axes] == ["line 0\nline 1\nline 2"] * 7
    for ax, card in zip(figure.axes, cards(7), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), card.picture)
    tops = [round(ax.get_position().y1, 6) for ax in figure.axes]
    assert tops[0] == tops[1] == tops[2] > tops[3] == tops[5] > tops[6]


def test_nothing_overlaps_and_all_is_on_the_page():
    figure = td.show.contact_sheet(cards(5, lines=12), columns=2)
    figure.draw_without_rendering()
    page = figure.bbox
    texts = [ax.texts[0].get_window_extent() for ax in figure.axes]
    pictures = [ax.get_window_extent() for ax in figure.axes]
    for box in [*texts, *pictures]:
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert page.y0 <= box.y0 < box.y1 <= page.y1
    for text, picture in [(text, picture) for text in texts for picture in pictures]:
        assert not text.overlaps(picture)


def test_long_lines_go_on_in_the_next_one_within_the_card():
    long = td.show.Card("long", np.eye(4), ["word " * 40, "", "short"])
    figure = td.show.contact_sheet([long, *cards(1)])
    text = figure.axes[0].texts[0]
    assert text.get_text().splitlines()[-2:] == ["", "short"]
    assert text.get_text().split() == (["word"] * 40 + ["short"])
    figure.draw_without_rendering()
    assert text.get_window_extent().width <= 1.03 * figure.axes[0].get_window_extent().width


def test_a_sheet_is_written_as_a_picture(tmp_path):
    with Image.open(save_figure(td.show.contact_sheet(cards(2)), tmp_path / "sheet.png")) as image:
        assert image.size[0] > image.size[1] > 200


@all_in_one(
    "arguments, message",
    [
        (([],), "at least one card and one column, got 0 and 5"),
        ((cards(1), 0), "got 1 and 0"),
        (([td.show.Card("rgb", np.zeros((3, 4, 4)))],), r"rgb: a picture is \(H, W\), got the shape \(3, 4, 4\)"),
    ],
)
def test_a_sheet_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        td.show.contact_sheet(*arguments)

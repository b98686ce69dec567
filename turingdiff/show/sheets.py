"""Contact sheets: many pictures on one page, each with its title and what is to be said about it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from turingdiff.engine.short_repr import short_repr
from turingdiff.show.colour import COLORMAP, limits
from turingdiff.show.figures import DPI

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, GAP, LINE, TITLE = 2.6, 0.18, 0.118, 0.26  # inches: a picture, between cards, a line of text, a title
FONT = 6.2
CHARACTERS = 49  # of this font in a line of a card


@short_repr
@dataclass(frozen=True, eq=False)
class Card:
    """One picture of a contact sheet.

    Attributes
    ----------
    picture
        (H, W), drawn in the colours of patterns with limits of its own.
    lines
        What stands below it; a line that is too long goes on in the next one, indented.
    """

    title: str
    picture: np.ndarray
    lines: Sequence[str] = ()

    @property
    def wrapped(self) -> list[str]:
        """The lines as they fit."""
        return [
            piece for line in self.lines for piece in textwrap.wrap(line, CHARACTERS, subsequent_indent="  ") or [""]
        ]


def contact_sheet(cards: Sequence[Card], columns: int = 5, title: str = "") -> Figure:
    """Draw cards row by row; a row is as high as its longest text.

    Raises
    ------
    ValueError
        Without cards, or where a picture is not (H, W).
    """
    from matplotlib.figure import Figure

    if not cards or columns < 1:
        raise ValueError(f"a contact sheet needs at least one card and one column, got {len(cards)} and {columns}")
    for card in cards:
        if np.ndim(card.picture) != 2:
            raise ValueError(f"{card.title}: a picture is (H, W), got the shape {np.shape(card.picture)}")
    columns = min(columns, len(cards))
    rows = [cards[n : n + columns] for n in range(0, len(cards), columns)]
    heights = [TITLE + WIDTH + LINE * (max(len(card.wrapped) for card in row) + 1) + GAP for row in rows]
    head = 0.45 if title else GAP
    width, height = columns * (WIDTH + GAP) + GAP, sum(heights) + head
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    if title:
        figure.text(GAP / width, 1 - 0.15 / height, title, fontsize=13, va="top")
    top = height - head
    for row, tall in zip(rows, heights, strict=True):
        for n, card in enumerate(row):
            left = GAP + n * (WIDTH + GAP)
            place = (left / width, (top - TITLE - WIDTH) / height, WIDTH / width, WIDTH / height)
            _draw_card(figure.add_axes(place), card)
        top -= tall
    return figure


def _draw_card(ax: Axes, card: Card) -> None:
    low, high = limits([card.picture])
    ax.imshow(card.picture, cmap=COLORMAP, vmin=low, vmax=high, interpolation="nearest", aspect="auto")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(card.title, fontsize=9, loc="left", pad=4)
    ax.annotate(
        "\n".join(card.wrapped), (0, 0), (0, -5), xycoords="axes fraction", textcoords="offset points", va="top",
        fontsize=FONT, family="monospace", linespacing=1.25, annotation_clip=False,
    )  # fmt: skip

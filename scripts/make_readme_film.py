"""Make docs/images/side_by_side.gif and .png, the pictures at the head of the README.

python scripts/make_readme_film.py
"""

from pathlib import Path

import turingdiff as td
from turingdiff.show.figures import save_figure

FOLDER = Path(__file__).parent.parent / "docs" / "images"


BOOT = 9  # Fashion-MNIST's label


def main(samples=4, frames=30):
    """Grow a pattern and denoise new images; print the table."""
    images, labels = td.data.fashion()
    rules = {
        "A Turing pattern": td.morphogenesis.schnakenberg("spots"),
        "A local score machine": td.denoising.equivariant_local(images[labels == BOOT]),
    }
    result = td.compare(rules, samples=samples, frames=frames)
    print(result.table)
    print(result.animate(FOLDER / "side_by_side.gif"))
    print(save_figure(result.figure(), FOLDER / "side_by_side.png"))


if __name__ == "__main__":
    main()

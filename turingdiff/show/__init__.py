"""Pictures of runs: films, stills, figures and the report page.

Importing this package loads neither matplotlib nor Pillow nor imageio; the functions do when called.
"""

from turingdiff.show.animation import animate, animate_side_by_side, save_frame, save_still
from turingdiff.show.cones import animate_influence, influence_figure
from turingdiff.show.figures import save_figure
from turingdiff.show.files import Film
from turingdiff.show.kymographs import kymograph
from turingdiff.show.predictions import agreement_figure
from turingdiff.show.sheets import Card, contact_sheet
from turingdiff.show.theory import dispersion_figure, speciation_figure, turing_space_figure

__all__ = [
    "Card",
    "Film",
    "agreement_figure",
    "animate",
    "animate_influence",
    "animate_side_by_side",
    "contact_sheet",
    "dispersion_figure",
    "influence_figure",
    "kymograph",
    "save_figure",
    "save_frame",
    "save_still",
    "speciation_figure",
    "turing_space_figure",
]

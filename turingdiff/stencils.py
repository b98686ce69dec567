"""The stencils, under the name that user code imports: see `turingdiff.engine.stencils`."""

from turingdiff.engine.stencils import SYMBOL_BOUND, beyond, biharmonic, inside, isotropic_laplacian, laplacian

__all__ = ["SYMBOL_BOUND", "beyond", "biharmonic", "inside", "isotropic_laplacian", "laplacian"]

"""The layout (DESIGN, section 2): which arrow may point where. Sources are parsed, not run."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import turingdiff as td

PACKAGE = Path(td.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Every unit (a package or a top-level module) and the units it may import, bottom first.
ENGINE = {"rule", "engine", "neighbourhood", "stencils", "files"}
ALLOWED = {
    "files": set(),
    "neighbourhood": set(),
    "stencils": set(),
    "signatures": set(),
    "data": {"files"},
    "tables": {"files"},
    "rule": {"neighbourhood", "stencils"},
    "engine": ENGINE,
    "systems": ENGINE | {"signatures"},
    "reactions": ENGINE | {"systems"},
    "morphogenesis": ENGINE | {"systems", "reactions", "signatures"},
    "denoising": ENGINE | {"data"},
    "training": {"files", "data", "denoising"},
    "measure": ENGINE | {"data", "signatures"},
    "show": ENGINE | {"measure", "tables"},
    "sweeps": ENGINE | {"measure", "show", "tables"},
    "agreements": ENGINE | {"measure", "show", "tables", "data", "denoising"},
    "comparison": ENGINE
    | {"agreements"}
    | {"measure", "show", "tables", "data", "denoising", "morphogenesis", "systems", "reactions", "sweeps"},
    "cli": ENGINE
    | {
        "measure",
        "show",
        "tables",
        "data",
        "denoising",
        "morphogenesis",
        "systems",
        "reactions",
        "sweeps",
        "comparison",
        "agreements",
    },
    "__main__": {"cli"},
}
# Training is of networks: it knows what their weights are.
LEAVES = {"morphogenesis": set(), "denoising": {"training"}, "training": set()}
# `rule.rate(field)` is the engine's work: inside functions, so that engine can import rule. Training needs PyTorch,
# which all else does without.
LAZY = {("rule", "engine"), ("cli", "training")}

TORCH = "torch"
PICTURES = {"matplotlib", "PIL", "imageio"}
NUMBA_DECORATORS = {"jit", "njit", "vectorize", "guvectorize", "cfunc", "jit_module", "stencil", "register_jitable"}
NUMBA_OPTIONS = {"nogil", "error_model", "pipeline_class", "boundscheck"}
COMPILER = "engine/compile.py"
# numba.extending: types and overloads that kernels need. cli: only the version, for ``turingdiff info``.
IMPORT_NUMBA = {
    COMPILER,
    "engine/flow.py",
    "engine/kernels.py",
    "engine/subnormals.py",
    "engine/weak_scalars.py",
    "denoising/lanes.py",
    "denoising/orbits.py",
    "denoising/moment_kernels.py",
    "denoising/patch_kernels.py",
    "denoising/size_kernels.py",
    "denoising/cells.py",
    "denoising/convolutions.py",
    "cli/commands.py",
}


class Import(NamedTuple):
    module: str  # absolute
    names: tuple[str, ...]
    lazy: bool  # inside a function


def imports(path: Path) -> list[Import]:
    """All imports of a source file but those for type checkers."""
    found = []
    folder = ["turingdiff", *path.relative_to(PACKAGE).parts[:-1]]

    def visit(node, lazy):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, (), lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.append(Import(module, tuple(alias.name for alias in node.names), lazy))
        lazy = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, lazy)

    visit(ast.parse(path.read_text()), False)
    return found


def unit(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_units(path: Path) -> set[tuple[str, bool]]:
    """The other units of the package that a file imports, and whether inside a function."""
    units = set()
    for module, names, lazy in imports(path):
        parts = module.split(".")
        if parts[0] != "turingdiff":
            continue
        heads = parts[1:2] or names  # "from turingdiff import data" imports the unit `data`
        units |= {(head, lazy) for head in heads if head != unit(path)}
    return units


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


every_source = pytest.mark.parametrize("path", [p for p in SOURCES if p != PACKAGE / "__init__.py"], ids=name_of)


@every_source
def test_imports_point_one_way(path):
    here = unit(path)
    assert here in ALLOWED, f"{here} is new: say in ALLOWED what it may import"
    for there, lazy in imported_units(path):
        assert there in ALLOWED[here] or (lazy and (here, there) in LAZY), f"{name_of(path)} may not import {there}"


def test_the_allowed_arrows_have_no_cycle():
    order = list(ALLOWED)
    for here, others in ALLOWED.items():
        for there in others - {here}:
            assert order.index(there) < order.index(here), f"{here} -> {there}"


@pytest.mark.parametrize("leaf", LEAVES)
def test_only_the_top_of_the_package_knows_the_families(leaf):
    users = {unit(path) for path in SOURCES if leaf in {there for there, _ in imported_units(path)}}
    assert users <= {"__init__", "agreements", "comparison", "cli"} | LEAVES[leaf]
    assert ("__init__" in users) == (leaf != "training")


@every_source
def test_only_training_needs_pytorch(path):
    units = {there for there, lazy in imported_units(path) if not lazy}
    libraries = {found.module.split(".")[0] for found in imports(path)}
    assert unit(path) == "training" or not ({"training"} & units or {TORCH} & libraries)


@pytest.mark.parametrize("name", td.morphogenesis.__all__)
def test_a_system_is_one_file_that_no_other_file_needs(name):
    module = getattr(td.morphogenesis, name).__module__
    users = [path for path in SOURCES if module in {found.module for found in imports(path)}]
    assert users == [PACKAGE / "morphogenesis" / "__init__.py"]


@every_source
def test_numba_options_live_in_one_place(path):
    text = name_of(path)
    uses_numba = {found.module.split(".")[0] for found in imports(path)} & {"numba", "llvmlite"}
    assert not uses_numba or text in IMPORT_NUMBA
    if text == COMPILER:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numba":
            assert not {alias.name for alias in node.names} & NUMBA_DECORATORS
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "numba":
            assert node.attr not in NUMBA_DECORATORS
        if isinstance(node, ast.keyword):
            assert node.arg not in NUMBA_OPTIONS


@every_source
def test_pictures_are_made_in_show_and_read_in_data(path):
    libraries = {found.module.split(".")[0] for found in imports(path)} & PICTURES
    allowed = {"show": PICTURES, "data": {"PIL"}}.get(unit(path), set())
    assert libraries <= allowed
    assert not [found for found in imports(path) if found.module.split(".")[0] in PICTURES and not found.lazy]


PACKAGES = ["", "data", "denoising", "engine", "measure", "morphogenesis", "show", "training"]


def package_of(name):
    if name == "training":
        pytest.importorskip(TORCH)
    return importlib.import_module(f"turingdiff.{name}".rstrip("."))


@pytest.mark.parametrize("name", PACKAGES)
def test_no_module_is_hidden_by_a_public_name(name):
    package = package_of(name)
    modules = {path.stem for path in (PACKAGE / name).glob("*.py")}
    assert not modules & {public for public in package.__all__ if not isinstance(getattr(package, public), type(ast))}


@pytest.mark.parametrize("name", PACKAGES)
def test_public_names_exist_and_are_sorted(name):
    package = package_of(name)
    assert [public for public in package.__all__ if not hasattr(package, public)] == []
    assert list(package.__all__) == sorted(package.__all__)


IMPORT = """
import sys
from numba.core import event
with event.install_recorder("numba:compile") as compilations:
    import turingdiff
heavy = {"matplotlib", "PIL", "imageio", "torch", "tqdm", "pandas", "IPython"} & set(sys.modules)
heavy |= {f"scipy.{part}" for part in ("fft", "linalg", "ndimage", "optimize", "sparse")} & set(sys.modules)
print(len(compilations.buffer), sorted(heavy))
"""


def test_importing_compiles_nothing_and_loads_nothing_heavy(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 []"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

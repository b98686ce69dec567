"""The layout (DESIGN, section 2): which arrow may point where. Sources are parsed, not run."""

import ast
import functools
import importlib
import importlib.util
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
ALLOWED = {
    "files": set(),
    "engine": {"files"},
    "stencils": {"engine"},
    "data": {"files"},
    "patches": {"engine", "data"},
    "morphogenesis": {"engine", "data"},
    "denoising": {"engine", "data", "patches"},
    "network": {"files", "engine", "data", "denoising"},
    "measure": {"engine", "data", "patches"},
    "show": {"files", "engine", "measure"},
    "comparison": {"files", "engine", "data", "denoising", "measure", "show"},
    "live": {"files", "engine", "data", "patches", "morphogenesis", "denoising", "measure", "show"},
    "cli": {"engine", "data", "morphogenesis", "denoising", "network", "measure", "show", "comparison", "live"},
    "__main__": {"cli"},
    "__init__": {
        *("engine", "stencils", "data", "morphogenesis", "denoising", "network", "measure", "show", "comparison"),
    },
}
# A network is a denoiser, `td.denoising.network`, although it is built on that package: looked up when asked for.
LAZY = {("denoising", "network")}
LEAVES = {"morphogenesis": set(), "denoising": {"network"}, "network": {"denoising"}}

TORCH = "torch"
PICTURES = {"matplotlib", "PIL", "imageio"}
NUMBA_DECORATORS = {"jit", "njit", "vectorize", "guvectorize", "cfunc", "jit_module", "stencil", "register_jitable"}
NUMBA_OPTIONS = {"nogil", "error_model", "pipeline_class", "boundscheck"}
COMPILER = "engine/compile.py"
# numba.extending: types and overloads that kernels need. cli: only the version, for ``turingdiff info``.
IMPORT_NUMBA = {
    COMPILER,
    "engine/fingerprint.py",
    "engine/flow.py",
    "engine/kernels.py",
    "engine/stencils.py",
    "engine/subnormals.py",
    "engine/weak_scalars.py",
    "patches/box_sums.py",
    "patches/cells.py",
    "patches/kernels.py",
    "patches/lanes.py",
    "patches/moment_kernels.py",
    "patches/size_kernels.py",
    "denoising/_equivariant.py",
    "network/_convolutions.py",
    "cli/commands.py",
}


class Import(NamedTuple):
    module: str  # absolute
    names: tuple[str, ...]
    lazy: bool  # inside a function


@functools.cache
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


def top(path: Path) -> str:
    return "__init__" if path == PACKAGE / "__init__.py" else unit(path)


def test_imports_point_one_way():
    for path in SOURCES:
        here = top(path)
        assert here in ALLOWED, f"{here} is new: say in ALLOWED what it may import"
        for there, lazy in imported_units(path):
            assert there in ALLOWED[here] or (lazy and (here, there) in LAZY), f"{name_of(path)} may not import {there}"


def test_the_allowed_arrows_have_no_cycle():
    order = list(ALLOWED)
    for here, others in ALLOWED.items():
        for there in others:
            assert order.index(there) < order.index(here), f"{here} -> {there}"


def test_no_module_outside_the_engine_is_in_an_import_circle():
    graph, known = {}, set(map(dotted, SOURCES))
    for path in SOURCES:
        for module, names, _ in imports(path):
            parts = {f"{module}.{name}" for name in names} & known
            graph.setdefault(dotted(path), set()).update(parts or {module} & known)
    graph.pop("turingdiff", None)
    graph["turingdiff.denoising"] -= {"turingdiff.network"}  # LAZY
    for start in graph:
        seen, waiting = set(), [*graph[start]]
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting += graph.get(here, ())
        assert start not in seen or start.startswith("turingdiff.engine"), f"{start} imports itself, by way of {seen}"


def dotted(path: Path) -> str:
    return ".".join(["turingdiff", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")


def test_only_the_top_of_the_package_knows_the_families():
    for leaf, others in LEAVES.items():
        users = {top(path) for path in SOURCES if leaf in {there for there, _ in imported_units(path)}}
        assert users <= {"__init__", "comparison", "live", "cli"} | others


def test_only_training_needs_pytorch():
    for path in SOURCES:
        if path.stem not in ("_training", "_residual_network"):
            eager = {found.module for found in imports(path) if not found.lazy}
            assert not eager & {TORCH, "turingdiff.network._training", "turingdiff.network._residual_network"}


def test_a_system_is_one_file_that_no_other_file_needs():
    for name in td.morphogenesis.__all__:
        module = getattr(td.morphogenesis, name).__module__
        users = [path for path in SOURCES if module in {found.module for found in imports(path)}]
        assert users == [PACKAGE / "morphogenesis" / "__init__.py"]


def test_numba_options_live_in_one_place():
    for path in SOURCES:
        text = name_of(path)
        uses_numba = {found.module.split(".")[0] for found in imports(path)} & {"numba", "llvmlite"}
        assert not uses_numba or text in IMPORT_NUMBA, text
        if text == COMPILER:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numba":
                assert not {alias.name for alias in node.names} & NUMBA_DECORATORS, text
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "numba":
                assert node.attr not in NUMBA_DECORATORS, text
            if isinstance(node, ast.keyword):
                assert node.arg not in NUMBA_OPTIONS, text


def test_pictures_are_made_in_show_and_read_in_data():
    for path in SOURCES:
        libraries = {found.module.split(".")[0] for found in imports(path)} & PICTURES
        assert libraries <= {"show": PICTURES, "data": {"PIL"}}.get(unit(path), set()), name_of(path)
        assert not [one for one in imports(path) if one.module.split(".")[0] in PICTURES and not one.lazy]


def test_no_file_is_too_long_to_read():
    assert [name_of(path) for path in SOURCES if len(path.read_text().splitlines()) > 300] == []


PRIVATE = ["denoising", "measure", "network"]
PACKAGES = ["", "data", "engine", "morphogenesis", "show", "comparison", *PRIVATE]


@pytest.mark.parametrize("name", PRIVATE)
def test_a_public_name_lives_in_the_module_of_its_name_or_in_the_table(name):
    package = importlib.import_module(f"turingdiff.{name}")
    modules = {path.stem for path in (PACKAGE / name).glob("*.py")}
    assert all(module.startswith("_") for module in modules), "names come from the package"
    for public in package.__all__:
        listed = f"`{public}`" in package.__doc__
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in public)
        assert f"_{public}" in modules or snake in modules or listed, (
            f"{public} is in no module of its name, nor in the table"
        )


@pytest.mark.parametrize("name", PACKAGES)
def test_public_names_exist_and_are_sorted(name):
    package = importlib.import_module(f"turingdiff.{name}".rstrip("."))
    optional = {"Settings", "train"} if importlib.util.find_spec(TORCH) is None else set()
    assert [public for public in package.__all__ if public not in optional and not hasattr(package, public)] == []
    assert list(package.__all__) == sorted(package.__all__)


IMPORT = """
import sys
from numba.core import event
with event.install_recorder("numba:compile") as compilations:
    import turingdiff
heavy = {"http.server", "matplotlib", "PIL", "imageio", "torch", "tqdm", "pandas", "IPython"} & set(sys.modules)
heavy |= {f"scipy.{part}" for part in ("fft", "linalg", "ndimage", "optimize", "sparse")} & set(sys.modules)
print(len(compilations.buffer), sorted(heavy))
"""


def test_importing_compiles_nothing_and_loads_nothing_heavy(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 []"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

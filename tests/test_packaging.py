import configparser
import tomllib
from importlib import metadata, resources
from pathlib import Path

import turingdiff as td

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_setup_cfg_holds_only_what_has_no_home_in_pyproject():
    sections = configparser.ConfigParser()
    assert sections.read(ROOT / "setup.cfg")
    assert not {"metadata", "options", "tool:pytest", "flake8", "isort"} & set(sections.sections())
    assert not [name for name in sections.sections() if name.startswith(("options.", "tool:"))]


def test_there_is_one_version():
    assert td.__version__ == metadata.version("turingdiff") == PROJECT["project"]["version"]


def test_types_and_data_are_shipped():
    shipped = PROJECT["tool"]["setuptools"]["package-data"]
    assert "py.typed" in shipped["turingdiff"]
    assert {"*.npz", "NOTICE"} <= set(shipped["turingdiff.data"])
    assert resources.files("turingdiff").joinpath("py.typed").is_file()
    assert resources.files("turingdiff.data").joinpath("NOTICE").is_file()


def test_every_folder_of_code_is_a_package():
    folders = {path.parent for path in (ROOT / "turingdiff").rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").is_file()]


def test_the_bundled_images_are_small():
    path = resources.files("turingdiff.data").joinpath("fashion.npz")
    assert 100_000 < path.stat().st_size < 1_500_000


def test_dependencies_are_declared_once_and_with_a_floor():
    declared = PROJECT["project"]["dependencies"]
    assert all(">=" in requirement for requirement in declared)
    names = [requirement.split(">=")[0] for requirement in declared]
    assert len(names) == len(set(names))
    assert {"numpy", "numba", "scipy"} <= set(names)


def test_the_command_line_has_an_entry_point():
    (entry,) = metadata.entry_points(group="console_scripts", name="turingdiff")
    assert entry.value == PROJECT["project"]["scripts"]["turingdiff"] == "turingdiff.cli:main"
    assert callable(entry.load())


def test_licence_files_exist():
    for name in PROJECT["project"]["license-files"]:
        assert (ROOT / name).is_file()


def test_warnings_are_errors_and_the_markers_are_known(pytestconfig):
    assert pytestconfig.getini("filterwarnings") == ["error"]
    markers = {line.split(":")[0] for line in pytestconfig.getini("markers")}
    assert {"slow", "compiled"} <= markers

"""The examples and the pages of the documentation, run as a reader would run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quick import slow_unless

import turingdiff as td

ROOT = Path(__file__).parents[1]
SAVED = {"film.gif", "figure.png", "figure.svg", "table.csv", "table.json"}
EXAMPLES = {
    "gallery": {"gallery.png"},
    "side_by_side": {"index.html", *SAVED},
    "black_and_white": {"figure.png"},
    **{
        f"claim_{name}": {"figure.png", "numbers.json"}
        for name in ("creativity", "determinism", "extra_fingers", "healing", "limits", "local_order", "mosaic")
    },
    "cut_and_heal": {"film.gif", "figure.png"},
    "larger_canvas": {"film.gif", "figure.png"},
    "learned_texture": {"figure.png"},
    "limb_bud": {"limb_bud.gif", "limb_bud.png"},
    "locality_dial": {"figure.png"},
    "patch_mosaic": {"figure.png"},
    "what_each_level_decides": {"film.gif", "figure.png"},
    "memorise_or_create": {"film.gif", "figure.png"},
    "theory_and_network": SAVED,
    "light_cones": {"figure.png"},
    "dust_and_back": {"figure.png"},
    "digits": {"digits.gif", "figure.png"},
    "gray_scott_atlas": {"figure.png"},
    "turing_ring": {"figure.png"},
    "turing_space": {"figure.png"},
    "your_own_rule": {"fitzhugh_nagumo.gif", "life.gif"},
}
QUICK = ("memorise_or_create", "turing_ring", "dust_and_back")  # both families, film and figures
PAGES = [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if path.exists()]
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(script, *arguments, cwd):
    """Run a script in a process of its own, warnings being errors; returns what it printed."""
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, "-W", "error", str(script), *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def code_of(page):
    """The Python blocks of a page, on the lines where they stand, so that a traceback points into the page."""
    text = page.read_text(encoding="utf-8")
    lines = [""] * text.count("\n")
    for block in CODE.finditer(text):
        first = text.count("\n", 0, block.start(1))
        inside = block[1].splitlines()
        lines[first : first + len(inside)] = inside
    return "\n".join(lines) + "\n"


def title(page):
    """The name of a page in the report of the tests."""
    return str(page.relative_to(ROOT).with_suffix(""))


def check_picture(path):
    with Image.open(path) as image:
        if path.suffix == ".gif":
            assert image.n_frames > 1
            first = np.asarray(image.convert("L"))
            image.seek(image.n_frames - 1)
            assert not np.array_equal(first, np.asarray(image.convert("L")))
        pixels = np.asarray(image.convert("L"))
    assert min(pixels.shape) >= 200
    assert pixels.std() > 10


def test_every_example_is_known_here():
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == set(EXAMPLES)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Run an example once: what it printed, and where its files are."""
    results = {}

    def make(name):
        if name not in results:
            folder = tmp_path_factory.mktemp(name)
            printed = run(ROOT / "examples" / f"{name}.py", "--quick", "--out", "here", cwd=folder)
            results[name] = printed, folder / "here" / name
        return results[name]

    return make


@pytest.mark.compiled
@pytest.mark.parametrize("name", slow_unless(QUICK.__contains__, EXAMPLES))
def test_an_example_makes_what_it_promises(made, name):
    _, folder = made(name)
    assert {path.name for path in folder.iterdir()} == EXAMPLES[name]
    for path in folder.iterdir():
        if path.suffix in (".gif", ".png"):
            check_picture(path)


@pytest.mark.compiled
def test_the_ideal_machine_remembers_and_the_local_ones_create(made):
    printed, _ = made("memorise_or_create")
    novelty = {line.split()[0]: float(line.split()[-1]) for line in printed.splitlines()}
    assert list(novelty) == ["ideal", "ES", "smoothed", "Wiener", "PCA-local", "composite", "LS", "ELS"]
    assert novelty["ideal"] == 0
    assert novelty["ES"] < 0.01  # a shifted training image
    assert min(novelty["LS"], novelty["ELS"]) > 0.5


@pytest.mark.compiled
def test_identity_is_kept_at_low_noise_only(made):
    printed, _ = made("dust_and_back")
    r2 = {}
    for line in printed.splitlines():
        name, *_, value = line.split()
        r2.setdefault(name, []).append(float(value))
    assert list(r2) == ["ideal", "ELS"]
    assert len(r2["ideal"]) == len(r2["ELS"]) == 7
    for values in r2.values():
        assert values[0] > 0.99  # from the lowest noise
        assert values[-1] < 0.9  # to the highest


@pytest.mark.slow
@pytest.mark.compiled
def test_runs_do_what_the_map_of_turing_space_says(made):
    printed, _ = made("turing_space")
    lines = [line.split() for line in printed.splitlines()]
    spread = {words[1]: (float(words[6].strip(",")), float(words[10])) for words in lines if words[0] in "ABCD"}
    assert list(spread) == ["stable", "Turing", "Hopf", "Turing-Hopf"]
    assert max(spread["stable"]) < 0.01
    assert spread["Turing"][0] > 0.3 > 0.01 > spread["Turing"][1]  # a pattern that stands
    assert spread["Hopf"][1] > 0.3  # a field that swings
    assert spread["Turing-Hopf"][0] > 0.3
    predicted, measured = (float(lines[5][n].strip(",")) for n in (4, 6))
    assert measured == pytest.approx(predicted, rel=0.15)


@pytest.mark.compiled
def test_rings_grow_a_lobe_for_about_six_cells(made):
    printed, _ = made("turing_ring")
    lobes = {}
    for line in printed.splitlines():
        cells, counts = re.match(r"(\d+) cells: lobes \[([\d, ]+)\]", line).groups()
        lobes[int(cells)] = [int(count) for count in counts.split(",")]
    assert list(lobes) == [12, 20]
    assert set(lobes[12]) == {2}
    assert set(lobes[20]) <= {3, 4}


@pytest.mark.slow
@pytest.mark.compiled
def test_a_lower_dose_makes_more_and_thinner_digits(made):
    printed, _ = made("digits")
    number = r"(\d+\.\d+)"
    pattern = rf"dose {number}: wavelength predicted {number}, at t = \d+ {number}, .* {number}; .* (\d+)"
    low, high = (np.array(re.match(pattern, line).groups(), float) for line in printed.splitlines())
    assert low[0] < high[0]
    assert low[4] > high[4]  # digits
    assert low[3] < high[3]  # wavelength at the end
    for _, predicted, first, end, _ in (low, high):
        assert abs(first / predicted - 1) < 0.25
        assert end > 0.9 * first


@pytest.mark.slow
@pytest.mark.compiled
def test_the_atlas_tells_what_moves(made):
    printed, _ = made("gray_scott_atlas")
    motion = dict(line.split()[:2] for line in printed.splitlines() if line.endswith("regions"))
    steady = {"delta": "steady", "lambda": "steady", "nu": "steady", "rho": "steady"}
    assert motion == {"alpha": "moves", "epsilon": "moves", **steady}


def test_the_curves_of_the_atlas_are_those_of_the_blue_state(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    from gray_scott_atlas import hopf, saddle_node

    for k in (0.02, 0.04, 0.06):
        for F in saddle_node(k):
            assert 4 * (F + k) ** 2 == pytest.approx(F, rel=1e-12)
        # On Hopf's curve v² = k and u v = F + k, and the feed makes up for what reacts.
        F, v = hopf(k), np.sqrt(k)
        assert F * (1 - (F + k) / v) == pytest.approx((F + k) * v, rel=1e-12)
        assert saddle_node(k)[0] < F < saddle_node(k)[1]


@pytest.mark.compiled
def test_the_gun_of_the_example_fires_a_glider_every_30_generations(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    from your_own_rule import GUN, life

    board = np.zeros((1, 60, 80))
    board[0, 2:11, 2:38] = [[letter == "O" for letter in line] for line in GUN]
    rule = td.Rule(life, (), ["alive"], td.Neighbourhood(1, "zero"))
    counts = [int(field.sum()) for _, field in td.evolve(rule, board, td.uniform(0, 120, 1), every=30)]
    assert counts == [36, 41, 46, 51, 56]  # a glider has five cells


@pytest.mark.compiled
def test_the_steady_state_of_the_example_is_one(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    from your_own_rule import fitzhugh_nagumo

    rule = fitzhugh_nagumo()
    field = rule.steady_state().reshape(2, 1, 1) + np.zeros((2, 4, 4))
    np.testing.assert_allclose(rule.rate(field), 0, atol=1e-15)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("page", [page for page in PAGES if code_of(page).strip()], ids=title)
def test_the_code_of_a_page_runs(page, tmp_path):
    script = tmp_path / f"{page.stem}.py"
    script.write_text(code_of(page), encoding="utf-8")
    run(script, cwd=tmp_path)


@pytest.mark.compiled
def test_the_pytorch_code_of_the_pages_runs(tmp_path):
    pytest.importorskip("torch")
    for page in PAGES:
        for block in re.findall(r"^```py\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            script = tmp_path / f"{page.stem}.py"
            script.write_text(block, encoding="utf-8")
            run(script, cwd=tmp_path)


def anchors(page):
    """What GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_the_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        other = page.parent / name if name else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_every_system_is_in_the_documentation():
    for page in (ROOT / "README.md", ROOT / "docs" / "systems.md"):
        text = page.read_text(encoding="utf-8")
        assert [name for name in td.morphogenesis.__all__ if f"`{name}`" not in text] == []

"""The page of `turingdiff compare`, opened in a headless Chromium: it shows what was measured, and answers clicks."""

import json
import time

import chromium
import numpy as np
import pytest

import turingdiff as td
from turingdiff.show.report import _differences

TITLE = "Turing <b>&'{{data}}</script>"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.compiled,
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium (Debian: apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def result():
    images = td.data.fashion()[0][:20]
    rules = {
        TITLE: td.morphogenesis.schnakenberg("spots", t_end=6.0, dx=1.0),
        "ELS": td.denoising.equivariant_local(images, patch=5, boundary="periodic"),
        "ideal": td.denoising.ideal(images),
        "wiener": td.denoising.wiener(images),
    }
    return td.compare(rules, samples=2, shapes={TITLE: (32, 40)}, frames=30)


@pytest.fixture(scope="module")
def folder(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    result.save(folder, command="turingdiff compare --out '<i>&amp;'")
    return folder


@pytest.fixture(scope="module")
def page(folder, tmp_path_factory):
    alone = tmp_path_factory.mktemp("alone") / "index.html"
    alone.write_bytes((folder / "index.html").read_bytes())  # nothing beside it
    with chromium.browser(tmp_path_factory.mktemp("profile")) as page:
        page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        page.resize(1400)
        page.call("Page.navigate", url=alone.as_uri())
        page.wait_for("document.body && document.body.dataset.ready")
        yield page


def click(page, selector, row, column, shape):
    """Click the middle of a cell of a canvas."""
    page.value(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
    box = json.loads(page.value(f"JSON.stringify(document.querySelector({selector!r}).getBoundingClientRect())"))
    page.click(
        box["left"] + (column + 0.5) * box["width"] / shape[1], box["top"] + (row + 0.5) * box["height"] / shape[0]
    )


def answer(page, section):
    """What the section says, as data."""
    return json.loads(page.value(f"JSON.stringify({{...document.querySelector({section + ' .answer'!r}).dataset}})"))


def cells_drawn(page, selector, shape):
    """(H, W) the red of a canvas in the middle of every cell."""
    script = f"""(() => {{
        const c = document.querySelector({selector!r}), s = c.width / {shape[1]}, h = Math.floor(s / 2);
        const copy = new OffscreenCanvas(c.width, c.height).getContext("2d", {{willReadFrequently: true}});
        copy.drawImage(c, 0, 0);
        const d = copy.getImageData(0, 0, c.width, c.height).data, found = [];
        for (let i = 0; i < {shape[0]}; i++) for (let j = 0; j < {shape[1]}; j++)
            found.push(d[4 * ((i * s + h) * c.width + j * s + h)]);
        return found;
    }})()"""
    return np.array(page.value(script)).reshape(shape)


def section_of(page, kind, title):
    """Give the section of a rule a name of its own, and return its selector."""
    return page.value(
        f"""(() => {{
            const all = [...document.querySelectorAll("section.{kind}")];
            const one = all.find(s => s.querySelector("h2").textContent.endsWith({title!r}));
            one.id = "{kind}-" + all.indexOf(one);
            return "#" + one.id;
        }})()"""
    )


def test_it_loads_without_errors_and_asks_for_nothing(page):
    assert page.complaints() == []
    asked = [url for url in page.requests() if not url.startswith("data:")]
    assert len(asked) == 1
    assert asked[0].startswith("file:///")


def test_all_pictures_decode(page):
    sizes = page.value("[...document.images].map(i => i.complete ? [i.naturalWidth, i.naturalHeight] : [0, 0])")
    assert len(sizes) == 2
    assert min(min(size) for size in sizes) > 200
    assert page.value("[...document.images].every(i => i.alt.length > 20)")
    assert page.value("[...document.querySelectorAll('main canvas.pick, canvas.source, canvas.map')]"
                      ".every(c => c.getAttribute('aria-label').length > 20)")  # fmt: skip


def test_the_table_is_that_of_the_json(page, folder):
    rows = page.value("[...document.querySelectorAll('table tr')].map(r => [...r.children].map(c => c.textContent))")
    held = json.loads((folder / "table.json").read_text(encoding="utf-8"))
    assert rows[0] == ["measure", *held["columns"]]
    expected = [
        [row["name"] + (f" [{row['unit']}]" if row["unit"] else ""), *(cell["text"] for cell in row["cells"])]
        for row in held["rows"]
    ]
    assert rows[1:] == expected
    assert len(expected) > 20


def test_what_a_user_wrote_is_text(page, folder):
    assert page.value("document.title").startswith(TITLE)
    assert page.value("document.querySelector('#command').textContent") == "turingdiff compare --out '<i>&amp;'"
    assert page.value("document.querySelectorAll('main b:not(.scale b), main i:not(.scale i, .bar i)').length") == 0
    assert page.value("document.querySelector('.perturbations h2').textContent").endswith(TITLE)


@pytest.mark.parametrize("name, row, column", [("ELS", 0, 27), ("ELS", 13, 9), ("ideal", 20, 20)])
def test_a_click_on_a_pixel_shows_its_source_at_every_level(page, result, name, row, column):
    column_of = result.columns[name]
    machine, run = column_of.rule, column_of.run
    section = section_of(page, "sources", name)
    page.value(f"document.querySelectorAll({section + ' .choices button'!r})[1].click()")
    levels = page.value(f"document.querySelectorAll({section + ' .strip button'!r}).length")
    assert levels == len(column_of.pixel_sources.sigma) == 16
    for k in (0, 8, 14, 15):
        page.value(f"document.querySelectorAll({section + ' .strip button'!r})[{k}].click()")
        click(page, f"{section} .pick", row, column, (28, 28))
        said = answer(page, section)
        sigma = column_of.pixel_sources.sigma[k]
        field = run.frames[np.flatnonzero(run.times == sigma)[0], 1]
        exact = td.denoising.mosaic(machine, field, sigma=sigma or None)
        assert (int(said["y"]), int(said["x"]), int(said["level"]), int(said["sample"])) == (row, column, k, 1)
        assert int(said["image"]) == exact.image[row, column]
        assert (int(said["row"]), int(said["column"])) == (exact.row[row, column], exact.column[row, column])
        assert float(said["weight"]) == pytest.approx(exact.weight[row, column], rel=1e-6)
        uncertainty = td.denoising.uncertainty(machine, field, sigma or float(machine.times()[-2]))
        assert float(said["contributions"]) == pytest.approx(uncertainty.sources[row, column], rel=1e-4)
        told = page.value(f"document.querySelector({section + ' .answer'!r}).innerText")
        assert f"training image {said['image']}" in told
        if 10 < uncertainty.sources[row, column] < 999:
            assert f"the largest of about {round(uncertainty.sources[row, column])} contributions is" in told
        bar = page.value(f"document.querySelector({section + ' .bar i'!r}).style.width")
        assert float(bar.removesuffix("%")) == pytest.approx(100 * exact.weight[row, column], rel=1e-3)
        drawn = cells_drawn(page, f"{section} .source", (28, 28))
        source = td.data.from_unit(machine.images)[exact.image[row, column], 0].astype(int)
        assert (np.abs(drawn - source) <= 1).mean() > 0.9  # all but the outlines
        assert drawn[exact.row[row, column], exact.column[row, column]] == pytest.approx(
            source[exact.row[row, column], exact.column[row, column]], abs=1
        )


def test_arrow_keys_move_the_pixel_and_stop_at_the_edge(page):
    section = section_of(page, "sources", "ELS")
    click(page, f"{section} .pick", 1, 5, (28, 28))
    page.value(f"document.querySelector({section + ' .pick'!r}).focus()")
    for key, place in (("ArrowUp", (0, 5)), ("ArrowUp", (0, 5)), ("ArrowRight", (0, 6)), ("ArrowDown", (1, 6))):
        page.press(key)
        said = answer(page, section)
        assert (int(said["y"]), int(said["x"])) == place


def test_a_click_on_a_cell_shows_its_influence_cone(page, result):
    column = result.columns[TITLE]
    section, found = section_of(page, "perturbations", TITLE), column.perturbations
    for (row, place), k in (((3, 38), 2), ((30, 1), len(found.times) - 1)):
        slider = f"document.querySelector({section + ' input'!r})"
        page.value(f"{slider}.value = {k}, {slider}.dispatchEvent(new Event('input'))")
        click(page, f"{section} .pick", row, place, (32, 40))
        said = answer(page, section)
        at = int(said["y"]), int(said["x"])
        assert abs(at[0] - row) <= 2
        assert abs(at[1] - place) <= 3
        frame = int(np.flatnonzero(column.run.times == found.times[0])[0])
        clock = np.asarray(column.rule.times())
        times = clock[clock >= found.times[0]][: found.steps[k] + 1]
        cone = td.measure.influence(column.rule, column.run.frames[frame, 0], times, at, every=len(times))
        assert (float(said["detectable"]), float(said["visible"])) == (cone.radius[-1], cone.reach(0.01)[-1])
        assert float(said["bound"]) == cone.bound[-1]
        drawn = cells_drawn(page, f"{section} .map", (32, 40))
        untouched = cone.maps[-1] == 0
        assert ((drawn == 217) == untouched).mean() > 0.95  # all but the ring
    assert untouched.mean() < 1


def test_a_machine_without_sources_says_so(page):
    text = page.value(
        "[...document.querySelectorAll('#panels section')].map(s => s.innerText).find(t => t.startsWith('wiener'))"
    )
    assert "no contributions" in text


@pytest.mark.parametrize("width", [400, 1400])
def test_it_is_readable(page, width, tmp_path):
    page.resize(width)
    page.wait_for(f"innerWidth === {width}")
    time.sleep(0.2)
    assert page.value("document.documentElement.scrollWidth") <= width
    outside = page.value(
        f"""[...document.querySelectorAll("h1, h2, p, figcaption, canvas, button, input, output, .chart, code")]
            .filter(e => {{
                const b = e.getBoundingClientRect();
                return b.width && (b.left < 0 || b.right > {width} + 1);
            }})
            .map(e => e.tagName + " " + e.textContent.slice(0, 40))"""
    )
    assert outside == []
    small = page.value(
        """[...document.querySelectorAll("main *")].filter(e => e.childNodes.length && e.checkVisibility() &&
            [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
            .filter(e => parseFloat(getComputedStyle(e).fontSize) < 12.5)
            .map(e => e.tagName + " " + e.textContent.slice(0, 40))"""
    )
    assert small == []
    pick = page.value("document.querySelector('.sources .pick').getBoundingClientRect().width")
    assert pick >= 300
    page.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 100_000
    assert page.complaints() == []


def test_a_map_has_a_shade_for_every_size_and_none_for_nothing():
    shades = _differences(np.array([[[0, 1e-9, 1e-6, 1e-3, 1.0]], [[0, 0, 0, 0, 0]]]))
    assert shades.tolist() == [[[0, 1, 1, 13, 24]], [[0, 0, 0, 0, 0]]]

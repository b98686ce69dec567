"""`turingdiff live`: sessions are their record; the page's server gives what the engine holds, and to nobody else."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

import chromium
import numpy as np
import pytest

import turingdiff as td
from turingdiff.cli import main
from turingdiff.engine import BlowUpError
from turingdiff.live.growing import system_of
from turingdiff.live.open_session import open_machine, open_session, replay
from turingdiff.live.panels import measures, sources, theory
from turingdiff.live.server import Server

SHAPE = (20, 24)


def brush(*points, **options):
    return {"kind": "brush", "points": [list(point) for point in points], **options}


def growing(**options):
    return open_session("schnakenberg", SHAPE, **options)


@pytest.fixture(scope="module")
def machine():
    images, labels = td.data.fashion()
    return td.denoising.equivariant_local(images[:12], labels=labels[:12])


def touched_system():
    session = growing(preset="spots")
    session.advance(7)
    session.apply({"kind": "set", "name": "Dv", "value": 15.0})
    session.advance(3)
    session.apply(brush((0, 23), (5, 5), radius=2, channel=1, value=2.5))
    session.apply({"kind": "step", "steps": 4})
    session.apply({"kind": "boundary", "name": "no_flux"})
    session.apply(brush((10, 10), radius=3))
    session.apply(brush((12, 4), radius=3, value=2.0, density=0.3))
    session.advance(6)
    return session


def touched_machine():
    session = open_machine("equivariant_local", limit=12)
    session.advance(9)
    session.apply({"kind": "level", "index": 6})
    session.advance(2)
    session.apply({"kind": "patch", "size": 5})
    session.apply(brush((14, 14), radius=3, value=1.0))
    session.apply({"kind": "noise", "index": 4})
    session.apply(brush((4, 4), radius=2))
    session.advance(5)
    return session


@pytest.mark.parametrize(
    "make", [touched_system, pytest.param(touched_machine, marks=pytest.mark.compiled)], ids=["time", "sigma"]
)
def test_a_saved_session_is_repeated_bit_for_bit(make, tmp_path):
    session = make()
    again = replay(session.save(tmp_path / "session.json"))
    assert again.field.tobytes() == session.field.tobytes()
    assert (again.step, again.clock, again.events) == (session.step, session.clock, session.events)
    film = session.film(frames=5)
    assert film.frames[-1].tobytes() == session.field.tobytes()
    assert film.times[-1] == session.clock
    assert 5 <= len(film.times) <= 9


def test_a_step_number_is_recorded_with_every_touch():
    session = touched_system()
    assert [event["step"] for event in session.events] == [7, 10, 10, 14, 14, 14]
    assert session.step == 20


def test_replay_refuses_what_it_cannot_repeat(tmp_path):
    path = touched_system().save(tmp_path / "session.json")
    record = json.loads(path.read_text())
    for changes, message in [
        ({"format": "other"}, "not a session saved by turingdiff"),
        ({"sha256": "0"}, "differs from the one saved"),
        ({"origin": {"own": "mine", "given": {}}}, "give replay that rule"),
        ({"events": [{"step": 3, "kind": "jump"}]}, "no event 'jump'"),
    ]:
        path.write_text(json.dumps(record | changes))
        with pytest.raises(ValueError, match=message):
            replay(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="not a session"):
        replay(path)
    with pytest.raises(ValueError, match=r"saved as \.json"):
        touched_system().save(tmp_path / "session.npz")


@pytest.mark.compiled
@pytest.mark.parametrize("family", ["time", "sigma"])
def test_the_python_lines_make_the_field_that_is_shown(family):
    session = growing(b=1.1) if family == "time" else open_machine("equivariant_local", limit=12, patch=5)
    session.advance(20)
    names = {}
    exec("\n".join(line for line in session.lines() if not line.startswith("td.animate")), names)
    assert names["run"].final.tobytes() == session.field.tobytes()
    session.apply(brush((3, 3), value=1.0))
    assert "replay" in "\n".join(session.lines())
    if family == "sigma":
        session.apply({"kind": "patch", "size": 3})
        session.apply({"kind": "label", "value": 0})
    session.apply({"kind": "reset"})
    session.advance(20)
    exec("\n".join(line for line in session.lines() if not line.startswith("td.animate")), names)
    assert names["run"].final.tobytes() == session.field.tobytes()


def test_the_command_line_names_what_was_chosen():
    session = growing(preset="spots", seed=3)
    session.apply({"kind": "set", "name": "b", "value": 1.0})
    session.apply({"kind": "reset"})
    session.advance(10)
    command = session.state()["command"]
    assert command.startswith("turingdiff grow schnakenberg --preset spots --set b=1.0 --size 20x24 --seed 3 --t-end ")
    assert float(command.split()[-1]) == pytest.approx(session.clock)


BAD = [
    (None, 'an object with a "kind"'),
    ({"kind": "explode"}, "no event 'explode'"),
    ({"kind": "set", "name": "b"}, "takes name, value"),
    ({"kind": "set", "name": "c", "value": 1.0}, "has no parameter 'c' to set; it has Du, Dv, a, b"),
    ({"kind": "set", "name": "b", "value": "high"}, "b must be a finite number"),
    ({"kind": "set", "name": "Dv", "value": -1.0}, "diffusion constants must be >= 0"),
    ({"kind": "preset", "name": "zebra"}, "no preset 'zebra'"),
    ({"kind": "system", "name": "zebra"}, "no system 'zebra'"),
    ({"kind": "boundary", "name": "soft"}, "boundary must be one of"),
    ({"kind": "size", "height": 0, "width": 20}, "height must be a whole number"),
    ({"kind": "size", "height": 20, "width": 10**6}, "width must be a whole number"),
    ({"kind": "seed", "value": 1.5}, "seed must be a whole number"),
    ({"kind": "step", "steps": 10**9}, "steps must be a whole number"),
    (brush(), "points must be a list"),
    (brush((0, 24), value=1.0), "column must be a whole number from 0 to 23"),
    (brush((0, 0), value=1.0, channel=2), "channel must be a whole number from 0 to 1"),
    (brush((0, 0), value=1.0, radius=-1), "radius must be from 0"),
    (brush((0, 0), value=1.0, density=2.0), "density must be from 0 to 1"),
]


@pytest.mark.parametrize("event, message", BAD, ids=range(len(BAD)))
def test_a_bad_event_is_refused_and_changes_nothing(event, message):
    session = growing()
    before = (session.field.tobytes(), session.rule, session.clock, session.state())
    with pytest.raises(ValueError, match=message):
        session.apply(event)
    assert (session.field.tobytes(), session.rule, session.clock, session.state()) == before


@pytest.mark.compiled
@pytest.mark.parametrize(
    "event, message",
    [
        ({"kind": "level", "index": 21}, "index must be a whole number from 0 to 20"),
        ({"kind": "noise", "index": 4}, "no more noise than the present one"),
        ({"kind": "patch", "size": 4}, "must be odd"),
        ({"kind": "label", "value": 77}, "no image of class 77"),
        ({"kind": "size", "height": 4, "width": 4}, "smaller patch"),
    ],
)
def test_a_bad_event_of_a_machine_is_refused_and_changes_nothing(machine, event, message):
    session = open_session(machine)
    before = (session.field.tobytes(), session.rule, session.state())
    with pytest.raises(ValueError, match=message):
        session.apply(event)
    assert (session.field.tobytes(), session.rule, session.state()) == before


def test_a_brush_sets_one_channel_in_discs_and_wraps_on_the_torus():
    session = growing()
    before = session.field.copy()
    session.apply(brush((0, 0), radius=1, channel=1, value=7.0))
    painted = session.field[1] == 7
    assert sorted(map(tuple, np.argwhere(painted).tolist())) == [(0, 0), (0, 1), (0, 23), (1, 0), (19, 0)]
    assert np.array_equal(session.field[0], before[0])
    session.apply(brush((0, 0), radius=1))
    assert session.field[:, painted] == pytest.approx(np.tile(session.rule.steady_state()[:, None], 5))


def test_a_field_that_would_not_be_finite_stays_where_it_was():
    session = growing()
    session.apply(brush((4, 4), value=1e5))
    before = session.field.tobytes()
    with pytest.raises(BlowUpError, match="reset"):
        session.advance(200)
    assert session.field.tobytes() == before
    assert session.step == 0


@td.system(species="u", radius=1, speed=1.0, floor=0.5)
def sinking(phi, i, j, t, p, g, out):
    speed, floor = p
    out[0, i, j] = speed * (floor - phi[0, i, j])


sinking.stiffness = lambda dx, speed, floor: speed
sinking.steady_state = lambda speed, floor: (floor,)


def test_a_rule_of_ones_own_has_sliders_too(tmp_path):
    rule = sinking()
    assert system_of(rule) is None
    session = open_session(rule, SHAPE)
    session.advance(3)
    session.apply({"kind": "set", "name": "floor", "value": 2.0})
    session.advance(200)
    assert session.field == pytest.approx(2.0, abs=1e-3)
    assert [one["name"] for one in session.state()["parameters"]] == ["speed", "floor"]
    again = replay(session.save(tmp_path / "own.json"), rule)
    assert again.field.tobytes() == session.field.tobytes()
    session.apply({"kind": "system", "name": "brusselator"})
    assert session.rule.name == "brusselator"
    session.apply({"kind": "system", "name": "sinking"})
    assert session.rule is rule


def test_a_rule_made_by_a_system_has_its_presets():
    rule = td.morphogenesis.schnakenberg("spots", b=1.0, dx=0.4, boundary="no_flux")
    session = open_session(rule, SHAPE)
    assert session.state()["presets"] == ["spots", "stripes"]
    assert session.rule.params == rule.params
    assert session.rule.neighbourhood == rule.neighbourhood
    assert (session.field == rule.initial(SHAPE, rng=0, dtype=np.float32)).all()


def test_open_session_refuses_what_is_no_rule():
    with pytest.raises(TypeError, match="expected a rule"):
        open_session(3)
    with pytest.raises(ValueError, match="there is no system 'zebra'"):
        open_session("zebra")
    with pytest.raises(ValueError, match="no initial state"):
        open_session(td.Rule(cell=sinking.cell, params=(1.0, 0.5), channels=1))


def test_the_panels_say_what_measure_says():
    session = growing()
    curve = td.measure.dispersion(session.rule)
    shown = theory(session.rule)
    assert shown["wavelength"] == curve.wavelength
    assert shown["growth"] == pytest.approx(curve.growth(shown["k"]), abs=1e-3)
    assert "none" in theory(td.morphogenesis.positional_information())
    waves = np.sin(2 * np.pi * np.arange(24) / 6) * np.ones((2, 20, 1)) + 2
    said = measures(session.rule, waves)
    assert said["pattern"] == "stripes"
    assert said["wavelength"] == pytest.approx(6 * session.rule.neighbourhood.dx, rel=0.05)
    assert measures(session.rule, np.ones((2, 20, 24)))["wavelength"] is None
    rest = np.stack([1e-20 * waves[0], np.ones((20, 24))])  # of a pattern that has died away
    assert measures(session.rule, rest)["pattern"] == "uniform"


@pytest.mark.compiled
@pytest.mark.parametrize("boundary", ["zero", "periodic"])
@pytest.mark.parametrize("make", [td.denoising.equivariant_local, td.denoising.local])
def test_the_sources_of_a_pixel_are_those_of_the_mosaic_and_the_entropy(make, boundary):
    machine = make(td.data.fashion()[0][:6], patch=5, boundary=boundary)
    field = machine.initial((28, 28), rng=1) / 40
    sigma = 0.7
    whole = td.denoising.mosaic(machine, field, sigma=sigma)
    entropy = td.denoising.uncertainty(machine, field, sigma)
    for row, column in [(0, 27), (13, 9), (1, 14)]:
        found = sources(machine, field, sigma, row, column)
        first = found["sources"][0]
        assert first["image"] == whole.image[row, column]
        assert (first["row"], first["column"]) == (whole.row[row, column], whole.column[row, column])
        assert first["share"] == pytest.approx(whole.weight[row, column], rel=1e-6)
        assert found["effective"] == pytest.approx(entropy.sources[row, column], rel=1e-6)
        assert found["patches"] == entropy.patches[row, column]


@pytest.mark.compiled
def test_the_sources_of_a_class_keep_their_index_with_another_patch():
    session = open_machine("equivariant_local", limit=12)
    session.apply({"kind": "label", "value": 0})
    session.apply({"kind": "patch", "size": 3})
    session.advance(1)
    found = sources(session.rule, session.field, session.clock, 14, 14)["sources"]
    classes = td.data.fashion()[1]
    assert {int(classes[one["image"]]) for one in found} == {one["label"] for one in found} == {0}
    assert max(one["image"] for one in found) >= len(session.rule.images)


# ---- the server ----


@pytest.fixture(scope="module")
def server(machine):
    sessions = [growing(), open_session(machine)]
    sessions[0].speed = 5
    with Server(sessions) as server:
        ended = threading.Event()

        def engine():
            while not ended.is_set():
                server.work(0.05)

        threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=engine)]
        for thread in threads:
            thread.start()
        yield server
        server.shutdown()
        ended.set()
        for thread in threads:
            thread.join()


def ask(server, path, event=None, token=None, body=None, **headers):
    """The status, the headers and the body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    body = json.dumps(event) if event is not None else body
    connection.request("POST" if body is not None else "GET", f"/{token or server.token}/{path}", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


@pytest.mark.compiled
def test_a_frame_is_the_state_of_the_engine_and_comes_when_it_is_asked_for(server):
    session = server.shows[0].session
    assert ask(server, "0/event", {"kind": "reset"})[0] == 200
    assert ask(server, "0/event", {"kind": "run"})[0] == 200
    number = -1
    for _ in range(4):
        status, headers, content = ask(server, f"0/frame?after={number}")
        about = json.loads(headers["X-Frame"])
        assert status == 200
        number = about["number"]
        (plane,) = about["planes"]
        assert plane["shape"] == [1, *SHAPE]
        expected = td.show.colour.indexed(session.field[:1], plane["low"], plane["high"], 256)
        assert content == expected.tobytes()
        assert about["step"] == session.step
    assert session.step % 5 == 0
    step = session.step
    assert json.loads(ask(server, "0/frame?after=-1")[1]["X-Frame"])["step"] == step  # not a step further
    assert ask(server, "0/event", {"kind": "pause"})[0] == 200
    number = json.loads(ask(server, "0/frame?after=-1")[1]["X-Frame"])["number"]
    assert ask(server, f"0/frame?after={number}")[::2] == (204, b"")
    other = ask(server, "0/frame?after=-1&channel=1")[2]
    plane = json.loads(ask(server, "0/frame?after=-1&channel=1")[1]["X-Frame"])["planes"][0]
    assert other == td.show.colour.indexed(session.field[1:], plane["low"], plane["high"], 256).tobytes()


@pytest.mark.compiled
def test_what_was_played_on_the_page_is_replayed(server, tmp_path):
    for event in ({"kind": "seed", "value": 5}, brush((9, 9), value=1.5), {"kind": "step", "steps": 3}):
        status, _, content = ask(server, "0/event", event)
        assert status == 200
    assert json.loads(content)["seed"] == 5
    path = tmp_path / "session.json"
    path.write_bytes(ask(server, "0/session.json")[2])
    assert replay(path).field.tobytes() == server.shows[0].session.field.tobytes()
    assert ask(server, "0/film.gif")[2].startswith(b"GIF8")


@pytest.mark.compiled
def test_a_machine_is_shown_with_what_it_predicts(server):
    session = server.shows[1].session
    ask(server, "1/event", {"kind": "level", "index": 2})
    while json.loads(ask(server, f"1/frame?after={session.version}")[1].get("X-Frame") or '{"step": 0}')["step"] < 2:
        pass
    _, headers, content = ask(server, "1/frame?after=-1")
    about = json.loads(headers["X-Frame"])
    assert about["clock"] == session.levels[2]
    assert not about["running"]
    noisy, predicted = np.frombuffer(content, np.uint8).reshape(2, 28, 28)
    exact = session.rule.denoise(session.field, session.clock)
    assert np.abs(predicted.astype(int) - td.show.colour.indexed(exact[0], -1, 1, 256)).max() <= 1
    assert (noisy != predicted).any()
    found = json.loads(ask(server, "1/sources?row=5&column=6")[2])
    assert found["sources"][0]["share"] <= 1


@pytest.mark.compiled
def test_foreign_pages_names_and_guesses_are_refused(server):
    home = f"127.0.0.1:{server.server_port}"
    for headers, token, status in [
        ({}, None, 200),
        ({"Origin": f"http://{home}"}, None, 200),
        ({"Host": f"localhost:{server.server_port}"}, None, 200),
        ({"Host": "evil.example"}, None, 403),
        ({"Host": "127.0.0.1"}, None, 403),
        ({"Origin": "http://evil.example"}, None, 403),
        ({"Origin": "null"}, None, 403),
        ({}, "guess", 404),
    ]:
        before = len(server.shows[0].session.events)
        assert ask(server, "0/state", token=token, **headers)[0] == status
        assert ask(server, "0/event", {"kind": "pause"}, token=token, **headers)[0] == status
        assert (len(server.shows[0].session.events) > before) == (status == 200)


@pytest.mark.compiled
@pytest.mark.parametrize(
    "path, body, status, message",
    [
        ("0/event", "{", 400, "an event is JSON"),
        ("0/event", '{"kind": "set", "name": "b", "value": NaN}', 400, "finite numbers"),
        ("0/event", '{"kind": "explode"}', 400, "no event 'explode'"),
        ("0/event", '["pause"]', 400, "an object"),
        ("0/events", "{}", 404, "events go to"),
        ("7/event", "{}", 404, "no session '7'"),
        ("0/frame?after=now", None, 400, "now"),
        ("0/frame?after=-1&channel=9", None, 400, "channel must be"),
        ("1/sources?row=99&column=0", None, 400, "no pixel"),
        ("1/sources?row=1", None, 400, "column"),
        ("0/sources?row=1&column=1", None, 400, "no training patches"),
        ("1/measures", None, 400, "runs along sigma"),
        ("0/secrets", None, 404, "no 'secrets'"),
    ],
)
def test_bad_requests_get_clear_answers(server, path, body, status, message):
    got, _, content = ask(server, path, body=body)
    assert got == status
    assert message in json.loads(content)["error"]


@pytest.mark.compiled
def test_a_body_that_is_too_long_is_not_read(server):
    status, _, content = ask(server, "0/event", body="x", **{"Content-Length": str(2**21)})
    assert status == 413
    assert "at most" in json.loads(content)["error"]


def test_the_page_is_one_file_and_asks_for_nothing_else(server):
    status, headers, content = ask(server, "")
    text = content.decode()
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "{{" not in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text


def start(*arguments):
    code = "import sys; from turingdiff.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, "live", *arguments, "--no-browser"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip


@pytest.mark.compiled
def test_the_command_prints_its_address_and_ends_with_ctrl_c():
    with start("schnakenberg", "--size", "16x16", "--port", "0") as process:
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.compiled
@pytest.mark.parametrize(
    "arguments, message",
    [(["gray_scott", "--port", "99999"], "from 0 (any that is free) to 65535"),
     (["zebra"], "no model, machine or network 'zebra'"), (["gray_scott", "--preset", "zebra"], "no preset 'zebra'"),
     (["nothing.json"], "nothing.json")],
)  # fmt: skip
def test_the_command_refuses_what_it_does_not_know(arguments, message, capsys):
    assert main(["live", "--no-browser", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_td_live_is_a_function_and_loaded_when_it_is_asked_for():
    assert callable(td.live)
    code = "import sys, turingdiff; assert 'http.server' not in sys.modules; assert callable(turingdiff.live)"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- the page ----


@pytest.fixture(scope="module")
def page(server, tmp_path_factory):
    if chromium.find() is None:
        pytest.skip("no Chromium (Debian: apt-get install chromium)")
    for number in (0, 1):
        ask(server, f"{number}/event", {"kind": "reset"})
    ask(server, "0/event", {"kind": "run"})
    with chromium.browser(tmp_path_factory.mktemp("profile")) as page:
        page.resize(1400)
        page.call("Page.navigate", url=server.url)
        page.wait_for("document.body && document.body.dataset.ready")
        yield page


def eventually(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.compiled
def test_the_page_draws_what_the_engine_holds(server, page):
    page.wait_for("sessions[0].svg.querySelector('.growth')")
    page.wait_for("sessions[0].svg.querySelector('.power')")
    assert page.value("sessions[0].views[0].canvas.width") == SHAPE[1]
    ask(server, "0/event", {"kind": "pause"})
    page.wait_for("sessions[0].rate.textContent === 'paused'")
    session = server.shows[0].session
    page.wait_for(f"sessions[0].seen === {session.version}")
    ends = json.loads(ask(server, "0/frame?after=-1")[1]["X-Frame"])["planes"][0]
    place = int(td.show.colour.indexed(session.field[0, 3, 4], ends["low"], ends["high"], 256))
    drawn = page.value("[...sessions[0].views[0].canvas.getContext('2d').getImageData(4, 3, 1, 1).data]")
    assert np.abs(np.array(drawn[:3]) - td.show.colour.colours("magma", 256)[place].astype(int)).max() <= 8


@pytest.mark.slow
@pytest.mark.compiled
def test_a_slider_changes_the_rule_and_theory_moves(server, page):
    before = page.value("sessions[0].svg.querySelector('.growth').getAttribute('d')")
    page.value("document.getElementById(sessions[0].controls.b.slider.id).focus()")
    for _ in range(3):
        page.press("ArrowRight")
    eventually(lambda: server.shows[0].session.rule.params["b"] > 0.9)
    page.wait_for(f"sessions[0].svg.querySelector('.growth').getAttribute('d') !== {before!r}")


@pytest.mark.slow
@pytest.mark.compiled
def test_painting_arrives_by_pointer_and_by_keyboard(server, page):
    ask(server, "0/event", {"kind": "pause"})
    session = server.shows[0].session
    before = len(session.events)
    page.value("sessions[0].views[0].canvas.scrollIntoView({block: 'center'})")
    box = page.value("(() => { const b = sessions[0].views[0].canvas.getBoundingClientRect();"
                     " return [b.left + b.width / 2, b.top + b.height / 2]; })()")  # fmt: skip
    page.click(*box)
    eventually(lambda: [event["kind"] for event in session.events[before:]] == ["brush"])
    assert pytest.approx(session.events[-1]["points"][0], abs=2) == [12, 12]
    page.value("sessions[0].views[0].canvas.focus()")
    page.press("ArrowDown")
    page.value("sessions[0].views[0].canvas.dispatchEvent(new KeyboardEvent('keydown', {key: ' '}))")
    eventually(lambda: [event["kind"] for event in session.events[before:]] == ["brush", "brush"])
    assert session.events[-1]["points"][0][0] == session.events[-2]["points"][0][0] + 1


@pytest.mark.slow
@pytest.mark.compiled
def test_a_click_on_a_pixel_of_a_machine_shows_its_sources(server, page):
    page.value("sessions[1].views[1].canvas.scrollIntoView({block: 'center'})")
    box = page.value("(() => { const b = sessions[1].views[1].canvas.getBoundingClientRect();"
                     " return [b.left + b.width / 2, b.top + b.height / 2]; })()")  # fmt: skip
    page.click(*box)
    page.wait_for("sessions[1].list.children.length > 0")
    assert page.value("sessions[1].list.dataset.pixel") == "14,14"


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_fits_and_every_control_has_a_name(page, width):
    page.resize(width)
    page.wait_for(f"innerWidth === {width}")
    assert page.value("document.documentElement.scrollWidth") <= width
    unnamed = """[...document.querySelectorAll('button, select, input, canvas[tabindex]')].filter(e =>
        !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim())).map(e => e.outerHTML)"""
    assert page.value(unnamed) == []
    assert page.complaints() == []

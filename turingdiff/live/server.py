"""The page's server: 127.0.0.1 only, an address that cannot be guessed, one frame for each time that it is asked.

The engine runs in the thread that calls `serve`, where compiled loops may use all cores; requests are answered in
other threads and send it their work. A page gets its next frame when it asks with the number of the last one, so that
nothing piles up, and a page that is hidden or closed lets the engine rest.
"""

from __future__ import annotations

import json
import queue
import secrets
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from turingdiff.live.film import record_film
from turingdiff.live.panels import measures, sources, theory
from turingdiff.live.session import Session
from turingdiff.live.show import Show
from turingdiff.show import animate
from turingdiff.show.colour import colours

LARGEST_BODY = 2**20
PALETTES = ("magma", "viridis", "inferno", "cividis", "twilight", "gray", "bone", "ocean", "copper", "RdBu")
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class RefusedError(Exception):
    """A request that gets another status than 200."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Server(ThreadingHTTPServer):
    """Sessions, and the queue of work for the thread of the engine."""

    daemon_threads = True

    def __init__(self, sessions: Sequence[Session], port: int = 0):
        if not 0 <= port <= 65535:
            raise ValueError(f"a port is a number from 0 (any that is free) to 65535, got {port}")
        super().__init__(("127.0.0.1", port), Handler)
        self.shows = [Show(session) for session in sessions]
        self.token = secrets.token_urlsafe(16)
        self._work: queue.SimpleQueue[tuple[Future, Callable[[], Any]]] = queue.SimpleQueue()

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.server_port}/{self.token}/"

    def ask(self, function: Callable[[], Any]) -> Any:
        """Let the engine's thread call a function between two steps; its result."""
        future: Future = Future()
        self._work.put((future, function))
        return future.result()

    def work(self, patience: float = 0.5) -> None:
        """Do one piece of work, in the thread of the engine."""
        try:
            future, function = self._work.get(timeout=patience)
        except queue.Empty:
            return
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error if isinstance(error, Exception) else RefusedError(503, "the server has ended"))
            if not isinstance(error, Exception):
                raise

    def refuse_work(self) -> None:
        """Answer what is still waiting when the engine has ended."""
        while not self._work.empty():
            self._work.get()[0].set_exception(RefusedError(503, "the server has ended"))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that was closed in the middle of a frame is nothing to report."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers: the page, state, frame, event, theory, measures, sources, session.json, film.gif and film.mp4."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for headers and body
    server: Server

    def do_GET(self) -> None:
        """Answer GET."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Answer POST."""
        self._answer(self._post)

    def _answer(self, method: Callable[[], None]) -> None:
        try:
            self._check_origin()
            method()
        except RefusedError as error:
            self._send(error.status, json.dumps({"error": str(error)}).encode())
        except (ValueError, TypeError, ArithmeticError, ImportError) as error:
            self._send(400, json.dumps({"error": str(error)}).encode())

    def _check_origin(self) -> None:
        """Only pages of this very server, at a local name: a foreign page, or name, is refused."""
        hosts = {f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")}
        if self.headers.get("Host") not in hosts:
            self.close_connection = True
            raise RefusedError(403, "this page answers to 127.0.0.1 only")
        if self.headers.get("Origin") not in {None, *(f"http://{host}" for host in hosts)}:
            self.close_connection = True
            raise RefusedError(403, "this page answers to itself only, not to other pages")

    def _parts(self) -> tuple[list[str], dict[str, str]]:
        """The path behind the token, and the query."""
        split = urlsplit(self.path)
        token, _, rest = split.path.lstrip("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self.close_connection = True
            raise RefusedError(404, "there is no such page: use the address that turingdiff printed")
        return rest.split("/"), {key: values[-1] for key, values in parse_qs(split.query).items()}

    def _show(self, number: str) -> Show:
        if not number.isdigit() or int(number) >= len(self.server.shows):
            raise RefusedError(404, f"there is no session {number!r}")
        return self.server.shows[int(number)]

    def _get(self) -> None:
        path, query = self._parts()
        if path == [""]:
            self._send(200, page(), "text/html; charset=utf-8")
            return
        if path == ["palettes"]:
            self._json({name: colours(name, 256).ravel().tolist() for name in PALETTES})
            return
        if path == ["sessions"]:
            self._json(self.server.ask(lambda: [show.session.state() for show in self.server.shows]))
            return
        if len(path) != 2:
            raise RefusedError(404, "there is no such page")
        show, ask = self._show(path[0]), self.server.ask
        session = show.session
        if path[1] == "frame":
            after, channel = _whole(query, "after", "-1"), _whole(query, "channel", "-1")
            frame = ask(lambda: show.frame(after, None if channel < 0 else channel))
            if frame is None:
                self._send(204, b"")
            else:
                about, body = frame
                self._send(200, body, "application/octet-stream", {"X-Frame": json.dumps(about)})
        elif path[1] == "state":
            self._json(ask(session.state))
        elif path[1] == "theory":
            self._json(theory(ask(lambda: session.rule)))
        elif path[1] == "measures":
            rule, field = ask(lambda: (session.rule, session.field))
            if rule.clock != "time":
                raise ValueError(f"{rule.name} runs along {rule.clock}: waves are measured of rules over time")
            self._json(measures(rule, field))
        elif path[1] == "sources":
            row, column = _whole(query, "row"), _whole(query, "column")
            rule, field, sigma = ask(lambda: (session.rule, session.field, session.clock or session.rule.times()[-2]))
            self._json(sources(rule, field, sigma, row, column))
        elif path[1] == "session.json":
            body = json.dumps(ask(session.record), indent=1).encode()
            self._send(200, body, "application/json", {"Content-Disposition": 'attachment; filename="session.json"'})
        elif path[1] in ("film.gif", "film.mp4"):
            self._send(200, self._film(session, path[1]), "image/gif" if path[1].endswith("gif") else "video/mp4",
                       {"Content-Disposition": f'attachment; filename="{path[1]}"'})  # fmt: skip
        else:
            raise RefusedError(404, f"there is no {path[1]!r}")

    def _film(self, session: Session, name: str) -> bytes:
        marks = self.server.ask(session.marks)
        run = record_film(session.repeated(), *marks)  # in this thread, beside the run that goes on
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            animate(run, path)
            return path.read_bytes()

    def _post(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            raise RefusedError(413, f"an event is at most {LARGEST_BODY} bytes of JSON")
        body = self.rfile.read(int(length))
        path, _ = self._parts()
        if len(path) != 2 or path[1] != "event":
            raise RefusedError(404, "events go to the address .../NUMBER/event")
        show = self._show(path[0])
        try:
            event = json.loads(body)
        except ValueError as error:
            raise ValueError(f"an event is JSON: {error}") from None
        self._json(self.server.ask(lambda: show.event(event)))

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode())

    def _send(
        self, status: int, body: bytes, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        rest = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
                "Cross-Origin-Resource-Policy": "same-origin", "Content-Security-Policy": POLICY}  # fmt: skip
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **rest, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal shows the address only."""


def _whole(query: dict[str, str], name: str, default: str = "") -> int:
    text = query.get(name, default)
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, got {text!r}") from None


@cache
def page() -> bytes:
    """The page, one file: its style and its script stand in it."""
    folder = resources.files("turingdiff.live")
    text = folder.joinpath("page.html").read_text(encoding="utf-8")
    for name in ("page.css", "page.js"):
        text = text.replace(f"{{{{{name}}}}}", folder.joinpath(name).read_text(encoding="utf-8"))
    return text.encode()


def serve(sessions: Sequence[Session], port: int = 0, browser: bool = True) -> None:
    """Show sessions on a page until Ctrl-C; prints its address."""
    with Server(sessions, port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            print(server.url, flush=True)
            if browser:
                webbrowser.open(server.url)
            while True:
                server.work()
        except KeyboardInterrupt:
            pass  # the way to end it
        finally:
            server.shutdown()
            server.refuse_work()

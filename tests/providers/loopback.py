"""A server that says what it is told, and a transport that reaches it under an address that can never resolve."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

from calendar_ext.limits import Limits
from calendar_ext.providers.base import Token
from calendar_ext.providers.http import Transport

HOST = "calendar.standin.invalid"
BASE = f"https://{HOST}"


class LoopbackTransport(Transport):
    """Sends `https://*.standin.invalid` to one port of this machine."""

    standin = True

    def __init__(self, base_url: str, *, hosts: tuple[str, ...] = (HOST,), limits: Limits | None = None) -> None:
        super().__init__(hosts, limits=limits)
        self.base_url = base_url

    def route(self, url: str) -> str:
        host, _, path = url.removeprefix("https://").partition("/")
        return f"{self.base_url}/{path}" if host.endswith(".standin.invalid") else url

    def browser_url(self, url: str) -> str:
        return self.route(url)


Say = Callable[[BaseHTTPRequestHandler], None]


def answer(body: Any = None, status: int = 200, **headers: str) -> Say:
    """Return one complete answer; a body that is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)

    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return say


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Take the request and end the connection without a word."""
    handler.close_connection = True


@dataclass
class Script:
    """What the server says next, the last line for ever, and what it was asked."""

    lines: list[Say] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    base_url: str = ""

    def next(self) -> Say:
        return self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are what is tried here."""


@contextmanager
def serving() -> Iterator[Script]:
    """Serve a script on loopback."""
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            pass

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.asked.append((self.command, self.path, dict(self.headers), body))
            script.connections.add(self.client_address)
            try:
                script.next()(self)
            except ConnectionError:
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any

    with _QuietServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        script.base_url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield script
        finally:
            server.shutdown()


class Tokens:
    """A token source of canaries: `renew` gives the next one."""

    def __init__(self, *access: str, scopes: tuple[str, ...] = ()) -> None:
        self.left = [Token(one, "1//0canaryRefresh", 2_000_000_000, scopes) for one in access or ("ya29.canaryAccess",)]
        self.renewed: list[str] = []

    def current(self) -> Token:
        return self.left[0]

    def renew(self, stale: Token) -> Token:
        self.renewed.append(stale.access)
        if len(self.left) > 1:
            self.left.pop(0)
        return self.left[0]

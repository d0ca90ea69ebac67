"""A threaded HTTP/1.1 server for WSGI applications, on loopback only.

werkzeug's own development server ends every connection after one answer and waits 10 ms for leftovers; clients that
keep their connections, as real ones do with the real services, could not be tried or measured against it.
"""

from __future__ import annotations

import io
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

#: Set by an application in the environ to have the connection cut after that many bytes of the answer.
CUT = "standin.cut"

_LARGEST_BODY = 64 * 2**20


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "standin"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 120
    server: LoopbackServer

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: addresses carry codes and tokens."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.send_error(413)
            return
        environ = self._environ(self.rfile.read(length))
        head: dict[str, Any] = {}

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], None]:
            head.update(status=status, headers=headers)
            return lambda data: None

        chunks = self.server.application(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        self._send(environ, head, body)

    def _send(self, environ: dict[str, Any], head: dict[str, Any], body: bytes) -> None:
        code, _, reason = head["status"].partition(" ")
        lines = [f"HTTP/1.1 {code} {reason}", *(f"{name}: {value}" for name, value in head["headers"])]
        if code not in ("204", "304") and not any(line.lower().startswith("content-length:") for line in lines):
            lines.append(f"Content-Length: {len(body)}")
        raw = "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if self.command == "HEAD" else body)
        cut = environ.get(CUT)
        self.wfile.write(raw if cut is None else raw[: int(cut)])
        if cut is not None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "RAW_URI": self.path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ


class LoopbackServer(ThreadingHTTPServer):
    """Serve one WSGI application on 127.0.0.1; `port` 0 takes any free one. Never binds to another address."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, application: Callable[..., Iterable[bytes]], port: int = 0) -> None:
        self.application = application
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def base_url(self) -> str:
        """Return the address clients start from, without a slash at the end."""
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Serve from a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="standin", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, end kept connections and free the port."""
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            self._end(connection)
        self._thread.join(5)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; anything else is a fault of the stand-in and is shown."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    @staticmethod
    def _end(connection: socket.socket) -> None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

"""The stand-in as a server: the application, and the handle that tests and the demo hold it by."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from ..loopback import CUT, LoopbackServer
from . import api, control, entrance, importing, pages, seeding
from .errors import ApiError, not_imitated
from .oauth import LIFE
from .state import State

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def application(state: State) -> Flask:
    """Return the Flask application over a state."""
    app = Flask(__name__)
    app.extensions["standin"] = state
    for part in (api, entrance, control, pages):
        app.register_blueprint(part.blueprint)
    app.before_request(_guard)
    app.after_request(_finish)
    app.register_error_handler(ApiError, _refuse)
    app.register_error_handler(HTTPException, _unknown)
    return app


def _guard() -> Response | None:
    """Refuse foreign hosts (host-contract.md 12: a page elsewhere must not reach this by another name), then faults."""
    if request.host.rsplit(":", 1)[0] not in _LOOPBACK and request.host not in _LOOPBACK:
        raise ApiError(421, "foreignHost", "This stand-in answers on loopback only.", domain="standin")
    if not _is_product_traffic():
        return None
    state = api.state()
    if state.faults.latency:
        time.sleep(state.faults.latency)
    with state.lock:
        return _suffer(state)


def _is_product_traffic() -> bool:
    return request.path.startswith("/calendar/v3/") or request.path in ("/token", "/revoke", "/v1/userinfo")


def _method() -> str:
    return (request.endpoint or "").partition(".")[2].replace("_", ".")


def _suffer(state: State) -> Response | None:
    fault = state.faults.take(_method(), request.path)
    if fault is not None:
        g.fault = fault.kind
        if fault.kind == "status":
            raise fault.error()
        if fault.kind == "dropped":
            return Response(status=500)
    if state.faults.quota is not None:
        state.faults.quota.spend(state.now())
    return None


def _finish(response: Response) -> Response:
    response.headers["X-Standin"] = "1"
    if _is_product_traffic():
        size = response.content_length or 0
        with api.state().lock:
            api.state().statistics.count(_method(), response.status_code, size)
        kind = g.get("fault")
        if kind in ("lost", "dropped"):
            request.environ[CUT] = 0
        elif kind == "cut":
            request.environ[CUT] = max(size // 2, 1)
    return response


def _refuse(error: ApiError) -> Response:
    headers = {"Content-Type": "application/json; charset=UTF-8", **error.headers}
    return Response(orjson.dumps(error.body()), status=error.status, headers=headers)


def _unknown(error: HTTPException) -> Response:
    if error.code in (404, 405):
        return _refuse(not_imitated(f"{request.method} {request.path}"))
    return _refuse(ApiError(error.code or 500, "badRequest", error.description or error.name))


class Standin:
    """A running stand-in. Use it as a context manager, or `close` it."""

    def __init__(self, state: State, port: int) -> None:
        self.state = state
        self._server = LoopbackServer(application(state), port)
        self.base_url = self._server.base_url
        state.base_url = self.base_url

    def start(self) -> Standin:
        """Begin to serve, from a thread of its own."""
        self._server.start()
        return self

    def token(self, *, email: str = "", scopes: Sequence[str] | None = None, expires_in: float = LIFE) -> str:
        """Return a fresh access token; by default for everything in the first account's calendars."""
        with self.state.lock:
            return control.make_token(self.state, email, list(scopes) if scopes else None, expires_in)

    def control(self, name: str, **facts: Any) -> Any:
        """Do what `POST /_control/<name>` does."""
        return control.perform(self.state, name, facts)

    def close(self) -> None:
        """Stop serving and end every connection."""
        self._server.stop()

    def __enter__(self) -> Standin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(
    port: int = 0, clock: Callable[[], float] | None = None, ics: str | os.PathLike[str] | None = None
) -> Standin:
    """Start a fresh stand-in on 127.0.0.1 and return it.

    :param port: 0 takes any free one.
    :param clock: UTC seconds; by default the real time.
    :param ics: a file whose events fill the first account's primary calendar instead of the usual few.
    :raises OSError: the file cannot be read.
    :raises calendar_ext.errors.Refused: it is no calendar, or above 20 MiB; the message is a sentence.
    """
    state = State(clock=clock or time.time)
    standin = Standin(state, port)
    try:
        seeding.begin(state)
        if ics is not None:
            importing.fill(state, ics)
    except BaseException:
        standin._server.server_close()
        raise
    return standin.start()

"""The demo's processes: a stand-in provider and the reference host, both on loopback, until Ctrl-C."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from calendar_ext.errors import CalendarExtError

from . import state
from .host import create_app, db, seed
from .providers import STANDINS, Standin

log = logging.getLogger("demo")
USUAL_PORT = 5000
#: A file, a port or a setting that cannot be used.
UNUSABLE = (OSError, ValueError, CalendarExtError)


@dataclass
class Demo:
    """A running demo: where the host answers, and the stand-in behind it."""

    base_url: str
    app: Flask
    standin: Standin


class _Quiet(WSGIRequestHandler):
    """Keeps connections, and logs no addresses: they may carry codes."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def running(
    home: Path,
    *,
    port: int = 0,
    provider: str = "google",
    ics: str | None = None,
    database: str | None = None,
    **config: Any,
) -> Iterator[Demo]:
    """Start a stand-in and the host, and stop both at the end.

    :param home: the folder for the database and the keys.
    :param config: further settings of the host.
    """
    port = port or _free_port()
    base_url = f"http://127.0.0.1:{port}"
    # Half of what lets a process use accounts of a stand-in; the other half is the transport, passed in code.
    os.environ["CALENDAR_EXT_ALLOW_STANDINS"] = "1"
    with STANDINS[provider](ics) as standin:
        settings = state.settings(home, base_url, database) | standin.settings | config
        app = create_app(settings, transport=standin.transport)
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, name="harbor", daemon=True)
        thread.start()
        try:
            yield Demo(base_url, app, standin)
        finally:
            _stop(server, thread, app)


def _stop(server: BaseWSGIServer, thread: threading.Thread, app: Flask) -> None:
    server.shutdown()
    thread.join(10)
    server.server_close()
    for extension in app.extensions["harbor"].extensions.values():
        _stop_extension(extension.plugin)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _stop_extension(plugin: Any) -> None:
    try:
        getattr(plugin, "stop", lambda: None)()
    except Exception:
        log.exception("An extension did not stop well.")


def _free_port() -> int:
    """Return the usual port if nobody has it, else any."""
    for wanted in (USUAL_PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", wanted))
                return probe.getsockname()[1]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
    raise AssertionError("a free port is always found")


def main(asked: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit status."""
    if asked.provider not in STANDINS:
        print(f"There is no stand-in for {asked.provider}. There is: {', '.join(STANDINS)}.", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for loud in ("werkzeug", "apscheduler", "alembic"):
        logging.getLogger(loud).setLevel(logging.WARNING)
    place = {"port": asked.port, "provider": asked.provider, "ics": asked.ics, "database": asked.host_db}
    try:
        with running(state.folder(asked.fresh), **place) as demo:
            print(welcome(demo), flush=True)
            _wait()
            print("Stopping …", flush=True)
    except UNUSABLE as error:
        return not_started(error)
    return 0


def _wait() -> None:
    """Return when somebody presses Ctrl-C, or SIGTERM arrives."""
    done = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        done.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    done.wait()


def not_started(error: Exception) -> int:
    """Say in one sentence why nothing was started: a file, a port, a setting."""
    reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    print(f"The demo cannot start: {reason}", file=sys.stderr)
    return 2


def welcome(demo: Demo) -> str:
    """Return what is printed: where to go, who to be, what to press."""
    people = "\n".join(f"    {email:<22} {organisation}, {role}" for organisation, _, email, role in seed.PEOPLE)
    refused = "".join(f"\n    not understood: {name}: {reason}" for name, reason in demo.standin.refused)
    return f"""
{"Harbor":<20} {demo.base_url}
{demo.standin.name:<20} {demo.standin.base_url}  ({demo.standin.accounts}){refused}

Sign in to Harbor with the password “{seed.PASSWORD}” as
{people}

As Ada:  Maintenance > Marketplace > Install, then Activate.
As Mira: Calendar > Start Synchronization.
Ctrl-C stops everything. Harbor keeps what you did, the stand-in forgets; --fresh begins again.
"""

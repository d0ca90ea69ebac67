"""What kind of process this is: whether a background job may start in it by itself (host-contract.md section 9)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

#: Modules only the server's own processes import, by server.
_SERVERS = {"gunicorn": "gunicorn.arbiter", "waitress": "waitress.runner", "uwsgi": "uwsgi"}
_ON = ("1", "true", "yes", "on")


def is_server(
    modules: Mapping[str, Any] | None = None,
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> bool:
    """Return whether this process serves requests, as far as that can be told before the first one.

    True under gunicorn, waitress-serve, uWSGI with threads, and `flask run`, except the parent of its reloader. What is
    given stands in for this process's own modules, arguments and environment.
    """
    modules = sys.modules if modules is None else modules
    argv = sys.argv if argv is None else argv
    environ = os.environ if environ is None else environ
    if _is_flask_run(argv, environ):
        return not is_reloader_parent(argv, environ)
    if _SERVERS["uwsgi"] in modules:
        options = getattr(modules["uwsgi"], "opt", {})
        return any(option in options for option in ("enable-threads", "threads", b"enable-threads", b"threads"))
    return any(module in modules for module in _SERVERS.values())


def is_reloader_parent(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether this is the parent of Flask's reloader: it watches files, its child serves."""
    argv = sys.argv if argv is None else argv
    environ = os.environ if environ is None else environ
    if environ.get("WERKZEUG_RUN_MAIN", "").lower() in _ON or not _is_flask_run(argv, environ):
        return False
    if "--no-reload" in argv:
        return False
    debugs = "--debug" in argv or environ.get("FLASK_DEBUG", "").lower() in _ON
    return "--reload" in argv or (debugs and "--no-debug" not in argv)


def _is_flask_run(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    return environ.get("FLASK_RUN_FROM_CLI", "").lower() in _ON and "run" in argv[1:]

"""Where a background job starts by itself, and where never (host-contract.md section 9)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from calendar_ext.jobs.surroundings import is_reloader_parent, is_server

FLASK = {"FLASK_RUN_FROM_CLI": "true"}
CHILD = {"WERKZEUG_RUN_MAIN": "true"}


@pytest.mark.parametrize(
    ("modules", "argv", "environ", "serves"),
    [
        ({"gunicorn.arbiter": 1}, ["gunicorn"], {}, True),
        ({"waitress.runner": 1}, ["waitress-serve"], {}, True),
        ({"uwsgi": SimpleNamespace(opt={"enable-threads": True})}, ["uwsgi"], {}, True),
        ({"uwsgi": SimpleNamespace(opt={b"threads": b"4"})}, ["uwsgi"], {}, True),
        ({"uwsgi": SimpleNamespace(opt={"processes": 4})}, ["uwsgi"], {}, False),
        ({}, ["flask", "run"], FLASK, True),
        ({}, ["flask", "--app", "host", "run", "--port", "0"], FLASK, True),
        ({}, ["flask", "run", "--debug"], FLASK, False),
        ({}, ["flask", "run", "--debug"], FLASK | CHILD, True),
        ({}, ["flask", "run"], FLASK | {"FLASK_DEBUG": "1"}, False),
        ({}, ["flask", "run", "--no-reload"], FLASK | {"FLASK_DEBUG": "1"}, True),
        ({}, ["flask", "run", "--reload"], FLASK, False),
        ({}, ["flask", "run", "--no-debug"], FLASK | {"FLASK_DEBUG": "1"}, True),
        ({}, ["flask", "shell"], FLASK, False),
        ({}, ["flask", "db", "upgrade"], FLASK, False),
        ({}, ["script.py"], {}, False),
        ({}, ["pytest", "run"], {}, False),
    ],
)
def test_only_processes_that_serve_start_by_themselves(
    modules: dict[str, object], argv: list[str], environ: dict[str, str], serves: bool
) -> None:
    assert is_server(modules, argv, environ) is serves


def test_a_reloaders_parent_is_told_from_its_child() -> None:
    argv = ["flask", "run", "--debug"]
    assert is_reloader_parent(argv, FLASK)
    assert not is_reloader_parent(argv, FLASK | CHILD)
    assert not is_reloader_parent(["script.py", "--debug"], {})

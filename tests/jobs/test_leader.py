"""Real web processes: one leader, another soon after a kill, started without any request, ended by SIGTERM."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from ..conftest import Files
from ..contracts.engine import until

ROOT = Path(__file__).parents[2]
#: As in tiny_app.py: the lease, and how late a renewal may be.
LEASE, SLACK = 3, 4


@pytest.fixture
def database(sqlite_databases: Files) -> Iterator[Engine]:
    """An installed, active database with the table of ticks."""
    with sqlite_databases.fresh(sqlite_databases.prepare()) as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE ticks (pid INTEGER, at REAL)"))
        yield engine
        engine.dispose()


@contextmanager
def running(database: Engine, *command: str, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command with the tiny application, in a group of its own, and end all of it."""
    given = os.environ | {"TINY_DATABASE": str(database.url), "PYTHONPATH": str(ROOT)} | environ
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, env=given, stdout=-1, stderr=-3, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(25)
        finally:
            with_group(process, signal.SIGKILL)
            if process.stdout:
                process.stdout.close()


def with_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal what is left of the group."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def ask(database: Engine, query: str) -> list[tuple]:
    """Return rows."""
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def leader(database: Engine) -> int:
    """Return the process that holds the lease now, or 0."""
    now = "CAST(strftime('%s','now') AS INTEGER)"
    held = ask(database, f"SELECT owner FROM calendar_ext_lease WHERE name = 'leader' AND until > {now}")
    return int(held[0][0].split(":")[1]) if held and held[0][0] else 0


def tickers(database: Engine, since: float = 0.0) -> set[int]:
    """Return who ticked since then."""
    return {pid for (pid,) in ask(database, f"SELECT DISTINCT pid FROM ticks WHERE at > {since}")}


def alive(database: Engine) -> set[int]:
    """Return the processes that said that they live."""
    return {pid for (pid,) in ask(database, "SELECT DISTINCT pid FROM calendar_ext_process")}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["", "preload"])
def test_three_workers_have_one_leader_and_another_within_its_lease_after_a_kill(
    database: Engine, preload: tuple[str, ...]
) -> None:
    bind = f"127.0.0.1:{free_port()}"
    with running(database, "gunicorn", "-w", "3", *preload, "-b", bind, "tests.jobs.tiny_app:app") as master:
        assert until(lambda: len(alive(database)) == 3, 30), "all three start without any request"
        assert until(lambda: leader(database) and tickers(database), 10)
        first, began_at = leader(database), time.time()
        assert first in alive(database) and master.pid not in alive(database)
        time.sleep(LEASE + 1)
        assert (leader(database), tickers(database, began_at)) == (first, {first})
        os.kill(first, signal.SIGKILL)
        killed_at = time.time()
        assert until(lambda: leader(database) not in (0, first), LEASE + SLACK)
        second = leader(database)
        assert until(lambda: tickers(database, killed_at) == {second}, 5)
        assert second != master.pid


def test_the_parent_of_the_reloader_starts_nothing(database: Engine) -> None:
    command = ("flask", "--app", "tests.jobs.tiny_app", "run", "--debug", "--port", str(free_port()))
    with running(database, *command) as parent:
        assert until(lambda: tickers(database), 30)
        time.sleep(1.5)
        assert parent.pid not in alive(database) and len(alive(database)) == 1


def test_a_script_that_imports_the_application_starts_nothing(database: Engine) -> None:
    code = "import tests.jobs.tiny_app, time; time.sleep(2)"
    given = os.environ | {"TINY_DATABASE": str(database.url)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=given, check=True, timeout=30)
    assert alive(database) == set() and tickers(database) == set()


def test_the_first_request_starts_it_where_no_server_was_recognised(database: Engine) -> None:
    port = free_port()
    code = f"from tests.jobs.tiny_app import app; app.run(port={port}, threaded=True)"
    given = os.environ | {"TINY_DATABASE": str(database.url)}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=given, stdout=-3, stderr=-3)
    try:
        assert until(lambda: answers(port), 20)
        assert until(lambda: tickers(database) == {process.pid}, 10)
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    """Return whether the application handled a request."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_works_in_the_foreground_and_ends_when_told(database: Engine, number: int) -> None:
    with running(database, "flask", "--app", "tests.jobs.tiny_app", "background", TINY_MODE="process") as process:
        assert process.stdout and process.stdout.readline() == b"READY\n"
        assert until(lambda: tickers(database) == {process.pid}, 10)
        told_at = time.monotonic()
        process.send_signal(number)
        assert process.wait(20) == 0 and time.monotonic() - told_at < 10
    assert leader(database) == 0, "it resigned: another need not wait"


def test_web_processes_start_nothing_where_a_service_does(database: Engine) -> None:
    bind = f"127.0.0.1:{free_port()}"
    with running(database, "gunicorn", "-b", bind, "tests.jobs.tiny_app:app", TINY_MODE="process"):
        assert until(lambda: answers(int(bind.rpartition(":")[2])), 20)
        time.sleep(2)
        assert alive(database) == set() and leader(database) == 0


def test_a_server_that_is_told_to_end_ends_soon(database: Engine) -> None:
    bind = f"127.0.0.1:{free_port()}"
    with running(database, "gunicorn", "-w", "2", "-b", bind, "tests.jobs.tiny_app:app") as master:
        assert until(lambda: leader(database), 30)
        told_at = time.monotonic()
        master.terminate()
        assert master.wait(20) == 0 and time.monotonic() - told_at < 10
    assert leader(database) == 0

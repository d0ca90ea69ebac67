"""A process that is killed while it pushes, at many moments: nothing missing, nothing double (trust.md R-02, R-17)."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from calendar_ext.persistence.unit_of_work import SqlStore
from demo.standins.google import Standin, serve

from ..providers.google_standin import MIRA, emptied
from .both import Both
from .killed import SMALL, opener
from .rig import MONDAY
from .test_kill import Worker

ROOT = Path(__file__).parents[2]
MOMENTS = 25


@pytest.fixture
def standin() -> Iterator[Standin]:
    """A stand-in whose first account's calendar is empty."""
    with serve() as running:
        emptied(running)
        yield running


@contextmanager
def worker(url: str, standin: Standin, token: str, path: Path) -> Iterator[Worker]:
    """Start the process, and end it."""
    command = [sys.executable, "-m", "tests.sync.killed_push", url, standin.base_url, token, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


def test_killed_at_any_moment_of_a_push_nothing_is_missing_and_nothing_double(
    standin: Standin, database: str, engine: Engine, store: SqlStore, tmp_path: Path
) -> None:
    token, path = standin.token(expires_in=100_000), tmp_path / "appointments"
    both = Both(store, engine, SMALL, opener(standin.base_url, token))
    with worker(database, standin, token, path) as process:
        total = 0
        for number in range(MOMENTS + 2):
            change_something(both, number)
            path.write_bytes(pickle.dumps(both.host.rows))
            moment = 1 + (number - 2) * (total - 1) // (MOMENTS - 1) if number > 1 else 0
            status, moments = process.run(moment)
            assert status == (-9 if moment else 0), f"moment {moment} of {total}"
            total = total if moment else moments
            start_again(both)
            assert process.run()[0] == 0
            assert there(standin) == here(both), f"killed at moment {moment} of {total}"
            assert both.operations("planned", "sending", "unknown", "failed") == []
    assert total > 60
    assert standin.state.mails == []
    assert len([link for link in both.links() if link["state"] == "live"]) == len(here(both))


def change_something(both: Both, number: int) -> None:
    """Let the host make two appointments, change one of the last round and cancel another."""
    for place in range(2):
        both.host.save(f"Appointment {number}.{place}", at=MONDAY + timedelta(hours=number, minutes=place))
    if number:
        last = sorted(both.host.rows, key=int)[-4:-2]
        both.host.change(last[0], title=f"Changed in {number}")
        both.host.cancel(last[1])


def start_again(both: Both) -> None:
    """Let the lease of the dead be over."""
    both.execute("UPDATE calendar_ext_sync_state SET lease_until = 0, next_at = 0, breaker_until = NULL")


def there(standin: Standin) -> Counter[str]:
    """Return the titles in the calendar, counted."""
    return Counter(item["summary"] for item in standin.state.events(MIRA) if item["status"] != "cancelled")


def here(both: Both) -> Counter[str]:
    """Return the titles in the host, counted."""
    return Counter(row.title for row in both.host.rows.values() if row.status != "cancelled")

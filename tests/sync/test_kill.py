"""A process that is killed while it synchronizes for the first time, at many moments (trust.md R-17, N-01)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from calendar_ext.domain.when import recurrence_key
from calendar_ext.persistence.unit_of_work import SqlStore
from demo.standins.google import Standin, serve
from demo.standins.google.seeding import many

from ..providers.google_standin import MIRA
from .killed import SMALL, opener
from .rig import MONDAY, Rig

ROOT = Path(__file__).parents[2]
MOMENTS = 25
#: What a run leaves in our tables, children first.
CONTENT = ("occurrence", "participant", "event", "cursor", "wake", "run", "sync_state", "calendar_person", "calendar",
           "connection", "account")  # fmt: skip


class Worker:
    """The process that is told when to die."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, moment: int = 0) -> tuple[int, int]:
        """Run what is due, up to a moment; return exit status and moments."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{moment}\n")
        self._process.stdin.flush()
        status, moments = self._process.stdout.readline().split()
        return int(status), int(moments)


@contextmanager
def worker(url: str, standin: Standin, token: str) -> Iterator[Worker]:
    """Start the process, and end it."""
    command = [sys.executable, "-m", "tests.sync.killed", url, standin.base_url, token]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    """A calendar of ninety-odd events, some of them series with a moved or a cancelled occurrence."""
    with serve() as running:
        many(running.state, 90, series=0.1)
        for number in range(6):
            wall = f"{MONDAY + timedelta(days=number):%Y-%m-%dT%H:%M:%S}"
            times = {side: {"dateTime": wall, "timeZone": "Europe/Berlin"} for side in ("start", "end")}
            series = {"summary": f"Series {number}", "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"], **times}
            first = f"{running.state.create(MIRA, series)['id']}_{recurrence_key(wall, 'Europe/Berlin')}"
            if number % 2:
                running.state.delete(MIRA, first)
            else:
                running.state.patch(MIRA, first, {"summary": "Other"})
        yield running


def test_killed_at_any_moment_of_a_first_synchronization_nothing_is_missing_and_nothing_double(
    standin: Standin, database: str, engine: Engine, store: SqlStore
) -> None:
    token = standin.token(expires_in=100_000)
    there = {item["id"] for item in standin.state.events(MIRA) if item["status"] != "cancelled"}
    with worker(database, standin, token) as process:
        rig = Rig(store, engine, SMALL, opener(standin.base_url, token))
        status, total = process.run()
        assert (status, total > 100) == (0, True)
        expected = seen(rig)
        for number in range(MOMENTS):
            start_over(rig)
            moment = 1 + number * (total - 1) // (MOMENTS - 1)
            assert process.run(moment)[0] == -9, f"alive at moment {moment} of {total}"
            rig.execute("UPDATE calendar_ext_sync_state SET lease_until = 0")
            assert process.run()[0] == 0
            assert seen(rig) == expected, f"killed at moment {moment} of {total}"
            assert rig.state().progress["phase"] == "done"
    assert there == {remote_id for remote_id, _, _ in expected} and max(expected.values()) == 1
    assert standin.state.statistics.writes == 0


def start_over(rig: Rig) -> None:
    """Forget everything, and connect again."""
    for table in CONTENT:
        rig.execute(f"DELETE FROM calendar_ext_{table}")
    rig.account = rig.connect()


def seen(rig: Rig) -> Counter[tuple[str, str, int]]:
    """Return what people see: events with their titles, and their instances; each counted."""
    rows = {row["id"]: row for row in rig.events() if row["kind"] != "gap"}
    shown = Counter(
        (rows[one["event_id"]]["remote_id"], rows[one["event_id"]]["title"], one["start_at"])
        for one in rig.all("occurrence")
    )
    return shown + Counter((row["remote_id"], row["title"], 0) for row in rows.values())

"""The host's own saves while a first synchronization runs, on SQLite with the host's default settings (L10)."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.exc import OperationalError

from . import ours, world
from .measuring import goal, once

EVENTS, QUICK_EVENTS = 10_000, 1_000
THREADS = 8
#: Seconds the host's saves are measured without a synchronization beside them.
ALONE_SECONDS, QUICK_SECONDS = 5.0, 2.0
#: Seconds after which a synchronization that does not end is given up.
PATIENCE = 120.0
START = datetime(2027, 3, 1, 9, tzinfo=UTC)


class Savers:
    """Eight colleagues who save appointments one after another until told to stop."""

    def __init__(self, installed: ours.Installed) -> None:
        self._installed = installed
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._save, args=(n,)) for n in range(THREADS)]
        self.took: list[float] = []
        self.locked = 0

    def __enter__(self) -> Savers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _save(self, number: int) -> None:
        from demo.host import db
        from demo.host.models import Appointment

        at = START + timedelta(days=number)
        while not self._stop.is_set():
            began = time.perf_counter()
            with self._installed.app.app_context():
                try:
                    facts = {"starts_at": at, "ends_at": at + timedelta(hours=1), "zone": "UTC", "guests": []}
                    db.session.add(Appointment(owner_id=int(ours.MEMBER), title="Saved meanwhile", **facts))
                    db.session.commit()
                except OperationalError:
                    db.session.rollback()
                    self.locked += 1
            self.took.append(time.perf_counter() - began)

    def figures(self) -> dict[str, float]:
        """Return how many saves, their p95 and largest in milliseconds, and how many met a locked database."""
        ordered = statistics.quantiles(self.took, n=20)
        return {
            "saves": len(self.took),
            "p95": ordered[-1] * 1000,
            "max": max(self.took) * 1000,
            "locked": self.locked,
        }


def alone(base_url: str, token: str, seconds: float, events: int) -> Callable[[], dict[str, float]]:
    """The host by itself."""
    installed = ours.connected(base_url, token)

    def go() -> dict[str, float]:
        with Savers(installed) as savers:
            time.sleep(seconds)
        return savers.figures()

    return go


def beside(base_url: str, token: str, seconds: float, events: int) -> Callable[[], dict[str, float]]:
    """The host from the beginning of a first synchronization until every event is there."""
    installed = ours.connected(base_url, token)
    account = installed.accounts[0]
    # What the eight save meanwhile keeps the run busy for as long as they go on; the events are what is waited for.
    syncing = threading.Thread(target=installed.parts.runner.run_one, args=(account,), daemon=True)

    def go() -> dict[str, float]:
        ends = time.monotonic() + PATIENCE
        with Savers(installed) as savers:
            syncing.start()
            while installed.events() < events and time.monotonic() < ends:
                time.sleep(0.1)
        return savers.figures()

    return go


CONTESTANTS = {"host alone": alone, "during a first synchronization": beside}


def run(*, sizes: Sequence[int] | None, rounds: int, quick: bool) -> dict[str, Any]:
    """Return the table and goals: no save meets a locked database, and p95 stays within five times."""
    events = (sizes or [QUICK_EVENTS if quick else EVENTS])[0]
    with world.google(events) as google:
        facts: dict[str, Any] = {"base_url": google.base_url, "token": google.token, "events": events}
        facts["seconds"] = QUICK_SECONDS if quick else ALONE_SECONDS
        found = {name: [once("saves", name, facts).answer for _ in range(rounds)] for name in CONTESTANTS}
    middle = {
        name: {k: statistics.median(a[k] for a in answers) for k in answers[0]} for name, answers in found.items()
    }
    ratio = middle["during a first synchronization"]["p95"] / middle["host alone"]["p95"]
    locked = sum(answer["locked"] for answers in found.values() for answer in answers)
    rows = [
        [n, f"{f['saves']:.0f}", f"{f['p95']:.1f} ms", f"{f['max']:.0f} ms", f["locked"]] for n, f in middle.items()
    ]
    goals = [goal("saves p95", ratio, "≤ 5 × the host alone", ratio <= 5), goal("locked", locked, "none", locked == 0)]
    table = {
        "title": f"{THREADS} threads save appointments, {events:,} events arrive",
        "columns": ["when", "saves", "p95", "longest", "locked"],
        "rows": rows,
    }
    return {"name": "saves", "tables": [table], "goals": goals}

"""Hints that come during a run, and revisions in the order of their commits (data-model.md L4, L7)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from calendar_ext.contract import OwnerProfile
from calendar_ext.domain.when import When
from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.providers.base import Page
from calendar_ext.providers.memory import MemoryProvider
from calendar_ext.services.editing import EventDraft

from .both import Both
from .rig import MONDAY, OWNER, TENANT

MIRA = OwnerProfile(OWNER, "Mira", "mira@example.test", TENANT)


@pytest.fixture
def both(store: SqlStore, engine: Engine, limits: Limits) -> Both:
    return Both(store, engine, limits)


def test_L04_a_hint_that_comes_during_a_run_starts_the_next_one(both: Both) -> None:
    both.settle_down()

    class Interrupted(MemoryProvider):
        def changes(self, *arguments: Any, **named: Any) -> Iterator[Page]:
            yield from super().changes(*arguments, **named)
            if not both.host.rows:
                both.host.save("Made while it ran")
                both.dispatch()

    both.open = lambda account: Interrupted(both.world)
    with both.store.write() as unit:
        unit.wakes.add(both.account.id, reason="read before")
    both.run()
    assert "read before" not in [wake["reason"] for wake in both.all("wake")]
    assert [wake["reason"] for wake in both.all("wake")] == ["host_change"]
    both.runner.run_due()
    assert list(both.remote()) == ["Made while it ran"] and both.all("wake") == []


def test_L04_dispatching_waits_for_no_run_that_holds_the_account(both: Both) -> None:
    """Hints and leases live in different rows."""
    if both.database.dialect.name == "sqlite":
        return
    both.host.save("Haircut")
    with both.database.connect() as worker, worker.begin():
        worker.exec_driver_sql("UPDATE calendar_ext_sync_state SET lease_until = 1")
        done = threading.Thread(target=both.dispatch)
        done.start()
        done.join(5)
        assert not done.is_alive() and len(both.all("wake")) == 1


def test_L07_a_later_revision_is_never_committed_before_an_earlier_one(both: Both) -> None:
    calendar, revisions, begun = both.calendar(), [], threading.Event()

    def later() -> None:
        begun.set()
        with both.store.write() as unit:
            revisions.append(unit.calendars.raise_revision(calendar.id))

    thread = threading.Thread(target=later)
    with both.store.write() as unit:
        first = unit.calendars.raise_revision(calendar.id)
        thread.start()
        begun.wait(5)
        thread.join(0.3)
        assert thread.is_alive() and revisions == []
    thread.join(10)
    assert revisions == [first + 1]


def test_L07_what_is_edited_carries_the_revision_raised_before(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    before = both.calendar().revision
    event = both.editing.create(MIRA, both.calendar().public_id, EventDraft("New", when()))
    both.editing.edit(MIRA, event, EventDraft("Newer", when()))
    (row,) = (one for one in both.events() if one["title"] == "Newer")
    assert before < row["revision"] <= both.calendar().revision
    both.run()
    assert all(one["revision"] <= both.calendar().revision for one in both.events())


def when() -> When:
    return When(f"{MONDAY:%Y-%m-%dT09:00:00}", f"{MONDAY:%Y-%m-%dT10:00:00}", "UTC", "UTC")

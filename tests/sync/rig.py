"""One account over the in-memory provider, a host that only listens, and the real engine on a real database."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import event, select, text, update

from calendar_ext.domain.model import Attendee, Event
from calendar_ext.domain.rows import row_of
from calendar_ext.domain.when import When
from calendar_ext.jobs.port import Outcome
from calendar_ext.jobs.runner import AccountRunner
from calendar_ext.limits import Limits
from calendar_ext.persistence import tables
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.providers.base import CalendarProvider
from calendar_ext.providers.memory import MemoryProvider, MemoryWorld
from calendar_ext.sync import engine as engine_module
from calendar_ext.sync.engine import Engine
from calendar_ext.sync.ports.content import CalendarRecord, SyncStateRecord
from calendar_ext.sync.ports.host import HostPage, HostPort, HostRecord, Person, Written
from calendar_ext.sync.ports.people import AccountRecord, ConnectionRecord

OWNER = "7"
TENANT = "salon"
#: A Monday at nine, in the weeks a page opens on: tests count from here.
MONDAY = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)


class Died(BaseException):
    """As sudden as a signal: no handler of ours sees it."""


def _die(run: object) -> None:
    raise Died


class QuietHost(HostPort):
    """Knows one person, has no appointments, and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    def person(self, owner_id: str) -> Person | None:
        return Person(owner_id, TENANT, "mira@example.test")

    def appointment(self, ref: str) -> HostRecord | None:
        return None

    def appointments(self, owner_id: str, changed_since: int | None, cursor: str | None, limit: int) -> HostPage:
        return HostPage((), None)

    def apply(
        self, owner_id: str, ref: str | None, event: Event | None, fields: Collection[str], **facts: Any
    ) -> Written:
        raise AssertionError("nothing here is the host's")

    def contacts(self, owner_id: str, emails: Collection[str]) -> dict[str, str]:
        return {}

    def tell(self, what: str, **facts: Any) -> None:
        self.told.append((what, facts))


class Rig:
    """Everything a test of the engine holds.

    :param opener: opens the account at its provider; by default the in-memory one over `world`.
    """

    def __init__(
        self,
        store: SqlStore,
        database: Database,
        limits: Limits,
        opener: Callable[[AccountRecord], CalendarProvider] | None = None,
    ) -> None:
        self.store, self.database, self.limits = store, database, limits
        self.world = MemoryWorld(now=time.time)
        self.host = QuietHost()
        self.clock: Callable[[], float] = time.time
        self.open = opener or (lambda account: MemoryProvider(self.world))
        self.engine = Engine(
            store=store,
            opener=lambda account: self.open(account),
            host=self.host,
            limits=limits,
            clock=lambda: self.clock(),
            installation=lambda: "tests-own-installation",
            rng=Random(1),
        )
        self.runner = AccountRunner(store=store, engine=self.engine, limits=limits)
        self.account = self.connect()

    # the account

    def connect(self, subject: str = "mira@example.test", *, provider: str = "memory") -> AccountRecord:
        """Make an account with one connection whose primary calendar is read, due at once."""
        number = len(self.all("account"))
        account = AccountRecord(
            id=0, public_id=f"account-{number:014}", tenant_id=TENANT, provider=provider, issuer=provider,
            subject=subject, email=subject,
        )  # fmt: skip
        found = self.open(account).calendars()
        with self.store.write() as unit:
            account = unit.accounts.add(account, unit.now())
            connection = ConnectionRecord(0, f"connection-{number:011}", TENANT, account.id, OWNER)
            unit.connections.add(replace(connection, first_sync={"started_at": unit.now()}), unit.now())
            for calendar in unit.calendars.adopt(account, found):
                if calendar.primary:
                    unit.calendars.set_reads(calendar.id, "mirror")
            unit.sync_states.ensure(account.id)
        return account

    def run(self, *, budget: float = 60) -> Outcome:
        """Let the account be due, and run it."""
        self.make_due()
        return self.runner.run_one(self.account.id, budget_seconds=budget)

    def run_reading(self) -> None:
        """Run, and die after the reading: what it left is there, what comes after it never happened."""
        with pytest.MonkeyPatch.context() as patch:
            for stage in ("settle", "compare", "push"):
                patch.setattr(engine_module, stage, _die)
            try:
                self.run()
            except Died:
                self.execute(update(tables.SyncState).values(lease_until=0))

    def make_due(self) -> None:
        """Forget schedule and back-off."""
        self.execute(update(tables.SyncState).values(next_at=0, breaker_until=None))

    def state(self) -> SyncStateRecord:
        """Return how the account's runs stand."""
        with self.store.read() as unit:
            found = unit.sync_states.get(self.account.id)
        assert found is not None
        return found

    def status(self) -> tuple[str, str]:
        """Return the account's status and its reason."""
        with self.store.read() as unit:
            account = unit.accounts.get(self.account.id)
        assert account is not None
        return account.status, account.status_reason

    def calendar(self) -> CalendarRecord:
        """Return the primary calendar."""
        with self.store.read() as unit:
            return unit.calendars.of_account(self.account.id)[0]

    def choose(self, reads: str) -> None:
        """Let the person choose what is read of the primary calendar."""
        calendar_id = self.calendar().id
        with self.store.write() as unit:
            unit.calendars.set_reads(calendar_id, reads)

    # what the provider holds

    def put(self, name: str, title: str = "", *, at: datetime = MONDAY, hours: float = 1, **facts: Any) -> None:
        """Let somebody write an event at the provider."""
        known = self.world.calendar(self.world.subject).rows.get(name, {})
        zone = facts.pop("zone", "Europe/Berlin")
        when = facts.pop("when", None) or When.timed(at, at + timedelta(hours=hours), zone)
        described = row_of(Event(when, title=title or name, uid=f"{name}@example.test", **facts))
        self.world.put(self.world.subject, {**known, **described, "object_id": name, "remote_id": name})

    def put_occurrence(self, name: str, key: str, **facts: Any) -> None:
        """Let somebody edit one occurrence at the provider."""
        row = self.world.row(self.world.subject, f"{name}_{key}")
        self.world.put(self.world.subject, {**row, "kind": "override", **facts})

    def fill(self, count: int, *, prefix: str = "event") -> None:
        """Let the provider hold singles, an hour apart, around now."""
        for number in range(count):
            self.put(f"{prefix}{number:05}", at=MONDAY + timedelta(hours=number % 600 - 100))

    def remove(self, *names: str) -> None:
        """Let somebody delete events at the provider: deltas say so."""
        for name in names:
            self.world.remove(self.world.subject, name)

    def lose(self, *names: str) -> None:
        """Let the provider name events no more, without a tombstone; its cursors expire."""
        calendar = self.world.calendar(self.world.subject)
        for name in names:
            del calendar.rows[name], calendar.changed[name]
        self.world.expire_cursors()

    # what we hold

    def events(self, *columns: str, deleted: bool = False) -> list[dict[str, Any]]:
        """Return our rows, by object and key; those in the bin only if asked for."""
        query = select(tables.Event.__table__).order_by(tables.Event.object_id, tables.Event.recurrence_key)
        if not deleted:
            query = query.where(tables.Event.deleted_at.is_(None))
        with self.database.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [{name: row[name] for name in columns} for row in rows] if columns else rows

    def titles(self) -> list[str]:
        """Return the titles of live events, sorted."""
        return sorted(row["title"] for row in self.events())

    def all(self, table: str) -> list[dict[str, Any]]:
        """Return every row of a table of ours, by key."""
        found = tables.Event.metadata.tables[f"calendar_ext_{table}"]
        query = select(found).order_by(*found.primary_key.columns)
        with self.database.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def starts(self, name: str) -> list[int]:
        """Return the starts of an object's instances."""
        ids = {row["id"] for row in self.events() if row["object_id"] == name}
        return [row["start_at"] for row in self.all("occurrence") if row["event_id"] in ids]

    def execute(self, statement: Any, **values: Any) -> None:
        """Reach into the database."""
        with self.database.begin() as connection:
            connection.execute(text(statement) if isinstance(statement, str) else statement, values)

    def pass_time(self, seconds: int) -> None:
        """Move everything that waits into the past: the database's clock cannot be turned."""
        self.execute("UPDATE calendar_ext_event SET missing_since = missing_since - :by", by=seconds)
        self.execute("UPDATE calendar_ext_cursor SET started_at = started_at - :by", by=seconds)
        self.execute("UPDATE calendar_ext_wake SET not_before = not_before - :by", by=seconds)

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Collect every statement, without BEGIN and COMMIT."""
        seen: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if not statement.startswith("BEGIN"):
                seen.append(statement)

        event.listen(self.database, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.database, "before_cursor_execute", note)


def guest(email: str, response: str = "needs_action", *, own: bool = False) -> Attendee:
    """Return a guest."""
    return Attendee(email, response=response, is_self=own)

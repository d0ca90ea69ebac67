"""Both sides: a host that keeps appointments in memory and fires its hooks, beside the in-memory provider."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine as Database

from calendar_ext.contract import Activity, Appointment, Conflict, Guest
from calendar_ext.domain.model import Event
from calendar_ext.errors import Refused
from calendar_ext.jobs.runner import AccountRunner
from calendar_ext.limits import Limits
from calendar_ext.persistence.hook_insert import SqlHookInsert
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.providers.base import CalendarProvider
from calendar_ext.providers.memory import MemoryProvider, MemoryWorld
from calendar_ext.services.appointments import Recording
from calendar_ext.services.editing import Editing
from calendar_ext.services.translating import draft_of, host_record
from calendar_ext.sync.changes import dispatch
from calendar_ext.sync.engine import Engine
from calendar_ext.sync.leaving import Leaving
from calendar_ext.sync.ports.host import HostPage, HostPort, HostRecord, Person, Written
from calendar_ext.sync.ports.people import AccountRecord

from .rig import MONDAY, OWNER, TENANT, Rig

INSTALLATION = "tests-own-installation"


class MemoryHost(HostPort):
    """A host application in a dictionary; saves are told through the real hook body."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.rows: dict[str, Appointment] = {}
        self.tenants: dict[str, str] = {OWNER: TENANT}
        self.may_use = True
        self.known: dict[str, str] = {}
        #: Titles it refuses; errors the next calls end with.
        self.refuses: set[str] = set()
        self.failures: list[Exception] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.applied: list[tuple[str, frozenset[str]]] = []
        self._version = 0

    # its users at work

    def save(
        self, title: str, *, at: datetime = MONDAY, hours: float = 1, actor: str | None = OWNER, **facts: Any
    ) -> str:
        """Make an appointment; return its id."""
        facts.setdefault("owners", (OWNER,))
        facts["guests"] = tuple(Guest(email) for email in facts.pop("guests", ()))
        ref = str(len(self.rows) + 1)
        end = facts.pop("end", at + timedelta(hours=hours))
        row = Appointment(ref, self._next(), title, at, end, zone="Europe/Berlin", **facts)
        self._keep("created", row, actor, None)
        return ref

    def change(self, ref: str, *, actor: str | None = OWNER, silently: bool = False, **facts: Any) -> None:
        """Change an appointment."""
        row = replace(self.rows[ref], version=self._next(), **facts)
        if silently:
            self.rows[ref] = row
        else:
            self._keep("updated", row, actor, None)

    def cancel(self, ref: str, *, actor: str | None = OWNER) -> None:
        """Cancel one."""
        self._keep("cancelled", replace(self.rows[ref], version=self._next(), status="cancelled"), actor, None)

    def plan(self, ref: str, title: str, at: datetime | None = MONDAY) -> None:
        """Put an activity on the timeline."""
        end = at + timedelta(hours=1) if at else None
        activity = Activity(ref, self._next(), title, at, end, owners=(OWNER,))
        self.recording.record(None, "activity_created", activity, OWNER, None)

    def _next(self) -> int:
        self._version += 1
        return self._version

    def _keep(self, what: str, row: Appointment, actor: str | None, origin: str | None) -> None:
        self.rows[row.ref] = row
        self.recording.record(None, f"appointment_{what}", row, actor, origin)

    # the port

    def person(self, owner_id: str) -> Person | None:
        tenant = self.tenants.get(owner_id)
        return Person(owner_id, tenant, "mira@example.test", may_use=self.may_use) if tenant else None

    def appointment(self, ref: str) -> HostRecord | None:
        return host_record(self.rows[ref]) if ref in self.rows else None

    def appointments(self, owner_id: str, changed_since: int | None, cursor: str | None, limit: int) -> HostPage:
        mine = [row for row in self.rows.values() if owner_id in row.owners and row.status != "cancelled"]
        first = int(cursor or 0)
        following = str(first + limit) if len(mine) > first + limit else None
        return HostPage(tuple(host_record(row) for row in mine[first : first + limit]), following)

    def apply(
        self,
        owner_id: str,
        ref: str | None,
        event: Event | None,
        fields: Collection[str],
        *,
        expected_version: int | None,
        origin: str,
        reason: str = "",
    ) -> Written:
        if self.failures:
            raise self.failures.pop(0)
        draft = draft_of(ref, event, fields, reason)
        assert ref is not None
        row = self.rows[ref]
        if row.version != expected_version:
            return Written(ref, row.version, host_record(Conflict(row).current))
        if draft.title in self.refuses:
            raise Refused("This title is not allowed here.")
        changes = {name: getattr(draft, name) for name in draft.fields}
        if draft.cancel:
            changes = {"status": "cancelled"}
        row = replace(row, version=self._next(), **changes)
        self.applied.append((ref, draft.fields))
        self._keep("cancelled" if draft.cancel else "updated", row, owner_id, origin)
        return Written(ref, row.version)

    def contacts(self, owner_id: str, emails: Collection[str]) -> dict[str, str]:
        return {email: self.known[email] for email in emails if email in self.known}

    def tell(self, what: str, **facts: Any) -> None:
        self.told.append((what, facts))


class Both(Rig):
    """The rig with a host that has appointments, and a person who writes them into the primary calendar."""

    def __init__(
        self,
        store: SqlStore,
        database: Database,
        limits: Limits,
        opener: Callable[[AccountRecord], CalendarProvider] | None = None,
    ) -> None:
        self.worlds: dict[str, MemoryWorld] = {}
        super().__init__(store, database, limits, opener or self._in_memory)
        self.revoked: list[str] = []
        self.recording = Recording(insert=SqlHookInsert(lambda: database))
        self.host: Any = MemoryHost(self.recording)
        self.engine = Engine(
            store=store,
            opener=lambda account: self.open(account),
            host=self.host,
            limits=limits,
            clock=lambda: self.clock(),
            installation=lambda: INSTALLATION,
            leave=Leaving(grants=self),
            rng=Random(1),
        )
        self.runner = AccountRunner(store=store, engine=self.engine, limits=limits)
        self.editing = Editing(store=store, limits=limits, clock=lambda: self.clock())
        self.take_appointments(OWNER, self.account.id)

    def take_appointments(self, owner: str, account_id: int) -> None:
        """Let a person's appointments go into the primary calendar of an account."""
        with self.store.write() as unit:
            calendar = unit.calendars.of_account(account_id)[0]
            connection = unit.connections.of_account(account_id)[0]
            unit.choices.put(calendar.id, owner, connection.id, writes=True, checks=True)

    def _in_memory(self, account: AccountRecord) -> CalendarProvider:
        return MemoryProvider(self.world_of(account.subject))

    def world_of(self, subject: str) -> MemoryWorld:
        """Return what the provider keeps for an account."""
        if subject == self.world.subject:
            return self.world
        return self.worlds.setdefault(subject, MemoryWorld(subject, now=self.world.now))

    def join(self, owner: str, subject: str) -> AccountRecord:
        """Let a colleague connect an account of their own."""
        account = self.connect(subject)
        self.host.tenants[owner] = TENANT
        self.execute("UPDATE calendar_ext_connection SET owner_id = :o WHERE account_id = :a", o=owner, a=account.id)
        self.take_appointments(owner, account.id)
        return account

    def revoke(self, account: AccountRecord) -> bool:
        """End a grant, as `services.grants.Grants` would."""
        self.revoked.append(account.email)
        return True

    def dispatch(self) -> int:
        """Turn what the hooks noted into work."""
        return dispatch(self.store, self.host, self.limits, INSTALLATION, self.clock)

    def settle_down(self) -> None:
        """Let both sides come to rest: what the jobs do in a minute."""
        for _ in range(2):
            self.dispatch()
            self.run()
            for _ in self.worlds:
                self.make_due()
                self.runner.run_due()

    def remote(self, subject: str = "") -> dict[str, dict[str, Any]]:
        """Return the provider's live events by title."""
        world = self.world_of(subject or self.world.subject)
        rows = world.calendar(world.subject).rows.values()
        return {row["title"]: row for row in rows if row["status"] != "cancelled"}

    def edit_remote(self, name: str, **facts: Any) -> None:
        """Let somebody change an event at the provider."""
        row = self.world.row(self.world.subject, name)
        self.world.put(self.world.subject, {**row, **facts})

    def links(self) -> list[dict[str, Any]]:
        """Return every link."""
        return self.all("link")

    def operations(self, *states: str) -> list[dict[str, Any]]:
        """Return the operations in these states, or all."""
        found = self.all("operation")
        return [one for one in found if not states or one["state"] in states]

    def writes(self) -> int:
        """Return how many requests would have changed something at the provider so far."""
        return self.world._revision

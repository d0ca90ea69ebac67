"""Calendars as an account sees them: found, chosen, numbered."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, case, exists, func, insert, select, update

from ...sync.ports.content import CalendarRecord, RemoteCalendar
from ...sync.ports.people import AccountRecord
from ..base import db_now
from ..tables import Calendar, Event, Link
from .cursors import Cursors

FIELDS = tuple(CalendarRecord.__dataclass_fields__)
COLUMNS = [getattr(Calendar, name) for name in FIELDS]

_RAISE = (
    update(Calendar)
    .where(Calendar.id == bindparam("calendar"))
    .values(
        revision=Calendar.revision + 1,
        longest_span=case((Calendar.longest_span < bindparam("span"), bindparam("span")), else_=Calendar.longest_span),
    )
    .returning(Calendar.revision)
)


class Calendars:
    """Implements `sync.ports.content.Calendars`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, calendar_id: int) -> CalendarRecord | None:
        return next(iter(self._many(Calendar.id == calendar_id)), None)

    def find(self, public_id: str, tenant_id: str) -> CalendarRecord | None:
        return next(iter(self._many(Calendar.public_id == public_id, Calendar.tenant_id == tenant_id)), None)

    def of_account(self, account_id: int) -> list[CalendarRecord]:
        return self._many(Calendar.account_id == account_id, Calendar.removed_at.is_(None))

    def adopt(self, account: AccountRecord, found: Iterable[RemoteCalendar]) -> list[CalendarRecord]:
        known = {calendar.remote_id: calendar for calendar in self._many(Calendar.account_id == account.id)}
        listed = {remote.remote_id: remote for remote in found}
        for remote in listed.values():
            if remote.remote_id in known:
                self._set(known[remote.remote_id].id, removed_at=None, **_facts(remote))
            else:
                self._connection.execute(insert(Calendar).values(_fresh(account, remote)))
        for calendar in known.values():
            if calendar.remote_id not in listed and calendar.removed_at is None:
                self._set(calendar.id, removed_at=db_now())
        return self.of_account(account.id)

    def set_reads(self, calendar_id: int, reads: str) -> None:
        calendar = self.get(calendar_id)
        if calendar is None:
            return
        reader = self._other_reader(calendar) if reads == "mirror" else None
        self._set(calendar_id, reads=reads, read_by=reader, adopted_at=calendar.adopted_at or db_now())
        if reads == "ignore":
            # Chosen again, it is read from the beginning.
            Cursors(self._connection).forget(calendar_id)
        if reads != "mirror":
            self._hand_over(calendar)

    def dropped(self) -> list[int]:
        held = exists(select(Link.id).where(Link.event_id == Event.id, Link.state == "live"))
        left = select(Event.id).where(Event.calendar_id == Calendar.id, Event.pending == 0, ~held)
        query = select(Calendar.id).where(Calendar.reads == "ignore", exists(left))
        return list(self._connection.execute(query.order_by(Calendar.id)).scalars())

    def next_read(self, after_id: int) -> int | None:
        query = select(func.min(Calendar.id)).where(Calendar.id > after_id, Calendar.reads != "ignore")
        return self._connection.execute(query).scalar()

    def raise_revision(self, calendar_id: int, longest_span: int = 0) -> int:
        values = {"calendar": calendar_id, "span": longest_span}
        return int(self._connection.execute(_RAISE, values).scalar_one())

    def _many(self, *where: Any) -> list[CalendarRecord]:
        query = select(*COLUMNS).where(*where).order_by(Calendar.primary.desc(), Calendar.name, Calendar.id)
        return [CalendarRecord(**row) for row in self._connection.execute(query).mappings()]

    def _set(self, calendar_id: int, **values: Any) -> None:
        self._connection.execute(update(Calendar).where(Calendar.id == calendar_id).values(values))

    def _others(self, calendar: CalendarRecord) -> list[CalendarRecord]:
        return self._many(
            Calendar.tenant_id == calendar.tenant_id,
            Calendar.collection_key == calendar.collection_key,
            Calendar.id != calendar.id,
            Calendar.removed_at.is_(None),
        )

    def _other_reader(self, calendar: CalendarRecord) -> int | None:
        reading = (other for other in self._others(calendar) if other.reads == "mirror" and other.read_by is None)
        return next((other.id for other in reading), None)

    def _hand_over(self, calendar: CalendarRecord) -> None:
        """Let the next calendar of the collection read it for all."""
        waiting = [other for other in self._others(calendar) if other.read_by == calendar.id]
        for place, other in enumerate(waiting):
            self._set(other.id, read_by=waiting[0].id if place else None)


def _facts(remote: RemoteCalendar) -> dict[str, Any]:
    return {
        "name": remote.name[:255],
        "time_zone": remote.time_zone[:64],
        "colour": remote.colour[:16],
        "access": remote.access,
        "role": remote.role[:32],
        "primary": remote.primary,
    }


def _fresh(account: AccountRecord, remote: RemoteCalendar) -> dict[str, Any]:
    # A collection that everybody knows by one id is one calendar, whoever sees it; else only this account's.
    shared = f"{account.provider}:{remote.shared_key}" if remote.shared_key else ""
    return {
        "public_id": secrets.token_urlsafe(16),
        "tenant_id": account.tenant_id,
        "account_id": account.id,
        "remote_id": remote.remote_id,
        "collection_key": shared or f"{account.id}:{remote.remote_id}",
        **_facts(remote),
    }

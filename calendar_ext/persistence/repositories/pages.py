"""What screens read. Every statement about events starts from the calendars of one person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, exists, false, or_, select
from sqlalchemy import Connection as Database

from ...domain.model import Attendee, Kind, Row, Status
from ...sync.ports.people import ENDED, CardRecord, SourceRecord, TallyRecord, UnsyncedRecord
from ..tables import (
    Account,
    Appointment,
    Calendar,
    CalendarPerson,
    Conflict,
    Connection,
    Event,
    Link,
    Occurrence,
    Participant,
    SyncState,
)
from . import page_counts, page_lists
from .accounts import FIELDS as ACCOUNT_FIELDS
from .accounts import account_of
from .connections import FIELDS as CONNECTION_FIELDS
from .connections import connection_of, object_of

#: Columns of `event` that a grid, a list or a change needs; the long ones stay where they are.
LIGHT = (
    "id", "public_id", "calendar_id", "object_id", "recurrence_key", "remote_id", "revision", "kind", "status", "title",
    "location", "colour", "show_as", "visibility", "response", "is_organizer", "event_type", "online_url", "all_day",
    "start_wall", "start_zone", "end_wall", "end_zone", "start_at", "end_at", "rules", "rules_state", "pending",
    "deleted_at", "quarantine",
)  # fmt: skip
LIGHT_COLUMNS = [getattr(Event, name) for name in LIGHT]
STATE = (
    "next_at", "lease_until", "failures", "failing_since", "error_class", "error_code", "breaker_until", "read_ok_at",
    "write_ok_at", "progress",
)  # fmt: skip
#: A calendar on somebody's page: the fields of `SourceRecord`.
SOURCE = (
    Calendar.id.label("calendar_id"),
    Calendar.public_id,
    Calendar.account_id,
    Connection.id.label("connection_id"),
    Connection.public_id.label("connection"),
    Account.provider,
    Account.email,
    Calendar.name,
    Calendar.colour,
    Calendar.time_zone,
    Calendar.access,
    Calendar.primary,
    CalendarPerson.writes,
    CalendarPerson.shown,
    Calendar.revision,
    Calendar.longest_span,
    Account.status,
    Connection.paused_by,
    Connection.direction,
)
#: Names that an event and its source have both; the event's come back under `event_`.
SHARED = ("public_id", "colour", "status", "revision")
EVENT_COLUMNS = [
    column.label(f"event_{column.name}") if column.name in SHARED else column
    for column in Event.__table__.columns
    if column.name not in ("calendar_id", "shadow")
]
#: Kinds that are drawn; a gap is an occurrence that is not there, an anchor repeats one that is.
DRAWN = (Kind.SINGLE, Kind.MASTER, Kind.OVERRIDE)

#: Values of `calendar.reads` whose events stand on the page: read now, or kept from when they were.
SHOWN = ("mirror", "kept")


class Pages:
    """Implements `sync.ports.people.Pages`."""

    def __init__(self, connection: Database) -> None:
        self._connection = connection

    def _rows(self, statement: Executable) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(statement).mappings()]

    def cards(self, tenant_id: str, owner_id: str | None = None) -> list[CardRecord]:
        columns = [getattr(Connection, name).label(f"c_{name}") for name in CONNECTION_FIELDS]
        columns += [getattr(Account, name).label(f"a_{name}") for name in ACCOUNT_FIELDS]
        columns += [getattr(SyncState, name).label(f"s_{name}") for name in STATE]
        statement = (
            select(*columns)
            .join(Account, Account.id == Connection.account_id)
            .outerjoin(SyncState, SyncState.account_id == Account.id)
            .where(Connection.tenant_id == tenant_id, Connection.ended_at.is_(None))
            .order_by(Connection.id)
        )
        if owner_id is not None:
            statement = statement.where(Connection.owner_id == owner_id)
        return [_card(row) for row in self._rows(statement)]

    def tallies(self, account_ids: Collection[int]) -> dict[int, TallyRecord]:
        return page_counts.tallies(self._connection, account_ids)

    def vanished(self, account_id: int) -> list[str]:
        gone = (Calendar.removed_at.is_not(None), Calendar.reads == "mirror")
        statement = select(Calendar.name).where(Calendar.account_id == account_id, *gone).order_by(Calendar.name)
        return list(self._connection.execute(statement).scalars())

    def health(self) -> dict[str, Any]:
        return page_counts.health(self._connection)

    def sources(self, tenant_id: str, owner_id: str) -> list[SourceRecord]:
        statement = (
            select(*SOURCE)
            .join_from(Calendar, CalendarPerson, CalendarPerson.calendar_id == Calendar.id)
            .join(Connection, Connection.id == CalendarPerson.connection_id)
            .join(Account, Account.id == Connection.account_id)
            .where(*_mine(tenant_id, owner_id))
            .order_by(Calendar.primary.desc(), Calendar.name, Calendar.id)
        )
        return [SourceRecord(**row) for row in self._rows(statement)]

    def items(self, sources: Iterable[SourceRecord], lo: int, hi: int, limit: int) -> list[Row]:
        bounds = [
            and_(
                Occurrence.calendar_id == source.calendar_id,
                Occurrence.start_at >= lo - source.longest_span,
                Occurrence.start_at < hi,
            )
            for source in sources
        ]
        statement = (
            select(
                *LIGHT_COLUMNS,
                Occurrence.start_at.label("occurs_at"),
                Occurrence.end_at.label("occurs_until"),
                Occurrence.flags,
                _conflicted().label("conflicted"),
                Link.public_id.label("link"),
            )
            .join(Event, Event.id == Occurrence.event_id)
            .outerjoin(Link, Link.event_id == Event.id)
            .where(or_(false(), *bounds), or_(Occurrence.end_at > lo, Occurrence.start_at >= lo), *_living())
            .order_by(Occurrence.start_at, Event.id)
            .limit(limit)
        )
        return self._rows(statement)

    def candidates(self, sources: Iterable[SourceRecord], lo: int, hi: int, limit: int) -> list[Row]:
        single = and_(Event.kind == Kind.SINGLE, Event.start_at < hi, Event.end_at >= lo)
        series = and_(Event.kind == Kind.MASTER, Event.start_at < hi)
        statement = (
            select(*LIGHT_COLUMNS, _conflicted().label("conflicted"), Link.public_id.label("link"))
            .outerjoin(Link, Link.event_id == Event.id)
            .where(
                Event.calendar_id.in_([source.calendar_id for source in sources]),
                Event.deleted_at.is_(None),
                or_(single, series, Event.kind.in_((Kind.OVERRIDE, Kind.GAP))),
            )
            .order_by(Event.calendar_id, Event.object_id, Event.recurrence_key)
            .limit(limit)
        )
        return self._rows(statement)

    def changed(self, since: Mapping[int, int], limit: int) -> list[Row]:
        above = [and_(Event.calendar_id == key, Event.revision > revision) for key, revision in since.items()]
        statement = (
            select(*LIGHT_COLUMNS, _conflicted().label("conflicted"))
            .where(or_(false(), *above))
            .order_by(Event.revision, Event.id)
            .limit(limit)
        )
        return self._rows(statement)

    def event(self, tenant_id: str, owner_id: str, public_id: str) -> Row | None:
        host = Appointment.content.label("host_content")
        statement = (
            select(*SOURCE, *EVENT_COLUMNS, Link.public_id.label("link"), host, _conflicted().label("conflicted"))
            .join_from(Event, Calendar, Calendar.id == Event.calendar_id)
            .join(CalendarPerson, CalendarPerson.calendar_id == Calendar.id)
            .join(Connection, Connection.id == CalendarPerson.connection_id)
            .join(Account, Account.id == Connection.account_id)
            .outerjoin(Link, Link.event_id == Event.id)
            .outerjoin(Appointment, Appointment.id == Link.appointment_id)
            .where(Event.public_id == public_id, Event.deleted_at.is_(None), *_mine(tenant_id, owner_id))
        )
        found = self._rows(statement)
        if not found:
            return None
        row = found[0]
        source = SourceRecord(**{name: row.pop(name) for name in SourceRecord.__dataclass_fields__})
        row |= {name: row.pop(f"event_{name}") for name in SHARED} | {"calendar_id": source.calendar_id}
        row |= {"source": source, "host_content": object_of(row["host_content"])}
        return row | {"attendees": self._attendees(row["id"])}

    def _attendees(self, event_id: int) -> list[Attendee]:
        guests = select(*Participant.__table__.columns).where(Participant.event_id == event_id)
        return [_attendee(row) for row in self._rows(guests.order_by(Participant.email_norm))]

    def overrides(self, calendar_id: int, object_id: str) -> list[Row]:
        series = (Event.calendar_id == calendar_id, Event.object_id == object_id, Event.deleted_at.is_(None))
        statement = select(*LIGHT_COLUMNS).where(*series, Event.kind.in_((Kind.OVERRIDE, Kind.GAP)))
        return self._rows(statement)

    def master(self, calendar_id: int, object_id: str) -> Row | None:
        series = (Event.calendar_id == calendar_id, Event.object_id == object_id, Event.deleted_at.is_(None))
        found = self._rows(select(*LIGHT_COLUMNS).where(*series, Event.kind == Kind.MASTER))
        return found[0] if found else None

    def losses(self, event_id: int) -> list[dict[str, Any]]:
        columns = (Conflict.field, Conflict.ours, Conflict.theirs, Conflict.winner, Conflict.state, Conflict.at)
        return self._rows(select(*columns).where(Conflict.event_id == event_id).order_by(Conflict.id.desc()).limit(50))

    def unsynced(self, tenant_id: str, owner_id: str, now: int, limit: int) -> list[UnsyncedRecord]:
        return page_lists.unsynced(self._connection, tenant_id, owner_id, now, limit)

    def planned(self, tenant_id: str, owner_id: str, now: int, limit: int) -> list[UnsyncedRecord]:
        return page_lists.planned(self._connection, tenant_id, owner_id, now, limit)

    def refused(self, tenant_id: str, owner_id: str, account_id: int, limit: int) -> list[dict[str, Any]]:
        return page_lists.refused(self._connection, tenant_id, owner_id, account_id, limit)


def _mine(tenant_id: str, owner_id: str) -> list[ColumnElement[bool]]:
    return [
        Connection.tenant_id == tenant_id,
        Connection.owner_id == owner_id,
        Connection.ended_at.is_(None),
        Account.status.not_in(ENDED),
        Calendar.removed_at.is_(None),
        Calendar.reads.in_(SHOWN),
    ]


def _living() -> list[ColumnElement[bool]]:
    return [Event.deleted_at.is_(None), Event.status != Status.CANCELLED, Event.kind.in_(DRAWN)]


def _conflicted() -> ColumnElement[bool]:
    return exists().where(Conflict.event_id == Event.id, Conflict.state == "open").correlate(Event)


def _attendee(row: Mapping[str, Any]) -> Attendee:
    return Attendee(
        email=row["email_norm"],
        name=row["name"],
        response=row["response"],
        role=row["role"],
        is_self=row["is_self"],
        organizer=row["organizer"],
    )


def _card(row: dict[str, Any]) -> CardRecord:
    state = {name: row[f"s_{name}"] for name in STATE}
    state["progress"] = object_of(state["progress"])
    known = {name: value for name, value in state.items() if value is not None}
    return CardRecord(connection_of(row, "c_"), account_of(row, "a_"), **known)

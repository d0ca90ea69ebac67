"""Lists of one person: what is only in the host, what is planned there, and what could not be synchronized."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select, union_all
from sqlalchemy import Connection as Database

from ...sync.ports.people import UnsyncedRecord
from ..tables import (
    Appointment,
    AppointmentPerson,
    Calendar,
    CalendarPerson,
    Connection,
    Event,
    Link,
    LinkPerson,
    Operation,
)
from .connections import object_of


def unsynced(database: Database, tenant_id: str, owner_id: str, now: int, limit: int) -> list[UnsyncedRecord]:
    """Return current appointments of a person that no live copy of theirs carries, or that were refused."""
    carried = (
        exists()
        .where(Link.appointment_id == Appointment.id, Link.state == "live")
        .where(LinkPerson.link_id == Link.id, LinkPerson.owner_id == owner_id)
        .correlate(Appointment)
    )
    alone = or_(~carried, Appointment.reason != "")
    return _host(
        database, tenant_id, owner_id, limit, Appointment.kind == "appointment", Appointment.end_at > now, alone
    )


def planned(database: Database, tenant_id: str, owner_id: str, now: int, limit: int) -> list[UnsyncedRecord]:
    """Return activities of a person that have a time and are not over."""
    timed = and_(Appointment.start_at.is_not(None), Appointment.end_at > now)
    return _host(database, tenant_id, owner_id, limit, Appointment.kind == "activity", timed)


def _host(
    database: Database, tenant_id: str, owner_id: str, limit: int, *where: ColumnElement[bool]
) -> list[UnsyncedRecord]:
    columns = (
        Appointment.id,
        Appointment.kind,
        Appointment.ref,
        Appointment.content,
        Appointment.start_at,
        Appointment.end_at,
        Appointment.reason,
        Appointment.reason_text,
    )
    statement = (
        select(*columns)
        .join(AppointmentPerson, AppointmentPerson.appointment_id == Appointment.id)
        .where(Appointment.tenant_id == tenant_id, AppointmentPerson.owner_id == owner_id)
        .where(Appointment.state == "current", *where)
        .order_by(Appointment.start_at, Appointment.id)
        .limit(limit)
    )
    rows = [dict(row) for row in database.execute(statement).mappings()]
    return [UnsyncedRecord(**(row | {"content": object_of(row["content"])})) for row in rows]


def refused(database: Database, tenant_id: str, owner_id: str, account_id: int, limit: int) -> list[dict[str, Any]]:
    """Return events of a person's calendars that were not understood, and writes that the provider refused."""
    mine = (
        select(Calendar.id)
        .join(CalendarPerson, CalendarPerson.calendar_id == Calendar.id)
        .join(Connection, Connection.id == CalendarPerson.connection_id)
        .where(Connection.tenant_id == tenant_id, Connection.owner_id == owner_id, Connection.ended_at.is_(None))
        .where(Calendar.account_id == account_id)
    )
    unread = select(
        Event.id.label("event_id"), Event.title, Event.quarantine.label("reason"), literal("in").label("direction")
    ).where(Event.calendar_id.in_(mine), Event.quarantine.is_not(None), Event.deleted_at.is_(None))
    unsent = (
        select(Operation.event_id, Event.title, Operation.error_text, literal("out"))
        .outerjoin(Event, Event.id == Operation.event_id)
        .where(Operation.calendar_id.in_(mine), Operation.state == "failed")
    )
    return [dict(row) for row in database.execute(union_all(unread, unsent).limit(limit)).mappings()]

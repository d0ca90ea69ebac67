"""What a person does with each calendar: `calendar_person` beside its `calendar`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from ...sync.ports.people import ChoiceRecord
from ..tables import Calendar, CalendarPerson, Event
from ..tables import Connection as ConnectionTable

FACTS = (
    Calendar.id.label("calendar_id"),
    Calendar.public_id,
    Calendar.name,
    Calendar.access,
    Calendar.role,
    Calendar.colour,
    Calendar.time_zone,
    Calendar.primary,
    Calendar.reads,
)
CHOSEN = (
    CalendarPerson.connection_id,
    CalendarPerson.owner_id,
    CalendarPerson.writes,
    CalendarPerson.checks,
    CalendarPerson.shown,
    CalendarPerson.title_prefix,
)


class Choices:
    """Implements `sync.ports.people.Choices`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_connection(self, connection_id: int) -> list[ChoiceRecord]:
        """One statement: a calendar without a row of this person appears with what nobody has chosen yet."""
        mine = and_(CalendarPerson.calendar_id == Calendar.id, CalendarPerson.connection_id == connection_id)
        held = select(func.count()).where(Event.calendar_id == Calendar.id, Event.deleted_at.is_(None))
        statement = (
            select(*FACTS, *CHOSEN, ConnectionTable.owner_id.label("who"), held.scalar_subquery().label("events"))
            .join(ConnectionTable, ConnectionTable.account_id == Calendar.account_id)
            .outerjoin(CalendarPerson, mine)
            .where(ConnectionTable.id == connection_id, Calendar.removed_at.is_(None))
            .order_by(Calendar.primary.desc(), Calendar.name, Calendar.id)
        )
        return [_choice(dict(row), connection_id) for row in self._connection.execute(statement).mappings()]

    def of_owner(self, owner_id: str) -> list[ChoiceRecord]:
        return self._chosen(CalendarPerson.owner_id == owner_id)

    def of_calendar(self, calendar_id: int) -> list[ChoiceRecord]:
        return self._chosen(CalendarPerson.calendar_id == calendar_id)

    def _chosen(self, *where: Any) -> list[ChoiceRecord]:
        statement = (
            select(*FACTS, *CHOSEN)
            .join(CalendarPerson, CalendarPerson.calendar_id == Calendar.id)
            .join(ConnectionTable, ConnectionTable.id == CalendarPerson.connection_id)
            .where(ConnectionTable.ended_at.is_(None), Calendar.removed_at.is_(None), *where)
            .order_by(Calendar.primary.desc(), Calendar.id)
        )
        return [ChoiceRecord(**row) for row in self._connection.execute(statement).mappings()]

    def destination(self, owner_id: str) -> ChoiceRecord | None:
        return next(iter(self._chosen(CalendarPerson.owner_id == owner_id, CalendarPerson.writes)), None)

    def put(
        self, calendar_id: int, owner_id: str, connection_id: int, *, writes: bool, checks: bool, shown: bool = True
    ) -> None:
        values = {"connection_id": connection_id, "writes": writes, "checks": checks, "shown": shown}
        known = update(CalendarPerson).where(_key(calendar_id, owner_id)).values(values)
        if self._connection.execute(known).rowcount == 0:
            fresh = values | {"calendar_id": calendar_id, "owner_id": owner_id}
            self._connection.execute(insert(CalendarPerson).values(fresh))

    def clear_destination(self, owner_id: str) -> None:
        mine = update(CalendarPerson).where(CalendarPerson.owner_id == owner_id)
        self._connection.execute(mine.values(writes=False))

    def show(self, calendar_id: int, owner_id: str, shown: bool) -> None:
        self._connection.execute(update(CalendarPerson).where(_key(calendar_id, owner_id)).values(shown=shown))

    def leave(self, connection_id: int) -> None:
        self._connection.execute(delete(CalendarPerson).where(CalendarPerson.connection_id == connection_id))


def _key(calendar_id: int, owner_id: str) -> ColumnElement[bool]:
    return and_(CalendarPerson.calendar_id == calendar_id, CalendarPerson.owner_id == owner_id)


def _choice(row: dict[str, Any], connection_id: int) -> ChoiceRecord:
    who = row.pop("who")
    if row["owner_id"] is None:
        row |= {"owner_id": who, "writes": False, "checks": False, "shown": True, "title_prefix": ""}
    return ChoiceRecord(**(row | {"connection_id": connection_id}))

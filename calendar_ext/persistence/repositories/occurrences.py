"""Instances of events inside the rolling window, replaced per event (performance.md section 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, delete, func, or_, select, update

from ...domain.model import Kind, Row, Status
from ...domain.series import expand_object
from ...domain.when import Span
from ...sync.ports.content import CalendarRecord
from ..tables import Calendar, Event, Occurrence
from ..tables.content import ALL_DAY, AWAY, DECLINED, FREE, PRIVATE, TENTATIVE
from .bulk import Bulk
from .event_upsert import ID, INSTANCES, NONE, OBJECT_ID, Known

_COLUMNS = ("calendar_id", "start_at", "event_id", "end_at", "flags")
_INSERT = Bulk(Occurrence, _COLUMNS, lambda insert: insert.on_conflict_do_nothing())
_SHOWN = {"free": FREE, "tentative": TENTATIVE, "away": AWAY, "elsewhere": FREE}
#: What expanding a series reads of its rows.
_NEEDED = (
    "id", "object_id", "recurrence_key", "kind", "status", "show_as", "visibility", "response", "all_day",
    "start_wall", "start_zone", "end_wall", "end_zone", "start_at", "end_at", "rules",
)  # fmt: skip
_MOVE = (
    update(Occurrence)
    .where(Occurrence.calendar_id == bindparam("calendar"), Occurrence.event_id == bindparam("event"))
    .values(start_at=bindparam("start"), end_at=bindparam("end"), flags=bindparam("shown"))
)

#: One row of the table, in the order of its columns.
Instance = tuple[int, int, int, int, int]


class _Changes(NamedTuple):
    fresh: list[Instance]
    moved: list[Instance]
    emptied: list[int]


def flags(row: Row) -> int:
    """Return the bits a page and the busy sweep read instead of joining the event."""
    return _bits(row["show_as"], row["all_day"], row["visibility"], row["response"], row["status"])


@lru_cache(maxsize=1024)
def _bits(show_as: str, all_day: bool, visibility: str, response: str, status: str) -> int:
    bits = _SHOWN.get(show_as, 0)
    if all_day:
        bits |= ALL_DAY
    if visibility == "private":
        bits |= PRIVATE
    if response == "declined":
        bits |= DECLINED
    if status == Status.TENTATIVE:
        bits |= TENTATIVE
    return bits


def write(connection: Connection, calendar_id: int, pulled: Iterable[tuple[Known, Row]], window: Span) -> None:
    """Write the instances of rows that were just upserted; of a series, those of all its rows."""
    changes, series = _Changes([], [], []), set()
    low, high = window
    for known, row in pulled:
        if row["kind"] != "single":
            series.add(known[OBJECT_ID])
            continue
        start, end, before = row["start_at"], row["end_at"], known[INSTANCES]
        # `domain.series.overlaps`, spelt out: this runs for every event there is.
        if start < high and (end > low or start >= low) and row["status"] != "cancelled":
            _shown(changes, (calendar_id, start, known[ID], end, flags(row)), before)
        elif before != NONE:
            changes.emptied.append(known[ID])
    if series:
        _write_series(connection, changes, calendar_id, series, window)
    _apply(connection, changes)


def _shown(changes: _Changes, instance: Instance, before: str) -> None:
    """Replace what a single event had before by its one instance; the same one is left alone."""
    if before == NONE:
        changes.fresh.append(instance)
    elif not before.startswith("1 "):
        changes.emptied.append(instance[2])
        changes.fresh.append(instance)
    elif before != f"1 {instance[1]} {instance[3]} {instance[4]}":
        changes.moved.append(instance)


def _write_series(
    connection: Connection, changes: _Changes, calendar_id: int, object_ids: Collection[str], window: Span
) -> None:
    before = select(func.count()).select_from(Occurrence).where(Occurrence.event_id == Event.id).scalar_subquery()
    query = (
        select(*(getattr(Event, name) for name in _NEEDED), before.label("instances"))
        .where(Event.calendar_id == calendar_id, Event.object_id.in_(object_ids), Event.deleted_at.is_(None))
        .order_by(Event.object_id, Event.recurrence_key)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    changes.emptied.extend(row["id"] for row in rows if row["instances"])
    for _, members in groupby(rows, key=lambda row: row["object_id"]):
        changes.fresh.extend(_instances(calendar_id, list(members), window))


def _instances(calendar_id: int, rows: Sequence[Row], window: Span) -> list[Instance]:
    return [
        (calendar_id, shown.start, shown.row["id"], shown.end, flags(shown.row))
        for shown in expand_object(rows, window)
    ]


def _apply(connection: Connection, changes: _Changes) -> None:
    if changes.emptied:
        connection.execute(delete(Occurrence).where(Occurrence.event_id.in_(changes.emptied)))
    if changes.moved:
        connection.execute(_MOVE, [_moved(*instance) for instance in changes.moved])
    _INSERT.insert(connection, changes.fresh)


def _moved(calendar_id: int, start: int, event_id: int, end: int, shown: int) -> dict[str, Any]:
    return {"calendar": calendar_id, "event": event_id, "start": start, "end": end, "shown": shown}


def remove(connection: Connection, event_ids: Collection[int]) -> None:
    """Delete the instances of events."""
    if event_ids:
        connection.execute(delete(Occurrence).where(Occurrence.event_id.in_(event_ids)))


class Occurrences:
    """Implements `sync.ports.content.Occurrences`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, calendar: CalendarRecord, object_ids: Collection[str], window: Span) -> None:
        if not object_ids:
            return
        changes = _Changes([], [], [])
        _write_series(self._connection, changes, calendar.id, object_ids, window)
        _apply(self._connection, changes)
        self._widen(calendar.id, max((instance[3] - instance[1] for instance in changes.fresh), default=0))

    def extend(self, calendar_id: int, window: Span, *, since: int, after_id: int, limit: int) -> int | None:
        beyond = or_(Event.kind == Kind.MASTER, Event.end_at > since)
        query = select(Event.id, Event.object_id).where(
            Event.calendar_id == calendar_id,
            Event.id > after_id,
            Event.deleted_at.is_(None),
            Event.quarantine.is_(None),
            Event.kind.not_in((Kind.GAP, Kind.ANCHOR)),
            beyond,
        )
        found = self._connection.execute(query.order_by(Event.id).limit(limit)).all()
        if not found:
            return None
        changes = _Changes([], [], [])
        _write_series(self._connection, changes, calendar_id, {row.object_id for row in found}, window)
        _apply(self._connection, changes)
        self._widen(calendar_id, max((instance[3] - instance[1] for instance in changes.fresh), default=0))
        return int(found[-1].id)

    def forget_before(self, at: int, limit: int) -> int:
        ended = select(Occurrence.calendar_id, Occurrence.start_at, Occurrence.event_id)
        ended = ended.where(Occurrence.end_at < at).limit(limit)
        keys = self._connection.execute(ended).all()
        if keys:
            one = delete(Occurrence).where(
                Occurrence.calendar_id == bindparam("calendar"),
                Occurrence.start_at == bindparam("start"),
                Occurrence.event_id == bindparam("event"),
            )
            named = [{"calendar": key[0], "start": key[1], "event": key[2]} for key in keys]
            self._connection.execute(one, named)
        return len(keys)

    def _widen(self, calendar_id: int, span: int) -> None:
        if span:
            wider = case((Calendar.longest_span < span, span), else_=Calendar.longest_span)
            self._connection.execute(update(Calendar).where(Calendar.id == calendar_id).values(longest_span=wider))

"""The mirror's own writes to events: pulled, vanished, refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, func, or_, select, update

from ...domain.model import Kind, Refusal, Row
from ...domain.when import Span
from ...sync.ports.content import CalendarRecord, Removed, Stored
from ..base import db_now
from ..tables import Event, Link, Occurrence, Participant
from . import occurrences, participants, refusals
from .asides import beside, outer
from .calendars import Calendars
from .event_upsert import GUESTS, LINKS, REVISION, Known, upsert

#: Key, object id and recurrence key of a row.
Named = tuple[int, str, str]
#: What a shadow says of an event that was deleted while an edit of it was on its way.
GONE = '{"gone":true}'
_SHADOW = (
    update(Event)
    .where(Event.id == bindparam("event"))
    .values(shadow=bindparam("said"), seen_round=bindparam("round"), missing_since=None)
)


def _remote() -> ColumnElement[bool]:
    """Whatever the provider holds as an event: no gaps, no anchors, nothing that was never sent."""
    return and_(Event.deleted_at.is_(None), Event.remote_id != "", Event.kind.not_in((Kind.GAP, Kind.ANCHOR)))


def _unseen(calendar_id: Any, round: Any) -> ColumnElement[bool]:
    return and_(Event.calendar_id == calendar_id, Event.seen_round < round, Event.pending == 0, _remote())


_MISSING = select(Event.id, Event.object_id, Event.recurrence_key).where(
    _unseen(bindparam("calendar"), bindparam("round"))
)
_MISSING = _MISSING.order_by(Event.id)


class Events:
    """Implements `sync.ports.content.Events`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def store(self, calendar: CalendarRecord, rows: Sequence[Row], *, round: int, window: Span) -> Stored:
        if not rows:
            return Stored()
        keyed = {(row["object_id"], row.get("recurrence_key") or ""): row for row in rows}
        if marked := [row for row in keyed.values() if row.get("marker")]:
            self._tell_foreign(calendar, marked)
        longest = max([row["end_at"] - row["start_at"] for row in keyed.values()])
        revision = Calendars(self._connection).raise_revision(calendar.id, max(longest, 0))
        written = upsert(self._connection, calendar.id, list(keyed.values()), round=round, revision=revision)
        changed = [(known, keyed[known[1:3]]) for known in written if known[REVISION] == revision]
        waiting = self._shadow(calendar, keyed, written, round) if len(written) < len(keyed) else 0
        occurrences.write(self._connection, calendar.id, changed, window)
        if guests := [one for one in changed if one[0][GUESTS] or one[1].get("attendees")]:
            participants.write(self._connection, guests)
        linked = waiting > 0 or bool(marked) or any(known[LINKS] for known, _ in changed)
        return Stored(revision, len(changed), linked)

    def _tell_foreign(self, calendar: CalendarRecord, rows: Collection[Row]) -> None:
        """Note which markers are not of this calendar's own links and events (trust.md R-03)."""
        marked = {row["marker"].partition(":")[0] for row in rows}
        ours = select(Link.public_id).where(Link.calendar_id == calendar.id, Link.public_id.in_(marked))
        own = select(Event.public_id).where(Event.calendar_id == calendar.id, Event.public_id.in_(marked))
        known = set(self._connection.execute(ours.union(own)).scalars())
        for row in rows:
            row["foreign_marker"] = row["marker"].partition(":")[0] not in known

    def _shadow(
        self, calendar: CalendarRecord, keyed: dict[tuple[str, str], Row], written: list[Known], round: int
    ) -> int:
        """Keep what the provider says of rows whose edit is on its way; return how many it says something new of."""
        missed = keyed.keys() - {known[1:3] for known in written}
        query = select(Event.id, Event.object_id, Event.recurrence_key, Event.etag)
        query = query.where(Event.calendar_id == calendar.id, Event.pending == 1)
        waiting = [row for row in self._connection.execute(query) if (row[1], row[2]) in missed]
        news = [(row.id, keyed[row[1], row[2]]) for row in waiting if keyed[row[1], row[2]].get("etag") != row.etag]
        if news:
            values = [{"event": key, "said": _said(row), "round": round} for key, row in news]
            self._connection.execute(_SHADOW, values)
        return len(news)

    def remove(
        self, calendar: CalendarRecord, object_ids: Sequence[str], *, revision: int, ids: Sequence[int] = ()
    ) -> Removed:
        here = and_(Event.calendar_id == calendar.id, Event.deleted_at.is_(None))
        named = and_(here, or_(Event.object_id.in_(object_ids), Event.id.in_(ids)))
        links = beside(select(func.count()).select_from(Link).where(Link.event_id == outer(Event.id)))
        binned = update(Event).where(named, Event.pending == 0).returning(Event.id, links)
        binned = binned.values(deleted_at=db_now(), revision=revision, missing_since=None)
        removed = self._connection.execute(binned).all()
        held = update(Event).where(named, Event.pending == 1, Event.remote_id != "")
        waiting = self._connection.execute(held.values(shadow=GONE, missing_since=None)).rowcount
        occurrences.remove(self._connection, [row[0] for row in removed])
        return Removed(len(removed), waiting > 0 or any(row[1] for row in removed))

    def live(self, calendar_id: int, object_ids: Sequence[str]) -> list[Named]:
        query = select(Event.id, Event.object_id, Event.recurrence_key).where(
            Event.calendar_id == calendar_id, Event.object_id.in_(object_ids), Event.recurrence_key == "", _remote()
        )
        return self._named(query)

    def count_live(self, calendar_id: int) -> int:
        objects = select(func.count(Event.object_id.distinct())).where(Event.calendar_id == calendar_id, _remote())
        return int(self._connection.execute(objects).scalar_one())

    def _named(self, query: Any) -> list[Named]:
        return [(row[0], row[1], row[2]) for row in self._connection.execute(query.order_by(Event.id))]

    def quarantine(self, calendar: CalendarRecord, refused: Sequence[Refusal], *, round: int, revision: int) -> None:
        refusals.store(self._connection, calendar.id, refused, round=round, revision=revision)

    def missing(self, calendar_id: int, round: int) -> list[Named]:
        found = self._connection.execute(_MISSING, {"calendar": calendar_id, "round": round})
        return [(row[0], row[1], row[2]) for row in found]

    def mark_missing(self, calendar_id: int, round: int) -> int:
        unmarked = update(Event).where(_unseen(calendar_id, round), Event.missing_since.is_(None))
        self._connection.execute(unmarked.values(missing_since=db_now()))
        marked = select(func.count()).select_from(Event).where(Event.missing_since.is_not(None))
        return int(self._connection.execute(marked.where(Event.calendar_id == calendar_id)).scalar_one())

    def missing_since(self, calendar_id: int, round: int, seconds: int) -> list[Named]:
        long_ago = Event.missing_since <= db_now() - seconds
        query = select(Event.id, Event.object_id, Event.recurrence_key)
        return self._named(query.where(_unseen(calendar_id, round), long_ago))

    def refused(self, calendar_id: int) -> list[Row]:
        columns = (Event.id, Event.title, Event.quarantine, Event.remote_id, Event.etag)
        query = select(*columns).where(Event.calendar_id == calendar_id, Event.quarantine.is_not(None))
        found = self._connection.execute(query.where(Event.deleted_at.is_(None)).order_by(Event.id)).mappings()
        return [dict(row) for row in found]

    def empty_bin(self, before: int, limit: int) -> int:
        return self._delete(select(Event.id).where(Event.deleted_at < before), limit)

    def forget(self, calendar_id: int, limit: int) -> int:
        return self._delete(select(Event.id).where(Event.calendar_id == calendar_id, Event.pending == 0), limit)

    def _delete(self, chosen: Any, limit: int) -> int:
        """Delete rows and what hangs on them: SQLite does not by itself, unless the host asked it to."""
        held = exists(select(Link.id).where(Link.event_id == Event.id, Link.state == "live"))
        ids = list(self._connection.execute(chosen.where(~held).order_by(Event.id).limit(limit)).scalars())
        if ids:
            self._connection.execute(update(Link).where(Link.event_id.in_(ids)).values(event_id=None))
            for entity in (Occurrence, Participant):
                self._connection.execute(delete(entity).where(entity.event_id.in_(ids)))
            self._connection.execute(delete(Event).where(Event.id.in_(ids)))
        return len(ids)


def _said(row: Row) -> str:
    return orjson.dumps({**row, "fingerprint": row["fingerprint"].hex()}).decode()

"""Places in a calendar's history, and listings that have not ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from ...domain.when import Span
from ...sync.ports.content import BUILDING, CURRENT, FULL, RETIRED, VISIBLE, CursorRecord
from ..base import db_now
from ..tables import Cursor, Event

FIELDS = tuple(CursorRecord.__dataclass_fields__)
COLUMNS = [getattr(Cursor, name) for name in FIELDS]
OPEN = (BUILDING, CURRENT)


class Cursors:
    """Implements `sync.ports.content.Cursors`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_calendar(self, calendar_id: int) -> list[CursorRecord]:
        mine = select(*COLUMNS).where(Cursor.calendar_id == calendar_id, Cursor.state.in_(OPEN))
        return [CursorRecord(**row) for row in self._connection.execute(mine.order_by(Cursor.id)).mappings()]

    def begin(self, calendar_id: int, kind: str, *, span: Span | None = None, delay: int = 0) -> CursorRecord:
        low, high = span or (None, None)
        round = 0 if kind == VISIBLE else self._last_round(calendar_id) + 1
        values = {"calendar_id": calendar_id, "kind": kind, "state": BUILDING, "round": round}
        values |= {"span_from": low, "span_to": high, "started_at": db_now() + delay}
        row = self._connection.execute(insert(Cursor).values(values).returning(*COLUMNS)).mappings().one()
        return CursorRecord(**row)

    def _last_round(self, calendar_id: int) -> int:
        """Rows remember it too, when cursors of earlier times are gone."""
        stamped = select(func.max(Event.seen_round)).where(Event.calendar_id == calendar_id)
        listed = select(func.max(Cursor.round)).where(Cursor.calendar_id == calendar_id)
        return max(self._connection.execute(query).scalar() or 0 for query in (stamped, listed))

    def resume(self, cursor_id: int, resume: str) -> None:
        self._set(cursor_id, resume=resume)

    def again(self, cursor_id: int, *, round: int, delay: int) -> None:
        self._set(cursor_id, resume=None, round=round, started_at=db_now() + delay)

    def complete(self, cursor: CursorRecord, value: str | None) -> None:
        if cursor.kind == VISIBLE:
            self._set(cursor.id, state=RETIRED, resume=None, completed_at=db_now())
            return
        former = update(Cursor).where(Cursor.calendar_id == cursor.calendar_id, Cursor.state == CURRENT)
        self._connection.execute(former.values(state=RETIRED))
        self._set(cursor.id, state=CURRENT, kind=FULL, value=value, resume=None, completed_at=db_now())

    def advance(self, cursor_id: int, value: str) -> None:
        self._set(cursor_id, value=value, completed_at=db_now())

    def forget(self, calendar_id: int) -> None:
        mine = update(Cursor).where(Cursor.calendar_id == calendar_id, Cursor.state.in_(OPEN))
        self._connection.execute(mine.values(state=RETIRED))

    def remove_retired(self, before: int) -> int:
        old = delete(Cursor).where(Cursor.state == RETIRED, Cursor.started_at < before)
        return self._connection.execute(old).rowcount

    def _set(self, cursor_id: int, **values: Any) -> None:
        self._connection.execute(update(Cursor).where(Cursor.id == cursor_id).values(values))

"""Places in a calendar's history, and listings that have not ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from ...domain.when import Span
from ...sync.ports.content import BUILDING, CURRENT, FULL, RETIRED, VISIBLE, CursorRecord
from ..base import db_now
from ..tables import Cursor, Event

FIELDS = tuple(CursorRecord.__dataclass_fields__)
COLUMNS = [getattr(Cursor, name) for name in FIELDS]
OPEN = (BUILDING, CURRENT)


_ROUNDS = select(
    select(func.max(Event.seen_round)).where(Event.calendar_id == bindparam("calendar")).scalar_subquery(),
    select(func.max(Cursor.round)).where(Cursor.calendar_id == bindparam("calendar")).scalar_subquery(),
)
_ONE = update(Cursor).where(Cursor.id == bindparam("cursor"))
_BEGIN = (
    insert(Cursor)
    .values(
        calendar_id=bindparam("calendar_id"),
        kind=bindparam("kind"),
        state=BUILDING,
        round=bindparam("round"),
        span_from=bindparam("span_from"),
        span_to=bindparam("span_to"),
        started_at=db_now() + bindparam("delay"),
    )
    .returning(*COLUMNS)
)
_RETIRE = update(Cursor).where(Cursor.calendar_id == bindparam("calendar"), Cursor.state == CURRENT)
_RETIRE = _RETIRE.values(state=RETIRED)
_COMPLETE = _ONE.values(
    state=bindparam("becomes"), kind=bindparam("into"), value=bindparam("place"), resume=None, completed_at=db_now()
)
_RESUME = _ONE.values(resume=bindparam("place"))
_ADVANCE = _ONE.values(value=bindparam("place"), completed_at=db_now())


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
        values = {"calendar_id": calendar_id, "kind": kind, "round": round, "span_from": low, "span_to": high}
        row = self._connection.execute(_BEGIN, values | {"delay": delay}).one()
        return CursorRecord(**row._mapping)

    def _last_round(self, calendar_id: int) -> int:
        """Rows remember it too, when cursors of earlier times are gone."""
        rounds = self._connection.execute(_ROUNDS, {"calendar": calendar_id}).one()
        return max(number or 0 for number in rounds)

    def resume(self, cursor_id: int, resume: str) -> None:
        self._connection.execute(_RESUME, {"cursor": cursor_id, "place": resume})

    def again(self, cursor_id: int, *, round: int, delay: int) -> None:
        self._set(cursor_id, resume=None, round=round, started_at=db_now() + delay)

    def complete(self, cursor: CursorRecord, value: str | None) -> None:
        ended = {"cursor": cursor.id, "into": cursor.kind, "becomes": RETIRED, "place": value}
        if cursor.kind != VISIBLE:
            self._connection.execute(_RETIRE, {"calendar": cursor.calendar_id})
            ended |= {"into": FULL, "becomes": CURRENT}
        self._connection.execute(_COMPLETE, ended)

    def advance(self, cursor_id: int, value: str) -> None:
        self._connection.execute(_ADVANCE, {"cursor": cursor_id, "place": value})

    def forget(self, calendar_id: int) -> None:
        mine = update(Cursor).where(Cursor.calendar_id == calendar_id, Cursor.state.in_(OPEN))
        self._connection.execute(mine.values(state=RETIRED))

    def remove_retired(self, before: int) -> int:
        old = delete(Cursor).where(Cursor.state == RETIRED, Cursor.started_at < before)
        return self._connection.execute(old).rowcount

    def _set(self, cursor_id: int, **values: Any) -> None:
        self._connection.execute(update(Cursor).where(Cursor.id == cursor_id).values(values))

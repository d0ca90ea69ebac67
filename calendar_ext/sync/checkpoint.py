"""Where a calendar's reading stands: visible weeks, full listing, the place in its history. Never lost half-way.

A calendar has at most one current place and one full listing under way. The listing's round number is stamped on every
row it shows; what carries an older number when it ends was not shown (trust.md R-05, R-06).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..domain.when import Span
from .ports.content import BUILDING, CURRENT, FULL, VISIBLE, CalendarRecord, CursorRecord
from .run import Run

DAY = 86_400
#: What a Calendar page opens on: asked for before anything else.
_VISIBLE = (-7 * DAY, 35 * DAY)
#: A cursor is stored anew at least this often, although nothing changed: providers forget old ones.
_RENEW = DAY


@dataclass(frozen=True, slots=True)
class Place:
    """What is to be read next, in this order: `visible`, then `listing`, or else what changed since `current`.

    :param waiting: a listing that begins later.
    """

    visible: CursorRecord | None = None
    listing: CursorRecord | None = None
    current: CursorRecord | None = None
    waiting: CursorRecord | None = None


def place(cursors: Sequence[CursorRecord], calendar_id: int, now: int) -> Place:
    """Return where a calendar stands."""
    mine = [cursor for cursor in cursors if cursor.calendar_id == calendar_id]
    building = [cursor for cursor in mine if cursor.state == BUILDING]
    whole = next((cursor for cursor in building if cursor.kind != VISIBLE), None)
    is_due = whole is not None and (whole.started_at or 0) <= now
    return Place(
        visible=next((cursor for cursor in building if cursor.kind == VISIBLE), None),
        listing=whole if is_due else None,
        current=next((cursor for cursor in mine if cursor.state == CURRENT), None),
        waiting=None if is_due else whole,
    )


def prepare(run: Run, calendar: CalendarRecord, place: Place, now: int) -> Place:
    """Begin what has to be begun: both listings of a new calendar; one where the provider keeps no history."""
    if place.listing or place.waiting:
        return place
    if place.current is None:
        return _begin(run, calendar, now)
    if place.current.value is None:
        return replace(place, listing=expired(run, calendar, place))
    return place


def _begin(run: Run, calendar: CalendarRecord, now: int) -> Place:
    low, high = _VISIBLE
    with run.store.write(run.fence) as unit:
        visible = unit.cursors.begin(calendar.id, VISIBLE, span=Span(now + low, now + high))
        return Place(visible, unit.cursors.begin(calendar.id, FULL))


def expired(run: Run, calendar: CalendarRecord, place: Place) -> CursorRecord:
    """Begin to list a calendar whose place the provider has forgotten; that place stays until the listing has ended."""
    with run.store.write(run.fence) as unit:
        if place.waiting is None:
            return unit.cursors.begin(calendar.id, FULL)
        unit.cursors.again(place.waiting.id, round=place.waiting.round, delay=0)
        return place.waiting


def restart(run: Run, cursor: CursorRecord) -> None:
    """Let a listing that the provider has forgotten half-way begin over; every row is to be shown again."""
    with run.store.write(run.fence) as unit:
        unit.cursors.again(cursor.id, round=cursor.round + 1, delay=0)


def worth_storing(cursor: CursorRecord, value: str | None, now: int) -> bool:
    """Return whether a new place is stored although nothing changed; seldom, since it costs a transaction."""
    return value is not None and value != cursor.value and (cursor.completed_at or 0) <= now - _RENEW

"""What the provider answered to a write of ours, stored like a pulled row, and read anew where it had moved on."""

from __future__ import annotations

from typing import Any

from ..domain.model import Kind, Row, Status
from ..domain.when import Span
from ..errors import Gone
from ..limits import Limits
from .ports.content import CalendarRecord
from .ports.store import UnitOfWork
from .run import Run

_DAY = 86_400


def window(now: int, limits: Limits) -> Span:
    """Return the span in which instances are stored."""
    return Span(now - limits.window_past_days * _DAY, now + limits.window_future_days * _DAY)


def keep_row(unit: UnitOfWork, calendar: CalendarRecord, row: Row, limits: Limits) -> Row:
    """Store a row the provider answered with and return it as it stands now.

    It carries the number of the newest listing, so that none under way takes it for missing.
    """
    newest = max((cursor.round for cursor in unit.cursors.of_calendar(calendar.id)), default=0)
    unit.events.store(calendar, [dict(row)], round=newest, window=window(unit.now(), limits))
    stored = find_row(unit, calendar.id, row)
    assert stored is not None
    return stored


def find_row(unit: UnitOfWork, calendar_id: int, row: Row) -> Row | None:
    """Return our row of a provider's row."""
    return unit.edits.override(calendar_id, row["object_id"], row.get("recurrence_key") or "")


def bin_row(unit: UnitOfWork, calendar: CalendarRecord, row: Row, limits: Limits) -> None:
    """Take an event out: a whole object goes to the bin, an occurrence becomes a gap of its series."""
    if not row["recurrence_key"]:
        revision = unit.calendars.raise_revision(calendar.id)
        unit.edits.change(row["id"], {"pending": 0, "shadow": None})
        unit.events.remove(calendar, [row["object_id"]], revision=revision)
        return
    gap: dict[str, Any] = {"kind": str(Kind.GAP), "status": str(Status.CANCELLED), "pending": 0, "shadow": None}
    change_row(unit, calendar, row, gap, limits)


def change_row(unit: UnitOfWork, calendar: CalendarRecord, row: Row, values: Row, limits: Limits) -> None:
    """Write columns of an event under a new revision, its instances anew."""
    revision = unit.calendars.raise_revision(calendar.id)
    unit.edits.change(row["id"], {**values, "revision": revision})
    unit.occurrences.replace(calendar, [row["object_id"]], window(unit.now(), limits))


def read_again(run: Run, calendar: CalendarRecord, row: Row) -> Row | None:
    """Ask the provider for the event, store what it says, and return our row; None where it is gone there.

    A row with an edit on its way keeps what people see; the news stands in its shadow.
    """
    try:
        remote = run.provider.get(calendar.remote_id, row["remote_id"])
    except Gone:
        remote = None
    with run.store.write(run.fence) as unit:
        if remote is not None and not remote.cancelled:
            return keep_row(unit, calendar, remote.row, run.limits)
        unit.events.remove(calendar, [row["object_id"]], revision=unit.calendars.raise_revision(calendar.id))
    return None

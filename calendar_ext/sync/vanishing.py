"""What a provider no longer names: when that is a deletion, and when a person is asked first (trust.md R-06).

A tombstone is obeyed at once. A row that a full listing did not show is only marked; it goes when a second full
listing, at least five minutes later, does not show it either. Many at once stop the run until somebody agrees to that
very set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from ..domain.breakers import deletions_allowed, suspicious_listing
from ..errors import BreakerTripped, SuspiciouslyEmpty
from ..providers.base import Page
from .ports.content import CONFIRM, CalendarRecord, CursorRecord
from .ports.store import UnitOfWork
from .run import Run
from .storing import Pass

#: Key, object id and recurrence key of a row.
Named = tuple[int, str, str]
DELETIONS, EMPTY = "deletions", "suspiciously_empty"
#: How many events a stopped run names for the list on the screen.
_LISTED = 500


def obeyed(going: Pass, calendar: CalendarRecord, gone: Sequence[str]) -> Sequence[str]:
    """Return the tombstones, if they may be obeyed without asking, or a person has agreed.

    :raises BreakerTripped: too many for one run; nothing of the page is stored.
    """
    run = going.run
    if len(gone) + run.tally.removed <= run.limits.deletions_floor:
        return gone
    with run.store.read() as unit:
        _check(unit, run, calendar, unit.events.live(calendar.id, gone), from_listing=False)
    return gone


def conclude(unit: UnitOfWork, going: Pass, calendar: CalendarRecord, cursor: CursorRecord, page: Page) -> None:
    """End a full listing: the calendar's place is what the last page says, in the transaction of that page.

    :raises SuspiciouslyEmpty: it named nothing where there was something; it is repeated, and nothing is removed.
    :raises BreakerTripped: the second listing would remove too much; the listing stays unfinished.
    """
    run, seconds = going.run, going.run.limits.missing_confirm_seconds
    missing = unit.events.missing(calendar.id, cursor.round)
    if missing and _names_nothing(unit, calendar, missing) and not _agreed(unit, run, calendar, missing):
        raise SuspiciouslyEmpty(calendar_id=calendar.id, count=len(missing))
    gone = unit.events.missing_since(calendar.id, cursor.round, seconds) if cursor.kind == CONFIRM else []
    if gone:
        _check(unit, run, calendar, gone, from_listing=True)
        _remove(unit, going, calendar, gone)
    unit.cursors.complete(cursor, page.cursor)
    if len(gone) < len(missing):
        unit.events.mark_missing(calendar.id, cursor.round)
        unit.cursors.begin(calendar.id, CONFIRM, delay=seconds)


def suspected(going: Pass, calendar: CalendarRecord, cursor: CursorRecord, empty: SuspiciouslyEmpty) -> Exception:
    """Let an empty listing be repeated after a while, and return what the run is to end with.

    That is `empty` itself the first time; the second time in a row a person has to look.
    """
    run = going.run
    with run.store.write(run.fence) as unit:
        missing = unit.events.missing(calendar.id, cursor.round)
        unit.events.mark_missing(calendar.id, cursor.round)
        unit.cursors.again(cursor.id, round=cursor.round + 1, delay=run.limits.missing_confirm_seconds)
        if not unit.events.missing_since(calendar.id, cursor.round, run.limits.missing_confirm_seconds):
            return empty
    return _stop(calendar, missing, EMPTY)


def _names_nothing(unit: UnitOfWork, calendar: CalendarRecord, missing: Sequence[Named]) -> bool:
    known = unit.events.count_live(calendar.id)
    return suspicious_listing(known - len(_objects(missing)), known)


def _remove(unit: UnitOfWork, going: Pass, calendar: CalendarRecord, gone: Sequence[Named]) -> None:
    objects = [object_id for _, object_id, key in gone if not key]
    revision = unit.calendars.raise_revision(calendar.id)
    removed = unit.events.remove(calendar, objects, revision=revision, ids=[row_id for row_id, _, _ in gone])
    unit.occurrences.replace(calendar, {object_id for _, object_id, key in gone if key}, going.window)
    going.run.tally.removed += removed.count
    going.unsettled |= removed.unsettled


def _check(unit: UnitOfWork, run: Run, calendar: CalendarRecord, gone: Sequence[Named], *, from_listing: bool) -> None:
    total = unit.events.count_live(calendar.id)
    count = len(_objects(gone)) + run.tally.removed
    if deletions_allowed(count, total, from_listing=from_listing, limits=run.limits):
        return
    if not _agreed(unit, run, calendar, gone):
        raise _stop(calendar, gone, DELETIONS)


def _agreed(unit: UnitOfWork, run: Run, calendar: CalendarRecord, gone: Iterable[Named]) -> bool:
    return unit.runs.approved(run.account.id, plan_hash(calendar, gone))


def _stop(calendar: CalendarRecord, gone: Sequence[Named], reason: str) -> BreakerTripped:
    return BreakerTripped(
        reason=reason,
        remedy="Look at the list and keep or remove these events.",
        plan_hash=plan_hash(calendar, gone),
        calendar_id=calendar.id,
        count=len(_objects(gone)),
        events=[row_id for row_id, _, _ in gone[:_LISTED]],
    )


def _objects(rows: Iterable[Named]) -> set[str]:
    return {object_id for _, object_id, _ in rows}


def plan_hash(calendar: CalendarRecord, gone: Iterable[Named]) -> str:
    """Return the name of exactly this set of deletions: what a person agrees to."""
    lines = sorted(f"{object_id}\x1f{key}" for _, object_id, key in gone)
    return hashlib.sha256("\x1e".join([calendar.public_id, *lines]).encode()).hexdigest()

"""A page of a provider into chunks, each one fenced transaction; what the database refuses is halved out (L8-L12)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from ..domain.model import Refusal, Row
from ..domain.when import Span
from ..errors import Refused
from ..providers.base import Page
from .ports.content import CalendarRecord, Release, Removed
from .ports.store import UnitOfWork
from .run import Run
from .wake import PERSON, SETTLE

log = logging.getLogger("calendar_ext.sync")

#: What is written with the last chunk of a page: cursor, progress (L12).
Finish = Callable[[UnitOfWork], None]

UNSTORABLE = "It holds something the database cannot store."


@dataclass(slots=True)
class Pass:
    """What the reading of one account has led to so far."""

    run: Run
    window: Span
    #: By the database's clock, when the run began.
    now: int
    #: Rows concern links, or met an edit on its way: the linked ones are to be settled.
    unsettled: bool = False
    #: Hints inserted on the way, and deleted at the end like those that were read at claim.
    wakes: list[int] = field(default_factory=list)
    #: How the run ends, if the next page that ends a calendar's changes is all that is left of it.
    last: Release | None = None
    #: That page was stored: the claim has ended with it.
    released: bool = False


def store_page(
    going: Pass,
    calendar: CalendarRecord,
    page: Page,
    *,
    round: int,
    gone: Sequence[str],
    finish: Finish,
    release: Release | None = None,
) -> None:
    """Store one page; `gone` are the tombstones that may be obeyed, `release` is how the run ends with it.

    :raises LeaseLost: another worker has the account; what was committed before stays.
    """
    # In the order of the indexes a chunk touches few of their pages: a commit writes a fifth of what it would else.
    rows, size = sorted(page.rows, key=itemgetter("object_id")), going.run.store.chunk_rows
    chunks = [rows[first : first + size] for first in range(0, len(rows), size)] or [[]]
    for number, part in enumerate(chunks):
        first, last = number == 0, number == len(chunks) - 1
        chunk = _Chunk(calendar, part, round)
        if first:
            chunk = replace(chunk, gone=gone, refused=page.refused)
        if last:
            chunk = replace(chunk, finish=finish, release=release)
        _store(going, chunk)


@dataclass(frozen=True, slots=True)
class _Chunk:
    calendar: CalendarRecord
    rows: list[Row]
    round: int
    gone: Sequence[str] = ()
    refused: Sequence[Refusal] = ()
    finish: Finish | None = None
    release: Release | None = None


def _store(going: Pass, chunk: _Chunk) -> None:
    try:
        _write(going, chunk)
    except Refused as error:
        if not chunk.rows:
            raise
        for part in _halves(chunk, error):
            _store(going, part)


def _halves(chunk: _Chunk, error: Refused) -> list[_Chunk]:
    """Return two chunks that say the same; of a single row what is to be said about it instead."""
    rows, middle = chunk.rows, len(chunk.rows) // 2
    if len(rows) == 1:
        name, reason = chunk.calendar.public_id, error.facts.get("reason")
        log.warning("One event of calendar %s cannot be stored: %s.", name, reason)
        return [replace(chunk, rows=[], refused=[*chunk.refused, _refusal(rows[0])])]
    return [
        replace(chunk, rows=rows[:middle], finish=None, release=None),
        replace(chunk, rows=rows[middle:], gone=(), refused=()),
    ]


def _refusal(row: Row) -> Refusal:
    def storable(value: object) -> str:
        return str(value or "").encode("utf-8", "replace").decode().replace("\0", "")

    return Refusal(
        name=storable(row.get("title")),
        reason=UNSTORABLE,
        remote_id=storable(row.get("remote_id"))[:1024],
        etag=storable(row.get("etag"))[:255],
    )


def _write(going: Pass, chunk: _Chunk) -> None:
    run, calendar, wake = going.run, chunk.calendar, None
    with run.store.write(replace(run.fence, release=chunk.release)) as unit:
        stored = unit.events.store(calendar, chunk.rows, round=chunk.round, window=going.window)
        removed = _remove_and_refuse(unit, chunk, stored.revision)
        unsettled = stored.unsettled or removed.unsettled
        if unsettled and not going.wakes:
            wake = unit.wakes.add(run.account.id, priority=PERSON, reason=SETTLE)
        if chunk.finish:
            chunk.finish(unit)
    run.tally.pulled += stored.changed
    run.tally.removed += removed.count
    run.tally.refused += len(chunk.refused)
    going.unsettled |= unsettled
    going.released = chunk.release is not None
    going.wakes += [wake] if wake else []


def _remove_and_refuse(unit: UnitOfWork, chunk: _Chunk, revision: int) -> Removed:
    if not chunk.gone and not chunk.refused:
        return Removed()
    revision = revision or unit.calendars.raise_revision(chunk.calendar.id)
    if chunk.refused:
        unit.events.quarantine(chunk.calendar, chunk.refused, round=chunk.round, revision=revision)
    return unit.events.remove(chunk.calendar, chunk.gone, revision=revision) if chunk.gone else Removed()

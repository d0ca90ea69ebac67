"""A page of a provider into chunks, each one fenced transaction; what the database refuses is halved out (L8-L12)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Protocol

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
    #: That page was stored, or will be together with others: the claim ends with it.
    released: bool = False
    #: Takes such a page if it is small.
    together: Together | None = None
    #: Called when that page was stored after the run.
    stored: Callable[[], None] = lambda: None


class Together(Protocol):
    """Small last pages of several accounts, stored in one transaction (`sync.together`)."""

    def take(self, going: Pass, chunk: Chunk) -> bool:
        """Take a page's only chunk, to be stored soon; return whether it was taken."""


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
        chunk = Chunk(calendar, part, round)
        if first:
            chunk = replace(chunk, gone=gone, refused=page.refused)
        if last:
            chunk = replace(chunk, finish=finish, release=release)
        if release is None or going.together is None or not going.together.take(going, chunk):
            store(going, chunk)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is written in one transaction; `finish` and `release` only with the last one of a page."""

    calendar: CalendarRecord
    rows: list[Row]
    round: int
    gone: Sequence[str] = ()
    refused: Sequence[Refusal] = ()
    finish: Finish | None = None
    release: Release | None = None


def store(going: Pass, chunk: Chunk) -> None:
    """Store a chunk; a row that the database refuses is kept by name and reason."""
    try:
        with going.run.store.write(replace(going.run.fence, release=chunk.release)) as unit:
            written = write(unit, going, chunk)
    except Refused as error:
        if not chunk.rows:
            raise
        for part in _halves(chunk, error):
            store(going, part)
    else:
        note(going, chunk, written)


def _halves(chunk: Chunk, error: Refused) -> list[Chunk]:
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


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction did, to be noted once it has committed."""

    changed: int
    removed: int
    unsettled: bool
    wake: int | None


def write(unit: UnitOfWork, going: Pass, chunk: Chunk) -> Written:
    """Write a chunk in a transaction whose fence holds."""
    stored = unit.events.store(chunk.calendar, chunk.rows, round=chunk.round, window=going.window)
    removed = _remove_and_refuse(unit, chunk, stored.revision)
    unsettled, wake = stored.unsettled or removed.unsettled, None
    if unsettled and not going.wakes:
        wake = unit.wakes.add(going.run.account.id, priority=PERSON, reason=SETTLE)
    if chunk.finish:
        chunk.finish(unit)
    return Written(stored.changed, removed.count, unsettled, wake)


def note(going: Pass, chunk: Chunk, written: Written) -> None:
    """Note what a transaction did, after it has committed."""
    tally = going.run.tally
    tally.pulled += written.changed
    tally.removed += written.removed
    tally.refused += len(chunk.refused)
    going.unsettled |= written.unsettled
    going.released = chunk.release is not None
    going.wakes += [written.wake] if written.wake else []


def _remove_and_refuse(unit: UnitOfWork, chunk: Chunk, revision: int) -> Removed:
    if not chunk.gone and not chunk.refused:
        return Removed()
    revision = revision or unit.calendars.raise_revision(chunk.calendar.id)
    if chunk.refused:
        unit.events.quarantine(chunk.calendar, chunk.refused, round=chunk.round, revision=revision)
    return unit.events.remove(chunk.calendar, chunk.gone, revision=revision) if chunk.gone else Removed()

"""From the provider into our rows: the visible weeks, then everything, then what changed (data-model.md L8-L12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..domain.when import Span
from ..errors import CursorExpired, SuspiciouslyEmpty
from ..providers.base import Page
from . import checkpoint, vanishing
from .checkpoint import Place
from .ports.content import VISIBLE, CalendarRecord, CursorRecord
from .ports.store import UnitOfWork
from .progress import Progress
from .storing import Finish, Pass, store_page


def read_visible(going: Pass, calendar: CalendarRecord, place: Place, progress: Progress) -> bool:
    """Read the visible weeks of a calendar that is listed for the first time; return whether they are whole."""
    return place.visible is None or _list(going, calendar, place.visible, progress)


def read_rest(going: Pass, calendar: CalendarRecord, place: Place, progress: Progress) -> bool:
    """Read everything, or what changed, as far as the run's time goes; return whether the calendar is read whole.

    :raises BreakerTripped: it would remove more than may be removed unasked.
    :raises SuspiciouslyEmpty: it named nothing where there was something.
    :raises CursorExpired: a listing was forgotten half-way; the next run begins it over.
    """
    if place.listing:
        return _list(going, calendar, place.listing, progress)
    if place.current is None or place.current.value is None:
        return True
    try:
        for page in going.run.provider.changes(calendar.remote_id, place.current.value):
            _store_changes(going, calendar, place.current, page)
    except CursorExpired:
        return _list(going, calendar, checkpoint.expired(going.run, calendar, place), progress)
    return True


def _store_changes(going: Pass, calendar: CalendarRecord, cursor: CursorRecord, page: Page) -> None:
    news = page.rows or page.gone or page.refused
    if not news and not checkpoint.worth_storing(cursor, page.cursor, going.now):
        return

    def advance(unit: UnitOfWork) -> None:
        if page.cursor is not None:
            unit.cursors.advance(cursor.id, page.cursor)

    gone = vanishing.obeyed(going, calendar, page.gone)
    release = going.last if page.cursor is not None else None
    store_page(going, calendar, page, round=cursor.round, gone=gone, finish=advance, release=release)


def _list(going: Pass, calendar: CalendarRecord, cursor: CursorRecord, progress: Progress) -> bool:
    seen = 0
    try:
        for page in _pages(going, calendar, cursor):
            seen += len(page.rows)
            if cursor.kind == VISIBLE and seen >= going.run.limits.page_rows:
                # A full page is what one request gives: the rest of a crowded month comes with everything else.
                page = replace(page, resume=None)
            gone = vanishing.obeyed(going, calendar, page.gone)
            finish = _finish(going, calendar, cursor, page, progress)
            store_page(going, calendar, page, round=cursor.round, gone=gone, finish=finish)
            if page.resume is None:
                break
            if going.run.out_of_time():
                return False
    except CursorExpired:
        checkpoint.restart(going.run, cursor)
        progress.again(calendar)
        raise
    except SuspiciouslyEmpty as empty:
        raise vanishing.suspected(going, calendar, cursor, empty) from empty
    return True


def _pages(going: Pass, calendar: CalendarRecord, cursor: CursorRecord) -> Iterator[Page]:
    span = None
    if cursor.kind == VISIBLE and cursor.span_from is not None and cursor.span_to is not None:
        span = Span(cursor.span_from, cursor.span_to)
    return going.run.provider.changes(calendar.remote_id, None, span=span, resume=cursor.resume)


def _finish(going: Pass, calendar: CalendarRecord, cursor: CursorRecord, page: Page, progress: Progress) -> Finish:
    """Return what is written with the last chunk of a listing's page."""
    visible = cursor.kind == VISIBLE

    def finish(unit: UnitOfWork) -> None:
        if page.resume is not None:
            unit.cursors.resume(cursor.id, page.resume)
        elif visible:
            unit.cursors.complete(cursor, None)
        else:
            vanishing.conclude(unit, going, calendar, cursor, page)
        whole = page.resume is None and not visible
        progress.page(unit, calendar, len(page.rows), visible=visible, whole_at=going.now if whole else None)

    return finish

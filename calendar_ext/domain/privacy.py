"""An event into what a viewer may see (trust.md T-42).

Views are new objects made from an allow-list, never copies from which something was removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .model import Attendee, Response, Row, ShowAs, Status, Visibility


class Viewer(StrEnum):
    """Who looks."""

    #: The person whose calendar it is: everything.
    OWNER = "owner"
    #: Somebody it was shared with, with event details: those of events that are not private.
    DETAILS = "details"
    #: Everybody else: when there is no time.
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class View:
    """What may be seen. Of a `busy` view only the times, `all_day` and `show_as` (busy or free) say anything."""

    start_at: int
    end_at: int
    all_day: bool
    show_as: str = ShowAs.BUSY
    title: str = ""
    location: str = ""
    description: str = ""
    status: str = Status.CONFIRMED
    private: bool = False
    attendees: tuple[Attendee, ...] = ()


def is_private(row: Row, master: Row | None = None) -> bool:
    """Return whether an event is private: the stricter of series and occurrence; an unknown visibility is private."""
    return any(_is_closed(one) for one in (row, master) if one is not None)


def is_shown(row: Row, viewer: Viewer) -> bool:
    """Return whether a viewer is to see anything of a row: cancelled events are the owner's alone."""
    return viewer is Viewer.OWNER or row.get("status") != Status.CANCELLED


def project(row: Row, viewer: Viewer, *, master: Row | None = None) -> View:
    """Return what `viewer` may see of a row. Rows that are not `is_shown` come out as free time without details.

    `occurs_at` and `occurs_until`, where the row has them, are the times of the occurrence meant.

    :param master: the series of an override, whose visibility counts too.
    """
    private = is_private(row, master)
    if viewer is Viewer.OWNER:
        return _full(row, private=private)
    hidden = private or viewer is Viewer.BUSY or not is_shown(row, viewer)
    return _busy(row) if hidden else _details(row)


def is_busy(row: Row) -> bool:
    """Return whether an event takes its owner's time: free and declined ones do not."""
    declined = row.get("response") == Response.DECLINED
    return not declined and row.get("show_as") != ShowAs.FREE and row.get("status") != Status.CANCELLED


def _is_closed(row: Row) -> bool:
    return (row.get("visibility") or Visibility.DEFAULT) not in (Visibility.DEFAULT, Visibility.PUBLIC)


def _times(row: Row) -> tuple[int, int, bool]:
    start, end = row.get("occurs_at"), row.get("occurs_until")
    return (
        row["start_at"] if start is None else start,
        row["end_at"] if end is None else end,
        bool(row["all_day"]),
    )


def _busy(row: Row) -> View:
    return View(*_times(row), show_as=str(ShowAs.BUSY if is_busy(row) else ShowAs.FREE))


def _details(row: Row) -> View:
    return View(
        *_times(row),
        show_as=str(row.get("show_as") or ShowAs.BUSY),
        title=row.get("title") or "",
        location=row.get("location") or "",
        description=row.get("description") or "",
        status=str(row.get("status") or Status.CONFIRMED),
    )


def _full(row: Row, *, private: bool) -> View:
    return View(
        *_times(row),
        show_as=str(row.get("show_as") or ShowAs.BUSY),
        title=row.get("title") or "",
        location=row.get("location") or "",
        description=row.get("description") or "",
        status=str(row.get("status") or Status.CONFIRMED),
        private=private,
        attendees=tuple(row.get("attendees") or ()),
    )

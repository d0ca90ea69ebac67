"""Rows of the `event` table into events and back: the columns people edit, nothing of identity or version."""

from __future__ import annotations

from .model import Attendee, Event, Kind, Row, ShowAs, Status, Visibility
from .when import When


def event_of(row: Row) -> Event:
    """Return what people edit of a row; a missing or empty column counts as its default."""
    return Event(
        when=when_of(row),
        title=row.get("title") or "",
        description=row.get("description") or "",
        location=row.get("location") or "",
        status=row.get("status") or Status.CONFIRMED,
        show_as=row.get("show_as") or ShowAs.BUSY,
        visibility=row.get("visibility") or Visibility.DEFAULT,
        rules=rules_of(row),
        attendees=tuple(row.get("attendees") or ()),
        uid=row.get("ical_uid") or "",
        marker=marker_of(row.get("marker") or ""),
    )


def when_of(row: Row) -> When:
    """Return the start and end of a row as people wrote them."""
    return When(row["start_wall"], row["end_wall"], row.get("start_zone") or "", row.get("end_zone") or "")


def rules_of(row: Row) -> tuple[str, ...]:
    """Return the RRULE, RDATE and EXDATE lines of a row."""
    rules = row.get("rules")
    return tuple(rules.split("\n")) if rules else ()


def marker_of(text: str) -> tuple[str, str] | None:
    """Return `(link public id, hash)` of a stored marker, or None where there is none."""
    link, _, digest = text.partition(":")
    return (link, digest) if link else None


def row_of(event: Event, *, recurrence_key: str = "") -> Row:
    """Return the columns of an event, instants computed; keys, etag, colour and the like are the caller's.

    :param recurrence_key: makes the row an override of that occurrence.
    """
    when, span = event.when, event.when.span
    return {
        "kind": _kind(event, recurrence_key),
        "recurrence_key": recurrence_key,
        "status": str(event.status),
        "title": event.title,
        "description": event.description,
        "location": event.location,
        "show_as": str(event.show_as),
        "visibility": str(event.visibility),
        "response": own_response(event.attendees),
        "all_day": when.all_day,
        "start_wall": when.start_wall,
        "start_zone": when.start_zone,
        "end_wall": when.end_wall,
        "end_zone": when.end_zone,
        "start_at": span.start,
        "end_at": span.end,
        "rules": "\n".join(event.rules),
        "ical_uid": event.uid,
        "marker": ":".join(event.marker) if event.marker else "",
        "attendees": list(event.attendees),
    }


def own_response(attendees: tuple[Attendee, ...] | list[Attendee]) -> str:
    """Return the answer of the calendar's owner, `''` where nobody asked for one."""
    return next((str(guest.response) for guest in attendees if guest.is_self), "")


def _kind(event: Event, recurrence_key: str) -> str:
    if recurrence_key:
        return str(Kind.GAP if event.status == Status.CANCELLED else Kind.OVERRIDE)
    return str(Kind.MASTER if event.rules else Kind.SINGLE)

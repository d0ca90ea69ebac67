"""Which row an edit is about: an event, a whole series, or one occurrence that may have no row of its own yet."""

from __future__ import annotations

from dataclasses import replace

from ..domain.fingerprint import fingerprint
from ..domain.model import Attendee, Event, Kind, Row
from ..domain.rows import event_of, row_of
from ..domain.series import expand_object, original_start
from ..domain.when import Span, When, wall_at
from ..errors import Gone
from ..sync.ports.store import UnitOfWork

_DAY = 86_400
ONE, ALL = "one", "all"


def subject(unit: UnitOfWork, row: Row, at: str, scope: str) -> Row:
    """Return the row to be changed; one without `id` is an occurrence that gets its own row by being edited.

    :param row: the event of the page: a single, a master, or an override.
    :param at: recurrence key of the occurrence meant, or ''.
    :param scope: `one` or `all`.
    :raises Gone: the series has no such occurrence any more.
    """
    key = at or row["recurrence_key"]
    if not key:
        return row
    series = unit.edits.series(row["calendar_id"], row["object_id"])
    master = next((one for one in series if not one["recurrence_key"]), None)
    if scope == ALL:
        if master is None:
            raise Gone("This series is no longer there.")
        return master
    own = next((one for one in series if one["recurrence_key"] == key and one["kind"] == Kind.OVERRIDE), None)
    if own is not None:
        return own
    if master is None:
        raise Gone("This event is no longer there.")
    return _occurrence(series, master, key)


def _occurrence(series: list[Row], master: Row, key: str) -> Row:
    original = original_start(key, master)
    for instance in expand_object(series, Span(original - _DAY, original + _DAY)):
        if instance.recurrence_key == key:
            return _override(master, key, instance.start, instance.end)
    raise Gone("This event is no longer there.")


def _override(master: Row, key: str, start: int, end: int) -> Row:
    """Return the row of an occurrence that says what the rule says."""
    event = replace(event_of(master), when=_moved(master, start, end), rules=(), marker=None)
    return {
        **row_of(event, recurrence_key=key),
        "calendar_id": master["calendar_id"],
        "object_id": master["object_id"],
        "remote_id": "",
        "organizer": master["organizer"],
        "is_organizer": master["is_organizer"],
        "event_type": master["event_type"],
        "foreign_marker": master["foreign_marker"],
        "etag": "",
        "fingerprint": fingerprint(event),
        "pending": 0,
        "shadow": None,
    }


def _moved(master: Row, start: int, end: int) -> When:
    if master["all_day"]:
        return When(wall_at(start, "UTC")[:10], wall_at(end, "UTC")[:10])
    zone, until = master["start_zone"], master["end_zone"] or master["start_zone"]
    return When(wall_at(start, zone), wall_at(end, until), zone, until)


def version_of(row: Row) -> str:
    """Return what tells whether anybody edited the event since."""
    return fingerprint(event_of(row)).hex()


def with_guests(event: Event, emails: tuple[str, ...]) -> Event:
    """Return the event with exactly these guests; who is known keeps name and answer, oneself and organiser stay."""
    known = {guest.key: guest for guest in event.attendees}
    fixed = [guest for guest in event.attendees if guest.is_self or guest.organizer]
    wanted = dict.fromkeys(email.strip().casefold() for email in emails if email.strip())
    taken = {guest.key for guest in fixed}
    guests = [known.get(email) or Attendee(email) for email in wanted if email not in taken]
    return replace(event, attendees=(*fixed, *guests))

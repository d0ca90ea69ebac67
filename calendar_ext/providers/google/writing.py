"""Events into the JSON Google takes: only the fields asked for, in the form of an insert or of a patch.

A patch merges objects, replaces arrays whole and deletes by null (guide "Performance tips", section Patch).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ...domain.model import CONTENT_FIELDS, Attendee, Event, ShowAs
from ...domain.when import When, instant
from .mapping import REVISION, SOURCE
from .times import offset

Body = dict[str, Any]

_RESPONSES = {"needs_action": "needsAction", "accepted": "accepted", "tentative": "tentative", "declined": "declined"}
#: Names Google may not know yet, and the older ones it does ("Invalid time zone definition").
OLDER_ZONES = {
    "Europe/Kyiv": "Europe/Kiev",
    "Asia/Kolkata": "Asia/Calcutta",
    "Asia/Kathmandu": "Asia/Katmandu",
    "Asia/Yangon": "Asia/Rangoon",
    "Asia/Ho_Chi_Minh": "Asia/Saigon",
    "America/Nuuk": "America/Godthab",
    "America/Argentina/Buenos_Aires": "America/Buenos_Aires",
    "Atlantic/Faroe": "Atlantic/Faeroe",
    "Pacific/Kanton": "Pacific/Enderbury",
}


def insert_body(event: Event, remote_id: str) -> Body:
    """Return the body of an insert under an id of our choice; Google makes the iCalUID from it."""
    body = patch_body(event, (*CONTENT_FIELDS, "marker") if event.marker else CONTENT_FIELDS)
    return {"id": remote_id} | {name: _without_nulls(value) for name, value in body.items() if value not in ("", [])}


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}


def patch_body(event: Event, fields: Collection[str]) -> Body:
    """Return a patch of the named fields.

    :param fields: of `CONTENT_FIELDS`, or `marker`.
    """
    body: Body = {}
    for name in fields:
        body |= _WRITERS[name](event)
    return body


def _when(event: Event) -> Body:
    when = event.when
    return {
        "start": _time(when, when.start_wall, when.start_zone),
        "end": _time(when, when.end_wall, when.end_zone or when.start_zone),
    }


def _time(when: When, wall: str, zone: str) -> Body:
    if when.all_day:
        return {"date": wall, "dateTime": None, "timeZone": None}
    # Google has no floating times: read as UTC, which is how the rest of us counts them.
    zone = zone or "UTC"
    return {"date": None, "dateTime": wall + _shift(offset(zone, instant(wall, zone))), "timeZone": zone}


def _shift(seconds: int) -> str:
    sign, minutes = ("-" if seconds < 0 else "+"), abs(seconds) // 60
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


def with_older_zones(body: Body) -> Body | None:
    """Return the body with the former names of its zones, or None if none of them has one."""
    sides = {side: body[side] for side in ("start", "end") if (body.get(side) or {}).get("timeZone") in OLDER_ZONES}
    if not sides:
        return None
    return body | {side: {**time, "timeZone": OLDER_ZONES[time["timeZone"]]} for side, time in sides.items()}


def _show_as(event: Event) -> Body:
    return {"transparency": "transparent" if event.show_as == ShowAs.FREE else "opaque"}


def _attendees(event: Event) -> Body:
    return {"attendees": [_attendee(guest) for guest in event.attendees]}


def _attendee(guest: Attendee) -> Body:
    answer = _RESPONSES.get(guest.response, "needsAction")
    body: Body = {"email": guest.email, "responseStatus": answer, "optional": guest.role == "optional"}
    return body | {"displayName": guest.name} if guest.name else body


def kept_attendees(body: Body, current: Mapping[str, Any]) -> Body:
    """Return a patch whose guests keep what Google knows of them and we do not: comments, rooms, further guests."""
    known = {guest["email"].casefold(): guest for guest in current.get("attendees") or () if guest.get("email")}
    guests = [{**known.get(guest["email"].strip().casefold(), {}), **guest} for guest in body["attendees"]]
    return body | {"attendees": [_writable(guest) for guest in guests]}


def _writable(guest: Body) -> Body:
    return {name: value for name, value in guest.items() if name not in ("self", "organizer", "id")}


def _marker(event: Event) -> Body:
    link, digest = event.marker or (None, None)
    return {"extendedProperties": {"private": {SOURCE: link, REVISION: digest}}}


_WRITERS = {
    "when": _when,
    "title": lambda event: {"summary": event.title},
    "description": lambda event: {"description": event.description},
    "location": lambda event: {"location": event.location},
    "status": lambda event: {"status": str(event.status)},
    "show_as": _show_as,
    "visibility": lambda event: {"visibility": str(event.visibility)},
    "rules": lambda event: {"recurrence": list(event.rules)},
    "attendees": _attendees,
    "marker": _marker,
}

"""What a client may write into an event, checked and brought into the form it is kept in.

Source: discovery document, schema Event and those below it (types, lists of possible values, limits in descriptions).
Its read-only members are passed over, as Google does: clients send back what they were given. A member that is in no
schema is refused, as Google's newer front ends do, so that misspelt names are noticed.
"""

from __future__ import annotations

import re
from typing import Any

from . import recurrence, times
from .calendars import Body, Calendar
from .errors import ApiError, invalid, required
from .words import words

READ_ONLY = frozenset(
    words(
        "kind etag htmlLink created updated creator organizer hangoutLink locked recurringEventId originalStartTime "
        "privateCopy attendeesOmitted id iCalUID sequence gadget"
    )
)

_TEXTS = frozenset(words("summary description location colorId eventLabelId"))

_FLAGS = {
    "anyoneCanAddSelf": False,
    "endTimeUnspecified": False,
    "guestsCanInviteOthers": True,
    "guestsCanModify": False,
    "guestsCanSeeOtherGuests": True,
}

_VALUES: dict[str, tuple[str, ...]] = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
    "eventType": ("default", "birthday", "focusTime", "outOfOffice", "workingLocation"),
}

_RESPONSES = ("needsAction", "declined", "tentative", "accepted")

_TYPE_PROPERTIES = frozenset(
    words("birthdayProperties focusTimeProperties outOfOfficeProperties workingLocationProperties")
)

_OBJECTS = frozenset(words("start end extendedProperties reminders conferenceData source")) | _TYPE_PROPERTIES

_LISTS = frozenset(words("attendees attachments recurrence"))

KNOWN = READ_ONLY | _TEXTS | frozenset(_FLAGS) | frozenset(_VALUES) | _OBJECTS | _LISTS

MAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+|[^@\s<>,;]+@localhost")

ID = re.compile(r"[a-v0-9]{5,1024}")


def merged(current: Any, changes: Any) -> Any:
    """Return `current` with the changes of a patch: objects merge, arrays are replaced whole, null deletes.

    Source: guide "Performance tips", section Patch.
    """
    if not isinstance(current, dict) or not isinstance(changes, dict):
        return changes
    result = dict(current)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name, {}) if isinstance(value, dict) else None, value)
    return result


def check_names(body: Any) -> None:
    """Refuse what is no object, and members that the schema does not have.

    :raises ApiError: 400.
    """
    if not isinstance(body, dict):
        raise ApiError(400, "parseError", "Parse Error")
    for name in body:
        if name not in KNOWN:
            raise ApiError(400, "invalid", f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')


def content(given: Body, calendar: Calendar, unknown_zones: set[str], *, occurrence: bool = False) -> Body:
    """Return the members that people write, normalised, those with their default value left out.

    :param occurrence: the event is one occurrence of a series, and cannot recur itself.
    :raises ApiError: 400 with the reason Google gives.
    """
    check_names(given)
    kept: Body = {name: value for name, value in given.items() if name not in READ_ONLY and value is not None}
    _check_types(kept)
    _check_values(kept)
    _when(kept, calendar, unknown_zones, occurrence)
    if "attendees" in kept:
        kept["attendees"] = _attendees(kept["attendees"], calendar.id)
    if "extendedProperties" in kept:
        kept["extendedProperties"] = _properties(kept["extendedProperties"])
    kept["reminders"] = _reminders(kept.get("reminders"))
    return {name: value for name, value in kept.items() if not _is_default(name, value)}


def _is_default(name: str, value: Any) -> bool:
    if name in _FLAGS:
        return bool(value is _FLAGS[name])
    if name in ("transparency", "visibility"):
        return bool(value == _VALUES[name][0])
    return name not in ("status", "eventType", "reminders") and value in ("", [], {})


def _check_types(kept: Body) -> None:
    for name, value in kept.items():
        kind = (
            str if name in _TEXTS or name in _VALUES else bool if name in _FLAGS else dict if name in _OBJECTS else list
        )
        if not isinstance(value, kind):
            raise invalid(f"Invalid value for: {name}")


def _check_values(kept: Body) -> None:
    for name, possible in _VALUES.items():
        if name in kept and kept[name] not in possible:
            raise invalid(f"Invalid value for: {name}")
    if kept.get("colorId", "1") not in [str(number) for number in range(1, 12)]:
        raise invalid("Invalid value for: colorId")
    if len(kept.get("attachments", [])) > 25:
        raise invalid("Invalid value for: attachments")
    if any(not (isinstance(each, dict) and each.get("fileUrl")) for each in kept.get("attachments", [])):
        raise required("Required")


def _when(kept: Body, calendar: Calendar, unknown_zones: set[str], occurrence: bool) -> None:
    """Normalise start, end and recurrence in place."""
    lines = kept.get("recurrence") or []
    if lines and occurrence:
        raise invalid("Invalid recurrence rule.")
    for side in ("start", "end"):
        given = kept.get(side)
        if lines and isinstance(given, dict) and given.get("dateTime") and not given.get("timeZone"):
            raise required(f"Missing time zone definition for {side} time.")
        kept[side] = times.normalise(given, side, calendar.time_zone, unknown_zones)
    if not times.same_kind(kept["start"], kept["end"]):
        raise invalid("Start and end times must either both be date or both be dateTime.")
    start, end = times.span(kept, calendar.time_zone)
    if end < start or (end == start and "date" in kept["start"]):
        raise ApiError(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar")
    if lines:
        recurrence.check(kept, calendar.time_zone)


def _attendees(given: list[Any], mailbox: str) -> list[Body]:
    found: dict[str, Body] = {}
    for each in given:
        if not isinstance(each, dict) or not isinstance(each.get("email"), str):
            raise required("Missing attendee email.")
        email = each["email"].strip()
        if not MAIL.fullmatch(email):
            raise invalid("Invalid attendee email.")
        answer = each.get("responseStatus", "needsAction")
        if answer not in _RESPONSES:
            raise invalid("Invalid value for: responseStatus")
        kept = {name: value for name, value in each.items() if name not in ("self", "organizer") and value is not None}
        found[email.lower()] = kept | {"email": email, "responseStatus": answer}
        if email.lower() == mailbox.lower():
            found[email.lower()]["self"] = True
    return list(found.values())


def _properties(given: Body) -> Body:
    """Return extended properties: a key above 44 characters is dropped, a value above 1024 is cut, both silently."""
    result: Body = {}
    for kind, pairs in given.items():
        if kind not in ("private", "shared") or not isinstance(pairs, dict):
            raise invalid("Invalid value for: extendedProperties")
        if any(not isinstance(value, str) for value in pairs.values()):
            raise invalid("Invalid value for: extendedProperties")
        kept = {name: value[:1024] for name, value in pairs.items() if len(name) <= 44}
        if kept:
            result[kind] = kept
    return result


def _reminders(given: Any) -> Body:
    """Return reminders: the calendar's own, or at most five (Event.reminders, EventReminder)."""
    if not given:
        return {"useDefault": True}
    overrides = given.get("overrides") or []
    if given.get("useDefault") and overrides:
        message = "Cannot specify both default reminders and overrides at the same time."
        raise ApiError(400, "cannotUseDefaultRemindersAndSpecifyOverride", message, domain="calendar")
    if len(overrides) > 5:
        raise invalid("Invalid value for: reminders")
    for each in overrides:
        minutes = each.get("minutes") if isinstance(each, dict) else None
        if each.get("method") not in ("popup", "email") or type(minutes) is not int or not 0 <= minutes <= 40_320:
            raise invalid("Invalid value for: reminders")
    return {"useDefault": bool(given.get("useDefault", False)), **({"overrides": overrides} if overrides else {})}

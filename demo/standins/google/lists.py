"""calendarList, calendars, colors and freeBusy.

Source: discovery document, methods calendarList.list and .get, calendars.get, colors.get, freebusy.query.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import occurrences, times, tokens
from .accounts import Account
from .calendars import ROLES, Body, Calendar, Entry
from .errors import ApiError, invalid, required, sync_token_expired
from .masks import Mask
from .parameters import Arguments
from .words import words

if TYPE_CHECKING:
    from .state import State

#: Background colours by id, as `colors.get` gives them (shades of our own choice).
CALENDAR_COLOURS = {"8": "#16a765", "14": "#9fe1e7", "17": "#9a9cff", "20": "#a47ae2", "24": "#d06b64"}
EVENT_COLOURS = words("#a4bdfc #7ae7bf #dbadff #ff887c #fbd75b #ffb878 #46d6db #e1e1e1 #5484ed #51b749 #dc2127")

_MOST_CALENDARS = 50


def entry_body(entry: Entry) -> Body:
    """Return a calendar list entry (schema CalendarListEntry)."""
    if entry.deleted:
        return {
            "kind": "calendar#calendarListEntry",
            "etag": entry.etag,
            "id": entry.calendar.id,
            "deleted": True,
        }
    calendar = entry.calendar
    body: Body = {
        "kind": "calendar#calendarListEntry",
        "etag": entry.etag,
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "colorId": entry.colour,
        "backgroundColor": CALENDAR_COLOURS[entry.colour],
        "foregroundColor": "#000000",
        "accessRole": entry.role,
        "defaultReminders": [{"method": "popup", "minutes": 30}] if calendar.primary else [],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    optional = {
        "description": calendar.description,
        "summaryOverride": entry.override,
        "dataOwner": "" if calendar.primary else calendar.owner,
        "selected": entry.selected,
        "hidden": entry.hidden,
        "primary": calendar.primary and entry.role == "owner",
    }
    return body | {name: value for name, value in optional.items() if value}


def calendar_list(account: Account, args: Arguments, mask: Mask) -> Body:
    """Return one page of somebody's calendars (calendarList.list).

    :raises ApiError: 400 for parameters that cannot go with a sync token, 410 for one that is not good any more.
    """
    since = _since(account, args)
    if "minAccessRole" in args:
        weakest = ROLES.index(args.text("minAccessRole"))
        entries = [each for each in account.entries.values() if ROLES.index(each.role) >= weakest]
    else:
        entries = list(account.entries.values())
    shown = [
        each
        for each in entries
        if each.changed > since
        and (since >= 0 or args.flag("showDeleted") or not each.deleted)
        and (since >= 0 or args.flag("showHidden") or not each.hidden)
    ]
    first = _first(args)
    size = min(args.number("maxResults", 100), 250)
    etag = f'"p{account.listed:08d}"'
    body: Body = {"kind": "calendar#calendarList", "etag": etag}
    body["items"] = [entry_body(each) for each in shown[first : first + size]]
    if first + size < len(shown):
        body["nextPageToken"] = tokens.pack({"l": first + size})
    else:
        body["nextSyncToken"] = tokens.pack({"a": account.subject, "s": account.listed})
    return mask.apply(body)


def _since(account: Account, args: Arguments) -> int:
    if "syncToken" not in args:
        return -1
    for name in ("minAccessRole", "showDeleted", "showHidden"):
        if name in args and args.text(name) != "true":
            raise invalid(f"Sync token cannot be used together with {name}.", name)
    facts = tokens.unpack(args.text("syncToken"))
    if facts is None or facts.get("a") != account.subject:
        raise sync_token_expired()
    return int(facts["s"])


def _first(args: Arguments) -> int:
    if "pageToken" not in args:
        return 0
    facts = tokens.unpack(args.text("pageToken"))
    if facts is None or "l" not in facts:
        raise invalid("Invalid page token value.", "pageToken")
    return int(facts["l"])


def calendar_body(calendar: Calendar) -> Body:
    """Return the properties of a calendar (schema Calendar)."""
    optional = {"description": calendar.description, "dataOwner": "" if calendar.primary else calendar.owner}
    return {
        "kind": "calendar#calendar",
        "etag": f'"c{calendar.epoch}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
        **{name: value for name, value in optional.items() if value},
    }


def colours() -> Body:
    """Return both palettes (schema Colors)."""
    return {
        "kind": "calendar#colors",
        "updated": "2012-02-14T00:00:00.000Z",
        "calendar": {name: _shade(value) for name, value in CALENDAR_COLOURS.items()},
        "event": {str(number): _shade(value) for number, value in enumerate(EVENT_COLOURS, 1)},
    }


def _shade(value: str) -> Body:
    return {"background": value, "foreground": "#1d1d1d"}


def free_busy(state: State, account: Account, body: Any) -> Body:
    """Return busy times per calendar; what cannot be read is an error inside a 200 (freebusy.query).

    :raises ApiError: 400 for missing times, an empty range, or an unknown zone.
    """
    if not isinstance(body, dict) or not body.get("timeMin") or not body.get("timeMax"):
        raise required("Missing timeMin or timeMax parameter.")
    lo, hi = (times.parse_rfc3339(str(body[name]), name) for name in ("timeMin", "timeMax"))
    if hi <= lo:
        raise ApiError(
            400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", location="timeMax"
        )
    zone = body.get("timeZone", "UTC")
    if times.zone(zone) is None:
        raise invalid("Invalid value for: timeZone")
    asked = [str(each.get("id", "")) for each in body.get("items", [])]
    most = min(int(body.get("calendarExpansionMax", _MOST_CALENDARS)), _MOST_CALENDARS)
    found: Body = {}
    for index, name in enumerate(asked):
        entry = _readable(state, account, name)
        if index >= most:
            found[name] = _error("tooManyCalendarsRequested")
        else:
            found[name] = {"busy": _busy(entry, lo, hi, zone)} if entry else _error("notFound")
    edges = {"timeMin": _written(lo), "timeMax": _written(hi)}
    return {"kind": "calendar#freeBusy", **edges, "calendars": found}


def _readable(state: State, account: Account, calendar_id: str) -> Entry | None:
    """Return the calendar to ask: one's own list first, else anybody's primary calendar, as inside one organisation."""
    entry = account.entry(calendar_id)
    if entry is None and calendar_id in state.accounts:
        return state.accounts[calendar_id].entry(calendar_id)
    return entry


def _error(reason: str) -> Body:
    return {"busy": [], "errors": [{"domain": "global", "reason": reason}]}


def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _busy(entry: Entry, lo: int, hi: int, zone: str) -> list[Body]:
    """Return the united spans of opaque events the person has not declined, cut to the range."""
    calendar = entry.calendar
    spans = sorted((max(start, lo), min(end, hi)) for start, end in _taken(calendar, lo, hi) if end > start)
    united: list[list[int]] = []
    for start, end in spans:
        if united and start <= united[-1][1]:
            united[-1][1] = max(united[-1][1], end)
        else:
            united.append([start, end])
    return [{"start": times.in_zone(start, zone), "end": times.in_zone(end, zone)} for start, end in united]


def _taken(calendar: Calendar, lo: int, hi: int) -> list[tuple[int, int]]:
    found = []
    for item in calendar.order:
        if item.cancelled or ("recurringEventId" in item.body and item.body["recurringEventId"] in calendar.items):
            continue
        if not item.master and not item.touches(lo, hi):
            continue
        bodies = occurrences.expand(calendar, item, lo, hi) if item.master else [item.body]
        found += [times.span(body, calendar.time_zone) for body in bodies if _takes_time(body)]
    return [each for each in found if each[1] > lo and each[0] < hi]


def _takes_time(body: Body) -> bool:
    own: Body = next((each for each in body.get("attendees", []) if each.get("self")), {})
    return (
        body["status"] != "cancelled"
        and body.get("transparency") != "transparent"
        and own.get("responseStatus") != "declined"
        and body.get("eventType") not in ("workingLocation", "birthday")
    )

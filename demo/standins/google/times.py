"""EventDateTime, RFC 3339 and zones. Instants are UTC seconds.

Source: discovery document, schema EventDateTime: `dateTime` needs an offset unless `timeZone` is given; `timeZone` is
an IANA name. Answers write `dateTime` with the offset of the zone of the answer, which is the calendar's unless the
parameter `timeZone` names another (events.list, parameter timeZone); `start.timeZone` stays the event's own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from .errors import invalid, required

DAY = 86_400

Body = dict[str, Any]


@lru_cache(maxsize=2048)
def zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, or None."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def zone_or_utc(name: str) -> ZoneInfo:
    """Return the zone, UTC where the name is unknown."""
    return zone(name) or ZoneInfo("UTC")


def parse_rfc3339(text: str, name: str) -> int:
    """Return the instant of a query parameter; the offset is mandatory (events.list, timeMin).

    :raises ApiError: 400 that names the parameter.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("Bad Request", name)
    if len(text) < 19 or moment.tzinfo is None:
        raise invalid("Bad Request", name)
    return int(moment.timestamp())


def stamp(seconds: float) -> str:
    """Return an instant as Google writes `updated`: `2026-11-23T08:00:00.000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_zone(seconds: int, name: str) -> str:
    """Return an instant with the offset of a zone; UTC is written `Z`."""
    return datetime.fromtimestamp(seconds, zone_or_utc(name)).isoformat(timespec="seconds").replace("+00:00", "Z")


def wall_instant(wall: datetime, name: str) -> int:
    """Return the instant of a wall-clock reading: gaps move forward, of two readings the first (RFC 5545 3.3.5)."""
    return int(wall.replace(tzinfo=zone_or_utc(name), fold=0).timestamp())


def instant(when: dict[str, Any], calendar_zone: str) -> int:
    """Return the instant of a stored EventDateTime; a date begins at midnight of the calendar's zone."""
    if "date" in when:
        return wall_instant(datetime.fromisoformat(when["date"]), calendar_zone)
    return int(datetime.fromisoformat(when["dateTime"]).timestamp())


def span(body: dict[str, Any], calendar_zone: str) -> tuple[int, int]:
    """Return the half-open span of a stored event."""
    return instant(body["start"], calendar_zone), instant(body["end"], calendar_zone)


def written_in(when: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a stored EventDateTime with its `dateTime` written in another zone."""
    if "date" in when:
        return when
    return {**when, "dateTime": in_zone(instant(when, "UTC"), name)}


def normalise(given: Any, side: str, calendar_zone: str, unknown: frozenset[str] | set[str]) -> dict[str, Any]:
    """Return the EventDateTime to store.

    :param side: `start` or `end`, for messages.
    :param unknown: IANA names this Google does not know yet.
    :raises ApiError: 400 with the sentence Google uses.
    """
    if not isinstance(given, dict):
        raise required(f"Missing {side} time.")
    if bool(given.get("date")) == bool(given.get("dateTime")):
        raise invalid(f"Invalid {side} time.") if given.get("date") else required(f"Missing {side} time.")
    name = given.get("timeZone") or ""
    if name and (zone(name) is None or name in unknown):
        raise invalid(f"Invalid time zone definition for {side} time.")
    try:
        return _day(given["date"]) if given.get("date") else _moment(given["dateTime"], name, side, calendar_zone)
    except (ValueError, TypeError, OverflowError):
        raise invalid(f"Invalid value for: {side}")


def _day(text: str) -> dict[str, Any]:
    return {"date": date.fromisoformat(text).isoformat()}


def _moment(text: str, name: str, side: str, calendar_zone: str) -> dict[str, Any]:
    moment = datetime.fromisoformat(text)
    if len(text) < 19:
        raise ValueError(text)
    if moment.tzinfo is None:
        if not name:
            raise required(f"Missing time zone definition for {side} time.")
        seconds = wall_instant(moment, name)
    else:
        seconds = int(moment.timestamp())
    return {"dateTime": in_zone(seconds, calendar_zone), "timeZone": name or calendar_zone}


def same_kind(start: dict[str, Any], end: dict[str, Any]) -> bool:
    """Return whether both are dates or both are moments."""
    return ("date" in start) == ("date" in end)


def shifted(body: Body, start: int | date, calendar_zone: str) -> tuple[Body, Body]:
    """Return start and end of `body` moved to another start.

    Where both ends share a zone, the end is the same reading of the clock later (22:00 to 06:00 stays so on the night
    the clock changes): each end is expanded in its own zone (EventDateTime.timeZone). Else the length is the same.
    """
    if isinstance(start, date):
        length = date.fromisoformat(body["end"]["date"]) - date.fromisoformat(body["start"]["date"])
        return {"date": start.isoformat()}, {"date": (start + length).isoformat()}
    first, last = span(body, calendar_zone)
    zones = {body[side].get("timeZone", calendar_zone) for side in ("start", "end")}
    end = start + last - first
    if len(zones) == 1:
        there = zone_or_utc(zones.pop())
        walls = [datetime.fromtimestamp(each, there).replace(tzinfo=None) for each in (first, last, start)]
        end = max(start, wall_instant(walls[2] + (walls[1] - walls[0]), there.key))
    return (
        {**body["start"], "dateTime": in_zone(start, calendar_zone)},
        {**body["end"], "dateTime": in_zone(end, calendar_zone)},
    )


def day_instant(day: date, calendar_zone: str) -> int:
    """Return the midnight that begins a day in a zone."""
    return wall_instant(datetime(day.year, day.month, day.day), calendar_zone)

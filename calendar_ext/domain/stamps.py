"""Dates, times and lengths of time as iCalendar writes them (RFC 5545 section 3.3)."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?", re.ASCII)
_DURATION = re.compile(r"P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?", re.ASCII)


class Unreadable(ValueError):
    """A line that is no recurrence; the message is the reason."""


class Stamp(NamedTuple):
    """One RDATE or EXDATE value. `zone` None = that of the series; `seconds` is the length of a PERIOD, else None."""

    wall: str
    zone: str | None = None
    seconds: int | None = None


def read_stamp(text: str) -> Stamp:
    """Read a DATE or DATE-TIME.

    :raises Unreadable: it is neither.
    """
    match = _STAMP.fullmatch(text)
    if not match:
        raise Unreadable(f"{text[:20]!r} is not a date")
    year, month, day, hour, minute, second, utc = match.groups()
    try:
        wall = date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        raise Unreadable(f"{text[:20]!r} is not a date")
    if hour is None:
        return Stamp(wall)
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 60:
        raise Unreadable(f"{text[:20]!r} is not a time")
    return Stamp(f"{wall}T{hour}:{minute}:{min(int(second or 0), 59):02}", "UTC" if utc else None)


def period_seconds(start: Stamp, rest: str) -> int:
    """Seconds of a PERIOD, whose second half is an end or a duration."""
    if rest.startswith(("P", "+P")):
        days, seconds = read_duration(rest)
        return days * 86400 + seconds
    return max(wall_seconds(read_stamp(rest).wall) - wall_seconds(start.wall), 0)


def read_duration(text: str) -> tuple[int, int]:
    """Read a DURATION as `(days, seconds)`: days are counted on the wall, seconds exactly (RFC 5545 section 3.3.6).

    :raises Unreadable: it is none, or negative.
    """
    match = _DURATION.fullmatch(text.strip().upper().removeprefix("+"))
    if not match or not any(match.groups()):
        raise Unreadable(f"{text[:20]!r} is not a length of time")
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return weeks * 7 + days, hours * 3600 + minutes * 60 + seconds


def wall_seconds(wall: str) -> int:
    """Return a wall-clock text as seconds since 1970 on that wall; a date counts as its midnight."""
    days = date.fromisoformat(wall[:10]).toordinal() - 719163
    if len(wall) == 10:
        return days * 86400
    return days * 86400 + int(wall[11:13]) * 3600 + int(wall[14:16]) * 60 + int(wall[17:19])

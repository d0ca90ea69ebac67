"""Timed, all-day and floating times; half-open spans; zones by IANA name.

A timed event is a wall-clock reading in a zone, an all-day event is a date: instants are derived from them, never the
other way round (RFC 5545 section 3.3.5; data-model.md 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1)


class Span(NamedTuple):
    """Half-open `[start, end)`, in UTC seconds."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Return whether the two share an instant; touching ends do not."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class When:
    """Start and end as people wrote them; the end is exclusive.

    Walls read `2026-11-23T09:00:00` for timed and `2026-11-23` for all-day. Zones are IANA names; `''` is floating for
    a timed event and always the value of an all-day one.
    """

    start_wall: str
    end_wall: str
    start_zone: str = ""
    end_zone: str = ""

    @property
    def all_day(self) -> bool:
        """Return whether these are dates."""
        return len(self.start_wall) == 10

    @property
    def span(self) -> Span:
        """Return the instants. Floating times and dates count as UTC; widen dates by 14 h before comparing."""
        return Span(instant(self.start_wall, self.start_zone), instant(self.end_wall, self.end_zone or self.start_zone))

    @classmethod
    def timed(cls, start: datetime, end: datetime, zone: str = "") -> When:
        """Make a timed value from aware datetimes, written in `zone` (default: their own IANA zone, else UTC)."""
        name = zone or getattr(start.tzinfo, "key", "") or "UTC"
        there = zone_of(name)
        walls = (wall_of(start.astimezone(there)), wall_of(end.astimezone(there)))
        return cls(*walls, name, name)

    @classmethod
    def days(cls, start: date, end: date) -> When:
        """Make an all-day value; `end` is the first day that is no longer part of it."""
        return cls(start.isoformat(), end.isoformat())


def is_zone(name: str) -> bool:
    """Return whether `name` is an IANA zone of the installed time-zone data; never looks at a path (trust.md T-31)."""
    return _zone(name) is not None


def zone_of(name: str) -> ZoneInfo:
    """Return the zone; `''` and what is unknown count as UTC."""
    return _zone(name or "UTC") or ZoneInfo("UTC")


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, UnicodeError):
        return None


def wall_of(moment: datetime) -> str:
    """Return the wall-clock text of a datetime, its zone left out."""
    return moment.replace(tzinfo=None, microsecond=0).isoformat(timespec="seconds")


@lru_cache(maxsize=65536)
def instant(wall: str, zone: str) -> int:
    """Return UTC seconds of a wall-clock reading.

    A reading in a gap of the clock is moved forward by the gap, one that happens twice is the first
    (RFC 5545 section 3.3.5).
    """
    if len(wall) == 10:
        return int((datetime.combine(date.fromisoformat(wall), datetime.min.time()) - _EPOCH).total_seconds())
    naive = datetime.fromisoformat(wall)
    if zone in ("", "UTC", "Etc/UTC"):
        return int((naive - _EPOCH).total_seconds())
    return int((naive - _offset(naive, zone) - _EPOCH).total_seconds())


def _offset(naive: datetime, zone: str) -> timedelta:
    # fold=0 is the offset before the transition: it moves a gap forward and picks the first of two readings.
    return naive.replace(tzinfo=zone_of(zone)).utcoffset() or timedelta(0)


def wall_at(seconds: int, zone: str) -> str:
    """Return the wall-clock text of an instant in a zone."""
    return wall_of(datetime.fromtimestamp(seconds, UTC).astimezone(zone_of(zone)))


def recurrence_key(wall: str, zone: str) -> str:
    """Return the identity of an occurrence: its original start as `20261123T080000Z`, or `20261123` for a date."""
    if len(wall) == 10:
        return wall.replace("-", "")
    return datetime.fromtimestamp(instant(wall, zone), UTC).strftime("%Y%m%dT%H%M%SZ")

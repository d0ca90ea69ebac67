"""Wall-clock seconds of one zone into instants, many at a time.

A wall-clock second counts from 1970-01-01T00:00 on the wall. For one zone, wall minus instant is a step function;
its steps are found once per zone and year and kept.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from .when import zone_of

DAY = 86400
_EPOCH = datetime(1970, 1, 1)
_FIXED = frozenset(("", "UTC", "Etc/UTC"))
#: Two changes of a zone's offset lie further apart than this (the shortest known, Morocco's, by a month).
_STRIDE = 14 * DAY


def instants(walls: list[int], zone: str) -> list[int]:
    """Return UTC seconds for ascending wall seconds: a gap moves forward, a fold takes the first (RFC 5545 3.3.5)."""
    if not walls or zone in _FIXED:
        return walls
    known = steps(zone, _year(walls[0]), _year(walls[-1]))
    if len(known) == 1:
        offset = known[0][1]
        return [wall - offset for wall in walls]
    found: list[int] = []
    place = 0
    for number, (_, offset) in enumerate(known):
        end = bisect_left(walls, known[number + 1][0], place) if number + 1 < len(known) else len(walls)
        if end > place:
            found += [wall - offset for wall in walls[place:end]]
            place = end
    return found


def wall_second(instant: int, zone: str) -> int:
    """Return what the wall shows at an instant; at the very ends of the calendar, where no zone reaches, UTC's."""
    if zone in _FIXED:
        return instant
    try:
        there = (_EPOCH + timedelta(seconds=instant)).replace(tzinfo=UTC).astimezone(zone_of(zone))
    except OverflowError:
        return instant
    return instant + int((there.utcoffset() or timedelta(0)).total_seconds())


def wall_text(wall: int) -> str:
    """Return wall seconds as `2026-11-23T09:00:00`."""
    return (_EPOCH + timedelta(seconds=wall)).isoformat(timespec="seconds")


def _year(wall: int) -> int:
    return date.fromordinal(wall // DAY + 719163).year


@lru_cache(maxsize=4096)
def steps(zone: str, first: int, last: int) -> tuple[tuple[int, int], ...]:
    """Return `(wall second from which on, offset in seconds)` for whole years; the first entry covers all before it."""
    found: list[tuple[int, int]] = []
    for year in range(first, last + 1):
        found += (step for step in _steps_of_year(zone, year) if not found or step[1] != found[-1][1])
    return tuple(found)


@lru_cache(maxsize=16384)
def _steps_of_year(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    begin, end = _january(year), _january(year + 1) if year < 9999 else _january(year) + 364 * DAY
    found = [(begin, _offset(begin, zone))]
    for low in range(begin, end, _STRIDE):
        high = min(low + _STRIDE, end)
        if _offset(high, zone) != found[-1][1]:
            found.append(_first_with_another_offset(low, high, zone))
    return tuple(found)


def _january(year: int) -> int:
    return int((datetime(year, 1, 1) - _EPOCH).total_seconds())


def _first_with_another_offset(low: int, high: int, zone: str) -> tuple[int, int]:
    before = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high, _offset(high, zone)


def _offset(wall: int, zone: str) -> int:
    # fold=0 is the offset before a transition: it moves a gap forward and picks the first of two readings.
    moment = (_EPOCH + timedelta(seconds=wall)).replace(tzinfo=zone_of(zone))
    return int((moment.utcoffset() or timedelta(0)).total_seconds())

"""Google's times into wall readings and instants, by slicing and looking up: this runs for every event of a page.

`{"dateTime": "2026-11-23T09:00:00+01:00", "timeZone": "America/New_York"}`: the offset is whatever the answer is
written in, the zone is the event's own, so the wall reading is worked out again where the two disagree.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from ...domain.when import instant, is_zone, zone_of

_DAY = 86_400
_EPOCH = datetime(1970, 1, 1)


def moment(value: dict[str, Any], default_zone: str) -> tuple[str, str, int]:
    """Return wall reading, zone (`''` for a date, `UTC` for a zone nobody knows) and UTC seconds.

    :raises ValueError: not a time; also KeyError and TypeError.
    """
    text = value.get("dateTime")
    if text is None:
        return value["date"], "", day(value["date"])
    zone = _known(value.get("timeZone") or default_zone)
    seconds, written = _clock(text[10:])
    if written is None:
        return text[:19], zone, instant(text[:19], zone)
    at = day(text[:10]) + seconds
    shift = offset(zone, at)
    return (text[:19] if shift == written else wall(at + shift)), zone, at


def original_key(value: dict[str, Any], default_zone: str) -> str:
    """Return the `recurrence_key` of an `originalStartTime`."""
    text, zone, at = moment(value, default_zone)
    return (_EPOCH + timedelta(seconds=at)).strftime("%Y%m%dT%H%M%SZ") if zone else text.replace("-", "")


def millis(text: str) -> int:
    """Return UTC milliseconds of `2026-11-20T09:00:00.123Z`."""
    seconds = day(text[:10]) + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    return seconds * 1000 + int(text[20:23] if text[19:20] == "." else 0)


@lru_cache(maxsize=8192)
def day(text: str) -> int:
    """Return UTC seconds of a date's midnight."""
    if len(text) != 10:
        raise ValueError(text)
    return (date.fromisoformat(text) - _EPOCH.date()).days * _DAY


@lru_cache(maxsize=8192)
def _clock(text: str) -> tuple[int, int | None]:
    """Return seconds of the day in UTC and the offset, of `T09:00:00+01:00`; without offset, of the wall and None."""
    moment = datetime.fromisoformat(f"1970-01-01{text}")
    shift = moment.utcoffset()
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return (seconds, None) if shift is None else (seconds - int(shift.total_seconds()), int(shift.total_seconds()))


def wall(at: int) -> str:
    """Return the reading of a clock that has counted `at` seconds since 1970."""
    return (_EPOCH + timedelta(seconds=at)).isoformat(timespec="seconds")


@lru_cache(maxsize=1024)
def _known(zone: str) -> str:
    return zone if is_zone(zone) else "UTC"


def offset(zone: str, at: int) -> int:
    """Return how many seconds the zone is ahead of UTC at an instant."""
    shift = _whole_day(zone, at // _DAY)
    return _exact(zone, at) if shift is None else shift


@lru_cache(maxsize=32768)
def _whole_day(zone: str, number: int) -> int | None:
    # A day on which the clock changes is answered exactly; no zone changes twice in one and ends where it began.
    first, last = _exact(zone, number * _DAY), _exact(zone, number * _DAY + _DAY)
    return first if first == last else None


def _exact(zone: str, at: int) -> int:
    shift = (_EPOCH + timedelta(seconds=at)).replace(tzinfo=UTC).astimezone(zone_of(zone)).utcoffset()
    return int(shift.total_seconds()) if shift else 0

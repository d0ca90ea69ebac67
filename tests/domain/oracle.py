"""python-dateutil as the oracle of recurrence, and a seeded maker of random rules."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import dateutil.rrule
from dateutil.rrule import rrulestr

from calendar_ext.domain.when import Span, When

ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu",
    "America/Sao_Paulo", "UTC",
)  # fmt: skip
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def some(rng: random.Random, values: range | tuple, most: int) -> str:
    """Return one to `most` different values, joined by commas."""
    return ",".join(str(value) for value in rng.sample(tuple(values), rng.randint(1, most)))


def signed(rng: random.Random, high: int, most: int) -> str:
    """Return positive and negative values without zero."""
    return some(rng, (*range(1, high + 1), *range(-high, 0)), most)


def random_rule(rng: random.Random, start: datetime) -> str:
    """Return an RRULE value as RFC 5545 allows it; plain and ordinal weekdays are never mixed."""
    freq = rng.choice(("DAILY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY", "YEARLY"))
    parts = [f"FREQ={freq}", *_days(rng, freq)]
    if rng.random() < 0.5:
        parts.append(f"INTERVAL={rng.choice((1, 2, 3, 4, 5, 7, 13))}")
    if rng.random() < 0.15:
        parts.append(f"BYHOUR={some(rng, range(24), 3)}")
    if rng.random() < 0.1:
        parts.append(f"BYMINUTE={some(rng, range(60), 2)}")
    week_start = rng.choice(DAYS) if rng.random() < 0.3 else "MO"
    # In a first week that begins before the start, python-dateutil counts positions from the start; RFC 5545 does not.
    whole_weeks = freq != "WEEKLY" or DAYS[start.weekday()] == week_start
    if any(part.startswith("BY") for part in parts) and whole_weeks and rng.random() < 0.2:
        parts.append(f"BYSETPOS={signed(rng, 4, 2)}")
    parts.append(f"WKST={week_start}" if week_start != "MO" else "")
    parts.append(_ending(rng, start))
    return ";".join(part for part in parts if part)


def _days(rng: random.Random, freq: str) -> list[str]:
    parts = []
    if rng.random() < 0.35:
        parts.append(f"BYMONTH={some(rng, range(1, 13), 4)}")
    if freq != "WEEKLY" and rng.random() < 0.35:
        parts.append(f"BYMONTHDAY={signed(rng, 31, 4)}")
    if freq == "YEARLY" and rng.random() < 0.2:
        parts.append(f"BYYEARDAY={signed(rng, 366, 4)}")
    week = freq == "YEARLY" and rng.random() < 0.2
    # Further than the fifth weekday of a month python-dateutil looks into the void (IndexError).
    ordinal = 5 if freq == "MONTHLY" or "BYMONTH=" in "".join(parts) else 30
    if week:
        # Of weeks 52 and 53 python-dateutil takes the first days of January by the length of the wrong year.
        parts.append(f"BYWEEKNO={some(rng, (*range(1, 52), -1, -2, -3), 3)}")
    if rng.random() < 0.5:
        days = rng.sample(DAYS, rng.randint(1, 4))
        if freq in ("MONTHLY", "YEARLY") and not week and rng.random() < 0.6:
            days = [f"{signed(rng, ordinal, 1)}{day}" for day in days]
        parts.append(f"BYDAY={','.join(days)}")
    return parts


def _ending(rng: random.Random, start: datetime) -> str:
    dice = rng.random()
    if dice < 0.25:
        return f"COUNT={rng.randint(1, 200)}"
    if dice < 0.5:
        until = start + timedelta(days=rng.randint(0, 4000), minutes=rng.randint(-90, 90))
        return f"UNTIL={until.astimezone(ZoneInfo('UTC')):%Y%m%dT%H%M%SZ}"
    return ""


def random_start(rng: random.Random) -> datetime:
    """Return an aware start between 1998 and 2030, often where clocks are changed."""
    wall = datetime(rng.randint(1998, 2030), 1, 1) + timedelta(days=rng.randint(0, 365))
    hour = rng.choice((0, 1, 2, 2, 2, 9, 14, 23))
    return wall.replace(hour=hour, minute=rng.choice((0, 30)), tzinfo=ZoneInfo(rng.choice(ZONES)))


def when_of(start: datetime, minutes: int = 60) -> When:
    """Return the event that starts there and lasts so long on the wall."""
    naive, zone = start.replace(tzinfo=None), str(start.tzinfo)
    return When(naive.isoformat(), (naive + timedelta(minutes=minutes)).isoformat(), zone, zone)


def starts_by_dateutil(rule: str, start: datetime, window: Span) -> list[int]:
    """Return the instants in the window, ascending, each once; the start of the series is one of them (RFC 5545)."""
    found: set[int] = set()
    until = re.search(r"UNTIL=(\d+T\d+Z)", rule)
    ended = until and datetime.strptime(until[1], "%Y%m%dT%H%M%S%z") < start
    if window.start <= start.timestamp() < window.end and not ended:
        found.add(int(start.timestamp()))
    # Where nothing is left to find python-dateutil looks on until the last year there is.
    last = max(datetime.fromtimestamp(window.end, UTC).year, start.year) + 1
    with mock.patch.object(dateutil.rrule.datetime, "MAXYEAR", last):
        for moment in rrulestr(rule, dtstart=start):
            at = int(moment.timestamp())
            if at >= window.end + 2 * 86400:
                break
            if window.start <= at < window.end:
                found.add(at)
    return sorted(found)

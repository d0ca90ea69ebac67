"""Which days of a year pass the BY parts of a rule.

That depends only on the kind of year: its length, the weekday it begins with and, for week numbers, the length of the
year before. So it is worked out once per kind and kept, by set arithmetic and not by asking day after day.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from .rule import MONTHLY, Rule

_BEGINS = (
    (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365),
    (0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366),
)
_ALL_MONTHS = tuple(range(1, 13))


class DayParts(NamedTuple):
    """The parts of a rule that choose days."""

    bymonth: tuple[int, ...]
    bymonthday: tuple[int, ...]
    byyearday: tuple[int, ...]
    byweekno: tuple[int, ...]
    byday: tuple[int, ...]
    bynth: tuple[tuple[int, int], ...]
    nth_of_month: bool
    wkst: int
    #: BYSETPOS, where each period lies within one year and a day has one time; else the walk picks.
    positions: tuple[int, ...] = ()
    monthly: bool = False

    @classmethod
    def of(cls, rule: Rule, *, pick: bool = False) -> DayParts:
        """Return those of a rule. Ordinals count in the month where the rule is about months, else in the year."""
        nth_of_month = rule.freq == MONTHLY or bool(rule.bymonth)
        days = (rule.bymonth, rule.bymonthday, rule.byyearday, rule.byweekno, rule.byday, rule.bynth)
        return cls(*days, nth_of_month, rule.wkst, rule.bysetpos if pick else (), rule.freq == MONTHLY)

    @property
    def only_weekdays(self) -> bool:
        """Return whether nothing but plain weekdays chooses."""
        return not (self.bymonth or self.bymonthday or self.byyearday or self.byweekno or self.bynth)


class YearKind(NamedTuple):
    """What tells two years apart for a rule. Weekdays count from Monday = 0."""

    leap: bool
    first_weekday: int
    leap_before: bool

    @property
    def length(self) -> int:
        """Return the number of days."""
        return 365 + self.leap


@lru_cache(maxsize=16384)
def days_of(parts: DayParts, kind: YearKind) -> tuple[int, ...]:
    """Return the chosen days of such a year, counted from 0 = 1 January, ascending."""
    chosen = [
        choose(parts, kind)
        for given, choose in (
            (parts.bymonth or parts.bymonthday, _of_months),
            (parts.byyearday, _of_year),
            (parts.byweekno, _of_weeks),
            (parts.byday or parts.bynth, _of_weekdays),
        )
        if given
    ]
    days = sorted(set.intersection(*chosen)) if chosen else list(range(kind.length))
    if not parts.positions:
        return tuple(days)
    begins = _BEGINS[kind.leap] if parts.monthly else (0, kind.length)
    cuts = [bisect_left(days, begin) for begin in begins]
    return tuple(day for low, high in pairwise(cuts) for day in picked(days[low:high], parts.positions))


def picked(period: list[int], positions: tuple[int, ...]) -> list[int]:
    """Return the members at the 1-based `positions`, negative ones counted from the end (RFC 5545, BYSETPOS)."""
    size = len(period)
    places = {place - 1 if place > 0 else size + place for place in positions}
    return [period[place] for place in sorted(places) if 0 <= place < size]


def _of_months(parts: DayParts, kind: YearKind) -> set[int]:
    begins = _BEGINS[kind.leap]
    months = [(begins[month - 1], begins[month]) for month in parts.bymonth or _ALL_MONTHS]
    if not parts.bymonthday:
        return {day for begin, end in months for day in range(begin, end)}
    found = (
        (begin, end, begin + day - 1 if day > 0 else end + day) for begin, end in months for day in parts.bymonthday
    )
    return {day for begin, end, day in found if begin <= day < end}


def _of_year(parts: DayParts, kind: YearKind) -> set[int]:
    days = (day - 1 if day > 0 else kind.length + day for day in parts.byyearday)
    return {day for day in days if 0 <= day < kind.length}


def _of_weeks(parts: DayParts, kind: YearKind) -> set[int]:
    """Weeks that begin on WKST; the first has at least four days in the year (RFC 5545, ISO 8601)."""
    length, first = kind.length, _week_one(kind.first_weekday, parts.wkst)
    weeks = _weeks(kind.first_weekday, length, parts.wkst)
    numbers = {number if number > 0 else weeks + 1 + number for number in parts.byweekno}
    found = {first + 7 * (number - 1) + day for number in numbers if 1 <= number <= weeks for day in range(7)}
    if 1 in parts.byweekno:
        found |= set(range(first + 7 * weeks, length))
    length_before = 365 + kind.leap_before
    before = _weeks((kind.first_weekday - length_before) % 7, length_before, parts.wkst)
    if -1 in parts.byweekno or before in parts.byweekno:
        found |= set(range(first))
    return {day for day in found if 0 <= day < length}


def _week_one(first_weekday: int, wkst: int) -> int:
    """Day on which week 1 begins; negative where it begins in the old year."""
    offset = (wkst - first_weekday) % 7
    return offset - 7 if offset >= 4 else offset


def _weeks(first_weekday: int, length: int, wkst: int) -> int:
    following = _week_one((first_weekday + length) % 7, wkst) + length
    return (following - _week_one(first_weekday, wkst)) // 7


def _of_weekdays(parts: DayParts, kind: YearKind) -> set[int]:
    """Plain and ordinal weekdays are united: the third Friday *and* every Monday (RFC 5545 section 3.3.10, BYDAY)."""
    first, length = kind.first_weekday, kind.length
    found = {day for weekday in parts.byday for day in range((weekday - first) % 7, length, 7)}
    begins = _BEGINS[kind.leap]
    months = [(begins[month - 1], begins[month]) for month in parts.bymonth or _ALL_MONTHS]
    for begin, end in months if parts.nth_of_month else [(0, length)]:
        for ordinal, weekday in parts.bynth:
            day = _nth(ordinal, (weekday - first) % 7, begin, end)
            if begin <= day < end:
                found.add(day)
    return found


def _nth(ordinal: int, weekday: int, begin: int, end: int) -> int:
    """Day of the n-th weekday in `[begin, end)`, or one outside it. `weekday` counts from that of day 0."""
    if ordinal > 0:
        return begin + (weekday - begin) % 7 + 7 * (ordinal - 1)
    return end - 1 - (end - 1 - weekday) % 7 + 7 * (ordinal + 1)

"""The wall-clock starts a rule names in a stretch of time, found without walking there from the first.

Days count from 1970-01-01, a Thursday; wall seconds as in `walls.py`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import groupby, product

from .rule import DAILY, HOURLY, MONTHLY, WEEKLY, YEARLY, Rule
from .walls import DAY
from .yeardays import DayParts, YearKind, days_of, picked

_EPOCH = 719163
_THURSDAY = 3
_FIRST_DAY = 1 - _EPOCH
_LAST_YEAR = 9998
_CHUNK = 731 * DAY
#: No walk is longer than 2,400 years, however long nothing happens.
_MOST_CHUNKS = 1200


class RuleWalk:
    """One rule tied to the start of its series."""

    __slots__ = ("_last", "_parts", "_phase", "_picks", "_times", "begin", "rule")

    def __init__(self, rule: Rule, begin: int) -> None:
        self.begin = begin
        self.rule = _completed(rule, begin // DAY)
        self._phase = self._period(begin // DAY)
        self._times = _times(self.rule, begin % DAY)
        within_a_year = self.rule.freq <= MONTHLY and len(self._times) == 1
        self._parts = DayParts.of(self.rule, pick=within_a_year)
        self._picks = bool(self.rule.bysetpos) and not within_a_year
        if self._picks and self.rule.freq == DAILY:
            # Every day has the same times, so the positions are picked once.
            self._times, self._picks = tuple(picked(list(self._times), self.rule.bysetpos)), False
        self._last: int | None = None

    def starts(self, low: int, high: int, most: int) -> list[int]:
        """Return the wall seconds in `[low, high]`, ascending: about `most` of them at the least, if there are as many.

        UNTIL is the caller's, because it may be an instant; COUNT is kept here.
        """
        low, high = max(low, self.begin), self._end(high)
        found: list[int] = []
        for begin in self._chunks(low, high):
            found += self._between(begin, min(high, begin + _CHUNK - 1))
            if len(found) > most:
                break
        return found

    def _chunks(self, low: int, high: int) -> range:
        return range(low, min(high, low + _MOST_CHUNKS * _CHUNK) + 1, _CHUNK)

    def _between(self, low: int, high: int) -> list[int]:
        rule, times = self.rule, self._times
        first, last = low // DAY, high // DAY
        if not times:
            return []
        if self._picks:
            found = [start for period in self._periods(first, last) for start in picked(period, rule.bysetpos)]
        elif rule.freq == HOURLY:
            found = [start for hour in self._hours(first, last) for start in hour]
        elif len(times) == 1:
            time = times[0]
            found = [day * DAY + time for day in self._days(first, last)]
        else:
            found = [day * DAY + time for day in self._days(first, last) for time in times]
        return found[bisect_left(found, low) : bisect_right(found, high)]

    def _periods(self, first: int, last: int) -> Iterable[list[int]]:
        """Starts of each whole year, month, week, day or hour that touches the days `[first, last]`."""
        if self.rule.freq == HOURLY:
            return self._hours(first, last)
        grouped = groupby(self._days(*self._whole(first, last)), self._period)
        return ([day * DAY + time for day in days for time in self._times] for _, days in grouped)

    def _whole(self, first: int, last: int) -> tuple[int, int]:
        freq = self.rule.freq
        if freq == DAILY:
            return first, last
        if freq == WEEKLY:
            base = _week_base(self.rule.wkst)
            return self._period(first) * 7 + base, self._period(last) * 7 + base + 6
        return _january(_year(first)), _january(_year(last) + 1) - 1

    def _hours(self, first: int, last: int) -> Iterator[list[int]]:
        rule = self.rule
        begin, hours = self.begin // 3600, rule.byhour or range(24)
        for day in self._days(first, last):
            for hour in hours:
                if (day * 24 + hour - begin) % rule.interval == 0:
                    yield [day * DAY + hour * 3600 + time for time in self._times]

    def _days(self, first: int, last: int) -> list[int]:
        """Days in `[first, last]` that the rule names, ascending; the start of the series is not looked at."""
        rule, plain = self.rule, self._parts.only_weekdays
        first = max(first, _FIRST_DAY)
        if rule.freq == WEEKLY and plain:
            return self._weekdays(first, last)
        if rule.freq == DAILY and plain and not rule.byday:
            return list(range(first + (self._phase - first) % rule.interval, last + 1, rule.interval))
        found: list[int] = []
        for year in range(_year(first), _year(last) + 1):
            if rule.freq != YEARLY or (year - self._phase) % rule.interval == 0:
                january = _january(year)
                found += [january + day for day in days_of(self._parts, _kind(year, january))]
        found = found[bisect_left(found, first) : bisect_right(found, last)]
        if rule.interval == 1 or rule.freq in (YEARLY, HOURLY):
            return found
        return [day for day in found if (self._period(day) - self._phase) % rule.interval == 0]

    def _weekdays(self, first: int, last: int) -> list[int]:
        rule = self.rule
        week = self._period(first)
        begin = (week + (self._phase - week) % rule.interval) * 7 + _week_base(rule.wkst)
        offsets = sorted((weekday - rule.wkst) % 7 for weekday in rule.byday)
        found = [monday + offset for monday in range(begin, last + 1, 7 * rule.interval) for offset in offsets]
        return found[bisect_left(found, first) : bisect_right(found, last)]

    def _period(self, day: int) -> int:
        """Number of the year, month, week or day that a day is in."""
        freq = self.rule.freq
        if freq == WEEKLY:
            return (day - _week_base(self.rule.wkst)) // 7
        if freq >= DAILY:
            return day
        there = date.fromordinal(day + _EPOCH)
        return there.year if freq == YEARLY else there.year * 12 + there.month

    def _end(self, high: int) -> int:
        """`high`, or the last start that COUNT allows if that is earlier."""
        high = min(high, _january(_LAST_YEAR) * DAY)
        if not self.rule.count:
            return high
        if self._last is None:
            self._last = self._counted(self.rule.count) if self._is_regular() else self._walked(self.rule.count, high)
        return high if self._last is None else min(high, self._last)

    def _is_regular(self) -> bool:
        """Whether every period has as many starts as the next."""
        rule = self.rule
        regular = rule.freq == WEEKLY or (rule.freq == DAILY and not rule.byday)
        return regular and self._parts.only_weekdays and bool(self._times) and not self._picks

    def _counted(self, count: int) -> int:
        length = self.rule.interval * (7 if self.rule.freq == WEEKLY else 1) * DAY
        first = next(iter(self._periods(self.begin // DAY, self.begin // DAY)))
        turns, place = divmod(bisect_left(first, self.begin) + count - 1, len(first))
        return first[place] + turns * length

    def _walked(self, count: int, high: int) -> int | None:
        """The start number `count`, or None if it lies after `high`."""
        for low in self._chunks(self.begin, high):
            found = self._between(low, min(high, low + _CHUNK - 1))
            if len(found) >= count:
                return found[count - 1]
            count -= len(found)
        return None


def _completed(rule: Rule, start: int) -> Rule:
    """What the rule leaves open comes from the start of the series (RFC 5545 section 3.3.10)."""
    if rule.byweekno or rule.byyearday or rule.bymonthday or rule.byday or rule.bynth:
        return rule
    first = date.fromordinal(start + _EPOCH)
    if rule.freq == YEARLY:
        return replace(rule, bymonth=rule.bymonth or (first.month,), bymonthday=(first.day,))
    if rule.freq == MONTHLY:
        return replace(rule, bymonthday=(first.day,))
    return replace(rule, byday=(first.weekday(),)) if rule.freq == WEEKLY else rule


def _times(rule: Rule, start: int) -> tuple[int, ...]:
    """Seconds of the day, or of the hour for an hourly rule; second 60 is 59, because no clock here shows it."""
    hours = (0,) if rule.freq == HOURLY else rule.byhour or (start // 3600,)
    minutes = rule.byminute or (start // 60 % 60,)
    seconds = rule.bysecond or (start % 60,)
    times = (hour * 3600 + minute * 60 + min(second, 59) for hour, minute, second in product(hours, minutes, seconds))
    return tuple(sorted(set(times)))


def _week_base(wkst: int) -> int:
    return (wkst - _THURSDAY) % 7


def _january(year: int) -> int:
    return date(year, 1, 1).toordinal() - _EPOCH


def _year(day: int) -> int:
    return date.fromordinal(day + _EPOCH).year


@lru_cache(maxsize=1024)
def _kind(year: int, january: int) -> YearKind:
    leap, before = (one % 4 == 0 and (one % 100 != 0 or one % 400 == 0) for one in (year, year - 1))
    return YearKind(leap, (january + _THURSDAY) % 7, before)

"""A start and its recurrence lines into instances, within a window (RFC 5545 section 3.8.5).

Rules are followed on the wall of the event's zone and turned into instants afterwards: a gap of the clock moves an
occurrence forward, a fold takes the first reading, all-day events are dates. What the gate of `rule.py` refuses is not
expanded: only the start and the single dates remain. DTSTART is always the first instance, also where the rule does
not name it (section 3.8.5.3), unless UNTIL lies before it.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from itertools import islice
from operator import le, lt

from ..limits import Limits
from .model import Occurrence, Verdict
from .rule import HOURLY, Rule, judge, parse
from .rulewalk import RuleWalk
from .stamps import Stamp, wall_seconds
from .walls import DAY, instants, wall_second
from .when import Span, When, instant

__all__ = ["Series", "judge", "key_of", "occurrences", "series", "spans"]

#: How far a wall may be from UTC, with room for a gap.
_SLACK = 2 * DAY
_NO_END = 1 << 60
_DEFAULT = Limits()


def occurrences(when: When, rules: tuple[str, ...], window: Span, *, limits: Limits = _DEFAULT) -> list[Occurrence]:
    """Return the instances that overlap `window`, by start; at most `limits.recurrence_instances`."""
    all_day = when.all_day
    return [
        Occurrence(Span(start, end), key_of(start, all_day=all_day), all_day)
        for start, end in spans(when, rules, window, limits)
    ]


def spans(when: When, rules: tuple[str, ...], window: Span, limits: Limits = _DEFAULT) -> list[tuple[int, int]]:
    """Return `(start, end)` of every instance that overlaps `window`, ascending, no start twice.

    Dates count as UTC: for all-day events the caller widens the window, or compares dates. An event without length
    overlaps where it stands.
    """
    return series(when, tuple(rules), limits).spans(window)


def key_of(start: int, *, all_day: bool) -> str:
    """Return the recurrence key of an original start: `20261123T080000Z`, or `20261123` for a date."""
    day, second = divmod(start, DAY)
    return _date_key(day) if all_day else f"{_date_key(day)}T{_time_key(second)}Z"


@lru_cache(maxsize=8192)
def _date_key(day: int) -> str:
    return date.fromordinal(day + 719163).isoformat().replace("-", "")


@lru_cache(maxsize=8192)
def _time_key(second: int) -> str:
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"


@lru_cache(maxsize=4096)
def series(when: When, rules: tuple[str, ...], limits: Limits = _DEFAULT) -> Series:
    """Return the series, read once and kept: the next window asks again."""
    return Series(when, rules, limits)


class Series:
    """One master, ready to be expanded. `verdict` is what the gate said of its rules."""

    def __init__(self, when: When, rules: tuple[str, ...], limits: Limits) -> None:
        found = parse(rules, limits)
        self.verdict: Verdict = judge(rules, when, limits)
        self.zone = when.start_zone
        self.all_day = when.all_day
        self.begin = wall_seconds(when.start_wall)
        self._most = limits.recurrence_instances + len(found.exdates)
        self._kept = limits.recurrence_instances
        self._measure(when)
        self._walk = RuleWalk(found.rule, self.begin) if found.rule else None
        self._until = self._end_of(found.rule, limits) if found.rule else (_NO_END, _NO_END)
        self._excluded = [(RuleWalk(rule, self.begin), self._end_of(rule, limits)) for rule in found.excluded]
        self._exstarts = {self._start_of(stamp) for stamp in found.exdates}
        # A date in EXDATE strikes out the whole day of a timed series: several products write it so.
        self._exdays = set() if self.all_day else {_day(stamp) for stamp in found.exdates if len(stamp.wall) == 10}
        self._single = [self._single_span(stamp) for stamp in found.rdates]

    def spans(self, window: Span) -> list[tuple[int, int]]:
        """Return `(start, end)` of the instances that overlap `window`, as the function `spans` says."""
        begin, end = window
        pairs = self._ruled(begin - self._longest - _SLACK, end + _SLACK)
        if self._single:
            pairs = sorted({**dict(pairs), **dict(self._single)}.items())
        if self._exstarts or self._exdays:
            pairs = [pair for pair in pairs if not self.strikes(pair[0])]
        kept = [pair for pair in pairs if pair[0] < end and (pair[1] > begin or pair[0] >= begin)]
        return kept[: self._kept]

    def _measure(self, when: When) -> None:
        # On the wall where start and end share a zone (22:00 to 06:00 stays so when the clock is changed that night).
        start, end = when.span
        self._seconds = max(end - start, 0)
        same = (when.end_zone or when.start_zone) == when.start_zone
        self._wall_length = max(wall_seconds(when.end_wall) - self.begin, 0) if same else None
        self._longest = max(self._seconds, self._wall_length or 0)

    def _ruled(self, low: int, high: int) -> list[tuple[int, int]]:
        walls = self._walls(low, high)
        starts = instants(walls, self.zone)
        ends = self._ends(walls, starts)
        if starts and starts[-1] > self._until[1]:
            starts = [start for start in starts if start <= self._until[1]]
        if self.zone and not all(map(lt, starts, islice(starts, 1, None))):
            return self._mended(starts, ends)
        return list(zip(starts, ends, strict=False))

    def _ends(self, walls: list[int], starts: list[int]) -> list[int]:
        length = self._wall_length
        if length is None:
            return [start + self._seconds for start in starts]
        ends = instants([wall + length for wall in walls], self.zone)
        if length and any(map(le, ends, starts)):
            # A start that was moved out of a gap has passed its own end: then the seconds count.
            return [end if end > start else start + self._seconds for start, end in zip(starts, ends, strict=True)]
        return ends

    def _mended(self, starts: list[int], ends: list[int]) -> list[tuple[int, int]]:
        """Where the clock skipped a stretch: two walls may have become one instant, or changed places."""
        return sorted(dict(zip(starts, ends, strict=False)).items())

    def _walls(self, low: int, high: int) -> list[int]:
        if self._walk is None:
            return [self.begin] if low <= self.begin <= high else []
        end = min(high, self._until[0])
        walls = self._walk.starts(low, end, self._most)
        if low <= self.begin <= end and self.begin not in walls[:1]:
            walls.insert(0, self.begin)
        for walk, until in self._excluded if walls else ():
            struck = set(walk.starts(walls[0], min(walls[-1], until[0]), _NO_END))
            walls = [wall for wall in walls if wall not in struck]
        return walls

    def _end_of(self, rule: Rule, limits: Limits) -> tuple[int, int]:
        """UNTIL, inclusive, as wall second and as instant; an hourly rule ends by the gate's bound at the latest."""
        most = self.begin + rule.interval * limits.recurrence_hourly * 3600 if rule.freq == HOURLY else _NO_END
        until = rule.until
        if until is None:
            return most, _NO_END
        wall = wall_seconds(until.wall)
        if self.all_day:
            return min(wall // DAY * DAY, most), _NO_END
        if len(until.wall) == 10:
            return min(wall + DAY - 1, most), _NO_END
        if until.zone is None or not self.zone:
            return min(wall, most), _NO_END
        return min(wall_second(wall, self.zone), most), wall

    def strikes(self, start: int) -> bool:
        """Return whether an EXDATE takes away the instance that would start there."""
        if start in self._exstarts:
            return True
        return bool(self._exdays) and wall_second(start, self.zone) // DAY in self._exdays

    def _start_of(self, stamp: Stamp) -> int:
        """Instant of an RDATE or EXDATE; a value of the other type is read as the series would write it."""
        if self.all_day:
            return _day(stamp) * DAY
        if len(stamp.wall) == 10:
            return instants([_day(stamp) * DAY + self.begin % DAY], self.zone)[0]
        return instant(stamp.wall, self.zone if stamp.zone is None else stamp.zone)

    def _single_span(self, stamp: Stamp) -> tuple[int, int]:
        start = self._start_of(stamp)
        return start, start + (self._seconds if stamp.seconds is None else stamp.seconds)


def _day(stamp: Stamp) -> int:
    return wall_seconds(stamp.wall) // DAY

"""Recurrence lines into values, and the gate every rule passes before it is expanded (RFC 5545 section 3.3.10).

Nothing here raises on what it is given: a line that cannot be read ends in a verdict with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from ..limits import Limits
from .model import Verdict
from .stamps import Stamp, Unreadable, period_seconds, read_stamp
from .when import When, is_zone

YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY = range(5)
_FREQUENCIES = {"YEARLY": YEARLY, "MONTHLY": MONTHLY, "WEEKLY": WEEKLY, "DAILY": DAILY, "HOURLY": HOURLY}
_DAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
#: Part of a rule, its field, the lowest and highest value; a negative lowest means that zero is not a value.
_LISTS = {
    "BYMONTH": ("bymonth", 1, 12),
    "BYMONTHDAY": ("bymonthday", -31, 31),
    "BYYEARDAY": ("byyearday", -366, 366),
    "BYWEEKNO": ("byweekno", -53, 53),
    "BYSETPOS": ("bysetpos", -366, 366),
    "BYHOUR": ("byhour", 0, 23),
    "BYMINUTE": ("byminute", 0, 59),
    "BYSECOND": ("bysecond", 0, 60),
}
_LONGEST_RULE, _LONGEST_LIST = 4096, 400


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE. Weekdays count from Monday = 0; `bynth` holds `(ordinal, weekday)`."""

    freq: int
    interval: int = 1
    count: int | None = None
    until: Stamp | None = None
    bymonth: tuple[int, ...] = ()
    bymonthday: tuple[int, ...] = ()
    byyearday: tuple[int, ...] = ()
    byweekno: tuple[int, ...] = ()
    byday: tuple[int, ...] = ()
    bynth: tuple[tuple[int, int], ...] = ()
    bysetpos: tuple[int, ...] = ()
    byhour: tuple[int, ...] = ()
    byminute: tuple[int, ...] = ()
    bysecond: tuple[int, ...] = ()
    wkst: int = 0

    @property
    def times_a_day(self) -> int:
        """Return how many times of day the rule names."""
        return max(len(self.byhour), 1) * max(len(self.byminute), 1) * max(len(self.bysecond), 1)

    @property
    def picks(self) -> bool:
        """Return whether any BY part besides BYSETPOS is given."""
        days = self.bymonth or self.bymonthday or self.byyearday or self.byweekno or self.byday or self.bynth
        return bool(days or self.byhour or self.byminute or self.bysecond)


_OK = Verdict()
_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything the lines of a series say, and whether it may be expanded."""

    rule: Rule | None = None
    excluded: tuple[Rule, ...] = ()
    rdates: tuple[Stamp, ...] = ()
    exdates: tuple[Stamp, ...] = ()
    verdict: Verdict = _OK


@lru_cache(maxsize=8192)
def parse(lines: tuple[str, ...], limits: Limits = _DEFAULT) -> Rules:
    """Read RRULE, EXRULE, RDATE and EXDATE lines and pass them through the gate.

    A refused set has no rule: only the start and the RDATEs of the series remain. What had to be shortened is `cut`.
    """
    try:
        found = _read(lines, limits)
    except Unreadable as error:
        return Rules(verdict=Verdict("refused", str(error)))
    return _gated(found, limits)


def judge(rules: tuple[str, ...], when: When | None = None, limits: Limits = _DEFAULT) -> Verdict:
    """Return what the gate says of the lines of a series (trust.md T-30). Expands nothing.

    :param when: start of the series; with it, an hourly rule is also measured up to its UNTIL.
    """
    found = parse(tuple(rules), limits)
    rule = found.rule
    if when and rule and rule.freq == HOURLY and rule.until and found.verdict.state == "ok":
        days = date.fromisoformat(rule.until.wall[:10]) - date.fromisoformat(when.start_wall[:10])
        if days.days * 24 > rule.interval * limits.recurrence_hourly:
            return Verdict("cut", "it repeats every hour for too long")
    return found.verdict


def _read(lines: tuple[str, ...], limits: Limits) -> Rules:
    rules: list[Rule] = []
    excluded: list[Rule] = []
    dates: dict[str, list[Stamp]] = {"RDATE": [], "EXDATE": []}
    for line in lines:
        head, _, value = line.strip().partition(":")
        name, *params = head.split(";")
        kind = name.upper()
        if kind in ("RRULE", "EXRULE"):
            known = rules if kind == "RRULE" else excluded
            known += [rule for rule in [read_rule(value)] if rule not in known]
        elif kind in dates:
            dates[kind].extend(_stamps(value, params, limits.recurrence_dates - len(dates[kind])))
        elif line.strip():
            raise Unreadable(f"{kind[:20]} is not a recurrence line")
    cut = Verdict("cut", "of several rules only the first is used") if len(rules) > 1 else _OK
    return Rules(rules[0] if rules else None, tuple(excluded[:1]), tuple(dates["RDATE"]), tuple(dates["EXDATE"]), cut)


@lru_cache(maxsize=8192)
def read_rule(value: str) -> Rule:
    """Read the value of an RRULE.

    :raises Unreadable: it is none, or names values that do not exist.
    """
    if len(value) > _LONGEST_RULE:
        raise Unreadable("the rule is too long")
    parts: dict[str, str] = {}
    for part in value.upper().replace(" ", "").strip(";").split(";"):
        name, equals, text = part.partition("=")
        if not equals or not text:
            raise Unreadable(f"{part[:20]!r} says nothing")
        if name in parts:
            raise Unreadable(f"{name[:20]} is given twice")
        parts[name] = text
    return _rule(parts)


def _rule(parts: dict[str, str]) -> Rule:
    freq = parts.pop("FREQ", "")
    if freq not in _FREQUENCIES:
        raise Unreadable(f"FREQ={freq[:20]} is not expanded" if freq else "FREQ is missing")
    facts: dict[str, Any] = {}
    for name, text in parts.items():
        if name in _LISTS:
            field, low, high = _LISTS[name]
            facts[field] = tuple(sorted({_number(name, item, low, high) for item in _items(name, text)}))
        elif name == "BYDAY":
            facts["byday"], facts["bynth"] = _weekdays(text, _FREQUENCIES[freq])
        elif name == "COUNT" and text.startswith("-"):
            continue  # a writer's way to say that there is none
        elif name in ("INTERVAL", "COUNT"):
            facts[name.lower()] = _number(name, text, 1, 10**30)
        elif name == "UNTIL":
            facts["until"] = read_stamp(text)
        elif name == "WKST" and text in _DAYS:
            facts["wkst"] = _DAYS[text]
        elif not name.startswith("X-") and (name, text) not in (("RSCALE", "GREGORIAN"), ("SKIP", "OMIT")):
            raise Unreadable(f"{name[:20]}={text[:20]} is not understood")
    return Rule(_FREQUENCIES[freq], **facts)


def _items(name: str, text: str) -> list[str]:
    items = [item for item in text.split(",") if item]
    if not items or len(items) > _LONGEST_LIST:
        raise Unreadable(f"{name} has {len(items)} values")
    return items


def _number(name: str, text: str, low: int, high: int) -> int:
    digits = text.lstrip("+-")
    if not digits.isdecimal() or not digits.isascii() or len(text) > 40:
        raise Unreadable(f"{name}={text[:20]} is not a number")
    number = int(text)
    if not low <= number <= high or (low < 0 and number == 0):
        raise Unreadable(f"{name}={text[:20]} does not exist")
    return number


def _weekdays(text: str, freq: int) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Plain and ordinal weekdays; below a month an ordinal means nothing and is ignored."""
    plain, nth = set(), set()
    for item in _items("BYDAY", text):
        match = _WEEKDAY.fullmatch(item)
        if not match or (match[1] and not 1 <= abs(int(match[1])) <= 53):
            raise Unreadable(f"BYDAY={item[:20]} does not exist")
        if match[1] and freq <= MONTHLY:
            nth.add((int(match[1]), _DAYS[match[2]]))
        else:
            plain.add(_DAYS[match[2]])
    return tuple(sorted(plain)), tuple(sorted(nth))


def _stamps(value: str, params: list[str], room: int) -> Iterator[Stamp]:
    items = [item.strip() for item in value.split(",") if item.strip()]
    if len(items) > room:
        raise Unreadable("it has too many single dates")
    named = next((param[5:].strip('"') for param in params if param.upper().startswith("TZID=")), "")
    zone = named if named and is_zone(named) else None
    for item in items:
        start, slash, rest = item.upper().partition("/")
        stamp = read_stamp(start)
        if stamp.zone is None and zone:
            stamp = stamp._replace(zone=zone)
        yield stamp._replace(seconds=period_seconds(stamp, rest)) if slash else stamp


def _gated(found: Rules, limits: Limits) -> Rules:
    rule = found.rule
    if rule is None:
        return found
    for one in (rule, *found.excluded):
        reason = _refusal(one, limits)
        if reason:
            return replace(found, rule=None, excluded=(), verdict=Verdict("refused", reason))
    most = limits.recurrence_hourly if rule.freq == HOURLY else limits.recurrence_count
    if rule.count and rule.count > most:
        return replace(
            found, rule=replace(rule, count=most), verdict=Verdict("cut", f"it has {most} occurrences at most")
        )
    return found


def _refusal(rule: Rule, limits: Limits) -> str:
    if rule.interval > limits.recurrence_interval:
        return "its interval is too long"
    if rule.times_a_day > limits.recurrence_times_a_day:
        return "it happens too often in a day"
    if rule.bysetpos and not rule.picks:
        return "BYSETPOS picks from nothing"
    if rule.freq == HOURLY and not (rule.count or rule.until):
        return "it repeats every hour for ever"
    return ""

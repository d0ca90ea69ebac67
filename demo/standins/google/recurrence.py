"""Recurrence by python-dateutil, on purpose another engine than the product's, so that they share no mistake.

Source: discovery document, Event.recurrence (RRULE, EXRULE, RDATE and EXDATE lines; DTSTART and DTEND not allowed) and
RFC 5545 section 3.3.10. The start of a master is always its first occurrence (discovery document, Event.start), named
by the rule or not, and where it is not, COUNT does not count it (github.com/fmeringdal/rust-rrule/issues/119).
dateutil intersects plain and ordinal weekdays of one BYDAY where the RFC unites them: plain ones are written out first.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any

from dateutil.rrule import rrule, rruleset, rrulestr

from .errors import invalid
from .times import day_instant, instant, wall_instant, zone_or_utc

#: One occurrence: the key in its instance id, its instant, and the date of an all-day one.
Start = tuple[str, int, date | None]

_LINE = re.compile(r"^(RRULE|EXRULE|RDATE|EXDATE)((?:;[A-Z-]+=[^:;]+)*):(\S+)$", re.IGNORECASE)
_ORDINAL = re.compile(r"^([+-]?\d{1,2})(MO|TU|WE|TH|FR|SA|SU)$")
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_MOST = 20_000


class Series:
    """The occurrences of one master, found once and remembered up to the latest instant asked for."""

    def __init__(self, body: dict[str, Any], calendar_zone: str) -> None:
        """Read `recurrence`, `start` and its zone.

        :raises ApiError: 400 for a line that cannot be understood.
        """
        self.all_day = "date" in body["start"]
        self.calendar_zone = calendar_zone
        self.zone = calendar_zone if self.all_day else body["start"].get("timeZone", calendar_zone)
        self.start = self._first(body)
        self._rules = self._read(body["recurrence"])
        self._walk = iter(self._rules)
        self._known: list[Start] = []
        self._through: float = float("-inf")

    def between(self, lo: float, hi: float) -> list[Start]:
        """Return the occurrences that start in `[lo, hi)`, at most 20,000."""
        self._advance(hi)
        return [each for each in self._known if lo <= each[1] < hi]

    def find(self, key: str) -> Start | None:
        """Return the occurrence an instance id names, or None."""
        try:
            moment = datetime.fromisoformat(key.replace("Z", "")).replace(tzinfo=UTC).timestamp()
        except ValueError:
            return None
        self._advance(moment + 2 * 86_400)
        return next((each for each in self._known if each[0] == key), None)

    def _advance(self, hi: float) -> None:
        while self._through < hi and len(self._known) < _MOST:
            wall = next(self._walk, None)
            if wall is None:
                self._through = float("inf")
                return
            found = self._occurrence(wall)
            self._through = found[1]
            self._known.append(found)

    def _occurrence(self, wall: datetime) -> Start:
        if self.all_day:
            return wall.strftime("%Y%m%d"), day_instant(wall.date(), self.calendar_zone), wall.date()
        seconds = wall_instant(wall, self.zone)
        return key_of(seconds), seconds, None

    def _first(self, body: dict[str, Any]) -> datetime:
        if self.all_day:
            return datetime.fromisoformat(body["start"]["date"])
        return self._wall(datetime.fromtimestamp(instant(body["start"], self.calendar_zone), UTC))

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(zone_or_utc(self.zone)).replace(tzinfo=None)

    def _read(self, lines: list[str]) -> rruleset:
        rules = rruleset()
        rules.rdate(self.start)
        for line in lines:
            match = _LINE.match(line) if isinstance(line, str) else None
            if not match:
                raise invalid("Invalid recurrence rule.")
            name, parameters, value = match[1].upper(), match[2].upper(), match[3]
            if name in ("RRULE", "EXRULE"):
                (rules.rrule if name == "RRULE" else rules.exrule)(self._rule(value.upper()))
                continue
            for each in value.split(","):
                (rules.rdate if name == "RDATE" else rules.exdate)(self._date(each, parameters, match[2]))
        return rules

    def _rule(self, text: str) -> rrule:
        parts = dict(part.partition("=")[::2] for part in text.rstrip(";").split(";"))
        _check(parts)
        if "UNTIL" in parts:
            parts["UNTIL"] = self._until(parts["UNTIL"])
        if "BYDAY" in parts:
            parts["BYDAY"] = _united(parts)
        try:
            found = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=self.start)
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, rrule):
            raise invalid("Invalid recurrence rule.")
        return found

    def _until(self, text: str) -> str:
        """Return UNTIL as a wall-clock reading, as dateutil compares it with a naive start."""
        if len(text) == 8 or self.all_day:
            return text[:8] + "T235959"
        return self._wall(_utc(text)).strftime("%Y%m%dT%H%M%S") if text.endswith("Z") else text

    def _date(self, text: str, parameters: str, spelled: str) -> datetime:
        if "VALUE=PERIOD" in parameters:
            raise invalid("Invalid recurrence rule.")
        try:
            if len(text) == 8:
                day = datetime.strptime(text, "%Y%m%d")
                return day if self.all_day else datetime.combine(day, self.start.time())
            if self.all_day:
                return datetime.combine(datetime.strptime(text[:8], "%Y%m%d"), time.min)
            if text.endswith("Z"):
                return self._wall(_utc(text))
            named = re.search(r"TZID=([^;:]+)", spelled, re.IGNORECASE)
            there = zone_or_utc(named[1] if named else self.zone)
            return self._wall(datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=there))
        except ValueError:
            raise invalid("Invalid recurrence rule.")


def _utc(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise invalid("Invalid recurrence rule.")


def _check(parts: dict[str, str]) -> None:
    """Refuse what Google refuses: frequencies below a day, UNTIL with COUNT, ordinals outside months and years."""
    ordinal = any(_ORDINAL.match(day) for day in parts.get("BYDAY", "").split(","))
    wrong = (
        parts.get("FREQ") not in _FREQUENCIES
        or ("UNTIL" in parts and "COUNT" in parts)
        or any(not parts.get(name, "1").isdigit() or parts.get(name) == "0" for name in ("INTERVAL", "COUNT"))
        or (ordinal and parts["FREQ"] not in ("MONTHLY", "YEARLY"))
    )
    if wrong:
        raise invalid("Invalid recurrence rule.")


def _united(parts: dict[str, str]) -> str:
    days = parts["BYDAY"].split(",")
    ordinals = [day for day in days if _ORDINAL.match(day)]
    if not ordinals or len(ordinals) == len(days):
        return parts["BYDAY"]
    most = 5 if parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts else 53
    plain = [f"{number}{day}" for day in days if day not in ordinals for number in range(1, most + 1)]
    return ",".join([*ordinals, *plain])


def key_of(seconds: int) -> str:
    """Return how an instance id names a moment: `20261123T080000Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def check(body: dict[str, Any], calendar_zone: str) -> None:
    """Check the recurrence of a body whose start is normalised.

    :raises ApiError: 400 `invalid` for a line that is wrong.
    """
    Series(body, calendar_zone)

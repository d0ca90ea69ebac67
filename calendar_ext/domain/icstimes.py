"""When a foreign event is: start, end, rules and recurrence key, in the dialects of those who write them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from .icsproperties import Found
from .icstext import Line
from .icszones import FileZones, Place
from .stamps import Unreadable, read_duration, read_stamp
from .when import When, instant, recurrence_key, wall_at

_SEPARATORS = re.compile(r"(?<=\d)[-:](?=\d)|\.\d+(?=Z?$)")
_BACKSLASH = "\\"


class TimeReader:
    """Reads times in the zones of one file."""

    def __init__(self, zones: FileZones) -> None:
        self._zones = zones
        #: UIDs of the file's all-day series: some products name their occurrences by midnight.
        self.all_day: set[str] = set()

    def moment(self, line: Line, text: str | None = None) -> Place:
        """Return a DATE or DATE-TIME in its zone; the wall of a date is a date.

        :param text: one value of several, instead of the whole.
        :raises Unreadable: it is neither.
        """
        stamp = read_stamp(_SEPARATORS.sub("", (line.value if text is None else text).strip().upper()))
        if len(stamp.wall) == 10 or line.params.get("VALUE", "").upper() == "DATE":
            return Place(stamp.wall[:10], "")
        if stamp.zone:
            return Place(stamp.wall, stamp.zone)
        return self._zones.place(stamp.wall, line.params.get("TZID", ""))

    def when(self, found: Found) -> When:
        """Return start and end; an end that cannot be read is that of an event without one.

        :raises Unreadable: there is no start, or none that can be read.
        """
        line = found.one.get("DTSTART")
        if line is None:
            raise Unreadable("it has no start")
        start = self.moment(line)
        if not start.known:
            found.notes.append(f"its time zone {line.params.get('TZID', '')[:60]!r} is not known")
        end = self._end(found, start)
        if len(start.wall) == 10:
            return _days(start.wall, end.wall, found)
        when = When(start.wall, _timed(end.wall), start.zone, end.zone if end.zone or not start.zone else start.zone)
        if when.span.end < when.span.start:
            found.notes.append("it ends before it starts; the two were exchanged")
            return When(when.end_wall, when.start_wall, when.end_zone, when.start_zone)
        return when

    def _end(self, found: Found, start: Place) -> Place:
        if "DTEND" in found.one:
            return self.moment(found.one["DTEND"])
        if "DURATION" not in found.one:
            return start
        try:
            days, seconds = read_duration(found.one["DURATION"].value)
        except Unreadable as error:
            found.notes.append(str(error))
            return start
        wall = _later(start.wall, days)
        if len(wall) == 10:
            return Place(_later(wall, seconds // 86400), "")
        if seconds:
            wall = wall_at(instant(wall, start.zone) + seconds, start.zone)
        return start._replace(wall=wall)

    def key(self, found: Found) -> str:
        """Return the recurrence key of an override, '' of any other event."""
        line = found.one.get("RECURRENCE-ID")
        if line is None or not found.text("UID").strip():
            return ""
        if "RANGE" in line.params:
            found.notes.append("it changes all later occurrences too; only this one was changed")
        place = self.moment(line)
        wall = place.wall[:10] if found.text("UID").strip() in self.all_day else place.wall
        return recurrence_key(wall, place.zone)

    def rules(self, found: Found, when: When) -> tuple[str, ...]:
        """Return RRULE, EXRULE, RDATE and EXDATE lines with IANA zones; single dates nobody can read are left out."""
        lines = [
            f"{name}:{line.value.strip().replace(_BACKSLASH, '')}"
            for name in ("RRULE", "EXRULE")
            for line in found.many[name]
            if line.value.strip()
        ]
        for name in ("RDATE", "EXDATE"):
            for line in found.many[name]:
                items = (item.strip() for item in line.value.split(",") if item.strip())
                for item in items:
                    text = self._single_date(line, item, found, all_day=when.all_day)
                    if text:
                        lines.append(f"{name}{text}")
        return _joined(lines)

    def _single_date(self, line: Line, item: str, found: Found, *, all_day: bool) -> str:
        """`;TZID=…:value` of one RDATE or EXDATE value, '' if it cannot be read."""
        first, slash, rest = item.partition("/")
        try:
            place = self.moment(line, first)
            length = _period(self.moment(line, rest), place) if slash and not rest.startswith(("P", "+P")) else rest
        except Unreadable as error:
            found.notes.append(f"{line.name} {error}")
            return ""
        value = place.wall.replace("-", "").replace(":", "")
        if all_day or len(value) == 8:
            return f";VALUE=DATE:{value[:8]}"
        kind = ";VALUE=PERIOD" if slash else ""
        zone = f";TZID={place.zone}" if place.zone not in ("", "UTC") else ""
        return f"{kind}{zone}:{value}{'Z' if place.zone == 'UTC' else ''}{slash}{length}"

    def updated(self, found: Found) -> int | None:
        """Return when the event was last changed, in UTC milliseconds, None if nothing says so."""
        line = found.one.get("LAST-MODIFIED") or found.one.get("DTSTAMP")
        try:
            place = self.moment(line) if line else None
        except Unreadable:
            return None
        return instant(place.wall, place.zone) * 1000 if place else None


def _joined(lines: list[str]) -> tuple[str, ...]:
    """Lines with the values of equal heads put together, in the order they came."""
    found: dict[str, list[str]] = {}
    for number, line in enumerate(lines):
        head, _, value = line.partition(":")
        found.setdefault(head if "DATE" in head else f"{number} {head}", []).append(value)
    return tuple(f"{head.rpartition(' ')[2]}:{','.join(values)}" for head, values in found.items())


def _later(wall: str, days: int) -> str:
    try:
        return (date.fromisoformat(wall[:10]) + timedelta(days=days)).isoformat() + wall[10:]
    except OverflowError:
        raise Unreadable("it lasts beyond the calendar")


def _timed(wall: str) -> str:
    return wall if len(wall) > 10 else f"{wall}T00:00:00"


def _days(start: str, end: str, found: Found) -> When:
    """An all-day event; one without an end, or that ends where it starts, lasts one day."""
    last = _later(end[:10], 1) if len(end) > 10 and end[11:] != "00:00:00" else end[:10]
    if last < start:
        found.notes.append("it ends before it starts; the two were exchanged")
        start, last = last, start
    return When(start, last if last > start else _later(start, 1))


def _period(end: Place, start: Place) -> str:
    return f"PT{max(instant(end.wall, end.zone) - instant(start.wall, start.zone), 0)}S"

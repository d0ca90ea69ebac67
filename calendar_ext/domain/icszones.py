"""Time zones as foreign calendar files name them, into IANA zones (trust.md T-31: names are looked up, never paths)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from ..limits import Limits
from .icstext import Block, Line
from .recurrence import spans
from .stamps import Unreadable, read_stamp, wall_seconds
from .walls import DAY, instants, wall_text
from .when import Span, When, is_zone

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d):?(\d\d)?", re.ASCII)
_NAMED_OFFSET = re.compile(r"(?:UTC|GMT)\s*([+-])(\d{1,2})(?:[:.](\d\d))?", re.ASCII)
#: Tried first where only offsets are known, so that the zone people expect is found and not a neighbour of it.
_COMMON = (
    "Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney", "America/Sao_Paulo",
)  # fmt: skip


class Place(NamedTuple):
    """A wall-clock reading where it was understood. `known` is False where its zone had to be guessed."""

    wall: str
    zone: str
    known: bool = True


class Observance(NamedTuple):
    """One STANDARD or DAYLIGHT part: from when on which offset counts, in seconds."""

    daylight: bool
    start: str
    before: int
    offset: int
    rules: tuple[str, ...]


class FileZones:
    """The zones of one file.

    :param names: further names, to IANA names; asked before the Windows names that come with `icalendar`.
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = {name.casefold(): zone for name, zone in {**WINDOWS_TO_OLSON, **(names or {})}.items()}
        self._observances: dict[str, tuple[Observance, ...]] = {}
        self._locations: dict[str, str] = {}
        #: Zone of the calendar as a whole (X-WR-TIMEZONE), '' if it has none we know.
        self.default = ""

    def learn(self, block: Block) -> None:
        """Remember a VTIMEZONE."""
        facts = {line.name: line.value.strip() for line in block.own()}
        name = facts.get("TZID", "").strip('"')
        if name:
            self._observances[name] = tuple(_observances(block))
            self._locations[name] = facts.get("X-LIC-LOCATION", "")

    def named(self, name: str) -> str:
        """Return the IANA zone a name stands for, '' if none. Prefixes of vendors are looked behind."""
        name = name.strip().strip('"')
        if not name or len(name) > 200:
            return ""
        if is_zone(name):
            return name
        known = self._names.get(name.casefold())
        if known:
            return known
        parts = name.strip("/").split("/")
        tails = ("/".join(parts[number:]) for number in range(len(parts)))
        return next((tail for tail in (*tails, name.replace("-", "/")) if "/" in tail and is_zone(tail)), "")

    def place(self, wall: str, name: str) -> Place:
        """Return a reading in the zone a file calls `name`; `''` is that of the calendar, or floating if it has none.

        An unknown name with a VTIMEZONE becomes an IANA zone with the same offsets in that year and the next, or UTC by
        those offsets; one without becomes the zone of the calendar.
        """
        zone = self.named(name) or self.named(self._locations.get(name, ""))
        if zone or not name:
            return Place(wall, zone or self.default)
        observances = self._observances.get(name)
        if not observances:
            return self._guessed(wall, name)
        zone = _fitting(observances, int(wall[:4]), self.default)
        if zone:
            return Place(wall, zone)
        seconds = wall_seconds(wall)
        return Place(wall_text(seconds - _offset_at(observances, seconds)), "UTC", known=False)

    def _guessed(self, wall: str, name: str) -> Place:
        """By the offset in a name such as `(UTC-03:00) Brasilia`, else as if no zone had been given."""
        match = _NAMED_OFFSET.search(name)
        if not match:
            return Place(wall, self.default, known=False)
        seconds = int(match[2]) * 3600 + int(match[3] or 0) * 60
        return Place(wall_text(wall_seconds(wall) - (-seconds if match[1] == "-" else seconds)), "UTC", known=False)


def _observances(block: Block) -> Iterable[Observance]:
    facts: dict[str, Line] = {}
    rules: list[str] = []
    kind = ""
    for child, line in [*block.flat(), ("", Line("BEGIN", {}, ""))]:
        if line.name == "BEGIN":
            part = _observance(kind == "DAYLIGHT", facts, tuple(rules))
            if part:
                yield part
            kind, facts, rules = child, {}, []
        elif child and line.name in ("RRULE", "RDATE"):
            rules.append(f"{line.name}:{line.value}")
        elif child:
            facts.setdefault(line.name, line)


def _observance(daylight: bool, facts: Mapping[str, Line], rules: tuple[str, ...]) -> Observance | None:
    try:
        start = read_stamp(facts["DTSTART"].value.strip()).wall
        return Observance(daylight, start, _offset(facts["TZOFFSETFROM"]), _offset(facts["TZOFFSETTO"]), rules)
    except (KeyError, Unreadable):
        return None


def _offset(line: Line) -> int:
    match = _OFFSET.fullmatch(line.value.strip())
    if not match:
        raise Unreadable("an offset cannot be read")
    seconds = int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4] or 0)
    return -seconds if match[1] == "-" else seconds


@lru_cache(maxsize=1024)
def _onsets(observances: tuple[Observance, ...], year: int) -> list[tuple[int, int, int]]:
    """`(wall second, offset before, offset after)` that matter from January of `year` to the end of the next."""
    window = Span(wall_seconds(f"{max(year - 1, 1):04}-01-01"), wall_seconds(f"{min(year + 2, 9999):04}-01-01"))
    found = []
    for part in observances:
        when = When(part.start, part.start)
        starts = [start for start, _ in spans(when, part.rules, window, Limits())]
        found += [(start, part.before, part.offset) for start in (starts or [wall_seconds(part.start)])]
    return sorted(found)


def _offset_at(observances: tuple[Observance, ...], wall: int) -> int:
    onsets = _onsets(observances, int(wall_text(wall)[:4]))
    passed = [after for start, _, after in onsets if start <= wall]
    if passed:
        return passed[-1]
    standard = [part.offset for part in observances if not part.daylight]
    return standard[0] if standard else onsets[0][1]


@lru_cache(maxsize=256)
def _fitting(observances: tuple[Observance, ...], year: int, favourite: str) -> str:
    """The IANA zone that has these offsets all through a year and the next, '' if none."""
    first = wall_seconds(f"{year:04}-01-01")
    walls = list(range(first, first + 730 * DAY, 5 * DAY))
    for start, _, _ in _onsets(observances, year):
        walls += [start - DAY, start + DAY] if first <= start - DAY < first + 729 * DAY else []
    walls.sort()
    wanted = [wall - _offset_at(observances, wall) for wall in walls]
    candidates = ([favourite] if favourite else []) + [*_COMMON, *dict.fromkeys(WINDOWS_TO_OLSON.values())]
    return next((zone for zone in candidates if is_zone(zone) and instants(walls, zone) == wanted), "")

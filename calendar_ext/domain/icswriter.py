"""Rows into iCalendar text, by our own escaping and folding (RFC 5545; trust.md T-36).

Only properties of an allow-list are written, each through `_text` or from a form that holds no free text; so nothing in
an event can start a property or a component of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .model import Kind, Row, ShowAs, Status
from .rows import rules_of
from .walls import steps, wall_text
from .when import is_zone

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_RULE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)[A-Za-z0-9;:=,+/_-]*")
_FOLD = 75
_STATUS = {str(Status.TENTATIVE): "TENTATIVE", str(Status.CANCELLED): "CANCELLED"}


def write(rows: Iterable[Row], name: str = "", *, stamp: int = 0, product: str = "-//calendar-ext//EN") -> str:
    """Return a calendar with these events; its lines end with CRLF and are at most 75 bytes long.

    :param rows: rows of `event`; gaps become EXDATEs of their series, anchors are left out.
    :param stamp: DTSTAMP, UTC seconds; given, not read from a clock, so that equal input gives equal text.
    """
    rows = [row for row in rows if row["kind"] != Kind.ANCHOR]
    gaps: dict[str, list[Row]] = {}
    for row in rows:
        if row["kind"] == Kind.GAP:
            gaps.setdefault(row["object_id"], []).append(row)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_text(product)}"]
    if name:
        lines.append(f"X-WR-CALNAME:{_text(name)}")
    shown = [row for row in rows if row["kind"] != Kind.GAP]
    for zone, years in sorted(_zones(shown).items()):
        lines += _time_zone(zone, *years)
    for row in shown:
        lines += _event(row, gaps.get(row["object_id"], ()) if row["kind"] == Kind.MASTER else (), stamp)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _event(row: Row, gaps: Iterable[Row], stamp: int) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(row.get('ical_uid') or row['object_id'])}"
    yield f"DTSTAMP:{_utc(stamp)}"
    yield from _times(row)
    if row.get("recurrence_key"):
        yield _key("RECURRENCE-ID", row["recurrence_key"])
    yield from (line for line in rules_of(row) if _RULE.fullmatch(line))
    yield from (_key("EXDATE", gap["recurrence_key"]) for gap in gaps)
    for column, prop in (("title", "SUMMARY"), ("description", "DESCRIPTION"), ("location", "LOCATION")):
        if row.get(column):
            yield f"{prop}:{_text(row[column])}"
    yield f"STATUS:{_STATUS.get(row.get('status') or '', 'CONFIRMED')}"
    yield f"TRANSP:{'TRANSPARENT' if row.get('show_as') == ShowAs.FREE else 'OPAQUE'}"
    if row.get("visibility") not in (None, "", "default", "public"):
        yield "CLASS:PRIVATE"
    yield f"SEQUENCE:{int(row.get('sequence') or 0)}"
    yield "END:VEVENT"


def _times(row: Row) -> Iterator[str]:
    """Dates and floating times as they are; zoned times in their zone where they repeat, else as instants."""
    for prop, column in (("DTSTART", "start"), ("DTEND", "end")):
        wall, zone = row[f"{column}_wall"], row[f"{column}_zone"] or row["start_zone"]
        value = wall.replace("-", "").replace(":", "")
        if row["all_day"]:
            yield f"{prop};VALUE=DATE:{value[:8]}"
        elif not zone:
            yield f"{prop}:{value}"
        elif rules_of(row) and zone != "UTC" and is_zone(zone):
            yield f"{prop};TZID={zone}:{value}"
        else:
            yield f"{prop}:{_utc(row[f'{column}_at'])}"


def _zones(rows: Iterable[Row]) -> dict[str, tuple[int, int]]:
    """Zones that must be described, each with the first and last year it is needed for."""
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        if rules_of(row) and not row["all_day"]:
            for zone in {row["start_zone"], row["end_zone"] or row["start_zone"]} - {"", "UTC"}:
                year = int(row["start_wall"][:4])
                first, last = found.get(zone, (year, year))
                found[zone] = (min(first, year), max(last, year + 10))
    return {zone: years for zone, years in found.items() if is_zone(zone)}


def _time_zone(zone: str, first: int, last: int) -> Iterator[str]:
    """VTIMEZONE with every change of the offset in those years; readers that know the name do not look at it."""
    yield "BEGIN:VTIMEZONE"
    yield f"TZID:{zone}"
    known = steps(zone, first, min(last, 9998))
    for (_, before), (wall, after) in zip(known[:1] + known, known, strict=False):
        yield "BEGIN:STANDARD" if after <= before else "BEGIN:DAYLIGHT"
        # A step is where the new offset begins on the wall; DTSTART is that moment by the offset before.
        yield f"DTSTART:{_compact(wall_text(wall - max(after - before, 0)))}"
        yield f"TZOFFSETFROM:{_offset(before)}"
        yield f"TZOFFSETTO:{_offset(after)}"
        yield "END:STANDARD" if after <= before else "END:DAYLIGHT"
    yield "END:VTIMEZONE"


def _key(prop: str, key: str) -> str:
    return f"{prop};VALUE=DATE:{key}" if len(key) == 8 else f"{prop}:{key}"


def _utc(at: int) -> str:
    return _compact(wall_text(at)) + "Z"


def _compact(wall: str) -> str:
    return wall.replace("-", "").replace(":", "")


def _offset(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), 60)
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}{minutes % 60:02}{f'{rest:02}' if rest else ''}"


def _text(value: str) -> str:
    """TEXT (RFC 5545 section 3.3.11): every kind of line break is an escaped one, other control characters go."""
    value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    value = _CONTROL.sub(" ", value).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return value.replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Lines of at most 75 bytes, cut between characters; those after the first begin with a blank."""
    if len(line) <= _FOLD and line.isascii():
        yield line
        return
    part, size = "", 0
    for character in line:
        width = len(character.encode("utf-8", "replace"))
        if size + width > _FOLD:
            yield part
            part, size = " ", 1
        part, size = part + character, size + width
    yield part

"""Which fields make two versions of an event the same: their canonical form, its digest, and their differences.

A fingerprint says that nobody edited anything. It says nothing about bytes: a pulled row with an equal fingerprint may
still carry another etag, another answer or other markup, so it never decides whether a row is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from . import canonical
from .model import CONTENT_FIELDS, Attendee, Event, Row
from .when import When, instant

_FIELD, _PART = "\x1f", "\x1e"


def fingerprint(event: Event) -> bytes:
    """Return 16 bytes, equal for two versions of an event between which nobody edited anything."""
    return _digest(_canonical(event))


def fingerprint_of_row(row: Row) -> bytes:
    """Return `fingerprint(event_of(row))` without making the event: for every row that is pulled.

    `start_at` and `end_at`, where the row has them, are believed.
    """
    get = row.get
    wall, zone, rules, guests = row["start_wall"], get("start_zone") or "", get("rules") or "", get("attendees")
    start, end = get("start_at"), get("end_at")
    if start is None or end is None:
        start, end = instant(wall, zone), instant(row["end_wall"], get("end_zone") or zone)
    return _digest(
        (
            _when(start, end, wall, zone, rules),
            canonical.line(get("title") or ""),
            canonical.prose(get("description") or ""),
            canonical.line(get("location") or ""),
            get("status") or "confirmed",
            get("show_as") or "busy",
            canonical.visibility(get("visibility") or "default"),
            canonical.rules(rules, zone, len(wall) == 10) if rules else "",
            _PART.join(canonical.guests(guests)) if guests else "",
        )
    )


def differences(a: Event, b: Event) -> tuple[str, ...]:
    """Return the names of the `CONTENT_FIELDS` that somebody edited between two versions, in their order."""
    pairs = zip(CONTENT_FIELDS, _canonical(a), _canonical(b), strict=True)
    return tuple(name for name, left, right in pairs if left != right)


def content(event: Event) -> dict[str, Any]:
    """Return an event as plain JSON values, its texts as they were written."""
    facts: dict[str, Any] = _plain({name: getattr(event, name) for name in CONTENT_FIELDS})
    facts["when"] = asdict(event.when)
    facts["rules"] = list(event.rules)
    facts["attendees"] = [_plain(asdict(guest)) for guest in event.attendees]
    return facts | {"uid": event.uid, "marker": list(event.marker) if event.marker else None}


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, str) else value for name, value in facts.items()}


def event_from_content(facts: Mapping[str, Any]) -> Event:
    """Return the event `content` was made from; fields it does not know are ignored."""
    marker = facts.get("marker")
    texts = {name: facts[name] for name in CONTENT_FIELDS if isinstance(facts.get(name), str)}
    return Event(
        when=When(**facts["when"]),
        rules=tuple(facts.get("rules", ())),
        attendees=tuple(Attendee(**guest) for guest in facts.get("attendees", ())),
        uid=facts.get("uid", ""),
        marker=(marker[0], marker[1]) if marker else None,
        **texts,
    )


def _canonical(event: Event) -> tuple[str, ...]:
    when, rules = event.when, "\n".join(event.rules)
    span = when.span
    return (
        _when(span.start, span.end, when.start_wall, when.start_zone, rules),
        canonical.line(event.title),
        canonical.prose(event.description),
        canonical.line(event.location),
        str(event.status),
        str(event.show_as),
        canonical.visibility(event.visibility),
        canonical.rules(rules, when.start_zone, when.all_day) if rules else "",
        _PART.join(canonical.guests(event.attendees)),
    )


def _when(start: int, end: int, wall: str, zone: str, rules: str) -> str:
    """Instants; for a series also the zone they are repeated in, because it decides the instants to come."""
    form = "date" if len(wall) == 10 else canonical.place(zone) if rules or not zone else "timed"
    return f"{start}{_PART}{end}{_PART}{form}"


def _digest(fields: tuple[str, ...]) -> bytes:
    return blake2b(_FIELD.join(fields).encode("utf-8", "surrogatepass"), digest_size=16).digest()

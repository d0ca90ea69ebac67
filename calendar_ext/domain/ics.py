"""Foreign iCalendar text into rows of the `event` table (RFC 5545), event by event.

What cannot be understood is named with its reason and never costs the rest; what was understood only in part is kept,
and the refusal that says so has `facts["kept"]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from ..errors import Refused
from ..limits import Limits
from .fingerprint import fingerprint_of_row
from .icsfields import EventReader
from .icsproperties import found_in, name_of
from .icstext import Block, Line, components, decoded
from .icszones import FileZones
from .model import Refusal, Row
from .stamps import Unreadable

_NOT_EVENTS = {"VTODO": "it is a task, not an event", "VJOURNAL": "it is a journal entry, not an event"}
_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds.

    :param events: rows with `object_id` = UID and their `recurrence_key`; an override may come without its master.
    :param refused: by title or UID, with the reason; those with `facts["kept"]` are among the events all the same.
    :param time_zone: IANA name of the calendar's zone, or ''.
    """

    events: list[Row] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    calendar_name: str = ""
    time_zone: str = ""


def read(
    source: str | bytes,
    limits: Limits = _DEFAULT,
    *,
    zones: Mapping[str, str] | None = None,
    most_bytes: int | None = None,
) -> Parsed:
    """Read a whole file.

    :param zones: names of time zones besides IANA's and those that come with `icalendar`.
    :param most_bytes: the largest file taken; default `limits.ics_upload_bytes`.
    :raises Refused: it is too large, or no calendar at all. The message is a sentence for a person.
    """
    most = limits.ics_upload_bytes if most_bytes is None else most_bytes
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "replace"))
    if size > most:
        raise Refused(f"This file is larger than {most // 2**20} MiB. Export a shorter time, or split it.", size=size)
    text = decoded(source) if isinstance(source, bytes) else source
    blocks, facts = _sorted(components(text.replace("\x00", ""), limits))
    places = FileZones(zones)
    places.default = places.named(facts.get("X-WR-TIMEZONE") or facts.get("TIMEZONE-ID") or "")
    for block in blocks:
        if block.kind == "VTIMEZONE":
            places.learn(block)
    parsed = Parsed([], [], facts.get("X-WR-CALNAME") or facts.get("NAME") or "", places.default)
    _fill(parsed, blocks, EventReader(places, limits))
    return parsed


def _sorted(found: Iterable[Block | Line]) -> tuple[list[Block], dict[str, str]]:
    blocks: list[Block] = []
    facts: dict[str, str] = {}
    for one in found:
        if isinstance(one, Block):
            blocks.append(one)
        else:
            facts.setdefault(one.name, one.text.strip())
    return blocks, facts


def _fill(parsed: Parsed, blocks: Iterable[Block], reader: EventReader) -> None:
    kept: dict[tuple[str, str], Row] = {}
    read_in = [(block, found_in(block)) for block in blocks if block.kind != "VTIMEZONE"]
    reader.times.all_day = {found.text("UID").strip() for _, found in read_in if found.is_all_day_master}
    for block, found in read_in:
        name = name_of(found)
        if block.kind in _NOT_EVENTS:
            parsed.refused.append(Refusal(name, _NOT_EVENTS[block.kind]))
            continue
        try:
            row = reader.row(block, found)
        except Unreadable as error:
            parsed.refused.append(Refusal(name, str(error)))
            continue
        parsed.refused.extend(Refusal(name, note, facts={"kept": True}) for note in found.notes)
        _keep(kept, row, name, parsed.refused)
    parsed.events.extend(kept.values())


def _keep(kept: dict[tuple[str, str], Row], row: Row, name: str, refused: list[Refusal]) -> None:
    """Of two versions with one UID the newer is kept; two different events that share one are both kept."""
    key = (row["object_id"], row["recurrence_key"])
    other = kept.get(key)
    if other is None:
        kept[key] = row
    elif row["sequence"] == other["sequence"] and row["start_at"] != other["start_at"]:
        mark = blake2b(fingerprint_of_row(row), digest_size=6).hexdigest()
        row = row | {"object_id": f"{key[0]}#{mark}", "ical_uid": f"{key[0]}#{mark}"}
        kept.setdefault((row["object_id"], row["recurrence_key"]), row)
        refused.append(Refusal(name, "another event has the same UID; both are shown", facts={"kept": True}))
    else:
        newer, older = (row, other) if _version(row) > _version(other) else (other, row)
        kept[key] = newer
        if fingerprint_of_row(newer) != fingerprint_of_row(older):
            refused.append(Refusal(name, "a newer version of it is in the same file"))


def _version(row: Row) -> tuple[int, int]:
    return row["sequence"], row["remote_updated"] or 0

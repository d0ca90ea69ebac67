"""Calendars and the events in them: one copy of an event per calendar, and a log of what changed.

An `Item` holds the JSON as its owner would be given it, so that answers are made by cutting, not by building.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import times
from .recurrence import Series, Start

#: Access roles from weak to strong (discovery document, CalendarListEntry.accessRole).
ROLES = ("freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")

Body = dict[str, Any]


class Item:
    """One event in one calendar; also a deleted one, for ever. `position` is its last place in the log."""

    __slots__ = ("_series", "_span", "_zone", "body", "encoded", "number", "position")

    def __init__(self, body: Body, calendar_zone: str, number: int) -> None:
        self._zone = calendar_zone
        self.number = number
        self.position = 0
        self.hold(body)

    def hold(self, body: Body) -> None:
        """Hold another version of the event and forget what was worked out from the last one."""
        self.body = body
        self.encoded: dict[Any, bytes] = {}
        self._series: Series | None = None
        self._span: tuple[int, int] | None = None

    @property
    def id(self) -> str:
        """Return the id in this calendar."""
        return str(self.body["id"])

    @property
    def cancelled(self) -> bool:
        """Return whether it is deleted, or a cancelled occurrence."""
        return bool(self.body["status"] == "cancelled")

    @property
    def master(self) -> bool:
        """Return whether it is a recurring event."""
        return "recurrence" in self.body

    @property
    def span(self) -> tuple[int, int]:
        """Return the half-open span in UTC seconds; of a master, its first occurrence."""
        if self._span is None:
            self._span = times.span(self.body, self._zone)
        return self._span

    @property
    def series(self) -> Series:
        """Return the occurrences of a master."""
        if self._series is None:
            self._series = Series(self.body, self._zone)
        return self._series

    def starts(self, lo: float, hi: float) -> list[Start]:
        """Return the occurrences of a master that end after `lo` and start before `hi`."""
        first, last = self.span
        length = max(last - first, 1)
        return [each for each in self.series.between(lo - length, hi) if each[1] + length > lo]

    def touches(self, lo: float, hi: float) -> bool:
        """Return whether it, or one of its occurrences, ends after `lo` and starts before `hi`."""
        if self.master:
            return bool(self.starts(lo, hi))
        start, end = self.span
        return end > lo and start < hi


@dataclass
class Calendar:
    """One collection of events. `epoch` grows when sync tokens are made to expire."""

    id: str
    summary: str
    time_zone: str
    owner: str
    description: str = ""
    holidays: bool = False
    epoch: int = 1
    items: dict[str, Item] = field(default_factory=dict)
    order: list[Item] = field(default_factory=list)
    log: list[Item] = field(default_factory=list)
    children: dict[str, list[Item]] = field(default_factory=dict)
    uids: dict[str, Item] = field(default_factory=dict)

    @property
    def primary(self) -> bool:
        """Return whether this is its owner's first calendar, whose id is the address."""
        return self.id == self.owner

    @property
    def position(self) -> int:
        """Return the end of the log."""
        return len(self.log)

    def put(self, body: Body) -> Item:
        """Store a version of an event and write it to the log."""
        item = self.items.get(body["id"])
        if item is None:
            item = Item(body, self.time_zone, len(self.order))
            self.items[body["id"]] = item
            self.order.append(item)
            if "recurringEventId" in body:
                self.children.setdefault(body["recurringEventId"], []).append(item)
            else:
                self.uids[body["iCalUID"]] = item
        else:
            item.hold(body)
        self.log.append(item)
        item.position = len(self.log)
        return item

    def forget(self) -> None:
        """Hold nothing any more, not even what was deleted."""
        self.epoch += 1
        for held in (self.items, self.order, self.log, self.children, self.uids):
            held.clear()

    def exceptions(self, master_id: str) -> list[Item]:
        """Return the changed and cancelled occurrences of a series."""
        return self.children.get(master_id, [])

    def with_uid(self, uid: str) -> Item | None:
        """Return the event of an iCalUID that is no occurrence, a deleted one included."""
        return self.uids.get(uid)


@dataclass
class Entry:
    """A calendar in somebody's list. `changed` is the list's position when it last changed."""

    calendar: Calendar
    role: str
    changed: int
    colour: str = "17"
    selected: bool = True
    hidden: bool = False
    deleted: bool = False
    override: str = ""
    etag: str = ""

    def at_least(self, role: str) -> bool:
        """Return whether the access is that strong."""
        return ROLES.index(self.role) >= ROLES.index(role)

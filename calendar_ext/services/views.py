"""What pages are drawn from: values made of `domain.privacy.View`s and records, times in the viewer's own zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ..domain.model import Attendee
from ..domain.when import Span, zone_of

DAY = 86_400
#: Dates have no zone: before they are compared with instants they are widened by what a zone may be from UTC.
SLACK = 14 * 3_600


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on a calendar: an occurrence of an event, as this person may see it.

    :param event: the event's public id.
    :param at: recurrence key of an occurrence of a series, else ''.
    :param first: its first day; `last`: its last one, both in the viewer's zone.
    :param start: aware, in the viewer's zone; None for all-day.
    :param waits: an edit of ours is on its way.
    """

    event: str
    at: str
    calendar: str
    title: str
    first: date
    last: date
    start: datetime | None = None
    end: datetime | None = None
    location: str = ""
    show_as: str = "busy"
    status: str = "confirmed"
    response: str = ""
    private: bool = False
    repeats: bool = False
    waits: bool = False
    conflict: bool = False
    linked: bool = False
    colour: str = ""

    @property
    def all_day(self) -> bool:
        """Return whether it has dates, no times."""
        return self.start is None


@dataclass(frozen=True, slots=True)
class Source:
    """One calendar whose events stand on the page."""

    calendar: str
    name: str
    connection: str
    provider: str
    email: str
    colour: str = ""
    shown: bool = True
    writable: bool = True
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Agenda:
    """Some days of one person's calendars. `cut`: there was more than a page holds."""

    first: date
    days: int
    sources: tuple[Source, ...]
    items: tuple[Item, ...]
    #: Cursor for the next question about changes.
    cursor: str = ""
    cut: bool = False

    def on(self, day: date) -> list[Item]:
        """Return what touches a day, all-day first."""
        there = [item for item in self.items if item.first <= day <= item.last]
        return sorted(there, key=lambda item: (not item.all_day, item.start or datetime.min.replace(tzinfo=UTC)))


@dataclass(frozen=True, slots=True)
class Lost:
    """A value that did not win when both sides changed one field."""

    field: str
    ours: str
    theirs: str
    winner: str
    at: datetime
    open: bool = True


@dataclass(frozen=True, slots=True)
class Details:
    """One event, or one occurrence of it, with all its person may know."""

    item: Item
    source: Source
    description: str = ""
    zone: str = ""
    rules: tuple[str, ...] = ()
    attendees: tuple[Attendee, ...] = ()
    organizer: str = ""
    is_organizer: bool = True
    online_url: str = ""
    provider_url: str = ""
    host_url: str = ""
    quarantine: str = ""
    losses: tuple[Lost, ...] = ()
    #: The person may change it: their calendar takes it, and it is theirs to change.
    editable: bool = True

    @property
    def others(self) -> tuple[Attendee, ...]:
        """Return the guests besides the viewer."""
        return tuple(guest for guest in self.attendees if not guest.is_self)


@dataclass(frozen=True, slots=True)
class Alone:
    """A host appointment that is in no calendar, or an activity with a time.

    :param reason: `not_connected`, `before_sync_start`, `refused`, `kept_here`, `one_way`, `read_only` or ''.
    """

    kind: str
    ref: str
    title: str
    start: datetime | date | None
    end: datetime | date | None
    reason: str = ""
    reason_text: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What changed since a cursor. `etag` is equal while a page would look the same."""

    cursor: str
    etag: str
    events: tuple[Mapping[str, Any], ...] = field(default=())
    #: There was more than one answer holds: read the page anew.
    cut: bool = False


def local(seconds: int, zone: str) -> datetime:
    """Return an instant in a zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone_of(zone))


def day_of(seconds: int) -> date:
    """Return the date whose midnight in UTC is `seconds`: how the start of an all-day event is stored."""
    return datetime.fromtimestamp(seconds, UTC).date()


def span_of(first: date, days: int, zone: str) -> Span:
    """Return the instants of some days in a zone."""
    there = zone_of(zone)
    begin = datetime.combine(first, time.min, there)
    end = datetime.combine(first + timedelta(days=days), time.min, there)
    return Span(int(begin.timestamp()), int(end.timestamp()))

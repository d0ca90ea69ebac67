"""The values every room talks about. Frozen; no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .when import Span, When

#: One row of the `event` table as a plain dict, plus `attendees` (a list of `Attendee`): what providers hand over.
Row = dict[str, Any]


class Kind(StrEnum):
    """What a row is (data-model.md 4.1)."""

    SINGLE = "single"
    MASTER = "master"
    OVERRIDE = "override"
    #: A cancelled occurrence; stays while its master lives.
    GAP = "gap"
    #: An occurrence a host record hangs on although nothing about it differs from the rule; never pushed.
    ANCHOR = "anchor"


class Status(StrEnum):
    """RFC 5545 section 3.8.1.11."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    CANCELLED = "cancelled"


class Visibility(StrEnum):
    """RFC 5545 section 3.8.1.3; anything unknown is private (trust.md T-42)."""

    DEFAULT = "default"
    PUBLIC = "public"
    PRIVATE = "private"


class ShowAs(StrEnum):
    """What the time counts as. Transparency of RFC 5545 section 3.8.2.7 plus what providers know beyond it."""

    BUSY = "busy"
    FREE = "free"
    TENTATIVE = "tentative"
    AWAY = "away"
    ELSEWHERE = "elsewhere"


class Response(StrEnum):
    """An answer to an invitation; `''` in a row means the event has no guests."""

    NONE = "needs_action"
    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Attendee:
    """One guest. Addresses compare by `key`."""

    email: str
    name: str = ""
    response: str = Response.NONE
    role: str = "required"
    is_self: bool = False
    organizer: bool = False

    @property
    def key(self) -> str:
        """Return the address in the form addresses are compared in."""
        return self.email.strip().casefold()


@dataclass(frozen=True, slots=True)
class Event:
    """One VEVENT: a single event, a series master, or an override of one occurrence. Only what people edit."""

    when: When
    title: str = ""
    description: str = ""
    location: str = ""
    status: str = Status.CONFIRMED
    show_as: str = ShowAs.BUSY
    visibility: str = Visibility.DEFAULT
    #: RRULE, RDATE and EXDATE lines, without DTSTART; empty unless this is a master.
    rules: tuple[str, ...] = ()
    attendees: tuple[Attendee, ...] = ()
    #: iCalendar's identity; chosen by us for what is born here.
    uid: str = ""
    #: `(link public id, content hash)` of what we wrote, or None (loop prevention).
    marker: tuple[str, str] | None = None


#: Fields of `Event` that people edit: what is compared, merged field by field, and sent.
CONTENT_FIELDS = (
    "when", "title", "description", "location", "status", "show_as", "visibility", "rules", "attendees",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BusySpan:
    """Time somebody cannot be booked, and why."""

    span: Span
    show_as: str = ShowAs.BUSY


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One computed instance of an event."""

    span: Span
    recurrence_key: str = ""
    all_day: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the recurrence gate says of a rule: `ok`, `cut` (bounded by us) or `refused`, and why."""

    state: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that could not be understood: kept by name and reason, never dropped in silence."""

    name: str
    reason: str
    remote_id: str = ""
    etag: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

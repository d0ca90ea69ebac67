"""How one caller is shown an event: hidden details, the zone of the answer, few attendees, tombstones, `fields`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from . import times
from .calendars import Body, Item
from .errors import invalid
from .masks import Mask
from .parameters import Arguments
from .words import words

if TYPE_CHECKING:
    from .state import Caller

#: What is left of an event whose details are hidden (CalendarListEntry.accessRole, Event.visibility).
_HIDDEN = frozenset(
    words(
        "kind etag id status htmlLink created updated start end recurrence recurringEventId originalStartTime "
        "visibility transparency iCalUID sequence eventType"
    )
)

#: All that Google promises of a deleted event, and of a cancelled occurrence (Event.status).
_TOMBSTONE = ("kind", "etag", "id", "status", "recurringEventId", "originalStartTime")


@dataclass(frozen=True)
class View:
    """What one request may see of the events of one calendar, and in which form."""

    caller: Caller
    mask: Mask
    zone: str = ""
    max_attendees: int = 0

    @classmethod
    def asked(cls, caller: Caller, mask: Mask, args: Arguments) -> View:
        """Return the view the parameters `timeZone` and `maxAttendees` ask for.

        :raises ApiError: 400 for a zone that does not exist.
        """
        zone = args.text("timeZone")
        if zone and times.zone(zone) is None:
            raise invalid("Invalid value for: timeZone", "timeZone")
        return cls(caller, mask, "" if zone == caller.calendar.time_zone else zone, args.number("maxAttendees", 0))

    def full(self, body: Body) -> Body:
        """Return an event as a single answer shows it."""
        if self._hides(body):
            body = {name: value for name, value in body.items() if name in _HIDDEN}
        if self.max_attendees and len(body.get("attendees", [])) > self.max_attendees:
            own = [each for each in body["attendees"] if each.get("self")]
            body = {**body, "attendees": own, "attendeesOmitted": True}
        if self.zone:
            sides = ("start", "end", "originalStartTime")
            body = {**body, **{side: times.written_in(body[side], self.zone) for side in sides if side in body}}
        return body

    def listed(self, body: Body) -> bytes:
        """Return an event as an element of a list, encoded: cut to `fields`, a deleted one cut to its tombstone."""
        if body["status"] == "cancelled":
            body = {name: body[name] for name in _TOMBSTONE if name in body}
        return orjson.dumps(self.mask.apply(self.full(body)))

    def encoded(self, item: Item) -> bytes:
        """Return `listed` of a stored event; each form is made once per version of the event."""
        key = (self.mask.text, self.zone, self.max_attendees, self._hides(item.body))
        found = item.encoded.get(key)
        if found is None:
            found = item.encoded[key] = self.listed(item.body)
        return found

    def _hides(self, body: Body) -> bool:
        if self.caller.sees_private:
            return False
        if not self.caller.entry.at_least("reader"):
            return True
        guests = (each["email"] for each in body.get("attendees", []))
        return body.get("visibility") in ("private", "confidential") and self.caller.account.email not in guests

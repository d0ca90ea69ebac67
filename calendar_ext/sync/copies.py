"""An appointment as it stands in one calendar, and what of an event goes back to the host. Pure.

Where the provider does not invite, guests are lines of the text; no word of any language is added. What a host
appointment has no place for (a rule, guests) never goes back.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterable
from dataclasses import replace

from ..domain.fingerprint import differences, fingerprint
from ..domain.model import Attendee, Event
from ..limits import Limits
from .ports.plan import AppointmentRecord, LinkRecord

#: What a host appointment has a place for.
HOST_FIELDS = ("when", "title", "description", "location", "status", "show_as", "visibility")
#: One of our guest lines, with what parted it from the text before: a provider's editor may write `<br>` for a newline.
_GUEST_LINE = re.compile(r"(?:\n|<br\s*/?>)*• [^\n<]*@[^\s<]+(?=\n|<|\Z)", re.IGNORECASE)
_LIMITS = Limits()


def chosen_id(installation: str, public_id: str, generation: int) -> str:
    """Return the remote id we choose for a link or an event: the same after any crash or restore (trust.md R-02)."""
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, f"calendar-ext:{installation}")
    name = uuid.uuid5(namespace, f"{public_id}:{generation}").bytes
    return base64.b32hexencode(name).decode().rstrip("=").lower()


def marked(event: Event, public_id: str) -> Event:
    """Return the event with our marker: whose it is, and what it said when it left."""
    return replace(event, marker=(public_id, fingerprint(event).hex()))


def outgoing(appointment: AppointmentRecord, link: LinkRecord) -> Event:
    """Return what an appointment is to say in the calendar of a link. The appointment has a time."""
    event = appointment.event
    assert event is not None
    invites = link.sender == "provider" and link.role == "organizer"
    description = event.description if invites else _with_lines(event.description, event.attendees)
    return replace(
        event,
        title=_cut(link.title_prefix + event.title, _LIMITS.title_length),
        description=_cut(description, _LIMITS.description_length),
        attendees=event.attendees if invites else (),
        uid="",
        marker=None,
    )


def incoming(event: Event, link: LinkRecord) -> Event:
    """Return what an event says to the host: without our prefix and without our guest lines."""
    title = event.title
    if link.title_prefix and title.startswith(link.title_prefix):
        title = title[len(link.title_prefix) :]
    return replace(event, title=title, description=_without_lines(event.description), attendees=(), rules=())


def unsent(base_local: Event, wanted: Event, link: LinkRecord) -> tuple[str, ...]:
    """Return the fields the host changed since the base that may go to this calendar.

    Guests only where the provider invites for us, and a rule never: the host has none.
    """
    mine = differences(base_local, wanted)
    kept = () if link.owned and link.role == "organizer" and link.sender == "provider" else ("attendees",)
    return tuple(name for name in mine if name not in (*kept, "rules"))


def reach(event: Event | None) -> int:
    """Return how many people a message about the event goes to."""
    return sum(not (guest.is_self or guest.organizer) for guest in event.attendees) if event else 0


def _with_lines(description: str, guests: Iterable[Attendee]) -> str:
    lines = [f"• {guest.name} ({guest.email})" if guest.name else f"• {guest.email}" for guest in guests]
    return "\n\n".join(part for part in (description.rstrip(), "\n".join(lines)) if part)


def _without_lines(description: str) -> str:
    return _GUEST_LINE.sub("", description).rstrip() if "• " in description else description


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"

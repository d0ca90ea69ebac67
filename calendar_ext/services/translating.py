"""The host's values into ours and back; what makes no sense is refused with a reason, never guessed (L3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import Any

from ..contract import Activity, Appointment, AppointmentDraft, Contact, Guest, OwnerProfile
from ..domain.model import Attendee, Event, ShowAs, Status, Visibility
from ..domain.when import When, is_zone
from ..errors import Refused
from ..limits import Limits
from ..sync.ports.host import HostRecord

_LIMITS = Limits()
_REF_LENGTH = 64
_YEARS = range(1900, 2200)
_FIELDS = {
    "when": ("start", "end", "zone"),
    "title": ("title",),
    "location": ("location",),
    "description": ("description",),
    "status": ("status",),
    "visibility": ("private",),
    "show_as": ("show_as",),
}


def host_record(value: Any, *, cancelled: bool = False) -> HostRecord:
    """Return a `contract.Appointment` or `contract.Activity` as our record.

    :param cancelled: it was, whatever its status says.
    :raises Refused: with a `reason` of one word; nothing of the content is in it.
    """
    if isinstance(value, Appointment):
        return _appointment(value, cancelled)
    if isinstance(value, Activity):
        return _activity(value, cancelled)
    raise Refused(reason="type")


def _appointment(value: Appointment, cancelled: bool) -> HostRecord:
    status = _one_of(value.status, Status, "status")
    event = Event(
        when=_when(value.start, value.end, value.zone),
        title=text(value.title, _LIMITS.title_length, "title"),
        description=text(value.description, _LIMITS.description_length, "description"),
        location=text(value.location, _LIMITS.location_length, "location"),
        status=Status.CONFIRMED if status == Status.CANCELLED else status,
        show_as=_one_of(value.show_as, ShowAs, "show_as"),
        visibility=Visibility.PRIVATE if value.private else Visibility.DEFAULT,
        attendees=tuple(_attendees(value.guests)),
    )
    return HostRecord(
        kind="appointment",
        ref=reference(value.ref),
        version=_version(value.version),
        owners=_owners(value.owners),
        event=event,
        cancelled=cancelled or status == Status.CANCELLED,
        invite_guests=bool(value.invite_guests),
        url=text(value.url, _LIMITS.url_length, "url"),
    )


def _activity(value: Activity, cancelled: bool) -> HostRecord:
    title = text(value.title, _LIMITS.title_length, "title")
    event = None
    if value.start is not None:
        end = value.start if value.end is None else value.end
        event = Event(when=_when(value.start, end, value.zone, open_end=value.end is None), title=title)
    return HostRecord(
        kind="activity",
        ref=reference(value.ref),
        version=_version(value.version),
        owners=_owners(value.owners),
        event=event,
        cancelled=cancelled,
        url=text(value.url, _LIMITS.url_length, "url"),
        facts={"contact_ref": "" if value.contact_ref is None else reference(value.contact_ref)},
    )


def reference(value: Any) -> str:
    """Return one of the host's ids.

    :raises Refused: it is no text, empty or longer than our column.
    """
    if not isinstance(value, str) or not value.strip() or len(value) > _REF_LENGTH or "\0" in value:
        raise Refused(reason="ref")
    return value


def text(value: Any, length: int, name: str) -> str:
    """Return a text every database takes, cut to `length` characters.

    :raises Refused: it is no text, or a megabyte of it.
    """
    if not isinstance(value, str) or len(value) > _LIMITS.ics_object_bytes:
        raise Refused(reason=name)
    whole = value.replace("\0", "").encode("utf-8", "replace").decode()
    return whole if len(whole) <= length else whole[: length - 1] + "…"


def _version(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise Refused(reason="version")
    return value


def _owners(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Collection) or len(value) > _LIMITS.attendees:
        raise Refused(reason="owners")
    return tuple(dict.fromkeys(reference(owner) for owner in value))


def _one_of(value: Any, words: type[Status] | type[ShowAs], name: str) -> str:
    if not isinstance(value, str) or value not in {str(word) for word in words}:
        raise Refused(reason=name)
    return str(value)


def _attendees(guests: Any) -> Iterable[Attendee]:
    """Yield the guests that have an address; nobody can be invited without one."""
    if isinstance(guests, str) or not isinstance(guests, Collection) or len(guests) > _LIMITS.attendees:
        raise Refused(reason="guests")
    for guest in guests:
        if not isinstance(guest, Guest):
            raise Refused(reason="guests")
        email = text(guest.email, 320, "guests").strip()
        if "@" in email.strip("@"):
            yield Attendee(email=email, name=text(guest.name, 255, "guests"))


def _when(start: Any, end: Any, zone: Any, *, open_end: bool = False) -> When:
    both = (start, end)
    if not all(isinstance(moment, date) and moment.year in _YEARS for moment in both):
        raise Refused(reason="times")
    if all(isinstance(moment, datetime) for moment in both):
        return _timed(start, end, zone)
    if any(isinstance(moment, datetime) for moment in both):
        raise Refused(reason="times")
    if open_end:
        end = date.fromordinal(start.toordinal() + 1)
    if end <= start:
        raise Refused(reason="times")
    return When.days(start, end)


def _timed(start: datetime, end: datetime, zone: Any) -> When:
    if start.utcoffset() is None or end.utcoffset() is None or end < start:
        raise Refused(reason="times")
    return When.timed(start, end, zone if isinstance(zone, str) and is_zone(zone) else "")


def facts_of(value: Any) -> dict[str, Any]:
    """Return what dispatch needs of a `contract.Contact` or `contract.OwnerProfile`.

    :raises Refused: as `host_record`.
    """
    if isinstance(value, Contact):
        emails = [text(email, 320, "emails").strip().casefold() for email in value.emails]
        return {"emails": sorted({email for email in emails if email})}
    if isinstance(value, OwnerProfile):
        return {"tenant_id": reference(value.tenant_id), "may_use": bool(value.may_use)}
    raise Refused(reason="type")


def draft_of(ref: str | None, event: Event | None, fields: Collection[str], reason: str = "") -> AppointmentDraft:
    """Return what the host is asked to write: `event` None = cancel, `ref` None = create.

    :param fields: names of `CONTENT_FIELDS`; those a host appointment has no place for are left out.
    """
    if event is None:
        return AppointmentDraft(ref=ref, fields=frozenset({"status"}), cancel=True, reason=reason)
    start, end = _moments(event.when)
    return AppointmentDraft(
        ref=ref,
        fields=frozenset(name for field in fields for name in _FIELDS.get(field, ())),
        title=event.title,
        start=start,
        end=end,
        zone=event.when.start_zone or "UTC",
        location=event.location,
        description=event.description,
        status=str(event.status),
        private=event.visibility not in (Visibility.DEFAULT, Visibility.PUBLIC),
        show_as=str(event.show_as),
        reason=reason,
    )


def _moments(when: When) -> tuple[datetime | date, datetime | date]:
    if when.all_day:
        return date.fromisoformat(when.start_wall), date.fromisoformat(when.end_wall)
    span = when.span
    return datetime.fromtimestamp(span.start, UTC), datetime.fromtimestamp(span.end, UTC)

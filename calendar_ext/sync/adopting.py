"""An appointment that already stands in a calendar: the event there becomes its copy, nothing is written."""

from __future__ import annotations

from dataclasses import replace

from ..domain.canonical import line
from ..domain.model import Row
from ..domain.reconcile import Base
from ..domain.rows import event_of
from ..limits import Limits
from .copies import outgoing
from .placing import DISCONNECTED
from .ports.plan import AppointmentRecord, LinkRecord, Target
from .ports.store import UnitOfWork

_DAY = 86_400


def adopt(unit: UnitOfWork, account_id: int, appointment: AppointmentRecord, limits: Limits) -> LinkRecord | None:
    """Link the appointment to an event that is the same meeting, if one of this account's calendars has one.

    The same meeting is, in this order: what this link held before a disconnect, an event with the identity of a
    colleague's copy, or an event of the same time and title whose guests do not say otherwise.
    """
    if appointment.kind != "appointment" or appointment.state == "cancelled" or appointment.event is None:
        return None
    links = unit.links.of_appointment(appointment.id)
    seated = {owner for link in links if link.state == "live" for owner in link.people}
    missing = [owner for owner in appointment.owners if owner not in seated]
    if not missing:
        return None
    for target in unit.links.targets(appointment.tenant_id, missing, limits.first_sync_past_days * _DAY):
        former = next((one for one in links if one.collection_key == target.collection_key and not one.part), None)
        if target.account_id == account_id and not (former and former.state == "live"):
            found = _found(unit, appointment, target, former, links)
            if found is not None:
                return _link(unit, appointment, target, former, *found)
    return None


def _found(
    unit: UnitOfWork,
    appointment: AppointmentRecord,
    target: Target,
    former: LinkRecord | None,
    links: list[LinkRecord],
) -> tuple[Row, str] | None:
    """Return the event and the role it is adopted in."""
    if former is not None and former.planned_remote_id and former.reason == DISCONNECTED:
        row = unit.edits.by_remote(target.calendar_id, former.planned_remote_id)
        if row is not None and row["deleted_at"] is None:
            return row, former.role
    siblings = [unit.edits.row(link.event_id) for link in links if link.event_id is not None]
    identities = {row["ical_uid"] for row in siblings if row is not None and row["ical_uid"]}
    for row in unit.edits.unlinked_uid(target.calendar_id, identities) if identities else ():
        return row, "invited"
    assert appointment.event is not None
    span = appointment.event.when.span
    for row in unit.edits.unlinked(target.calendar_id, start_at=span.start, end_at=span.end):
        if _is_same(appointment, target, row):
            return row, "adopted"
    return None


def _is_same(appointment: AppointmentRecord, target: Target, row: Row) -> bool:
    event = appointment.event
    assert event is not None
    titles = {line(event.title).casefold(), line(target.title_prefix + event.title).casefold()}
    here = {guest.key for guest in event.attendees}
    there = {guest.key for guest in row["attendees"] if not (guest.is_self or guest.organizer)}
    same_days = bool(row["all_day"]) == event.when.all_day
    return same_days and line(row["title"]).casefold() in titles and (not here or not there or bool(here & there))


def _link(
    unit: UnitOfWork,
    appointment: AppointmentRecord,
    target: Target,
    former: LinkRecord | None,
    row: Row,
    role: str,
) -> LinkRecord:
    link = former or LinkRecord(
        tenant_id=appointment.tenant_id,
        appointment_id=appointment.id,
        calendar_id=target.calendar_id,
        account_id=target.account_id,
        collection_key=target.collection_key,
        people=(target.owner_id,),
    )
    again = former is not None and former.reason == DISCONNECTED and former.base is not None
    link = replace(
        link,
        calendar_id=target.calendar_id,
        event_id=row["id"],
        state="live",
        reason="",
        role=role,
        people=tuple(sorted({*link.people, target.owner_id} & {*appointment.owners})),
        title_prefix=target.title_prefix,
        direction=target.direction,
    )
    if not again:
        agreed = Base(outgoing(appointment, link), event_of(row))
        link = replace(link, owned=False, base=agreed, base_fingerprint=row["fingerprint"], base_etag=row["etag"])
    if former is None:
        return unit.links.add(link)
    unit.links.save(link)
    return link

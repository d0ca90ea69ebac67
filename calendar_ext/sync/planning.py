"""What still has to be sent for a link, as one operation: planned again after every change of either side.

`plan_link` looks only at state (appointment, base, open operations), so it may be called as often as anybody likes; an
operation that is still planned is folded into, one under way is followed by another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..domain.model import Event
from .copies import chosen_id, outgoing, reach, unsent
from .ports.plan import AppointmentRecord, LinkRecord, OperationRecord
from .ports.store import UnitOfWork

#: Fields whose change guests are told of.
_TOLD = frozenset(("when", "title", "location", "description", "attendees", "status"))
_UNSENT = ("planned", "held")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is planned.

    :param quiet: nobody is notified whatever the appointment says: first synchronization, repair.
    :param invites: it may begin to invite: the appointment is new, or its guests or its tick just changed.
    """

    now: int
    installation: str
    actor_kind: str = "host"
    actor_id: str = ""
    reason: str = ""
    quiet: bool = False
    invites: bool = True


def plan_link(unit: UnitOfWork, link: LinkRecord, appointment: AppointmentRecord, cause: Cause) -> None:
    """Plan what makes the calendar say what the appointment says; nothing where it does."""
    unit.links.lock(link.id)
    if link.quarantined and (cause.actor_id or link.reason != "ping_pong"):
        link = replace(link, quarantined=False, reason="")
        unit.links.save(link)
    if appointment.state == "cancelled" or appointment.event is None or not link.people:
        plan_removal(unit, link, cause)
    elif link.direction in ("both", "to_provider"):
        _plan_content(unit, link, appointment, cause)


def _plan_content(unit: UnitOfWork, link: LinkRecord, appointment: AppointmentRecord, cause: Cause) -> None:
    waiting = unit.operations.open_for(link_id=link.id)
    for operation in waiting:
        if operation.kind == "delete" and operation.state in _UNSENT:
            unit.operations.finish(operation.id, "superseded")
    wanted = outgoing(appointment, link)
    if link.base is None:
        _plan_creation(unit, link, wanted, waiting, cause)
    else:
        fields = unsent(link.base.local, wanted, link)
        _plan_patch(unit, link, wanted, fields, waiting, cause)


def _plan_creation(
    unit: UnitOfWork, link: LinkRecord, wanted: Event, waiting: list[OperationRecord], cause: Cause
) -> None:
    told = _told(link, wanted, cause)
    for operation in waiting:
        if operation.kind == "create":
            changed = replace(operation, after=wanted, notify=operation.notify or told, notifies=reach(wanted))
            unit.operations.fold(changed)
            return
    remote_id = chosen_id(cause.installation, link.public_id, link.generation)
    unit.links.save(replace(link, planned_remote_id=remote_id))
    created = _operation(link, "create", cause, after=wanted, notify=told, notifies=reach(wanted))
    unit.operations.add(created)


def _plan_patch(
    unit: UnitOfWork,
    link: LinkRecord,
    wanted: Event,
    fields: tuple[str, ...],
    waiting: list[OperationRecord],
    cause: Cause,
) -> None:
    ours = [one for one in waiting if one.kind == "patch" and one.state in _UNSENT]
    if not fields:
        for operation in ours:
            unit.operations.finish(operation.id, "superseded")
        return
    told = _told(link, wanted, cause) and bool(_TOLD & set(fields))
    new = _operation(link, "patch", cause, after=wanted, notify=told, notifies=reach(wanted))
    new = replace(new, fields=fields, before=link.base.remote if link.base else None)
    if ours:
        merged = replace(new, id=ours[0].id, notify=told or ours[0].notify, run_id=ours[0].run_id)
        if unit.operations.fold(merged):
            return
    unit.operations.add(new)


def plan_removal(unit: UnitOfWork, link: LinkRecord, cause: Cause) -> None:
    """Plan that the copy goes. What was never sent is simply forgotten; what we did not create stays where it is."""
    waiting = unit.operations.open_for(link_id=link.id)
    sent = link.event_id is not None
    for operation in waiting:
        if operation.state in _UNSENT and operation.kind != "delete" and operation.attempts == 0:
            unit.operations.finish(operation.id, "superseded")
        else:
            sent = sent or operation.kind == "create"
    if not link.owned or not sent:
        unit.links.end(link.id, actor=cause.actor_id, reason=cause.reason or "cancelled")
    elif not any(operation.kind == "delete" for operation in waiting):
        known = link.base.remote if link.base else None
        told = _told(link, known, cause)
        unit.operations.add(_operation(link, "delete", cause, before=known, notify=told, notifies=reach(known)))


def _told(link: LinkRecord, event: Event | None, cause: Cause) -> bool:
    """Return whether the provider is to mail the guests: only where it invites for us, and never about what is past."""
    invites = link.sender == "provider" and link.role == "organizer"
    return invites and not cause.quiet and event is not None and event.when.span.end > cause.now and reach(event) > 0


def _operation(
    link: LinkRecord,
    kind: str,
    cause: Cause,
    *,
    before: Event | None = None,
    after: Event | None = None,
    notify: bool,
    notifies: int,
) -> OperationRecord:
    return OperationRecord(
        tenant_id=link.tenant_id,
        account_id=link.account_id,
        calendar_id=link.calendar_id,
        event_id=link.event_id,
        link_id=link.id,
        kind=kind,
        before=before,
        after=after,
        actor_kind=cause.actor_kind,
        actor_id=cause.actor_id,
        reason=cause.reason,
        notify=notify,
        notifies=notifies if notify else 0,
    )

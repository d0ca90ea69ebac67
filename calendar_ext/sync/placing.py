"""Which calendars an appointment stands in: one link per collection, one organizer, everybody's own destination."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from ..limits import Limits
from .copies import reach
from .planning import Cause, plan_link, plan_removal
from .ports import plan
from .ports.plan import AppointmentRecord, LinkRecord, Target
from .ports.store import UnitOfWork

_DAY = 86_400
#: Why a link ended whose event is gone for a reason of ours: the same appointment may come again, as a new event.
_MAY_RETURN = ("not_theirs", "cancelled", "removed")
#: Why a link ended whose event was left where it is: it goes on where it stopped.
DISCONNECTED = "disconnected"


def place(
    unit: UnitOfWork, appointment: AppointmentRecord, cause: Cause, limits: Limits, *, whenever: bool = False
) -> set[int]:
    """Make links and operations say where the appointment belongs; return the accounts that have work.

    :param whenever: also what lies before the sync start (a person asked for it).
    """
    known = unit.links.of_appointment(appointment.id)
    live = [link for link in known if link.state == "live"]
    if appointment.state == "cancelled" or appointment.event is None:
        for link in live:
            plan_link(unit, link, appointment, cause)
        return {link.account_id for link in live}
    live = _leave_strangers(unit, live, appointment, cause)
    seated = {owner for link in live for owner in link.people}
    missing = [owner for owner in appointment.owners if owner not in seated]
    past = limits.first_sync_past_days * _DAY
    targets = unit.links.targets(appointment.tenant_id, missing, past) if missing else []
    taking, reason = _usable(targets, appointment, whenever)
    live = [*live, *_new_links(unit, appointment, taking, known, by_hand=whenever)]
    for link in _with_one_organizer(unit, live, appointment, cause):
        plan_link(unit, link, appointment, cause)
    _explain(unit, appointment, live, reason)
    return {link.account_id for link in live}


def _leave_strangers(
    unit: UnitOfWork, links: list[LinkRecord], appointment: AppointmentRecord, cause: Cause
) -> list[LinkRecord]:
    """Take out who no longer owns the appointment; a copy that is nobody's goes."""
    kept = []
    for link in links:
        people = tuple(owner for owner in link.people if owner in appointment.owners)
        if people != link.people:
            link = replace(link, people=people)
            unit.links.save(link)
        if people:
            kept.append(link)
        else:
            plan_removal(unit, link, replace(cause, reason="not_theirs"))
    return kept


def _usable(
    targets: Iterable[Target], appointment: AppointmentRecord, whenever: bool
) -> tuple[dict[str, list[Target]], str]:
    """Return the targets by collection, and why there is none."""
    taking: dict[str, list[Target]] = defaultdict(list)
    reason = plan.NOT_CONNECTED
    for target in targets:
        why = _why_not(target, appointment, whenever)
        if why:
            reason = why
        else:
            taking[target.collection_key].append(target)
    return taking, reason


def _why_not(target: Target, appointment: AppointmentRecord, whenever: bool) -> str:
    if target.access != "write":
        return plan.READ_ONLY
    if target.direction not in ("both", "to_provider"):
        return plan.ONE_WAY
    event = appointment.event
    if event is not None and event.when.span.end < target.synced_from and not whenever:
        return plan.BEFORE_START
    return ""


def _new_links(
    unit: UnitOfWork,
    appointment: AppointmentRecord,
    taking: dict[str, list[Target]],
    known: list[LinkRecord],
    *,
    by_hand: bool,
) -> list[LinkRecord]:
    if appointment.reason == plan.KEPT_HERE:
        return []
    before = {link.collection_key: link for link in known if not link.part}
    made = (_seat(unit, appointment, targets, before.get(key), by_hand) for key, targets in taking.items())
    return [link for link in made if link is not None]


def _seat(
    unit: UnitOfWork, appointment: AppointmentRecord, targets: list[Target], former: LinkRecord | None, by_hand: bool
) -> LinkRecord | None:
    """Return the link of a collection: a colleague's joined, a new one, or a former one that begins again."""
    people = {target.owner_id for target in targets}
    if former is None:
        return unit.links.add(_link(appointment, targets[0], tuple(sorted(people))))
    link = replace(former, people=tuple(sorted(people | set(former.people) & set(appointment.owners))))
    if former.state != "live" and former.reason == DISCONNECTED:
        link = replace(link, state="live", reason="", calendar_id=targets[0].calendar_id)
    elif former.state != "live":
        if former.reason not in _MAY_RETURN and not by_hand:
            return None
        link = again(replace(link, role="copy", owned=True, sender="nobody", calendar_id=targets[0].calendar_id))
    unit.links.save(link)
    return replace(link, account_id=targets[0].account_id, title_prefix=targets[0].title_prefix)


def again(link: LinkRecord) -> LinkRecord:
    """Return the link as one whose event is still to be created, under an id that was never used."""
    return replace(
        link,
        event_id=None,
        base=None,
        base_fingerprint=None,
        base_version=None,
        base_etag="",
        generation=link.generation + 1,
        planned_remote_id="",
        state="live",
        reason="",
        quarantined=False,
    )


def _link(appointment: AppointmentRecord, target: Target, people: tuple[str, ...]) -> LinkRecord:
    return LinkRecord(
        tenant_id=appointment.tenant_id,
        appointment_id=appointment.id,
        calendar_id=target.calendar_id,
        account_id=target.account_id,
        collection_key=target.collection_key,
        role="copy",
        people=people,
        title_prefix=target.title_prefix,
        direction=target.direction,
    )


def _with_one_organizer(
    unit: UnitOfWork, links: list[LinkRecord], appointment: AppointmentRecord, cause: Cause
) -> list[LinkRecord]:
    """Return the links, exactly one of them with the role `organizer` and its sender settled.

    Where one was adopted, its event has the guests, and no copy of ours may invite them again.
    """
    first = next((link for link in links if link.role == "organizer"), None)
    if first is None and not any(link.role == "adopted" for link in links):
        ours = [link for link in links if link.role == "copy"]
        wanted = appointment.organizer_owner or next(iter(appointment.owners), "")
        first = next((link for link in ours if wanted in link.people), ours[0] if ours else None)
    if first is None:
        return links
    settled = replace(first, role="organizer", sender=_sender(first, appointment, cause))
    if settled != first:
        unit.links.save(settled)
    return [settled if link.id == first.id else link for link in links]


def _sender(link: LinkRecord, appointment: AppointmentRecord, cause: Cause) -> str:
    """Return who mails the guests. Once the provider does it stays so: taking guests off would cancel them."""
    event = appointment.event
    future = event is not None and event.when.span.end > cause.now
    asked = appointment.invite_guests and cause.invites and future and not cause.quiet and reach(event) > 0
    return "provider" if asked and link.owned else link.sender


def _explain(unit: UnitOfWork, appointment: AppointmentRecord, live: list[LinkRecord], reason: str) -> None:
    if appointment.reason == plan.KEPT_HERE and not live:
        return
    said = "" if live else reason
    if said != appointment.reason and not (live and appointment.reason == plan.REFUSED):
        unit.appointments.explain(appointment.id, said)

"""What hooks noted becomes work: appointment row, links, operations and a wake-up, all in one transaction.

A change is dispatched to every copy, also to the one it came from: there the base finds nothing to do. Host services
are asked before the transaction, never inside it (data-model.md L8).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import LeaseLost, Retryable
from ..limits import Limits
from .copies import reach
from .payloads import record_of
from .placing import place
from .planning import Cause
from .ports.host import HostPort, HostRecord, Person
from .ports.plan import AppointmentRecord, HostChangeRecord
from .ports.store import Store, UnitOfWork
from .run import Clock

log = logging.getLogger("calendar_ext.sync")

#: Changes in one transaction: few enough that no host save waits for it.
BATCH = 25


@dataclass(frozen=True, slots=True)
class Asked:
    """What the host said of the people and contacts a batch is about."""

    people: Mapping[str, Person | None]
    #: By user: address to contact, for addresses a `contact` change names.
    contacts: Mapping[str, Mapping[str, str]]


def dispatch(
    store: Store, host: HostPort, limits: Limits, installation: str, clock: Clock, *, most: int = 1_000
) -> int:
    """Turn waiting changes into work, oldest first; return how many were taken.

    A change that cannot be dispatched is logged and dropped alone: the next compare finds what it said.

    :raises Retryable: the host or the database does not answer; nothing is lost.
    """
    done = 0
    while done < most:
        with store.read() as unit:
            batch = unit.host_changes.oldest(BATCH)
        if not batch:
            break
        asked = Asked(_people(host, batch), _contacts(store, host, batch))
        _dispatch_batch(store, batch, asked, limits, installation, int(clock()))
        done += len(batch)
    return done


def _people(host: HostPort, batch: Sequence[HostChangeRecord]) -> dict[str, Person | None]:
    owners = {owner for change in batch for owner in change.payload.get("owners", ())}
    return {owner: host.person(owner) for owner in sorted(owners)}


def _contacts(store: Store, host: HostPort, batch: Sequence[HostChangeRecord]) -> dict[str, dict[str, str]]:
    emails = {email for change in batch if change.kind == "contact" for email in change.payload.get("emails", ())}
    if not emails:
        return {}
    with store.read() as unit:
        owners = unit.edits.who_meets(emails)
    return {owner: host.contacts(owner, sorted(emails)) for owner in owners}


def _dispatch_batch(
    store: Store, batch: Sequence[HostChangeRecord], asked: Asked, limits: Limits, installation: str, now: int
) -> None:
    try:
        with store.write(only_active=True) as unit:
            mine = unit.host_changes.take([change.id for change in batch])
            for change in batch:
                if change.id in mine:
                    _dispatch(unit, change, asked, limits, Cause(now, installation))
    except (LeaseLost, Retryable):
        raise
    except Exception as error:
        if len(batch) > 1:
            for change in batch:
                _dispatch_batch(store, [change], asked, limits, installation, now)
            return
        log.error("Change %s of a host's %s was dropped: %s.", batch[0].id, batch[0].kind, type(error).__name__)
        with store.write(only_active=True) as unit:
            unit.host_changes.take([batch[0].id])


def _dispatch(unit: UnitOfWork, change: HostChangeRecord, asked: Asked, limits: Limits, cause: Cause) -> None:
    cause = replace(cause, actor_id=change.actor_id or "", reason="host_change")
    if change.kind in ("appointment", "activity"):
        record = record_of(change.kind, change.ref, change.version, change.payload)
        stored, former = remember(unit, record, asked.people, change.at)
        if stored is not None:
            follow(unit, stored, former, limits, cause)
    elif change.kind == "contact":
        unit.edits.forget_contact(change.ref)
        for owner, refs in asked.contacts.items():
            unit.edits.match_contacts(owner, refs)
    elif change.kind == "user_deleted":
        _let_go(unit, change.ref, cause.now)
    elif change.kind == "user":
        _allow(unit, change.ref, bool(change.payload.get("may_use", True)), cause.now)


def remember(
    unit: UnitOfWork, record: HostRecord, people: Mapping[str, Person | None], seen_at: int
) -> tuple[AppointmentRecord | None, AppointmentRecord | None]:
    """Store one version of a host's record; return it and what was stored before.

    The first is None where the version was older than what we have, or nobody we know owns it. The row is locked from
    here on: `appointment` comes before `link` wherever both are written.
    """
    appointment = _appointment(record, people, seen_at)
    if appointment is None:
        return None, None
    former = unit.appointments.find(appointment.tenant_id, appointment.kind, appointment.ref)
    if appointment.event is None and former is None:
        return None, None
    return unit.appointments.upsert(appointment), former


def follow(
    unit: UnitOfWork, stored: AppointmentRecord, former: AppointmentRecord | None, limits: Limits, cause: Cause
) -> None:
    """Plan what a stored version leads to, and wake the accounts that have work."""
    if stored.kind != "appointment":
        return
    asks = former is None or _guests(former) != _guests(stored)
    for account_id in sorted(place(unit, stored, replace(cause, invites=asks), limits)):
        unit.wakes.add(account_id, priority=0, reason="host_change")


def _appointment(record: HostRecord, people: Mapping[str, Person | None], seen_at: int) -> AppointmentRecord | None:
    """Return the row of a record; None where none of its owners is known. Owners are of one organisation."""
    known = [person for owner in record.owners if (person := people.get(owner)) is not None]
    if not known:
        return None
    tenant = known[0].tenant_id
    owners = tuple(person.owner_id for person in known if person.tenant_id == tenant and person.may_use)
    return AppointmentRecord(
        tenant_id=tenant,
        kind=record.kind,
        ref=record.ref,
        version=record.version,
        owners=owners,
        organizer_owner=next(iter(owners), ""),
        event=record.event,
        invite_guests=record.invite_guests,
        url=record.url,
        contact_ref=str(record.facts.get("contact_ref", "")),
        state="cancelled" if record.cancelled or (record.kind == "activity" and record.event is None) else "current",
        seen_at=seen_at,
    )


def _guests(appointment: AppointmentRecord) -> tuple[bool, int, frozenset[str]]:
    event = appointment.event
    keys: Iterable[str] = (guest.key for guest in event.attendees) if event else ()
    return appointment.invite_guests, reach(event), frozenset(keys)


def _let_go(unit: UnitOfWork, owner_id: str, now: int) -> None:
    """End every connection of a user who is deleted; calendars keep what is theirs, we keep nothing."""
    for connection in unit.connections.of_user(owner_id):
        leaving = {"remove_here": True, "remove_there": False, "by": owner_id, "at": now}
        unit.connections.set_leaving(connection.id, leaving)
        if all(other.leaving for other in unit.connections.of_account(connection.account_id)):
            unit.accounts.set_status(connection.account_id, "disconnecting", "user_deleted")
        unit.wakes.add(connection.account_id, priority=0, reason="user_deleted")


def _allow(unit: UnitOfWork, owner_id: str, may_use: bool, now: int) -> None:
    """Pause the connections of somebody who may no longer use the host, and go on when they may again."""
    for connection in unit.connections.of_user(owner_id):
        if may_use and connection.paused_by == "host":
            unit.connections.resume(connection.id)
            unit.accounts.set_status(connection.account_id, "active", only_from=("paused",))
            unit.wakes.add(connection.account_id, reason="may_use")
        elif not may_use and not connection.paused_by:
            unit.connections.pause(connection.id, "host", now)
            if all(other.paused_by for other in unit.connections.of_account(connection.account_id)):
                unit.accounts.set_status(
                    connection.account_id, "paused", "may_not_use", only_from=("active", "limited")
                )

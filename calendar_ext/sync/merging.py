"""One link's two sides made one: the host asked with no transaction of ours open, then base, journal and plan written.

Order of locks where both are written: `appointment` before `link` (data-model.md L6 says nothing of the first).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from ..domain.fingerprint import differences
from ..domain.model import CONTENT_FIELDS, Event
from ..domain.reconcile import LOCAL, Base, Decision, Kind, Lost
from ..domain.rows import event_of
from ..errors import Refused
from .changes import follow, remember
from .copies import HOST_FIELDS, incoming, outgoing
from .planning import Cause, plan_link
from .ports.host import HostRecord, Person
from .ports.plan import AppointmentRecord, ConflictRecord, LinkRecord, OperationRecord
from .ports.store import UnitOfWork
from .run import Run
from .scene import Scene
from .telling import tell_change, tell_conflict


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host did: its version now, and the record it holds where that is known."""

    version: int
    record: HostRecord | None = None
    people: tuple[tuple[str, Person | None], ...] = ()


def merge(run: Run, scene: Scene, decision: Decision) -> bool:
    """Write to the host what is new there, then the base; what the host said besides is planned."""
    pull = _for_host(scene, decision)
    answer = None
    if pull and decision.event is not None:
        wanted = incoming(decision.event, scene.link)
        revives = decision.kind is Kind.PULL_CREATE
        try:
            answer = ask_host(run, scene, wanted, {*pull, "status"} if revives else pull)
        except Refused as refusal:
            return refused(run, scene, refusal, revives=revives)
        if answer is None:
            return False
        run.tally.to_host += 1
    _write_base(run, scene, decision, pull, answer)
    return True


def _for_host(scene: Scene, decision: Decision) -> tuple[str, ...]:
    """Return the fields the host is to take: none whose words are the same once our own additions are off."""
    if decision.event is None:
        return ()
    there, here = incoming(decision.event, scene.link), scene.appointment.event
    if scene.appointment.state == "cancelled" or here is None:
        return HOST_FIELDS if decision.pull else ()
    changed = differences(here, there)
    return tuple(name for name in decision.pull if name in HOST_FIELDS and name in changed)


def ask_host(run: Run, scene: Scene, event: Event | None, fields: set[str] | tuple[str, ...]) -> Answer | None:
    """Ask the host; None = it had moved on, and what it has now is stored."""
    appointment = scene.appointment
    owner = next((one for one in scene.link.people if one in appointment.owners), appointment.organizer_owner)
    written = run.host.apply(
        owner,
        appointment.ref,
        event,
        tuple(fields),
        expected_version=appointment.version,
        origin=scene.link.public_id,
        reason="" if event else "deleted_in_calendar",
    )
    record = written.conflict or run.host.appointment(written.ref)
    people = {one: run.host.person(one) for one in record.owners} if record else {}
    if written.conflict is None:
        return Answer(written.version, record, tuple(people.items()))
    with run.store.write(run.fence) as unit:
        _take(unit, run, written.conflict, people)
    return None


def _take(unit: UnitOfWork, run: Run, record: HostRecord, people: dict[str, Person | None]) -> None:
    stored, former = remember(unit, record, people, unit.now())
    if stored is not None:
        follow(unit, stored, former, run.limits, cause_of(run, unit.now()))


def cause_of(run: Run, now: int) -> Cause:
    return Cause(now, run.installation, actor_kind="sync", reason="settle", quiet=True)


def _write_base(run: Run, scene: Scene, decision: Decision, pull: tuple[str, ...], answer: Answer | None) -> None:
    with run.store.write(run.fence) as unit:
        stored = former = None
        if answer is not None and answer.record is not None:
            stored, former = remember(unit, answer.record, dict(answer.people), unit.now())
        link, newest = unit.links.get(scene.link.id), unit.appointments.get(scene.appointment.id)
        if link is None or newest is None:
            return
        link = _agreed(scene, decision, link, _applied(scene, decision, pull, answer, newest))
        unit.links.save(link)
        cause = cause_of(run, unit.now())
        if stored is not None:
            follow(unit, stored, former, run.limits, cause)
        plan_link(unit, link, newest, replace(cause, quiet=False))
        event = decision.event or event_of(scene.row or {})
        journal(unit, scene, "patch", pull, event)
        lost = record_losses(unit, scene, decision.lost)
    if pull:
        tell_change(run, scene.link, "updated", scene.appointment.ref)
    for name, winner in lost:
        tell_conflict(run, scene.link, name, winner)


def _applied(
    scene: Scene, decision: Decision, pull: tuple[str, ...], answer: Answer | None, newest: AppointmentRecord
) -> AppointmentRecord:
    """Return the appointment as it was when both sides agreed: the host's own version of it where we know that."""
    if answer is None or decision.event is None:
        return scene.appointment
    if newest.version == answer.version:
        return newest
    there = incoming(decision.event, scene.link)
    here = scene.appointment.event or there
    event = replace(here, **{name: getattr(there, name) for name in pull})
    return replace(scene.appointment, event=event, state="current", version=answer.version)


def _agreed(scene: Scene, decision: Decision, link: LinkRecord, appointment: AppointmentRecord) -> LinkRecord:
    """Return the link with its new base; fields still to be sent keep what was agreed on them before."""
    row, remote = scene.row, scene.remote
    assert row is not None and remote is not None
    local = outgoing(appointment, link) if appointment.event is not None else remote
    old = link.base.local if link.base else remote
    unsent = {name: getattr(old, name) for name in decision.push}
    return replace(
        link,
        base=Base(replace(local, **unsent), remote),
        base_fingerprint=row["fingerprint"],
        base_version=appointment.version,
        base_etag=row["etag"],
        quarantined=False,
        reason="",
    )


def journal(unit: UnitOfWork, scene: Scene, kind: str, fields: tuple[str, ...], after: Event | None) -> None:
    """Keep what the host was made to say: the journal has both directions."""
    if not fields:
        return
    link = scene.link
    done = OperationRecord(
        tenant_id=link.tenant_id,
        account_id=link.account_id,
        calendar_id=link.calendar_id,
        event_id=link.event_id,
        link_id=link.id,
        target="host",
        kind=kind,
        actor_kind="sync",
        reason="calendar_changed",
        fields=fields,
        before=link.base.local if link.base else None,
        after=after,
        state="done",
    )
    unit.operations.finish(unit.operations.add(done).id, "done")


def record_losses(unit: UnitOfWork, scene: Scene, lost: tuple[Lost, ...]) -> list[tuple[str, str]]:
    """Keep the losing values; return field and winner of each that a person sees."""
    seen = [one for one in lost if one.field in HOST_FIELDS or one.field not in CONTENT_FIELDS]
    unit.conflicts.add(
        ConflictRecord(
            field=one.field,
            ours=json.dumps(one.local, ensure_ascii=False),
            theirs=json.dumps(one.remote, ensure_ascii=False),
            winner="ours" if one.winner == LOCAL else "theirs",
            event_id=scene.link.event_id,
            link_id=scene.link.id,
        )
        for one in seen
    )
    return [(one.field, "ours" if one.winner == LOCAL else "theirs") for one in seen]


def refused(run: Run, scene: Scene, refusal: Refused, *, revives: bool) -> bool:
    """The host does not want it: the event stays as it is, its link rests until either side changes again."""
    run.tally.refused += 1
    assert scene.row is not None
    with run.store.write(run.fence) as unit:
        if revives:
            unit.links.end(scene.link.id, actor="", reason="host_refused")
            return True
        resting = replace(scene.link, quarantined=True, base_etag=scene.row["etag"], reason="host_refused")
        unit.links.save(resting)
        failed = OperationRecord(
            tenant_id=scene.link.tenant_id,
            account_id=scene.link.account_id,
            calendar_id=scene.link.calendar_id,
            event_id=scene.link.event_id,
            link_id=scene.link.id,
            target="host",
            kind="patch",
            actor_kind="sync",
            reason="calendar_changed",
            state="failed",
        )
        unit.operations.finish(unit.operations.add(failed).id, "failed", error=refusal)
    return True

"""Linked events that say something new go to the host, or into a conflict that both sides survive.

Found by the state of the rows (`links.unsettled`), so a crash loses nothing. One appointment at a time: read, decide,
ask the host without any transaction of ours open (data-model.md L8), write.
"""

from __future__ import annotations

from dataclasses import replace

from ..domain.breakers import deletions_allowed
from ..domain.fingerprint import fingerprint
from ..domain.reconcile import Base, Decision, Kind
from ..errors import LeaseLost, Refused, Retryable
from .changes import follow, remember
from .merging import ask_host, cause_of, journal, merge, record_losses, refused
from .placing import again
from .planning import plan_link, plan_removal
from .ports.plan import LinkRecord, OperationRecord
from .ports.store import UnitOfWork
from .run import Run
from .scene import Scene, look
from .shadows import merge_shadows
from .stopping import DELETES_HERE, stop
from .telling import tell_change, tell_conflict
from .wake import SETTLE

#: Links looked at in one read.
_AT_ONCE = 200
#: Seconds before a host that could not take something is asked again.
_PAUSE = 30
#: How often one appointment is decided again because the host had moved on meanwhile.
_TRIES = 3


def settle(run: Run) -> None:
    """Settle every link of the account that is not, and every edit on its way that met news.

    :raises BreakerTripped: too many appointments would be cancelled; they wait for a person.
    :raises Retryable: the host could not take something; the rest is settled.
    """
    _guard_cancellations(run)
    merge_shadows(run)
    after, trouble = 0, None
    while not run.out_of_time():
        with run.store.read() as unit:
            links = unit.links.unsettled(run.account.id, _AT_ONCE, after=after)
        if not links:
            break
        for link in links:
            after = link.id
            try:
                settle_link(run, link.id)
            except LeaseLost:
                raise
            except Retryable as error:
                trouble = error
    if trouble:
        _come_back(run)
        raise trouble


def _come_back(run: Run) -> None:
    """Leave a hint: the one that led here is used up with this run."""
    with run.store.write(run.fence) as unit:
        unit.wakes.add(run.account.id, reason=SETTLE, delay=_PAUSE)


def settle_link(run: Run, link_id: int) -> None:
    """Bring one link's two sides together as far as this side can; what must be sent is planned.

    :raises Retryable: the host could not do it now, or keeps changing the appointment.
    """
    for _ in range(_TRIES):
        with run.store.read() as unit:
            scene = look(unit, link_id)
        if scene is None or _act(run, scene):
            return
    raise Retryable("The appointment keeps changing.")


def _act(run: Run, scene: Scene) -> bool:
    """Do what is to be done; False = decide again."""
    if scene.row is None:
        return True
    if scene.link.event_id is None:
        return _attach(run, scene)
    decision = scene.decide()
    if decision.kind is Kind.PULL_DELETE:
        return _cancelled_there(run, scene)
    if decision.kind is Kind.PUSH_CREATE:
        return _create_again(run, scene, decision)
    if decision.kind in (Kind.FORGET, Kind.PUSH_DELETE) or scene.remote is None:
        return _over(run, scene, decision)
    return merge(run, scene, decision)


def _attach(run: Run, scene: Scene) -> bool:
    """The event of a link has arrived: of a creation whose answer was lost, or after a reconnect."""
    row, created = scene.row, next((one for one in scene.waiting if one.kind == "create"), None)
    assert row is not None
    with run.store.write(run.fence) as unit:
        link = replace(scene.link, event_id=row["id"])
        if link.base is None and created is not None and created.after is not None:
            agreed = Base.agreed(created.after)
            link = replace(link, base=agreed, base_fingerprint=fingerprint(created.after), base_etag=row["etag"])
            unit.operations.finish(created.id, "done", event_id=row["id"])
        unit.links.save(link)
    return False


def _cancelled_there(run: Run, scene: Scene) -> bool:
    """The event was deleted there, nothing was edited here: the copy ends, the last one takes the appointment along."""
    if not _is_last(run, scene):
        with run.store.write(run.fence) as unit:
            unit.links.end(scene.link.id, actor="calendar", reason="deleted_there")
            _drop_waiting(unit, scene)
        return True
    try:
        answer = ask_host(run, scene, None, ())
    except Refused as refusal:
        return refused(run, scene, refusal, revives=True)
    if answer is None:
        return False
    run.tally.to_host += 1
    with run.store.write(run.fence) as unit:
        stored = former = None
        if answer.record is not None:
            stored, former = remember(unit, answer.record, dict(answer.people), unit.now())
        unit.links.end(scene.link.id, actor="calendar", reason="cancelled")
        _drop_waiting(unit, scene)
        journal(unit, scene, "delete", ("status",), None)
        if stored is not None:
            follow(unit, stored, former, run.limits, cause_of(run, unit.now()))
    tell_change(run, scene.link, "deleted", scene.appointment.ref)
    return True


def _is_last(run: Run, scene: Scene) -> bool:
    """Return whether this copy speaks for the appointment: it is the organizer's, or no other is left."""
    if scene.link.role in ("organizer", "adopted"):
        return True
    with run.store.read() as unit:
        others = unit.links.of_appointment(scene.appointment.id)
    return not any(link.state == "live" and link.id != scene.link.id for link in others)


def _drop_waiting(unit: UnitOfWork, scene: Scene) -> None:
    for operation in scene.waiting:
        unit.operations.finish(operation.id, "done" if operation.target == "host" else "superseded")


def _create_again(run: Run, scene: Scene, decision: Decision) -> bool:
    """It was deleted there but edited here: the edit outranks the deletion, as a new event under a new id."""
    with run.store.write(run.fence) as unit:
        link = again(replace(scene.link, owned=True))
        unit.links.save(link)
        _drop_waiting(unit, scene)
        lost = record_losses(unit, scene, decision.lost)
        plan_link(unit, link, scene.appointment, cause_of(run, unit.now()))
    for name, winner in lost:
        tell_conflict(run, scene.link, name, winner)
    return True


def _over(run: Run, scene: Scene, decision: Decision) -> bool:
    """Nothing is left on one side or both: what remains there of ours is to go."""
    with run.store.write(run.fence) as unit:
        cause = replace(cause_of(run, unit.now()), reason="cancelled")
        if decision.kind is Kind.PUSH_DELETE and scene.row is not None:
            link = replace(scene.link, base_fingerprint=scene.row["fingerprint"], base_etag=scene.row["etag"])
            unit.links.save(link)
            plan_removal(unit, link, replace(cause, quiet=False))
        else:
            unit.links.end(scene.link.id, actor="calendar", reason="cancelled")
            _drop_waiting(unit, scene)
    return True


def _guard_cancellations(run: Run) -> None:
    """Stop before many appointments are cancelled because their events are gone (trust.md R-06)."""
    with run.store.read() as unit:
        gone = unit.links.vanished(run.account.id)
        if len(gone) <= run.limits.deletions_floor:
            return
        released = unit.operations.approved(run.account.id)
        waiting = {one.link_id: one for link in gone for one in unit.operations.open_for(link_id=link.id)}
        unasked = [link for link in gone if _asked(waiting.get(link.id)) not in released]
        allowed = deletions_allowed(
            len(unasked), unit.links.count(run.account.id), from_listing=False, limits=run.limits
        )
    if not allowed:
        stop(run, DELETES_HERE, [_cancellation(link) for link in unasked], count=len(unasked))


def _asked(operation: OperationRecord | None) -> int:
    return operation.id if operation is not None and operation.target == "host" else 0


def _cancellation(link: LinkRecord) -> OperationRecord:
    return OperationRecord(
        tenant_id=link.tenant_id,
        account_id=link.account_id,
        calendar_id=link.calendar_id,
        event_id=link.event_id,
        link_id=link.id,
        target="host",
        kind="delete",
        actor_kind="sync",
        reason="deleted_there",
        before=link.base.remote if link.base else None,
    )

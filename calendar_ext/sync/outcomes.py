"""What became of an operation, stored in one fenced transaction: event, link with its base, journal, what follows."""

from __future__ import annotations

import json
from dataclasses import replace

from ..domain.fingerprint import content, fingerprint
from ..domain.model import CONTENT_FIELDS, Event, Row
from ..domain.reconcile import Base
from ..domain.rows import event_of, row_of
from ..errors import CalendarExtError
from ..providers.base import RemoteEvent
from .keeping import bin_row, change_row, find_row, keep_row, read_again
from .mailing import Parcel
from .planning import Cause, plan_link
from .ports import plan
from .ports.plan import ConflictRecord, LinkRecord, OperationRecord
from .ports.store import UnitOfWork
from .run import Run
from .settle import settle_link
from .shadows import merge_shadow
from .telling import tell_change
from .wake import SETTLE

#: Instants of writes kept for the ping-pong breaker.
_WRITES_KEPT = 16
_KINDS = {"create": "created", "patch": "updated", "delete": "deleted"}


def delivered(run: Run, parcel: Parcel, answer: RemoteEvent | None) -> None:
    """Store the provider's answer; `None` = the event is gone, as was wanted."""
    run.tally.pushed += 1
    operation = parcel.operation
    linked = None
    with run.store.write(run.fence) as unit:
        if parcel.link is None:
            event_id = _edit_delivered(unit, run, parcel, answer)
            linked = unit.links.of_event(operation.event_id) if operation.event_id is not None else None
        else:
            event_id = _link_delivered(unit, run, parcel, parcel.link, answer)
        unit.operations.finish(operation.id, "done", event_id=event_id)
        if linked is not None:
            unit.wakes.add(run.account.id, reason=SETTLE)
    if linked is not None:
        settle_link(run, linked.id)
    if parcel.link is not None:
        told = replace(parcel.link, event_id=event_id or parcel.link.event_id)
        tell_change(run, told, _KINDS[operation.kind], parcel.appointment.ref if parcel.appointment else "")


def nothing_to_say(run: Run, parcel: Parcel) -> None:
    """The calendar says it already: only the base is to be written, and what people see is no longer an edit."""
    with run.store.write(run.fence) as unit:
        if parcel.link is not None and parcel.row is not None:
            _write_base(unit, run, parcel, parcel.link, parcel.row, event_of(parcel.row), written=False)
        elif parcel.row is not None and not _follower(unit, parcel.operation):
            unit.edits.change(parcel.row["id"], {"pending": 0})
        unit.operations.finish(parcel.operation.id, "done")


def _edit_delivered(unit: UnitOfWork, run: Run, parcel: Parcel, answer: RemoteEvent | None) -> int | None:
    row = parcel.row
    assert row is not None
    if answer is None:
        bin_row(unit, parcel.calendar, row, run.limits)
        return None
    unit.calendars.raise_revision(parcel.calendar.id)  # L6: the calendar's row before the event's
    follower = _follower(unit, parcel.operation)
    identity = {name: answer.row[name] for name in ("object_id", "remote_id", "etag", "ical_uid")}
    if follower is not None and follower.after is not None:
        unit.edits.change(row["id"], {**identity, "marker": answer.row.get("marker", "")})
        unit.operations.rebase(follower.id, event_of(answer.row), follower.after, follower.fields)
        return row["id"]
    unit.edits.change(row["id"], {**identity, "pending": 0, "shadow": None, "quarantine": None})
    return keep_row(unit, parcel.calendar, {**answer.row, "recurrence_key": row["recurrence_key"]}, run.limits)["id"]


def _follower(unit: UnitOfWork, operation: OperationRecord) -> OperationRecord | None:
    """Return the next edit of the same event that waits behind this one."""
    behind = unit.operations.open_for(event_id=operation.event_id)
    return next((one for one in behind if one.id > operation.id and one.link_id is None), None)


def _link_delivered(
    unit: UnitOfWork, run: Run, parcel: Parcel, link: LinkRecord, answer: RemoteEvent | None
) -> int | None:
    appointment = parcel.appointment
    if appointment is not None and appointment.reason == plan.REFUSED:
        unit.appointments.explain(appointment.id, "")
    if answer is None:
        if parcel.row is not None and parcel.row["deleted_at"] is None:
            bin_row(unit, parcel.calendar, parcel.row, run.limits)
        unit.links.end(link.id, actor=parcel.operation.actor_id, reason=parcel.operation.reason or "cancelled")
        _follow(unit, run, replace(link, state="ended"))
        return None
    row = keep_row(unit, parcel.calendar, answer.row, run.limits)
    _write_base(unit, run, parcel, link, row, event_of(answer.row), written=True)
    return row["id"]


def _write_base(
    unit: UnitOfWork, run: Run, parcel: Parcel, link: LinkRecord, row: Row, there: Event, *, written: bool
) -> None:
    """Note what both sides agree on now, field by field as far as this operation went, and plan what has come since."""
    operation, after = parcel.operation, parcel.operation.after
    newest = unit.links.get(link.id)
    if after is None or newest is None:
        return
    now, base = unit.now(), newest.base
    local, remote = after, there
    if operation.kind == "patch" and base is not None:
        local = replace(base.local, **{name: getattr(after, name) for name in operation.fields})
        remote = replace(base.remote, **{name: getattr(there, name) for name in operation.fields})
    kept = replace(
        newest,
        event_id=row["id"],
        base=Base(local, remote),
        base_fingerprint=fingerprint(remote),
        base_etag=row["etag"],
        base_version=parcel.appointment.version if parcel.appointment else None,
        quarantined=False,
        reason="",
        writes=(*newest.writes, now)[-_WRITES_KEPT:] if written else newest.writes,
    )
    unit.links.save(kept)
    unit.operations.finish(operation.id, "done")
    _follow(unit, run, kept)


def _follow(unit: UnitOfWork, run: Run, link: LinkRecord) -> None:
    """Plan what the host said while the operation was on its way."""
    appointment = unit.appointments.get(link.appointment_id)
    if appointment is not None and link.state == "live":
        plan_link(unit, link, appointment, Cause(unit.now(), run.installation, reason="host_change", invites=False))


def overtaken(run: Run, parcel: Parcel) -> None:
    """Somebody changed the event since we read it: read it, and let both be merged before anything is sent again."""
    if parcel.row is None:
        return
    if not parcel.row["remote_id"] and not parcel.remote_id:
        return
    read_again(run, parcel.calendar, {**parcel.row, "remote_id": parcel.row["remote_id"] or parcel.remote_id})
    if parcel.link is not None:
        settle_link(run, parcel.link.id)
    else:
        merge_shadow(run, parcel.row["id"])


def vanished(run: Run, parcel: Parcel) -> None:
    """The event was deleted there since we read it, or a creation found its id used and deleted."""
    row, link = parcel.row, parcel.link
    if row is None and link is not None:
        _deleted_before_seen(run, parcel, link)
    elif row is not None and row["recurrence_key"]:
        failed(run, parcel, CalendarExtError("This occurrence is no longer there."), gone=True)
    elif row is not None:
        _take_out(run, parcel, row)
        if link is not None:
            settle_link(run, link.id)
        else:
            merge_shadow(run, row["id"])


def _take_out(run: Run, parcel: Parcel, row: Row) -> None:
    with run.store.write(run.fence) as unit:
        revision = unit.calendars.raise_revision(parcel.calendar.id)
        unit.edits.change(row["id"], {"remote_id": row["remote_id"] or row["object_id"]})
        unit.events.remove(parcel.calendar, [row["object_id"]], revision=revision)


def _deleted_before_seen(run: Run, parcel: Parcel, link: LinkRecord) -> None:
    """We had created it, and it was deleted before we ever read it: a deletion like any other."""
    operation = parcel.operation
    assert operation.after is not None
    with run.store.write(run.fence) as unit:
        row = {**row_of(operation.after), "calendar_id": parcel.calendar.id, "object_id": parcel.remote_id}
        row |= {"remote_id": parcel.remote_id, "deleted_at": unit.now(), "fingerprint": fingerprint(operation.after)}
        row["revision"] = unit.calendars.raise_revision(parcel.calendar.id)
        known = find_row(unit, parcel.calendar.id, row)
        event_id = known["id"] if known else unit.edits.insert(row)
        agreed = Base.agreed(operation.after)
        newest = unit.links.get(link.id) or link
        unit.links.save(replace(newest, event_id=event_id, base=agreed, base_fingerprint=row["fingerprint"]))
        unit.operations.finish(operation.id, "superseded")
    settle_link(run, link.id)


def failed(run: Run, parcel: Parcel, error: CalendarExtError, *, gone: bool = False) -> None:
    """It will not be taken: the operation ends, the reason is kept where people look, nothing else stops."""
    run.tally.refused += 1
    with run.store.write(run.fence) as unit:
        if parcel.link is None:
            _edit_failed(unit, run, parcel, error, gone=gone)
        else:
            if parcel.appointment is not None:
                unit.appointments.explain(parcel.appointment.id, plan.REFUSED, str(error))
            etag = parcel.row["etag"] if parcel.row is not None else parcel.link.base_etag
            unit.links.save(replace(parcel.link, quarantined=True, base_etag=etag, reason="refused"))
        unit.operations.finish(parcel.operation.id, "failed", error=error)


def _edit_failed(unit: UnitOfWork, run: Run, parcel: Parcel, error: CalendarExtError, *, gone: bool) -> None:
    """An edit is taken back and stays readable; an event that was never created stays here, to be edited or sent."""
    row, operation = parcel.row, parcel.operation
    assert row is not None
    if gone:
        bin_row(unit, parcel.calendar, row, run.limits)
        return
    if operation.kind == "create":
        unit.edits.change(row["id"], {"quarantine": str(error)})
        return
    before = operation.before or event_of(row)
    values = {
        **row_of(before, recurrence_key=row["recurrence_key"]),
        "fingerprint": fingerprint(before),
        "marker": row["marker"],
        "pending": 0,
        "shadow": None,
        "deleted_at": None,
        "quarantine": str(error),
    }
    if operation.kind == "delete" and not row["recurrence_key"]:
        unit.edits.hide_series(parcel.calendar.id, row["object_id"], None)
    change_row(unit, parcel.calendar, row, values, run.limits)
    _keep_refused_values(unit, row, operation, before)


def _keep_refused_values(unit: UnitOfWork, row: Row, operation: OperationRecord, before: Event) -> None:
    if operation.after is None:
        return
    ours, theirs = content(operation.after), content(before)
    unit.conflicts.add(
        ConflictRecord(
            field=name,
            ours=json.dumps(ours[name], ensure_ascii=False),
            theirs=json.dumps(theirs[name], ensure_ascii=False),
            winner="theirs",
            event_id=row["id"],
            operation_id=operation.id,
        )
        for name in operation.fields
        if name in CONTENT_FIELDS
    )

"""One operation made ready, and the request itself: what is sent, to which event, in which version."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..domain.breakers import ping_pong
from ..domain.fingerprint import differences, fingerprint
from ..domain.model import Event, Row
from ..domain.rows import event_of
from ..errors import EtagMismatch, Gone, Retryable
from ..providers.base import RemoteEvent
from .copies import chosen_id, marked
from .ports.content import CalendarRecord
from .ports.plan import AppointmentRecord, LinkRecord, OperationRecord
from .ports.store import UnitOfWork
from .run import Run
from .settle import settle_link
from .shadows import merge_shadow


@dataclass(frozen=True, slots=True)
class Parcel:
    """An operation with everything its sending needs.

    :param key: the public id in the marker; '' = no marker is written.
    :param remote_id: the id we choose, of a creation; else the event's, or '' while an occurrence has none of its own.
    :param fields: what is still different there.
    """

    operation: OperationRecord
    calendar: CalendarRecord
    row: Row | None
    link: LinkRecord | None
    appointment: AppointmentRecord | None
    key: str
    remote_id: str
    fields: tuple[str, ...] = ()

    @property
    def needless(self) -> bool:
        """Return whether the calendar says all of it already."""
        return self.operation.kind == "patch" and not self.fields

    def claimed(self, operation: OperationRecord) -> Parcel:
        """Return the parcel with the operation as it was claimed: a later change may have been folded into it.

        Whether its outcome is unknown was known before.
        """
        known = event_of(self.row) if self.row is not None else None
        there = operation.before if self.link is None else known
        fields = _still(operation, there) if operation.kind == "patch" and there is not None else operation.fields
        return replace(self, operation=replace(operation, state=self.operation.state), fields=fields)


def pack(run: Run, operation: OperationRecord) -> Parcel | None:
    """Return the operation made ready; None where something else had to be done first, or it is void."""
    if operation.link_id is not None:
        return _pack_link(run, operation, operation.link_id)
    return _pack_edit(run, operation)


def _pack_link(run: Run, operation: OperationRecord, link_id: int) -> Parcel | None:
    with run.store.read() as unit:
        link = unit.links.get(link_id)
        appointment = unit.appointments.get(link.appointment_id) if link else None
        row, calendar = _row(unit, link), _calendar(unit, operation)
    if link is None or link.state != "live" or calendar is None or appointment is None or _is_void(operation, row):
        _void(run, operation)
        return None
    if _must_settle(operation, link, row):
        settle_link(run, link_id)
        _rest_if_unchanged(run, operation, link)
        return None
    if operation.actor_kind != "person" and _is_echo(run, operation, link):
        _quarantine(run, operation, link)
        return None
    fields = operation.fields
    if row is not None and operation.after is not None and operation.kind == "patch":
        fields = _still(operation, event_of(row))
    remote_id = row["remote_id"] if row is not None else link.planned_remote_id
    if operation.kind == "create":
        remote_id = link.planned_remote_id or chosen_id(run.installation, link.public_id, link.generation)
    return Parcel(operation, calendar, row, link, appointment, link.public_id, remote_id, fields)


def _row(unit: UnitOfWork, link: LinkRecord | None) -> Row | None:
    if link is None:
        return None
    if link.event_id is not None:
        return unit.edits.row(link.event_id)
    return unit.edits.by_remote(link.calendar_id, link.planned_remote_id) if link.planned_remote_id else None


def _calendar(unit: UnitOfWork, operation: OperationRecord) -> CalendarRecord | None:
    return unit.calendars.get(operation.calendar_id) if operation.calendar_id is not None else None


def _is_void(operation: OperationRecord, row: Row | None) -> bool:
    """Return whether it would change somebody else's meeting (requirements T2), or an event that is still to be made:
    what is left to say then is planned anew when it is there."""
    return operation.kind == "patch" and row is not None and not (row["is_organizer"] and row["remote_id"])


def _must_settle(operation: OperationRecord, link: LinkRecord, row: Row | None) -> bool:
    """Return whether what the calendar says has not been looked at yet: nothing is written over it."""
    if row is None:
        return False
    if link.event_id is None:
        return True
    if row["deleted_at"] is not None:
        return operation.kind != "delete"
    return operation.kind == "patch" and not row["pending"] and row["fingerprint"] != link.base_fingerprint


def _rest_if_unchanged(run: Run, operation: OperationRecord, link: LinkRecord) -> None:
    """Let the operation rest where settling could not get past: the host refuses, or cannot be reached."""
    with run.store.read() as unit:
        now = unit.operations.get(operation.id)
        again, row = unit.links.get(link.id), _row(unit, link)
    if now is None or now.state not in ("planned", "unknown") or again is None or again.state != "live":
        return
    if _must_settle(now, again, row):
        with run.store.write(run.fence) as unit:
            error = Retryable("What the calendar says could not be settled.")
            unit.operations.postpone(operation.id, unit.now() + run.limits.poll_seconds, error=error)


def _void(run: Run, operation: OperationRecord) -> None:
    with run.store.write(run.fence) as unit:
        unit.operations.finish(operation.id, "superseded")


def _is_echo(run: Run, operation: OperationRecord, link: LinkRecord) -> bool:
    """Return whether the event is written to and fro with no person behind it (trust.md R-03)."""
    edited_at = operation.created_at if operation.actor_id else None
    with run.store.read() as unit:
        now = unit.now()
    return ping_pong([*link.writes, now], run.limits, edited_at=edited_at)


def _quarantine(run: Run, operation: OperationRecord, link: LinkRecord) -> None:
    run.tally.refused += 1
    with run.store.write(run.fence) as unit:
        unit.links.save(replace(link, quarantined=True, reason="ping_pong"))
        unit.operations.finish(operation.id, "failed", text="ping_pong")


def _still(operation: OperationRecord, there: Event) -> tuple[str, ...]:
    different = differences(there, operation.after) if operation.after is not None else ()
    return tuple(name for name in operation.fields if name in different)


def _pack_edit(run: Run, operation: OperationRecord) -> Parcel | None:
    with run.store.read() as unit:
        row = unit.edits.row(operation.event_id) if operation.event_id is not None else None
        calendar = _calendar(unit, operation)
    if row is None or calendar is None:
        _void(run, operation)
        return None
    if row["shadow"] and operation.state == "planned":
        merge_shadow(run, row["id"])
        return None
    with run.store.write(run.fence) as unit:
        own = unit.edits.public_id(row["id"])
    key = "" if row["foreign_marker"] else row["marker"].partition(":")[0] or own
    fields = operation.fields
    if operation.kind == "patch" and operation.before is not None:
        fields = _still(operation, operation.before)
    remote_id = row["object_id"] if operation.kind == "create" else row["remote_id"]
    return Parcel(operation, calendar, row, None, None, key, remote_id, fields)


def send(run: Run, parcel: Parcel) -> RemoteEvent | None:
    """Make the request and return the event as the provider holds it now; None = it is gone, as was wanted."""
    operation, calendar = parcel.operation, parcel.calendar.remote_id
    if operation.kind == "create":
        return run.provider.create(calendar, _marked(parcel), idempotency_key=parcel.remote_id, notify=operation.notify)
    remote_id, etag = _version(run, parcel)
    if operation.kind == "delete":
        run.provider.delete(calendar, remote_id, etag=etag, notify=operation.notify)
        return None
    if operation.state == "unknown" and parcel.remote_id:
        done = _arrived(run, parcel)
        if done is not None:
            return done
    fields = (*parcel.fields, "marker") if parcel.key else parcel.fields
    return run.provider.update(calendar, remote_id, _marked(parcel), fields=fields, etag=etag, notify=operation.notify)


def _marked(parcel: Parcel) -> Event:
    after = parcel.operation.after
    assert after is not None
    return marked(after, parcel.key) if parcel.key else after


def _version(run: Run, parcel: Parcel) -> tuple[str, str | None]:
    """Return id and etag to write to; an occurrence nobody edited yet is asked for first."""
    row = parcel.row
    if row is not None and row["recurrence_key"] and not row["remote_id"]:
        occurrence = run.provider.occurrence(parcel.calendar.remote_id, row["object_id"], row["recurrence_key"])
        return occurrence.remote_id, occurrence.etag
    if not parcel.remote_id:
        raise Gone(reason="never_created")
    return parcel.remote_id, (row["etag"] or None) if row is not None else None


def _arrived(run: Run, parcel: Parcel) -> RemoteEvent | None:
    """Look whether the change arrived although no answer came: our marker says what it was (trust.md R-02)."""
    remote = run.provider.get(parcel.calendar.remote_id, parcel.remote_id)
    if remote.cancelled:
        raise Gone(reason="deleted")
    after = parcel.operation.after
    if after is not None and remote.row.get("marker") == f"{parcel.key}:{fingerprint(after).hex()}":
        return remote
    if parcel.row is not None and remote.etag != parcel.row["etag"]:
        raise EtagMismatch
    return None

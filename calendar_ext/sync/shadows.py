"""Edits on their way that met news from the provider: the two are merged on the base the edit began with.

What people see stays in the row, what the provider says waits in its shadow (data-model.md 4.2).
"""

from __future__ import annotations

import json
from dataclasses import replace

from ..domain.fingerprint import fingerprint
from ..domain.model import CONTENT_FIELDS, Event, Row
from ..domain.reconcile import LOCAL, Lost, decide
from ..domain.rows import event_of, row_of
from .copies import chosen_id
from .keeping import bin_row, change_row
from .ports.content import CalendarRecord
from .ports.plan import ConflictRecord, OperationRecord
from .ports.store import UnitOfWork
from .run import Run

_AT_ONCE = 100
#: Identity and content of a row are ours to say while an edit waits; everything else is the provider's.
_OURS = {"id", "public_id", "calendar_id", "object_id", "recurrence_key", "seen_round", "revision", "attendees"}


def merge_shadows(run: Run) -> None:
    """Merge every pending row of the account that has a shadow."""
    after = 0
    while not run.out_of_time():
        with run.store.read() as unit:
            rows = unit.edits.shadowed(run.account.id, _AT_ONCE, after=after)
        if not rows:
            return
        after = rows[-1]["id"]
        for row in rows:
            merge_shadow(run, row["id"])


def merge_shadow(run: Run, event_id: int) -> None:
    """Merge one pending row with its shadow; nothing happens while its edit is being sent."""
    with run.store.write(run.fence) as unit:
        row = unit.edits.pending(event_id)
        calendar = unit.calendars.get(row["calendar_id"]) if row else None
        waiting = unit.operations.open_for(event_id=event_id)
        if row is None or calendar is None or any(one.state == "sending" for one in waiting):
            return
        edits = [one for one in waiting if one.actor_kind == "person"]
        shadow: Row = row["shadow"]
        if shadow.get("gone"):
            _gone(unit, run, calendar, row, edits)
        elif any(one.kind == "delete" for one in edits):
            _deleted_here(unit, run, calendar, row, shadow, edits)
        else:
            _merge(unit, run, calendar, row, shadow, edits)


def _merge(
    unit: UnitOfWork, run: Run, calendar: CalendarRecord, row: Row, shadow: Row, edits: list[OperationRecord]
) -> None:
    first = edits[0] if edits else None
    local, remote = event_of(row), event_of(shadow)
    base = first.before if first and first.before else remote
    local_at = first.created_at * 1000 if first else None
    decision = decide(base, local, remote, local_at=local_at, remote_at=shadow.get("remote_updated"))
    merged = decision.event or remote
    for operation in edits:
        if operation is first and decision.push:
            unit.operations.rebase(operation.id, remote, merged, decision.push)
        else:
            unit.operations.finish(operation.id, "superseded")
    _record(unit, row, first, decision.lost)
    run.tally.conflicts += len(decision.lost)
    waits = bool(first and decision.push)
    change_row(unit, calendar, row, _values(row, shadow, merged, pending=waits), run.limits)


def _values(row: Row, shadow: Row, merged: Event, *, pending: bool) -> Row:
    """Return the columns of a merged row: our content, the provider's version."""
    theirs = {name: value for name, value in shadow.items() if name in row and name not in _OURS}
    content = row_of(merged, recurrence_key=row["recurrence_key"])
    state = {"pending": int(pending), "shadow": None, "deleted_at": None, "missing_since": None, "quarantine": None}
    return {**theirs, **content, **state, "fingerprint": fingerprint(merged), "marker": row["marker"]}


def _gone(unit: UnitOfWork, run: Run, calendar: CalendarRecord, row: Row, edits: list[OperationRecord]) -> None:
    """Deleted there. An edit outranks that and makes a new event; of an occurrence, or a deletion, nothing is left."""
    first = edits[0] if edits else None
    edited = first is not None and first.kind != "delete" and set(first.fields) & set(CONTENT_FIELDS)
    for operation in edits:
        unit.operations.finish(operation.id, "superseded")
    if first is None or not edited or row["recurrence_key"]:
        bin_row(unit, calendar, row, run.limits)
        return
    public_id = unit.edits.public_id(row["id"])
    remote_id = chosen_id(run.installation, public_id, unit.operations.creations(row["id"]) + 1)
    merged = event_of(row)
    lost = Lost("deleted", LOCAL, None, None)
    _record(unit, row, first, (lost,))
    fresh = {"object_id": remote_id, "remote_id": "", "ical_uid": "", "etag": "", "pending": 1, "shadow": None}
    change_row(unit, calendar, {**row, "object_id": remote_id}, fresh, run.limits)
    again = replace(first, id=0, public_id="", kind="create", state="planned", before=None, after=merged, attempts=0)
    unit.operations.add(replace(again, idempotency_key="", fields=(), notify=False, notifies=0))


def _deleted_here(
    unit: UnitOfWork, run: Run, calendar: CalendarRecord, row: Row, shadow: Row, edits: list[OperationRecord]
) -> None:
    """To be deleted here, changed there meanwhile: an edit outranks the deletion, anything else does not."""
    first, remote = edits[0], event_of(shadow)
    decision = decide(first.before or remote, None, remote)
    if not decision.pull:
        unit.edits.change(row["id"], {"etag": shadow["etag"], "shadow": None})
        return
    for operation in edits:
        unit.operations.finish(operation.id, "superseded")
    _record(unit, row, first, decision.lost)
    if not row["recurrence_key"]:
        unit.edits.hide_series(calendar.id, row["object_id"], None)
    change_row(unit, calendar, row, _values(row, shadow, remote, pending=False), run.limits)


def _record(unit: UnitOfWork, row: Row, operation: OperationRecord | None, lost: tuple[Lost, ...]) -> None:
    unit.conflicts.add(
        ConflictRecord(
            field=one.field,
            ours=json.dumps(one.local, ensure_ascii=False),
            theirs=json.dumps(one.remote, ensure_ascii=False),
            winner="ours" if one.winner == LOCAL else "theirs",
            event_id=row["id"],
            link_id=operation.link_id if operation else None,
            operation_id=operation.id if operation else None,
        )
        for one in lost
    )

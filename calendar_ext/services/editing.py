"""What a person changes on the Calendar page: row, operation and wake-up in one transaction, never a network call."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ..contract import OwnerProfile
from ..domain.fingerprint import differences, fingerprint
from ..domain.model import Event, Kind, Row, Status, Visibility
from ..domain.rows import event_of, row_of
from ..domain.when import When
from ..errors import Gone, Refused, Stale
from ..sync.copies import chosen_id, reach
from ..sync.keeping import change_row, window
from ..sync.ports.content import CalendarRecord
from ..sync.ports.edits import EditTarget
from ..sync.ports.people import ENDED
from ..sync.ports.plan import OperationRecord
from ..sync.ports.store import UnitOfWork
from .activities import Deciding
from .occurring import ALL, ONE, subject, version_of, with_guests

_UNSENT = ("planned", "held")


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What a form says an event is to be. `guests`: addresses; None leaves them as they are."""

    title: str
    when: When
    location: str = ""
    description: str = ""
    guests: tuple[str, ...] | None = None
    private: bool = False
    show_as: str = ""


class Editing(Deciding):
    """Edits by people. What is not theirs is not there (trust.md rule 0.1)."""

    def version(self, user: OwnerProfile, event: str, at: str = "", scope: str = ONE) -> str:
        """Return what `expected` is to say when the form of this event comes back.

        :raises Gone: it is not there, or not theirs.
        """
        with self._store.read() as unit:
            return version_of(subject(unit, _found(unit, user, event)[1], at, scope))

    def create(self, user: OwnerProfile, calendar: str, draft: EventDraft, *, notify: bool = False) -> str:
        """Make an event in one of the person's calendars and return its public id.

        :raises Gone: the calendar is not theirs, or its account has ended.
        :raises Refused: it can only be read (`read_only`), or the times make no sense (`times`).
        """
        event = self._drafted(None, draft)
        with self._store.write(only_active=True) as unit:
            target = unit.edits.calendar(user.tenant_id, user.user_id, calendar)
            if target is None:
                raise Gone("This calendar is no longer there.")
            _check_writable(target)
            record = _calendar(unit, target)
            public_id = secrets.token_urlsafe(16)
            object_id = chosen_id(unit.installations.get().public_id, public_id, 0)
            row = {**row_of(event), "public_id": public_id, "calendar_id": record.id, "object_id": object_id}
            row |= {"fingerprint": fingerprint(event), "pending": 1}
            row["revision"] = unit.calendars.raise_revision(record.id)
            event_id = unit.edits.insert(row)
            unit.occurrences.replace(record, [object_id], window(unit.now(), self._limits))
            self._plan(unit, user, target, event_id, "create", None, event, (), notify)
        return public_id

    def edit(
        self,
        user: OwnerProfile,
        event: str,
        draft: EventDraft,
        *,
        at: str = "",
        scope: str = ONE,
        expected: str = "",
        notify: bool = False,
    ) -> str:
        """Change an event, one occurrence of it (`at`, scope `one`), or its series (`all`); return the public id.

        :param expected: `version` of when the form was drawn; '' = whatever it is now.
        :raises Gone: it is not there, or not theirs.
        :raises Stale: somebody changed it meanwhile (M34); nothing was written.
        :raises Refused: `read_only`, `not_organizer`, `special`, `times`.
        """
        with self._editing(user, event, at, scope, expected) as (unit, target, row):
            wanted = self._drafted(event_of(row), draft)
            return self._change(unit, user, target, row, wanted, notify)

    def move(
        self,
        user: OwnerProfile,
        event: str,
        when: When,
        *,
        at: str = "",
        scope: str = ONE,
        expected: str = "",
        notify: bool = False,
    ) -> str:
        """Give an event another time; otherwise as `edit`."""
        with self._editing(user, event, at, scope, expected) as (unit, target, row):
            return self._change(unit, user, target, row, replace(event_of(row), when=_checked(when)), notify)

    def delete(
        self,
        user: OwnerProfile,
        event: str,
        *,
        at: str = "",
        scope: str = ONE,
        expected: str = "",
        notify: bool = False,
    ) -> None:
        """Delete an event, one occurrence of it, or the whole series; otherwise as `edit`."""
        with self._editing(user, event, at, scope, expected) as (unit, target, row):
            before, record = event_of(row), _calendar(unit, target)
            row = _stored(unit, row)
            if self._take_back_creation(unit, record, row):
                return
            if row["recurrence_key"]:
                gap = {"kind": str(Kind.GAP), "status": str(Status.CANCELLED), "pending": 1}
                change_row(unit, record, row, gap, self._limits)
            else:
                unit.edits.hide_series(record.id, row["object_id"], unit.now())
                change_row(unit, record, row, {"pending": 1}, self._limits)
            self._plan(unit, user, target, row["id"], "delete", before, None, (), notify)

    def undo(self, user: OwnerProfile, event: str) -> str:
        """Take back the person's last change of an event's content; return the event's public id.

        :raises Gone: it is not there, or not theirs.
        :raises Refused: `nothing_to_undo`.
        """
        with self._editing(user, event, "", ONE, "") as (unit, target, row):
            last = _last_change(unit, row, user)
            if last is None or last.before is None:
                raise Refused("There is nothing to undo.", reason="nothing_to_undo")
            back = {name: getattr(last.before, name) for name in last.fields}
            return self._change(unit, user, target, row, replace(event_of(row), **back), notify=False)

    @contextmanager
    def _editing(
        self, user: OwnerProfile, event: str, at: str, scope: str, expected: str
    ) -> Iterator[tuple[UnitOfWork, EditTarget, Row]]:
        with self._store.write(only_active=True) as unit:
            target, _ = _found(unit, user, event)
            # The calendar's row is locked before the event's (data-model.md L6).
            unit.calendars.raise_revision(target.calendar_id)
            target, row = _found(unit, user, event, lock=True)
            row = subject(unit, row, at, scope if scope == ALL else ONE)
            _check_writable(target)
            _check_ours(row)
            if expected and expected != version_of(row):
                raise Stale("This event changed while you were editing.", reason="edited_meanwhile")
            yield unit, target, row

    def _drafted(self, event: Event | None, draft: EventDraft) -> Event:
        """Return the event a form asks for, made from what it was."""
        when = _checked(draft.when)
        visible = event.visibility if event and not draft.private else Visibility.DEFAULT
        if visible not in (Visibility.DEFAULT, Visibility.PUBLIC):
            visible = Visibility.DEFAULT
        made = replace(
            event or Event(when=when),
            when=when,
            title=draft.title[: self._limits.title_length],
            location=draft.location[: self._limits.location_length],
            description=draft.description[: self._limits.description_length],
            visibility=Visibility.PRIVATE if draft.private else visible,
            show_as=draft.show_as or (event.show_as if event else "busy"),
        )
        return made if draft.guests is None else with_guests(made, draft.guests[: self._limits.attendees])

    def _change(
        self, unit: UnitOfWork, user: OwnerProfile, target: EditTarget, row: Row, wanted: Event, notify: bool
    ) -> str:
        before = event_of(row)
        fields = differences(before, wanted)
        if not fields:
            return unit.edits.public_id(_stored(unit, row)["id"]) if "id" not in row else row["public_id"] or ""
        row = _stored(unit, row)
        content = {**row_of(wanted, recurrence_key=row["recurrence_key"]), "marker": row.get("marker") or ""}
        state = {"fingerprint": fingerprint(wanted), "pending": 1, "quarantine": None}
        change_row(unit, _calendar(unit, target), row, {**content, **state}, self._limits)
        kind = "create" if _never_sent(unit, row) else "patch"
        self._plan(unit, user, target, row["id"], kind, before, wanted, fields, notify)
        return unit.edits.public_id(row["id"])

    def _take_back_creation(self, unit: UnitOfWork, calendar: CalendarRecord, row: Row) -> bool:
        """Forget an event that was never sent; return whether it was one."""
        waiting = unit.operations.open_for(event_id=row["id"])
        unsent = all(one.state in _UNSENT and one.attempts == 0 for one in waiting)
        if row["remote_id"] or row["recurrence_key"] or not unsent:
            return False
        for operation in waiting:
            unit.operations.finish(operation.id, "undone")
        change_row(unit, calendar, row, {"pending": 0, "deleted_at": unit.now(), "shadow": None}, self._limits)
        return True

    def _plan(
        self,
        unit: UnitOfWork,
        user: OwnerProfile,
        target: EditTarget,
        event_id: int,
        kind: str,
        before: Event | None,
        after: Event | None,
        fields: tuple[str, ...],
        notify: bool,
    ) -> None:
        """Write the operation, folded into one that was not sent yet, and the wake-up."""
        subject_of = after or before
        people = max(reach(before), reach(after))
        future = subject_of is not None and subject_of.when.span.end > self._clock()
        new = OperationRecord(
            tenant_id=target.tenant_id,
            account_id=target.account_id,
            calendar_id=target.calendar_id,
            event_id=event_id,
            kind=kind,
            actor_kind="person",
            actor_id=user.user_id,
            reason="calendar_page",
            fields=fields,
            before=before,
            after=after,
            notify=notify and future and people > 0,
            notifies=people if notify and future else 0,
        )
        if not _folded(unit, new):
            unit.operations.add(new)
        unit.wakes.add(target.account_id, priority=0, reason="edit")


def _folded(unit: UnitOfWork, new: OperationRecord) -> bool:
    """Fold an edit into one that waits: its base stays, its fields are joined. A deletion takes its place."""
    waiting = [one for one in unit.operations.open_for(event_id=new.event_id) if one.link_id is None]
    last = waiting[-1] if waiting else None
    if last is None or last.state not in _UNSENT or last.kind == "delete":
        return False
    if new.kind == "delete":
        unit.operations.finish(last.id, "superseded")
        unit.operations.add(replace(new, before=last.before or new.before))
        return True
    fields = tuple(dict.fromkeys((*last.fields, *new.fields)))
    merged = replace(
        new, id=last.id, kind=last.kind, fields=fields, notify=last.notify or new.notify, run_id=last.run_id
    )
    return unit.operations.fold(replace(merged, notifies=max(last.notifies, new.notifies)))


def _never_sent(unit: UnitOfWork, row: Row) -> bool:
    """Return whether the provider cannot know the event: nothing was created, and nothing is just being created."""
    if row["remote_id"] or row["recurrence_key"]:
        return False
    waiting = unit.operations.open_for(event_id=row["id"])
    return not any(one.kind == "create" and one.state not in _UNSENT for one in waiting)


def _found(unit: UnitOfWork, user: OwnerProfile, event: str, *, lock: bool = False) -> tuple[EditTarget, Row]:
    found = unit.edits.event(user.tenant_id, user.user_id, event, lock=lock)
    if found is None or found[0].account_status in ENDED:
        raise Gone("This event is no longer there.")
    return found


def _calendar(unit: UnitOfWork, target: EditTarget) -> CalendarRecord:
    calendar = unit.calendars.get(target.calendar_id)
    if calendar is None:
        raise Gone("This calendar is no longer there.")
    return calendar


def _stored(unit: UnitOfWork, row: Row) -> Row:
    """Return the row with its key; an occurrence that has none yet gets one."""
    if "id" in row:
        return row
    known = unit.edits.override(row["calendar_id"], row["object_id"], row["recurrence_key"])
    if known is not None:
        fresh = {name: value for name, value in row.items() if name not in ("remote_id", "etag")}
        unit.edits.change(known["id"], {**fresh, "deleted_at": None})
        return {**known, **fresh}
    return {**row, "id": unit.edits.insert(row), "public_id": None}


def _check_writable(target: EditTarget) -> None:
    if target.access != "write":
        message = "This calendar can only be read. New events cannot go there."
        raise Refused(message, reason="read_only", name=target.calendar_name)
    if target.account_status in ENDED:
        raise Gone("This calendar is no longer there.")


def _check_ours(row: Row) -> None:
    if not row["is_organizer"]:
        raise Refused("You can see this, but not change it.", reason="not_organizer")
    if row["event_type"] not in ("", "default"):
        raise Refused("You can see this, but not change it.", reason="special")


def _checked(when: When) -> When:
    """Return times that make sense.

    :raises Refused: it ends before it begins, or lasts no day.
    """
    try:
        span = when.span
    except (ValueError, OverflowError) as error:
        raise Refused("These times make no sense.", reason="times") from error
    if span.end < span.start or (when.all_day and span.end <= span.start) or len(when.end_wall) != len(when.start_wall):
        raise Refused("It ends before it begins.", reason="times")
    return when


def _last_change(unit: UnitOfWork, row: Row, user: OwnerProfile) -> OperationRecord | None:
    if "id" not in row:
        return None
    mine = (one for one in unit.operations.of_event(row["id"]) if one.actor_kind == "person")
    changes = (one for one in mine if one.kind == "patch" and one.state in ("planned", "sending", "done", "unknown"))
    return next((one for one in changes if one.actor_id == user.user_id), None)

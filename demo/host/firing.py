"""Copy this: fire the hooks from the session, so that no path that writes can forget them.

Every flush notes what it wrote; just before the outermost commit each changed row is fired once, in the same
transaction. A rollback forgets what it undoes, also that of a savepoint.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_login import current_user
from sqlalchemy import event, inspect
from sqlalchemy.orm import Session, SessionTransaction

from . import payloads
from .models import Activity, Appointment, Contact, User, db

log = logging.getLogger("harbor.hooks")
_NOTED = "harbor.noted"
_SAID = "harbor.said"
WATCHED = (Appointment, Activity, Contact, User)
ACTIVITY = {"created": "activity_created", "updated": "activity_updated", "deleted": "activity_deleted"}
PROFILE = ("name", "email", "zone", "locale", "organisation_id", "active")


@dataclass(frozen=True)
class Noted:
    """What one flush did to one row: `old` holds the former values of the columns it changed."""

    within: SessionTransaction | None
    row: Any
    kind: str
    old: dict[str, Any]
    actor_id: str | None
    origin: str | None


@contextmanager
def on_behalf(session: Session, actor_id: str | None, origin: str | None) -> Iterator[None]:
    """Flush on leaving, so that exactly what was written inside is said to be by `actor_id` and from `origin`."""
    former = session.info.get(_SAID)
    session.flush()
    session.info[_SAID] = (actor_id, origin)
    try:
        yield
        session.flush()
    finally:
        session.info[_SAID] = former


def _who(session: Session) -> tuple[str | None, str | None]:
    if said := session.info.get(_SAID):
        return said
    return (current_user.get_id() if current_user else None), None


def _old(row: Any) -> dict[str, Any]:
    state = inspect(row)
    histories = {column.key: state.attrs[column.key].history for column in state.mapper.column_attrs}
    return {key: history.deleted[0] for key, history in histories.items() if history.deleted}


@event.listens_for(db.session, "before_flush")
def _loses_users(session: Session, context: object, instances: object) -> None:
    for row in session.deleted:
        if isinstance(row, User):
            fire("user_deleted", session=session, user_id=str(row.id))


@event.listens_for(db.session, "after_flush")
def _notes(session: Session, context: object) -> None:
    actor_id, origin = _who(session)
    noted = session.info.setdefault(_NOTED, [])
    changed = [row for row in session.dirty if session.is_modified(row)]
    for kind, rows in (("created", session.new), ("updated", changed), ("deleted", session.deleted)):
        for row in rows:
            if isinstance(row, WATCHED):
                noted.append(Noted(session.get_nested_transaction(), row, kind, _old(row), actor_id, origin))


@event.listens_for(db.session, "after_soft_rollback")
def _forgets(session: Session, previous: SessionTransaction) -> None:
    def undone(transaction: SessionTransaction | None) -> bool:
        while transaction is not None and transaction is not previous:
            transaction = transaction.parent
        return transaction is previous or not previous.nested

    session.info[_NOTED] = [entry for entry in session.info.get(_NOTED, ()) if not undone(entry.within)]


@event.listens_for(db.session, "before_commit")
def _fires(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    while noted := session.info.pop(_NOTED, None):
        for entry in _once_per_row(noted):
            _say(session, entry)
        session.flush()


def _once_per_row(noted: list[Noted]) -> list[Noted]:
    """Return one entry per row: the first former values, the last word, nothing for what came and went."""
    merged: dict[int, Noted] = {}
    for entry in noted:
        first = merged.get(id(entry.row))
        kind = "created" if first and first.kind == "created" and entry.kind == "updated" else entry.kind
        if first and first.kind == "created" and entry.kind == "deleted":
            kind = "nothing"
        old = {**entry.old, **(first.old if first else {})}
        merged[id(entry.row)] = Noted(entry.within, entry.row, kind, old, entry.actor_id, entry.origin)
    return [entry for entry in merged.values() if entry.kind != "nothing"]


def _say(session: Session, entry: Noted) -> None:
    if isinstance(entry.row, Appointment):
        _say_appointment(session, entry)
    elif isinstance(entry.row, Activity):
        payload = payloads.activity(entry.row)
        said = {"session": session, "activity": payload, "actor_id": entry.actor_id, "origin": entry.origin}
        fire(ACTIVITY[entry.kind], **said)
    elif isinstance(entry.row, Contact) and entry.kind != "deleted":
        fire("contact_changed", session=session, contact=payloads.contact(entry.row))
    elif isinstance(entry.row, User) and entry.kind == "updated" and set(PROFILE) & set(entry.old):
        fire("user_changed", session=session, user=payloads.profile(entry.row))


def _say_appointment(session: Session, entry: Noted) -> None:
    payload = payloads.appointment(entry.row)
    said = {"session": session, "appointment": payload, "actor_id": entry.actor_id, "origin": entry.origin}
    cancelled = payload.status == "cancelled"
    if entry.kind == "deleted" or (cancelled and "status" in entry.old):
        fire("appointment_cancelled", reason=entry.row.cancel_reason, **said)
    elif entry.kind == "created":
        fire("appointment_created", **said)
    else:
        former = payloads.appointment(payloads.before(entry.row, entry.old))
        fire("appointment_updated", changes=payloads.changes(payload, former), **said)


def fire(name: str, **arguments: Any) -> list[Any]:
    """Call a hook with every argument of its spec; a listener that raises costs its own answer, never our save."""
    try:
        return getattr(current_app.extensions["harbor"].pm.hook, name)(**arguments)
    except Exception:
        log.exception("A listener of %s failed.", name)
        return []

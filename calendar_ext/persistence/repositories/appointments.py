"""Tables `appointment` and `appointment_person`."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from ...domain.fingerprint import content, event_from_content, fingerprint
from ...sync.ports import plan
from ...sync.ports.plan import AppointmentRecord
from ..tables import Appointment, AppointmentPerson
from .event_json import dumps
from .upserts import insert_into

_TABLE = Appointment.__table__
_KEY = ("tenant_id", "kind", "ref")
_KEPT = (*_KEY, "reason", "reason_text")


class Appointments(plan.Appointments):
    """What the host told us, newest version only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upsert(self, record: AppointmentRecord) -> AppointmentRecord | None:
        """Store a version; an older or equal one ends here."""
        values = _values(record)
        statement = insert_into(self._connection, Appointment).values(**values)
        new = statement.excluded
        changed = {name: new[name] for name in values if name not in _KEPT}
        just_cancelled = and_(Appointment.version == new.version, Appointment.state != new.state)
        newer = or_(Appointment.version < new.version, and_(just_cancelled, new.state == "cancelled"))
        stored = statement.on_conflict_do_update(index_elements=_KEY, set_=changed, where=newer)
        row = self._connection.execute(stored.returning(_TABLE)).mappings().first()
        if row is None:
            return None
        self._set_people(row["id"], record.owners)
        return _record(row)

    def _set_people(self, appointment_id: int, owners: Collection[str]) -> None:
        gone = delete(AppointmentPerson).where(AppointmentPerson.appointment_id == appointment_id)
        self._connection.execute(gone)
        people = [{"appointment_id": appointment_id, "owner_id": owner} for owner in dict.fromkeys(owners)]
        if people:
            self._connection.execute(insert(AppointmentPerson), people)

    def get(self, appointment_id: int) -> AppointmentRecord | None:
        """Return one by its key."""
        row = self._connection.execute(select(_TABLE).where(Appointment.id == appointment_id)).mappings().first()
        return _record(row) if row else None

    def find(self, tenant_id: str, kind: str, ref: str) -> AppointmentRecord | None:
        """Return what we know of a host's record."""
        known = select(_TABLE).where(*_identity(tenant_id, kind, ref))
        row = self._connection.execute(known).mappings().first()
        return _record(row) if row else None

    def explain(self, appointment_id: int, reason: str, text: str = "") -> None:
        """Say why no calendar carries it."""
        said = update(Appointment).where(Appointment.id == appointment_id)
        self._connection.execute(said.values(reason=reason, reason_text=text[:255]))


def _identity(tenant_id: str, kind: str, ref: str) -> tuple[Any, ...]:
    return Appointment.tenant_id == tenant_id, Appointment.kind == kind, Appointment.ref == ref


def _values(record: AppointmentRecord) -> dict[str, Any]:
    span = record.event.when.span if record.event else None
    facts = content(record.event) if record.event else {}
    beside = {"url": record.url, "invite_guests": record.invite_guests, "contact_ref": record.contact_ref}
    return {
        "tenant_id": record.tenant_id,
        "kind": record.kind,
        "ref": record.ref,
        "version": record.version,
        "owners": dumps(list(record.owners)),
        "organizer_owner": record.organizer_owner,
        "content": dumps({**facts, **beside}),
        "fingerprint": fingerprint(record.event) if record.event else b"",
        "start_at": span.start if span else None,
        "end_at": span.end if span else None,
        "state": record.state,
        "reason": record.reason,
        "reason_text": record.reason_text,
        "seen_at": record.seen_at,
    }


def _record(row: Any) -> AppointmentRecord:
    facts = json.loads(row["content"])
    return AppointmentRecord(
        id=row["id"],
        tenant_id=row["tenant_id"],
        kind=row["kind"],
        ref=row["ref"],
        version=row["version"],
        owners=tuple(json.loads(row["owners"])),
        event=event_from_content(facts) if facts.get("when") else None,
        organizer_owner=row["organizer_owner"],
        invite_guests=bool(facts.get("invite_guests")),
        url=facts.get("url", ""),
        contact_ref=facts.get("contact_ref", ""),
        state=row["state"],
        reason=row["reason"],
        reason_text=row["reason_text"],
        fingerprint=bytes(row["fingerprint"]),
        seen_at=row["seen_at"],
    )

"""Events as a person edits them: found only through the person's own calendars, written with their guests."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from ...domain.model import Attendee, Row
from ...sync.ports import edits
from ...sync.ports.edits import EditTarget
from ..base import db_now
from ..tables import Account, Calendar, CalendarPerson, Event, Link, Participant
from ..tables import Connection as ConnectionRow

_EVENT = Event.__table__
_RIGHTS = (
    Calendar.tenant_id,
    Calendar.account_id,
    Account.status.label("account_status"),
    Account.email.label("account_email"),
    ConnectionRow.id.label("connection_id"),
    Calendar.id.label("calendar_id"),
    Calendar.name.label("calendar_name"),
    Calendar.access,
    Calendar.collection_key,
    Calendar.time_zone,
    Account.provider,
)
_NAMES = tuple(EditTarget.__dataclass_fields__)


class Edits(edits.Edits):
    """Every way in by a public id goes through the person; by a key it is the engine's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def calendar(self, tenant_id: str, owner_id: str, calendar_public_id: str) -> EditTarget | None:
        """Return a calendar of one of the person's connections."""
        query = _mine(select(*_RIGHTS).select_from(Calendar), tenant_id, owner_id)
        row = self._connection.execute(query.where(Calendar.public_id == calendar_public_id)).mappings().first()
        return EditTarget(**row) if row else None

    def event(
        self, tenant_id: str, owner_id: str, event_public_id: str, *, lock: bool = False
    ) -> tuple[EditTarget, Row] | None:
        """Return a live event of the person's calendars."""
        found = select(*_RIGHTS, *_prefixed()).select_from(Event).join(Calendar, Calendar.id == Event.calendar_id)
        query = _mine(found, tenant_id, owner_id)
        query = query.where(Event.public_id == event_public_id, Event.deleted_at.is_(None))
        if lock:
            query = query.with_for_update(of=_EVENT)
        row = self._connection.execute(query).mappings().first()
        if row is None:
            return None
        facts = {name.removeprefix("event__"): value for name, value in row.items() if name.startswith("event__")}
        return EditTarget(**{name: row[name] for name in _NAMES}), self._with_guests(facts)

    def row(self, event_id: int) -> Row | None:
        """Return an event by its key."""
        return self._one(Event.id == event_id)

    def by_remote(self, calendar_id: int, remote_id: str) -> Row | None:
        """Return the event of a remote id, or the single or master whose object it is."""
        named = or_(Event.remote_id == remote_id, Event.object_id == remote_id)
        return self._one(Event.calendar_id == calendar_id, Event.recurrence_key == "", named)

    def override(self, calendar_id: int, object_id: str, recurrence_key: str) -> Row | None:
        """Return the row of one occurrence."""
        key = Event.recurrence_key == recurrence_key
        return self._one(Event.calendar_id == calendar_id, Event.object_id == object_id, key)

    def series(self, calendar_id: int, object_id: str) -> list[Row]:
        """Return master, overrides and gaps, the master first."""
        mine = select(_EVENT).where(Event.calendar_id == calendar_id, Event.object_id == object_id)
        mine = mine.where(Event.deleted_at.is_(None)).order_by(Event.recurrence_key)
        return [self._with_guests(dict(row)) for row in self._connection.execute(mine).mappings()]

    def hide_series(self, calendar_id: int, object_id: str, at: int | None) -> None:
        """Take every row of an object off the pages, or put them back."""
        whole = update(Event).where(Event.calendar_id == calendar_id, Event.object_id == object_id)
        self._connection.execute(whole.values(deleted_at=at))

    def insert(self, row: Row) -> int:
        """Store a new event row with its participants."""
        values = {name: value for name, value in row.items() if name != "attendees"}
        event_id = self._connection.execute(insert(Event).values(**values).returning(Event.id)).scalar_one()
        self._set_guests(event_id, row.get("attendees") or ())
        return event_id

    def change(self, event_id: int, values: Row) -> None:
        """Write columns of an event."""
        columns = {name: value for name, value in values.items() if name != "attendees"}
        if columns:
            self._connection.execute(update(Event).where(Event.id == event_id).values(**columns))
        if "attendees" in values:
            self._set_guests(event_id, values["attendees"])

    def public_id(self, event_id: int) -> str:
        """Return the event's public id, given on first use."""
        unnamed = update(Event).where(Event.id == event_id, Event.public_id.is_(None))
        self._connection.execute(unnamed.values(public_id=secrets.token_urlsafe(16)))
        return self._connection.execute(select(Event.public_id).where(Event.id == event_id)).scalar_one() or ""

    def pending(self, event_id: int) -> Row | None:
        """Return a row with an edit on its way and news, and hold it."""
        query = select(_EVENT).where(Event.id == event_id, Event.pending == 1, Event.shadow.is_not(None))
        row = self._connection.execute(query.with_for_update()).mappings().first()
        return self._with_guests({**row, "shadow": _shadow(row["shadow"])}) if row else None

    def shadowed(self, account_id: int, limit: int, *, after: int = 0) -> list[Row]:
        """Return rows with an edit on its way and news from the provider."""
        query = select(_EVENT).join(Calendar, Calendar.id == Event.calendar_id)
        query = query.where(Calendar.account_id == account_id, Event.id > after)
        query = query.where(Event.pending == 1, Event.shadow.is_not(None)).order_by(Event.id).limit(limit)
        rows = [dict(row) for row in self._connection.execute(query).mappings()]
        return [self._with_guests({**row, "shadow": _shadow(row["shadow"])}) for row in rows]

    def unlinked(self, calendar_id: int, *, start_at: int, end_at: int) -> list[Row]:
        """Return live singles of exactly that time that no live link holds."""
        return self._unlinked(calendar_id, Event.start_at == start_at, Event.end_at == end_at, Event.kind == "single")

    def unlinked_uid(self, calendar_id: int, ical_uids: Collection[str]) -> list[Row]:
        """Return live singles and masters with one of these identities that no live link holds."""
        return self._unlinked(calendar_id, Event.ical_uid.in_(ical_uids), Event.recurrence_key == "")

    def _unlinked(self, calendar_id: int, *where: ColumnElement[bool]) -> list[Row]:
        held = select(Link.id).where(Link.event_id == Event.id, Link.state == "live").exists()
        free = select(_EVENT).where(Event.calendar_id == calendar_id, Event.deleted_at.is_(None), ~held, *where)
        rows = self._connection.execute(free.where(Event.status != "cancelled").order_by(Event.id)).mappings()
        return [self._with_guests(dict(row)) for row in rows.all()]

    def who_meets(self, emails: Collection[str]) -> list[str]:
        """Return the people in whose calendars one of the addresses is a guest."""
        met = select(CalendarPerson.owner_id).distinct().join(Event, Event.calendar_id == CalendarPerson.calendar_id)
        met = met.join(Participant, Participant.event_id == Event.id).where(Participant.email_norm.in_(emails))
        return list(self._connection.execute(met.order_by(CalendarPerson.owner_id)).scalars())

    def match_contacts(self, owner_id: str, refs: Mapping[str, str]) -> int:
        """Note the contact of each address on the events of a person's calendars."""
        mine = select(Event.id).join(CalendarPerson, CalendarPerson.calendar_id == Event.calendar_id)
        mine = mine.where(CalendarPerson.owner_id == owner_id)
        matched = 0
        for email, ref in refs.items():
            guests = update(Participant).where(Participant.email_norm == email, Participant.event_id.in_(mine))
            matched += self._connection.execute(guests.values(contact_ref=ref, matched_at=db_now())).rowcount
        return matched

    def forget_contact(self, contact_ref: str) -> None:
        """Take a contact off every guest."""
        named = update(Participant).where(Participant.contact_ref == contact_ref)
        self._connection.execute(named.values(contact_ref=None, matched_at=None))

    def _one(self, *where: ColumnElement[bool]) -> Row | None:
        row = self._connection.execute(select(_EVENT).where(*where)).mappings().first()
        return self._with_guests(dict(row)) if row else None

    def _with_guests(self, row: Row) -> Row:
        query = select(Participant.__table__).where(Participant.event_id == row["id"])
        guests = self._connection.execute(query.order_by(Participant.email_norm)).mappings()
        return {**row, "attendees": [_guest(guest) for guest in guests]}

    def _set_guests(self, event_id: int, guests: Iterable[Attendee]) -> None:
        mine = Participant.event_id == event_id
        matched = select(Participant.email_norm, Participant.contact_ref).where(mine)
        refs = {row.email_norm: row.contact_ref for row in self._connection.execute(matched)}
        self._connection.execute(delete(Participant).where(mine))
        rows = {guest.key: _participant(event_id, guest, refs.get(guest.key)) for guest in guests}
        if rows:
            self._connection.execute(insert(Participant), list(rows.values()))


def _mine(query: Any, tenant_id: str, owner_id: str) -> Any:
    return (
        query.join(CalendarPerson, CalendarPerson.calendar_id == Calendar.id)
        .join(ConnectionRow, ConnectionRow.id == CalendarPerson.connection_id)
        .join(Account, Account.id == ConnectionRow.account_id)
        .where(Calendar.tenant_id == tenant_id, CalendarPerson.owner_id == owner_id)
        .where(Calendar.removed_at.is_(None), ConnectionRow.ended_at.is_(None))
    )


def _prefixed() -> list[Any]:
    return [column.label(f"event__{column.name}") for column in _EVENT.columns]


def _guest(row: Any) -> Attendee:
    facts = {name: row[name] for name in ("name", "response", "role", "is_self", "organizer")}
    return Attendee(email=row["email_norm"], **facts)


def _shadow(text: str) -> Row:
    row: Row = json.loads(text)
    if "fingerprint" in row:
        row["fingerprint"] = bytes.fromhex(row["fingerprint"])
    row["attendees"] = [Attendee(**guest) for guest in row.get("attendees") or ()]
    return row


def _participant(event_id: int, guest: Attendee, contact_ref: str | None) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "email_norm": guest.key[:320],
        "name": guest.name[:255],
        "role": guest.role,
        "response": str(guest.response),
        "is_self": guest.is_self,
        "organizer": guest.organizer,
        "contact_ref": contact_ref,
    }

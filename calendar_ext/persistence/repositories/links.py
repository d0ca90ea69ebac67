"""Tables `link` and `link_person`: which copy of which appointment stands where."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from ...domain.reconcile import base_content, base_from_content
from ...sync.ports import plan
from ...sync.ports.people import ENDED
from ...sync.ports.plan import LinkRecord, Target
from ..base import db_now
from ..tables import Account, Calendar, CalendarPerson, Event, Link, LinkPerson
from ..tables import Connection as ConnectionRow
from .event_json import dumps

_PLAIN = LinkRecord.__dataclass_fields__.keys() - {"base", "writes", "quarantined", "people"}


def _of_people(column: Any) -> Any:
    """Return one of what the calendar's people chose; a calendar hardly ever has several who differ."""
    mine = CalendarPerson.calendar_id == Link.calendar_id, CalendarPerson.writes
    chosen = (
        select(func.max(column))
        .select_from(CalendarPerson)
        .join(ConnectionRow, ConnectionRow.id == CalendarPerson.connection_id)
        .where(*mine)
    )
    return chosen.correlate(Link).scalar_subquery()


_LINK = select(
    Link.__table__,
    Calendar.account_id,
    func.coalesce(_of_people(CalendarPerson.title_prefix), "").label("title_prefix"),
    func.coalesce(_of_people(ConnectionRow.direction), "both").label("direction"),
).join(Calendar, Calendar.id == Link.calendar_id)


class Links(plan.Links):
    """The hub's spokes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def targets(self, tenant_id: str, owners: Collection[str], past_seconds: int) -> list[Target]:
        """Return the calendars that take these people's appointments; a collection read elsewhere is taken there."""
        mine = (
            select(
                CalendarPerson.owner_id,
                func.coalesce(Calendar.read_by, Calendar.id).label("calendar_id"),
                Calendar.account_id,
                Calendar.collection_key,
                Calendar.name,
                Calendar.access,
                CalendarPerson.title_prefix,
                ConnectionRow.direction,
                (ConnectionRow.created_at - past_seconds).label("synced_from"),
            )
            .select_from(CalendarPerson)
            .join(Calendar, Calendar.id == CalendarPerson.calendar_id)
            .join(ConnectionRow, ConnectionRow.id == CalendarPerson.connection_id)
            .join(Account, Account.id == ConnectionRow.account_id)
            .where(Calendar.tenant_id == tenant_id, CalendarPerson.owner_id.in_(owners), CalendarPerson.writes)
            .where(Calendar.removed_at.is_(None), ConnectionRow.ended_at.is_(None))
            .where(ConnectionRow.leaving.in_(("", "{}")), Account.status.not_in(ENDED))
            .order_by(CalendarPerson.owner_id, Calendar.id)
        )
        return [Target(**row) for row in self._connection.execute(mine).mappings()]

    def of_appointment(self, appointment_id: int) -> list[LinkRecord]:
        """Return every link of an appointment."""
        return self._records(_LINK.where(Link.appointment_id == appointment_id).order_by(Link.id))

    def of_account(self, account_id: int, *, owned: bool | None = None) -> list[LinkRecord]:
        """Return the live links into an account's calendars."""
        live = _LINK.where(Calendar.account_id == account_id, Link.state == "live").order_by(Link.id)
        return self._records(live if owned is None else live.where(Link.owned.is_(owned)))

    def get(self, link_id: int) -> LinkRecord | None:
        """Return one by its key."""
        return self._one(Link.id == link_id)

    def lock(self, link_id: int) -> None:
        """Hold a link until the transaction ends."""
        self._connection.execute(select(Link.id).where(Link.id == link_id).with_for_update())

    def of_event(self, event_id: int) -> LinkRecord | None:
        """Return the live link that holds an event."""
        return self._one(and_(Link.event_id == event_id, Link.state == "live"))

    def unsettled(self, account_id: int, limit: int, *, after: int = 0) -> list[LinkRecord]:
        """Return live links with something to decide; see the port."""
        query = _LINK.outerjoin(Event, Event.id == Link.event_id).where(
            Calendar.account_id == account_id,
            Link.state == "live",
            Link.id > after,
            or_(Link.quarantined == 0, Event.etag != Link.base_etag),
            or_(_is_gone(), _differs(), _waits_unattached()),
        )
        return self._records(query.order_by(Link.id).limit(limit))

    def vanished(self, account_id: int) -> list[LinkRecord]:
        """Return live links whose event was deleted there."""
        gone = _LINK.join(Event, Event.id == Link.event_id).where(Calendar.account_id == account_id)
        return self._records(gone.where(Link.state == "live", _is_gone()).order_by(Link.id))

    def count(self, account_id: int) -> int:
        """Return how many live links an account has."""
        live = select(func.count(Link.id)).join(Calendar, Calendar.id == Link.calendar_id)
        live = live.where(Calendar.account_id == account_id, Link.state == "live")
        return self._connection.execute(live).scalar_one()

    def add(self, link: LinkRecord) -> LinkRecord:
        """Store a new link with its people."""
        public_id = link.public_id or secrets.token_urlsafe(16)
        values = {**_values(link), "public_id": public_id, "created_at": db_now()}
        added = insert(Link).values(**values).returning(Link.id)
        link_id = self._connection.execute(added).scalar_one()
        self._set_people(link_id, link.people)
        return self._records(_LINK.where(Link.id == link_id))[0]

    def save(self, link: LinkRecord) -> None:
        """Write the values of a link, and its people."""
        self._connection.execute(update(Link).where(Link.id == link.id).values(**_values(link)))
        self._set_people(link.id, link.people)

    def end(self, link_id: int, *, actor: str, reason: str, state: str = "ended") -> None:
        """End a link and leave its tombstone."""
        grave = {"tombstone_actor": actor[:64], "tombstone_reason": reason[:64], "tombstone_at": db_now()}
        ended = update(Link).where(Link.id == link_id).values(state=state, reason=reason[:64], event_id=None, **grave)
        self._connection.execute(ended)

    def _one(self, where: ColumnElement[bool]) -> LinkRecord | None:
        return next(iter(self._records(_LINK.where(where))), None)

    def _records(self, query: Any) -> list[LinkRecord]:
        rows = list(self._connection.execute(query).mappings())
        people = self._people([row["id"] for row in rows])
        return [_record(row, people[row["id"]]) for row in rows]

    def _people(self, link_ids: Collection[int]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        if link_ids:
            query = select(LinkPerson.link_id, LinkPerson.owner_id).where(LinkPerson.link_id.in_(link_ids))
            for link_id, owner_id in self._connection.execute(query.order_by(LinkPerson.owner_id)):
                found[link_id].append(owner_id)
        return found

    def _set_people(self, link_id: int, people: Iterable[str]) -> None:
        wanted, known = set(people), set(self._people([link_id])[link_id])
        if known - wanted:
            gone = LinkPerson.link_id == link_id, LinkPerson.owner_id.in_(known - wanted)
            self._connection.execute(delete(LinkPerson).where(*gone))
        if wanted - known:
            new = [{"link_id": link_id, "owner_id": owner} for owner in sorted(wanted - known)]
            self._connection.execute(insert(LinkPerson), new)


def _is_gone() -> ColumnElement[bool]:
    return and_(Link.event_id.is_not(None), Event.deleted_at.is_not(None), Event.pending == 0)


def _differs() -> ColumnElement[bool]:
    at_rest = or_(Event.pending == 0, Event.shadow.is_not(None))
    other = or_(Link.base_fingerprint.is_(None), Event.fingerprint != Link.base_fingerprint)
    return and_(Link.event_id.is_not(None), Event.deleted_at.is_(None), other, at_rest)


def _waits_unattached() -> ColumnElement[bool]:
    arrived = select(Event.id).where(
        Event.calendar_id == Link.calendar_id, Event.remote_id == Link.planned_remote_id, Event.deleted_at.is_(None)
    )
    return and_(Link.event_id.is_(None), Link.planned_remote_id != "", arrived.correlate(Link).exists())


def _values(link: LinkRecord) -> dict[str, Any]:
    base = dumps(base_content(link.base)) if link.base else None
    return {
        "tenant_id": link.tenant_id,
        "appointment_id": link.appointment_id,
        "calendar_id": link.calendar_id,
        "collection_key": link.collection_key,
        "part": link.part,
        "event_id": link.event_id,
        "planned_remote_id": link.planned_remote_id,
        "generation": link.generation,
        "role": link.role,
        "owned": link.owned,
        "sender": link.sender,
        "base": base,
        "base_fingerprint": link.base_fingerprint,
        "base_version": link.base_version,
        "base_etag": link.base_etag[:255],
        "state": link.state,
        "reason": link.reason[:64],
        "writes_hour": dumps(list(link.writes)),
        "quarantined": int(link.quarantined),
    }


def _record(row: Any, people: Collection[str]) -> LinkRecord:
    same = {name: row[name] for name in _PLAIN}
    return LinkRecord(
        **same,
        base=base_from_content(json.loads(row["base"])) if row["base"] else None,
        writes=tuple(json.loads(row["writes_hour"])),
        quarantined=bool(row["quarantined"]),
        people=tuple(people),
    )

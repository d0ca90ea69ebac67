"""Guests of pulled events. A contact that was matched to an address stays matched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from ...domain.model import Row
from ..tables import Participant
from .bulk import Bulk
from .event_upsert import GUESTS, ID, Known

_COLUMNS = ("event_id", "email_norm", "name", "role", "response", "is_self", "organizer")
_SAID = _COLUMNS[2:]


def _newest(insert: Any) -> Any:
    return insert.on_conflict_do_update(
        index_elements=_COLUMNS[:2], set_={name: insert.excluded[name] for name in _SAID}
    )


_UPSERT = Bulk(Participant, _COLUMNS, _newest)
_ONE = delete(Participant).where(
    Participant.event_id == bindparam("event"), Participant.email_norm == bindparam("email")
)


def write(connection: Connection, pulled: Iterable[tuple[Known, Row]]) -> None:
    """Write the guests of rows that were just upserted; events without guests cost nothing."""
    guests: dict[tuple[int, str], tuple[object, ...]] = {}
    had: list[int] = []
    for known, row in pulled:
        if known[GUESTS]:
            had.append(known[ID])
        for guest in row.get("attendees") or ():
            key = (known[ID], guest.key[:320])
            said = (guest.name[:255], guest.role, str(guest.response), guest.is_self, guest.organizer)
            guests[key] = (*key, *said)
    if had:
        _remove_others(connection, had, guests.keys())
    _UPSERT.insert(connection, list(guests.values()))


def _remove_others(connection: Connection, event_ids: list[int], kept: Iterable[tuple[int, str]]) -> None:
    query = select(Participant.event_id, Participant.email_norm).where(Participant.event_id.in_(event_ids))
    gone = {(row.event_id, row.email_norm) for row in connection.execute(query)} - set(kept)
    if gone:
        connection.execute(_ONE, [{"event": event_id, "email": email} for event_id, email in gone])

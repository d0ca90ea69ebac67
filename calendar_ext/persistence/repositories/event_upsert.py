"""The guarded upsert of pulled rows (data-model.md 4.2), and what it says of each row it touched."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Text, and_, case, cast, func, literal_column, not_, or_, select

from ...domain.fingerprint import fingerprint_of_row
from ...domain.model import Row
from ..tables import Event, Link, Occurrence, Participant
from .asides import beside, outer
from .bulk import Bulk

#: Ours alone: a pull never writes them, or only by the statement's own text.
_LOCAL = {"id", "public_id", "pending", "shadow", "missing_since", "deleted_at", "quarantine"}
_KEY = ("calendar_id", "object_id", "recurrence_key")
COLUMNS = tuple(column.name for column in Event.__table__.columns if column.name not in _LOCAL)
#: What is over for a row that the provider lists.
_BACK = ("missing_since", "deleted_at", "quarantine")
_UNSAID: Row = {
    "recurrence_key": "", "ical_uid": "", "etag": "", "sequence": 0, "remote_updated": None, "fingerprint": b"",
    "status": "confirmed", "title": "", "location": "", "description": "", "colour": "", "show_as": "busy",
    "visibility": "default", "response": "", "organizer": "", "is_organizer": True, "event_type": "",
    "online_url": "", "online_state": "", "all_day": False, "rules": "", "rules_state": "ok", "marker": "",
    "foreign_marker": False, "extra": "",
}  # fmt: skip


#: What the statement says of each row it inserted or updated; rows with an edit on its way are not among these. A plain
#: tuple, by these places. REVISION is the one just raised if the row is new or different, else the one it had; LINKS
#: and GUESTS are counts; INSTANCES is how many it had before, then start, end and flags of one: `1 900 1800 0`.
Known = tuple[Any, ...]
ID, OBJECT_ID, RECURRENCE_KEY, REVISION, LINKS, GUESTS, INSTANCES = range(7)
#: INSTANCES of a row that had none.
NONE = "0 "


def _guarded(insert: Any) -> Any:
    new = insert.excluded
    same = and_(
        Event.etag == new.etag,
        Event.etag != literal_column("''"),
        Event.fingerprint == new.fingerprint,
        Event.deleted_at.is_(None),
        Event.quarantine.is_(None),
    )
    values: dict[str, Any] = {name: new[name] for name in COLUMNS if name not in _KEY}
    values["revision"] = case((same, Event.revision), else_=new.revision)
    # The visible weeks belong to no round: they never take back what a listing of everything has shown.
    unseen = Event.seen_round < new.seen_round
    values["seen_round"] = case((unseen, new.seen_round), else_=Event.seen_round)
    values |= {name: literal_column("NULL") for name in _BACK}
    return insert.on_conflict_do_update(
        index_elements=_KEY,
        set_=values,
        where=and_(Event.pending == literal_column("0"), or_(not_(same), unseen, Event.missing_since.is_not(None))),
    ).returning(Event.id, Event.object_id, Event.recurrence_key, Event.revision, *_before())


def _before() -> list[Any]:
    def count(entity: Any) -> Any:
        return beside(select(func.count()).select_from(entity).where(entity.event_id == outer(Event.id)))

    space: Any = literal_column("' '")
    start, end, flags = (cast(column, Text) for column in (Occurrence.start_at, Occurrence.end_at, Occurrence.flags))
    last = func.coalesce(func.max(start + space + end + space + flags), literal_column("''"))
    instances = select(cast(func.count(), Text) + space + last).where(Occurrence.event_id == outer(Event.id))
    return [count(Link), count(Participant), beside(instances)]


_UPSERT = Bulk(Event, COLUMNS, _guarded, pending="0")
_in_order = itemgetter(*COLUMNS)


def upsert(connection: Connection, calendar_id: int, rows: Sequence[Row], *, round: int, revision: int) -> list[Known]:
    """Write rows, no key twice among them; a row without a fingerprint gets one. Return what became of them.

    :raises Refused: the database, or its driver, cannot take a value.
    """
    ours = {"calendar_id": calendar_id, "seen_round": round, "revision": revision}
    values = [_in_order(_UNSAID | row | ours) for row in map(_fingerprinted, rows)]
    return _UPSERT.insert(connection, values, returning=True)


def _fingerprinted(row: Row) -> Row:
    if not row.get("fingerprint"):
        row["fingerprint"] = fingerprint_of_row(row)
    return row

"""What could not be understood, kept as rows by name and reason (trust.md R-11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, literal_column

from ...domain.model import Refusal
from ..tables import Event
from .bulk import Bulk

_CONTENT = {
    "ical_uid": "''", "sequence": "0", "status": "'confirmed'", "location": "''", "description": "''",
    "colour": "''", "show_as": "'free'", "visibility": "'private'", "response": "''", "organizer": "''",
    "event_type": "''", "online_url": "''", "online_state": "''", "start_wall": "''", "start_zone": "''",
    "end_wall": "''", "end_zone": "''", "start_at": "0", "end_at": "0", "rules": "''", "rules_state": "'ok'",
    "marker": "''", "extra": "''", "pending": "0", "recurrence_key": "''", "kind": "'single'",
}  # fmt: skip
_COLUMNS = (
    "calendar_id", "object_id", "remote_id", "etag", "fingerprint", "revision", "title", "is_organizer", "all_day",
    "foreign_marker", "seen_round", "quarantine",
)  # fmt: skip


def _keeping_content(insert: Any) -> Any:
    said = ("etag", "revision", "seen_round", "quarantine")
    values: dict[str, Any] = {name: insert.excluded[name] for name in said}
    return insert.on_conflict_do_update(
        index_elements=("calendar_id", "object_id", "recurrence_key"),
        set_={**values, "missing_since": literal_column("NULL")},
        where=Event.pending == literal_column("0"),
    )


_UPSERT = Bulk(Event, _COLUMNS, _keeping_content, **_CONTENT)


def store(connection: Connection, calendar_id: int, refused: Sequence[Refusal], *, round: int, revision: int) -> None:
    """Write one row for each that has an id at the provider; a row we had keeps its content."""
    rows = {
        refusal.remote_id: (
            calendar_id, refusal.remote_id, refusal.remote_id, refusal.etag, b"", revision, refusal.name, False, False,
            False, round, refusal.reason,
        )
        for refusal in refused
        if refusal.remote_id
    }  # fmt: skip
    _UPSERT.insert(connection, list(rows.values()))

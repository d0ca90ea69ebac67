"""The one installation row, and what opening and closing the gate does to everybody at once."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import Connection, Row, Table, case, delete, insert, literal, null, select, update
from sqlalchemy.exc import DBAPIError

from ...sync.ports.running import InstallationRecord
from ..base import PREFIX, Base, db_now
from ..tables import Account, Installation, SyncState, Wake
from ..unit_of_work import is_missing_table

_ID = 1
_ROW = cast(Table, Installation.__table__)


class Installations:
    """Answers `sync.ports.running.Installations`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self) -> InstallationRecord:
        """Return the row; `available` where there is none, or no table: only ask first in a transaction then."""
        try:
            row = self._connection.execute(select(_ROW).where(_ROW.c.id == _ID)).first()
        except DBAPIError as error:
            if not is_missing_table(error):
                raise
            row = None
        return _record(row) if row else InstallationRecord()

    def write(self, **changes: Any) -> InstallationRecord:
        """Make or change the row and raise its generation; times follow the state."""
        if "options" in changes:
            changes["options"] = json.dumps(dict(changes["options"]))
        values = changes | _times(changes.get("state"))
        known = select(_ROW.c.id).where(_ROW.c.id == _ID)
        if self._connection.execute(known).first() is None:
            first = {"id": _ID, "public_id": secrets.token_urlsafe(16), "state": "available", "generation": 0}
            self._connection.execute(
                insert(_ROW).values(first | {"options": "{}", "version": "", "schema_revision": ""})
            )
        raised = {"generation": _ROW.c.generation + 1}
        self._connection.execute(update(_ROW).where(_ROW.c.id == _ID).values(values | raised))
        return self.get()

    def raise_epochs(self) -> int:
        """End every run under way; leases are let go, so that the next activation can claim at once."""
        ended = update(SyncState).values(epoch=SyncState.epoch + 1, lease_owner="", lease_until=null())
        return self._connection.execute(ended).rowcount

    def wake_every_account(self, *, reason: str, delay: int = 0) -> int:
        """Insert one `wake` row for each account that is still connected."""
        due = db_now() + delay
        accounts = select(Account.id, literal(0), case((literal(delay) > 0, due)), literal(reason), db_now())
        accounts = accounts.where(Account.status != "disconnected")
        columns = ["account_id", "priority", "not_before", "reason", "at"]
        self._connection.execute(insert(Wake).from_select(columns, accounts))
        return len(self._connection.execute(select(Account.id).where(Account.status != "disconnected")).all())

    def erase(self, *, keep: Collection[str] = ()) -> int:
        """Delete every row but the installation's, children first."""
        kept = {f"{PREFIX}{name}" for name in keep} | {_ROW.name}
        tables = [table for table in reversed(Base.metadata.sorted_tables) if table.name not in kept]
        return sum(self._connection.execute(delete(table)).rowcount for table in tables)


def _times(state: str | None) -> dict[str, Any]:
    column = {"active": "activated_at", "inactive": "deactivated_at"}.get(state or "")
    return {column: db_now()} if column else {}


def _record(row: Row[Any]) -> InstallationRecord:
    facts = dict(row._mapping)
    del facts["id"]
    return InstallationRecord(**facts | {"options": json.loads(facts["options"])})

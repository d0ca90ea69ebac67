"""Table `conflict`: the values that lost, kept to be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import Connection, insert, select, update

from ...sync.ports import plan
from ...sync.ports.plan import ConflictRecord
from ..base import db_now
from ..tables import Conflict


class Conflicts(plan.Conflicts):
    """Nothing is ever overwritten without a row here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, conflicts: Iterable[ConflictRecord]) -> None:
        """Store what lost."""
        for conflict in conflicts:
            facts = asdict(conflict)
            del facts["id"], facts["at"]
            self._connection.execute(insert(Conflict).values(**facts, at=db_now()))

    def of_event(self, event_id: int) -> list[ConflictRecord]:
        """Return the conflicts of an event, newest first."""
        mine = select(Conflict.__table__).where(Conflict.event_id == event_id).order_by(Conflict.id.desc())
        return [ConflictRecord(**row) for row in self._connection.execute(mine).mappings()]

    def resolve(self, conflict_id: int, by: str) -> None:
        """Close one."""
        closed = update(Conflict).where(Conflict.id == conflict_id)
        self._connection.execute(closed.values(state="resolved", resolved_by=by))

"""Table `conflict`: the values that lost, kept to be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import Connection, insert

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

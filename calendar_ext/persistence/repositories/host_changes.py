"""Table `host_change`: hooks insert, dispatch takes and removes."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, delete, select

from ...sync.ports import plan
from ...sync.ports.plan import HostChangeRecord
from ..tables import HostChange


class HostChanges(plan.HostChanges):
    """The queue of the hooks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def oldest(self, limit: int) -> list[HostChangeRecord]:
        """Return the oldest rows."""
        oldest = select(HostChange.__table__).order_by(HostChange.id).limit(limit)
        return [_record(row) for row in self._connection.execute(oldest).mappings()]

    def take(self, ids: Collection[int]) -> set[int]:
        """Delete these rows; who deletes a row dispatches it."""
        taken = delete(HostChange).where(HostChange.id.in_(ids)).returning(HostChange.id)
        return set(self._connection.execute(taken).scalars())


def _record(row: Any) -> HostChangeRecord:
    facts = dict(row)
    return HostChangeRecord(**{**facts, "payload": json.loads(facts["payload"])})

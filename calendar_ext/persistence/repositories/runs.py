"""Runs that planned, changed or stopped something."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select, update

from ...sync.ports.runs import RunRecord
from ..base import db_now
from ..tables import Operation, Run

FIELDS = tuple(RunRecord.__dataclass_fields__)
#: States of an operation that is over.
_OVER = ("done", "failed", "superseded", "undone")
COLUMNS = [getattr(Run, name) for name in FIELDS]


class Runs:
    """Implements `sync.ports.content.Runs`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, run: RunRecord) -> int:
        values = {name: getattr(run, name) for name in FIELDS if name != "id"}
        values |= {"counts": orjson.dumps(run.counts).decode(), "ended_at": run.ended_at or db_now()}
        return int(self._connection.execute(insert(Run).values(values).returning(Run.id)).scalar_one())

    def stopped(self, account_id: int) -> RunRecord | None:
        last = next(iter(self.newest(account_id, 1)), None)
        return last if last and last.stop_reason else None

    def approve(self, run_id: int, by: str, seconds: int) -> None:
        values = {"approved_by": by, "approved_until": db_now() + seconds}
        self._connection.execute(update(Run).where(Run.id == run_id).values(values))

    def approved(self, account_id: int, plan_hash: str) -> bool:
        live = select(Run.id).where(
            Run.account_id == account_id, Run.plan_hash == plan_hash, Run.approved_until > db_now()
        )
        return self._connection.execute(live.limit(1)).first() is not None

    def newest(self, account_id: int, limit: int) -> list[RunRecord]:
        mine = select(*COLUMNS).where(Run.account_id == account_id).order_by(Run.id.desc()).limit(limit)
        return [_record(row) for row in self._connection.execute(mine).mappings()]

    def remove_before(self, at: int, limit: int) -> int:
        runs = select(Run.id).where(Run.started_at < at).order_by(Run.id).limit(limit)
        over = select(Operation.id).where(Operation.finished_at < at, Operation.state.in_(_OVER))
        over = over.order_by(Operation.id).limit(limit)
        removed = self._connection.execute(delete(Run).where(Run.id.in_(runs))).rowcount
        return removed + self._connection.execute(delete(Operation).where(Operation.id.in_(over))).rowcount


def _record(row: Any) -> RunRecord:
    return RunRecord(**dict(row) | {"counts": orjson.loads(row["counts"] or "{}")})

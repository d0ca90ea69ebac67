"""Table `operation`: the plan before it is sent, the journal after it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from ...domain.model import Event
from ...sync.ports import plan
from ...sync.ports.plan import OPEN, OperationRecord
from ..base import db_now
from ..tables import Operation, Run
from .event_json import dumps, packed, unpacked

_TABLE = Operation.__table__
_FIELDS = OperationRecord.__dataclass_fields__.keys()
_CONTENT = {"fields", "before", "after"}
_OURS = {"id", "public_id", "idempotency_key", "created_at"}
_OUTCOME = {"error_class", "error_text", "request_id", "sent_at", "finished_at"}
_DUE = ("planned", "unknown")


class Operations(plan.Operations):
    """At most one is `sending` per event; later ones wait behind it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, operation: OperationRecord) -> OperationRecord:
        """Store a new operation."""
        public_id = operation.public_id or secrets.token_urlsafe(16)
        values = {
            **_values(operation),
            "public_id": public_id,
            "idempotency_key": operation.idempotency_key or public_id,
            "created_at": db_now(),
        }
        row = self._connection.execute(insert(Operation).values(**values).returning(_TABLE)).mappings().one()
        return _record(row)

    def fold(self, operation: OperationRecord) -> bool:
        """Write what a later edit changed into a row that was not sent yet."""
        values = _values(operation)
        for name in ("attempts", "state", "before"):
            del values[name]
        waiting = Operation.id == operation.id, Operation.state.in_(("planned", "held"))
        return self._connection.execute(update(Operation).where(*waiting).values(**values)).rowcount == 1

    def get(self, operation_id: int) -> OperationRecord | None:
        """Return one by its key."""
        return next(iter(self._records(select(_TABLE).where(Operation.id == operation_id))), None)

    def open_for(self, *, event_id: int | None = None, link_id: int | None = None) -> list[OperationRecord]:
        """Return what is not over, oldest first."""
        either = [column == key for column, key in _keys(event_id, link_id) if key is not None]
        query = select(_TABLE).where(or_(*either), Operation.state.in_(OPEN)).order_by(Operation.id)
        return self._records(query) if either else []

    def open_of_account(self, account_id: int, states: Collection[str] = OPEN) -> list[OperationRecord]:
        """Return an account's operations in these states, oldest first."""
        mine = Operation.account_id == account_id, Operation.state.in_(states)
        return self._records(select(_TABLE).where(*mine).order_by(Operation.id))

    def next_due(self, account_id: int, now: int) -> OperationRecord | None:
        """Return the oldest one nothing earlier holds back."""
        query = select(_TABLE).where(
            Operation.account_id == account_id,
            Operation.state.in_(_DUE),
            Operation.next_at <= now,
            Operation.target == "remote",
            ~_earlier("event_id"),
            ~_earlier("link_id"),
        )
        return next(iter(self._records(query.order_by(Operation.id).limit(1))), None)

    def claim(self, operation_id: int, now: int) -> OperationRecord | None:
        """Take one that is still as it was read."""
        free = Operation.id == operation_id, Operation.state.in_(_DUE)
        taken = update(Operation).where(*free)
        taken = taken.values(state="sending", attempts=Operation.attempts + 1, sent_at=now)
        row = self._connection.execute(taken.returning(_TABLE)).mappings().first()
        return _record(row) if row else None

    def finish(
        self,
        operation_id: int,
        state: str,
        *,
        error: Exception | None = None,
        text: str = "",
        event_id: int | None = None,
    ) -> None:
        """Set an end state."""
        values: dict[str, Any] = {"state": state, "finished_at": db_now(), **_said(error, text)}
        if event_id is not None:
            values["event_id"] = event_id
        self._connection.execute(update(Operation).where(Operation.id == operation_id).values(**values))

    def postpone(self, operation_id: int, until: int, *, error: Exception, unknown: bool = False) -> None:
        """Plan it again for later, or let it be looked up first."""
        values = {"state": "unknown" if unknown else "planned", "next_at": until, **_said(error, "")}
        self._connection.execute(update(Operation).where(Operation.id == operation_id).values(**values))

    def strand(self, account_id: int) -> int:
        """Make what a dead run left as `sending` `unknown`."""
        left = update(Operation).where(Operation.account_id == account_id, Operation.state == "sending")
        return self._connection.execute(left.values(state="unknown", next_at=0)).rowcount

    def rebase(self, operation_id: int, before: Event, after: Event, fields: Collection[str]) -> None:
        """Give one that is not sent yet another base."""
        values = {"before": packed(before), "after": packed(after), "patch": dumps(list(fields))}
        unsent = Operation.id == operation_id, Operation.state.in_(("planned", "held", "unknown"))
        self._connection.execute(update(Operation).where(*unsent).values(**values))

    def hold(self, ids: Collection[int], reason: str, run_id: int) -> None:
        """Let planned ones wait for a person."""
        some = update(Operation).where(Operation.id.in_(ids), Operation.state == "planned")
        self._connection.execute(some.values(state="held", error_class=reason, run_id=run_id))

    def release(self, run_id: int) -> int:
        """Plan what waits for that run again."""
        held = update(Operation).where(Operation.run_id == run_id, Operation.state == "held")
        return self._connection.execute(held.values(state="planned", error_class="", next_at=0)).rowcount

    def approved(self, account_id: int) -> set[int]:
        """Return the ids of planned ones with an approval that has not lapsed."""
        agreed = select(Operation.id).join(Run, Run.id == Operation.run_id)
        agreed = agreed.where(Operation.account_id == account_id, Operation.state == "planned")
        return set(self._connection.execute(agreed.where(Run.approved_until >= db_now())).scalars())

    def creations(self, event_id: int) -> int:
        """Return how often the event was to be created."""
        mine = Operation.event_id == event_id, Operation.kind == "create"
        return self._connection.execute(select(func.count(Operation.id)).where(*mine)).scalar_one()

    def of_event(self, event_id: int, limit: int = 50) -> list[OperationRecord]:
        """Return the journal of an event, newest first."""
        mine = select(_TABLE).where(Operation.event_id == event_id)
        return self._records(mine.order_by(Operation.id.desc()).limit(limit))

    def _records(self, query: Any) -> list[OperationRecord]:
        return [_record(row) for row in self._connection.execute(query).mappings()]


def _keys(event_id: int | None, link_id: int | None) -> tuple[tuple[Any, int | None], ...]:
    return (Operation.event_id, event_id), (Operation.link_id, link_id)


def _earlier(column: str) -> ColumnElement[bool]:
    """Return whether an older operation of the same event, or link, is not over."""
    other = aliased(Operation)
    same = getattr(other, column) == getattr(Operation, column)
    return select(other.id).where(same, other.id < Operation.id, other.state.in_(OPEN)).correlate(Operation).exists()


def _said(error: Exception | None, text: str) -> dict[str, str]:
    if error is None:
        return {"error_class": "", "error_text": text[:512]}
    facts = getattr(error, "facts", {})
    return {
        "error_class": type(error).__name__,
        "error_text": (text or str(error))[:512],
        "request_id": str(facts.get("request_id", ""))[:96],
    }


def _values(operation: OperationRecord) -> dict[str, Any]:
    plain = _FIELDS - _CONTENT - _OURS - _OUTCOME
    return {name: getattr(operation, name) for name in plain} | {
        "patch": dumps(list(operation.fields)),
        "before": packed(operation.before),
        "after": packed(operation.after),
    }


def _record(row: Any) -> OperationRecord:
    return OperationRecord(
        **{name: row[name] for name in _FIELDS - _CONTENT},
        fields=tuple(json.loads(row["patch"])),
        before=unpacked(row["before"]),
        after=unpacked(row["after"]),
    )

"""Numbers for cards and for the administrators' health page; no titles, no addresses."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection as Database
from sqlalchemy import and_, case, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from ...sync.ports.people import CLAIMED, ENDED, TallyRecord
from ..tables import Account, Calendar, Conflict, Connection, Event, Lease, Operation, Process, SyncState

UNSENT = ("planned", "sending", "unknown")


def tallies(database: Database, account_ids: Collection[int]) -> dict[int, TallyRecord]:
    """Return what is counted beside the cards of some accounts; three statements."""
    if not account_ids:
        return {}
    found: dict[int, dict[str, int]] = {key: {} for key in account_ids}
    for statement in (_events(account_ids), _operations(account_ids), _conflicts(account_ids)):
        for row in database.execute(statement).mappings():
            facts = dict(row)
            found[facts.pop("account_id")] |= {name: int(value or 0) for name, value in facts.items()}
    return {key: TallyRecord(**facts) for key, facts in found.items()}


def _events(account_ids: Collection[int]) -> Any:
    return (
        select(
            Calendar.account_id,
            func.count().label("events"),
            func.count(Event.quarantine).label("unread"),
        )
        .join(Event, Event.calendar_id == Calendar.id)
        .where(Calendar.account_id.in_(account_ids), Calendar.reads == "mirror", Calendar.removed_at.is_(None))
        .where(Event.deleted_at.is_(None), Event.kind.in_(("single", "master", "override")))
        .group_by(Calendar.account_id)
    )


def _operations(account_ids: Collection[int]) -> Any:
    created = and_(Operation.state == "done", Operation.target == "remote", Operation.kind == "create")
    return (
        select(
            Operation.account_id,
            _number(Operation.state.in_(UNSENT), "waiting"),
            _number(Operation.state == "held", "held"),
            _number(and_(Operation.state == "failed", ~_replaced()), "failed"),
            _number(created, "sent"),
        )
        .where(Operation.account_id.in_(account_ids))
        .group_by(Operation.account_id)
    )


def _replaced() -> Any:
    """Return whether something newer was planned for the same event or link."""
    newer = aliased(Operation)
    same = or_(newer.event_id == Operation.event_id, newer.link_id == Operation.link_id)
    return exists().where(newer.id > Operation.id, same).correlate(Operation)


def _conflicts(account_ids: Collection[int]) -> Any:
    return (
        select(Calendar.account_id, func.count().label("conflicts"))
        .join(Event, Event.calendar_id == Calendar.id)
        .join(Conflict, Conflict.event_id == Event.id)
        .where(Calendar.account_id.in_(account_ids), Conflict.state == "open")
        .group_by(Calendar.account_id)
    )


def _number(condition: Any, name: str) -> Any:
    return func.sum(case((condition, 1), else_=0)).label(name)


def health(database: Database) -> dict[str, Any]:
    """Return counts and ages of the whole installation."""
    return {
        "accounts": _grouped(database, Account.status),
        "connections": database.execute(select(func.count()).where(Connection.ended_at.is_(None))).scalar_one(),
        "operations": _grouped(database, Operation.state),
        "oldest_operation": _least(database, Operation.created_at, Operation.state.in_(UNSENT)),
        "oldest_due": _oldest_due(database),
        "quarantined": database.execute(select(func.count(Event.quarantine))).scalar_one(),
        "conflicts": database.execute(select(func.count()).where(Conflict.state == "open")).scalar_one(),
        "leases": {row.name: row.until for row in database.execute(select(Lease.name, Lease.until))},
        "processes": [dict(row) for row in database.execute(_processes()).mappings()],
        "standin_accounts": _standins(database),
    }


def _grouped(database: Database, column: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in database.execute(select(column, func.count()).group_by(column))}


def _least(database: Database, column: Any, condition: Any) -> int | None:
    return database.execute(select(func.min(column)).where(condition)).scalar_one()


def _oldest_due(database: Database) -> int | None:
    due = select(func.min(SyncState.next_at)).join(Account, Account.id == SyncState.account_id)
    return database.execute(due.where(Account.status.in_(CLAIMED))).scalar_one()


def _standins(database: Database) -> int:
    counted = select(func.count()).where(Account.standin == true(), Account.status.not_in(ENDED))
    return database.execute(counted).scalar_one()


def _processes() -> Any:
    return select(Process.role, Process.version, Process.started_at, Process.seen_at).order_by(Process.id)

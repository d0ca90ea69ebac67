"""Hints that accounts have work: inserted by anybody, coalesced as well as plain inserts allow (L1, L4)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, literal, null, or_, select

from ...sync.ports.content import WakeRecord
from ..base import db_now
from ..tables import SyncState, Wake

COLUMNS = ("account_id", "calendar_id", "priority", "not_before", "reason", "at")


class Wakes:
    """Implements `sync.ports.content.Wakes`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        account_id: int,
        *,
        calendar_id: int | None = None,
        priority: int = 10,
        delay: int = 0,
        reason: str = "",
    ) -> int | None:
        says_as_much = exists(
            select(Wake.id).where(
                Wake.account_id == account_id,
                Wake.priority <= priority,
                Wake.reason == reason,
                func.coalesce(Wake.not_before, 0) <= (db_now() + delay if delay else literal(0)),
                or_(Wake.calendar_id.is_(None), Wake.calendar_id == calendar_id),
            )
        )
        # A run under way may have read that hint already and be past what this one is about.
        return self._insert(account_id, calendar_id, priority, delay, reason, or_(_running(account_id), ~says_as_much))

    def add_page(self, account_id: int, every: int) -> bool:
        recent = db_now() - every
        woken = exists(select(Wake.id).where(Wake.account_id == account_id, Wake.at > recent))
        just_read = and_(SyncState.account_id == account_id, SyncState.read_ok_at > recent)
        fresh = or_(woken, exists(select(SyncState.account_id).where(just_read)), _running(account_id))
        return self._insert(account_id, None, 0, 0, "page", ~fresh) is not None

    def remove(self, wake_ids: Collection[int]) -> None:
        if wake_ids:
            self._connection.execute(delete(Wake).where(Wake.id.in_(wake_ids)))

    def waiting(self, account_id: int) -> list[WakeRecord]:
        query = select(Wake.id, Wake.calendar_id, Wake.priority, Wake.reason).where(Wake.account_id == account_id)
        return [WakeRecord(*row) for row in self._connection.execute(query.order_by(Wake.priority, Wake.id))]

    def _insert(
        self, account_id: int, calendar_id: int | None, priority: int, delay: int, reason: str, where: Any
    ) -> int | None:
        row = select(
            literal(account_id),
            null() if calendar_id is None else literal(calendar_id),
            literal(priority),
            db_now() + delay if delay else null(),
            literal(reason),
            db_now(),
        ).where(where)
        statement = insert(Wake).from_select(COLUMNS, row).returning(Wake.id)
        return self._connection.execute(statement).scalar_one_or_none()


def _running(account_id: int) -> ColumnElement[bool]:
    leased = and_(SyncState.account_id == account_id, SyncState.lease_until >= db_now())
    return exists(select(SyncState.account_id).where(leased))

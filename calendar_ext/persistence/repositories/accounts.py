"""Accounts: one remote principal in one organisation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from ...sync.ports.people import AccountRecord
from ..base import db_now
from ..tables import Account

FIELDS = tuple(AccountRecord.__dataclass_fields__)
COLUMNS = [getattr(Account, name) for name in FIELDS]


def account_of(row: Any, prefix: str = "") -> AccountRecord:
    """Return the record of a row that holds the columns of `FIELDS`, each name behind `prefix`."""
    facts = {name: row[prefix + name] for name in FIELDS}
    facts["scopes"] = tuple(facts["scopes"].split())
    return AccountRecord(**facts)


class Accounts:
    """Implements `sync.ports.people.Accounts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _one(self, *where: Any) -> AccountRecord | None:
        row = self._connection.execute(select(*COLUMNS).where(*where)).mappings().first()
        return account_of(row) if row else None

    def get(self, account_id: int) -> AccountRecord | None:
        return self._one(Account.id == account_id)

    def by_subject(self, tenant_id: str, provider: str, issuer: str, subject: str) -> AccountRecord | None:
        return self._one(
            Account.tenant_id == tenant_id,
            Account.provider == provider,
            Account.issuer == issuer,
            Account.subject == subject,
        )

    def add(self, account: AccountRecord, now: int) -> AccountRecord:
        values = {name: getattr(account, name) for name in FIELDS if name != "id"}
        values |= {"scopes": " ".join(account.scopes), "created_at": now, "status_at": now}
        key = self._connection.execute(insert(Account).values(values).returning(Account.id)).scalar_one()
        return replace(account, id=key, created_at=now, status_at=now)

    def renew(self, account_id: int, *, email: str, kind: str, scopes: Collection[str], standin: bool) -> None:
        values = {"email": email, "kind": kind, "scopes": " ".join(scopes), "standin": standin}
        self._connection.execute(update(Account).where(Account.id == account_id).values(values))

    def set_status(self, account_id: int, status: str, reason: str = "", *, only_from: Collection[str] = ()) -> bool:
        statement = update(Account).where(Account.id == account_id)
        if only_from:
            statement = statement.where(Account.status.in_(only_from))
        values = {"status": status, "status_reason": reason[:64], "status_at": db_now()}
        return self._connection.execute(statement.values(values)).rowcount == 1

    def every(self, tenant_id: str | None = None) -> list[AccountRecord]:
        statement = select(*COLUMNS).order_by(Account.id)
        if tenant_id is not None:
            statement = statement.where(Account.tenant_id == tenant_id)
        return [account_of(row) for row in self._connection.execute(statement).mappings()]

    def others_of(self, account: AccountRecord) -> int:
        same = (
            Account.id != account.id,
            Account.provider == account.provider,
            Account.issuer == account.issuer,
            Account.subject == account.subject,
            Account.status != "disconnected",
        )
        return self._connection.execute(select(func.count()).select_from(Account).where(*same)).scalar_one()

    def remove(self, account_id: int) -> None:
        self._connection.execute(delete(Account).where(Account.id == account_id))

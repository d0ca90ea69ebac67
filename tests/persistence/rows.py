"""Rows to begin with: an account with its sync state, made without any service."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, insert

from calendar_ext.persistence.tables import Account, SyncState


def account(engine: Engine, **facts: Any) -> int:
    """Insert an account with its sync state at epoch 1; return its id."""
    number = facts.pop("number", 1)
    values = {
        "public_id": f"account-{number:014d}",
        "tenant_id": "t1",
        "provider": "memory",
        "issuer": "https://issuer.test",
        "subject": f"subject-{number}",
        "email": f"person{number}@example.test",
        "created_at": 1,
    }
    with engine.begin() as connection:
        made = insert(Account).values(values | facts).returning(Account.id)
        key = connection.execute(made).scalar_one()
        connection.execute(insert(SyncState).values(account_id=key, epoch=1))
    return key

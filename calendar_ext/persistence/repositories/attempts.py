"""Sign-ins under way. A state is looked up by its hash; the attempt is taken by one conditional UPDATE."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ...sync.ports.people import AttemptRecord
from ..tables import OAuthAttempt

FIELDS = tuple(AttemptRecord.__dataclass_fields__)
COLUMNS = [getattr(OAuthAttempt, name) for name in FIELDS]


class Attempts:
    """Implements `sync.ports.people.Attempts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _one(self, *where: Any) -> AttemptRecord | None:
        row = self._connection.execute(select(*COLUMNS).where(*where)).mappings().first()
        return AttemptRecord(**row) if row else None

    def add(self, attempt: AttemptRecord, state_hash: str) -> None:
        values = {name: getattr(attempt, name) for name in FIELDS if name != "id"}
        self._connection.execute(insert(OAuthAttempt).values(values | {"state_hash": state_hash}))

    def by_state(self, state_hash: str) -> AttemptRecord | None:
        return self._one(OAuthAttempt.state_hash == state_hash)

    def consume(self, attempt_id: int, at: int) -> bool:
        free = (OAuthAttempt.consumed_at.is_(None), OAuthAttempt.expires_at > at)
        taken = update(OAuthAttempt).where(OAuthAttempt.id == attempt_id, *free).values(consumed_at=at)
        return self._connection.execute(taken).rowcount == 1

    def finish(self, attempt_id: int, outcome: str, connection: str = "") -> None:
        values = {"outcome": outcome[:48], "connection": connection, "verifier": b""}
        self._connection.execute(update(OAuthAttempt).where(OAuthAttempt.id == attempt_id).values(values))

    def find(self, public_id: str, tenant_id: str, user_id: str) -> AttemptRecord | None:
        mine = (OAuthAttempt.tenant_id == tenant_id, OAuthAttempt.user_id == user_id)
        return self._one(OAuthAttempt.public_id == public_id, *mine)

    def remove_expired(self, before: int) -> int:
        return self._connection.execute(delete(OAuthAttempt).where(OAuthAttempt.expires_at < before)).rowcount

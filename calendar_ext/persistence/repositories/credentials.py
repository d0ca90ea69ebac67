"""Sealed secrets; a refresh is a compare-and-set on `version` (trust.md T-10)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from ...sync.ports.running import CredentialRecord, Sealed
from ..tables import Credential
from .upserts import insert_into

_COLUMNS = (
    Credential.account_id,
    Credential.kind,
    Credential.ciphertext,
    Credential.wrapped_dek,
    Credential.key_id,
    Credential.version,
    Credential.expires_at,
    Credential.state,
)


#: Ready-made: every poll asks it.
_GET = select(*_COLUMNS).where(Credential.account_id == bindparam("account"), Credential.kind == bindparam("kind"))


class Credentials:
    """Answers `sync.ports.running.Credentials`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, account_id: int, kind: str) -> CredentialRecord | None:
        """Return the secret as stored."""
        row = self._connection.execute(_GET, {"account": account_id, "kind": kind}).first()
        return _record(row) if row else None

    def put(self, account_id: int, kind: str, sealed: Sealed, *, expires_at: int | None = None) -> int:
        """Store it in place of any other; return its version."""
        values = _values(sealed, expires_at)
        stored = insert_into(self._connection, Credential).values(account_id=account_id, kind=kind, version=1, **values)
        stored = stored.on_conflict_do_update(
            index_elements=["account_id", "kind"], set_=values | {"version": Credential.version + 1}
        )
        return self._connection.execute(stored.returning(Credential.version)).scalar_one()

    def swap(self, account_id: int, kind: str, sealed: Sealed, *, version: int, expires_at: int | None = None) -> bool:
        """Store it if nobody stored another meanwhile."""
        swapped = update(Credential).where(*_is(account_id, kind), Credential.version == version)
        values = _values(sealed, expires_at) | {"version": version + 1}
        return self._connection.execute(swapped.values(values)).rowcount == 1

    def mark(self, account_id: int, kind: str, state: str) -> None:
        """Write `state` and nothing else."""
        self._connection.execute(update(Credential).where(*_is(account_id, kind)).values(state=state))

    def erase(self, account_id: int) -> int:
        """Delete every secret of the account."""
        return self._connection.execute(delete(Credential).where(Credential.account_id == account_id)).rowcount

    def erase_all(self) -> int:
        """Delete every secret there is."""
        return self._connection.execute(delete(Credential)).rowcount

    def accounts(self) -> list[int]:
        """Return the ids of accounts that have a secret."""
        query = select(Credential.account_id).distinct().order_by(Credential.account_id)
        return list(self._connection.scalars(query))

    def any(self) -> CredentialRecord | None:
        """Return the newest secret, to try the keys on."""
        row = self._connection.execute(select(*_COLUMNS).order_by(Credential.id.desc()).limit(1)).first()
        return _record(row) if row else None


def _is(account_id: int, kind: str) -> tuple[Any, Any]:
    return Credential.account_id == account_id, Credential.kind == kind


def _values(sealed: Sealed, expires_at: int | None) -> dict[str, Any]:
    secret = {"ciphertext": sealed.ciphertext, "wrapped_dek": sealed.wrapped_dek, "key_id": sealed.key_id}
    return secret | {"expires_at": expires_at, "state": "ok"}


def _record(row: Any) -> CredentialRecord:
    sealed = Sealed(row.ciphertext, row.wrapped_dek, row.key_id)
    return CredentialRecord(row.account_id, row.kind, sealed, row.version, row.expires_at, row.state)

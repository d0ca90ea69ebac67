"""Connections: one person's use of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection as Database
from sqlalchemy import delete, insert, select, update

from ...sync.ports.people import ConnectionRecord
from ..tables import Connection

FIELDS = tuple(ConnectionRecord.__dataclass_fields__)
COLUMNS = [getattr(Connection, name) for name in FIELDS]
#: Columns that hold a JSON object; an empty text is an empty object.
OBJECTS = ("settings", "first_sync", "leaving")


def connection_of(row: Any, prefix: str = "") -> ConnectionRecord:
    """Return the record of a row that holds the columns of `FIELDS`, each name behind `prefix`."""
    facts = {name: row[prefix + name] for name in FIELDS}
    facts |= {name: object_of(facts[name]) for name in OBJECTS}
    return ConnectionRecord(**facts)


def object_of(text: str | None) -> dict[str, Any]:
    """Return a stored JSON object; nothing stored is an empty one."""
    return orjson.loads(text) if text else {}


def text_of(facts: Mapping[str, Any]) -> str:
    """Return a JSON object as it is stored; an empty one is an empty text."""
    return orjson.dumps(dict(facts)).decode() if facts else ""


class Connections:
    """Implements `sync.ports.people.Connections`."""

    def __init__(self, connection: Database) -> None:
        self._connection = connection

    def _many(self, *where: Any) -> list[ConnectionRecord]:
        statement = select(*COLUMNS).where(*where).order_by(Connection.id)
        return [connection_of(row) for row in self._connection.execute(statement).mappings()]

    def _one(self, *where: Any) -> ConnectionRecord | None:
        return next(iter(self._many(*where)), None)

    def get(self, connection_id: int) -> ConnectionRecord | None:
        return self._one(Connection.id == connection_id)

    def find(self, public_id: str, tenant_id: str, owner_id: str) -> ConnectionRecord | None:
        mine = (Connection.tenant_id == tenant_id, Connection.owner_id == owner_id)
        return self._one(Connection.public_id == public_id, *mine, Connection.ended_at.is_(None))

    def of_account(self, account_id: int) -> list[ConnectionRecord]:
        return self._many(Connection.account_id == account_id, Connection.ended_at.is_(None))

    def of_owner(self, tenant_id: str, owner_id: str) -> list[ConnectionRecord]:
        mine = (Connection.tenant_id == tenant_id, Connection.owner_id == owner_id)
        return self._many(*mine, Connection.ended_at.is_(None))

    def of_user(self, owner_id: str) -> list[ConnectionRecord]:
        return self._many(Connection.owner_id == owner_id, Connection.ended_at.is_(None))

    def any_of(self, account_id: int, owner_id: str) -> ConnectionRecord | None:
        return self._one(Connection.account_id == account_id, Connection.owner_id == owner_id)

    def add(self, connection: ConnectionRecord, now: int) -> ConnectionRecord:
        values = {name: getattr(connection, name) for name in FIELDS if name != "id"}
        values |= {name: text_of(values[name]) for name in OBJECTS} | {"created_at": now}
        key = self._connection.execute(insert(Connection).values(values).returning(Connection.id)).scalar_one()
        return replace(connection, id=key, created_at=now)

    def _set(self, connection_id: int, **values: Any) -> None:
        self._connection.execute(update(Connection).where(Connection.id == connection_id).values(values))

    def reopen(self, connection_id: int) -> None:
        self._set(connection_id, ended_at=None, leaving="", paused_by="", paused_at=None)

    def pause(self, connection_id: int, by: str, at: int) -> None:
        self._set(connection_id, paused_by=by, paused_at=at)

    def resume(self, connection_id: int) -> None:
        self._set(connection_id, paused_by="", paused_at=None)

    def set_settings(self, connection_id: int, settings: Mapping[str, Any]) -> None:
        self._set(connection_id, settings=text_of(settings))

    def set_direction(self, connection_id: int, direction: str) -> None:
        self._set(connection_id, direction=direction)

    def set_first_sync(self, connection_id: int, facts: Mapping[str, Any]) -> None:
        self._set(connection_id, first_sync=text_of(facts))

    def set_leaving(self, connection_id: int, leaving: Mapping[str, Any]) -> None:
        self._set(connection_id, leaving=text_of(leaving))

    def end(self, connection_id: int, at: int) -> None:
        self._set(connection_id, ended_at=at, leaving="")

    def remove_ended(self, before: int) -> int:
        return self._connection.execute(delete(Connection).where(Connection.ended_at < before)).rowcount

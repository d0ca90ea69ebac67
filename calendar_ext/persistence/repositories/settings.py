"""Organisation-wide settings, as JSON values."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from ..tables import Setting
from .upserts import insert_into

_KEY = ["tenant_id", "key"]


class Settings:
    """Answers `sync.ports.running.Settings`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str, *, tenant_id: str = "", default: Any = None) -> Any:
        """Return the value, or `default`."""
        query = select(Setting.value).where(Setting.tenant_id == tenant_id, Setting.key == key)
        stored = self._connection.execute(query).scalar()
        return default if stored is None else json.loads(stored)

    def put(self, key: str, value: Any, *, tenant_id: str = "") -> None:
        """Store the value in place of any other."""
        written = self._insert(key, value, tenant_id)
        text = written.excluded.value
        self._connection.execute(written.on_conflict_do_update(index_elements=_KEY, set_={"value": text}))

    def put_default(self, key: str, value: Any, *, tenant_id: str = "") -> bool:
        """Store the value unless there is one."""
        written = self._insert(key, value, tenant_id).on_conflict_do_nothing(index_elements=_KEY)
        return self._connection.execute(written.returning(Setting.key)).first() is not None

    def all(self, *, tenant_id: str = "") -> dict[str, Any]:
        """Return every setting of one organisation."""
        query = select(Setting.key, Setting.value).where(Setting.tenant_id == tenant_id)
        return {key: json.loads(value) for key, value in self._connection.execute(query)}

    def _insert(self, key: str, value: Any, tenant_id: str) -> Any:
        return insert_into(self._connection, Setting).values(tenant_id=tenant_id, key=key, value=json.dumps(value))

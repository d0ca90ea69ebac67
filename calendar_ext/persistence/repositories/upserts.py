"""INSERT with ON CONFLICT, in the words of whichever of the two databases a connection talks to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_into(connection: Connection, entity: Any) -> Any:
    """Return the dialect's `insert(entity)`, which has `on_conflict_do_update` and `excluded`."""
    return _INSERTS[connection.dialect.name](entity)


def insert_ignoring(connection: Connection, entity: Any, values: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those whose key is taken are left as they are."""
    if values:
        connection.execute(insert_into(connection, entity).on_conflict_do_nothing(), list(values))

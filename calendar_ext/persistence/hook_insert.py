"""What a hook does to the host's transaction: one row, one statement, inside a savepoint (data-model.md L1, L2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, exists, insert, select

from ..sync.ports.plan import HookInsert, HostChangeRecord
from .base import db_now
from .repositories.event_json import dumps
from .tables import HostChange, Installation
from .unit_of_work import begin_writing, named

_COLUMNS = HostChange.__table__.c
_GIVEN = ("kind", "ref", "version", "actor_id", "origin", "payload")
#: The installation is asked in the statement itself: no cache, and nothing is written while it is not active.
_INSERT = insert(HostChange).from_select(
    ["at", *_GIVEN],
    select(db_now(), *(bindparam(name, type_=_COLUMNS[name].type) for name in _GIVEN)).where(
        exists(select(Installation.id).where(Installation.state == "active"))
    ),
)


class SqlHookInsert(HookInsert):
    """Writes into whatever transaction the host has open; never flushes, commits or rolls back the host's work.

    :param engine: returns the host's engine, for hosts that fire after their commit.
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine

    def __call__(self, session: Any, change: HostChangeRecord) -> None:
        """Insert the change where the extension is active; see the port."""
        if session is None:
            self._alone(change)
            return
        # Not session.begin_nested(): it flushes, and the host's own invalid row would fail inside our `except`.
        connection = session.connection(bind_arguments={"mapper": HostChange})
        _begin(connection)
        with named(), connection.begin_nested():
            connection.execute(_INSERT, _values(change))

    def _alone(self, change: HostChangeRecord) -> None:
        with named(), self._engine().connect() as connection:
            begin_writing(connection)
            connection.execute(_INSERT, _values(change))
            connection.commit()


def _begin(connection: Connection) -> None:
    # On SQLite a savepoint that opens the transaction commits at its release: our row would survive a host's rollback.
    if connection.dialect.name != "sqlite":
        return
    driver = connection.connection.driver_connection
    if driver is not None and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _values(change: HostChangeRecord) -> dict[str, Any]:
    return {name: getattr(change, name) for name in _GIVEN} | {"payload": dumps(change.payload)}

"""The marketplace's record of us, for hosts that keep none: two tables, made by the first operation.

They have a `MetaData` of their own because they exist before the first migration and outlive the last.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Identity,
    MetaData,
    String,
    Table,
    Text,
    insert,
    inspect,
    or_,
    select,
    update,
)

from ..errors import NotInstalled
from .base import NAMING, PREFIX, Key, db_now
from .unit_of_work import begin_writing, translated

_METADATA = MetaData(naming_convention=NAMING)
REGISTRY = Table(
    f"{PREFIX}registry",
    _METADATA,
    Column("plugin_id", String(64), primary_key=True),
    Column("state", String(16), nullable=False, default="available"),
    Column("version", String(32), nullable=False, default=""),
    Column("schema_revision", String(32), nullable=False, default=""),
    Column("manifest_sha256", String(64), nullable=False, default=""),
    Column("options", Text, nullable=False, default="{}"),
    Column("accepted_permissions", Text, nullable=False, default="[]"),
    Column("generation", BigInteger, nullable=False, default=0),
    Column("op", String(32)),
    Column("op_id", String(36)),
    Column("op_owner", String(128)),
    Column("op_until", BigInteger),
    Column("op_step", String(64)),
    Column("last_error", Text, nullable=False, default=""),
    Column("purge_at", BigInteger),
    Column("changed_by", String(64)),
    Column("changed_at", BigInteger),
)
LOG = Table(
    f"{PREFIX}registry_log",
    _METADATA,
    Column("id", Key, Identity(), primary_key=True),
    Column("op_id", String(36), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("facts", Text, nullable=False, default="{}"),
)
REGISTRY_TABLES = frozenset(_METADATA.tables)

_JSON = ("options", "accepted_permissions")
_KEPT = (*_JSON, "version", "schema_revision", "manifest_sha256", "last_error", "purge_at")
_SHOWN = ("state", "version", "options", "generation", "op_owner", "op_step", "last_error")

Result = TypeVar("Result")


class OwnRegistry:
    """What `contract.Registry` asks for, in tables of our own.

    :param entry: makes what `read` returns, from an id and keywords: `contract.RegistryEntry`.
    :param owner: what this process calls itself: host name and process id.
    :param renewal: seconds by which a step renews its claim.
    """

    def __init__(
        self, engine: Callable[[], Engine], entry: Callable[..., Any], *, owner: str, renewal: int = 120
    ) -> None:
        self._engine = engine
        self._entry = entry
        self._owner = owner
        self._renewal = renewal

    def read(self, id: str) -> Any:
        """Return the entry; one in state `available` where there is no row or no table."""
        running = REGISTRY.c.op_until >= db_now()
        query = select(REGISTRY, running.label("running")).where(REGISTRY.c.plugin_id == id)
        try:
            with translated(), self._engine().connect() as connection:
                row = connection.execute(query).mappings().first()
        except NotInstalled:
            row = None
        if row is None:
            return self._entry(id)
        facts = {name: row[name] for name in _SHOWN} | {"options": json.loads(row["options"])}
        return self._entry(id, op=row["op"] if row["running"] else None, **facts)

    def claim(self, id: str, op: str, expected_generation: int | None, ttl: int, actor_id: str | None) -> str | None:
        """Take the slot by one conditional UPDATE; None: a stale form, or somebody else is at it."""
        op_id = str(uuid4())
        free = or_(REGISTRY.c.op.is_(None), REGISTRY.c.op_until < db_now())
        still = [] if expected_generation is None else [REGISTRY.c.generation == expected_generation]
        facts = {"op": op, "op_id": op_id, "op_owner": self._owner, "op_until": db_now() + ttl, "changed_by": actor_id}

        def take(connection: Connection) -> str | None:
            _ensure(connection, id)
            taken = connection.execute(update(REGISTRY).where(REGISTRY.c.plugin_id == id, free, *still).values(facts))
            if taken.rowcount != 1:
                return None
            _append(connection, op_id, f"{op} started", by=actor_id or "")
            return op_id

        return self._write(take)

    def step(self, op_id: str, name: str) -> None:
        """Remember how far the operation is, and renew the claim."""
        values = {"op_step": name, "op_until": db_now() + self._renewal}

        def remember(connection: Connection) -> None:
            connection.execute(update(REGISTRY).where(REGISTRY.c.op_id == op_id).values(values))
            _append(connection, op_id, name)

        self._write(remember)

    def finish(self, op_id: str, state: str, **changes: Any) -> None:
        """Write the new state and free the claim; a claim that was lost to somebody else writes nothing."""
        kept = {name: value for name, value in changes.items() if name in _KEPT}
        kept |= {name: json.dumps(kept[name]) for name in _JSON if name in kept}
        free = {"op": None, "op_id": None, "op_owner": None, "op_until": None, "op_step": None}
        values = {**kept, **free, "state": state, "generation": REGISTRY.c.generation + 1, "changed_at": db_now()}

        def close(connection: Connection) -> None:
            connection.execute(update(REGISTRY).where(REGISTRY.c.op_id == op_id).values(values))
            _append(connection, op_id, f"finished as {state}", error=changes.get("last_error", ""))

        self._write(close)

    def log(self, op_id: str, text: str, **facts: Any) -> None:
        """Append one line."""
        self._write(lambda connection: _append(connection, op_id, text, **facts))

    def forget(self) -> None:
        """Drop both tables: nothing of ours is left."""
        self._write(lambda connection: _METADATA.drop_all(connection))

    def _write(self, work: Callable[[Connection], Result]) -> Result:
        with translated(), self._engine().connect() as connection:
            begin_writing(connection)
            done = work(connection)
            connection.commit()
            return done


def _ensure(connection: Connection, id: str) -> None:
    """Make tables and row where they are missing; of several at once one makes them, the others find them."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE pg_catalog.pg_namespace IN SHARE ROW EXCLUSIVE MODE")
    if not inspect(connection).has_table(REGISTRY.name):
        _METADATA.create_all(connection)
    known = connection.scalar(select(REGISTRY.c.plugin_id).where(REGISTRY.c.plugin_id == id))
    if known is None:
        connection.execute(insert(REGISTRY).values(plugin_id=id))


def _append(connection: Connection, op_id: str, text: str, **facts: Any) -> None:
    line = {"op_id": op_id, "at": db_now(), "text": text, "facts": json.dumps(facts, default=str)}
    connection.execute(insert(LOG).values(line))


def entries(connection: Connection, limit: int = 50) -> list[Any]:
    """Return the newest lines of the log, newest first."""
    return list(connection.execute(select(LOG).order_by(LOG.c.id.desc()).limit(limit)))

"""Copy this: the marketplace's record of who runs which operation, how far it is: two tables, short transactions."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from calendar_ext.contract import RegistryEntry

from .models import MarketplaceLog, MarketplacePlugin, db

PLUGIN = MarketplacePlugin.__table__
LOG = MarketplaceLog.__table__
#: Claims last this long unless a step renews them; a dead process frees its slot by time alone.
RENEWAL_SECONDS = 120
KEPT = ("version", "schema_revision", "manifest_sha256", "options", "accepted_permissions", "last_error", "purge_at")

_expected: ContextVar[int | None] = ContextVar("expected_generation", default=None)


@contextmanager
def as_of(generation: int) -> Iterator[None]:
    """Let operations started inside claim only if the entry is still at the `generation` that the form showed."""
    token = _expected.set(generation)
    try:
        yield
    finally:
        _expected.reset(token)


class MarketplaceRegistry:
    """The `calendar_ext.contract.Registry` of this host. Needs an application context."""

    def read(self, id: str) -> RegistryEntry:
        with db.engine.connect() as connection:
            row = connection.execute(select(PLUGIN).where(PLUGIN.c.plugin_id == id)).mappings().first()
        if row is None:
            return RegistryEntry(id)
        running = row["op"] if (row["op_until"] or 0) >= time.time() else None
        names = ("state", "version", "options", "generation", "op_owner", "op_step", "last_error")
        return RegistryEntry(id, op=running, **{name: row[name] for name in names})

    def claim(
        self,
        id: str,
        op: str,
        expected_generation: int | None = None,
        ttl: int = RENEWAL_SECONDS,
        actor_id: str | None = None,
    ) -> str | None:
        """Copy this: one conditional UPDATE decides; whoever changes no row is late or holds a stale form."""
        expected = _expected.get() if expected_generation is None else expected_generation
        op_id, now = str(uuid.uuid4()), int(time.time())
        free = or_(PLUGIN.c.op.is_(None), PLUGIN.c.op_until < now)
        still = [PLUGIN.c.generation == expected] if expected is not None else []
        values = {"op": op, "op_id": op_id, "op_owner": _owner(), "op_until": now + ttl, "changed_by": actor_id}
        with db.engine.begin() as connection:
            _ensure(connection, id)
            claimed = connection.execute(update(PLUGIN).where(PLUGIN.c.plugin_id == id, free, *still).values(values))
            if claimed.rowcount != 1:
                return None
            _append(connection, op_id, f"{op} started")
        return op_id

    def step(self, op_id: str, name: str) -> None:
        until = int(time.time()) + RENEWAL_SECONDS
        with db.engine.begin() as connection:
            connection.execute(update(PLUGIN).where(PLUGIN.c.op_id == op_id).values(op_step=name, op_until=until))
            _append(connection, op_id, name)

    def finish(self, op_id: str, state: str, **changes: Any) -> None:
        """Write the new state and free the claim; a claim that was lost to somebody else writes nothing."""
        values = {name: value for name, value in changes.items() if name in KEPT}
        free = {"op": None, "op_until": None, "op_step": None, "op_owner": None}
        values |= {**free, "state": state, "generation": PLUGIN.c.generation + 1, "changed_at": int(time.time())}
        with db.engine.begin() as connection:
            _append(connection, op_id, f"finished as {state}", error=changes.get("last_error", ""))
            connection.execute(update(PLUGIN).where(PLUGIN.c.op_id == op_id).values(values | {"op_id": None}))

    def log(self, op_id: str, text: str, **facts: Any) -> None:
        with db.engine.begin() as connection:
            _append(connection, op_id, text, **facts)

    def entries(self, id: str, limit: int = 50) -> list[Any]:
        """Return the newest lines of the log, newest first."""
        query = select(LOG).where(LOG.c.plugin_id == id).order_by(LOG.c.id.desc()).limit(limit)
        with db.engine.connect() as connection:
            return list(connection.execute(query))

    def record(self, id: str) -> MarketplacePlugin | None:
        """Return the whole row for the card: error, who changed it, when the data goes."""
        return db.session.get(MarketplacePlugin, id, populate_existing=True)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _ensure(connection: Connection, id: str) -> None:
    """Make the row if it is missing; of two that try at once, one inserts and the other finds it."""
    values = {"plugin_id": id, "state": "available", "version": "", "schema_revision": "", "manifest_sha256": ""}
    values |= {"options": {}, "accepted_permissions": [], "generation": 0, "last_error": ""}
    upsert = _insert(connection)(PLUGIN).values(values).on_conflict_do_nothing(index_elements=["plugin_id"])
    connection.execute(upsert)


def _insert(connection: Connection) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as upsert
    else:
        from sqlalchemy.dialects.sqlite import insert as upsert
    return upsert


def _append(connection: Connection, op_id: str, text: str, **facts: Any) -> None:
    """Append one line under the plugin that the operation belongs to, or belonged to."""
    known = select(PLUGIN.c.plugin_id, PLUGIN.c.changed_by).where(PLUGIN.c.op_id == op_id)
    row = connection.execute(known).first()
    earlier = select(LOG.c.plugin_id, LOG.c.actor_id).where(LOG.c.op_id == op_id).limit(1)
    plugin_id, actor_id = row or connection.execute(earlier).first() or ("", None)
    line = {"plugin_id": plugin_id, "op_id": op_id, "at": int(time.time()), "actor_id": actor_id}
    connection.execute(insert(LOG).values(**line, text=text, facts={name: str(fact) for name, fact in facts.items()}))

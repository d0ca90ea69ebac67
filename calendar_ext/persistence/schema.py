"""Make, change, compare and drop our tables, by our own history (host-contract.md 10, data-model.md L13).

One process at a time: PostgreSQL by an advisory lock of the session, SQLite by the write lock, which is taken before
anything else because a `CREATE TABLE` outside a transaction would survive a rollback.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from alembic import autogenerate, command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, inspect, text
from sqlalchemy.exc import OperationalError

from .._resources import migrations_dir
from ..errors import StoreUnavailable
from .base import PREFIX, VERSION_TABLE, Base
from .registry import REGISTRY_TABLES
from .unit_of_work import begin_writing, is_unavailable

#: A lock key of PostgreSQL's: any number that only we use.
ADVISORY_KEY = 0x63616C5F65787401
#: `ALTER` waits no longer, for whatever waits for it waits too.
LOCK_TIMEOUT = "1s"
PATIENCE_SECONDS = 110.0
_PAUSE_SECONDS = 0.2
_LOCK_NOT_AVAILABLE = "55P03"

Result = TypeVar("Result")
#: Alembic keeps the running environment in module globals.
_one_thread = threading.Lock()


def _ours(name: str | None, kind: str, parents: Any) -> bool:
    return kind != "table" or ((name or "").startswith(PREFIX) and name not in REGISTRY_TABLES)


#: How our history is kept and compared, online and offline.
COMPARE: dict[str, Any] = {"version_table": VERSION_TABLE, "include_name": _ours, "compare_type": True}


class Schema:
    """Our tables in the host's database. Every call uses a connection of its own."""

    def __init__(self, engine: Callable[[], Engine], *, patience: float = PATIENCE_SECONDS) -> None:
        self._engine = engine
        self._patience = patience

    def head(self) -> str:
        """Return the newest revision this code knows."""
        return ScriptDirectory.from_config(_config()).get_current_head() or ""

    def knows(self, revision: str) -> bool:
        """Return whether this code has that revision; if not, the tables are newer than the code."""
        return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}

    def current(self) -> str | None:
        """Return the revision of the tables; None where there are none."""
        with self._engine().connect() as connection:
            return _revision(connection)

    def upgrade(self, revision: str = "head") -> None:
        """Bring the tables up to `revision`, in one transaction; repeating it does nothing.

        :raises StoreUnavailable: another process is at it for too long, or a long transaction of the host blocks us.
        """
        self._change(lambda connection: command.upgrade(_config(connection=connection), revision))

    def downgrade(self, revision: str) -> None:
        """Bring the tables down to `revision`; `base` drops them all."""
        self._change(lambda connection: command.downgrade(_config(connection=connection), revision))

    def drop(self) -> None:
        """Drop every table of ours, the version table last; repeatable. The registry's own tables stay."""
        self._change(_drop)

    def sql(self, dialect: str | None = None) -> str:
        """Return the statements that make everything from nothing, for people who run them by hand."""
        buffer = io.StringIO()
        config = _config(dialect=dialect or self._engine().dialect.name)
        config.output_buffer = buffer
        with _one_thread:
            command.upgrade(config, "head", sql=True)
        return buffer.getvalue()

    def drift(self) -> list[Any]:
        """Return what Alembic would change to make the tables what the code says; empty is right."""
        with self._engine().connect() as connection:
            context = MigrationContext.configure(connection, opts=COMPARE)
            return list(autogenerate.compare_metadata(context, Base.metadata))

    def _change(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` under the lock; try again while the host's own transactions hold what it needs."""
        ends_at = time.monotonic() + self._patience
        with _one_thread:
            while True:
                try:
                    with self._locked(ends_at) as connection:
                        return work(connection)
                except OperationalError as error:
                    if not is_unavailable(error):
                        raise
                    if not _busy(error) or time.monotonic() >= ends_at:
                        raise StoreUnavailable from error
                time.sleep(_PAUSE_SECONDS)

    @contextmanager
    def _locked(self, ends_at: float) -> Iterator[Connection]:
        with self._engine().connect() as connection:
            if connection.dialect.name == "sqlite":
                begin_writing(connection)
                yield connection
                connection.commit()
            else:
                with _advisory_lock(connection, ends_at), connection.begin():
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                    yield connection


@contextmanager
def _advisory_lock(connection: Connection, ends_at: float) -> Iterator[None]:
    """Hold the session's advisory lock. Asked again and again, not waited for: a waiter would hold a snapshot."""
    key = {"key": ADVISORY_KEY}
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
        connection.commit()
        if time.monotonic() >= ends_at:
            raise StoreUnavailable("Another process is changing the tables.")
        time.sleep(_PAUSE_SECONDS)
    connection.commit()
    try:
        yield
    finally:
        connection.scalar(text("SELECT pg_advisory_unlock(:key)"), key)
        connection.commit()


def _busy(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE or "locked" in str(error.orig)


def _config(**attributes: Any) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.attributes.update(attributes)
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts=COMPARE).get_current_revision()


def _drop(connection: Connection) -> None:
    names = [name for name in inspect(connection).get_table_names() if _ours(name, "table", None)]
    found = MetaData()
    found.reflect(connection, only=names)
    tables = [table for table in reversed(found.sorted_tables) if table.name != VERSION_TABLE]
    tables += [found.tables[VERSION_TABLE]] if VERSION_TABLE in names else []
    for table in tables:
        table.drop(connection)

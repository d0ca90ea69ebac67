"""Short transactions on own connections of the host's engine: fence first, never inside one another (L5, L9, L10)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any, cast

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, TimeoutError

from ..errors import Defect, LeaseLost, NotInstalled, Refused, StoreUnavailable
from ..limits import Limits
from ..sync.ports.store import Fence, Store, UnitOfWork
from .base import db_now
from .repositories.fences import hold
from .tables import Installation
from .turns import Turns

#: Attributes of a unit of work; each is a module of `repositories` whose class is the name in CamelCase.
REPOSITORIES = frozenset(UnitOfWork.__annotations__)

#: What SQLite, which calls nearly everything an operational error, says of a statement that can never succeed.
_STATEMENT = re.compile(r"no such |already exists|syntax error|has no column")
_ACTIVE = select(Installation.id).where(Installation.state == "active")


class SqlUnitOfWork:
    """One open transaction: answers `UnitOfWork`. Repositories are made on first use."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Any:
        if name not in REPOSITORIES:
            raise AttributeError(name)
        module = import_module(f"{__package__}.repositories.{name}")
        repository = getattr(module, name.title().replace("_", ""))(self.connection)
        setattr(self, name, repository)
        return repository

    def now(self) -> int:
        """Return UTC seconds by the database's clock."""
        return int(self.connection.execute(select(db_now())).scalar_one())


class SqlStore(Store):
    """Units of work on SQLite or PostgreSQL.

    :param engine: returns the host's engine; asked each time, since it may not exist before the first request.
    """

    def __init__(self, engine: Callable[[], Engine], limits: Limits | None = None) -> None:
        self._engine = engine
        self._limits = limits or Limits()
        self._turns = Turns(self._limits.sqlite_rest_factor)
        self._inside = threading.local()

    @property
    def chunk_rows(self) -> int:
        """Return how many rows a background chunk may hold on this database."""
        return self._limits.sqlite_chunk_rows if self._on_sqlite() else self._limits.postgresql_chunk_rows

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Open a transaction that is rolled back at its end."""
        with self._connected() as connection:
            yield cast(UnitOfWork, SqlUnitOfWork(connection))

    @contextmanager
    def write(self, fence: Fence | None = None, *, only_active: bool = False) -> Iterator[UnitOfWork]:
        """Open a transaction that commits at its end, rolls back on an error; what it raises stands in the port."""
        with self._turn(fence) as began, self._connected() as connection:
            begin_writing(connection)
            began()
            if fence:
                _hold(connection, fence)
            elif only_active:
                _require_active(connection)
            yield cast(UnitOfWork, SqlUnitOfWork(connection))
            connection.commit()

    def _on_sqlite(self) -> bool:
        return self._engine().dialect.name == "sqlite"

    def _turn(self, fence: Fence | None) -> AbstractContextManager[Callable[[], None]]:
        return self._turns.taken() if fence and self._on_sqlite() else nullcontext(lambda: None)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if getattr(self._inside, "open", False):
            raise Defect("A unit of work was opened inside another one.")
        self._inside.open = True
        try:
            with translated(), self._engine().connect() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execution_options(isolation_level="READ COMMITTED")
                yield connection
        finally:
            self._inside.open = False


def begin_writing(connection: Connection) -> None:
    """Begin a transaction that holds SQLite's write lock from its start; on PostgreSQL just begin it."""
    connection.begin()
    if connection.dialect.name != "sqlite":
        return
    driver = connection.connection.driver_connection
    if driver is not None and driver.in_transaction:
        # A host's own deferred BEGIN: it would have to upgrade later, which fails at once beside another writer (L10).
        connection.exec_driver_sql("ROLLBACK")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def named() -> Iterator[None]:
    """Say of a missing table that we are not installed; leave every other error as it is."""
    try:
        yield
    except DBAPIError as error:
        if is_missing_table(error):
            raise NotInstalled from error
        raise


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the database says into errors that rooms without SQL know."""
    try:
        with named():
            yield
    except (IntegrityError, DataError) as error:
        raise Refused("The database does not take these values.", reason=type(error).__name__) from error
    except TimeoutError as error:
        raise StoreUnavailable from error
    except DBAPIError as error:
        if is_unavailable(error):
            raise StoreUnavailable from error
        raise


def is_unavailable(error: DBAPIError) -> bool:
    """Return whether the database was down, locked or failing over, and the statement itself is not to blame."""
    return isinstance(error, (OperationalError, InterfaceError)) and not _STATEMENT.search(str(error.orig))


def is_missing_table(error: DBAPIError) -> bool:
    """Return whether the statement named a table that is not there: we were never installed, or are gone."""
    return getattr(error.orig, "sqlstate", None) == "42P01" or str(error.orig).startswith("no such table")


def _hold(connection: Connection, fence: Fence) -> None:
    if not hold(connection, fence):
        raise LeaseLost(account_id=fence.account_id, epoch=fence.epoch)


def _require_active(connection: Connection) -> None:
    if connection.execute(_ACTIVE.with_for_update(read=True)).first() is None:
        raise LeaseLost("Calendar is not active.")

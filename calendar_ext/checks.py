"""What only this process can tell: whether its Python, database and host can carry us, and what is set up unsafely."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine, StaticPool
from sqlalchemy.exc import SQLAlchemyError

from .errors import CalendarExtError, Refused
from .persistence.base import PREFIX
from .persistence.tables import HostChange
from .providers.endpoints import refuse_insecure_environment
from .services import terms

OLDEST_PYTHON = (3, 11)
DEFERRED = (
    "The host begins SQLite transactions with a plain BEGIN, which fails under concurrent saves: "
    "let its `begin` listener emit BEGIN IMMEDIATE."
)


class ProcessChecks:
    """Asked at install, at activation, by `flask calendar doctor` and by the health page.

    :param engine: returns the engine our tables are on.
    """

    def __init__(self, *, app: Any, pm: Any, db: Any, engine: Callable[[], Engine]) -> None:
        self._app = app
        self._pm = pm
        self._db = db
        self._engine = engine

    def compatible(self) -> None:
        """Return if we can work here at all.

        :raises Refused: the Python, the database or a service of the host is missing or too old.
        """
        if sys.version_info < OLDEST_PYTHON:
            raise Refused("Calendar needs Python 3.11 or later.")
        if missing := self.missing_services():
            raise Refused("The host does not answer " + ", ".join(missing) + ". See docs/hosting.md.")
        self._check_database()
        self._check_bind()

    def healthy(self) -> None:
        """Return if nothing stands against switching on.

        :raises Refused: sign-ins would not be safe in this process.
        """
        refuse_insecure_environment()

    def missing_services(self) -> list[str]:
        """Return the required services that no plugin of the host implements."""
        return [name for name in terms.REQUIRED_SERVICES if not getattr(self._pm.hook, name).get_hookimpls()]

    def findings(self) -> Iterator[str]:
        """Yield a sentence for each thing an administrator should look at; none means that all is well."""
        for check in (self.compatible, self.healthy):
            try:
                check()
            except CalendarExtError as error:
                yield str(error)
        yield from self._migration_filter()
        if self._engine().dialect.name == "sqlite":
            yield from self._sqlite_habits()

    def _check_database(self) -> None:
        engine = self._engine()
        oldest = terms.DATABASES.get(engine.dialect.name)
        if oldest is None:
            raise Refused(f"Calendar works on SQLite and PostgreSQL, not on {engine.dialect.name}.")
        with engine.connect():
            found = engine.dialect.server_version_info or ()
        if found[: len(oldest)] < oldest:
            wanted = ".".join(map(str, oldest))
            raise Refused(f"Calendar needs {engine.dialect.name} {wanted} or later.")

    def _check_bind(self) -> None:
        """A hook's row and the appointment commit together only on one engine (data-model.md section 2)."""
        with self._app.app_context():
            theirs = self._db.session.get_bind(mapper=HostChange)
        if theirs is not self._engine():
            raise Refused("Appointments and Calendar are on different databases. Set CALENDAR_EXT_BIND_KEY.")

    def _migration_filter(self) -> Iterator[str]:
        """Flask-Migrate without our filter proposes to drop our tables (host-contract.md section 10)."""
        migrate = self._app.extensions.get("migrate")
        if migrate is None:
            return
        include = getattr(migrate, "configure_args", {}).get("include_object")
        if include is None or include(None, f"{PREFIX}event", "table", True, None):
            yield "The host's migrations would drop our tables: give Migrate include_object=host_filter()."

    def _sqlite_habits(self) -> Iterator[str]:
        if isinstance(self._engine().pool, StaticPool):
            yield "The database is in memory: background work runs only when told."
            return
        try:
            with self._engine().connect() as connection:
                connection.begin()
                driver = connection.connection.driver_connection
                if driver is not None and driver.in_transaction:
                    yield DEFERRED
                if str(connection.exec_driver_sql("PRAGMA journal_mode").scalar()).lower() != "wal":
                    yield "Advice: WAL mode halves the longest waits on SQLite (PRAGMA journal_mode=WAL)."
                if connection.exec_driver_sql("PRAGMA synchronous").scalar() not in (2, 3):
                    yield "SQLite may lose the last saves when power fails: PRAGMA synchronous=FULL keeps them."
        except SQLAlchemyError as error:
            yield f"The database does not answer ({type(error).__name__})."

"""Databases, stores and time for every room's tests. A test that asks for `database` runs on SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from calendar_ext.limits import Limits
from calendar_ext.persistence.schema import Schema
from calendar_ext.persistence.unit_of_work import SqlStore

from . import postgresql

#: Limits of the tests: no rest between background writes.
LIMITS = replace(Limits(), sqlite_rest_factor=0.0)


class ManualClock:
    """UTC seconds that move only when told; call it to read it."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> float:
        """Let time pass; return the new time."""
        self.now += seconds
        return self.now


@pytest.fixture
def clock() -> ManualClock:
    """Time in the test's own hands."""
    return ManualClock()


@pytest.fixture
def limits() -> Limits:
    """The defaults, without the rest between background writes."""
    return LIMITS


class Files:
    """SQLite databases: files, copied from a template."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    @contextmanager
    def fresh(self, template: str = "") -> Iterator[str]:
        """Yield the address of a new database: empty, or a copy of what `prepare` returned."""
        self._made += 1
        path = self._folder / f"test_{self._made}.db"
        if template:
            shutil.copyfile(template, path)
        yield f"sqlite:///{path}"
        for left in self._folder.glob(f"{path.name}*"):
            left.unlink()

    def prepare(self) -> str:
        """Make the template with every table, active."""
        path = self._folder / "template.db"
        install(f"sqlite:///{path}")
        return str(path)


class Databases:
    """PostgreSQL databases of one server."""

    def __init__(self, server: postgresql.Server) -> None:
        self._server = server

    @contextmanager
    def fresh(self, template: str = "") -> Iterator[str]:
        """Yield the address of a new database: empty, or a copy of what `prepare` returned."""
        name = self._server.create(template or "template1")
        yield self._server.url(name)
        self._server.drop(name)

    def prepare(self) -> str:
        """Make the template with every table, active."""
        name = self._server.create()
        install(self._server.url(name))
        return name


def install(url: str) -> None:
    """Bring a database to head and mark the installation active."""
    engine = create_engine(url)
    Schema(lambda: engine).upgrade()
    with SqlStore(lambda: engine).write() as unit:
        unit.installations.write(state="active", public_id="tests-own-installation")
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Where SQLite databases come from."""
    return Files(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[Databases]:
    """Where PostgreSQL databases come from: one server for the whole session."""
    with postgresql.running() as server:
        yield Databases(server)


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    """Template databases made so far, by kind."""
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, templates: dict[str, str]) -> Iterator[str]:
    """The address of a fresh database; empty, unless the test asks for `store` too: then installed and active."""
    source = request.getfixturevalue(f"{request.param}_databases")
    template = ""
    if "store" in request.fixturenames:
        if request.param not in templates:
            templates[request.param] = source.prepare()
        template = templates[request.param]
    with source.fresh(template) as url:
        yield url


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """An engine as a host would have it: SQLAlchemy's defaults."""
    engine = create_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine, limits: Limits) -> SqlStore:
    """A store on a database at head with an active installation (`public_id` "tests-own-installation")."""
    return SqlStore(lambda: engine, limits)

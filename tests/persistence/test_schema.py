"""Our history: up and down, nothing left over, several processes at once, and the host's own migrations beside it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from calendar_ext.migrations import host_filter
from sqlalchemy import Column, Engine, Integer, MetaData, Table, inspect

from calendar_ext.errors import StoreUnavailable
from calendar_ext.persistence.base import PREFIX, VERSION_TABLE, Base
from calendar_ext.persistence.registry import OwnRegistry
from calendar_ext.persistence.schema import Schema
from calendar_ext.persistence.unit_of_work import begin_writing

UPGRADE = """
import sys
from sqlalchemy import create_engine
from calendar_ext.persistence.schema import Schema
engine = create_engine(sys.argv[1])
Schema(lambda: engine).upgrade()
engine.dispose()
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def schema(engine: Engine) -> Schema:
    return Schema(lambda: engine)


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def test_up_from_nothing_makes_exactly_our_tables(schema: Schema, engine: Engine) -> None:
    assert schema.current() is None
    schema.upgrade()
    assert tables(engine) == set(Base.metadata.tables) | {VERSION_TABLE}
    assert schema.current() == schema.head()
    schema.upgrade()


def test_the_tables_are_what_the_code_says(schema: Schema) -> None:
    schema.upgrade()
    assert schema.drift() == []


def test_drift_is_noticed(schema: Schema, engine: Engine) -> None:
    schema.upgrade()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {PREFIX}setting ADD COLUMN surprise INTEGER")
    assert schema.drift()


def test_down_leaves_nothing_but_an_empty_version_table(schema: Schema, engine: Engine) -> None:
    schema.upgrade()
    schema.downgrade("base")
    assert tables(engine) == {VERSION_TABLE}
    schema.upgrade()
    assert schema.drift() == []


def test_dropping_takes_ours_and_nothing_else(schema: Schema, engine: Engine) -> None:
    theirs = MetaData()
    Table("calendar", theirs, Column("id", Integer, primary_key=True))
    theirs.create_all(engine)
    schema.upgrade()
    schema.drop()
    schema.drop()
    assert tables(engine) == {"calendar"}


def test_dropping_spares_the_registry_which_goes_last(schema: Schema, engine: Engine) -> None:
    registry = OwnRegistry(lambda: engine, dict, owner="test")
    registry.claim("calendar_ext", "install", None, 60, None)
    schema.upgrade()
    assert schema.drift() == []
    schema.drop()
    assert tables(engine) == {f"{PREFIX}registry", f"{PREFIX}registry_log"}
    registry.forget()
    assert tables(engine) == set()


def test_an_upgrade_that_fails_leaves_nothing_behind(schema: Schema, engine: Engine) -> None:
    """On SQLite a CREATE TABLE outside a transaction survives a rollback: the write lock has to come first."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {PREFIX}participant (id INTEGER)")
    with pytest.raises(Exception, match="already exists"):
        schema.upgrade()
    assert tables(engine) == {f"{PREFIX}participant"}
    assert schema.current() is None


def test_four_processes_upgrading_at_once_end_in_one_history(database: str, schema: Schema, engine: Engine) -> None:
    command = [sys.executable, "-W", "error", "-c", UPGRADE, database]
    running = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    complaints = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 4, "\n".join(complaints)
    assert schema.drift() == []
    with engine.connect() as connection:
        assert connection.exec_driver_sql(f"SELECT count(*) FROM {VERSION_TABLE}").scalar() == 1


def test_an_upgrade_waits_for_another_and_gives_up_in_the_end(engine: Engine, database: str) -> None:
    if database.startswith("sqlite"):
        return  # the driver waits five seconds by itself; the next test holds SQLite's side
    with engine.connect() as other:
        other.exec_driver_sql(f"SELECT pg_advisory_lock({0x63616C5F65787401})")
        with pytest.raises(StoreUnavailable, match="Another process"):
            Schema(lambda: engine, patience=0.3).upgrade()
        other.exec_driver_sql(f"SELECT pg_advisory_unlock({0x63616C5F65787401})")


def test_an_upgrade_waits_for_a_host_that_is_writing(engine: Engine, database: str, schema: Schema) -> None:
    if not database.startswith("sqlite"):
        return
    started, done = threading.Event(), threading.Event()

    def save_slowly() -> None:
        with engine.connect() as connection:
            begin_writing(connection)
            started.set()
            done.wait(10)
            connection.rollback()

    host = threading.Thread(target=save_slowly)
    host.start()
    started.wait(10)
    threading.Timer(0.3, done.set).start()
    schema.upgrade()
    host.join()
    assert schema.current() == schema.head()


def test_the_statements_can_be_had_as_text(schema: Schema) -> None:
    for dialect in ("sqlite", "postgresql"):
        text = schema.sql(dialect)
        assert f"CREATE TABLE {PREFIX}host_change" in text
        assert f"INSERT INTO {VERSION_TABLE}" in text


def test_a_revision_of_the_future_is_not_known(schema: Schema) -> None:
    assert schema.knows(schema.head())
    assert not schema.knows("9999")


def test_the_host_s_autogenerate_with_the_filter_proposes_nothing_of_ours(schema: Schema, engine: Engine) -> None:
    schema.upgrade()
    OwnRegistry(lambda: engine, dict, owner="test").claim("calendar_ext", "install", None, 60, None)
    theirs = MetaData()
    Table("contact", theirs, Column("id", Integer, primary_key=True))
    theirs.create_all(engine)
    assert _proposed(engine, theirs, host_filter()) == []
    assert _proposed(engine, theirs, None), "without the filter it would drop our tables"


def test_the_filter_still_asks_the_one_the_host_had(schema: Schema, engine: Engine) -> None:
    theirs = MetaData()
    Table("scratch", theirs, Column("id", Integer, primary_key=True))
    assert _proposed(engine, theirs, host_filter())
    assert _proposed(engine, theirs, host_filter(lambda item, name, *rest: name != "scratch")) == []


def _proposed(engine: Engine, theirs: MetaData, include: object) -> list[object]:
    with engine.connect() as connection:
        options = {"include_object": include} if include else {}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), theirs))

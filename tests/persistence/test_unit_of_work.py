"""Transactions: what commits, what rolls back, and which errors leave the room."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, event, text

from calendar_ext.errors import Defect, LeaseLost, Refused, StoreUnavailable
from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore


def test_what_is_written_is_there_afterwards(store: SqlStore) -> None:
    with store.write() as unit:
        unit.settings.put("colour", {"accent": "#1f5fbf"})
    with store.read() as unit:
        assert unit.settings.get("colour") == {"accent": "#1f5fbf"}


def test_an_error_takes_everything_back(store: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as unit:
        unit.settings.put("colour", "red")
        raise ZeroDivisionError
    with store.read() as unit:
        assert unit.settings.get("colour") is None


def test_reading_never_commits(store: SqlStore) -> None:
    with store.read() as unit:
        unit.settings.put("colour", "red")
    with store.read() as unit:
        assert unit.settings.get("colour") is None


def test_a_unit_of_work_inside_another_is_our_defect(store: SqlStore) -> None:
    with store.read(), pytest.raises(Defect), store.read():
        pass
    with store.read() as unit:
        assert unit.now() > 0


def test_an_unknown_repository_is_not_guessed(store: SqlStore) -> None:
    with store.read() as unit, pytest.raises(AttributeError):
        assert unit.unheard_of


def test_a_web_edit_is_refused_while_we_are_not_active(store: SqlStore) -> None:
    with store.write(only_active=True) as unit:
        unit.settings.put("colour", "red")
        unit.installations.write(state="inactive")
    with pytest.raises(LeaseLost), store.write(only_active=True) as unit:
        unit.settings.put("colour", "blue")
    with store.read() as unit:
        assert unit.settings.get("colour") == "red"


def test_values_the_database_does_not_take_are_refused(store: SqlStore) -> None:
    with pytest.raises(Refused), store.write() as unit:
        unit.settings.put(None, "no key")


def test_a_database_that_does_not_answer_is_tried_again_later() -> None:
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nowhere")
    with pytest.raises(StoreUnavailable) as caught, SqlStore(lambda: engine).read() as unit:
        unit.now()
    assert caught.value.retry
    engine.dispose()


def test_times_are_the_database_s(store: SqlStore) -> None:
    with store.read() as unit:
        now, said = unit.now(), _seconds(unit)
    assert abs(now - said) <= 1


def _seconds(unit: object) -> int:
    connection = unit.connection
    utc = "extract(epoch from now())" if connection.dialect.name == "postgresql" else "strftime('%s', 'now')"
    return int(connection.scalar(text(f"SELECT {utc}")))


def test_chunks_are_sized_for_the_database(store: SqlStore, database: str) -> None:
    assert store.chunk_rows == (500 if database.startswith("sqlite") else 2_500)


def test_a_host_with_a_deferred_begin_of_its_own_is_no_obstacle(store: SqlStore, database: str) -> None:
    """The savepoint recipe of SQLAlchemy's manual: our transaction must still begin with the write lock."""
    if not database.startswith("sqlite"):
        return
    engine = create_engine(database, connect_args={"timeout": 5})
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    theirs = SqlStore(lambda: engine, replace(Limits(), sqlite_rest_factor=0.0))
    with theirs.write() as unit:
        unit.settings.get("count")
        unit.settings.put("count", 1)
    failures: list[Exception] = []
    threads = [threading.Thread(target=_count_up, args=(theirs, failures)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with theirs.read() as unit:
        assert (unit.settings.get("count"), failures) == (41, [])
    engine.dispose()


def _count_up(store: SqlStore, failures: list[Exception]) -> None:
    try:
        for _ in range(10):
            with store.write() as unit:
                unit.settings.put("count", unit.settings.get("count") + 1)
    except Exception as error:
        failures.append(error)

"""The transaction and lock rules of docs/schema.md that this room keeps; each test carries its rule's number."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, insert, select, text, update
from sqlalchemy.pool import QueuePool

from calendar_ext.errors import LeaseLost, Refused, StoreUnavailable
from calendar_ext.limits import Limits
from calendar_ext.persistence.schema import Schema
from calendar_ext.persistence.tables import HostChange, Setting, SyncState
from calendar_ext.persistence.turns import Turns
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.sync.ports.store import Fence

from .rows import account

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Collect what is sent to the database."""
    said: list[str] = []

    def hear(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(" ".join(statement.split()))

    event.listen(engine, "before_cursor_execute", hear)
    yield said
    event.remove(engine, "before_cursor_execute", hear)


def epoch_of(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(SyncState.epoch)).scalar_one()


def take_over(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(SyncState).values(epoch=SyncState.epoch + 1))


# ── L5: the fence ──


def test_L05_the_fence_is_the_first_statement_of_a_run_s_transaction(store: SqlStore, engine: Engine) -> None:
    key = account(engine)
    with statements(engine) as said, store.write(Fence(key, 1)) as unit:
        unit.settings.put("seen", 1)
    said = [statement for statement in said if not statement.startswith("BEGIN")]
    assert said[0].startswith("UPDATE calendar_ext_sync_state SET lease_until")
    assert "calendar_ext_installation" in said[0]


def test_L05_the_fence_renews_the_lease(store: SqlStore, engine: Engine) -> None:
    key = account(engine)
    with store.write(Fence(key, 1, lease_seconds=60)) as unit:
        now = unit.now()
    with engine.connect() as connection:
        until = connection.execute(select(SyncState.lease_until)).scalar_one()
    assert 58 <= until - now <= 61


def test_L05_a_run_that_was_taken_over_writes_nothing(store: SqlStore, engine: Engine) -> None:
    key = account(engine)
    take_over(engine)
    with pytest.raises(LeaseLost), store.write(Fence(key, 1)) as unit:
        unit.settings.put("late", 1)
    with store.read() as unit:
        assert unit.settings.get("late") is None


def test_L05_a_takeover_waits_for_the_transaction_that_holds_the_fence(store: SqlStore, engine: Engine) -> None:
    """Only an UPDATE does this; a fence that merely reads lets the stale worker commit after the takeover."""
    key = account(engine)
    order: list[str] = []
    inside = threading.Event()

    def stale() -> None:
        with store.write(Fence(key, 1)) as unit:
            inside.set()
            time.sleep(0.3)
            unit.settings.put("slow", 1)
            order.append("stale worker commits")

    worker = threading.Thread(target=stale)
    worker.start()
    inside.wait(5)
    take_over(engine)
    order.append("takeover")
    worker.join()
    assert order == ["stale worker commits", "takeover"]
    with pytest.raises(LeaseLost), store.write(Fence(key, 1)):
        pass


def test_L05_deactivation_stops_a_run_in_its_next_transaction(store: SqlStore, engine: Engine) -> None:
    key = account(engine)
    with store.write() as unit:
        unit.installations.write(state="inactive")
    with pytest.raises(LeaseLost), store.write(Fence(key, 1)):
        pass
    with store.write() as unit:
        unit.installations.raise_epochs()
        unit.installations.write(state="active")
    with pytest.raises(LeaseLost), store.write(Fence(key, 1)):
        pass
    with store.write(Fence(key, 2)):
        pass


# ── L9: own short connections ──


def test_L09_one_connection_of_the_pool_is_enough(database: str) -> None:
    engine = create_engine(database, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=1)
    Schema(lambda: engine).upgrade()
    store = SqlStore(lambda: engine, Limits(sqlite_rest_factor=0.0))
    with store.write() as unit:
        unit.installations.write(state="active")
    with store.read() as unit:
        assert unit.installations.get().state == "active"
    assert engine.pool.checkedout() == 0
    engine.dispose()


def test_L09_a_pool_that_the_host_has_used_up_is_tried_again_later(database: str) -> None:
    engine = create_engine(database, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.1)
    with engine.connect(), pytest.raises(StoreUnavailable), SqlStore(lambda: engine).read():
        pass
    engine.dispose()


def test_L09_postgresql_is_asked_for_read_committed_whatever_the_host_s_default(database: str) -> None:
    if database.startswith("sqlite"):
        return
    engine = create_engine(database, isolation_level="SERIALIZABLE", pool_size=1, max_overflow=0)
    with SqlStore(lambda: engine).read() as unit:
        assert unit.connection.scalar(text("SHOW transaction_isolation")) == "read committed"
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "serializable", "the host's own stays"
    engine.dispose()


# ── L10: SQLite's one background writer ──


class Time:
    """A monotonic clock that only sleeping and working move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_L10_the_lock_rests_three_times_as_long_as_it_was_held() -> None:
    clock = Time()
    turns = Turns(3.0, sleep=clock.sleep, now=lambda: clock.now)
    with turns.taken():
        clock.now += 0.2
    with turns.taken():
        pass
    assert clock.slept == [0.0, pytest.approx(0.6)]


def test_L10_work_between_two_writes_counts_as_rest() -> None:
    clock = Time()
    turns = Turns(3.0, sleep=clock.sleep, now=lambda: clock.now)
    with turns.taken():
        clock.now += 0.2
    clock.now += 0.5
    with turns.taken():
        pass
    assert clock.slept[-1] == pytest.approx(0.1)


def test_L10_waiting_for_the_host_is_not_writing() -> None:
    clock = Time()
    turns = Turns(3.0, sleep=clock.sleep, now=lambda: clock.now)
    with turns.taken() as began:
        clock.now += 4.0
        began()
        clock.now += 0.1
    with turns.taken():
        pass
    assert clock.slept[-1] == pytest.approx(0.3)


def test_L10_background_writers_of_a_process_take_turns_on_sqlite(store: SqlStore, engine: Engine) -> None:
    keys = [account(engine, number=number) for number in range(4)]
    inside, most = [0], [0]

    def write(key: int) -> None:
        for _ in range(5):
            with store.write(Fence(key, 1)):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.002)
                inside[0] -= 1

    threads = [threading.Thread(target=write, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1 if engine.dialect.name == "sqlite" else most[0] > 1


def test_L10_the_host_goes_on_saving_while_chunks_are_written(store: SqlStore, engine: Engine, database: str) -> None:
    """SQLite with its defaults, eight threads saving: no save finds the database locked."""
    if not database.startswith("sqlite"):
        return
    key = account(engine)
    resting = SqlStore(lambda: engine, Limits())
    ends_at, locked, saved = time.monotonic() + 1.5, [], []

    def save(number: int) -> None:
        while time.monotonic() < ends_at:
            try:
                with engine.begin() as connection:
                    connection.execute(insert(HostChange).values(at=1, kind="x", ref="1", version=1, payload="{}"))
                saved.append(number)
            except Exception as error:
                locked.append(error)

    hosts = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for host in hosts:
        host.start()
    chunks = 0
    while time.monotonic() < ends_at:
        with resting.write(Fence(key, 1)) as unit:
            for number in range(100):
                unit.settings.put(f"chunk-{number}", chunks)
        chunks += 1
    for host in hosts:
        host.join()
    assert locked == []
    assert chunks
    assert set(saved) == set(range(8)), "nobody starved"


# ── L11: what the database refuses ──


def test_L11_refused_values_take_the_chunk_back_and_say_so(store: SqlStore, engine: Engine) -> None:
    """The caller halves the chunk; nothing of the refused half stays, and the database is no worse for it."""
    key = account(engine)
    with pytest.raises(Refused), store.write(Fence(key, 1)) as unit:
        unit.settings.put("good", 1)
        unit.settings.put(None, "bad")
    with store.write(Fence(key, 1)) as unit:
        assert unit.settings.get("good") is None


# ── L12: all of a transaction, or nothing ──


def test_L12_a_process_that_dies_inside_a_transaction_leaves_nothing(store: SqlStore, engine: Engine) -> None:
    """`kill -9` is a connection that goes away without a word."""
    key = account(engine)
    try:
        with store.write(Fence(key, 1)) as unit:
            unit.settings.put("half", 1)
            unit.connection.connection.driver_connection.close()
            raise SystemExit
    except BaseException as error:
        assert not isinstance(error, AssertionError)
    engine.dispose()
    with engine.connect() as connection:
        assert connection.execute(select(Setting.key)).all() == []


# ── L13: DDL ──


def test_L13_a_change_of_tables_never_makes_hooks_wait_for_long(store: SqlStore, engine: Engine, database: str) -> None:
    """A DDL statement that waits for a host's transaction lets every later hook wait behind it: it gives way."""
    if database.startswith("sqlite"):
        return
    hook = insert(HostChange).values(at=1, kind="x", ref="1", version=1, payload="{}")
    dropping = threading.Thread(target=Schema(lambda: engine).drop)
    with engine.connect() as slow_host:
        slow_host.execute(hook)
        dropping.start()
        time.sleep(0.3)
        started = time.monotonic()
        with engine.begin() as another_host:
            another_host.execute(hook)
        waited = time.monotonic() - started
        slow_host.commit()
    dropping.join()
    assert waited < 1.5
    assert Schema(lambda: engine).current() is None


def test_L13_the_table_of_the_hooks_is_never_altered() -> None:
    later = [path.name for path in VERSIONS.glob("0*.py") if not path.name.startswith("0001")]
    assert not [name for name in later if "host_change" in (VERSIONS / name).read_text()]
    columns = [column.name for column in HostChange.__table__.columns]
    assert columns == ["id", "at", "kind", "ref", "version", "actor_id", "origin", "payload"]
    assert not HostChange.__table__.indexes and not HostChange.__table__.foreign_keys


def test_L13_our_locks_are_given_back(store: SqlStore, engine: Engine, database: str) -> None:
    if database.startswith("sqlite"):
        return
    Schema(lambda: engine).upgrade()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0
        assert connection.scalar(text("SHOW lock_timeout")) == "0"

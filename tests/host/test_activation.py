"""Are we switched on? What one process knows, and how long it believes it (host-contract.md section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, create_engine

from calendar_ext.errors import Defect, StoreUnavailable
from calendar_ext.host.activation import Activation
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.sync.ports.running import State
from calendar_ext.sync.ports.store import UnitOfWork
from tests.conftest import ManualClock


def write(store: SqlStore, state: State, **options: bool) -> None:
    """Do what another process's lifecycle would."""
    with store.write() as unit:
        unit.installations.write(state=state, options=options)


class Counting:
    """A store that counts how often it is asked, and fails when told to."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.asked = 0
        self.broken = False

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        self.asked += 1
        if self.broken:
            raise StoreUnavailable
        with self.store.read() as unit:
            yield unit


def test_a_process_notices_within_two_seconds_and_asks_no_oftener(store: SqlStore, clock: ManualClock) -> None:
    counting = Counting(store)
    activation = Activation(counting, now=clock)
    for _ in range(10):
        assert activation.is_active()
    assert counting.asked == 1
    write(store, "inactive")
    clock.tick(1.9)
    assert activation.is_active()
    clock.tick(0.1)
    assert not activation.is_active()
    write(store, "active")
    clock.tick(2)
    assert activation.is_active()


def test_the_process_that_made_the_change_knows_at_once(store: SqlStore, clock: ManualClock) -> None:
    activation = Activation(store, now=clock)
    assert activation.is_active()
    write(store, "inactive")
    activation.drop()
    assert not activation.is_active()


@pytest.mark.parametrize("state", ["available", "installed", "inactive", "uninstalled", "failed"])
def test_only_active_is_active(store: SqlStore, state: State) -> None:
    write(store, state)
    activation = Activation(store)
    assert not activation.is_active()
    assert activation.state().state == state


def test_a_part_is_active_only_with_the_whole(store: SqlStore) -> None:
    write(store, "active")
    assert not Activation(store).is_active("scheduler")
    write(store, "active", scheduler_active=True)
    assert Activation(store).is_active("scheduler")
    write(store, "inactive", scheduler_active=True)
    assert not Activation(store).is_active("scheduler")


def test_it_is_closed_on_doubt_and_opens_again_by_itself(store: SqlStore, clock: ManualClock) -> None:
    counting = Counting(store)
    counting.broken = True
    activation = Activation(counting, now=clock)
    for _ in range(5):
        assert not activation.is_active()
        with pytest.raises(StoreUnavailable):
            activation.state()
    assert counting.asked == 1, "a database that is down is not asked at every request"
    counting.broken = False
    clock.tick(2)
    assert activation.is_active()


def test_a_host_that_was_never_installed_on_is_no_error(engine: Engine) -> None:
    activation = Activation(SqlStore(lambda: engine))
    assert activation.state().state == "available"
    assert not activation.is_active()


def test_a_database_that_does_not_answer_is_doubt() -> None:
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nowhere")
    assert not Activation(SqlStore(lambda: engine)).is_active()
    engine.dispose()


def test_a_ttl_of_nothing_looks_once(store: SqlStore, clock: ManualClock) -> None:
    activation = Activation(store, ttl=0, now=clock)
    assert activation.is_active()
    write(store, "inactive")
    clock.tick(1_000_000)
    assert activation.is_active()


def test_the_public_id_is_known_without_asking_again(store: SqlStore, clock: ManualClock) -> None:
    counting = Counting(store)
    activation = Activation(counting, now=clock)
    assert activation.public_id() == "tests-own-installation"
    clock.tick(100)
    counting.broken = True
    assert not activation.is_active()
    assert activation.public_id() == "tests-own-installation"


def test_asking_inside_a_unit_of_work_is_our_defect_and_no_doubt(store: SqlStore) -> None:
    with store.read(), pytest.raises(Defect):
        Activation(store).is_active()

"""What every engine keeps, whatever carries it (host-contract.md 8.3). Subclass it and say how to make yours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from calendar_ext.jobs.port import SyncEngine
from calendar_ext.jobs.tasks import Tasks
from calendar_ext.providers.memory import MemoryProvider

from ..sync.rig import Rig


def until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Wait for something to become true."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


class SyncEngineContract:
    """`self.make` returns the engine, not started; `self.carry` gives one that runs when told its chance."""

    def make(self, tasks: Tasks) -> SyncEngine:
        """Return the engine."""

    def carry(self, engine: SyncEngine) -> None:
        """Let work be done that is due now; an engine with threads of its own needs nothing."""

    @pytest.fixture
    def tasks(self, rig: Rig) -> Tasks:
        """The bodies of the jobs over one account."""
        return Tasks(
            store=rig.store,
            host=rig.host,
            runner=rig.runner,
            limits=rig.limits,
            installation=lambda: "tests-own-installation",
            is_active=lambda: True,
            clock=time.time,
            version="1",
        )

    @pytest.fixture
    def engine_under_test(self, tasks: Tasks):
        """The engine, started; stopped at the end."""
        engine = self.make(tasks)
        engine.start("scheduler")
        yield engine
        engine.stop(10)

    def read(self, rig: Rig, engine: SyncEngine, count: int) -> bool:
        """Return whether so many events come to be stored."""

        def stored() -> bool:
            self.carry(engine)
            return len(rig.events()) >= count

        return until(stored)

    def test_what_is_due_is_run(self, rig: Rig, engine_under_test: SyncEngine) -> None:
        rig.fill(3)
        rig.make_due()
        assert self.read(rig, engine_under_test, 3)

    def test_a_hint_is_carried_although_nothing_is_scheduled(self, rig: Rig, engine_under_test: SyncEngine) -> None:
        assert until(lambda: self.carry(engine_under_test) or rig.state().read_ok_at)
        rig.put("new")
        rig.runner.wake(None, rig.account.id, priority=0, reason="asked")
        assert self.read(rig, engine_under_test, 1)
        assert until(lambda: rig.runner.due() == [])

    def test_no_account_is_run_twice_at_a_time(self, rig: Rig, engine_under_test: SyncEngine) -> None:
        running, overlaps = set(), []
        guard = threading.Lock()

        class Slow(MemoryProvider):
            def _enter(self):
                with guard:
                    overlaps.extend([1] if "here" in running else [])
                    running.add("here")
                time.sleep(0.05)
                super()._enter()
                with guard:
                    running.discard("here")

        rig.open = lambda account: Slow(rig.world)
        for number in range(6):
            rig.put(f"event{number}")
            rig.runner.wake(None, rig.account.id, priority=0, reason=f"asked{number}")
            self.carry(engine_under_test)
        assert self.read(rig, engine_under_test, 6)
        assert overlaps == []

    def test_a_lease_that_a_dead_process_left_is_waited_out_and_nothing_stays_due(
        self, rig: Rig, engine_under_test: SyncEngine
    ) -> None:
        assert until(lambda: self.carry(engine_under_test) or rig.state().read_ok_at)
        rig.put("one")
        rig.execute("UPDATE calendar_ext_sync_state SET lease_until = 9999999999, next_at = 0, epoch = epoch + 1")
        self.carry(engine_under_test)
        assert rig.events() == []
        rig.execute("UPDATE calendar_ext_sync_state SET lease_until = 1")
        assert self.read(rig, engine_under_test, 1)
        assert until(lambda: rig.runner.due() == [])

    def test_a_run_that_breaks_stops_nothing(self, rig: Rig, engine_under_test: SyncEngine) -> None:
        broken = rig.open

        def break_once(account):
            rig.open = broken
            raise ZeroDivisionError

        rig.open = break_once
        rig.put("one")
        rig.make_due()
        assert until(lambda: self.carry(engine_under_test) or rig.state().failures or rig.events())
        rig.make_due()
        assert self.read(rig, engine_under_test, 1)

    def test_a_stopped_engine_claims_nothing_and_can_be_started_again(
        self, rig: Rig, engine_under_test: SyncEngine
    ) -> None:
        assert until(lambda: self.carry(engine_under_test) or rig.state().read_ok_at)
        engine_under_test.stop(10)
        assert not engine_under_test.health().started
        rig.put("one")
        rig.make_due()
        self.carry(engine_under_test)
        assert rig.events() == [] and engine_under_test.health().due == 1
        engine_under_test.start("scheduler")
        assert self.read(rig, engine_under_test, 1)

    def test_stopping_ends_a_long_run_at_a_safe_place(self, rig: Rig, engine_under_test: SyncEngine) -> None:
        rig.world.page_size = 1
        rig.fill(300)

        class Slow(MemoryProvider):
            def _enter(self):
                time.sleep(0.01)
                super()._enter()

        rig.open = lambda account: Slow(rig.world)
        rig.make_due()
        carrying = threading.Thread(target=self.carry, args=(engine_under_test,))
        carrying.start()
        assert until(lambda: rig.events())
        engine_under_test.stop(10)
        carrying.join(10)
        stored = len(rig.events())
        assert stored < 300 and rig.state().lease_until is None
        assert rig.runner.due() == [rig.account.id]

    def test_its_health_can_be_told(self, rig: Rig, engine_under_test: SyncEngine) -> None:
        health = engine_under_test.health()
        assert (health.name, health.started) == (engine_under_test.name, True)

"""Both engines keep the contract; what is APScheduler's own beside it."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

from calendar_ext.jobs import apscheduler as module
from calendar_ext.jobs.apscheduler import HOUSEKEEPING, OFF, PROCESS, SWEEP, TICK, ApschedulerEngine
from calendar_ext.jobs.inline import InlineEngine
from calendar_ext.jobs.port import SyncEngine
from calendar_ext.jobs.tasks import Tasks

from ..contracts.engine import SyncEngineContract, until
from ..sync.rig import Rig


class TestInline(SyncEngineContract):
    """The engine that runs when told."""

    def make(self, tasks: Tasks) -> SyncEngine:
        return InlineEngine(tasks)

    def carry(self, engine: SyncEngine) -> None:
        assert isinstance(engine, InlineEngine)
        engine.tick()


class App:
    """As much of a Flask application as an engine touches."""

    def __init__(self) -> None:
        self.first: list[Any] = []

    def before_request(self, function: Any) -> None:
        self.first.append(function)

    def request(self) -> None:
        """Handle one."""
        for function in self.first:
            assert function() is None


class TestApscheduler(SyncEngineContract):
    """The engine we ship."""

    def make(self, tasks: Tasks) -> SyncEngine:
        return ApschedulerEngine(tasks)

    def test_it_holds_three_fixed_jobs_in_memory(self, engine_under_test: ApschedulerEngine) -> None:
        scheduler = engine_under_test._scheduler
        assert scheduler is not None
        jobs = {job.id: job for job in scheduler.get_jobs()}
        assert set(jobs) == {TICK, SWEEP, HOUSEKEEPING}
        for job in jobs.values():
            assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
        assert type(scheduler._lookup_jobstore("default")).__name__ == "MemoryJobStore"

    def test_a_person_does_not_wait_for_the_next_tick(
        self, rig: Rig, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "TICK_SECONDS", 60)
        engine = ApschedulerEngine(tasks)
        engine.start("scheduler")
        try:
            assert until(lambda: rig.state().read_ok_at)
            rig.put("edit")
            began_at = time.monotonic()
            rig.runner.wake(None, rig.account.id, priority=0, reason="edit")
            assert until(lambda: rig.events()) and time.monotonic() - began_at < 5
        finally:
            engine.stop(10)

    def test_only_the_leader_ticks_and_another_takes_over_when_it_resigns(self, rig: Rig, tasks: Tasks) -> None:
        first, second = ApschedulerEngine(tasks), ApschedulerEngine(self.another(rig, tasks))
        first.start("web")
        assert until(lambda: first.health().leads)
        second.start("web")
        time.sleep(1.5)
        assert not second.health().leads and second.health().last_tick_at is None
        first.stop(10)
        rig.runner.go_on()
        try:
            assert until(lambda: second.health().leads, 15)
            rig.put("one")
            rig.make_due()
            assert until(lambda: rig.events())
        finally:
            second.stop(10)

    def another(self, rig: Rig, tasks: Tasks) -> Tasks:
        """Return the jobs of another process."""
        other = Tasks(
            store=rig.store, host=rig.host, runner=rig.runner, limits=rig.limits, installation=lambda: "",
            is_active=lambda: True, clock=time.time,
        )  # fmt: skip
        other.leadership._owner = "another"
        return other

    def test_a_worker_ticks_although_another_process_leads(self, rig: Rig, tasks: Tasks) -> None:
        with rig.store.write() as unit:
            unit.leases.take("leader", "somebody else", 60)
        engine = ApschedulerEngine(tasks)
        engine.start("worker")
        try:
            rig.put("one")
            rig.make_due()
            assert until(lambda: rig.events())
            assert not engine.health().leads
        finally:
            engine.stop(10)

    def test_a_process_says_that_it_lives(self, rig: Rig, engine_under_test: SyncEngine) -> None:
        assert until(lambda: rig.all("process"))
        (line,) = rig.all("process")
        assert (line["pid"], line["role"], line["version"]) == (os.getpid(), "scheduler", "1")

    def test_a_first_request_starts_it_and_nothing_before(self, tasks: Tasks) -> None:
        app, engine = App(), ApschedulerEngine(tasks)
        engine.init_app(app)
        assert not engine.health().started
        app.request()
        try:
            assert engine.health().started
            app.request()
        finally:
            engine.stop(10)

    @pytest.mark.parametrize("mode", [PROCESS, OFF])
    def test_other_modes_start_nothing_by_themselves(
        self, tasks: Tasks, monkeypatch: pytest.MonkeyPatch, mode: str
    ) -> None:
        monkeypatch.setattr(module.surroundings, "is_server", lambda: True)
        app, engine = App(), ApschedulerEngine(tasks, mode=mode)
        engine.init_app(app)
        assert app.first == [] and engine._timer is None

    def test_under_a_server_it_starts_without_any_request(self, tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module.surroundings, "is_server", lambda: True)
        monkeypatch.setattr(module, "START_SECONDS", 0.1)
        engine = ApschedulerEngine(tasks)
        engine.init_app(App())
        try:
            assert not engine.health().started
            assert until(lambda: engine.health().started)
        finally:
            engine.stop(10)

    def test_a_fork_disarms_the_master_and_arms_the_child(self, tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
        """The hooks that a fork calls, called here by hand: real forks are in test_leader.py."""
        monkeypatch.setattr(module.surroundings, "is_server", lambda: True)
        hooks: dict[str, Any] = {}
        monkeypatch.setattr(module.os, "register_at_fork", lambda **given: hooks.update(given))
        engine = ApschedulerEngine(tasks)
        engine.init_app(App())
        armed = engine._timer
        hooks["before"]()
        assert engine._timer is None and armed is not None and not armed.is_alive()
        hooks["after_in_child"]()
        assert engine._timer is not None and engine._timer is not armed
        engine.stop(1)
        hooks["before"]()
        hooks["after_in_child"]()
        assert engine._timer is None

    def test_a_child_of_a_working_process_forgets_scheduler_lead_and_connections(self, rig: Rig, tasks: Tasks) -> None:
        forgotten: list[int] = []
        engine = ApschedulerEngine(tasks, forget_connections=lambda: forgotten.append(1))
        engine.start("web")
        assert until(lambda: engine.health().leads)
        scheduler = engine._scheduler
        engine._before_fork()
        engine._after_fork()
        assert (engine.health().started, engine.health().leads, forgotten) == (False, False, [1])
        assert engine._timer is None and scheduler is not None
        scheduler.shutdown(wait=False)

    def test_a_database_that_is_away_does_not_end_the_sweeps(
        self, tasks: Tasks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        asked = threading.Event()

        def away(role: str) -> None:
            asked.set()
            raise ConnectionError

        monkeypatch.setattr(tasks, "sweep", away)
        engine = ApschedulerEngine(tasks)
        engine.start("web")
        try:
            assert asked.wait(5)
            assert until(lambda: "could not be looked after" in caplog.text)
            assert engine.health().started
        finally:
            engine.stop(10)

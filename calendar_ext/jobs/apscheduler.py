"""The engine we ship: APScheduler in process. It holds three fixed jobs and no business schedule.

The jobs only look and hand over; the work is done by a small crew of threads. Only the leader ticks, except where the
process was started as a worker (host-contract.md sections 8.3 and 9).
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from . import surroundings
from .crew import Crew
from .port import EngineHealth
from .tasks import Tasks

log = logging.getLogger("calendar_ext.jobs")

TICK, SWEEP, HOUSEKEEPING = "calendar_ext_tick", "calendar_ext_sweep", "calendar_ext_housekeeping"
TICK_SECONDS = 1
HOUSEKEEPING_SECONDS = 600
#: A process that serves starts by itself after this long, visited or not.
START_SECONDS = 5.0
STOP_SECONDS = 20.0
#: A nudge waits for the caller's transaction to commit.
_NUDGE_SECONDS = 0.2

AUTO, PROCESS, OFF = "auto", "process", "off"


class ApschedulerEngine:
    """Implements `jobs.port.SyncEngine`.

    :param mode: `auto`: every web process starts by itself; `process` and `off`: only `start` starts it.
    :param forget_connections: called in a child after a fork: its parent's database connections are not its own.
    """

    name = "apscheduler"

    def __init__(
        self, tasks: Tasks, *, mode: str = AUTO, forget_connections: Callable[[], None] = lambda: None
    ) -> None:
        self._tasks, self._mode, self._forget_connections = tasks, mode, forget_connections
        self._lock = threading.Lock()
        self._scheduler: BackgroundScheduler | None = None
        self._timer: threading.Timer | None = None
        self._role = ""
        #: A timer of this process was taken away for a fork: it is a server's master, and its children are workers.
        self._was_armed = False
        self._last_tick_at: int | None = None
        self._new_crews()
        tasks.runner.hints.append(self.hint)

    def _new_crews(self) -> None:
        self._crew = Crew(self._tasks.limits.runs_at_once, "calendar_ext_run")
        self._upkeep = Crew(1, "calendar_ext_upkeep")

    def init_app(self, app: Any) -> None:
        """Start on the first request, and under a known server without one; never now, never before a fork."""
        if self._mode != AUTO:
            return
        app.before_request(self._on_request)
        os.register_at_fork(before=self._before_fork, after_in_child=self._after_fork)
        if surroundings.is_server():
            self._arm()

    def start(self, role: str) -> None:
        """Begin as `web`, `scheduler` or `worker`; a second call does nothing."""
        with self._lock:
            if self._scheduler is not None:
                return
            self._role, self._was_armed = role, False
            self._tasks.runner.go_on()
            self._scheduler = self._prepared()
            self._scheduler.start()
        atexit.register(self.stop, STOP_SECONDS)
        log.info("Background work started as %s.", role)

    def _prepared(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(timezone=UTC, daemon=True, executors={"default": DebugExecutor()})
        lease = self._tasks.limits.leader_lease_seconds
        jobs = (
            (SWEEP, self._sweep, lease / 3, 0.0),
            (TICK, self._tick, TICK_SECONDS, 0.3),
            (HOUSEKEEPING, self._keep_house, HOUSEKEEPING_SECONDS, 60.0),
        )
        for name, body, every, first in jobs:
            scheduler.add_job(
                body,
                "interval",
                seconds=every,
                next_run_time=self._in(first),
                id=name,
                replace_existing=True,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        return scheduler

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Claim nothing new, let runs end at a safe place, resign; give up after `timeout` seconds."""
        self._disarm()
        with self._lock:
            scheduler, self._scheduler = self._scheduler, None
        if scheduler is None:
            return
        atexit.unregister(self.stop)
        self._tasks.runner.stop()
        scheduler.shutdown(wait=False)
        ends_at = time.monotonic() + timeout
        ended = self._crew.wait(timeout) and self._upkeep.wait(max(0.0, ends_at - time.monotonic()))
        self._tasks.leadership.resign()
        log.info("Background work stopped." if ended else "Background work did not stop in time; its leases run out.")

    def health(self) -> EngineHealth:
        """Return how it stands in this process."""
        return EngineHealth(
            name=self.name,
            started=self._scheduler is not None,
            leads=self._tasks.leadership.leads,
            last_tick_at=self._last_tick_at,
            due=len(self._tasks.runner.due(limit=100)),
        )

    def hint(self, account_id: int, priority: int, delay: int) -> None:
        """Tick soon where a person waits; elsewhere the next tick finds the row."""
        scheduler = self._scheduler
        if scheduler is None or priority > 0 or delay > 0:
            return
        try:
            scheduler.modify_job(TICK, next_run_time=self._in(_NUDGE_SECONDS))
        except JobLookupError:
            return

    def _tick(self) -> None:
        if self._role == "worker" or self._tasks.leadership.leads:
            self._last_tick_at = int(self._tasks.clock())
            self._crew.offer(self._tasks.tick)

    def _sweep(self) -> None:
        try:
            self._tasks.sweep(self._role)
        except Exception as error:
            # The host's database may be away, or our tables not there yet: the next sweep asks again.
            log.warning("Background work could not be looked after: %s.", type(error).__name__)

    def _keep_house(self) -> None:
        if self._tasks.leadership.leads:
            self._upkeep.offer(self._tasks.housekeeping)

    def _on_request(self) -> None:
        """Return nothing: the request goes on as if we were not here."""
        if self._scheduler is None and self._mode == AUTO:
            self._disarm()
            self.start("web")

    def _arm(self) -> None:
        self._timer = threading.Timer(START_SECONDS, self.start, args=("web",))
        self._timer.daemon = True
        self._timer.start()

    def _disarm(self) -> bool:
        """Take the timer away and wait until it is gone; return whether there was one."""
        timer, self._timer = self._timer, None
        if timer is None or timer is threading.current_thread():
            return False
        timer.cancel()
        timer.join()
        return self._scheduler is None

    def _before_fork(self) -> None:
        """A child must not inherit a thread half begun, and the process that forks workers does no work itself."""
        self._was_armed = self._disarm() or self._was_armed

    def _after_fork(self) -> None:
        """In a child no thread of the parent lives: forget the scheduler, the lead and the connections.

        A worker of a master that had only armed its timer arms its own.
        """
        self._lock = threading.Lock()
        self._scheduler = None
        self._new_crews()
        self._tasks.leadership.forget()
        self._forget_connections()
        if self._was_armed:
            self._was_armed = False
            self._arm()

    def _in(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(self._tasks.clock() + seconds, UTC)

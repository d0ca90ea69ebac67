"""What the three fixed jobs do, each bounded in time and number: tick, sweep, housekeeping."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import LeaseLost, Retryable
from ..limits import Limits
from ..sync.changes import dispatch
from ..sync.ports.host import HostPort
from ..sync.ports.store import Store
from ..sync.run import Clock
from .housekeeping import Housekeeping
from .lease import Leadership
from .runner import AccountRunner

log = logging.getLogger("calendar_ext.jobs")

#: Seconds between two lines of a process about itself.
BEAT_SECONDS = 60


@dataclass(slots=True)
class _Beat:
    """When this process last said that it lives, and since when it does."""

    at: float = float("-inf")
    started_at: int = 0
    pid: int = 0


class Tasks:
    """The bodies of the jobs; an engine calls them, and so do the commands.

    :param is_active: whether the extension is switched on; while it is not, nothing here does anything.
    :param clock: UTC seconds.
    """

    def __init__(
        self,
        *,
        store: Store,
        host: HostPort,
        runner: AccountRunner,
        limits: Limits,
        installation: Callable[[], str],
        is_active: Callable[[], bool],
        clock: Clock,
        version: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.runner, self.limits = runner, limits
        self.leadership = Leadership(store, limits.leader_lease_seconds, monotonic=monotonic)
        self._store, self._host, self._installation = store, host, installation
        self._is_active, self.clock, self._version, self._monotonic = is_active, clock, version, monotonic
        self._housekeeping = Housekeeping(store, limits)
        self._beat = _Beat()

    def tick(self, *, limit: int = 50) -> int:
        """Dispatch what hooks noted, then run accounts that are due until none is left; return how many ran."""
        if not self._is_active():
            return 0
        try:
            dispatch(self._store, self._host, self.limits, self._installation(), self.clock)
        except Retryable as error:
            # Noted changes stay where they are; accounts may still be read.
            log.info("Host changes wait: %s.", error.code)
        ran = 0
        while batch := self.runner.run_due(limit=limit, budget_seconds=self.limits.run_budget_seconds):
            ran += batch
        return ran

    def sweep(self, role: str) -> None:
        """Renew or take the lead, say that this process lives, hint again at what nobody took."""
        if not self._is_active():
            self.leadership.resign()
            return
        if self.leadership.strive():
            self.runner.sweep()
        self._say_alive(role)

    def housekeeping(self) -> None:
        """Move the window's edge, empty the bins, drop what is old; a part at a time."""
        if self._is_active():
            try:
                self._housekeeping.do(give_up=lambda: not self._is_active())
            except LeaseLost:
                return

    def _say_alive(self, role: str) -> None:
        now, beat = self._monotonic(), self._beat
        if beat.pid == os.getpid() and now - beat.at < BEAT_SECONDS:
            return
        if beat.pid != os.getpid():
            beat.pid, beat.started_at = os.getpid(), int(self.clock())
        beat.at = now
        with self._store.write() as unit:
            unit.processes.beat(
                host=socket.gethostname()[:255],
                pid=beat.pid,
                role=role,
                version=self._version,
                started_at=beat.started_at,
            )

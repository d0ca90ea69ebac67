"""Claims accounts in batches, runs them, releases them in batches (host-contract.md 8.2, data-model.md L4)."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable

from ..errors import CalendarExtError
from ..limits import Limits
from ..sync.engine import Engine
from ..sync.ports.content import BUILDING, FIRST_SYNC, Claim, Release
from ..sync.ports.store import Store, UnitOfWork
from ..sync.together import Gathering
from .port import Hint, Outcome

log = logging.getLogger("calendar_ext.jobs")


class AccountRunner:
    """Implements `jobs.port.Runner`.

    :param monotonic: seconds for ages; never compared with the database's.
    """

    def __init__(
        self,
        *,
        store: Store,
        engine: Engine,
        limits: Limits,
        owner: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._engine, self._limits = store, engine, limits
        self._owner, self._monotonic = owner, monotonic
        self._looked: dict[int, float] = {}
        self._stopping = False
        #: Engines add themselves here.
        self.hints: list[Hint] = []

    def wake(
        self,
        unit: UnitOfWork | None,
        account_id: int,
        *,
        calendar_id: int | None = None,
        priority: int = 10,
        delay: int = 0,
        reason: str = "",
    ) -> None:
        """Leave a hint, in the caller's transaction or in one of its own."""
        if unit is None:
            with self._store.write() as own:
                own.wakes.add(account_id, calendar_id=calendar_id, priority=priority, delay=delay, reason=reason)
        else:
            unit.wakes.add(account_id, calendar_id=calendar_id, priority=priority, delay=delay, reason=reason)
        self._hint(account_id, priority, delay)

    def wake_page(self, account_id: int) -> None:
        """Leave a hint that somebody looks at a calendar, now and then."""
        now, every = self._monotonic(), self._limits.open_page_wake_seconds
        if now - self._looked.get(account_id, float("-inf")) < every:
            return
        self._looked[account_id] = now
        with self._store.write(only_active=True) as unit:
            fresh = unit.wakes.add_page(account_id, every)
        if fresh:
            self._hint(account_id, 0, 0)

    def _hint(self, account_id: int, priority: int, delay: int) -> None:
        for hint in self.hints:
            hint(account_id, priority, delay)

    def run_one(self, account_id: int, *, budget_seconds: float = 60) -> Outcome:
        """Claim one account, run it, let go of it."""
        with self._store.write() as unit:
            claims = unit.sync_states.claim(self._me(), self._limits.lease_seconds, limit=1, account_id=account_id)
        if not claims:
            return Outcome()
        release = self._engine.run(claims[0], budget_seconds)
        self._release([release] if release else [])
        return Outcome(ran=True, error=release.error_class if release else "LeaseLost")

    def run_due(self, *, limit: int = 50, budget_seconds: float = 60, priority_max: int = 100) -> int:
        """Claim what is due and run it; nothing is written where nothing is due."""
        with self._store.read() as unit:
            if self._stopping or not unit.sync_states.anything_due():
                return 0
        began_at = self._monotonic()
        with self._store.write() as unit:
            claims = unit.sync_states.claim(
                self._me(), self._limits.lease_seconds, limit=limit, priority_max=priority_max
            )
        return self._run_all(claims, began_at, budget_seconds)

    def _run_all(self, claims: list[Claim], began_at: float, budget_seconds: float) -> int:
        """Run short ones first; what could not be begun while its claim is fresh is given back."""
        waiting, ran = sorted(claims, key=_is_long), 0
        gathered, ended = Gathering(self._store, monotonic=self._monotonic), list[Release]()
        try:
            while waiting and not self._stopping and self._monotonic() - began_at < self._limits.lease_seconds / 2:
                claim = waiting.pop(0)
                if _is_long(claim) or gathered.ripe:
                    gathered.flush()
                    self._release(ended)
                    ended = []
                release = self._engine.run(claim, budget_seconds, gathered)
                ended += [release] if release else []
                ran += 1
        finally:
            gathered.flush()
            self._release(ended)
            self._give_back(waiting)
        return ran

    def _release(self, ended: list[Release]) -> None:
        ended = [release for release in ended if not release.written]
        if not ended:
            return
        try:
            with self._store.write() as unit:
                unit.sync_states.release(ended)
        except CalendarExtError as error:
            # The leases run out by themselves, and the runs are repeated: they are idempotent.
            log.warning("%s runs could not be released: %s.", len(ended), error.code)

    def _give_back(self, claims: list[Claim]) -> None:
        if claims:
            with self._store.write() as unit:
                unit.sync_states.give_back(claims)

    def sweep(self, *, limit: int = 100) -> int:
        """Hint again at what nobody took."""
        with self._store.read() as unit:
            stalled = unit.sync_states.stalled(limit)
        for account_id in stalled:
            self._hint(account_id, 10, 0)
        return len(stalled)

    def due(self, *, limit: int = 100) -> list[int]:
        """Return accounts that could run now."""
        with self._store.read() as unit:
            return unit.sync_states.due(limit)

    def stop(self) -> None:
        """Claim nothing more, and let runs under way end at their next safe place."""
        self._stopping = True
        self._engine.hurry()

    def go_on(self) -> None:
        """Claim again: a process that was forked from a stopping one begins afresh."""
        self._stopping = False

    def _me(self) -> str:
        return self._owner or this_process()


def _is_long(claim: Claim) -> bool:
    return FIRST_SYNC in claim.work or any(cursor.state == BUILDING for cursor in claim.cursors)


_NAMES: dict[int, str] = {}


def this_process() -> str:
    """Return the name leases are held under: host, process, and chance, because process numbers come again."""
    pid = os.getpid()
    if pid not in _NAMES:
        _NAMES[pid] = f"{socket.gethostname()[:64]}:{pid}:{secrets.token_hex(4)}"
    return _NAMES[pid]

"""SQLite's lock has no queue: our background writers queue here, and leave it free most of the time (L10)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakSet

_every: WeakSet[Turns] = WeakSet()


class Turns:
    """One background writer at a time in this process; the lock then rests `rest_factor` times as long as it was held.

    The rest is taken by the next writer, before it begins: work between two writes counts as rest.
    """

    def __init__(
        self,
        rest_factor: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rest_factor = rest_factor
        self._sleep = sleep
        self._now = now
        self._lock = threading.Lock()
        self._free_at = float("-inf")
        self._began_at = 0.0
        _every.add(self)

    @contextmanager
    def taken(self) -> Iterator[Callable[[], None]]:
        """Wait for the turn and for what is left of the rest.

        Yields what is to be called once the database's lock is held: waiting for that was not writing.
        """
        with self._lock:
            self._sleep(max(0.0, self._free_at - self._now()))
            self._begin()
            try:
                yield self._begin
            finally:
                ended_at = self._now()
                self._free_at = ended_at + self._rest_factor * (ended_at - self._began_at)

    def _begin(self) -> None:
        self._began_at = self._now()

    def forget(self) -> None:
        """Drop a turn that a thread of the parent process held when this one was forked."""
        self._lock = threading.Lock()


def _forget_all() -> None:
    for turns in _every:
        turns.forget()


os.register_at_fork(after_in_child=_forget_all)

"""One leader among many processes, through one row with an expiry (host-contract.md section 9)."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import CalendarExtError
from ..sync.ports.store import Store
from .runner import this_process

#: The lease of whoever ticks.
LEADER = "leader"


class Leadership:
    """Whether this process leads. It believes so only until its lease could have run out by its own clock.

    :param seconds: how long a lease lasts; renewed three times as often.
    """

    def __init__(
        self,
        store: Store,
        seconds: int,
        *,
        name: str = LEADER,
        owner: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._seconds, self._name = store, seconds, name
        self._owner, self._monotonic = owner, monotonic
        self._until = float("-inf")

    @property
    def leads(self) -> bool:
        """Return whether this process leads now."""
        return self._monotonic() < self._until

    def strive(self) -> bool:
        """Take or renew the lease; return whether this process leads."""
        asked_at = self._monotonic()
        if not self.leads and self._is_held_by_another():
            return False
        with self._store.write() as unit:
            epoch = unit.leases.take(self._name, self._me(), self._seconds)
        self._until = asked_at + self._seconds if epoch is not None else float("-inf")
        return self.leads

    def resign(self) -> None:
        """Let go at once, so that another need not wait."""
        if not self.leads:
            return
        self._until = float("-inf")
        try:
            with self._store.write() as unit:
                unit.leases.release(self._name, self._me())
        except CalendarExtError:
            # It runs out by itself.
            return

    def forget(self) -> None:
        """Know nothing any more: what a forked child inherited is its parent's lease."""
        self._until = float("-inf")

    def _is_held_by_another(self) -> bool:
        """Look before writing: on SQLite a try that fails would still take the write lock."""
        with self._store.read() as unit:
            holder = unit.leases.holder(self._name)
        return holder is not None and holder.owner != self._me()

    def _me(self) -> str:
        return self._owner or this_process()

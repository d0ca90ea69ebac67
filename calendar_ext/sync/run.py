"""What one run over one account carries along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..limits import Limits
from ..providers.base import CalendarProvider
from .ports.host import HostPort
from .ports.store import Fence, Store

if TYPE_CHECKING:
    from .ports.people import AccountRecord

#: UTC seconds and a monotonic reading: passed in, so that tests own time.
Clock = Callable[[], float]


@dataclass(slots=True)
class Tally:
    """What a run did, for its journal line and for listeners."""

    pulled: int = 0
    removed: int = 0
    pushed: int = 0
    to_host: int = 0
    conflicts: int = 0
    refused: int = 0
    requests: int = 0

    @property
    def changed(self) -> bool:
        """Return whether anything was written on either side."""
        return any((self.pulled, self.removed, self.pushed, self.to_host, self.conflicts, self.refused))


@dataclass(slots=True)
class Run:
    """One claimed pass over one account. Every write goes through `store.write(run.fence)`."""

    account: AccountRecord
    fence: Fence
    provider: CalendarProvider
    store: Store
    host: HostPort
    limits: Limits
    clock: Clock
    #: The installation's public id: part of every chosen remote id and marker.
    installation: str
    tally: Tally = field(default_factory=Tally)
    #: Monotonic deadline of this run's budget.
    deadline: float = float("inf")

    def out_of_time(self) -> bool:
        """Return whether the budget is spent: stop at the next safe place and be due again at once."""
        return self.clock() >= self.deadline

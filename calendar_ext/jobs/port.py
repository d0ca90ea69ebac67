"""What carries the background work, and what it carries (host-contract.md section 8): engines hold hints, no truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..sync.ports.store import UnitOfWork

#: Told of every hint inside the caller's transaction: the account, how urgent it is, in how many seconds it is due.
Hint = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one account.

    :param ran: it was claimed; False = nothing to do, or somebody else has it.
    :param error: the class of what went wrong, or ''.
    """

    ran: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """How the background work stands, as this process knows it.

    :param started: its thread runs here.
    :param leads: this process has the lease.
    :param last_tick_at: UTC seconds of the last tick here, or None.
    :param due: accounts that could run now, at most a hundred.
    """

    name: str
    started: bool = False
    leads: bool = False
    last_tick_at: int | None = None
    due: int = 0


class Runner(Protocol):
    """Claims accounts and runs them. One implementation, whatever carries it."""

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
        """Leave a hint that an account has work, due in `delay` seconds.

        :param unit: the caller's transaction, whose fate the hint shares; None = one of its own.
        """

    def wake_page(self, account_id: int) -> None:
        """Leave a hint that somebody looks at a calendar; at most one per `limits.open_page_wake_seconds`, and a call
        in between costs nothing."""

    def run_one(self, account_id: int, *, budget_seconds: float = 60) -> Outcome:
        """Claim one account that is due or hinted at, run it, let go of it."""

    def run_due(self, *, limit: int = 50, budget_seconds: float = 60, priority_max: int = 100) -> int:
        """Claim up to `limit` accounts that are due, most urgent first, and run them; return how many were run."""

    def sweep(self, *, limit: int = 100) -> int:
        """Hint again at accounts that are due although nobody took them; return how many."""

    def due(self, *, limit: int = 100) -> list[int]:
        """Return accounts that could run now, most urgent first."""


class SyncEngine(Protocol):
    """What calls the runner in time."""

    name: str

    def init_app(self, app: Any) -> None:
        """Attach to a Flask application; starts no thread before the rules of host-contract.md section 9 allow it."""

    def start(self, role: str) -> None:
        """Begin: `web`, `scheduler` or `worker`."""

    def stop(self, timeout: float) -> None:
        """Claim nothing new, let runs end at a safe place, give up after `timeout` seconds."""

    def health(self) -> EngineHealth:
        """Return how it stands."""

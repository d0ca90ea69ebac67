"""The journal of runs, and what a person agreed to of one that stopped. Times are UTC seconds of the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run that planned, changed or stopped something."""

    account_id: int
    epoch: int
    started_at: int
    cause: str = ""
    ended_at: int | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    outcome: str = ""
    stop_reason: str = ""
    plan_hash: str = ""
    approved_by: str = ""
    approved_until: int | None = None
    id: int = 0


class Runs(Protocol):
    """Table `run`."""

    def add(self, run: RunRecord) -> int:
        """Store a run and return its key."""

    def stopped(self, account_id: int) -> RunRecord | None:
        """Return the run a breaker stopped, if it was the last one that did anything."""

    def approve(self, run_id: int, by: str, seconds: int) -> None:
        """Let a person agree to exactly what the run would have done; lapses after `seconds`. Needs no fence."""

    def approved(self, account_id: int, plan_hash: str) -> bool:
        """Return whether somebody agreed to that set and the approval has not lapsed."""

    def newest(self, account_id: int, limit: int) -> list[RunRecord]:
        """Return the last runs, newest first."""

    def remove_before(self, at: int, limit: int) -> int:
        """Delete journal lines, runs and operations that are over, from before that time; return how many."""

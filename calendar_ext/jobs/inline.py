"""The engine that runs when told: tests, the command line, hosts with a cron of their own."""

from __future__ import annotations

from typing import Any

from .port import EngineHealth
from .tasks import Tasks


class InlineEngine:
    """Implements `jobs.port.SyncEngine` without a thread."""

    name = "inline"

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._started = False

    def init_app(self, app: Any) -> None:
        """Do nothing: whoever wants work done calls `tick`."""

    def start(self, role: str) -> None:
        """Note that it may be told."""
        self._tasks.runner.go_on()
        self._started = True

    def stop(self, timeout: float = 0.0) -> None:
        """Claim nothing more."""
        self._tasks.runner.stop()
        self._started = False

    def health(self) -> EngineHealth:
        """Return how it stands."""
        return EngineHealth(name=self.name, started=self._started, due=len(self._tasks.runner.due(limit=100)))

    def tick(self) -> int:
        """Dispatch, and run everything that is due; return how many accounts ran."""
        return self._tasks.tick()

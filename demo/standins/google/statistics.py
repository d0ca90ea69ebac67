"""Counts of what was asked of the stand-in."""

from __future__ import annotations

from collections import Counter
from typing import Any

_WRITES = ("insert", "patch", "update", "delete", "import", "move")


class Statistics:
    """Requests by method, refusals by status, and what was written. Requests to `/_control` and pages do not count."""

    def __init__(self) -> None:
        self.reset()

    def count(self, method: str, status: int, size: int) -> None:
        """Count one answer."""
        self.methods[method] += 1
        self.statuses[status] += 1
        self.sent_bytes += size

    def reset(self) -> None:
        """Start again at nothing."""
        self.methods: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.sent_bytes = 0

    @property
    def requests(self) -> int:
        """Return how many requests were answered."""
        return sum(self.methods.values())

    @property
    def writes(self) -> int:
        """Return how many requests asked for a change of events, refused ones included."""
        return sum(self.methods[f"events.{name}"] for name in _WRITES)

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "requests": self.requests,
            "by_method": dict(self.methods),
            "by_status": {str(status): count for status, count in self.statuses.items()},
            "writes": self.writes,
            "sent_bytes": self.sent_bytes,
        }

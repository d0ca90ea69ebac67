"""What the progress page of a first synchronization shows: `sync_state.progress`, written with every page.

`{"phase": "visible" | "all" | "sending" | "done", "started_at", "pulled", "total": None, "calendars": [{"id", "name",
"pulled", "done"}], "steps": [{"at", "code", "count", "calendar"}]}`; a calendar's id is its public one, times are UTC
seconds, the total is never known beforehand. Step codes: `started`, `visible`, `calendar`, `sending`, `done`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .ports.content import CalendarRecord
from .ports.store import UnitOfWork

_PHASES = ("visible", "all", "sending", "done")


class Progress:
    """Counts of one first synchronization; continues those of an earlier run.

    :param active: False: nothing is counted and nothing written.
    """

    def __init__(self, account_id: int, facts: Mapping[str, Any], *, active: bool, now: int) -> None:
        self._account_id = account_id
        self.active = active
        going_on = bool(facts) and facts.get("phase") != "done"
        self.facts: dict[str, Any] = dict(facts) if going_on else _fresh(now)
        self.facts["steps"] = list(self.facts["steps"])

    def expect(self, calendars: Iterable[CalendarRecord]) -> None:
        """Name the calendars that are listed."""
        known = {entry["id"] for entry in self.facts["calendars"]}
        fresh = [calendar for calendar in calendars if calendar.public_id not in known]
        self.facts["calendars"] += [
            {"id": calendar.public_id, "name": calendar.name, "pulled": 0, "done": False} for calendar in fresh
        ]

    def page(
        self, unit: UnitOfWork, calendar: CalendarRecord, count: int, *, visible: bool, whole_at: int | None
    ) -> None:
        """Count one page and write. Rows of the visible weeks come again in the full listing, and count there.

        :param whole_at: when the calendar's listing ended, if this was its last page.
        """
        if not self.active:
            return
        entry = self._entry(calendar)
        seen = "visible" if visible else "listed"
        entry[seen] = entry.get(seen, 0) + count
        entry["pulled"] = max(entry.get("visible", 0), entry.get("listed", 0))
        self.facts["pulled"] = sum(other["pulled"] for other in self.facts["calendars"])
        if whole_at is not None:
            entry["done"] = True
            self.step("calendar", whole_at, count=entry["pulled"], calendar=calendar)
        self.save(unit)

    def again(self, calendar: CalendarRecord) -> None:
        """Count a listing that begins over from nothing."""
        self._entry(calendar)["listed"] = 0

    def step(self, code: str, now: int, *, count: int = 0, calendar: CalendarRecord | None = None) -> None:
        """Add a line to the log of steps."""
        name = calendar.name if calendar else ""
        self.facts["steps"].append({"at": now, "code": code, "count": count, "calendar": name})

    def phase(self, phase: str) -> bool:
        """Move on; return whether this phase is new. It never goes back."""
        moves = _PHASES.index(phase) > _PHASES.index(self.facts["phase"])
        if moves:
            self.facts["phase"] = phase
        return moves

    def save(self, unit: UnitOfWork) -> None:
        """Write it, in the caller's transaction."""
        if self.active:
            unit.sync_states.set_progress(self._account_id, self.facts)

    def _entry(self, calendar: CalendarRecord) -> dict[str, Any]:
        self.expect([calendar])
        return next(entry for entry in self.facts["calendars"] if entry["id"] == calendar.public_id)


def _fresh(now: int) -> dict[str, Any]:
    return {
        "phase": "visible",
        "started_at": now,
        "pulled": 0,
        "total": None,
        "calendars": [],
        "steps": [{"at": now, "code": "started", "count": 0, "calendar": ""}],
    }

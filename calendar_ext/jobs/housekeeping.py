"""Upkeep of our own tables, in small transactions that leave the host's database free (data-model.md L10)."""

from __future__ import annotations

from collections.abc import Callable

from ..domain.when import Span
from ..limits import Limits
from ..sync.ports.store import Store, UnitOfWork
from .lease import Leadership

DAY = 86_400
#: Where the stored window ends, and how far a move of that end has come: `{"to", "next", "calendar", "after"}`.
EDGE = "occurrence_window"
#: Rows in one transaction.
BATCH = 500
#: Transactions of one kind in one go; what is left waits for the next.
_GOES = 200


class Housekeeping:
    """Everything that is dropped, moved or emptied by time alone."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store, self._limits = store, limits
        self._lease = Leadership(store, 600, name="housekeeping")

    def do(self, *, give_up: Callable[[], bool] = lambda: False) -> None:
        """Do everything once, unless another process is at it; stop between two transactions when told to."""
        if not self._lease.strive():
            return
        try:
            self._move_edge(give_up)
            for part in (self._bins, self._unread, self._past, self._journal):
                self._again_and_again(part, give_up)
            self._records()
        finally:
            self._lease.resign()

    def _again_and_again(self, part: Callable[[UnitOfWork, int], int], give_up: Callable[[], bool]) -> None:
        for _ in range(_GOES):
            if give_up():
                return
            with self._store.write(only_active=True) as unit:
                if not part(unit, unit.now()):
                    return

    def _bins(self, unit: UnitOfWork, now: int) -> int:
        return unit.events.empty_bin(now - self._limits.bin_days * DAY, BATCH)

    def _past(self, unit: UnitOfWork, now: int) -> int:
        return unit.occurrences.forget_before(now - self._limits.window_past_days * DAY, BATCH)

    def _unread(self, unit: UnitOfWork, now: int) -> int:
        """Events of calendars that somebody chose to drop."""
        return sum(unit.events.forget(calendar_id, BATCH) for calendar_id in unit.calendars.dropped())

    def _journal(self, unit: UnitOfWork, now: int) -> int:
        return unit.runs.remove_before(now - self._limits.journal_days * DAY, BATCH)

    def _records(self) -> None:
        """Old cursors, processes and sign-ins: a few rows each."""
        with self._store.write(only_active=True) as unit:
            now = unit.now()
            unit.cursors.remove_retired(now - self._limits.bin_days * DAY)
            unit.processes.forget(DAY)
            unit.attempts.remove_expired(now - DAY)

    def _move_edge(self, give_up: Callable[[], bool]) -> None:
        """Expand what has come into reach since the edge was last moved; goes on where it was interrupted."""
        while not give_up():
            with self._store.write(only_active=True) as unit:
                if not self._move_a_little(unit):
                    return

    def _move_a_little(self, unit: UnitOfWork) -> bool:
        now = unit.now()
        window = Span(now - self._limits.window_past_days * DAY, now + self._limits.window_future_days * DAY)
        edge = unit.settings.get(EDGE)
        if edge is None:
            unit.settings.put(EDGE, {"to": window.end, "next": 0, "calendar": 0, "after": 0})
            return False
        if not edge["next"] and window.end - edge["to"] < DAY:
            return False
        edge = edge if edge["next"] else {**edge, "next": window.end, "calendar": 0, "after": 0}
        calendar_id = unit.calendars.next_read(edge["calendar"] - 1 if edge["after"] else edge["calendar"])
        if calendar_id is None:
            unit.settings.put(EDGE, {"to": edge["next"], "next": 0, "calendar": 0, "after": 0})
            return True
        reach = Span(window.start, edge["next"])
        after = unit.occurrences.extend(calendar_id, reach, since=edge["to"], after_id=edge["after"], limit=BATCH)
        unit.settings.put(EDGE, {**edge, "calendar": calendar_id, "after": after or 0})
        return True

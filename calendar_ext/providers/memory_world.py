"""What the in-memory provider keeps for one account, and the hand of its owner and of fate."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..domain.fingerprint import fingerprint_of_row
from ..domain.model import Kind, Row, Status
from ..errors import CursorExpired, Gone
from .base import RemoteCalendar
from .occurrences import occurrence_row

_NOTHING: Row = {
    "colour": "", "event_type": "", "online_url": "", "online_state": "", "organizer": "", "is_organizer": True,
    "extra": "",
}  # fmt: skip


@dataclass
class MemoryCalendar:
    """One calendar: its rows by remote id, and when each last changed."""

    about: RemoteCalendar
    rows: dict[str, Row] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)


class MemoryWorld:
    """One account as its provider keeps it.

    :param now: UTC seconds.
    """

    def __init__(self, subject: str = "mira@example.test", *, now: Callable[[], float]) -> None:
        self.subject = subject
        self.now = now
        self.page_size = 100
        #: Mails that would have gone out: `(remote id, address)`.
        self.mails: list[tuple[str, str]] = []
        #: Access tokens that work; clear it and every one has expired.
        self.live_tokens: set[str] = set()
        self.revoked = False
        self.calendars: dict[str, MemoryCalendar] = {}
        self._revision = 0
        self._round = 1
        self._faults: list[tuple[Exception, bool]] = []
        self._lock = threading.Lock()
        self.add_calendar(RemoteCalendar(subject, "Mira", primary=True, role="owner", owner=subject))

    def add_calendar(self, about: RemoteCalendar) -> None:
        """Let the account see one more calendar."""
        self.calendars[about.remote_id] = MemoryCalendar(about)

    def calendar(self, calendar_id: str) -> MemoryCalendar:
        """Return a calendar.

        :raises Gone: there is none of that id.
        """
        try:
            return self.calendars[calendar_id]
        except KeyError:
            raise Gone(reason="notFound") from None

    def put(self, calendar_id: str, row: Row) -> Row:
        """Store a row as a new version of itself, and return it."""
        calendar = self.calendar(calendar_id)
        row = {**_NOTHING, **row, "sequence": row.get("sequence", -1) + 1, "remote_updated": int(self.now() * 1000)}
        row["fingerprint"] = fingerprint_of_row(row)
        with self._lock:
            self._revision += 1
            row["etag"] = f'"{self._revision}"'
            calendar.rows[row["remote_id"]] = row
            calendar.changed[row["remote_id"]] = self._revision
        return row

    def remove(self, calendar_id: str, remote_id: str) -> None:
        """Delete an event; a series takes its occurrences along, an occurrence leaves a gap. Ids stay burnt."""
        row = self.row(calendar_id, remote_id)
        self.put(calendar_id, {**row, "status": str(Status.CANCELLED), **_as_gap(row)})
        if not row["recurrence_key"]:
            calendar = self.calendar(calendar_id)
            for name in [name for name, other in calendar.rows.items() if _belongs(other, row)]:
                del calendar.rows[name], calendar.changed[name]

    def row(self, calendar_id: str, remote_id: str) -> Row:
        """Return an event or an occurrence nobody has edited yet, cancelled ones included.

        :raises Gone: unknown.
        """
        rows = self.calendar(calendar_id).rows
        if remote_id in rows:
            return rows[remote_id]
        object_id, _, key = remote_id.rpartition("_")
        master = rows.get(object_id)
        found = occurrence_row(master, key) if master and master["status"] != Status.CANCELLED else None
        if found is None:
            raise Gone(reason="notFound")
        return {**found, "remote_id": remote_id, "sequence": -1, "fingerprint": fingerprint_of_row(found)}

    def since(self, calendar_id: str, cursor: str | None) -> list[tuple[int, Row]]:
        """Return what changed after `cursor`, oldest first."""
        after = 0 if cursor is None else self._place(cursor)
        calendar = self.calendar(calendar_id)
        found = sorted((at, name) for name, at in calendar.changed.items() if at > after)
        return [(at, calendar.rows[name]) for at, name in found]

    def cursor(self, at: int | None = None) -> str:
        """Return the cursor of a revision, by default of now."""
        return f"{self._round}:{self._revision if at is None else at}"

    def _place(self, cursor: str) -> int:
        number, _, at = cursor.partition(":")
        if number != str(self._round) or not at.isdecimal():
            raise CursorExpired
        return int(at)

    def expire_cursors(self) -> None:
        """Forget every cursor and every listing begun."""
        self._round += 1

    def fail_next(self, error: Exception, *, after: bool = False) -> None:
        """Let the next request fail; `after` = what it asked for is done all the same."""
        self._faults.append((error, after))

    def fault(self, *, after: bool) -> None:
        """Raise the fault that is due, if any."""
        if self._faults and self._faults[0][1] is after:
            raise self._faults.pop(0)[0]

    def tell_guests(self, row: Row) -> None:
        """Send the mails of one change."""
        self.mails += [(row["remote_id"], guest.email) for guest in row["attendees"] if not guest.is_self]


def _as_gap(row: Row) -> dict[str, Any]:
    return {"kind": str(Kind.GAP)} if row["recurrence_key"] else {}


def _belongs(row: Row, master: Row) -> bool:
    return row["object_id"] == master["object_id"] and row["recurrence_key"] != ""

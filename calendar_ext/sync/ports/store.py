"""Transactions: short ones, on own connections of the host's engine (data-model.md L5, L9, L10)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .content import Calendars, Cursors, Events, Occurrences, Release, SyncStates, Wakes
    from .edits import Edits
    from .people import Accounts, Attempts, Choices, Connections, Pages
    from .plan import Appointments, Conflicts, HostChanges, Links, Operations
    from .running import Audit, Credentials, Installations, Leases, Processes, Settings
    from .runs import Runs


@dataclass(frozen=True, slots=True)
class Fence:
    """A claim on one account. The first statement of every write transaction of a run asks whether it still holds.

    :param release: the claim ends with this transaction: how, is written by that same statement. Wake rows stay.
    """

    account_id: int
    epoch: int
    lease_seconds: int = 60
    release: Release | None = None


class UnitOfWork(Protocol):
    """One transaction, and the repositories that speak inside it. Left without an error it commits."""

    # running: installation, leases, credentials
    installations: Installations
    leases: Leases
    processes: Processes
    settings: Settings
    audit: Audit
    credentials: Credentials
    # content: what providers hold
    sync_states: SyncStates
    wakes: Wakes
    calendars: Calendars
    events: Events
    occurrences: Occurrences
    cursors: Cursors
    runs: Runs
    # plan: what is to be written, and what was
    host_changes: HostChanges
    appointments: Appointments
    links: Links
    operations: Operations
    conflicts: Conflicts
    edits: Edits
    # people: who uses what, and what they see
    accounts: Accounts
    connections: Connections
    attempts: Attempts
    choices: Choices
    pages: Pages

    def now(self) -> int:
        """Return UTC seconds by the database's clock."""


class Store(Protocol):
    """Where units of work come from."""

    @property
    def chunk_rows(self) -> int:
        """Return how many rows a background chunk may hold on this database."""

    def read(self) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction that is rolled back at its end."""

    def write(self, fence: Fence | None = None, *, only_active: bool = False) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction that commits at its end, rolls back on an error.

        With a fence its first statement is the fence UPDATE, and on SQLite it takes its turn among the background
        writers of this process and rests afterwards. `only_active` (a web edit) asks the installation row in the same
        transaction.

        :raises LeaseLost: the fence no longer holds, or the extension is not active.
        :raises StoreUnavailable: the database is down, locked or failing over; nothing was written.
        :raises Refused: the database does not take these values; nothing was written (L11: halve the chunk).
        """

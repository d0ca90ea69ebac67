"""What is to be written on either side, and what was: changes, appointments, links, operations, conflicts.

Content travels as `Event`; the JSON of the columns is `domain.fingerprint.content`, in `appointment.content` with
`url`, `invite_guests` and `contact_ref` beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...domain.model import Event
from ...domain.reconcile import Base

#: States of an operation that is not over.
OPEN = ("planned", "sending", "unknown", "held")
#: Why an appointment is only in the host.
NOT_CONNECTED, BEFORE_START, REFUSED, KEPT_HERE, ONE_WAY, READ_ONLY = (
    "not_connected", "before_sync_start", "refused", "kept_here", "one_way", "read_only",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HostChangeRecord:
    """What a hook left behind. `kind`: appointment, activity, contact, user, user_deleted, compare."""

    kind: str
    ref: str
    version: int = 0
    actor_id: str | None = None
    origin: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    id: int = 0
    at: int = 0


class HookInsert(Protocol):
    """The one statement of a hook (data-model.md L1, L2)."""

    def __call__(self, session: Any, change: HostChangeRecord) -> None:
        """Insert the change where the extension is active, in the session's transaction.

        :param session: the host's SQLAlchemy session; None = a transaction of its own.
        """


@dataclass(frozen=True, slots=True)
class AppointmentRecord:
    """What we know of a host appointment or activity.

    :param state: `current` or `cancelled`.
    :param reason: why no calendar carries it, or ''.
    """

    tenant_id: str
    kind: str
    ref: str
    version: int
    owners: tuple[str, ...]
    event: Event | None
    organizer_owner: str = ""
    invite_guests: bool = False
    url: str = ""
    contact_ref: str = ""
    state: str = "current"
    reason: str = ""
    reason_text: str = ""
    fingerprint: bytes = b""
    seen_at: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """One copy of one appointment in one collection.

    :param role: `organizer`, `copy`, `invited` or `adopted`.
    :param owned: created by us; only such events are deleted by us.
    :param sender: who mails the guests: `provider`, `host` or `nobody`; with `nobody` they are lines of the text.
    :param state: `live`, `ended` or `kept_here`.
    :param writes: UTC seconds of our last writes there.
    :param title_prefix: what the people of the calendar put before titles; read, never written here.
    """

    tenant_id: str
    appointment_id: int
    calendar_id: int
    account_id: int
    collection_key: str
    public_id: str = ""
    part: str = ""
    event_id: int | None = None
    planned_remote_id: str = ""
    generation: int = 0
    role: str = "organizer"
    owned: bool = True
    sender: str = "nobody"
    base: Base | None = None
    base_fingerprint: bytes | None = None
    base_version: int | None = None
    base_etag: str = ""
    state: str = "live"
    reason: str = ""
    writes: tuple[int, ...] = ()
    quarantined: bool = False
    people: tuple[str, ...] = ()
    title_prefix: str = ""
    direction: str = "both"
    id: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """A calendar that takes one person's appointments.

    :param synced_from: UTC seconds; what ended before is before the sync start.
    :param direction: `both`, `to_provider`, `to_host` or `busy`.
    """

    owner_id: str
    calendar_id: int
    account_id: int
    collection_key: str
    name: str
    access: str
    title_prefix: str
    direction: str
    synced_from: int


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One planned write, its sending and its outcome.

    :param fields: names of `CONTENT_FIELDS` it changes.
    :param before: the base it was planned on; `after`: what the event is to say.
    :param notify: the provider is asked to mail the guests; `notifies`: how many that are.
    """

    tenant_id: str
    account_id: int
    kind: str
    calendar_id: int | None = None
    event_id: int | None = None
    link_id: int | None = None
    target: str = "remote"
    actor_kind: str = "host"
    actor_id: str = ""
    reason: str = ""
    idempotency_key: str = ""
    fields: tuple[str, ...] = ()
    before: Event | None = None
    after: Event | None = None
    state: str = "planned"
    attempts: int = 0
    next_at: int = 0
    error_class: str = ""
    error_text: str = ""
    request_id: str = ""
    notify: bool = False
    notifies: int = 0
    run_id: int | None = None
    created_at: int = 0
    sent_at: int | None = None
    finished_at: int | None = None
    public_id: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class ConflictRecord:
    """One field that both sides changed; both values as JSON text."""

    field: str
    ours: str
    theirs: str
    winner: str
    event_id: int | None = None
    link_id: int | None = None
    operation_id: int | None = None
    state: str = "open"
    resolved_by: str = ""
    at: int = 0
    id: int = 0


class HostChanges(Protocol):
    """Table `host_change`."""

    def oldest(self, limit: int) -> list[HostChangeRecord]:
        """Return the oldest rows."""

    def take(self, ids: Collection[int]) -> set[int]:
        """Delete these rows and return those that were still there: they are the caller's to dispatch."""


class Appointments(Protocol):
    """Tables `appointment` and `appointment_person`."""

    def upsert(self, record: AppointmentRecord) -> AppointmentRecord | None:
        """Store a version and whose it is; None where the stored one is not older.

        A cancellation counts as newer than what has the same version: a deleted row keeps the one it had. `reason`
        is stored with a new row only.
        """

    def get(self, appointment_id: int) -> AppointmentRecord | None:
        """Return one by its key."""

    def find(self, tenant_id: str, kind: str, ref: str) -> AppointmentRecord | None:
        """Return what we know of a host's record."""

    def explain(self, appointment_id: int, reason: str, text: str = "") -> None:
        """Say why no calendar carries it; '' = one does."""


class Links(Protocol):
    """Tables `link` and `link_person`."""

    def targets(self, tenant_id: str, owners: Collection[str], past_seconds: int) -> list[Target]:
        """Return the calendars that take these people's appointments, of accounts that are not ending.

        :param past_seconds: how far before the connection's beginning a first synchronization reaches.
        """

    def of_appointment(self, appointment_id: int) -> list[LinkRecord]:
        """Return every link of an appointment, ended ones included."""

    def of_account(self, account_id: int, *, owned: bool | None = None) -> list[LinkRecord]:
        """Return the live links into an account's calendars."""

    def get(self, link_id: int) -> LinkRecord | None:
        """Return one by its key."""

    def lock(self, link_id: int) -> None:
        """Hold a link until the transaction ends: links come before operations (data-model.md L6)."""

    def of_event(self, event_id: int) -> LinkRecord | None:
        """Return the live link that holds an event."""

    def unsettled(self, account_id: int, limit: int, *, after: int = 0) -> list[LinkRecord]:
        """Return live links, by key from `after` on, whose event differs from the base, is gone, or waits unattached.

        Events with an edit on its way and without a shadow are left out, and so are quarantined links.
        """

    def vanished(self, account_id: int) -> list[LinkRecord]:
        """Return live links whose event was deleted there, and that this has not been settled for."""

    def count(self, account_id: int) -> int:
        """Return how many live links an account has."""

    def add(self, link: LinkRecord) -> LinkRecord:
        """Store a new link with its people and return it with its key and public id."""

    def save(self, link: LinkRecord) -> None:
        """Write the changed values of a link; its people too."""

    def end(self, link_id: int, *, actor: str, reason: str, state: str = "ended") -> None:
        """End a link; who and why stay as its tombstone."""


class Operations(Protocol):
    """Table `operation`."""

    def add(self, operation: OperationRecord) -> OperationRecord:
        """Store a new operation; an empty `idempotency_key` becomes its public id."""

    def fold(self, operation: OperationRecord) -> bool:
        """Write kind, fields, after, notify, reason and actor into a row still planned or held; False = too late."""

    def get(self, operation_id: int) -> OperationRecord | None:
        """Return one by its key."""

    def open_for(self, *, event_id: int | None = None, link_id: int | None = None) -> list[OperationRecord]:
        """Return operations on an event or a link that are not over, oldest first."""

    def open_of_account(self, account_id: int, states: Collection[str] = OPEN) -> list[OperationRecord]:
        """Return an account's operations in these states, oldest first."""

    def next_due(self, account_id: int, now: int) -> OperationRecord | None:
        """Return the oldest operation to send or to look up that no earlier one of its event or link holds back."""

    def claim(self, operation_id: int, now: int) -> OperationRecord | None:
        """Take a planned or unknown one: it is `sending`, one attempt more. None = it changed meanwhile."""

    def finish(
        self,
        operation_id: int,
        state: str,
        *,
        error: Exception | None = None,
        text: str = "",
        event_id: int | None = None,
    ) -> None:
        """Set an end state, with what went wrong; `event_id`: what a creation became."""

    def postpone(self, operation_id: int, until: int, *, error: Exception, unknown: bool = False) -> None:
        """Plan it again for later, or let it be looked up first."""

    def strand(self, account_id: int) -> int:
        """Make what a dead run left as `sending` `unknown`; return how many."""

    def rebase(self, operation_id: int, before: Event, after: Event, fields: Collection[str]) -> None:
        """Give one that is not sent yet another base: what it follows is known now."""

    def hold(self, ids: Collection[int], reason: str, run_id: int) -> None:
        """Let planned ones wait for a person, as what that run wanted to do."""

    def release(self, run_id: int) -> int:
        """Plan what waits for that run again; return how many."""

    def approved(self, account_id: int) -> set[int]:
        """Return the ids of planned ones that a person released and whose approval has not lapsed."""

    def creations(self, event_id: int) -> int:
        """Return how often the event was to be created."""

    def of_event(self, event_id: int, limit: int = 50) -> list[OperationRecord]:
        """Return the journal of an event, newest first."""


class Conflicts(Protocol):
    """Table `conflict`."""

    def add(self, conflicts: Iterable[ConflictRecord]) -> None:
        """Store what lost."""

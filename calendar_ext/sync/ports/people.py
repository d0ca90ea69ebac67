"""Who uses what, and what they see: accounts, connections, sign-ins under way, choices, and what pages read.

Every lookup by a public id takes the organisation and the person as well: what is not theirs is not found
(trust.md rule 0.1). Lookups by `id` are for the engine, which has no person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...domain.model import Row

#: Statuses of an account under which its runs are claimed.
CLAIMED = ("active", "limited", "disconnecting")
#: Statuses under which the account holds nothing any more.
ENDED = ("disconnecting", "disconnected")


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One remote principal in one organisation."""

    id: int
    public_id: str
    tenant_id: str
    provider: str
    issuer: str
    subject: str
    email: str
    kind: str = ""
    scopes: tuple[str, ...] = ()
    standin: bool = False
    status: str = "active"
    status_reason: str = ""
    status_at: int | None = None
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """One person's use of an account."""

    id: int
    public_id: str
    tenant_id: str
    account_id: int
    owner_id: str
    direction: str = "both"
    paused_by: str = ""
    paused_at: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    #: started_at, finished_at
    first_sync: dict[str, Any] = field(default_factory=dict)
    #: Empty, or what a disconnect under way keeps and removes: remove_here, remove_there, by, at.
    leaving: dict[str, Any] = field(default_factory=dict)
    created_at: int = 0
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One sign-in under way, with everything its return is compared with (trust.md T-01)."""

    id: int
    public_id: str
    binding_hash: str
    tenant_id: str
    user_id: str
    provider: str
    verifier: bytes = field(repr=False)
    nonce: str = field(repr=False)
    redirect_uri: str = ""
    next: str = ""
    repairs: str = ""
    expires_at: int = 0
    consumed_at: int | None = None
    outcome: str = ""
    connection: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceRecord:
    """What one person does with one calendar of a connection of theirs.

    :param reads: `mirror`, `block` or `ignore`; of the calendar, so the same for all who use it.
    :param writes: new appointments of this person go here; at most one of a person's calendars.
    :param checks: its events block this person's free time.
    :param shown: its events stand on this person's Calendar page.
    """

    calendar_id: int
    public_id: str
    connection_id: int
    owner_id: str
    name: str
    access: str = "write"
    role: str = ""
    colour: str = ""
    time_zone: str = ""
    primary: bool = False
    reads: str = "ignore"
    writes: bool = False
    checks: bool = False
    shown: bool = True
    title_prefix: str = ""
    events: int = 0


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A connection as screens need it: with its account and the state of its runs."""

    connection: ConnectionRecord
    account: AccountRecord
    next_at: int = 0
    lease_until: int | None = None
    failures: int = 0
    failing_since: int | None = None
    error_class: str = ""
    error_code: str = ""
    breaker_until: int | None = None
    read_ok_at: int | None = None
    write_ok_at: int | None = None
    progress: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TallyRecord:
    """What is counted beside a card.

    :param waiting: changes not yet sent.
    :param held: changes that wait for a person's approval.
    :param unread: events we could not understand.
    :param failed: changes the provider refused, which nothing has replaced since.
    """

    events: int = 0
    waiting: int = 0
    held: int = 0
    unread: int = 0
    failed: int = 0
    conflicts: int = 0
    sent: int = 0
    matched: int = 0


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One mirrored calendar on somebody's Calendar page."""

    calendar_id: int
    public_id: str
    account_id: int
    connection_id: int
    connection: str
    provider: str
    email: str
    name: str
    colour: str = ""
    time_zone: str = ""
    access: str = "write"
    primary: bool = False
    writes: bool = False
    shown: bool = True
    revision: int = 0
    longest_span: int = 0
    #: Of the account and of the connection.
    status: str = "active"
    paused_by: str = ""
    direction: str = "both"


@dataclass(frozen=True, slots=True)
class UnsyncedRecord:
    """A host appointment that is in no calendar, or an activity with a time."""

    id: int
    kind: str
    ref: str
    content: dict[str, Any]
    start_at: int | None = None
    end_at: int | None = None
    reason: str = ""
    reason_text: str = ""
    link: str = ""


class Accounts(Protocol):
    """Table `account`."""

    def get(self, account_id: int) -> AccountRecord | None:
        """Return an account by its key."""

    def by_subject(self, tenant_id: str, provider: str, issuer: str, subject: str) -> AccountRecord | None:
        """Return the account of a remote principal in one organisation."""

    def add(self, account: AccountRecord, now: int) -> AccountRecord:
        """Store a new account (`id` 0 in what is given) and return it with its key."""

    def renew(self, account_id: int, *, email: str, kind: str, scopes: Collection[str], standin: bool) -> None:
        """Note what a new sign-in of the same principal said."""

    def set_status(self, account_id: int, status: str, reason: str = "", *, only_from: Collection[str] = ()) -> bool:
        """Set the status; with `only_from` only where it is one of those. Return whether a row changed."""

    def every(self, tenant_id: str | None = None) -> list[AccountRecord]:
        """Return all accounts, or those of one organisation."""

    def others_of(self, account: AccountRecord) -> int:
        """Return how many other accounts, in any organisation, use the same principal's grant (data-model.md L14)."""

    def remove(self, account_id: int) -> None:
        """Delete the row; children that are left go with it."""


class Connections(Protocol):
    """Table `connection`."""

    def get(self, connection_id: int) -> ConnectionRecord | None:
        """Return a connection by its key."""

    def find(self, public_id: str, tenant_id: str, owner_id: str) -> ConnectionRecord | None:
        """Return a person's connection that has not ended."""

    def of_account(self, account_id: int) -> list[ConnectionRecord]:
        """Return the connections of an account that have not ended."""

    def of_owner(self, tenant_id: str, owner_id: str) -> list[ConnectionRecord]:
        """Return a person's connections that have not ended."""

    def of_user(self, owner_id: str) -> list[ConnectionRecord]:
        """Return a person's connections in any organisation: for a user who is deleted."""

    def any_of(self, account_id: int, owner_id: str) -> ConnectionRecord | None:
        """Return this person's connection of the account, an ended one included."""

    def add(self, connection: ConnectionRecord, now: int) -> ConnectionRecord:
        """Store a new connection and return it with its key."""

    def reopen(self, connection_id: int) -> None:
        """Begin an ended connection again: not paused, not leaving."""

    def pause(self, connection_id: int, by: str, at: int) -> None:
        """Note who paused it."""

    def resume(self, connection_id: int) -> None:
        """Note that it goes on."""

    def set_settings(self, connection_id: int, settings: Mapping[str, Any]) -> None:
        """Replace the person's settings of the connection."""

    def set_direction(self, connection_id: int, direction: str) -> None:
        """Set `both`, `to_provider` or `to_host`."""

    def set_first_sync(self, connection_id: int, facts: Mapping[str, Any]) -> None:
        """Replace what is known of the first synchronization."""

    def set_leaving(self, connection_id: int, leaving: Mapping[str, Any]) -> None:
        """Replace the disconnect in progress; `{}` = none."""

    def end(self, connection_id: int, at: int) -> None:
        """Note that it is over. The row and its children stay for a reconnect within 30 days."""

    def remove_ended(self, before: int) -> int:
        """Delete what ended before that time; return how many."""


class Attempts(Protocol):
    """Table `oauth_attempt`."""

    def add(self, attempt: AttemptRecord, state_hash: str) -> None:
        """Store a sign-in that starts."""

    def by_state(self, state_hash: str) -> AttemptRecord | None:
        """Return the attempt of a state, consumed and expired ones included: the caller compares."""

    def consume(self, attempt_id: int, at: int) -> bool:
        """Take the attempt: one conditional UPDATE. Return False if somebody did before, or it has expired."""

    def finish(self, attempt_id: int, outcome: str, connection: str = "") -> None:
        """Note how it ended; the sealed verifier is removed."""

    def find(self, public_id: str, tenant_id: str, user_id: str) -> AttemptRecord | None:
        """Return a person's attempt."""

    def remove_expired(self, before: int) -> int:
        """Delete attempts that expired before that time; return how many."""


class Choices(Protocol):
    """Table `calendar_person`, joined with `calendar`."""

    def of_connection(self, connection_id: int) -> list[ChoiceRecord]:
        """Return every calendar of the connection's account with this person's choices, primary first, then by name."""

    def of_owner(self, owner_id: str) -> list[ChoiceRecord]:
        """Return a person's choices over all connections that have not ended."""

    def of_calendar(self, calendar_id: int) -> list[ChoiceRecord]:
        """Return who uses a calendar."""

    def destination(self, owner_id: str) -> ChoiceRecord | None:
        """Return the calendar new appointments of this person go to, or None."""

    def put(
        self, calendar_id: int, owner_id: str, connection_id: int, *, writes: bool, checks: bool, shown: bool = True
    ) -> None:
        """Insert or replace one person's choices for one calendar."""

    def clear_destination(self, owner_id: str) -> None:
        """Let no calendar of this person take new appointments."""

    def show(self, calendar_id: int, owner_id: str, shown: bool) -> None:
        """Show or hide a calendar on the person's page."""

    def leave(self, connection_id: int) -> None:
        """Remove a connection's choices."""


class Pages(Protocol):
    """What screens read. Everything is one person's, or one organisation's cards without any event content."""

    def cards(self, tenant_id: str, owner_id: str | None = None) -> list[CardRecord]:
        """Return the cards of a person, or of the whole organisation; oldest first. One statement."""

    def tallies(self, account_ids: Collection[int]) -> dict[int, TallyRecord]:
        """Return what is counted beside the cards, by account."""

    def sources(self, tenant_id: str, owner_id: str) -> list[SourceRecord]:
        """Return the mirrored calendars of a person's connections that have not ended. One statement."""

    def items(self, sources: Iterable[SourceRecord], lo: int, hi: int, limit: int) -> list[Row]:
        """Return occurrences that touch `[lo, hi)`, each with its event's columns, by start. One statement.

        Beside the columns of `event`, `occurs_at` and `occurs_until` are the occurrence's own instants.
        """

    def candidates(self, sources: Iterable[SourceRecord], lo: int, hi: int, limit: int) -> list[Row]:
        """Return the events that may occur in `[lo, hi)` outside the window of stored occurrences: masters with their
        overrides and gaps, and singles."""

    def changed(self, since: Mapping[int, int], limit: int) -> list[Row]:
        """Return events of calendars whose revision is above the one given, deleted ones included, by revision."""

    def event(self, tenant_id: str, owner_id: str, public_id: str) -> Row | None:
        """Return one event of a person's calendars: its columns and `attendees`, and beside them `source` (a
        `SourceRecord`), `link` (a public id or None) and `host_content` (of the linked appointment, or {})."""

    def overrides(self, calendar_id: int, object_id: str) -> list[Row]:
        """Return the overrides and gaps of a series."""

    def master(self, calendar_id: int, object_id: str) -> Row | None:
        """Return the master of a series, or None while it has not come."""

    def losses(self, event_id: int) -> list[dict[str, Any]]:
        """Return the conflicts of an event: `field`, `ours`, `theirs`, `winner`, `at`, newest first."""

    def unsynced(self, tenant_id: str, owner_id: str, now: int, limit: int) -> list[UnsyncedRecord]:
        """Return a person's current appointments that no live link carries, soonest first; past ones are left out."""

    def planned(self, tenant_id: str, owner_id: str, now: int, limit: int) -> list[UnsyncedRecord]:
        """Return a person's activities that have a time, from now on."""

    def refused(self, tenant_id: str, owner_id: str, account_id: int, limit: int) -> list[dict[str, Any]]:
        """Return what could not be synchronized: `event_id`, `title`, `reason`, `at`, `direction`."""

    def vanished(self, account_id: int) -> list[str]:
        """Return names of calendars that were read and are no longer listed by the provider."""

    def health(self) -> dict[str, Any]:
        """Return counts for the administrators' health page; no person's data."""

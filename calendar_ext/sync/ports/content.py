"""What providers hold, as we mirror it, and the state of the runs that mirror it.

Every method that writes is called inside `store.write(fence)` unless it says otherwise. Times are UTC seconds by the
database's clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...domain.model import Refusal, Row
from ...domain.when import Span
from ...providers.base import RemoteCalendar
from .people import AccountRecord
from .store import Fence

#: Kinds of cursor: the visible weeks, the listing of everything that ends in a place in the calendar's history, and the
#: second such listing that confirms what the first one no longer showed.
VISIBLE, FULL, CONFIRM = "visible", "full", "confirm"
BUILDING, CURRENT, RETIRED = "building", "current", "retired"

#: What a claim may find besides the calendars themselves (`Claim.work`).
OPERATIONS, FIRST_SYNC = "operations", "first_sync"


@dataclass(frozen=True, slots=True)
class CalendarRecord:
    """One remote calendar as one account sees it. `reads` is `mirror`, `block` or `ignore`."""

    id: int
    public_id: str
    tenant_id: str
    account_id: int
    remote_id: str
    collection_key: str
    name: str = ""
    time_zone: str = ""
    colour: str = ""
    access: str = "write"
    role: str = ""
    primary: bool = False
    reads: str = "ignore"
    revision: int = 0
    longest_span: int = 0
    #: Another calendar of the organisation shows the same collection and is read instead.
    read_by: int | None = None
    adopted_at: int | None = None
    removed_at: int | None = None


@dataclass(frozen=True, slots=True)
class CursorRecord:
    """A place in a calendar's history, or an unfinished listing.

    :param state: `building`, then `current`, then `retired`.
    :param round: number of the full listing it belongs to; rows carry the last round that showed them.
    :param resume: the next page of an unfinished listing.
    :param value: the provider's cursor, on a current one.
    :param started_at: of a building one: not before this time.
    """

    id: int
    calendar_id: int
    kind: str
    state: str
    round: int = 0
    resume: str | None = None
    value: str | None = None
    span_from: int | None = None
    span_to: int | None = None
    started_at: int | None = None
    completed_at: int | None = None


@dataclass(frozen=True, slots=True)
class WakeRecord:
    """A hint that was read at claim; deleted when the run is released."""

    id: int
    calendar_id: int | None = None
    priority: int = 10
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One account taken by one conditional UPDATE, with everything a poll without news needs to know."""

    account: AccountRecord
    epoch: int
    #: By the database's clock, when it was claimed.
    at: int
    calendars: tuple[CalendarRecord, ...] = ()
    cursors: tuple[CursorRecord, ...] = ()
    wakes: tuple[WakeRecord, ...] = ()
    #: `OPERATIONS`, `FIRST_SYNC`: what waits beside the poll.
    work: frozenset[str] = frozenset()
    failures: int = 0
    #: Public ids of the account's connections that have not ended.
    connections: tuple[str, ...] = ()
    #: It was due by its schedule, not only woken.
    scheduled: bool = True
    progress: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Release:
    """How a run ended, to be written where the claim still holds.

    :param delay: seconds until the account is due again.
    :param wake_ids: exactly the hints that were read at claim (data-model.md L4).
    :param hold: seconds during which not even a hint starts a run: the breaker, or what the provider asked for.
    :param priority: 10 = background, 20 = a long listing that stands back behind others.
    """

    account_id: int
    epoch: int
    delay: int
    wake_ids: tuple[int, ...] = ()
    read_ok: bool = False
    write_ok: bool = False
    failures: int = 0
    error_class: str = ""
    error_code: str = ""
    hold: int = 0
    priority: int = 10
    #: It has been written already, by the fence of the run's last transaction.
    written: bool = False


@dataclass(frozen=True, slots=True)
class SyncStateRecord:
    """When an account runs next, who runs it, how it went."""

    account_id: int
    epoch: int = 0
    lease_owner: str = ""
    lease_until: int | None = None
    next_at: int = 0
    priority: int = 10
    failures: int = 0
    error_class: str = ""
    error_code: str = ""
    failing_since: int | None = None
    breaker_until: int | None = None
    read_ok_at: int | None = None
    write_ok_at: int | None = None
    progress: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one pulled page or chunk.

    :param revision: the calendar's revision the changed rows carry.
    :param changed: how many rows are new or different.
    :param unsettled: some of them are linked, marked, or met an edit on its way.
    """

    revision: int = 0
    changed: int = 0
    unsettled: bool = False


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of deletions.

    :param unsettled: some of the rows are linked, or have an edit on its way.
    """

    count: int = 0
    unsettled: bool = False


class SyncStates(Protocol):
    """Table `sync_state`. Workers only; `ensure` alone is also called by whoever makes an account."""

    def ensure(self, account_id: int) -> None:
        """Make the row of a new account, due at once; nothing happens if there is one."""

    def get(self, account_id: int) -> SyncStateRecord | None:
        """Return the row."""

    def anything_due(self) -> bool:
        """Return whether a claim could find something now. Reads only."""

    def due(self, limit: int) -> list[int]:
        """Return accounts that could be claimed now, most urgent first."""

    def claim(
        self, owner: str, lease_seconds: int, *, limit: int, priority_max: int = 100, account_id: int | None = None
    ) -> list[Claim]:
        """Take due accounts, or the one named, by one conditional UPDATE; most urgent first.

        Called in a transaction without a fence: raising the epoch makes one.
        """

    def release(self, releases: Sequence[Release]) -> None:
        """Let go of runs that ended; where the epoch has moved on nothing is written. Wake rows read are deleted."""

    def hold(self, fence: Fence) -> bool:
        """Ask, and renew or end as it says, one more fence in a transaction that began with another account's; return
        whether it holds."""

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Free claims that were not carried out; they are due as before."""

    def waits(self, account_id: int) -> tuple[bool, bool]:
        """Return whether the account has links, or edits that met news, which may want settling; and whether operations
        are due. One statement: most first synchronizations have neither."""

    def set_progress(self, account_id: int, progress: Mapping[str, Any]) -> None:
        """Replace what the progress page shows."""

    def stalled(self, limit: int) -> list[int]:
        """Return accounts that have been due for a while although nobody holds a lease on them."""


class Wakes(Protocol):
    """Table `wake`. Anybody inserts, in any transaction; a run deletes what it read."""

    def add(
        self,
        account_id: int,
        *,
        calendar_id: int | None = None,
        priority: int = 10,
        delay: int = 0,
        reason: str = "",
    ) -> int | None:
        """Insert a hint, due in `delay` seconds, unless one that says as much waits and no run is under way that may
        have read it. Return its key, or None where it was not needed."""

    def add_page(self, account_id: int, every: int) -> bool:
        """Insert a hint for somebody who looks at the calendar; at most one each `every` seconds, and none where the
        account was read or woken that recently. Return whether there is a new one."""

    def remove(self, wake_ids: Collection[int]) -> None:
        """Delete hints that a run has answered."""

    def waiting(self, account_id: int) -> list[WakeRecord]:
        """Return the hints for an account, most urgent first."""


class Calendars(Protocol):
    """Table `calendar`."""

    def get(self, calendar_id: int) -> CalendarRecord | None:
        """Return a calendar by its key."""

    def find(self, public_id: str, tenant_id: str) -> CalendarRecord | None:
        """Return a calendar of an organisation by its public id."""

    def of_account(self, account_id: int) -> list[CalendarRecord]:
        """Return an account's calendars, primary first, then by name; those that vanished are left out."""

    def adopt(self, account: AccountRecord, found: Iterable[RemoteCalendar]) -> list[CalendarRecord]:
        """Store what the provider lists, keep every choice, and return all. What is new is read as `ignore`.

        Calendars no longer listed get `removed_at`; their events stay. Needs no fence.
        """

    def set_reads(self, calendar_id: int, reads: str) -> None:
        """Choose `mirror`, `block` or `ignore`. Where the collection is already read through another calendar of the
        organisation, `read_by` points there. Needs no fence."""

    def dropped(self) -> list[int]:
        """Return calendars read no more whose events are to go, and that still have some."""

    def next_read(self, after_id: int) -> int | None:
        """Return the next calendar, by key, that holds events; None at the end."""

    def raise_revision(self, calendar_id: int, longest_span: int = 0) -> int:
        """Raise the revision and return it: the first statement before events are stamped with it (L7).

        `longest_span` grows to the one given.
        """


class Events(Protocol):
    """Table `event` with `participant`: the mirror's own writes. Edits by people are `Edits`, pages read by `Pages`."""

    def store(self, calendar: CalendarRecord, rows: Sequence[Row], *, round: int, window: Span) -> Stored:
        """Upsert rows as the provider sent them, with fingerprints, participants and occurrences within `window`.

        Rows that wait to be sent (`pending`) keep what people see; what the provider says goes to `shadow` as JSON:
        the row, `attendees` as objects, `fingerprint` as hex text. Rows with an equal etag and fingerprint keep their
        revision.

        :raises Refused: the database does not take one of the rows; the transaction is lost (halve and repeat, L11).
        """

    def remove(
        self, calendar: CalendarRecord, object_ids: Sequence[str], *, revision: int, ids: Sequence[int] = ()
    ) -> Removed:
        """Put whole objects, and single rows by key, into the bin: `deleted_at` set, instances gone.

        A pending row stays; its `shadow` says `{"gone":true}`.
        """

    def live(self, calendar_id: int, object_ids: Sequence[str]) -> list[tuple[int, str, str]]:
        """Return key, object id and `''` of those singles and masters that we hold and the provider is known to."""

    def count_live(self, calendar_id: int) -> int:
        """Return how many objects of a calendar the provider is known to hold."""

    def quarantine(self, calendar: CalendarRecord, refused: Sequence[Refusal], *, round: int, revision: int) -> None:
        """Keep what could not be understood, by name and reason; a row we had keeps its content."""

    def missing(self, calendar_id: int, round: int) -> list[tuple[int, str, str]]:
        """Return key, object id and recurrence key of live rows that no page of full listing `round` showed.

        Gaps, anchors, rows not yet sent and rows with an edit on its way are never missing.
        """

    def mark_missing(self, calendar_id: int, round: int) -> int:
        """Set `missing_since` on what `missing` returns, where it is not set; return how many rows are marked."""

    def missing_since(self, calendar_id: int, round: int, seconds: int) -> list[tuple[int, str, str]]:
        """Return those of `missing` that were already marked `seconds` ago or earlier."""

    def refused(self, calendar_id: int) -> list[Row]:
        """Return quarantined rows: `id`, `title`, `quarantine`, `remote_id`, `etag`."""

    def empty_bin(self, before: int, limit: int) -> int:
        """Delete rows that have been in the bin since before that time and that no live link holds; return how many."""

    def forget(self, calendar_id: int, limit: int) -> int:
        """Delete rows of a calendar that is no longer read; those of live links stay. Return how many."""


class Occurrences(Protocol):
    """Table `occurrence`: derived from events, replaced per event."""

    def replace(self, calendar: CalendarRecord, object_ids: Collection[str], window: Span) -> None:
        """Write the instances of whole objects anew, after anything but a pull changed one of their rows.

        `calendar.longest_span` grows where an instance is longer.
        """

    def extend(self, calendar_id: int, window: Span, *, since: int, after_id: int, limit: int) -> int | None:
        """Write anew the instances of the next `limit` events that may have some after `since`, the old window's end.

        Return the last event id looked at, or None at the end.
        """

    def forget_before(self, at: int, limit: int) -> int:
        """Delete instances that ended before that time; return how many."""


class Cursors(Protocol):
    """Table `cursor`."""

    def of_calendar(self, calendar_id: int) -> list[CursorRecord]:
        """Return the building and the current ones."""

    def begin(self, calendar_id: int, kind: str, *, span: Span | None = None, delay: int = 0) -> CursorRecord:
        """Begin a listing in `delay` seconds; one of everything gets the next round number."""

    def resume(self, cursor_id: int, resume: str) -> None:
        """Remember the next page."""

    def again(self, cursor_id: int, *, round: int, delay: int) -> None:
        """Begin the same listing once more in `delay` seconds."""

    def complete(self, cursor: CursorRecord, value: str | None) -> None:
        """End a listing: one of everything becomes the calendar's current place, and the old one is retired."""

    def advance(self, cursor_id: int, value: str) -> None:
        """Move the current place on."""

    def forget(self, calendar_id: int) -> None:
        """Retire everything: the next run lists the calendar from the beginning."""

    def remove_retired(self, before: int) -> int:
        """Delete retired ones begun before that time; return how many."""

"""The port to remote calendars: two small classes and their vocabulary.

Vocabulary
  account       one remote principal, authorised; holds the credential; may cover several calendars.
  calendar      one collection of events in that account, known by the provider's own id (`remote_id`).
  event         a VEVENT: either single, a series master, or an override of one occurrence.
  UID           iCalendar's identity of an event, the same in every calendar it is copied to.
  object_id     what the provider versions as a whole: the event, its series, or a CalDAV resource.
  remote_id     the provider's identity of the event *in this calendar*; never assumed equal to the UID.
  etag          an opaque version of one object; equal etags mean equal content, unequal ones promise nothing.
  cursor        an opaque position in a calendar's history: sync token, delta link, sync state, ctag.
  resume        an opaque place inside one unfinished listing; worth nothing once the listing has ended.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from ..domain.model import BusySpan, Event, Refusal, Row
from ..domain.when import Span


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do. The engine reads these; it never asks which provider it has."""

    incremental: bool  #: has a cursor; else listings are compared by etag
    push: bool  #: can call us back; else it is polled
    server_etags: bool  #: refuses a write whose etag is stale; else we re-read before writing
    free_busy: bool  #: answers free/busy directly; else busy spans come from events
    sends_invitations: bool  #: mails attendees itself; else the host does
    writes_this_and_future: bool
    objects_hold_series: bool  #: one remote object holds master and overrides, under one etag
    chosen_ids: bool = False  #: takes the remote id we choose, so a repeated create is found by it
    max_notification_ttl: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RemoteCalendar:
    """One calendar as the account sees it. `access` is `read` or `write`."""

    remote_id: str
    name: str
    access: str = "write"
    primary: bool = False
    time_zone: str = ""
    colour: str = ""
    owner: str = ""
    role: str = ""
    #: Holidays, birthdays and the like: offered unticked.
    noise: bool = False
    #: Equal for everybody who sees the same collection, or '' where the provider has no such id.
    shared_key: str = ""


@dataclass(frozen=True, slots=True)
class RemoteEvent:
    """One event as the provider holds it now: the row to store, identity and etag in it."""

    row: Row

    @property
    def remote_id(self) -> str:
        """Return the provider's identity of the event."""
        return self.row["remote_id"]

    @property
    def etag(self) -> str:
        """Return the version to send back with the next write."""
        return self.row["etag"]

    @property
    def cancelled(self) -> bool:
        """Return whether the provider keeps it only as deleted."""
        return self.row["status"] == "cancelled"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing.

    :param rows: plain dicts of `event` columns, straight from the provider's JSON; overrides and gaps included.
    :param gone: object ids that were deleted: tombstones.
    :param refused: what could not be mapped; the rest of the page is good.
    :param resume: how to ask for the next page after a crash, or None on the last.
    :param cursor: only on the last page of a listing that has one.
    """

    rows: list[Row]
    gone: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    resume: str | None = None
    cursor: str | None = None


class CalendarProvider(ABC):
    """One account at one provider, already authorised. Thread-bound: one run uses it at a time."""

    key: ClassVar[str]
    capabilities: Capabilities  #: of this very account: a personal one can do less
    #: Requests sent since it was opened, for journals and benchmarks.
    requests: int = 0

    @abstractmethod
    def calendars(self) -> list[RemoteCalendar]:
        """Return the calendars this account may read, with what it may do in each."""

    @abstractmethod
    def changes(
        self, calendar_id: str, cursor: str | None, *, span: Span | None = None, resume: str | None = None
    ) -> Iterator[Page]:
        """Yield what changed since `cursor`, or everything if it is None, oldest page first.

        `span` asks for those weeks only, whole series touching them included; such a listing carries no cursor.
        Deleted events are yielded as tombstones. `resume` continues a listing that was cut off.

        :raises CursorExpired: the provider has forgotten `cursor` or `resume`; start again with None.
        """

    @abstractmethod
    def get(self, calendar_id: str, remote_id: str) -> RemoteEvent:
        """Return one event, a cancelled one included.

        :raises Gone: the provider does not know it.
        """

    @abstractmethod
    def occurrence(self, calendar_id: str, object_id: str, recurrence_key: str) -> RemoteEvent:
        """Return one occurrence of a series as an event of its own, edited or not.

        :raises Gone: the series has no such occurrence.
        """

    @abstractmethod
    def create(self, calendar_id: str, event: Event, *, idempotency_key: str, notify: bool = False) -> RemoteEvent:
        """Create `event`; a second call with the same key returns the first call's result.

        :param idempotency_key: 22 to 64 characters `a-v0-9`; where `capabilities.chosen_ids`, it is the remote id.
        :raises Gone: the key was used and the event deleted since: the person removed it there.
        """

    @abstractmethod
    def update(
        self,
        calendar_id: str,
        remote_id: str,
        event: Event,
        *,
        fields: Collection[str],
        etag: str | None,
        notify: bool = False,
    ) -> RemoteEvent:
        """Send only `fields` (names of `CONTENT_FIELDS`, or `marker`); what the provider holds beside them stays.

        :raises EtagMismatch: someone changed it since `etag`; nothing was written.
        :raises Gone: it was deleted.
        """

    @abstractmethod
    def delete(self, calendar_id: str, remote_id: str, *, etag: str | None, notify: bool = False) -> None:
        """Delete; deleting what is already gone is success. On an occurrence's id: cancel that occurrence.

        :raises EtagMismatch: someone changed it since `etag`; nothing was deleted.
        """

    @abstractmethod
    def busy(self, calendar_ids: Sequence[str], span: Span) -> dict[str, list[BusySpan]]:
        """Return busy spans per calendar. Only if `capabilities.free_busy`."""


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The application the organisation signs in with. `source` is `tenant` or `platform`."""

    client_id: str
    client_secret: str = field(repr=False)
    source: str = "platform"


@dataclass(frozen=True, slots=True)
class Authorization:
    """Where to send the browser, and what must be kept on the server until it returns."""

    url: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """What a sign-in gave us. `expires_at` in UTC seconds; `refresh` may be empty."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: int
    scopes: tuple[str, ...] = ()
    #: What a provider's own library wants kept beside it.
    extra: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """A finished sign-in: whose account it is, what was granted, and the token.

    :param missing: scopes we asked for and did not get.
    """

    issuer: str
    subject: str
    email: str
    token: Token
    kind: str = ""
    missing: tuple[str, ...] = ()


class TokenSource(Protocol):
    """Where an open provider takes its token from, and hands a stale one back."""

    def current(self) -> Token:
        """Return the stored token, refreshed first if it ends within a minute."""

    def renew(self, stale: Token) -> Token:
        """Return a token newer than `stale`; stored before it is returned (trust.md T-10).

        :raises AuthorizationExpired: the grant has ended; a person must sign in again.
        """


class ProviderType(ABC):
    """One kind of remote calendar: how to sign in to it and how to open an account."""

    key: ClassVar[str]
    #: On buttons and cards: the product, `… Calendar`.
    label: ClassVar[str]
    #: In sentences: the company.
    company: ClassVar[str]
    #: The account is reached through a stand-in (host-contract.md section 12).
    standin: bool = False

    @abstractmethod
    def authorization(
        self,
        client: OAuthClient,
        *,
        redirect_uri: str,
        state: str,
        nonce: str,
        login_hint: str = "",
        again: bool = False,
    ) -> Authorization:
        """Return the sign-in address, with PKCE S256 and the account chooser. `again` asks for consent once more."""

    @abstractmethod
    def exchange(self, client: OAuthClient, *, code: str, verifier: str, redirect_uri: str, nonce: str) -> Grant:
        """Turn a code into a grant; the id_token's iss, aud, exp and nonce are checked.

        :raises SignInFailed: the provider refused, or the id_token is not for us.
        """

    @abstractmethod
    def refresh(self, client: OAuthClient, token: Token) -> Token:
        """Return a fresh token; a new refresh token in it replaces the old.

        :raises AuthorizationExpired: the grant has ended.
        """

    @abstractmethod
    def revoke(self, client: OAuthClient, token: Token) -> None:
        """End the grant; one that is already gone is success."""

    @abstractmethod
    def open(self, tokens: TokenSource, *, subject: str = "") -> CalendarProvider:
        """Return the account, ready to use. Sends nothing."""

    @abstractmethod
    def event_url(self, row: Row) -> str:
        """Return the event's page at the provider, or ''."""

"""A complete provider in a dictionary: for tests, demos and people who write another provider.

`MemoryProvider` speaks the port over a `MemoryWorld`, `MemoryType` signs in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from ..domain.model import BusySpan, Event, Row, Status
from ..domain.rows import event_of, row_of
from ..domain.when import Span
from ..errors import AuthorizationExpired, EtagMismatch, Gone, PermissionDenied, SignInFailed
from .base import (
    Authorization,
    CalendarProvider,
    Capabilities,
    Grant,
    OAuthClient,
    Page,
    ProviderType,
    RemoteCalendar,
    RemoteEvent,
    Token,
    TokenSource,
)
from .memory_world import MemoryCalendar, MemoryWorld
from .occurrences import busy_spans, span_rows

__all__ = ["MemoryCalendar", "MemoryProvider", "MemoryType", "MemoryWorld"]


class MemoryProvider(CalendarProvider):
    """The port over a `MemoryWorld`."""

    key = "memory"
    capabilities = Capabilities(
        incremental=True, push=False, server_etags=True, free_busy=True, sends_invitations=True,
        writes_this_and_future=False, objects_hold_series=False, chosen_ids=True,
    )  # fmt: skip

    def __init__(self, world: MemoryWorld, tokens: TokenSource | None = None) -> None:
        self.world = world
        self.requests = 0
        self._tokens = tokens

    def _enter(self) -> None:
        self.requests += 1
        self.world.fault(after=False)
        if self._tokens is None:
            return
        token = self._tokens.current()
        if token.access not in self.world.live_tokens:
            token = self._tokens.renew(token)
        if token.access not in self.world.live_tokens:
            raise AuthorizationExpired(status=401)

    def calendars(self) -> list[RemoteCalendar]:
        """Return every calendar of the world."""
        self._enter()
        return [calendar.about for calendar in self.world.calendars.values()]

    def changes(
        self, calendar_id: str, cursor: str | None, *, span: Span | None = None, resume: str | None = None
    ) -> Iterator[Page]:
        """Yield pages of `world.page_size`; a place in a listing and a cursor are the same thing here."""
        while True:
            self._enter()
            found = self.world.since(calendar_id, resume or cursor)
            batch, more = found[: self.world.page_size], len(found) > self.world.page_size
            resume = self.world.cursor(batch[-1][0]) if more else None
            yield self._page([row for _, row in batch], span, resume)
            if not more:
                return

    def _page(self, rows: list[Row], span: Span | None, resume: str | None) -> Page:
        gone = [row["object_id"] for row in rows if _tombstone(row)]
        kept = [dict(row) for row in rows if not _tombstone(row)]
        if span is not None:
            return Page(span_rows(kept, span), resume=resume)
        return Page(kept, gone, resume=resume, cursor=None if resume else self.world.cursor())

    def get(self, calendar_id: str, remote_id: str) -> RemoteEvent:
        """Return one event."""
        self._enter()
        return RemoteEvent(dict(self.world.row(calendar_id, remote_id)))

    def occurrence(self, calendar_id: str, object_id: str, recurrence_key: str) -> RemoteEvent:
        """Return one occurrence, its own version if it was edited."""
        found = self.get(calendar_id, f"{object_id}_{recurrence_key}")
        if found.cancelled:
            raise Gone(reason="deleted")
        return found

    def create(self, calendar_id: str, event: Event, *, idempotency_key: str, notify: bool = False) -> RemoteEvent:
        """Create under the key as remote id."""
        self._enter()
        calendar = self._writable(calendar_id)
        existing = calendar.rows.get(idempotency_key)
        if existing is None:
            uid = event.uid or f"{idempotency_key}@memory.invalid"
            row = {**row_of(event), "object_id": idempotency_key, "remote_id": idempotency_key, "ical_uid": uid}
            return self._stored(calendar_id, row, notify)
        if existing["status"] == Status.CANCELLED:
            raise Gone(reason="deleted")
        return RemoteEvent(dict(existing))

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
        """Replace the named fields; an occurrence nobody edited yet becomes an override."""
        self._enter()
        row = self._current(calendar_id, remote_id, etag)
        merged = replace(event_of(row), **{name: getattr(event, name) for name in fields})
        return self._stored(calendar_id, {**row, **row_of(merged, recurrence_key=row["recurrence_key"])}, notify)

    def delete(self, calendar_id: str, remote_id: str, *, etag: str | None, notify: bool = False) -> None:
        """Delete an event, or cancel an occurrence."""
        self._enter()
        try:
            row = self._current(calendar_id, remote_id, etag)
        except Gone:
            return
        if notify:
            self.world.tell_guests(row)
        self.world.remove(calendar_id, remote_id)
        self.world.fault(after=True)

    def _current(self, calendar_id: str, remote_id: str, etag: str | None) -> Row:
        self._writable(calendar_id)
        row = self.world.row(calendar_id, remote_id)
        if row["status"] == Status.CANCELLED:
            raise Gone(reason="deleted")
        if etag is not None and etag != row["etag"]:
            raise EtagMismatch
        return row

    def _writable(self, calendar_id: str) -> MemoryCalendar:
        calendar = self.world.calendar(calendar_id)
        if calendar.about.access != "write":
            raise PermissionDenied(reason="requiredAccessLevel")
        return calendar

    def _stored(self, calendar_id: str, row: Row, notify: bool) -> RemoteEvent:
        row = self.world.put(calendar_id, row)
        if notify:
            self.world.tell_guests(row)
        self.world.fault(after=True)
        return RemoteEvent(dict(row))

    def busy(self, calendar_ids: Sequence[str], span: Span) -> dict[str, list[BusySpan]]:
        """Return busy spans worked out from the rows."""
        self._enter()
        return {name: [BusySpan(one) for one in busy_spans(self._rows(name), span)] for name in calendar_ids}

    def _rows(self, calendar_id: str) -> list[Row]:
        return [row for row in self.world.calendar(calendar_id).rows.values() if not _tombstone(row)]


def _tombstone(row: Row) -> bool:
    return row["status"] == Status.CANCELLED and not row["recurrence_key"]


class MemoryType(ProviderType):
    """Signs in to worlds by their subject; the sign-in page is skipped and the browser comes straight back."""

    key = "memory"
    label = "Memory Calendar"
    company = "Memory"

    def __init__(self, now: Callable[[], float]) -> None:
        self.worlds: dict[str, MemoryWorld] = {}
        self._now = now
        #: Who is about to sign in.
        self.visitor = self.add_account("mira@example.test").subject
        self._codes: dict[str, tuple[str, str, str]] = {}

    def add_account(self, subject: str) -> MemoryWorld:
        """Make an account somebody can sign in to."""
        return self.worlds.setdefault(subject, MemoryWorld(subject, now=self._now))

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
        """Return the callback's own address with a code for the visitor."""
        code, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(64)
        self._codes[code] = (login_hint or self.visitor, nonce, verifier)
        return Authorization(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}", verifier)

    def exchange(self, client: OAuthClient, *, code: str, verifier: str, redirect_uri: str, nonce: str) -> Grant:
        """Turn a code into a grant, once."""
        subject, said, kept = self._codes.pop(code, ("", "", ""))
        if subject not in self.worlds or (said, kept) != (nonce, verifier):
            raise SignInFailed(reason="code_refused")
        self.worlds[subject].revoked = False
        return Grant("memory", subject, subject, self._token(self.worlds[subject]), kind="memory")

    def refresh(self, client: OAuthClient, token: Token) -> Token:
        """Return a new access token; the refresh token is the subject."""
        world = self.worlds.get(token.refresh)
        if world is None or world.revoked:
            raise AuthorizationExpired(reason="invalid_grant")
        return self._token(world)

    def _token(self, world: MemoryWorld) -> Token:
        access = secrets.token_urlsafe(16)
        world.live_tokens.add(access)
        return Token(access=access, refresh=world.subject, expires_at=int(self._now()) + 3600, scopes=("all",))

    def revoke(self, client: OAuthClient, token: Token) -> None:
        """End the grant."""
        world = self.worlds.get(token.refresh)
        if world is not None:
            world.revoked = True
            world.live_tokens.clear()

    def open(self, tokens: TokenSource, *, subject: str = "") -> MemoryProvider:
        """Return the account; without a subject the visitor's."""
        return MemoryProvider(self.worlds[subject or self.visitor], tokens)

    def event_url(self, row: Row) -> str:
        """Return '': there is no page."""
        return ""

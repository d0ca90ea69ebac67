"""A grant becomes a connection: account, credential, calendars with sensible choices, and a wake-up."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..contract import OwnerProfile
from ..errors import SignInFailed
from ..providers.base import Grant, ProviderType, RemoteCalendar, Token
from ..sync.ports.content import CalendarRecord
from ..sync.ports.people import AccountRecord, ConnectionRecord
from ..sync.ports.store import Store, UnitOfWork
from .tokens import OAUTH

#: Reason of the status `limited` while a permission is missing.
MISSING_PERMISSION = "missing_permission"
#: Statuses that a complete sign-in ends.
ENDED_BY_SIGN_IN = (
    "active",
    "limited",
    "paused",
    "reconnect_needed",
    "consent_needed",
    "credential_error",
    "disconnected",
)


class Keeper(Protocol):
    """Who stores the token of an account (`services.grants.Grants`)."""

    def keep(self, account_id: int, grant: Grant, unit: UnitOfWork | None = None) -> None:
        """Seal and store the grant's token in place of any other, in the caller's transaction."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a grant became. `created`: the person did not have this connection before, or it had ended."""

    account: AccountRecord
    connection: ConnectionRecord
    created: bool


class _InHand:
    """A token source for the one question asked before anything is stored."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def current(self) -> Token:
        return self._token

    def renew(self, stale: Token) -> Token:
        return self._token


def welcome(
    store: Store,
    grants: Keeper,
    kind: ProviderType,
    user: OwnerProfile,
    grant: Grant,
    repaired: ConnectionRecord | None = None,
) -> Kept:
    """Make or renew account and connection for a grant, and start its synchronization.

    The calendars are asked for first, with the token in hand: a provider that fails then leaves nothing behind. The
    same principal keeps its row, and with it calendars, cursors and links (trust.md T-04). With a permission missing
    the account is `limited` and no calendar is chosen.

    :raises SignInFailed: with reason `leaving`, while the same account is still being disconnected; with
        `consent_again` where the provider gave no lasting grant, which it does only when it asks for consent.
    """
    found = [] if grant.missing else kind.open(_InHand(grant.token), subject=grant.subject).calendars()
    with store.write(only_active=True) as unit:
        account = _account(unit, kind, user, grant)
        connection, created = _connection(unit, account, user)
        grants.keep(account.id, grant, unit)
        if not grant.missing:
            choose_defaults(unit, connection, found, unit.calendars.adopt(account, found))
        _set_status(unit, account, bool(grant.missing))
        if created:
            unit.connections.set_first_sync(connection.id, {"started_at": unit.now()})
        unit.sync_states.ensure(account.id)
        unit.wakes.add(account.id, priority=0, reason="connected")
    return Kept(account, repaired or connection, created)


def _set_status(unit: UnitOfWork, account: AccountRecord, missing: bool) -> None:
    """A review that waits for a person is not ended by signing in."""
    if missing:
        unit.accounts.set_status(account.id, "limited", MISSING_PERMISSION)
        return
    using = unit.connections.of_account(account.id)
    paused = bool(using) and all(connection.paused_by for connection in using)
    unit.accounts.set_status(account.id, "paused" if paused else "active", only_from=ENDED_BY_SIGN_IN)


def _account(unit: UnitOfWork, kind: ProviderType, user: OwnerProfile, grant: Grant) -> AccountRecord:
    known = unit.accounts.by_subject(user.tenant_id, kind.key, grant.issuer, grant.subject)
    scopes = grant.token.scopes
    if known and known.status == "disconnecting":
        raise SignInFailed(reason="leaving", email=known.email)
    if not grant.token.refresh and (known is None or unit.credentials.get(known.id, OAUTH) is None):
        raise SignInFailed(reason="consent_again")
    if known:
        unit.accounts.renew(known.id, email=grant.email, kind=grant.kind, scopes=scopes, standin=kind.standin)
        return known
    fresh = AccountRecord(
        id=0,
        public_id=secrets.token_urlsafe(16),
        tenant_id=user.tenant_id,
        provider=kind.key,
        issuer=grant.issuer,
        subject=grant.subject,
        email=grant.email,
        kind=grant.kind,
        scopes=tuple(scopes),
        standin=kind.standin,
    )
    return unit.accounts.add(fresh, unit.now())


def _connection(unit: UnitOfWork, account: AccountRecord, user: OwnerProfile) -> tuple[ConnectionRecord, bool]:
    known = unit.connections.any_of(account.id, user.user_id)
    if known is None:
        fresh = ConnectionRecord(0, secrets.token_urlsafe(16), user.tenant_id, account.id, user.user_id)
        return unit.connections.add(fresh, unit.now()), True
    if known.ended_at is not None or known.leaving:
        unit.connections.reopen(known.id)
        return known, True
    return known, False


def choose_defaults(
    unit: UnitOfWork,
    connection: ConnectionRecord,
    found: Sequence[RemoteCalendar],
    calendars: Sequence[CalendarRecord],
) -> None:
    """Choose for a person who has not: the primary calendar is read, checked and, if nothing else is, written to.

    What somebody chose before stays. A calendar that can only be read is never written to.
    """
    if any(choice.connection_id == connection.id for choice in unit.choices.of_owner(connection.owner_id)):
        return
    noise = {remote.remote_id for remote in found if remote.noise}
    free = unit.choices.destination(connection.owner_id) is None
    for calendar in calendars:
        chosen = calendar.primary and calendar.remote_id not in noise
        writes = chosen and free and calendar.access == "write"
        unit.choices.put(calendar.id, connection.owner_id, connection.id, writes=writes, checks=chosen, shown=True)
        if chosen and calendar.reads != "mirror":
            unit.calendars.set_reads(calendar.id, "mirror")

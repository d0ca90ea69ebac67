"""What accounts were granted: kept sealed, opened for a run, revoked at the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from ..errors import AuthorizationExpired, CalendarExtError, Gone, KeyMissing, UnsupportedAccount
from ..providers.base import CalendarProvider, Grant, OAuthClient, Token
from ..providers.registry import Registry
from ..sync.ports.people import AccountRecord
from ..sync.ports.running import Vault
from ..sync.ports.store import Store, UnitOfWork
from .tokens import OAUTH, StoredTokens, Strongbox

log = logging.getLogger(__name__)

#: Provider key and organisation to the application they sign in with.
Clients = Callable[[str, str], OAuthClient]


class Grants:
    """Every way to an account's tokens.

    :param clients: returns the application to sign in with; raises `NeedsPerson` where none is set up.
    :param clock: UTC seconds.
    """

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        providers: Registry,
        clients: Clients,
        clock: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._box = Strongbox(store, vault)
        self._store = store
        self._vault = vault
        self._providers = providers
        self._clients = clients
        self._clock = clock
        self._sleep = sleep

    def ready(self) -> None:
        """Return if a sign-in could be kept; asked before one starts.

        :raises KeyMissing: there is no key to seal it with.
        """
        self._vault.ready()

    def open(self, account: AccountRecord) -> CalendarProvider:
        """Return the account at its provider. Sends nothing and reads no token before the first request.

        :raises UnsupportedAccount: a stand-in's account in a process that has no stand-in, or the other way round.
        """
        provider = self._providers.get(account.provider)
        if account.standin != provider.standin:
            raise UnsupportedAccount("This account was connected through a stand-in and cannot be used here.")
        return provider.open(self._tokens(account), subject=account.subject)

    def keep(self, account_id: int, grant: Grant, unit: UnitOfWork | None = None) -> None:
        """Store what a sign-in gave, in the caller's transaction or in one of its own.

        A provider that gives no refresh token the second time leaves the first one in use.

        :raises Gone: there is no such account.
        :raises KeyMissing: there is no key to seal it with.
        """
        if unit is None:
            with self._store.write() as own:
                self._keep(account_id, grant.token, own)
        else:
            self._keep(account_id, grant.token, unit)

    def revoke(self, account: AccountRecord, *, even_if_shared: bool = False) -> bool:
        """End the grant at the provider; return whether that was asked of it. The stored token stays.

        :param even_if_shared: also while other accounts use it: a provider ends it for all of them (L14).
        :raises Retryable: the provider could not be reached.
        """
        if not even_if_shared and self._is_shared(account):
            return False
        try:
            token = self._box.read(account).token
        except (AuthorizationExpired, KeyMissing):
            return False
        client = self._clients(account.provider, account.tenant_id)
        self._providers.get(account.provider).revoke(client, token)
        return True

    def erase(self, account_id: int) -> None:
        """Delete what is stored; nothing is asked of the provider."""
        with self._store.write() as unit:
            unit.credentials.erase(account_id)

    def try_keys(self) -> None:
        """Open one stored token, if there is any, to see whether the keys are the right ones.

        :raises KeyMissing: no key, or not the one it was sealed with.
        :raises AuthorizationExpired: it was sealed elsewhere: the installation or the row is not what it was.
        """
        self._vault.ready()
        with self._store.read() as unit:
            sample = unit.credentials.any()
            account = unit.accounts.get(sample.account_id) if sample else None
        if account is not None:
            self._box.read(account)

    def revoke_everything(self, *, give_up: Callable[[], bool] = lambda: False) -> list[str]:
        """Ask every provider to end its grants, best effort; return the public ids of accounts where that failed.

        :param give_up: asked before each; True leaves the rest unasked, which counts as failed.
        """
        with self._store.read() as unit:
            stored = set(unit.credentials.accounts())
            accounts = [account for account in unit.accounts.every() if account.id in stored]
        return [account.public_id for account in accounts if give_up() or not self._revoked(account)]

    def _revoked(self, account: AccountRecord) -> bool:
        try:
            self.revoke(account, even_if_shared=True)
        except CalendarExtError as error:
            log.warning("A grant could not be ended: %s", error.code, extra={"account": account.public_id})
            return False
        return True

    def _keep(self, account_id: int, token: Token, unit: UnitOfWork) -> None:
        account = unit.accounts.get(account_id)
        if account is None:
            raise Gone(account_id=account_id)
        if not token.refresh:
            token = replace(token, refresh=self._box.refresh_token(account, unit))
        unit.credentials.put(account_id, OAUTH, self._box.seal(account, token), expires_at=token.expires_at)

    def _is_shared(self, account: AccountRecord) -> bool:
        with self._store.read() as unit:
            return unit.accounts.others_of(account) > 0

    def _tokens(self, account: AccountRecord) -> StoredTokens:
        provider = self._providers.get(account.provider)

        def refresh(token: Token) -> Token:
            return provider.refresh(self._clients(account.provider, account.tenant_id), token)

        return StoredTokens(account, self._box, refresh, self._clock, sleep=self._sleep)

"""An account's token while a provider is open: read when needed, refreshed by one at a time (trust.md T-10)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from ..errors import AuthorizationExpired, KeyMissing, ProviderUnavailable, Refused
from ..providers.base import Token
from ..sync.ports.people import AccountRecord
from ..sync.ports.running import CredentialRecord, Sealed, Vault
from ..sync.ports.store import Store, UnitOfWork

#: The kind of an account's one credential: access and refresh token together.
OAUTH = "oauth"
#: A token that ends sooner is refreshed before it is used.
_LAST_SECONDS = 60
#: Longer than a refresh may take, with its retries.
_TURN_SECONDS = 90
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Held:
    """A token as it was read, and the version of its row."""

    token: Token
    version: int


class Strongbox:
    """Tokens in the credential table: sealed on the way in, opened on the way out."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self.store = store
        self._vault = vault

    def seal(self, account: AccountRecord, token: Token) -> Sealed:
        """Return the token as it is stored.

        :raises KeyMissing: there is no key to seal it with.
        """
        facts = {"access": token.access, "refresh": token.refresh, "scopes": list(token.scopes), "extra": token.extra}
        return self._vault.seal(json.dumps(facts | {"expires_at": token.expires_at}), *_place(account))

    def read(self, account: AccountRecord) -> Held:
        """Return the stored token.

        :raises AuthorizationExpired: there is none, or what is stored was not sealed here; nothing is sent then.
        """
        with self.store.read() as unit:
            record = unit.credentials.get(account.id, OAUTH)
        if record is None:
            raise AuthorizationExpired(reason="no_credential")
        return Held(self._open(account, record), record.version)

    def refresh_token(self, account: AccountRecord, unit: UnitOfWork) -> str:
        """Return the stored refresh token; '' where there is none that opens."""
        record = unit.credentials.get(account.id, OAUTH)
        if record is None:
            return ""
        try:
            return str(json.loads(self._vault.open(record.sealed, *_place(account)))["refresh"])
        except (Refused, KeyMissing):
            return ""

    def swap(self, account: AccountRecord, token: Token, version: int) -> bool:
        """Store a refreshed token if the row is still at `version`."""
        sealed = self.seal(account, token)
        with self.store.write() as unit:
            return unit.credentials.swap(account.id, OAUTH, sealed, version=version, expires_at=token.expires_at)

    def _open(self, account: AccountRecord, record: CredentialRecord) -> Token:
        try:
            facts = json.loads(self._vault.open(record.sealed, *_place(account)))
        except Refused as error:
            self._give_up(account)
            raise AuthorizationExpired(reason="credential_error") from error
        return Token(**facts | {"scopes": tuple(facts["scopes"])})

    def _give_up(self, account: AccountRecord) -> None:
        with self.store.write() as unit:
            unit.credentials.mark(account.id, OAUTH, "error")
            unit.accounts.set_status(account.id, "credential_error", only_from=("active", "limited", "paused"))


class StoredTokens:
    """The `TokenSource` of one open account. Used by one thread at a time.

    :param refresh: asks the provider for a fresh token.
    :param clock: UTC seconds.
    """

    def __init__(
        self,
        account: AccountRecord,
        box: Strongbox,
        refresh: Callable[[Token], Token],
        clock: Callable[[], float],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._account = account
        self._box = box
        self._refresh = refresh
        self._clock = clock
        self._sleep = sleep
        self._held: Held | None = None

    def current(self) -> Token:
        """Return the stored token, refreshed first if it ends within a minute."""
        held = self._held = self._held or self._box.read(self._account)
        return self.renew(held.token) if self._ending(held.token) else held.token

    def renew(self, stale: Token) -> Token:
        """Return a token newer than `stale`, stored before it is returned.

        One refresh at a time over all threads and processes: whoever finds the turn taken waits, and reads what the
        other stored.

        :raises AuthorizationExpired: the grant has ended.
        :raises ProviderUnavailable: somebody else has been refreshing it for too long.
        """
        name, owner = f"refresh:{self._account.id}", uuid4().hex
        for _ in range(int(_TURN_SECONDS / _PAUSE_SECONDS)):
            held = self._held = self._box.read(self._account)
            if held.token.access != stale.access and not self._ending(held.token):
                return held.token
            if self._take_turn(name, owner):
                return self._renew_in_turn(stale, name, owner)
            self._sleep(_PAUSE_SECONDS)
        raise ProviderUnavailable("The sign-in is being renewed by another process.")

    def _renew_in_turn(self, stale: Token, name: str, owner: str) -> Token:
        try:
            held = self._box.read(self._account)
            if held.token.access == stale.access or self._ending(held.token):
                held = self._renewed(held)
            self._held = held
            return held.token
        finally:
            with self._box.store.write() as unit:
                unit.leases.release(name, owner)

    def _renewed(self, held: Held) -> Held:
        """Refresh and store; of two that did it all the same, the second takes what the first stored."""
        try:
            fresh = self._refresh(held.token)
        except AuthorizationExpired:
            stored = self._box.read(self._account)
            if stored.version == held.version:
                raise
            return stored
        if self._box.swap(self._account, fresh, held.version):
            return Held(fresh, held.version + 1)
        return self._box.read(self._account)

    def _take_turn(self, name: str, owner: str) -> bool:
        with self._box.store.read() as unit:
            if unit.leases.holder(name):
                return False
        with self._box.store.write() as unit:
            return unit.leases.take(name, owner, _TURN_SECONDS) is not None

    def _ending(self, token: Token) -> bool:
        return token.expires_at - self._clock() < _LAST_SECONDS


def _place(account: AccountRecord) -> tuple[str, str, str]:
    return account.tenant_id, account.public_id, OAUTH

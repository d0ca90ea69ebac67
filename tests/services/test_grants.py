"""Tokens: kept sealed, refreshed by one at a time, revoked at the end (trust.md T-10, T-12)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select, update

from calendar_ext.errors import AuthorizationExpired, Gone, KeyMissing, ProviderUnavailable, UnsupportedAccount
from calendar_ext.persistence.tables import Account, Credential
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.persistence.vault import Secret, Vault, new_key
from calendar_ext.providers.base import CalendarProvider, Grant, OAuthClient, Token, TokenSource
from calendar_ext.providers.memory import MemoryType
from calendar_ext.providers.registry import Registry
from calendar_ext.services import tokens
from calendar_ext.services.grants import Grants
from calendar_ext.services.tokens import OAUTH
from calendar_ext.sync.ports.people import AccountRecord
from tests.conftest import ManualClock
from tests.persistence.rows import account as insert_account

KEY = new_key()
CLIENT = OAuthClient("client", "client-secret")


class Rotating(MemoryType):
    """Signs in as providers with strict rotation do: a refresh token works once, and used twice ends the grant."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.clock = now
        self.number = 0
        self.ended = False
        self.revoked: list[str] = []
        self.tokens: TokenSource | None = None
        self._lock = threading.Lock()

    def grant(self) -> Grant:
        return Grant("https://issuer.test", "subject-1", "person1@example.test", self.token())

    def token(self) -> Token:
        return Token(f"access-{self.number}", f"refresh-{self.number}", int(self.clock()) + 3600, ("events",))

    def refresh(self, client: OAuthClient, token: Token) -> Token:
        with self._lock:
            if self.ended or token.refresh != f"refresh-{self.number}":
                self.ended = True
                raise AuthorizationExpired
            self.number += 1
            return self.token()

    def revoke(self, client: OAuthClient, token: Token) -> None:
        if self.ended:
            raise ProviderUnavailable
        self.revoked.append(token.refresh)

    def open(self, tokens: TokenSource, *, subject: str = "") -> CalendarProvider:
        self.tokens = tokens
        return super().open(tokens, subject="")


@pytest.fixture
def idp(clock: ManualClock) -> Rotating:
    provider = Rotating(clock)
    provider.add_account("")
    return provider


def grants_of(store: SqlStore, idp: Rotating, clock: ManualClock, key: str = KEY) -> Grants:
    """Return what one process would have."""
    providers = Registry()
    providers.register(idp)
    vault = Vault(Secret(key), lambda: "installation")
    return Grants(store=store, vault=vault, providers=providers, clients=lambda key, tenant: CLIENT, clock=clock)


@pytest.fixture
def grants(store: SqlStore, idp: Rotating, clock: ManualClock) -> Grants:
    return grants_of(store, idp, clock)


@pytest.fixture
def account(store: SqlStore, engine: Engine, grants: Grants, idp: Rotating) -> AccountRecord:
    key = insert_account(engine)
    grants.keep(key, idp.grant())
    return record(store, key)


def record(store: SqlStore, key: int) -> AccountRecord:
    with store.read() as unit:
        found = unit.accounts.get(key)
    assert found
    return found


def source(grants: Grants, account: AccountRecord, idp: Rotating) -> TokenSource:
    grants.open(account)
    assert idp.tokens
    return idp.tokens


def test_what_was_granted_is_found_again_by_another_process(
    store: SqlStore, grants: Grants, account: AccountRecord, idp: Rotating, clock: ManualClock
) -> None:
    assert source(grants_of(store, idp, clock), account, idp).current() == idp.token()


def test_nothing_readable_is_stored(engine: Engine, account: AccountRecord) -> None:
    with engine.connect() as connection:
        row = connection.execute(select(Credential.__table__)).one()
    stored = bytes(row.ciphertext) + bytes(row.wrapped_dek)
    assert b"refresh-0" not in stored
    assert b"access-0" not in stored


def test_a_token_that_ends_within_a_minute_is_refreshed_before_it_is_used(
    grants: Grants, account: AccountRecord, idp: Rotating, clock: ManualClock
) -> None:
    held = source(grants, account, idp)
    clock.tick(3600 - 61)
    assert held.current().access == "access-0"
    clock.tick(2)
    assert held.current().access == "access-1"


def test_a_fresh_token_is_stored_before_it_is_used(
    store: SqlStore, grants: Grants, account: AccountRecord, idp: Rotating
) -> None:
    fresh = source(grants, account, idp).renew(idp.token())
    with store.read() as unit:
        stored = unit.credentials.get(account.id, OAUTH)
    assert stored and (stored.version, stored.expires_at) == (2, fresh.expires_at)
    assert source(grants, account, idp).current() == fresh


def test_twenty_threads_renew_one_token_and_the_grant_survives(
    store: SqlStore, account: AccountRecord, idp: Rotating, clock: ManualClock
) -> None:
    """Each thread is a process of its own as far as our code can tell: own vault, own grants."""
    seen: list[list[str]] = []

    def work() -> None:
        grants = grants_of(store, idp, clock)
        grants.open(account)
        with lock:
            held = source(grants, account, idp)
        mine = []
        for _ in range(5):
            mine.append(held.renew(held.current()).access)
        seen.append(mine)

    lock = threading.Lock()
    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not idp.ended
    assert len(seen) == 20
    assert source(grants_of(store, idp, clock), account, idp).current().access == f"access-{idp.number}"


def test_the_loser_of_a_refresh_takes_what_the_winner_stored(
    store: SqlStore, grants: Grants, account: AccountRecord, idp: Rotating, clock: ManualClock
) -> None:
    """Two refreshed although they should not have: the lease had run out while the first one waited for its answer."""
    held = source(grants, account, idp)
    honest = idp.refresh

    def slow_refresh(client: OAuthClient, token: Token) -> Token:
        idp.refresh = honest
        winner = honest(client, token)
        with store.write() as unit:
            unit.leases.release(f"refresh:{account.id}", unit.leases.holder(f"refresh:{account.id}").owner)
        grants.keep(account.id, Grant("", "", "", winner))
        return Token("late", "late", int(clock()) + 3600)

    idp.refresh = slow_refresh
    assert held.renew(idp.token()).access == "access-1"
    assert source(grants, account, idp).current().access == "access-1"


def test_an_invalid_grant_that_was_only_overtaken_is_no_reason_to_sign_in_again(
    store: SqlStore, grants: Grants, account: AccountRecord, idp: Rotating
) -> None:
    honest = idp.refresh

    def refused(client: OAuthClient, token: Token) -> Token:
        grants.keep(account.id, Grant("", "", "", honest(client, token)))
        raise AuthorizationExpired

    idp.refresh = refused
    assert source(grants, account, idp).renew(idp.token()).access == "access-1"


def test_a_grant_that_has_ended_deletes_nothing(
    store: SqlStore, grants: Grants, account: AccountRecord, idp: Rotating
) -> None:
    idp.ended = True
    held = source(grants, account, idp)
    for _ in range(2):
        with pytest.raises(AuthorizationExpired):
            held.renew(idp.token())
    with store.read() as unit:
        assert unit.credentials.get(account.id, OAUTH)
        assert unit.leases.holder(f"refresh:{account.id}") is None


def test_a_renewal_by_somebody_who_never_ends_is_tried_again_later(
    store: SqlStore, grants: Grants, account: AccountRecord, idp: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_TURN_SECONDS", 0.2)
    with store.write() as unit:
        unit.leases.take(f"refresh:{account.id}", "somebody", 90)
    with pytest.raises(ProviderUnavailable):
        source(grants, account, idp).renew(idp.token())


def test_a_second_sign_in_without_a_refresh_token_keeps_the_first_one(
    grants: Grants, account: AccountRecord, idp: Rotating
) -> None:
    grants.keep(account.id, replace(idp.grant(), token=Token("newer", "", 2_000_000_000)))
    kept = source(grants, account, idp).current()
    assert (kept.access, kept.refresh) == ("newer", "refresh-0")


def test_a_token_moved_to_another_account_opens_nothing_and_sends_nothing(
    store: SqlStore, engine: Engine, grants: Grants, account: AccountRecord, idp: Rotating
) -> None:
    other = insert_account(engine, number=2)
    with engine.begin() as connection:
        connection.execute(update(Credential).values(account_id=other))
    with pytest.raises(AuthorizationExpired) as caught:
        source(grants, record(store, other), idp).current()
    assert caught.value.facts["reason"] == "credential_error"
    assert record(store, other).status == "credential_error"
    assert idp.number == 0


def test_without_a_key_nothing_is_kept_and_nothing_is_lost(
    store: SqlStore, account: AccountRecord, idp: Rotating, clock: ManualClock
) -> None:
    keyless = grants_of(store, idp, clock, key="")
    with pytest.raises(KeyMissing):
        keyless.ready()
    with pytest.raises(KeyMissing):
        keyless.keep(account.id, idp.grant())
    with pytest.raises(KeyMissing):
        source(keyless, account, idp).current()
    with pytest.raises(KeyMissing):
        keyless.try_keys()
    grants_of(store, idp, clock).try_keys()


def test_a_grant_for_nobody_is_not_kept(grants: Grants, idp: Rotating) -> None:
    with pytest.raises(Gone):
        grants.keep(4711, idp.grant())


def test_an_account_without_a_credential_must_sign_in(grants: Grants, account: AccountRecord, idp: Rotating) -> None:
    grants.erase(account.id)
    with pytest.raises(AuthorizationExpired):
        source(grants, account, idp).current()
    assert grants.revoke(account) is False


def test_an_account_of_a_stand_in_is_refused_where_there_is_none(
    engine: Engine, store: SqlStore, grants: Grants, account: AccountRecord
) -> None:
    with engine.begin() as connection:
        connection.execute(update(Account).values(standin=not account.standin))
    with pytest.raises(UnsupportedAccount):
        grants.open(record(store, account.id))


def test_L14_a_grant_that_another_organisation_uses_too_is_not_revoked(
    engine: Engine, grants: Grants, account: AccountRecord, idp: Rotating
) -> None:
    insert_account(engine, number=2, tenant_id="t2", subject=account.subject, standin=account.standin)
    assert grants.revoke(account) is False
    with engine.begin() as connection:
        connection.execute(update(Account).where(Account.tenant_id == "t2").values(status="disconnected"))
    assert grants.revoke(account) is True
    assert idp.revoked == ["refresh-0"]


def test_everything_is_revoked_at_an_uninstall_and_failures_are_named(
    grants: Grants, account: AccountRecord, idp: Rotating
) -> None:
    assert grants.revoke_everything() == []
    assert idp.revoked == ["refresh-0"]
    idp.ended = True
    assert grants.revoke_everything() == [account.public_id]
    assert grants.revoke_everything(give_up=lambda: True) == [account.public_id]

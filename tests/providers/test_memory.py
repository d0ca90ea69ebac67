"""The in-memory provider passes the suite; what it offers beyond the port is tried here."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import replace

import pytest

from calendar_ext.domain.model import Event, Status
from calendar_ext.domain.rows import event_of, row_of
from calendar_ext.errors import AuthorizationExpired, Gone, SignInFailed, UnknownOutcome
from calendar_ext.providers.base import OAuthClient, RemoteCalendar, Token
from calendar_ext.providers.memory import MemoryProvider, MemoryType, MemoryWorld

from ..contracts.provider import KEY, PAGE, ProviderContract, timed

CLIENT = OAuthClient("client", "secret")


class MemoryOwner:
    """The owner's hand in a `MemoryWorld`."""

    read_only_id = "holidays"

    def __init__(self, world: MemoryWorld) -> None:
        self.world, self.calendar_id = world, world.subject
        self._numbers = itertools.count()

    def create(self, event: Event) -> str:
        name = f"there{next(self._numbers)}"
        self.world.put(
            self.calendar_id, {**row_of(event), "object_id": name, "remote_id": name, "ical_uid": f"{name}@x"}
        )
        return name

    def edit(self, remote_id: str, event: Event, fields: Collection[str]) -> None:
        row = self.world.row(self.calendar_id, remote_id)
        merged = replace(event_of(row), **{name: getattr(event, name) for name in fields})
        self.world.put(self.calendar_id, {**row, **row_of(merged, recurrence_key=row["recurrence_key"])})

    def delete(self, remote_id: str) -> None:
        self.world.remove(self.calendar_id, remote_id)

    def edit_occurrence(self, remote_id: str, key: str, event: Event, fields: Collection[str]) -> None:
        self.edit(f"{remote_id}_{key}", event, fields)

    def cancel_occurrence(self, remote_id: str, key: str) -> None:
        self.delete(f"{remote_id}_{key}")

    def decorate(self, remote_id: str) -> None:
        self.world.put(self.calendar_id, {**self.world.row(self.calendar_id, remote_id), "colour": "7"})

    def decorated(self, remote_id: str) -> bool:
        return self.world.row(self.calendar_id, remote_id)["colour"] == "7"

    def titles(self) -> list[str]:
        rows = self.world.calendar(self.calendar_id).rows.values()
        return sorted(row["title"] for row in rows if row["status"] != Status.CANCELLED)

    def forget_cursors(self) -> None:
        self.world.expire_cursors()

    def mails(self) -> int:
        return len(self.world.mails)


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld(now=lambda: 1_795_000_000.0)
    world.page_size = PAGE
    world.add_calendar(RemoteCalendar("holidays", "Holidays", access="read", noise=True))
    return world


@pytest.fixture
def account(world: MemoryWorld) -> MemoryProvider:
    return MemoryProvider(world)


@pytest.fixture
def there(world: MemoryWorld) -> MemoryOwner:
    return MemoryOwner(world)


class TestMemory(ProviderContract):
    pass


def test_an_answer_can_be_lost_after_the_work_was_done(world: MemoryWorld, account: MemoryProvider) -> None:
    world.fail_next(UnknownOutcome(), after=True)
    with pytest.raises(UnknownOutcome):
        account.create(world.subject, timed(), idempotency_key=KEY)
    assert account.get(world.subject, KEY).row["title"] == "Haircut"


def test_a_request_can_fail_before_anything_was_done(world: MemoryWorld, account: MemoryProvider) -> None:
    world.fail_next(UnknownOutcome())
    with pytest.raises(UnknownOutcome):
        account.create(world.subject, timed(), idempotency_key=KEY)
    with pytest.raises(Gone):
        account.get(world.subject, KEY)


class Tokens:
    """Tokens of one account, kept in a variable."""

    def __init__(self, provider: MemoryType, token: Token) -> None:
        self.provider, self.token = provider, token

    def current(self) -> Token:
        return self.token

    def renew(self, stale: Token) -> Token:
        self.token = self.provider.refresh(CLIENT, stale)
        return self.token


@pytest.fixture
def provider() -> MemoryType:
    return MemoryType(lambda: 1_795_000_000.0)


def sign_in(provider: MemoryType) -> Tokens:
    asked = provider.authorization(CLIENT, redirect_uri="https://host.test/back", state="s", nonce="n")
    code = asked.url.partition("code=")[2].partition("&")[0]
    grant = provider.exchange(
        CLIENT, code=code, verifier=asked.verifier, redirect_uri="https://host.test/back", nonce="n"
    )
    assert (grant.subject, grant.email, grant.missing) == ("mira@example.test", "mira@example.test", ())
    return Tokens(provider, grant.token)


def test_a_sign_in_opens_the_account(provider: MemoryType) -> None:
    assert [c.remote_id for c in provider.open(sign_in(provider)).calendars()] == ["mira@example.test"]


def test_a_code_is_good_once_and_for_the_one_who_asked(provider: MemoryType) -> None:
    asked = provider.authorization(CLIENT, redirect_uri="https://host.test/back", state="s", nonce="n")
    code = asked.url.partition("code=")[2].partition("&")[0]
    for nonce in ("other", "n"):
        with pytest.raises(SignInFailed):
            provider.exchange(CLIENT, code=code, verifier=asked.verifier, redirect_uri="", nonce=nonce)


def test_an_expired_token_is_renewed_once(provider: MemoryType) -> None:
    tokens = sign_in(provider)
    account = provider.open(tokens)
    provider.worlds["mira@example.test"].live_tokens.clear()
    assert account.calendars()


def test_a_revoked_grant_asks_for_a_new_sign_in(provider: MemoryType) -> None:
    tokens = sign_in(provider)
    account = provider.open(tokens)
    provider.revoke(CLIENT, tokens.token)
    with pytest.raises(AuthorizationExpired):
        account.calendars()
    sign_in(provider)
    assert provider.event_url({}) == ""

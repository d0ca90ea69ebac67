"""Signing in and what follows, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from calendar_ext.errors import CalendarExtError, Gone, KeyMissing, ProviderUnavailable, Refused, SignInFailed
from calendar_ext.persistence.vault import Secret
from calendar_ext.providers.base import Grant, RemoteCalendar
from calendar_ext.services.connecting import Answer
from calendar_ext.services.tending import BY_ADMIN, Chosen

from .people import BACK, OTHER, STRANGER, USER, People

MIRA = "mira@example.test"


def test_a_sign_in_makes_account_connection_credential_calendars_and_a_wake_up(people: People) -> None:
    finished = people.connects(next="/calendar/")
    assert (finished.email, finished.next, finished.created, finished.missing) == (MIRA, "/calendar/", True, False)
    ((status, standin),) = people.execute("SELECT status, standin FROM calendar_ext_account")
    assert (status, bool(standin)) == ("active", False)
    assert people.execute("SELECT count(*) FROM calendar_ext_credential") == [(1,)]
    assert people.execute("SELECT reason, priority FROM calendar_ext_wake") == [("connected", 0)]
    (choice,) = people.tending.calendars(USER, finished.connection)
    assert (choice.reads, choice.writes, choice.checks, choice.shown) == ("mirror", True, True, True)
    assert people.execute("SELECT outcome, connection FROM calendar_ext_oauth_attempt") == [
        ("connected", finished.connection)
    ]


def test_only_the_primary_calendar_is_read_and_readers_and_noise_are_left_alone(people: People) -> None:
    world = people.kind.worlds[MIRA]
    world.add_calendar(RemoteCalendar("team", "Team", access="read"))
    world.add_calendar(RemoteCalendar("days", "Holidays", access="read", noise=True))
    world.add_calendar(RemoteCalendar("side", "Side"))
    finished = people.connects()
    chosen = {choice.name: choice for choice in people.tending.calendars(USER, finished.connection)}
    assert [name for name, choice in chosen.items() if choice.reads == "mirror"] == ["Mira"]
    assert [name for name, choice in chosen.items() if choice.writes] == ["Mira"]
    assert [name for name, choice in chosen.items() if choice.checks] == ["Mira"]


def test_the_second_account_of_a_person_is_not_written_to(people: People) -> None:
    people.connects()
    second = people.connects(email="second@example.test")
    (choice,) = people.tending.calendars(USER, second.connection)
    assert (choice.reads, choice.writes) == ("mirror", False)


def test_the_verifier_is_sealed_and_gone_after_the_sign_in(people: People) -> None:
    answer, binding = people.starts()
    ((verifier,),) = people.execute("SELECT verifier FROM calendar_ext_oauth_attempt")
    kept = next(iter(people.kind._codes.values()))[2]
    assert kept.encode() not in bytes(verifier)
    people.connecting.finish(USER, "memory", answer, redirect_uri=BACK, binding=binding)
    ((after,),) = people.execute("SELECT verifier FROM calendar_ext_oauth_attempt")
    assert bytes(after) == b""


WRONG: dict[str, dict[str, Any]] = {
    "state": {"answer": Answer("other", "x")},
    "no state": {"answer": Answer("", "x")},
    "user": {"user": OTHER},
    "tenant": {"user": STRANGER},
    "browser": {"binding": "other"},
    "provider": {"provider": "other"},
    "redirect": {"redirect_uri": "https://evil.test/"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_T01_one_wrong_binding_and_no_code_is_exchanged(people: People, wrong: str) -> None:
    answer, binding = people.starts()
    facts = {"user": USER, "provider": "memory", "answer": answer, "redirect_uri": BACK, "binding": binding}
    facts |= WRONG[wrong]
    user, provider, given = (facts.pop(name) for name in ("user", "provider", "answer"))
    with pytest.raises(SignInFailed) as failed:
        people.connecting.finish(user, provider, given, **facts)
    assert failed.value.reason == "invalid"
    assert len(people.kind._codes) == 1, "the code was not used"
    (line,) = people.execute("SELECT action, after FROM calendar_ext_audit")
    assert line[0] == "connect" and '"refused"' in line[1]
    # The person's own sign-in is still good.
    assert people.connecting.finish(USER, "memory", answer, redirect_uri=BACK, binding=binding).created


def test_T01_an_attempt_ends_after_ten_minutes(people: People) -> None:
    answer, binding = people.starts()
    people.execute("UPDATE calendar_ext_oauth_attempt SET expires_at = expires_at - 601")
    with pytest.raises(SignInFailed):
        people.connecting.finish(USER, "memory", answer, redirect_uri=BACK, binding=binding)
    assert len(people.kind._codes) == 1


def test_T01_of_many_at_once_one_goes_on(people: People) -> None:
    answer, binding = people.starts()
    results: list[str] = []
    gate = threading.Barrier(8)

    def finish() -> None:
        gate.wait()
        try:
            people.connecting.finish(USER, "memory", answer, redirect_uri=BACK, binding=binding)
            results.append("connected")
        except SignInFailed as failed:
            results.append(failed.reason)
        except CalendarExtError as error:
            results.append(error.code)

    threads = [threading.Thread(target=finish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("connected") == 1
    assert set(results) <= {"connected", "invalid", "calendar_ext.store_unavailable"}
    assert people.execute("SELECT count(*) FROM calendar_ext_account") == [(1,)]


@pytest.mark.parametrize(
    ("said", "reason"),
    [("access_denied", "denied"), ("admin_policy_enforced", "policy"), ("whatever", "denied"), ("", "denied")],
)
def test_a_refusal_takes_the_attempt_and_says_why(people: People, said: str, reason: str) -> None:
    answer, binding = people.starts(next="/from/here")
    refused = replace(answer, code="", error=said)
    with pytest.raises(SignInFailed) as failed:
        people.connecting.finish(USER, "memory", refused, redirect_uri=BACK, binding=binding)
    assert (failed.value.reason, failed.value.facts["next"]) == (reason, "/from/here")
    assert people.execute("SELECT outcome FROM calendar_ext_oauth_attempt") == [(reason,)]
    with pytest.raises(SignInFailed):
        people.connecting.finish(USER, "memory", answer, redirect_uri=BACK, binding=binding)


def test_T04_the_same_principal_keeps_every_id_and_another_one_changes_nothing(people: People) -> None:
    first = people.connects()
    before = people.execute("SELECT id, public_id FROM calendar_ext_calendar")
    again = people.connects(repairs=first.connection)
    assert (again.connection, again.created) == (first.connection, False)
    assert people.execute("SELECT id, public_id FROM calendar_ext_calendar") == before
    answer, binding = people.starts(repairs=first.connection)
    people.kind._codes = {code: ("joan@example.test", *rest[1:]) for code, rest in people.kind._codes.items()}
    people.kind.add_account("joan@example.test")
    with pytest.raises(SignInFailed) as failed:
        people.connecting.finish(USER, "memory", answer, redirect_uri=BACK, binding=binding)
    assert failed.value.reason == "wrong_account"
    assert failed.value.facts["expected"] == MIRA and failed.value.facts["signed_in"] == "joan@example.test"
    assert people.execute("SELECT count(*) FROM calendar_ext_account") == [(1,)]


def test_somebody_else_s_connection_cannot_be_repaired(people: People) -> None:
    connection = people.connects().connection
    for user in (OTHER, STRANGER):
        with pytest.raises(Gone):
            people.connecting.start(user, "memory", redirect_uri=BACK, repairs=connection)


def test_a_sign_in_ends_what_only_signing_in_ends(people: People) -> None:
    connection = people.connects().connection
    for before, after in (
        ("reconnect_needed", "active"),
        ("credential_error", "active"),
        ("consent_needed", "active"),
        ("limited", "active"),
        ("disconnected", "active"),
        ("needs_review", "needs_review"),
    ):
        people.execute("UPDATE calendar_ext_account SET status = :before", before=before)
        people.connects(repairs=connection)
        assert people.execute("SELECT status FROM calendar_ext_account") == [(after,)]


def test_a_paused_connection_stays_paused_when_its_account_is_signed_in_again(people: People) -> None:
    connection = people.connects().connection
    people.tending.switch(USER, connection, False)
    people.execute("UPDATE calendar_ext_account SET status = 'reconnect_needed'")
    people.connects(repairs=connection)
    assert people.execute("SELECT status FROM calendar_ext_account") == [("paused",)]


def test_what_is_missing_makes_a_limited_account_without_calendars(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = people.kind.exchange

    def less(*arguments: Any, **named: Any) -> Grant:
        return replace(exchange(*arguments, **named), missing=("events",))

    monkeypatch.setattr(people.kind, "exchange", less)
    finished = people.connects()
    assert finished.missing
    assert people.execute("SELECT status, status_reason FROM calendar_ext_account") == [
        ("limited", "missing_permission")
    ]
    assert people.tending.calendars(USER, finished.connection) == []


def test_a_provider_that_fails_at_the_last_step_leaves_nothing_behind(people: People) -> None:
    people.kind.worlds[MIRA].fail_next(ProviderUnavailable())
    with pytest.raises(ProviderUnavailable):
        people.connects()
    for table in ("account", "connection", "credential", "calendar"):
        assert people.execute(f"SELECT count(*) FROM calendar_ext_{table}") == [(0,)]


def test_no_lasting_grant_and_none_stored_asks_for_consent_again(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = people.kind.exchange

    def fleeting(*arguments: Any, **named: Any) -> Grant:
        grant = exchange(*arguments, **named)
        return replace(grant, token=replace(grant.token, refresh=""))

    monkeypatch.setattr(people.kind, "exchange", fleeting)
    with pytest.raises(SignInFailed) as failed:
        people.connects()
    assert failed.value.reason == "consent_again"
    assert people.execute("SELECT count(*) FROM calendar_ext_account") == [(0,)]
    monkeypatch.undo()
    connection = people.connects().connection
    monkeypatch.setattr(people.kind, "exchange", fleeting)
    assert people.connects(repairs=connection).connection == connection


def test_without_key_client_or_provider_nothing_starts(people: People) -> None:
    people.client = None
    with pytest.raises(SignInFailed) as failed:
        people.starts()
    assert failed.value.reason == "not_configured"
    assert [offer.ready for offer in people.connecting.offers("x")] == [False]
    with pytest.raises(Gone):
        people.connecting.start(USER, "nobody", redirect_uri=BACK)
    people.vault._text, people.vault._keys = Secret(""), ()
    with pytest.raises(KeyMissing):
        people.connecting.ready()
    with pytest.raises(KeyMissing):
        people.starts()
    assert people.execute("SELECT count(*) FROM calendar_ext_oauth_attempt") == [(0,)]


def test_an_attempt_is_its_person_s_own(people: People) -> None:
    started = people.connecting.start(USER, "memory", redirect_uri=BACK)
    assert people.connecting.attempt(USER, started.attempt).outcome == ""
    for user in (OTHER, STRANGER):
        with pytest.raises(Gone):
            people.connecting.attempt(user, started.attempt)


def test_pausing_is_the_account_s_only_when_everybody_pauses(people: People) -> None:
    mine, theirs = people.connects().connection, people.connects(OTHER).connection
    people.tending.switch(USER, mine, False)
    assert people.execute("SELECT status FROM calendar_ext_account") == [("active",)]
    people.tending.switch(OTHER, theirs, False)
    assert people.execute("SELECT status FROM calendar_ext_account") == [("paused",)]
    people.tending.switch(OTHER, theirs, True)
    assert people.execute("SELECT status FROM calendar_ext_account") == [("active",)]


def test_pausing_remembers_what_was_limited(people: People) -> None:
    connection = people.connects().connection
    people.execute("UPDATE calendar_ext_account SET status = 'limited', status_reason = 'missing_permission'")
    people.tending.switch(USER, connection, False)
    assert people.execute("SELECT status FROM calendar_ext_account") == [("paused",)]
    people.tending.switch(USER, connection, True)
    assert people.execute("SELECT status, status_reason FROM calendar_ext_account") == [
        ("limited", "missing_permission")
    ]


def test_what_an_administrator_paused_only_they_resume(people: People) -> None:
    connection = people.connects().connection
    people.tending.switch(USER, connection, False, by=BY_ADMIN)
    with pytest.raises(Refused):
        people.tending.switch(USER, connection, True)
    assert people.tending.switch(USER, connection, True, by=BY_ADMIN).connection.paused_by == ""


@pytest.mark.parametrize("user", [OTHER, STRANGER], ids=["colleague", "stranger"])
def test_T16_nothing_of_another_person_s_connection_can_be_touched(people: People, user: Any) -> None:
    connection = people.connects().connection
    ((calendar,),) = people.execute("SELECT public_id FROM calendar_ext_calendar")
    for touch in (
        lambda: people.tending.card(user, connection),
        lambda: people.tending.switch(user, connection, False),
        lambda: people.tending.sync_now(user, connection),
        lambda: people.tending.calendars(user, connection),
        lambda: people.tending.look_again(user, connection),
        lambda: people.tending.choose(user, connection, Chosen(frozenset(), frozenset())),
        lambda: people.tending.disconnect(user, connection, remove_here=True, remove_there=True),
        lambda: people.preferences.direction(user, connection),
        lambda: people.preferences.set_direction(user, connection, "to_host"),
        lambda: people.tending.show(user, calendar, False),
    ):
        with pytest.raises(Gone):
            touch()


def test_disconnecting_leaves_the_account_to_those_who_stay(people: People) -> None:
    mine, theirs = people.connects().connection, people.connects(OTHER).connection
    people.tending.disconnect(USER, mine, remove_here=False, remove_there=False)
    assert people.execute("SELECT status FROM calendar_ext_account") == [("active",)]
    card = people.tending.disconnect(OTHER, theirs, remove_here=True, remove_there=False)
    assert people.execute("SELECT status FROM calendar_ext_account") == [("disconnecting",)]
    assert card.connection.leaving["remove_here"] is True
    again = people.tending.disconnect(OTHER, theirs, remove_here=False, remove_there=True)
    assert again.connection.leaving == card.connection.leaving


def test_a_direction_is_one_of_three_and_stays_when_it_is_none(people: People) -> None:
    connection = people.connects().connection
    assert people.preferences.direction(USER, connection) == "both"
    people.preferences.set_direction(USER, connection, "to_host")
    with pytest.raises(Refused):
        people.preferences.set_direction(USER, connection, "sideways")
    assert people.preferences.direction(USER, connection) == "to_host"


def test_expired_attempts_and_ended_connections_can_be_removed(people: People) -> None:
    people.starts()
    people.connects()
    with people.store.write() as unit:
        now = unit.now()
        assert unit.attempts.remove_expired(now) == 0
        assert unit.attempts.remove_expired(now + 601) == 2
        (connection,) = unit.connections.of_user(USER.user_id)
        unit.connections.end(connection.id, now - 100)
        assert unit.connections.remove_ended(now - 200) == 0
        assert unit.connections.remove_ended(now) == 1
        account = unit.accounts.every(USER.tenant_id)[0]
        assert unit.accounts.others_of(account) == 0
        unit.accounts.remove(account.id)
        assert unit.accounts.every() == []


def test_T49_a_grant_that_others_use_is_known_across_organisations(people: People) -> None:
    people.connects()
    people.connects(STRANGER)
    with people.store.read() as unit:
        first, second = unit.accounts.every()
        assert (unit.accounts.others_of(first), unit.accounts.others_of(second)) == (1, 1)

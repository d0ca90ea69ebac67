"""The engine over a real provider spoken to by real HTTP: the stand-in, with its faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.providers.google.api import GoogleProvider
from demo.standins.google import Standin, serve
from demo.standins.google.seeding import many

from ..conftest import LIMITS
from ..providers.google_standin import ENDPOINTS, MIRA, emptied, transport_to
from ..providers.loopback import Tokens
from .rig import Rig

SMALL = replace(LIMITS, page_rows=10, quick_retries=0)


@pytest.fixture
def standin() -> Iterator[Standin]:
    """A stand-in whose first account's calendar is empty."""
    with serve() as running:
        emptied(running)
        yield running


@pytest.fixture
def rig(store: SqlStore, engine: Engine, standin: Standin) -> Rig:
    """The account at the stand-in, nothing read yet."""
    transport, token = transport_to(standin, SMALL), standin.token()

    def opened(account: object) -> GoogleProvider:
        return GoogleProvider(transport, ENDPOINTS.api, Tokens(token), now=time.time, free_busy=True)

    return Rig(store, engine, SMALL, opened)


def add(standin: Standin, title: str, day: int = 1, **facts: object) -> str:
    """Let the owner create an event, some days from now at nine; return its id."""
    start = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=day)
    sides = {
        side: {"dateTime": (start + timedelta(hours=hours)).isoformat(), "timeZone": "Europe/Berlin"}
        for side, hours in (("start", 0), ("end", 1))
    }
    return str(standin.state.create(MIRA, {"summary": title, **sides, **facts})["id"])


def test_every_page_is_read_and_the_visible_weeks_first(rig: Rig, standin: Standin) -> None:
    many(standin.state, 35, series=0)
    standin.state.statistics.reset()
    assert rig.run().error == ""
    assert len(rig.events()) == 35
    # One for the visible weeks, four pages of ten for everything.
    assert standin.state.statistics.methods["events.list"] == 5


def test_a_crowded_month_is_one_request_and_the_rest_comes_with_everything(rig: Rig, standin: Standin) -> None:
    for number in range(25):
        add(standin, f"event {number:02}", day=1 + number)
    standin.state.statistics.reset()
    assert rig.run().error == ""
    assert len(rig.events()) == 25 and standin.state.statistics.methods["events.list"] == 1 + 3


def test_a_look_without_news_is_one_request_and_two_statements(rig: Rig, standin: Standin) -> None:
    add(standin, "one")
    rig.run()
    standin.state.statistics.reset()
    rig.make_due()
    with rig.statements() as statements:
        rig.runner.run_one(rig.account.id)
    assert (standin.state.statistics.requests, len(statements)) == (1, 2)


def test_changes_deletions_and_series_arrive_by_sync_token(rig: Rig, standin: Standin) -> None:
    one, two = add(standin, "one"), add(standin, "two")
    rig.run()
    standin.state.patch(MIRA, one, {"summary": "changed"})
    standin.state.delete(MIRA, two)
    series = add(standin, "series", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    rig.run()
    assert rig.titles() == ["changed", "series"]
    assert len(rig.starts(series)) == 4


def test_a_sync_token_that_was_forgotten_costs_a_full_listing_and_nothing_is_written_there(
    rig: Rig, standin: Standin
) -> None:
    many(standin.state, 25)
    rig.run()
    before = rig.events("title", "revision")
    standin.control("expire_sync_tokens")
    assert rig.run().error == ""
    assert rig.events("title", "revision") == before
    assert standin.state.statistics.writes == 0


def test_an_empty_listing_with_status_200_removes_nothing(rig: Rig, standin: Standin) -> None:
    many(standin.state, 15)
    rig.run()
    standin.control("expire_sync_tokens")
    standin.control("empty_listing", times=1)
    assert rig.run().error == "SuspiciouslyEmpty"
    rig.pass_time(301)
    assert rig.run().error == ""
    assert len({row["object_id"] for row in rig.events()}) == 15


def test_half_pages_without_a_word_remove_nothing(rig: Rig, standin: Standin) -> None:
    many(standin.state, 30, series=0)
    rig.run()
    standin.control("expire_sync_tokens")
    standin.control("half_page", times=10)
    rig.run()
    rig.pass_time(301)
    standin.control("expire_sync_tokens")
    assert rig.run().error == "BreakerTripped"
    assert len(rig.events()) == 30


def test_short_pages_are_followed_to_the_end(rig: Rig, standin: Standin) -> None:
    many(standin.state, 30, series=0)
    standin.control("short_page", times=3)
    assert rig.run().error == ""
    assert len(rig.events()) == 30


@pytest.mark.parametrize(
    ("control", "facts"),
    [
        ("fail", {"status": 503}),
        ("lose_answer", {}),
        ("cut_answer", {}),
        ("drop_request", {}),
    ],
)
def test_an_outage_in_the_middle_is_gone_on_from(rig: Rig, standin: Standin, control: str, facts: dict) -> None:
    many(standin.state, 30, series=0)
    rig.run(budget=-1)
    standin.control(control, **facts)
    assert rig.run().error == "ProviderUnavailable"
    assert rig.run().error == ""
    assert len(rig.events()) == 30 and rig.state().failures == 0


def test_a_rate_limit_is_waited_out(rig: Rig, standin: Standin) -> None:
    add(standin, "one")
    standin.control("fail", status=429, reason="rateLimitExceeded", retry_after=40)
    assert rig.run().error == "RateLimited"
    state = rig.state()
    assert state.breaker_until is not None and state.breaker_until - state.failing_since >= 40


def test_an_expired_sign_in_pauses_the_account_and_the_same_place_is_used_after_it(rig: Rig, standin: Standin) -> None:
    add(standin, "one")
    rig.run()
    standin.control("expire_access_tokens")
    assert rig.run().error == "AuthorizationExpired"
    assert rig.status()[0] == "reconnect_needed"
    add(standin, "two")
    fresh = standin.token()
    transport = transport_to(standin, SMALL)
    rig.open = lambda account: GoogleProvider(transport, ENDPOINTS.api, Tokens(fresh), now=time.time)
    with rig.store.write() as unit:
        unit.accounts.set_status(rig.account.id, "active")
    standin.state.statistics.reset()
    assert rig.run().error == ""
    assert rig.titles() == ["one", "two"] and standin.state.statistics.requests == 1

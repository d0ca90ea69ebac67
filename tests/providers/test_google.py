"""Google passes the suite over real HTTP against its stand-in; what is Google's own is tried below."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace

import pytest

from calendar_ext.domain.model import Attendee, Event
from calendar_ext.domain.when import Span, When, instant
from calendar_ext.errors import (
    AuthorizationExpired,
    CursorExpired,
    Gone,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    Refused,
    UnknownOutcome,
)
from calendar_ext.providers.google import GoogleType
from calendar_ext.providers.google.api import GoogleProvider
from calendar_ext.providers.http import Transport
from demo.standins.google import Standin, serve
from demo.standins.transport import StandinTransport

from ..contracts.provider import KEY, OTHER_KEY, SECOND, ProviderContract, timed, weekly
from .google_standin import LIMITS, MIRA, NOW, GoogleOwner, emptied, opened, transport_to
from .loopback import BASE, LoopbackTransport, Script, Tokens, answer, serving


@pytest.fixture
def standin() -> Iterator[Standin]:
    with serve(clock=lambda: NOW) as standin:
        emptied(standin)
        yield standin


@pytest.fixture
def transport(standin: Standin) -> Iterator[StandinTransport]:
    transport = transport_to(standin)
    yield transport
    transport.session().close()


@pytest.fixture
def account(standin: Standin, transport: StandinTransport) -> GoogleProvider:
    return opened(standin, transport)


@pytest.fixture
def there(standin: Standin) -> GoogleOwner:
    return GoogleOwner(standin)


class TestGoogle(ProviderContract):
    pass


# calendars


def test_roles_become_access_and_what_shows_only_busy_times_is_left_out(
    standin: Standin, account: GoogleProvider
) -> None:
    found = {calendar.role: calendar for calendar in account.calendars()}
    assert {role: calendar.access for role, calendar in found.items()} == {
        "owner": "write",
        "writer": "write",
        "reader": "read",
    }
    assert found["owner"].primary and found["owner"].owner == MIRA
    assert found["reader"].noise and not found["writer"].noise
    standin.control("role", calendar=found["writer"].remote_id, role="writerWithoutPrivateAccess")
    standin.control("role", calendar=found["reader"].remote_id, role="freeBusyReader")
    found = {calendar.role: calendar for calendar in account.calendars()}
    assert {role: calendar.access for role, calendar in found.items()} == {
        "owner": "write",
        "writerWithoutPrivateAccess": "write",
    }


def test_a_long_list_of_calendars_is_read_to_its_end(standin: Standin, account: GoogleProvider) -> None:
    for number in range(260):
        standin.control("add_calendar", summary=f"Room {number}")
    assert len(account.calendars()) == 263
    assert account.requests == 2


# listing


def test_ten_thousand_events_are_four_requests(standin: Standin) -> None:
    standin.control("seed", count=10_000)
    roomy = transport_to(standin, replace(LIMITS, page_rows=2_500))
    account = opened(standin, roomy)
    pages = list(account.changes(MIRA, None))
    roomy.session().close()
    assert [len(page.rows) for page in pages] == [2_500] * 4
    assert account.requests == 4
    assert [page.refused for page in pages] == [[]] * 4


def test_a_short_page_is_not_the_last(standin: Standin, there: GoogleOwner, account: GoogleProvider) -> None:
    made = {there.create(timed(title=f"No {number}")) for number in range(8)}
    standin.control("short_page", times=2)
    pages = list(account.changes(MIRA, None))
    assert {row["remote_id"] for page in pages for row in page.rows} == made
    assert len(pages) > 2


def test_a_page_that_is_too_large_is_asked_for_in_pieces(standin: Standin, there: GoogleOwner) -> None:
    for number in range(12):
        there.create(timed(title=f"No {number}", description="x" * 1_000))
    tight = transport_to(standin, replace(LIMITS, page_rows=100, page_bytes=6_000))
    pages = list(opened(standin, tight).changes(MIRA, None))
    tight.session().close()
    assert sum(len(page.rows) for page in pages) == 12
    assert len(pages) > 2


def test_one_event_that_is_too_large_ends_the_listing(standin: Standin, there: GoogleOwner) -> None:
    there.create(timed(description="x" * 5_000))
    tight = transport_to(standin, replace(LIMITS, page_bytes=2_000))
    with pytest.raises(Refused):
        list(opened(standin, tight).changes(MIRA, None))


def test_a_listing_has_an_end(standin: Standin, there: GoogleOwner) -> None:
    for number in range(11):
        there.create(timed(title=f"No {number}"))
    short = transport_to(standin, replace(LIMITS, pages_per_listing=2))
    with pytest.raises(ProviderUnavailable):
        list(opened(standin, short).changes(MIRA, None))
    short.session().close()


def test_a_refused_token_of_another_listing_starts_again(
    standin: Standin, there: GoogleOwner, account: GoogleProvider
) -> None:
    for number in range(6):
        there.create(timed(title=f"No {number}"))
    place = next(account.changes(MIRA, None)).resume
    with pytest.raises(CursorExpired):
        list(account.changes(MIRA, None, span=Span(0, 2_000_000_000), resume=place))


def test_a_calendar_taken_away_is_gone_and_not_empty(standin: Standin, account: GoogleProvider) -> None:
    with pytest.raises(Gone):
        list(account.changes("c_unknown@group.calendar.google.com", None))


# kinds of events


def test_working_places_and_birthdays_are_left_out_and_absence_is_shown_locked(
    there: GoogleOwner, account: GoogleProvider
) -> None:
    whole = {"start": {"date": "2026-11-23"}, "end": {"date": "2026-11-24"}}
    place = {"workingLocationProperties": {"type": "homeOffice", "homeOffice": {}}, "transparency": "transparent"}
    there.state.create(
        MIRA, {"summary": "Home", "eventType": "workingLocation", "visibility": "public", **whole, **place}
    )
    span = {"start": {"dateTime": "2026-11-23T09:00:00Z"}, "end": {"dateTime": "2026-11-23T17:00:00Z"}}
    there.state.create(MIRA, {"summary": "Away", "eventType": "outOfOffice", "outOfOfficeProperties": {}, **span})
    (row,) = (row for page in account.changes(MIRA, None) for row in page.rows)
    assert (row["title"], row["event_type"], row["show_as"]) == ("Away", "outOfOffice", "away")
    assert '"locked":true' in row["extra"]


def test_an_invitation_from_outside_is_a_copy_that_is_not_ours(there: GoogleOwner, account: GoogleProvider) -> None:
    body = {
        "summary": "Audit",
        "start": {"dateTime": "2026-11-23T09:00:00Z"},
        "end": {"dateTime": "2026-11-23T10:00:00Z"},
        "organizer": {"email": "boss@elsewhere.test"},
        "attendees": [{"email": MIRA, "responseStatus": "tentative"}, {"email": "pat@elsewhere.test"}],
    }
    row = account.get(MIRA, there.state.create(MIRA, body)["id"]).row
    assert (row["organizer"], row["is_organizer"], row["response"]) == ("boss@elsewhere.test", False, "tentative")


def test_a_video_meeting_shows_its_address_and_survives_our_changes(
    there: GoogleOwner, account: GoogleProvider
) -> None:
    remote_id = there.create(timed())
    create = {"createRequest": {"requestId": "6f0c", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    there.state.patch(MIRA, remote_id, {"conferenceData": create})
    row = account.get(MIRA, remote_id).row
    assert row["online_url"].startswith("https://meet.google.com/") and row["online_state"] == "ready"
    changed = account.update(MIRA, remote_id, timed(title="Beard"), fields=["title"], etag=row["etag"]).row
    assert changed["online_url"] == row["online_url"]


def test_an_event_has_a_page_at_google(there: GoogleOwner, account: GoogleProvider) -> None:
    row = account.get(MIRA, there.create(timed())).row
    assert "/calendar/event?eid=" in google_type().event_url(row)
    assert google_type().event_url({"extra": ""}) == ""


def google_type() -> GoogleType:
    """Return the real type; nothing is asked of it over the wire."""
    return GoogleType(Transport(), None, lambda: NOW)


def test_opening_an_account_sends_nothing() -> None:
    account = google_type().open(Tokens())
    assert (account.requests, account.capabilities.free_busy) == (0, False)


# writing


def test_a_lost_answer_of_a_create_is_found_again_and_makes_no_second_event(
    standin: Standin, there: GoogleOwner, account: GoogleProvider
) -> None:
    standin.control("lose_answer", matching="events.insert")
    with pytest.raises(UnknownOutcome):
        account.create(MIRA, timed(marker=("link", "rev")), idempotency_key=KEY)
    assert account.create(MIRA, timed(marker=("link", "rev")), idempotency_key=KEY).remote_id == KEY
    assert there.titles() == ["Haircut"]


def test_an_id_that_carries_anothers_marker_is_not_adopted(there: GoogleOwner, account: GoogleProvider) -> None:
    account.create(MIRA, timed(title="Theirs", marker=("another", "rev")), idempotency_key=KEY)
    with pytest.raises(Refused):
        account.create(MIRA, timed(marker=("link", "rev")), idempotency_key=KEY)
    assert there.titles() == ["Theirs"]


def test_a_zone_google_does_not_know_yet_is_sent_under_its_former_name(
    standin: Standin, account: GoogleProvider
) -> None:
    standin.control("unknown_zones", names=["Europe/Kyiv"])
    row = account.create(MIRA, timed(zone="Europe/Kyiv"), idempotency_key=KEY).row
    assert (row["start_zone"], row["start_at"]) == ("Europe/Kiev", instant("2026-11-23T09:00:00", "Europe/Kyiv"))


def test_what_google_refuses_is_refused_once(standin: Standin, account: GoogleProvider) -> None:
    backwards = Event(When("2026-11-23T10:00:00", "2026-11-23T09:00:00", "UTC", "UTC"))
    with pytest.raises(Refused) as refusal:
        account.create(MIRA, backwards, idempotency_key=OTHER_KEY)
    assert refusal.value.facts == {"status": 400, "reason": "timeRangeEmpty"}
    assert standin.state.statistics.methods["events.insert"] == 1


def test_a_time_that_floats_is_sent_as_utc(account: GoogleProvider) -> None:
    row = account.create(MIRA, timed(zone=""), idempotency_key=KEY).row
    assert row["start_at"] == instant("2026-11-23T09:00:00", "")


def test_what_guests_wrote_survives_a_change_of_the_list(there: GoogleOwner, account: GoogleProvider) -> None:
    ann = {"email": "ann@guest.test", "comment": "Late by ten", "additionalGuests": 2, "responseStatus": "accepted"}
    remote_id = there.create(timed())
    there.state.patch(MIRA, remote_id, {"attendees": [ann]})
    guests = (*account.get(MIRA, remote_id).row["attendees"], Attendee("bob@guest.test"))
    account.update(MIRA, remote_id, timed(attendees=guests), fields=["attendees"], etag=None)
    held = (there.state.get(MIRA, remote_id) or {})["attendees"]
    assert {name: held[0][name] for name in ann} == ann
    assert held[1]["email"] == "bob@guest.test"


def test_the_marker_can_be_taken_off(there: GoogleOwner, account: GoogleProvider) -> None:
    row = account.create(MIRA, timed(marker=("link", "rev")), idempotency_key=KEY).row
    row = account.update(MIRA, KEY, timed(), fields=["marker"], etag=row["etag"]).row
    assert row["marker"] == ""


# trouble


def test_an_expired_token_is_renewed_in_the_middle_of_the_work(standin: Standin, transport: StandinTransport) -> None:
    tokens = Tokens(standin.token(expires_in=-1), standin.token())
    account = opened(standin, transport, tokens=tokens)
    assert account.calendars()
    assert len(tokens.renewed) == 1


def test_a_revoked_grant_needs_a_person(standin: Standin, account: GoogleProvider) -> None:
    standin.control("revoke_grant", email=MIRA)
    with pytest.raises(AuthorizationExpired):
        account.calendars()


def test_a_missing_scope_is_a_missing_permission(standin: Standin, transport: StandinTransport) -> None:
    events_only = standin.token(scopes=["https://www.googleapis.com/auth/calendar.events"])
    with pytest.raises(PermissionDenied) as denied:
        opened(standin, transport, tokens=Tokens(events_only)).calendars()
    assert denied.value.facts["reason"] == "insufficientPermissions"


def test_limits_and_outages_say_when_to_come_back(standin: Standin, account: GoogleProvider) -> None:
    standin.control("fail", status=403, reason="userRateLimitExceeded", retry_after=30)
    with pytest.raises(RateLimited) as limited:
        account.calendars()
    assert limited.value.retry_after == 30
    standin.control("fail", status=403, reason="quotaExceeded")
    with pytest.raises(RateLimited) as limited:
        account.create(MIRA, timed(), idempotency_key=KEY)
    assert limited.value.retry_after == 3600
    standin.control("fail", status=503, times=3)
    with pytest.raises(ProviderUnavailable):
        account.calendars()


def test_a_lost_answer_of_a_delete_may_simply_be_repeated(
    standin: Standin, there: GoogleOwner, account: GoogleProvider
) -> None:
    row = account.create(MIRA, timed(), idempotency_key=KEY).row
    standin.control("lose_answer", matching="events.delete")
    with pytest.raises(UnknownOutcome):
        account.delete(MIRA, KEY, etag=row["etag"])
    account.delete(MIRA, KEY, etag=row["etag"])
    assert there.titles() == []


# busy


def test_busy_times_are_asked_for_fifty_calendars_at_a_time(
    standin: Standin, there: GoogleOwner, account: GoogleProvider
) -> None:
    there.create(weekly())
    there.create(Event(When("2026-11-25", "2026-11-26"), title="Fair"))
    names = [MIRA, *(f"c_{number}@group.calendar.google.com" for number in range(50))]
    found = account.busy(names, Span(instant("2026-11-23", ""), instant("2026-11-27", "")))
    assert account.requests == 2
    assert list(found) == [MIRA], "a calendar that was refused is not a free one"
    assert len(found[MIRA]) == 2


# answers the stand-in would not give


@pytest.fixture
def server() -> Iterator[Script]:
    with serving() as script:
        yield script


@pytest.fixture
def scripted(server: Script) -> Iterator[GoogleProvider]:
    transport = LoopbackTransport(server.base_url)
    yield GoogleProvider(transport, f"{BASE}/calendar/v3", Tokens(), now=lambda: NOW)
    transport.session().close()


def test_pages_that_lead_back_to_themselves_are_not_read_for_ever(scripted: GoogleProvider, server: Script) -> None:
    server.lines = [answer({"items": [], "nextPageToken": "again"})]
    with pytest.raises(ProviderUnavailable):
        list(scripted.changes(MIRA, None))
    assert len(server.asked) == 2


def test_an_instance_that_is_listed_as_cancelled_is_no_occurrence(scripted: GoogleProvider, server: Script) -> None:
    original = {"dateTime": "2026-11-30T08:00:00Z"}
    gap = {"id": "m_1", "status": "cancelled", "recurringEventId": "m", "originalStartTime": original}
    server.lines = [answer({"items": [gap]})]
    with pytest.raises(Gone):
        scripted.occurrence(MIRA, "m", SECOND)


def test_an_event_that_cannot_be_read_is_refused(scripted: GoogleProvider, server: Script) -> None:
    server.lines = [answer({"id": "abc", "status": "confirmed"})]
    with pytest.raises(Refused) as refusal:
        scripted.get(MIRA, "abc")
    assert refusal.value.facts["reason"] == "unreadable"


def test_an_empty_page_in_the_middle_is_not_the_end(scripted: GoogleProvider, server: Script) -> None:
    server.lines = [answer({"nextPageToken": "more"}), answer({"items": [], "nextSyncToken": "s"})]
    assert [(page.resume, page.cursor) for page in scripted.changes(MIRA, None)] == [("more", None), (None, "s")]


def test_ids_with_odd_letters_are_quoted(scripted: GoogleProvider, server: Script) -> None:
    server.lines = [answer({"items": [], "nextSyncToken": "s"})]
    list(scripted.changes("en.german#holiday@group.v.calendar.google.com", None))
    assert server.asked[0][1].startswith(
        "/calendar/v3/calendars/en.german%23holiday%40group.v.calendar.google.com/events?"
    )


# what reaches a log


def test_a_days_work_at_debug_leaves_no_token_title_or_address_in_the_log(
    standin: Standin, there: GoogleOwner, transport: StandinTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = standin.token()
    account = opened(standin, transport, tokens=Tokens(token))
    event = timed(title="canaryTitle", attendees=(Attendee("canary@guest.test"),), marker=("canaryLink", "r"))
    account.create(MIRA, event, idempotency_key=KEY)
    cursor = [page.cursor for page in account.changes(MIRA, None)][-1]
    standin.control("drop_request", times=3, matching="events.list")
    with pytest.raises(ProviderUnavailable) as lost:
        list(account.changes(MIRA, cursor))
    assert caplog.records, "the retries are logged"
    told = "".join(traceback.format_exception(lost.value, chain=True)) + repr(lost.value.facts)
    for secret in ("canary", token, str(cursor), "mira"):
        assert secret not in caplog.text + told

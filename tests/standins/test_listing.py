"""Pages, sync tokens, windows and masks of events.list."""

from __future__ import annotations

from typing import Any

import pytest

from demo.standins.google import Standin

from .conftest import EVENTS, NOW, WEEKLY, Clock, timed
from .discovery import CheckedSession, reason


def listed(api: CheckedSession, **params: Any) -> dict[str, Any]:
    """Return every item of a listing with the sync token at its end."""
    items: list[Any] = []
    pages = 0
    while True:
        page = api.get(EVENTS, params=params).json()
        items += page["items"]
        pages += 1
        if "nextPageToken" not in page:
            return {"items": items, "pages": pages, "token": page.get("nextSyncToken")}
        params["pageToken"] = page["nextPageToken"]


def test_a_listing_is_paged_and_ends_with_a_sync_token(standin: Standin, api: CheckedSession) -> None:
    standin.control("seed", count=520)
    whole = listed(api)
    assert len(whole["items"]) == 520
    assert whole["pages"] == 3
    assert whole["token"]
    assert listed(api, maxResults=5000)["pages"] == 1


def test_a_delta_brings_what_changed_and_tombstones_of_what_was_deleted(standin: Standin, api: CheckedSession) -> None:
    kept, gone = (standin.state.create("primary", timed(hour)) for hour in (9, 11))
    token = listed(api)["token"]
    standin.state.patch("primary", kept["id"], {"summary": "Moved"})
    standin.state.delete("primary", gone["id"])
    delta = listed(api, syncToken=token)
    assert [item["summary"] for item in delta["items"] if item["id"] == kept["id"]] == ["Moved"]
    (tombstone,) = [item for item in delta["items"] if item["id"] == gone["id"]]
    assert set(tombstone) == {"kind", "etag", "id", "status"}
    assert tombstone["status"] == "cancelled"
    assert listed(api, syncToken=delta["token"])["items"] == []


def test_a_change_between_two_pages_is_in_the_next_delta(standin: Standin, api: CheckedSession) -> None:
    first = standin.state.create("primary", timed(9))
    standin.state.create("primary", timed(11))
    page = api.get(EVENTS, params={"maxResults": 1}).json()
    standin.state.patch("primary", first["id"], {"summary": "Changed meanwhile"})
    last = api.get(EVENTS, params={"maxResults": 1, "pageToken": page["nextPageToken"]}).json()
    delta = listed(api, syncToken=last["nextSyncToken"])
    assert [item["summary"] for item in delta["items"]] == ["Changed meanwhile"]


def test_a_long_delta_is_paged_too(standin: Standin, api: CheckedSession) -> None:
    token = listed(api)["token"]
    made = [standin.state.create("primary", timed(9, day=day)) for day in range(1, 8)]
    standin.state.patch("primary", made[0]["id"], {"summary": "Twice in the log, once in the delta"})
    delta = listed(api, syncToken=token, maxResults=2)
    assert delta["pages"] == 4
    assert sorted(item["id"] for item in delta["items"]) == sorted(item["id"] for item in made)


@pytest.mark.parametrize("token", ["nonsense", "e30", "eyJjIjogImFub3RoZXIifQ"])
def test_a_sync_token_that_is_none_asks_for_a_full_sync(api: CheckedSession, token: str) -> None:
    assert reason(api.get(EVENTS, params={"syncToken": token})) == (410, "fullSyncRequired")


def test_sync_tokens_expire_on_demand_and_belong_to_their_calendar(standin: Standin, api: CheckedSession) -> None:
    token = listed(api)["token"]
    other = api.get("/calendars/joan%40example.test/events", params={"syncToken": token})
    assert other.status_code == 404
    interviews = api.get("/calendars/c_4f1c9a7e2b%40group.calendar.google.com/events", params={"syncToken": token})
    assert interviews.status_code == 410
    standin.control("expire_sync_tokens")
    assert api.get(EVENTS, params={"syncToken": token}).status_code == 410


@pytest.mark.parametrize(
    "more",
    [
        {"timeMin": "2026-11-01T00:00:00Z"},
        {"timeMax": "2026-11-01T00:00:00Z"},
        {"updatedMin": "2026-11-01T00:00:00Z"},
        {"q": "x"},
        {"iCalUID": "x"},
        {"orderBy": "updated"},
        {"privateExtendedProperty": "a=b"},
        {"sharedExtendedProperty": "a=b"},
        {"showDeleted": "false"},
        {"singleEvents": "true"},
    ],
)
def test_a_sync_token_refuses_what_it_cannot_go_with(api: CheckedSession, more: dict[str, str]) -> None:
    token = listed(api)["token"]
    assert reason(api.get(EVENTS, params={"syncToken": token, **more}))[0] == 400


def test_a_page_token_refuses_other_parameters_than_its_first_page(standin: Standin, api: CheckedSession) -> None:
    standin.control("seed", count=5)
    token = api.get(EVENTS, params={"maxResults": 2}).json()["nextPageToken"]
    assert reason(api.get(EVENTS, params={"pageToken": token, "q": "x"})) == (400, "invalid")
    assert reason(api.get(EVENTS, params={"pageToken": "nonsense"})) == (400, "invalid")


def test_a_window_bounds_the_end_from_below_and_the_start_from_above(standin: Standin, api: CheckedSession) -> None:
    standin.state.create("primary", timed(9))
    window = {"timeMin": "2026-11-23T09:00:00Z", "timeMax": "2026-11-24T00:00:00Z"}
    assert listed(api, **window)["items"] == []
    window["timeMin"] = "2026-11-23T08:59:59Z"
    assert len(listed(api, **window)["items"]) == 1
    window = {"timeMin": "2026-11-23T00:00:00Z", "timeMax": "2026-11-23T09:00:00+01:00"}
    assert listed(api, **window)["items"] == []
    assert reason(api.get(EVENTS, params={"timeMin": "2026-11-23"})) == (400, "invalid")
    upside_down = {"timeMin": window["timeMax"], "timeMax": "2026-11-01T00:00:00Z"}
    assert reason(api.get(EVENTS, params=upside_down)) == (400, "timeRangeEmpty")


def test_a_series_is_in_every_window_that_one_of_its_occurrences_touches(standin: Standin, api: CheckedSession) -> None:
    standin.state.create("primary", timed(9, recurrence=WEEKLY))
    inside = {"timeMin": "2026-12-07T00:00:00Z", "timeMax": "2026-12-08T00:00:00Z"}
    between = {"timeMin": "2026-12-08T00:00:00Z", "timeMax": "2026-12-09T00:00:00Z"}
    assert len(listed(api, **inside)["items"]) == 1
    assert listed(api, **between)["items"] == []


def test_only_the_fields_asked_for_come_back(standin: Standin, api: CheckedSession) -> None:
    standin.state.create("primary", timed(9, attendees=[{"email": "pat@elsewhere.test", "comment": "late"}]))
    page = api.get(EVENTS, params={"fields": "nextSyncToken,items(id,start/timeZone,attendees(email))"}).json()
    assert set(page) == {"nextSyncToken", "items"}
    (item,) = page["items"]
    assert set(item) == {"id", "start", "attendees"}
    assert item["start"] == {"timeZone": "Europe/Berlin"}
    assert item["attendees"] == [{"email": "pat@elsewhere.test"}]
    assert set(api.get(EVENTS, params={"fields": "items"}).json()) == {"items"}
    assert set(api.get(EVENTS, params={"fields": "items/*"}).json()["items"][0]) > {"summary", "organizer"}
    for wrong in ("items(", "itmes", "items(id))", ",", "a b!"):
        assert reason(api.get(EVENTS, params={"fields": wrong})) == (400, "invalidParameter")


def test_deleted_events_come_only_where_they_are_asked_for(standin: Standin, api: CheckedSession, clock: Clock) -> None:
    gone = standin.state.create("primary", timed())
    standin.state.delete("primary", gone["id"])
    assert listed(api)["items"] == []
    assert [item["id"] for item in listed(api, showDeleted="true")["items"]] == [gone["id"]]
    assert len(listed(api, updatedMin="2026-11-01T00:00:00Z")["items"]) == 1
    clock.seconds += 1800
    assert listed(api, updatedMin="2026-11-20T09:15:00Z")["items"] == []


def test_searches_look_at_words_identity_type_and_properties(standin: Standin, api: CheckedSession) -> None:
    marked = {"extendedProperties": {"private": {"ce_src": "1"}, "shared": {"team": "a"}}}
    event = standin.state.create("primary", timed(summary="Interview with Chidi", **marked))
    standin.state.create("primary", timed(12))
    for found in (
        {"q": "chidi INTERVIEW"},
        {"iCalUID": event["iCalUID"]},
        {"privateExtendedProperty": "ce_src=1"},
        {"sharedExtendedProperty": "team=a"},
    ):
        assert [item["id"] for item in listed(api, **found)["items"]] == [event["id"]]
        assert listed(api, **found)["token"] is None
    assert listed(api, eventTypes="focusTime")["items"] == []


def test_times_are_written_in_the_zone_of_the_answer_and_keep_their_own_name(
    standin: Standin, api: CheckedSession
) -> None:
    wall = {"dateTime": "2026-11-23T09:00:00", "timeZone": "America/New_York"}
    event = standin.state.create("primary", {"start": wall, "end": {**wall, "dateTime": "2026-11-23T10:00:00"}})
    assert event["start"] == {"dateTime": "2026-11-23T15:00:00+01:00", "timeZone": "America/New_York"}
    asked = api.get(f"{EVENTS}/{event['id']}", params={"timeZone": "UTC"}).json()
    assert asked["start"] == {"dateTime": "2026-11-23T14:00:00Z", "timeZone": "America/New_York"}
    assert reason(api.get(EVENTS, params={"timeZone": "Mars/Olympus"})) == (400, "invalid")


def test_many_guests_are_left_out_beyond_the_number_asked_for(standin: Standin, api: CheckedSession) -> None:
    guests = [{"email": f"guest{number}@elsewhere.test"} for number in range(5)] + [{"email": "mira@example.test"}]
    standin.state.create("primary", timed(attendees=guests))
    (item,) = listed(api, maxAttendees=2)["items"]
    assert item["attendeesOmitted"] is True
    assert [each["email"] for each in item["attendees"]] == ["mira@example.test"]


def test_occurrences_take_the_place_of_their_series_where_asked(standin: Standin, api: CheckedSession) -> None:
    master = standin.state.create("primary", timed(recurrence=WEEKLY))
    moved = f"{master['id']}_20261130T080000Z"
    standin.state.patch("primary", moved, {"summary": "Another title"})
    standin.state.delete("primary", f"{master['id']}_20261207T080000Z")
    standin.state.create("primary", timed(12, day=24))
    items = listed(api, singleEvents="true", orderBy="startTime")["items"]
    assert [item["summary"] for item in items] == ["Call", "Call", "Another title", "Call"]
    assert all("recurrence" not in item for item in items)
    assert reason(api.get(EVENTS, params={"orderBy": "startTime"})) == (400, "invalid")
    with_deleted = listed(api, singleEvents="true", showDeleted="true")["items"]
    assert [item["status"] for item in with_deleted].count("cancelled") == 1


def test_expanded_listings_are_synchronised_by_delta_as_well(standin: Standin, api: CheckedSession) -> None:
    master = standin.state.create("primary", timed(recurrence=WEEKLY))
    token = listed(api, singleEvents="true")["token"]
    moved = standin.state.patch("primary", f"{master['id']}_20261130T080000Z", {"summary": "One"})
    (item,) = listed(api, singleEvents="true", syncToken=token)["items"]
    assert item["id"] == moved["id"]
    token = listed(api, singleEvents="true")["token"]
    standin.state.delete("primary", master["id"])
    delta = listed(api, singleEvents="true", syncToken=token)["items"]
    assert [item["status"] for item in delta] == ["cancelled"] * 4


def test_exceptions_come_beside_their_master_and_cancelled_ones_even_unasked(
    standin: Standin, api: CheckedSession
) -> None:
    master = standin.state.create("primary", timed(recurrence=WEEKLY))
    standin.state.delete("primary", f"{master['id']}_20261130T080000Z")
    by_id = {item["id"]: item for item in listed(api)["items"]}
    gap = by_id[f"{master['id']}_20261130T080000Z"]
    assert set(gap) == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}
    assert gap["originalStartTime"]["dateTime"] == "2026-11-30T09:00:00+01:00"
    standin.state.delete("primary", master["id"])
    assert listed(api)["items"] == []


def test_a_listing_that_has_not_changed_is_the_same_bytes(standin: Standin, api: CheckedSession) -> None:
    standin.control("seed", count=20)
    assert api.get(EVENTS).content == api.get(EVENTS).content
    assert api.get(EVENTS).headers["Content-Encoding"] == "gzip"
    plain = api.get(EVENTS, headers={"User-Agent": "plain"})
    assert "Content-Encoding" not in plain.headers


def test_the_world_begins_where_its_clock_stands(standin: Standin) -> None:
    assert standin.state.now() == NOW
    assert standin.control("clock", offset=60)["now"] == "2026-11-20T09:01:00.000Z"

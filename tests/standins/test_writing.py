"""Insert, import, patch, update, delete and move, and what each refuses."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from demo.standins.google import Standin

from .conftest import EVENTS, WEEKLY, Clock, timed
from .discovery import CheckedSession, reason

INTERVIEWS = f"/calendars/{quote('c_4f1c9a7e2b@group.calendar.google.com')}/events"
HOLIDAYS = f"/calendars/{quote('en.german#holiday@group.v.calendar.google.com')}/events"


def insert(api: CheckedSession, body: dict[str, Any], **params: Any) -> dict[str, Any]:
    """Insert an event and return it."""
    response = api.post(EVENTS, json=body, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def test_an_insert_fills_in_what_google_fills_in(api: CheckedSession) -> None:
    event = insert(api, timed())
    assert event["status"] == "confirmed"
    assert event["iCalUID"] == f"{event['id']}@google.com"
    assert event["organizer"] == event["creator"] == {"email": "mira@example.test", "self": True}
    assert event["sequence"] == 0
    assert event["reminders"] == {"useDefault": True}
    assert event["eventType"] == "default"
    assert event["etag"].startswith('"')


def test_a_secondary_calendar_is_the_organizer_of_what_is_made_in_it(api: CheckedSession) -> None:
    event = api.post(INTERVIEWS, json=timed()).json()
    assert event["organizer"]["displayName"] == "Interviews"
    assert event["creator"] == {"email": "mira@example.test"}


def test_a_chosen_id_is_taken_once_and_for_ever(api: CheckedSession) -> None:
    event = insert(api, timed(id="a0123456789v"))
    assert event["id"] == "a0123456789v"
    assert reason(api.post(EVENTS, json=timed(id="a0123456789v"))) == (409, "duplicate")
    assert api.delete(f"{EVENTS}/a0123456789v").status_code == 204
    assert reason(api.post(EVENTS, json=timed(id="a0123456789v"))) == (409, "duplicate")
    assert api.get(f"{EVENTS}/a0123456789v").json()["status"] == "cancelled"


@pytest.mark.parametrize("wrong", ["abcd", "ABCDEF", "wxyzw", "under_score", "a" * 1025])
def test_a_chosen_id_is_base32hex_in_lower_case_of_5_to_1024(api: CheckedSession, wrong: str) -> None:
    assert reason(api.post(EVENTS, json=timed(id=wrong))) == (400, "invalid")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"start": None}, "required"),
        ({"end": {}}, "required"),
        ({"start": {"dateTime": "2026-11-23T09:00:00"}}, "required"),
        ({"start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "Mars/Olympus"}}, "invalid"),
        ({"start": {"dateTime": "tomorrow", "timeZone": "Europe/Berlin"}}, "invalid"),
        ({"start": {"date": "2026-11-23"}}, "invalid"),
        ({"start": {"date": "2026-11-23", "dateTime": "2026-11-23T09:00:00Z"}}, "invalid"),
        ({"end": {"dateTime": "2026-11-23T08:00:00+01:00"}}, "timeRangeEmpty"),
        ({"sumary": "misspelt"}, "invalid"),
        ({"summary": 7}, "invalid"),
        ({"status": "cancelled"}, "invalid"),
        ({"transparency": "busy"}, "invalid"),
        ({"colorId": "12"}, "invalid"),
        ({"attendees": [{"displayName": "Nobody"}]}, "required"),
        ({"attendees": [{"email": "not an address"}]}, "invalid"),
        ({"attendees": [{"email": "a@b.test", "responseStatus": "maybe"}]}, "invalid"),
        ({"reminders": {"overrides": [{"method": "popup", "minutes": 40321}]}}, "invalid"),
        ({"reminders": {"overrides": [{"method": "popup", "minutes": 1}] * 6}}, "invalid"),
        (
            {"reminders": {"useDefault": True, "overrides": [{"method": "popup", "minutes": 1}]}},
            "cannotUseDefaultRemindersAndSpecifyOverride",
        ),
        ({"extendedProperties": {"private": {"n": 1}}}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=HOURLY"]}, "invalid"),
        ({"recurrence": ["DTSTART:20261123T080000Z"]}, "invalid"),
        ({"recurrence": "RRULE:FREQ=DAILY"}, "invalid"),
        ({"eventType": "fromGmail"}, "invalid"),
    ],
)
def test_a_body_that_cannot_be_is_refused_with_its_reason(
    standin: Standin, api: CheckedSession, change: dict[str, Any], expected: str
) -> None:
    assert reason(api.post(EVENTS, json=timed() | change)) == (400, expected)
    assert standin.state.events("primary") == []


def test_a_body_that_is_no_json_is_refused(api: CheckedSession) -> None:
    assert reason(api.post(EVENTS, data=b"{")) == (400, "parseError")


def test_a_series_needs_a_zone_on_both_ends(api: CheckedSession) -> None:
    body = timed(recurrence=WEEKLY)
    del body["end"]["timeZone"]
    assert reason(api.post(EVENTS, json=body)) == (400, "required")


def test_a_zone_google_does_not_know_yet_is_refused_until_it_does(standin: Standin, api: CheckedSession) -> None:
    body = timed(start={"dateTime": "2026-11-23T08:00:00", "timeZone": "Europe/Kyiv"})
    standin.control("unknown_zones", names=["Europe/Kyiv"])
    response = api.post(EVENTS, json=body)
    assert response.json()["error"]["message"] == "Invalid time zone definition for start time."
    standin.control("unknown_zones", names=[])
    assert insert(api, body)["start"]["timeZone"] == "Europe/Kyiv"


def test_a_patch_changes_what_it_names_merges_objects_and_replaces_lists(api: CheckedSession) -> None:
    properties = {"private": {"ce_src": "1", "ce_rev": "a"}}
    guests = [{"email": "a@elsewhere.test"}, {"email": "b@elsewhere.test"}]
    event = insert(api, timed(location="Room 1", attendees=guests, extendedProperties=properties))
    changes = {
        "location": None,
        "extendedProperties": {"private": {"ce_rev": "b", "ce_src": None}},
        "attendees": [{"email": "a@elsewhere.test"}],
    }
    patched = api.patch(f"{EVENTS}/{event['id']}", json=changes).json()
    assert "location" not in patched
    assert patched["summary"] == "Call"
    assert patched["extendedProperties"] == {"private": {"ce_rev": "b"}}
    assert [each["email"] for each in patched["attendees"]] == ["a@elsewhere.test"]
    assert patched["sequence"] == 0
    later = api.patch(f"{EVENTS}/{event['id']}", json={"end": timed(11)["end"]}).json()
    assert later["sequence"] == 1


def test_a_patch_to_whole_days_must_clear_the_time(api: CheckedSession) -> None:
    event = insert(api, timed())
    days = {"start": {"date": "2026-11-23"}, "end": {"date": "2026-11-24"}}
    assert reason(api.patch(f"{EVENTS}/{event['id']}", json=days)) == (400, "invalid")
    cleared = {side: {**value, "dateTime": None, "timeZone": None} for side, value in days.items()}
    assert api.patch(f"{EVENTS}/{event['id']}", json=cleared).json()["start"] == {"date": "2026-11-23"}


def test_an_update_clears_what_it_leaves_out(api: CheckedSession) -> None:
    event = insert(api, timed(location="Room 1", extendedProperties={"private": {"a": "b"}}))
    updated = api.put(f"{EVENTS}/{event['id']}", json=timed(summary="Bare")).json()
    assert "location" not in updated
    assert "extendedProperties" not in updated
    assert updated["summary"] == "Bare"
    assert updated["created"] == event["created"]
    moved = api.put(f"{EVENTS}/{event['id']}", json=timed(10)).json()
    assert moved["sequence"] == 1
    assert reason(api.put(f"{EVENTS}/{event['id']}", json=timed(sequence=0))) == (400, "invalid")


def test_an_old_version_is_refused_and_nothing_is_written(standin: Standin, api: CheckedSession) -> None:
    event = insert(api, timed())
    address = f"{EVENTS}/{event['id']}"
    standin.state.patch("primary", event["id"], {"summary": "By the owner"})
    stale = {"If-Match": event["etag"]}
    assert reason(api.patch(address, json={"summary": "Mine"}, headers=stale)) == (412, "conditionNotMet")
    assert reason(api.put(address, json=timed(), headers=stale)) == (412, "conditionNotMet")
    assert reason(api.delete(address, headers=stale)) == (412, "conditionNotMet")
    current = api.get(address)
    assert current.json()["summary"] == "By the owner"
    assert api.get(address, headers={"If-None-Match": current.headers["ETag"]}).status_code == 304
    fresh = {"If-Match": current.json()["etag"]}
    assert api.patch(address, json={"summary": "Mine"}, headers=fresh).status_code == 200


def test_reminders_change_the_version_and_not_the_time_of_change(api: CheckedSession, clock: Clock) -> None:
    event = insert(api, timed())
    clock.seconds += 60
    reminders = {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}}
    patched = api.patch(f"{EVENTS}/{event['id']}", json=reminders).json()
    assert patched["updated"] == event["updated"]
    assert patched["etag"] != event["etag"]


def test_what_is_deleted_is_gone_until_its_status_brings_it_back(api: CheckedSession) -> None:
    event = insert(api, timed())
    address = f"{EVENTS}/{event['id']}"
    assert api.delete(address).status_code == 204
    assert reason(api.delete(address)) == (410, "deleted")
    assert reason(api.patch(address, json={"summary": "Still there?"})) == (410, "deleted")
    assert reason(api.get(f"{EVENTS}/nosuchevent")) == (404, "notFound")
    revived = api.put(address, json=timed(status="confirmed", summary="Again")).json()
    assert (revived["status"], revived["summary"]) == ("confirmed", "Again")


def test_patching_the_status_to_cancelled_deletes(api: CheckedSession) -> None:
    event = insert(api, timed())
    assert api.patch(f"{EVENTS}/{event['id']}", json={"status": "cancelled"}).json()["status"] == "cancelled"


def test_an_import_takes_the_uid_it_is_given_and_replaces_an_earlier_one(api: CheckedSession) -> None:
    organizer = {"email": "pat@elsewhere.test", "displayName": "Pat"}
    body = timed(iCalUID="abc@elsewhere.test", organizer=organizer)
    first = api.post(f"{EVENTS}/import", json=body).json()
    assert first["iCalUID"] == "abc@elsewhere.test"
    assert first["organizer"] == organizer
    again = api.post(f"{EVENTS}/import", json=body | {"summary": "Second"}).json()
    assert (again["id"], again["summary"]) == (first["id"], "Second")
    assert reason(api.post(f"{EVENTS}/import", json=timed())) == (400, "required")


def test_a_move_changes_the_organizer_and_leaves_a_tombstone(api: CheckedSession) -> None:
    event = insert(api, timed())
    params = {"destination": "c_4f1c9a7e2b@group.calendar.google.com"}
    moved = api.post(f"{EVENTS}/{event['id']}/move", params=params).json()
    assert moved["organizer"]["displayName"] == "Interviews"
    assert moved["id"] == event["id"]
    assert api.get(f"{EVENTS}/{event['id']}").json()["status"] == "cancelled"
    assert api.get(f"{INTERVIEWS}/{event['id']}").status_code == 200


def test_a_calendar_that_may_only_be_read_takes_no_writes(api: CheckedSession) -> None:
    assert reason(api.post(HOLIDAYS, json=timed())) == (403, "requiredAccessLevel")
    (holiday,) = api.get(HOLIDAYS).json()["items"]
    assert reason(api.patch(f"{HOLIDAYS}/{holiday['id']}", json={"summary": "x"})) == (403, "requiredAccessLevel")
    assert reason(api.delete(f"{HOLIDAYS}/{holiday['id']}")) == (403, "requiredAccessLevel")


def test_private_events_of_others_come_without_details_to_readers(standin: Standin) -> None:
    secret = standin.state.create("Interviews", timed(summary="Secret", visibility="private", location="Here"))
    standin.control("role", calendar="Interviews", role="writerWithoutPrivateAccess")
    with CheckedSession(standin.base_url, standin.token()) as api:
        seen = api.get(f"{INTERVIEWS}/{secret['id']}").json()
        assert "summary" not in seen
        assert "location" not in seen
        assert seen["start"] == secret["start"]
        assert api.post(INTERVIEWS, json=timed()).status_code == 200
        standin.control("role", calendar="Interviews", role="")
        assert reason(api.get(INTERVIEWS)) == (404, "notFound")


def test_mails_are_counted_only_where_they_were_asked_for(standin: Standin, api: CheckedSession) -> None:
    guests = {"attendees": [{"email": "joan@example.test"}, {"email": "pat@elsewhere.test"}]}
    event = insert(api, timed(**guests))
    assert standin.state.mails == []
    insert(api, timed(**guests), sendUpdates="externalOnly")
    assert [(mail.kind, mail.to) for mail in standin.state.mails] == [("invitation", "pat@elsewhere.test")]
    standin.state.mails.clear()
    only_joan = {"attendees": [{"email": "joan@example.test"}]}
    api.patch(f"{EVENTS}/{event['id']}", json=only_joan, params={"sendUpdates": "all"})
    kinds = {mail.to: mail.kind for mail in standin.state.mails}
    assert kinds == {"joan@example.test": "update", "pat@elsewhere.test": "cancellation"}
    api.delete(f"{EVENTS}/{event['id']}", params={"sendNotifications": "true"})
    assert standin.control("stats")["mails"] == 3


def test_a_guest_has_a_copy_may_answer_and_may_not_change_the_rest(standin: Standin, api: CheckedSession) -> None:
    event = insert(api, timed(attendees=[{"email": "joan@example.test"}, {"email": "pat@elsewhere.test"}]))
    with CheckedSession(standin.base_url, standin.token(email="joan@example.test")) as joan:
        address = f"{EVENTS}/{event['id']}"
        copy = joan.get(address).json()
        assert copy["organizer"] == {"email": "mira@example.test"}
        assert [each.get("self", False) for each in copy["attendees"]] == [True, False]
        assert reason(joan.patch(address, json={"summary": "Mine"})) == (403, "forbiddenForNonOrganizer")
        others = [copy["attendees"][0]]
        assert reason(joan.patch(address, json={"attendees": others})) == (403, "forbiddenForNonOrganizer")
        answer = {"attendeesOmitted": True, "attendees": [{"email": "joan@example.test", "responseStatus": "accepted"}]}
        joan.patch(address, json={**answer, "colorId": "4"}, params={"sendUpdates": "all"})
        seen = api.get(address).json()
        assert [each["responseStatus"] for each in seen["attendees"]] == ["accepted", "needsAction"]
        assert "colorId" not in seen
        assert [(mail.kind, mail.to) for mail in standin.state.mails] == [("response", "mira@example.test")]
        api.patch(address, json={"summary": "New title"})
        assert joan.get(address).json()["summary"] == "New title"
        assert joan.delete(address).status_code == 204
        assert api.get(address).json()["attendees"][0]["responseStatus"] == "declined"


def test_an_invitation_from_outside_belongs_to_its_organizer(standin: Standin, api: CheckedSession) -> None:
    invited = timed(organizer={"email": "pat@elsewhere.test"}, attendees=[{"email": "mira@example.test"}])
    event = standin.state.create("primary", invited)
    address = f"{EVENTS}/{event['id']}"
    assert "self" not in event["organizer"]
    assert reason(api.patch(address, json={"location": "x"})) == (403, "forbiddenForNonOrganizer")
    mine = {"attendees": [{"email": "mira@example.test", "responseStatus": "tentative"}]}
    assert api.patch(address, json=mine).json()["attendees"][0]["responseStatus"] == "tentative"


def test_a_locked_copy_keeps_its_main_fields(standin: Standin, api: CheckedSession) -> None:
    event = standin.state.create("primary", timed(locked=True))
    assert reason(api.patch(f"{EVENTS}/{event['id']}", json={"summary": "x"})) == (403, "forbidden")
    assert api.patch(f"{EVENTS}/{event['id']}", json={"colorId": "3"}).status_code == 200


def test_long_properties_are_cut_and_long_keys_dropped_without_a_word(api: CheckedSession) -> None:
    event = insert(api, timed(extendedProperties={"private": {"k" * 45: "x", "fine": "v" * 2000}}))
    assert event["extendedProperties"] == {"private": {"fine": "v" * 1024}}


def test_a_meeting_link_is_made_a_little_later_and_lost_by_a_careless_update(
    standin: Standin, api: CheckedSession
) -> None:
    key = {"conferenceSolutionKey": {"type": "hangoutsMeet"}}
    body = timed(conferenceData={"createRequest": {"requestId": "one", **key}})
    assert "conferenceData" not in insert(api, body)
    standin.control("hold_conferences")
    event = insert(api, body, conferenceDataVersion=1)
    address = f"{EVENTS}/{event['id']}"
    assert event["conferenceData"]["createRequest"]["status"] == {"statusCode": "pending"}
    assert "hangoutLink" not in api.get(address).json()
    standin.control("hold_conferences", holding=False)
    made = api.get(address).json()
    assert made["conferenceData"]["entryPoints"][0]["uri"] == made["hangoutLink"]
    again = api.patch(address, json={"conferenceData": body["conferenceData"]}, params={"conferenceDataVersion": 1})
    assert again.json()["hangoutLink"] == made["hangoutLink"]
    assert api.patch(address, json={"summary": "x"}).json()["hangoutLink"] == made["hangoutLink"]
    kept = api.put(address, json=made, params={"conferenceDataVersion": 1}).json()
    assert kept["hangoutLink"] == made["hangoutLink"]
    assert "conferenceData" not in api.put(address, json=kept).json()
    other = timed(conferenceData={"createRequest": {"requestId": "b", "conferenceSolutionKey": {"type": "addOn"}}})
    assert reason(api.post(EVENTS, json=other, params={"conferenceDataVersion": 1})) == (400, "invalid")


def test_special_events_live_on_primary_calendars_and_stay_what_they_are(api: CheckedSession) -> None:
    event = insert(api, timed(eventType="focusTime"))
    changed = api.patch(f"{EVENTS}/{event['id']}", json={"eventType": "default"})
    assert reason(changed) == (400, "eventTypeImmutable")
    assert reason(api.post(INTERVIEWS, json=timed(eventType="focusTime"))) == (400, "eventTypeRestriction")

"""freeBusy.query, and paging through occurrences."""

from __future__ import annotations

from typing import Any

from demo.standins.google import Standin

from .conftest import EVENTS, WEEKLY, timed
from .discovery import CheckedSession, reason

WINDOW = {"timeMin": "2026-11-23T00:00:00Z", "timeMax": "2026-12-01T00:00:00Z", "timeZone": "Europe/Berlin"}


def busy(api: CheckedSession, calendar: str = "mira@example.test", **more: Any) -> list[tuple[str, str]]:
    """Return the busy spans of a calendar, by the hours of their days."""
    answer = api.post("/freeBusy", json=WINDOW | {"items": [{"id": calendar}]} | more).json()
    return [(span["start"][5:16], span["end"][5:16]) for span in answer["calendars"][calendar]["busy"]]


def test_busy_times_are_united_and_leave_out_what_takes_no_time(standin: Standin, api: CheckedSession) -> None:
    standin.state.create("primary", timed(9, recurrence=WEEKLY))
    standin.state.create("primary", timed(10))
    standin.state.create("primary", timed(14, transparency="transparent"))
    standin.state.create("primary", timed(16, eventType="workingLocation"))
    gone = standin.state.create("primary", timed(18))
    standin.state.delete("primary", gone["id"])
    declined = [{"email": "mira@example.test", "responseStatus": "declined"}]
    standin.state.create("primary", timed(19, organizer={"email": "pat@elsewhere.test"}, attendees=declined))
    assert busy(api) == [("11-23T09:00", "11-23T11:00"), ("11-30T09:00", "11-30T10:00")]


def test_a_moved_occurrence_is_busy_where_it_went(standin: Standin, api: CheckedSession) -> None:
    master = standin.state.create("primary", timed(9, recurrence=WEEKLY))
    moved = timed(13, day=24)
    standin.state.patch("primary", f"{master['id']}_20261123T080000Z", {name: moved[name] for name in ("start", "end")})
    assert busy(api)[0] == ("11-24T13:00", "11-24T14:00")


def test_busy_times_end_where_the_question_ends(standin: Standin, api: CheckedSession) -> None:
    standin.state.create("primary", {"start": {"date": "2026-11-22"}, "end": {"date": "2026-11-24"}})
    assert busy(api) == [("11-23T01:00", "11-24T00:00")]


def test_a_colleagues_primary_calendar_can_be_asked(standin: Standin, api: CheckedSession) -> None:
    standin.state.create("joan@example.test", timed(9))
    assert ("11-23T09:00", "11-23T10:00") in busy(api, "joan@example.test")


def test_questions_that_are_wrong_are_refused(api: CheckedSession) -> None:
    assert reason(api.post("/freeBusy", json={"items": []})) == (400, "required")
    assert reason(api.post("/freeBusy", json=WINDOW | {"timeMin": "tomorrow"})) == (400, "invalid")
    assert reason(api.post("/freeBusy", json=WINDOW | {"timeMax": WINDOW["timeMin"]})) == (400, "timeRangeEmpty")
    assert reason(api.post("/freeBusy", json=WINDOW | {"timeZone": "Mars/Olympus"})) == (400, "invalid")
    many = [{"id": f"calendar{number}"} for number in range(51)]
    errors = api.post("/freeBusy", json=WINDOW | {"items": many}).json()["calendars"]
    assert errors["calendar49"]["errors"][0]["reason"] == "notFound"
    assert errors["calendar50"]["errors"][0]["reason"] == "tooManyCalendarsRequested"


def test_event_scopes_do_not_cover_busy_times(standin: Standin) -> None:
    token = standin.token(scopes=["https://www.googleapis.com/auth/calendar.events"])
    with CheckedSession(standin.base_url, token) as api:
        assert reason(api.post("/freeBusy", json=WINDOW)) == (403, "insufficientPermissions")


def test_occurrences_are_paged(standin: Standin, api: CheckedSession) -> None:
    address = f"{EVENTS}/{standin.state.create('primary', timed(recurrence=WEEKLY))['id']}/instances"
    first = api.get(address, params={"maxResults": 3}).json()
    second = api.get(address, params={"maxResults": 3, "pageToken": first["nextPageToken"]}).json()
    assert [len(first["items"]), len(second["items"])] == [3, 1]
    assert "nextPageToken" not in second
    assert reason(api.get(address, params={"pageToken": "nonsense"})) == (400, "invalid")
    single = standin.state.create("primary", timed())
    assert reason(api.get(f"{EVENTS}/{single['id']}/instances")) == (400, "invalid")

"""Clients that know nothing of us: google-api-python-client and gcsa, against the stand-in as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from .conftest import timed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def process() -> Iterator[dict[str, str]]:
    """Run `python3 -m demo.standins google --port 0` and return what it printed."""
    command = [sys.executable, "-m", "demo.standins", "google", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        lines = [running.stdout.readline().split() for _ in range(2)]
        yield {lines[0][0]: lines[0][1], lines[1][0]: lines[1][1]}
        running.terminate()
        assert running.wait(10) == 0


@pytest.fixture
def google(process: dict[str, str]) -> Iterator[Any]:
    """Return Google's own client, pointed at the stand-in by nothing but its address."""
    options = {"api_endpoint": f"{process['BASE_URL']}/calendar/v3/"}
    credentials = Credentials(token=process["TOKEN"])
    with build("calendar", "v3", credentials=credentials, client_options=options) as service:
        yield service


def refusal(call: Any) -> tuple[int, str]:
    """Return status and reason of a call that is refused."""
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.resp.status, caught.value.error_details[0]["reason"]


def test_it_prints_its_address_and_a_token_on_a_line_each(process: dict[str, str]) -> None:
    assert process["BASE_URL"].startswith("http://127.0.0.1:")
    assert len(process["TOKEN"]) > 40


def test_googles_client_lists_pages_and_calendars(google: Any) -> None:
    calendars = google.calendarList().list().execute()["items"]
    assert {item["accessRole"] for item in calendars} == {"owner", "writer", "reader"}
    events = google.events()
    request, seen = events.list(calendarId="primary", maxResults=2), 0
    while request is not None:
        answer = request.execute()
        seen += len(answer["items"])
        request = events.list_next(request, answer)
    assert seen >= 5
    assert answer["nextSyncToken"]
    holidays = next(item["id"] for item in calendars if item["accessRole"] == "reader")
    assert refusal(events.insert(calendarId=holidays, body=timed())) == (403, "requiredAccessLevel")
    assert google.colors().get().execute()["event"]["11"]
    assert google.calendars().get(calendarId="primary").execute()["timeZone"] == "Europe/Berlin"


def test_googles_client_writes_with_versions(google: Any) -> None:
    events = google.events()
    event = events.insert(calendarId="primary", body=timed(id="c11ent0001")).execute()
    assert events.get(calendarId="primary", eventId=event["id"]).execute() == event
    patched = events.patch(calendarId="primary", eventId=event["id"], body={"summary": "Patched"}).execute()
    assert patched["summary"] == "Patched"
    stale = events.patch(calendarId="primary", eventId=event["id"], body={"summary": "Stale"})
    stale.headers["If-Match"] = event["etag"]
    assert refusal(stale) == (412, "conditionNotMet")
    events.delete(calendarId="primary", eventId=event["id"]).execute()
    assert refusal(events.delete(calendarId="primary", eventId=event["id"])) == (410, "deleted")
    assert refusal(events.insert(calendarId="primary", body=timed(id="c11ent0001"))) == (409, "duplicate")


def test_googles_client_synchronises_by_token(google: Any) -> None:
    events = google.events()
    event = events.insert(calendarId="primary", body=timed()).execute()
    token = events.list(calendarId="primary", maxResults=2500).execute()["nextSyncToken"]
    events.delete(calendarId="primary", eventId=event["id"]).execute()
    delta = events.list(calendarId="primary", syncToken=token).execute()
    assert [(item["id"], item["status"]) for item in delta["items"]] == [(event["id"], "cancelled")]
    assert refusal(events.list(calendarId="primary", syncToken="nonsense")) == (410, "fullSyncRequired")


def test_googles_client_asks_for_busy_times(google: Any) -> None:
    event = google.events().insert(calendarId="primary", body=timed(3)).execute()
    window = {"timeMin": "2026-11-23T00:00:00Z", "timeMax": "2026-11-23T04:00:00Z"}
    asked = window | {"items": [{"id": "mira@example.test"}, {"id": "nobody@example.test"}]}
    answer = google.freebusy().query(body=asked).execute()["calendars"]
    spans = answer["mira@example.test"]["busy"]
    assert {"start": "2026-11-23T02:00:00Z", "end": "2026-11-23T03:00:00Z"} in spans
    assert answer["nobody@example.test"]["errors"][0]["reason"] == "notFound"
    google.events().delete(calendarId="primary", eventId=event["id"]).execute()


def test_googles_client_reads_instances(google: Any) -> None:
    body = timed(recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    master = google.events().insert(calendarId="primary", body=body).execute()
    found = google.events().instances(calendarId="primary", eventId=master["id"]).execute()["items"]
    assert [item["id"] for item in found] == [f"{master['id']}_202611{day}T080000Z" for day in (23, 24, 25)]
    google.events().delete(calendarId="primary", eventId=found[1]["id"]).execute()
    left = google.events().instances(calendarId="primary", eventId=master["id"]).execute()["items"]
    assert [item["id"] for item in left] == [found[0]["id"], found[2]["id"]]


def test_gcsa_reads_events_and_adds_one(google: Any, process: dict[str, str]) -> None:
    from gcsa.event import Event
    from gcsa.google_calendar import GoogleCalendar

    calendar = GoogleCalendar("primary", credentials=Credentials(token=process["TOKEN"]))
    calendar.service.close()
    calendar.service = google
    start = datetime.now(ZoneInfo("Europe/Berlin")).replace(microsecond=0) + timedelta(days=3)
    added = calendar.add_event(
        Event("From gcsa", start=start, end=start + timedelta(hours=1), minutes_before_popup_reminder=10)
    )
    assert added.event_id
    titles = [event.summary for event in calendar.get_events(order_by="startTime", single_events=True)]
    assert "From gcsa" in titles
    assert "Team meeting" in titles
    calendar.delete_event(added)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["google", "--ics", "no such file.ics"], "No such file"), (["nobody"], "invalid choice")],
)
def test_what_cannot_be_served_is_said_in_a_sentence(arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", "demo.standins", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert ended.returncode != 0
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr

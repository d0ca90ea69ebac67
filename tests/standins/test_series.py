"""Series, their occurrences and exceptions; and recurrence itself, against cases written out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from demo.standins.google import Standin
from demo.standins.google.recurrence import Series

from .conftest import EVENTS, WEEKLY, timed
from .discovery import CheckedSession, reason


def instances(api: CheckedSession, master: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
    """Return the occurrences of a series."""
    return api.get(f"{EVENTS}/{master['id']}/instances", params=params).json()["items"]


@pytest.fixture
def master(standin: Standin) -> dict[str, Any]:
    """Return four Mondays at nine, from 23 November 2026."""
    return standin.state.create("primary", timed(recurrence=WEEKLY))


def test_occurrences_are_events_with_ids_of_their_own(api: CheckedSession, master: dict[str, Any]) -> None:
    found = instances(api, master)
    assert [item["id"].rpartition("_")[2] for item in found] == [
        "20261123T080000Z",
        "20261130T080000Z",
        "20261207T080000Z",
        "20261214T080000Z",
    ]
    assert {item["recurringEventId"] for item in found} == {master["id"]}
    assert {item["iCalUID"] for item in found} == {master["iCalUID"]}
    assert all(item["originalStartTime"] == item["start"] for item in found)
    assert [item["start"]["dateTime"] for item in instances(api, master, maxResults=1)] == ["2026-11-23T09:00:00+01:00"]
    (one,) = instances(api, master, originalStart="2026-11-30T08:00:00Z")
    assert one["id"] == found[1]["id"]
    window = {"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2026-12-10T00:00:00Z"}
    assert [item["id"] for item in instances(api, master, **window)] == [found[2]["id"]]


def test_an_edited_occurrence_becomes_an_exception_and_keeps_its_original_start(
    api: CheckedSession, master: dict[str, Any]
) -> None:
    second = instances(api, master)[1]
    moved = timed(15, day=30)
    changed = api.patch(f"{EVENTS}/{second['id']}", json={"start": moved["start"], "end": moved["end"]}).json()
    assert changed["id"] == second["id"]
    assert changed["originalStartTime"] == second["originalStartTime"]
    assert changed["start"]["dateTime"] == "2026-11-30T15:00:00+01:00"
    assert "recurrence" not in changed
    assert [item["start"]["dateTime"][11:13] for item in instances(api, master)] == ["09", "15", "09", "09"]
    renamed = api.patch(f"{EVENTS}/{master['id']}", json={"summary": "Series"}).json()
    assert renamed["summary"] == "Series"
    assert [item["summary"] for item in instances(api, master)] == ["Series", "Call", "Series", "Series"]


def test_a_cancelled_occurrence_is_left_out_and_can_be_brought_back(
    api: CheckedSession, master: dict[str, Any]
) -> None:
    third = instances(api, master)[2]
    assert api.delete(f"{EVENTS}/{third['id']}").status_code == 204
    assert reason(api.delete(f"{EVENTS}/{third['id']}")) == (410, "deleted")
    assert len(instances(api, master)) == 3
    assert len(instances(api, master, showDeleted="true")) == 4
    api.patch(f"{EVENTS}/{third['id']}", json={"status": "confirmed"})
    assert len(instances(api, master)) == 4


def test_the_version_of_an_untouched_occurrence_is_its_series(api: CheckedSession, master: dict[str, Any]) -> None:
    second = instances(api, master)[1]
    address = f"{EVENTS}/{second['id']}"
    assert reason(api.patch(address, json={"summary": "x"}, headers={"If-Match": '"0"'})) == (412, "conditionNotMet")
    assert api.patch(address, json={"summary": "x"}, headers={"If-Match": second["etag"]}).status_code == 200


def test_an_id_of_no_occurrence_is_not_found(api: CheckedSession, master: dict[str, Any]) -> None:
    assert api.get(f"{EVENTS}/{master['id']}_20261124T080000Z").status_code == 404
    assert api.get(f"{EVENTS}/{master['id']}_20269999T080000Z").status_code == 404
    assert reason(api.get(f"{EVENTS}/nothing/instances")) == (404, "notFound")


def test_a_series_that_is_moved_loses_the_exceptions_it_no_longer_reaches(
    standin: Standin, api: CheckedSession, master: dict[str, Any]
) -> None:
    second = instances(api, master)[1]
    standin.state.patch("primary", second["id"], {"summary": "Special"})
    moved = timed(10)
    api.patch(f"{EVENTS}/{master['id']}", json={"start": moved["start"], "end": moved["end"]})
    assert api.get(f"{EVENTS}/{second['id']}").json()["status"] == "cancelled"
    assert [item["summary"] for item in instances(api, master)] == ["Call"] * 4


def test_a_series_goes_with_its_exceptions(standin: Standin, api: CheckedSession, master: dict[str, Any]) -> None:
    second = instances(api, master)[1]
    standin.state.patch("primary", second["id"], {"summary": "Special"})
    assert api.delete(f"{EVENTS}/{master['id']}").status_code == 204
    assert standin.state.events("primary") == []


def test_tighter_visibility_of_one_occurrence_is_that_of_all(api: CheckedSession, master: dict[str, Any]) -> None:
    second = instances(api, master)[1]
    api.patch(f"{EVENTS}/{second['id']}", json={"visibility": "private"})
    assert api.get(f"{EVENTS}/{master['id']}").json()["visibility"] == "private"
    api.patch(f"{EVENTS}/{second['id']}", json={"visibility": "public"})
    assert api.get(f"{EVENTS}/{second['id']}").json()["visibility"] == "private"


def test_an_occurrence_cannot_recur_itself(api: CheckedSession, master: dict[str, Any]) -> None:
    second = instances(api, master)[1]
    assert reason(api.patch(f"{EVENTS}/{second['id']}", json={"recurrence": WEEKLY})) == (400, "invalid")


def starts(start: str, *lines: str, zone: str = "Europe/Berlin", until: str = "2027-12-31") -> list[str]:
    """Return the keys of a series up to a day."""
    when = {"date": start} if len(start) == 10 else {"dateTime": start, "timeZone": zone}
    series = Series({"start": when, "end": when, "recurrence": list(lines)}, zone)
    from datetime import datetime

    hi = datetime.fromisoformat(until + "T00:00:00+00:00").timestamp()
    return [key for key, _, _ in series.between(0, hi)]


@pytest.mark.parametrize(
    ("start", "lines", "expected"),
    [
        # The clock changes on 29 March 2026: nine o'clock stays nine o'clock.
        ("2026-03-28T09:00:00+01:00", ["RRULE:FREQ=DAILY;COUNT=2"], ["20260328T080000Z", "20260329T070000Z"]),
        # Half past two does not exist that day and moves forward.
        ("2026-03-28T02:30:00+01:00", ["RRULE:FREQ=DAILY;COUNT=2"], ["20260328T013000Z", "20260329T013000Z"]),
        # It exists twice on 25 October: the first.
        ("2026-10-24T02:30:00+02:00", ["RRULE:FREQ=DAILY;COUNT=2"], ["20261024T003000Z", "20261025T003000Z"]),
        # Plain and ordinal weekdays are united (RFC 5545 section 3.3.10).
        (
            "2026-11-02",
            ["RRULE:FREQ=MONTHLY;BYDAY=MO,1TU;UNTIL=20261130"],
            ["20261102", "20261103", "20261109", "20261116", "20261123", "20261130"],
        ),
        # A start the rule does not name is the first occurrence all the same, and COUNT does not count it.
        ("2026-11-24", ["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2"], ["20261124", "20261130", "20261207"]),
        (
            "2026-11-23",
            ["RDATE;VALUE=DATE:20261125", "RDATE;VALUE=DATE:20261127"],
            ["20261123", "20261125", "20261127"],
        ),
        ("2026-11-23", ["RRULE:FREQ=DAILY;COUNT=4", "EXDATE;VALUE=DATE:20261124,20261126"], ["20261123", "20261125"]),
        (
            "2026-11-23T09:00:00+01:00",
            ["RRULE:FREQ=DAILY;UNTIL=20261125T080000Z", "EXDATE;TZID=Europe/Berlin:20261124T090000"],
            ["20261123T080000Z", "20261125T080000Z"],
        ),
        (
            "2026-11-23T09:00:00+01:00",
            ["RRULE:FREQ=DAILY;COUNT=3", "EXRULE:FREQ=WEEKLY;BYDAY=TU", "RDATE:20261201T120000Z"],
            ["20261123T080000Z", "20261125T080000Z", "20261201T120000Z"],
        ),
        ("2026-11-27", ["RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"], ["20261127", "20261225", "20270129"]),
    ],
)
def test_a_series_has_the_occurrences_of_the_calendar_on_the_wall(
    start: str, lines: list[str], expected: list[str]
) -> None:
    assert starts(start, *lines) == expected


@pytest.mark.parametrize(
    "line",
    [
        "RRULE:FREQ=MINUTELY",
        "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20261231",
        "RRULE:FREQ=WEEKLY;BYDAY=1MO",
        "RRULE:FREQ=DAILY;INTERVAL=0",
        "RRULE:FREQ=DAILY;COUNT=x",
        "RRULE:FREQ=MONTHLY;BYDAY=XX",
        "RRULE:INTERVAL=2",
        "EXDATE:tomorrow",
        "RDATE;VALUE=PERIOD:20261123T080000Z/PT1H",
        "every Monday",
    ],
)
def test_a_line_that_is_no_recurrence_is_refused(api: CheckedSession, line: str) -> None:
    assert reason(api.post(EVENTS, json=timed(recurrence=[line]))) == (400, "invalid")

"""Google's events into rows: times, kinds, people, and what cannot be understood."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendar_ext.domain.fingerprint import fingerprint_of_row
from calendar_ext.domain.model import Attendee
from calendar_ext.domain.rows import event_of
from calendar_ext.domain.when import instant, recurrence_key, wall_at
from calendar_ext.providers.google.mapping import row_of, rows_of
from calendar_ext.providers.google.times import moment, original_key
from calendar_ext.providers.google.writing import patch_body

from ..contracts.provider import COLUMNS, timed

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC")


def item(**fields: Any) -> dict[str, Any]:
    """Return an item as Google lists it; a field given as None is left out."""
    usual = {
        "id": "abc123",
        "etag": '"3480"',
        "status": "confirmed",
        "updated": "2026-11-20T08:00:00.250Z",
        "summary": "Haircut",
        "iCalUID": "abc123@google.com",
        "organizer": {"email": "mira@example.test", "self": True},
        "start": {"dateTime": "2026-11-23T09:00:00+01:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-11-23T10:00:00+01:00", "timeZone": "Europe/Berlin"},
        "eventType": "default",
    }
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


# times


@given(
    at=st.datetimes(datetime(1980, 1, 1), datetime(2070, 1, 1)).map(lambda at: at.replace(microsecond=0)),
    zone=st.sampled_from(ZONES),
    written=st.sampled_from(ZONES),
)
def test_a_time_is_read_as_the_clock_on_the_wall_shows_it(at: datetime, zone: str, written: str) -> None:
    moment_there = at.replace(tzinfo=UTC).astimezone(ZoneInfo(written))
    text = moment_there.isoformat(timespec="seconds")
    seconds = int(at.replace(tzinfo=UTC).timestamp())
    assert moment({"dateTime": text, "timeZone": zone}, "UTC") == (wall_at(seconds, zone), zone, seconds)


@given(
    seconds=st.integers(0, 2_000_000_000).map(lambda at: at - at % 60),
    zone=st.sampled_from(ZONES),
)
def test_a_time_we_write_is_read_back_the_same(seconds: int, zone: str) -> None:
    event = event_of(
        {"start_wall": wall_at(seconds, zone), "end_wall": wall_at(seconds + 3600, zone), "start_zone": zone}
    )
    row = row_of(item(**patch_body(event, ["when"])))
    assert (row["start_wall"], row["start_zone"]) == (event.when.start_wall, zone)
    assert row["start_at"] == event.when.span.start


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"dateTime": "2026-11-23T08:00:00Z"}, ("2026-11-23T09:00:00", "Europe/Berlin", "2026-11-23T08:00:00")),
        (
            {"dateTime": "2026-11-23T09:00:00.000+01:00", "timeZone": "Europe/Berlin"},
            ("2026-11-23T09:00:00", "Europe/Berlin", "2026-11-23T08:00:00"),
        ),
        (
            {"dateTime": "2026-11-23T09:00:00", "timeZone": "America/New_York"},
            ("2026-11-23T09:00:00", "America/New_York", "2026-11-23T14:00:00"),
        ),
        (
            {"dateTime": "2026-11-23T09:00:00+01:00", "timeZone": "Mars/Olympus"},
            ("2026-11-23T08:00:00", "UTC", "2026-11-23T08:00:00"),
        ),
        (
            {"dateTime": "2026-11-23T09:00:00+01:00", "timeZone": "../../etc/passwd"},
            ("2026-11-23T08:00:00", "UTC", "2026-11-23T08:00:00"),
        ),
        ({"date": "2026-11-23"}, ("2026-11-23", "", "2026-11-23")),
    ],
)
def test_the_forms_a_time_comes_in(value: dict[str, str], expected: tuple[str, str, str]) -> None:
    text, zone, utc = expected
    assert moment(value, "Europe/Berlin") == (text, zone, instant(utc, "UTC"))


def test_the_hour_that_happens_twice_is_told_apart_by_its_offset() -> None:
    first, second = (
        moment({"dateTime": f"2026-10-25T02:30:00{offset}", "timeZone": "Europe/Berlin"}, "UTC")
        for offset in ("+02:00", "+01:00")
    )
    assert first[0] == second[0] == "2026-10-25T02:30:00"
    assert second[2] - first[2] == 3600


@given(at=st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)), zone=st.sampled_from(ZONES))
def test_an_occurrence_is_named_by_its_original_start(at: datetime, zone: str) -> None:
    there = at.replace(microsecond=0, tzinfo=UTC).astimezone(ZoneInfo(zone))
    value = {"dateTime": there.isoformat(timespec="seconds"), "timeZone": zone}
    wanted = recurrence_key(at.replace(microsecond=0).isoformat(), "UTC")
    assert original_key(value, "UTC") == wanted
    assert original_key({"date": at.date().isoformat()}, zone) == at.strftime("%Y%m%d")


# rows


def test_every_kind_of_row_has_every_column() -> None:
    start = {"dateTime": "2026-11-23T09:00:00+01:00", "timeZone": "Europe/Berlin"}
    items = [
        item(),
        item(recurrence=["RRULE:FREQ=DAILY"]),
        item(recurringEventId="m", originalStartTime=start),
        {"id": "m_1", "status": "cancelled", "recurringEventId": "m", "originalStartTime": start},
        {"id": "m_2", "status": "cancelled", "recurringEventId": "m", "originalStartTime": {"date": "2026-11-23"}},
    ]
    rows, gone, refused = rows_of(items, "UTC")
    assert [row["kind"] for row in rows] == ["single", "master", "override", "gap", "gap"]
    assert all(row.keys() == COLUMNS for row in rows)
    assert all(row["fingerprint"] == fingerprint_of_row(row) for row in rows)
    assert (gone, refused) == ([], [])
    assert row_of({"id": "x", "status": "cancelled"}).keys() == COLUMNS


def test_gaps_of_rows_do_not_share_their_guests() -> None:
    start = {"date": "2026-11-23"}
    one, two = (
        row_of({"id": name, "status": "cancelled", "recurringEventId": "m", "originalStartTime": start})
        for name in "ab"
    )
    assert one["attendees"] is not two["attendees"]


def test_versions_and_names_are_taken_over() -> None:
    row = row_of(
        item(sequence=3, colorId="7", location="Salon", description="Short", htmlLink="https://x.test/e?eid=1")
    )
    assert (row["etag"], row["sequence"], row["colour"]) == ('"3480"', 3, "7")
    assert row["remote_updated"] == instant("2026-11-20T08:00:00", "UTC") * 1000 + 250
    assert (row["ical_uid"], row["location"], row["description"]) == ("abc123@google.com", "Salon", "Short")
    assert row["extra"] == '{"link":"https://x.test/e?eid=1"}'


def test_a_link_with_a_quote_in_it_stays_json() -> None:
    row = row_of(item(htmlLink='https://x.test/"}', locked=True))
    assert orjson.loads(row["extra"]) == {"link": 'https://x.test/"}', "locked": True}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "default"),
        ({"visibility": "public"}, "public"),
        ({"visibility": "private"}, "private"),
        ({"visibility": "confidential"}, "private"),
        ({"visibility": "something new"}, "private"),
    ],
)
def test_a_visibility_nobody_knows_is_private(fields: dict[str, str], expected: str) -> None:
    assert row_of(item(**fields))["visibility"] == expected


@pytest.mark.parametrize(
    ("fields", "show_as", "locked"),
    [
        ({}, "busy", False),
        ({"transparency": "opaque"}, "busy", False),
        ({"transparency": "transparent"}, "free", False),
        ({"eventType": "outOfOffice"}, "away", True),
        ({"eventType": "focusTime"}, "busy", True),
        ({"eventType": "fromGmail", "transparency": "transparent"}, "free", True),
        ({"eventType": "something new"}, "busy", True),
        ({"locked": True}, "busy", True),
    ],
)
def test_what_kind_of_event_it_is_shows(fields: dict[str, Any], show_as: str, locked: bool) -> None:
    row = row_of(item(**fields))
    assert row["show_as"] == show_as
    assert ('"locked":true' in row["extra"]) is locked
    assert row["event_type"] == ("" if fields.get("eventType", "default") == "default" else fields["eventType"])


def test_guests_keep_names_answers_and_roles() -> None:
    guests = [
        {"email": "mira@example.test", "self": True, "organizer": True, "responseStatus": "accepted"},
        {"email": "ann@guest.test", "displayName": "Ann", "optional": True, "responseStatus": "declined"},
        {"email": "bob@guest.test", "responseStatus": "perhaps"},
        {"displayName": "A room without an address"},
    ]
    row = row_of(item(attendees=guests))
    assert row["attendees"] == [
        Attendee("mira@example.test", "", "accepted", "required", True, True),
        Attendee("ann@guest.test", "Ann", "declined", "optional"),
        Attendee("bob@guest.test"),
    ]
    assert row["response"] == "accepted"
    assert row_of(item())["response"] == ""
    assert row_of(item(attendees=guests[1:]))["response"] == "needs_action"


@pytest.mark.parametrize(
    ("fields", "url", "state"),
    [
        ({}, "", ""),
        ({"hangoutLink": "https://meet.google.com/abc"}, "https://meet.google.com/abc", "ready"),
        (
            {"conferenceData": {"entryPoints": [{"entryPointType": "phone", "uri": "tel:1"}]}},
            "",
            "",
        ),
        (
            {"conferenceData": {"entryPoints": [{"entryPointType": "video", "uri": "https://zoom.test/1"}]}},
            "https://zoom.test/1",
            "ready",
        ),
        ({"conferenceData": {"createRequest": {"status": {"statusCode": "pending"}}}}, "", "pending"),
        ({"conferenceData": {"createRequest": {"status": {"statusCode": "failure"}}}}, "", "failed"),
    ],
)
def test_where_to_meet_online(fields: dict[str, Any], url: str, state: str) -> None:
    row = row_of(item(**fields))
    assert (row["online_url"], row["online_state"]) == (url, state)


def test_our_marker_is_read_and_other_properties_are_not() -> None:
    assert row_of(item(extendedProperties={"private": {"ce_src": "link", "ce_rev": "rev"}}))["marker"] == "link:rev"
    assert row_of(item(extendedProperties={"private": {"other": "x"}}))["marker"] == ""
    assert row_of(item(extendedProperties={"shared": {"ce_src": "x"}}))["marker"] == ""


def test_what_no_database_can_store_is_taken_out() -> None:
    row = row_of(item(summary="a\0b", description="\0", attendees=[{"email": "a@b.test", "displayName": "x\0y"}]))
    assert (row["title"], row["description"], row["attendees"][0].name) == ("ab", "", "xy")


# what cannot be understood


@pytest.mark.parametrize(
    "fields",
    [
        {"start": None},
        {"end": None},
        {"start": {}},
        {"start": {"dateTime": "yesterday"}},
        {"start": {"dateTime": "2026-13-45T09:00:00Z"}},
        {"start": {"date": "20261123"}},
        {"start": {"date": "2026-11-23"}},
        {"end": {"dateTime": "2026-11-23T08:00:00+01:00", "timeZone": "Europe/Berlin"}},
        {"start": {"dateTime": "9999-12-31T23:59:59-14:00", "timeZone": "Pacific/Kiritimati"}},
        {"start": "2026-11-23"},
        {"summary": 7},
        {"summary": ["x"]},
        {"updated": "soon"},
        {"recurrence": [7]},
        {"attendees": "everybody"},
        {"attendees": [7]},
        {"recurringEventId": "m"},
        {"extendedProperties": 7},
        {"conferenceData": {"entryPoints": 7}},
        {"id": None},
        {"status": "cancelled", "recurringEventId": "m"},
        {"status": "cancelled", "recurringEventId": "m", "originalStartTime": {"date": "2026-11-23"}, "iCalUID": 7},
    ],
)
def test_one_bad_event_is_named_and_the_others_are_good(fields: dict[str, Any]) -> None:
    good = item(id="good")
    rows, gone, refused = rows_of([good, item(**fields), good], "UTC")
    assert [row["remote_id"] for row in rows] == ["good", "good"]
    assert gone == []
    (refusal,) = refused
    assert refusal.reason and refusal.remote_id == ("" if "id" in fields else "abc123")


@pytest.mark.parametrize("thing", [None, 7, "x", [], {}])
def test_an_item_that_is_none_is_refused(thing: Any) -> None:
    rows, gone, refused = rows_of([thing], "UTC")
    assert (rows, gone, len(refused)) == ([], [], 1)


_ODD = (None, True, 7, -1, 1.5, "", "x", "x" * 40, "\0", [], {}, [7], [None], [[]], [{}], {"a": 1}, {"private": 7})
_FIELDS = st.dictionaries(
    st.sampled_from(
        sorted(item(recurrence=[], attendees=[], extendedProperties={}, sequence=0, colorId="", location=""))
    ),
    st.sampled_from(_ODD),
)


@given(fields=_FIELDS)
def test_whatever_an_item_holds_a_page_is_read(fields: dict[str, Any]) -> None:
    rows, gone, refused = rows_of([{**item(), **fields}], "UTC")
    assert len(rows) + len(gone) + len(refused) == 1
    for row in rows:
        assert {name: type(value) for name, value in row.items() if value is not None} == {
            name: type(value) for name, value in row_of(item()).items() if row[name] is not None
        }
        assert len(row["status"]) <= 12 and len(row["event_type"]) <= 24


# writing


def test_a_field_is_written_in_googles_words() -> None:
    event = timed(show_as="away", status="tentative", visibility="private", rules=("RRULE:FREQ=DAILY",))
    assert patch_body(event, ["show_as", "status", "visibility", "rules"]) == {
        "transparency": "opaque",
        "status": "tentative",
        "visibility": "private",
        "recurrence": ["RRULE:FREQ=DAILY"],
    }


def test_a_time_is_written_with_its_offset_on_that_day() -> None:
    body = patch_body(timed(day="2026-07-01"), ["when"])
    assert body["start"] == {"date": None, "dateTime": "2026-07-01T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    assert patch_body(timed(zone="America/St_Johns"), ["when"])["start"]["dateTime"].endswith("-03:30")


def test_a_day_is_written_without_a_time() -> None:
    event = event_of({"start_wall": "2026-11-23", "end_wall": "2026-11-24"})
    assert patch_body(event, ["when"])["end"] == {"date": "2026-11-24", "dateTime": None, "timeZone": None}

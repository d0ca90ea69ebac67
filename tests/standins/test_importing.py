"""iCalendar files into the first account's calendar."""

from __future__ import annotations

from pathlib import Path

import pytest

from calendar_ext.errors import Refused
from demo.standins.google import serve

from .browser import Browser
from .discovery import CheckedSession

FILE = """BEGIN:VCALENDAR
VERSION:2.0
X-WR-CALNAME:Rosa
X-WR-TIMEZONE:America/New_York
BEGIN:VEVENT
UID:weekly@file
SUMMARY:Weekly
DTSTART;TZID=America/New_York:20261102T090000
DTEND;TZID=America/New_York:20261102T100000
RRULE:FREQ=WEEKLY;COUNT=6;RSCALE=GREGORIAN
EXDATE;TZID=America/New_York:20261109T090000
END:VEVENT
BEGIN:VEVENT
UID:weekly@file
RECURRENCE-ID;TZID=America/New_York:20261116T090000
SUMMARY:Moved
DTSTART;TZID=America/New_York:20261117T140000
DTEND;TZID=America/New_York:20261117T150000
END:VEVENT
BEGIN:VEVENT
UID:weekly@file
RECURRENCE-ID;TZID=America/New_York:20261123T090000
SUMMARY:Weekly
STATUS:CANCELLED
DTSTART;TZID=America/New_York:20261123T090000
DTEND;TZID=America/New_York:20261123T100000
END:VEVENT
BEGIN:VEVENT
UID:weekly@file
RECURRENCE-ID:20261201T170000Z
SUMMARY:Beside the rule
DTSTART:20261201T180000Z
DTEND:20261201T190000Z
END:VEVENT
BEGIN:VEVENT
UID:alone@file
RECURRENCE-ID:20261105T120000Z
SUMMARY:One of a series I do not have
DTSTART:20261105T130000Z
DTEND:20261105T140000Z
END:VEVENT
BEGIN:VEVENT
UID:days@file
SUMMARY:Offsite
DTSTART;VALUE=DATE:20261110
DTEND;VALUE=DATE:20261112
TRANSP:TRANSPARENT
CLASS:PRIVATE
END:VEVENT
BEGIN:VEVENT
UID:floating@file
SUMMARY:Floating
DTSTART:20261111T080000
DTEND:20261111T083000
END:VEVENT
BEGIN:VEVENT
UID:meeting@file
SUMMARY:Meeting
DTSTART:20261112T080000Z
DTEND:20261112T083000Z
ORGANIZER;CN=Pat:mailto:pat@elsewhere.test
ATTENDEE;CN=Kim;PARTSTAT=ACCEPTED;ROLE=OPT-PARTICIPANT:mailto:kim@elsewhere.test
ATTENDEE;CN=Pat:mailto:pat@elsewhere.test
END:VEVENT
BEGIN:VEVENT
UID:gone@file
SUMMARY:Called off
STATUS:CANCELLED
DTSTART:20261112T080000Z
DTEND:20261112T083000Z
END:VEVENT
BEGIN:VEVENT
UID:hourly@file
SUMMARY:Every hour
DTSTART:20261112T080000Z
DTEND:20261112T083000Z
RRULE:FREQ=HOURLY;COUNT=5
END:VEVENT
BEGIN:VEVENT
UID:nothing@file
SUMMARY:No start
END:VEVENT
BEGIN:VTODO
UID:todo@file
SUMMARY:A task
END:VTODO
END:VCALENDAR
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file on disk."""
    path = tmp_path / "export.ics"
    path.write_bytes(FILE.replace("\n", "\r\n").encode())
    return path


def test_a_file_becomes_events_as_google_keeps_them(file: Path) -> None:
    with serve(ics=file) as standin, CheckedSession(standin.base_url, standin.token()) as api:
        items = api.get("/calendars/primary/events").json()
        assert items["timeZone"] == "America/New_York"
        by_title = {item.get("summary", item["id"][-16:]): item for item in items["items"]}
        weekly = by_title["Weekly"]
        assert weekly["recurrence"] == [
            "RRULE:FREQ=WEEKLY;COUNT=6",
            "EXDATE;TZID=America/New_York:20261109T090000",
            "RDATE:20261201T170000Z",
        ]
        assert weekly["iCalUID"] == "weekly@file"
        assert by_title["Moved"]["recurringEventId"] == weekly["id"]
        assert by_title["Moved"]["originalStartTime"]["dateTime"] == "2026-11-16T09:00:00-05:00"
        assert by_title["Offsite"]["end"] == {"date": "2026-11-12"}
        assert (by_title["Offsite"]["transparency"], by_title["Offsite"]["visibility"]) == ("transparent", "private")
        floating = {"dateTime": "2026-11-11T08:00:00-05:00", "timeZone": "America/New_York"}
        assert by_title["Floating"]["start"] == floating
        assert by_title["Meeting"]["organizer"] == {"email": "pat@elsewhere.test"}
        kim, pat = by_title["Meeting"]["attendees"]
        assert (kim["displayName"], kim["responseStatus"], kim["optional"]) == ("Kim", "accepted", True)
        assert pat["organizer"] is True
        alone = by_title["One of a series I do not have"]
        assert alone["originalStartTime"]["dateTime"] == "2026-11-05T07:00:00-05:00"
        assert api.get(f"/calendars/primary/events/{alone['recurringEventId']}").status_code == 404
        found = api.get(f"/calendars/primary/events/{weekly['id']}/instances").json()["items"]
        assert [(item["start"]["dateTime"][:13], item["summary"]) for item in found] == [
            ("2026-11-02T09", "Weekly"),
            ("2026-11-17T14", "Moved"),
            ("2026-11-30T09", "Weekly"),
            ("2026-12-01T13", "Beside the rule"),
            ("2026-12-07T09", "Weekly"),
        ]
        assert standin.state.mails == []


def test_what_google_cannot_hold_is_named_with_its_reason(file: Path) -> None:
    with serve(ics=file) as standin:
        refused = dict(standin.state.refused)
        assert set(refused) == {"Called off", "Every hour", "No start", "A task"}
        assert refused["Every hour"].endswith("the event was kept")
        page = Browser(standin.base_url).open(standin.base_url).page.text
        assert "Not understood in the imported file: 4" in page
        assert "it is a task, not an event" in page
        assert len(standin.control("refused")["refused"]) == 4


def test_a_file_above_20_mib_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "large.ics"
    path.write_bytes(b"BEGIN:VCALENDAR\r\n" + b"X" * (21 * 2**20))
    with pytest.raises(Refused, match="larger than 20 MiB"):
        serve(ics=path)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"not a calendar", b"BEGIN:VCALENDAR\r\n"])
def test_a_file_that_is_no_calendar_gives_a_sentence_or_an_empty_calendar(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.ics"
    path.write_bytes(content)
    try:
        with serve(ics=path) as standin:
            assert standin.state.events("primary") == []
    except Refused as no:
        assert str(no)


@pytest.mark.parametrize(
    ("lines", "keys"),
    [
        # A day names the occurrence of a timed series, and a moment that of a series of days.
        (["DTSTART;TZID=Europe/Berlin:20261123T090000", "RECURRENCE-ID;VALUE=DATE:20261124"], ["20261124T080000Z"]),
        (["DTSTART;VALUE=DATE:20261123", "RECURRENCE-ID:20261124T090000Z"], ["20261124"]),
        (["DTSTART;VALUE=DATE:20261123", "RECURRENCE-ID;VALUE=DATE:20261125"], ["20261125"]),
    ],
)
def test_a_changed_occurrence_is_found_by_its_day(tmp_path: Path, lines: list[str], keys: list[str]) -> None:
    start, original = lines
    events = [["UID:a", start, "RRULE:FREQ=DAILY;COUNT=2"], ["UID:a", original, start, "SUMMARY:Changed"]]
    text = ["BEGIN:VCALENDAR", *(line for event in events for line in ("BEGIN:VEVENT", *event, "END:VEVENT"))]
    path = tmp_path / "series.ics"
    path.write_text("\r\n".join([*text, "END:VCALENDAR", ""]))
    with serve(ics=path) as standin:
        changed = [event for event in standin.state.events("primary") if event.get("summary") == "Changed"]
        assert [event["id"].rpartition("_")[2] for event in changed] == keys

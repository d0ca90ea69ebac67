"""What we write is read back equal by others, and nothing in an event can become more than text (trust.md T-36)."""

from __future__ import annotations

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendar_ext.domain.fingerprint import differences
from calendar_ext.domain.ics import read
from calendar_ext.domain.icswriter import write
from calendar_ext.domain.rows import event_of, row_of
from calendar_ext.domain.series import expand_object
from calendar_ext.domain.when import Span, When, instant

from .making import event, events, row, timed

WINDOW = Span(instant("2026-01-01", ""), instant("2028-01-01", ""))
RULES = ("RRULE:FREQ=WEEKLY;BYDAY=MO", "EXDATE;TZID=Europe/Berlin:20261130T090000")


def components(text: str) -> list[str]:
    return [line for line in text.split("\r\n") if line.startswith(("BEGIN:", "END:"))]


def test_a_calendar_is_read_back_as_it_was():
    rows = [
        row("Single; with, all\\ of\nit", timed(), object_id="a", uid="a", description="x" * 300, location="Zürich"),
        row("Days", When("2026-11-23", "2026-11-25"), object_id="b", uid="b", show_as="free", visibility="private"),
        row("Floating", timed(zone=""), object_id="c", uid="c", status="tentative"),
        row("Weekly", timed("2026-11-02 09:00"), object_id="d", uid="d", rules=RULES),
        row("Moved", timed("2026-11-10 15:00"), object_id="d", uid="d", key="20261109T080000Z"),
    ]
    parsed = read(write(rows, "Mine, all of it"))
    assert parsed.calendar_name == "Mine, all of it"
    for before, after in zip(rows, parsed.events, strict=True):
        assert differences(event_of(before), event_of(after)) == ()
        assert (before["recurrence_key"], before["object_id"]) == (after["recurrence_key"], after["object_id"])


def test_a_gap_becomes_an_exception_of_its_series():
    rows = [
        row("Weekly", timed("2026-11-02 09:00"), object_id="d", rules=("RRULE:FREQ=WEEKLY;COUNT=4",)),
        row("", timed("2026-11-09 09:00"), object_id="d", key="20261109T080000Z", status="cancelled"),
        row("", timed("2026-11-16 09:00"), object_id="d", key="20261116T080000Z") | {"kind": "anchor"},
    ]
    (master,) = read(write(rows)).events
    assert len(expand_object([master], WINDOW)) == 3


@given(events)
def test_any_event_is_read_back_equal_by_us_and_can_be_read_by_others(one):
    text = write([row_of(one) | {"object_id": "o"}])
    (back,) = read(text).events
    kept = {"when", "rules", "status"}
    assert not kept & set(differences(one, event_of(back)))
    assert len(icalendar.Calendar.from_ical(text).walk("VEVENT")) == 1


@given(st.text(max_size=40))
def test_no_text_can_start_a_property_of_its_own(text):
    plain = write([row("x", description="x", location="x")], "x")
    hostile = write([row(text or "x", description=text or "x", location=text or "x", uid="u")], text or "x")
    assert components(hostile) == components(plain)
    assert hostile.count("\r\n") == len(hostile.split("\n")) - 1
    assert all(len(line.encode("utf-8", "replace")) <= 75 for line in hostile.split("\r\n"))


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\\n", "\r\n "])
@pytest.mark.parametrize("field", ["title", "description", "location", "uid"])
def test_a_line_break_in_any_field_stays_in_it(end, field):
    text = write([row(**{"title": "x", field: f"a{end}ATTACH:http://evil{end}END:VEVENT{end}BEGIN:VEVENT"})])
    assert components(text) == components(write([row("x")]))
    assert not [line for line in text.split("\r\n") if line.startswith("ATTACH")]


def test_a_rule_that_is_none_is_not_written():
    text = write([row("x", rules=("RRULE:FREQ=DAILY", "ATTACH:http://evil", "RRULE:FREQ=DAILY\r\nATTACH:x"))])
    assert "evil" not in text and "ATTACH" not in text


def test_a_zone_is_described_for_those_who_do_not_know_its_name():
    calendar = icalendar.Calendar.from_ical(write([row("Weekly", timed("2026-11-02 09:00"), rules=RULES)]))
    (zone,) = calendar.walk("VTIMEZONE")
    changes = {part["DTSTART"].dt.isoformat(): part["TZOFFSETTO"].td.total_seconds() for part in zone.subcomponents}
    assert changes["2027-03-28T02:00:00"] == 7200
    assert changes["2027-10-31T03:00:00"] == 3600


def test_equal_input_gives_equal_text():
    assert write([row()]) == write([row()])


def test_an_event_without_a_uid_is_written_under_its_object():
    assert "UID:o1\r\n" in write([row()])
    assert event().uid == ""

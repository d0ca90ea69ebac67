"""What counts as an edit, and what a provider may rewrite without anybody having edited."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from calendar_ext.domain.fingerprint import (
    content,
    differences,
    event_from_content,
    fingerprint,
    fingerprint_of_row,
)
from calendar_ext.domain.model import CONTENT_FIELDS, Attendee, Event
from calendar_ext.domain.rows import event_of, row_of
from calendar_ext.domain.when import When

from .making import event, events, timed

ANNA = Attendee("a@x")
SERIES = ("RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20271231T225959Z", "EXDATE;TZID=Europe/Berlin:20261130T090000")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"description": "Bring  the\r\nslides &amp; b"}, {"description": "<p>Bring the<br>slides &amp; <b>b</b></p>"}),
        ({"description": "a < b and c > d"}, {"description": "a &lt; b and c &gt; d"}),
        ({"title": " Review "}, {"title": "Review"}),
        ({"title": "Cafe\u0301"}, {"title": "Caf\u00e9"}),
        ({"title": "Re\u200bview"}, {"title": "Review"}),
        ({"location": "Room 5\n"}, {"location": "Room\u00a05"}),
        ({"visibility": "default"}, {"visibility": "public"}),
        ({"visibility": "private"}, {"visibility": "confidential"}),
        ({"uid": "1"}, {"uid": "2"}),
        ({"marker": ("link", "1")}, {"marker": None}),
        ({"attendees": (ANNA, Attendee("B@x"))}, {"attendees": (Attendee("b@X", "B", "declined"), Attendee("A@x"))}),
        ({"attendees": (ANNA,)}, {"attendees": (ANNA, Attendee("me@x", is_self=True, organizer=True))}),
    ],
)  # fmt: skip
def test_what_nobody_edited_is_the_same(one, other):
    assert differences(event(**one), event(**other)) == ()
    assert fingerprint(event(**one)) == fingerprint(event(**other))


@pytest.mark.parametrize(
    "lines",
    [
        ("EXDATE:20261130T080000Z", SERIES[0]),
        ("RRULE:UNTIL=20271231T225959Z;FREQ=WEEKLY;WKST=MO;INTERVAL=1;BYDAY=WE,MO", SERIES[1]),
        ("rrule:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20271231T225959Z", "EXDATE:20261130T090000"),
    ],
)
def test_the_order_of_a_rule_says_nothing(lines):
    assert differences(event(rules=SERIES), event(rules=lines)) == ()


def test_a_single_event_is_when_it_is_whatever_the_zone_is_called():
    assert differences(event(when=timed()), event(when=timed("2026-11-23 08:00", zone="UTC"))) == ()


def test_a_series_repeats_in_a_zone():
    berlin, utc = event(when=timed(), rules=SERIES), event(when=timed("2026-11-23 08:00", zone="UTC"), rules=SERIES)
    assert differences(berlin, utc) == ("when",)


def test_a_zone_under_its_old_name_is_the_same_zone():
    kyiv = event(when=timed(zone="Europe/Kyiv"), rules=SERIES)
    assert differences(kyiv, event(when=timed(zone="Europe/Kiev"), rules=SERIES)) == ()


def test_a_floating_time_is_no_time_in_utc():
    assert differences(event(when=timed(zone="")), event(when=timed(zone="UTC"))) == ("when",)


def test_a_day_is_no_time():
    assert differences(
        event(when=When("2026-11-23", "2026-11-24")), event(when=timed("2026-11-23 00:00", 1440, "UTC"))
    ) == ("when",)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("when", timed("2026-11-23 09:01")),
        ("title", "review"),
        ("description", "x"),
        ("location", "x"),
        ("status", "tentative"),
        ("show_as", "away"),
        ("visibility", "private"),
        ("attendees", (Attendee("a@x"),)),
    ],
)
def test_every_field_that_people_edit_is_seen(field, value):
    before, after = event(), replace(event(), **{field: value})
    assert differences(before, after) == (field,)
    assert fingerprint(before) != fingerprint(after)


def test_another_rule_is_an_edit():
    assert differences(event(rules=SERIES), event(rules=SERIES[:1])) == ("rules",)


def test_what_becomes_a_series_gets_a_zone_to_repeat_in():
    assert differences(event(), event(rules=SERIES)) == ("when", "rules")


def test_asking_somebody_to_come_if_they_like_is_an_edit():
    asked = event(attendees=(Attendee("a@x"),))
    assert differences(asked, event(attendees=(Attendee("a@x", role="optional"),))) == ("attendees",)


@given(events)
def test_the_fast_way_gives_what_the_careful_way_gives(one):
    row = row_of(one)
    assert fingerprint_of_row(row) == fingerprint(one)
    assert len(fingerprint(one)) == 16
    del row["start_at"], row["end_at"]
    assert fingerprint_of_row(row) == fingerprint(event_of(row))


@given(events)
def test_content_survives_being_stored(one):
    stored = json.loads(json.dumps(content(one)))
    assert event_from_content(stored) == one
    assert all(type(value) is not Event for value in stored.values())


@given(events, events)
def test_two_events_have_one_fingerprint_if_nothing_differs(one, other):
    assert (fingerprint(one) == fingerprint(other)) == (differences(one, other) == ())
    assert set(differences(one, other)) <= set(CONTENT_FIELDS)


def test_a_lone_half_of_a_character_is_no_error():
    assert fingerprint(event(title="\ud83d")) != fingerprint(event(title=""))

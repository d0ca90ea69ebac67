"""Non-interference (trust.md T-42): two events that differ only in what is hidden look the same."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendar_ext.domain.model import Attendee
from calendar_ext.domain.privacy import View, Viewer, is_busy, is_private, is_shown, project
from calendar_ext.domain.rows import row_of

from .making import event, events, row


def view(facts, viewer, **rest):
    return asdict(project(facts, viewer, **rest))


@given(events, events, st.sampled_from(("declined", "accepted", "")))
def test_whoever_sees_busy_time_sees_nothing_else(one, other, response):
    other = replace(other, when=one.when, show_as=one.show_as, status=one.status)
    rows = [
        row_of(each) | {"response": response, "colour": each.title, "id": index}
        for index, each in enumerate((one, other))
    ]
    assert view(rows[0], Viewer.BUSY) == view(rows[1], Viewer.BUSY)


@given(events, events, st.sampled_from(("private", "confidential", "x-unknown")))
def test_of_a_private_event_details_are_as_little_as_busy_time(one, other, visibility):
    one = replace(one, visibility=visibility)
    other = replace(other, when=one.when, show_as=one.show_as, status=one.status, visibility="private")
    assert view(row_of(one), Viewer.DETAILS) == view(row_of(other), Viewer.DETAILS) == view(row_of(one), Viewer.BUSY)


def test_details_are_texts_and_never_guests():
    shown = project(row("Review", location="Room 5", attendees=(Attendee("a@x"),)), Viewer.DETAILS)
    assert (shown.title, shown.location, shown.attendees, shown.private) == ("Review", "Room 5", (), False)


def test_the_owner_sees_everything():
    shown = project(row("Review", visibility="private", attendees=(Attendee("a@x"),)), Viewer.OWNER)
    assert (shown.title, shown.private, len(shown.attendees)) == ("Review", True, 1)


@pytest.mark.parametrize(
    ("own", "series", "private"),
    [("default", "default", False), ("public", "private", True), ("private", "public", True), ("odd", "public", True)],
)
def test_an_occurrence_is_as_private_as_the_stricter_of_the_two(own, series, private):
    override, master = row(visibility=own, key="20261123T080000Z"), row(visibility=series)
    assert is_private(override, master) is private
    assert (project(override, Viewer.DETAILS, master=master).title == "") is private


@pytest.mark.parametrize(
    ("facts", "busy"),
    [
        ({}, True),
        ({"show_as": "free"}, False),
        ({"response": "declined"}, False),
        ({"status": "cancelled"}, False),
        ({"show_as": "away"}, True),
    ],
)
def test_free_declined_and_cancelled_time_is_not_busy(facts, busy):
    one = row() | facts
    assert is_busy(one) is busy
    assert project(one, Viewer.BUSY).show_as == ("busy" if busy else "free")


def test_a_cancelled_event_is_the_owners_alone():
    gone = row("Review", status="cancelled")
    assert is_shown(gone, Viewer.OWNER) and not is_shown(gone, Viewer.DETAILS)
    assert project(gone, Viewer.DETAILS).title == ""


def test_an_occurrence_is_seen_at_its_own_time():
    one = row() | {"occurs_at": 5, "occurs_until": 9}
    assert project(one, Viewer.BUSY) == View(5, 9, all_day=False)
    assert event().title == "Review"

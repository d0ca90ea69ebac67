from __future__ import annotations

from hypothesis import given

from calendar_ext.domain.model import Attendee
from calendar_ext.domain.rows import event_of, marker_of, own_response, row_of
from calendar_ext.domain.when import When

from .making import event, events, timed


@given(events)
def test_an_event_survives_being_a_row(one):
    assert event_of(row_of(one)) == one


def test_a_row_has_the_instants_of_its_walls():
    row = row_of(event(when=timed("2026-11-23 09:00", 90)))
    assert (row["start_at"], row["end_at"]) == (1795420800, 1795426200)
    assert row["all_day"] is False


def test_a_rule_makes_a_master_and_a_key_an_override():
    assert row_of(event())["kind"] == "single"
    assert row_of(event(rules=("RRULE:FREQ=DAILY",)))["kind"] == "master"
    assert row_of(event(), recurrence_key="20261123T080000Z")["kind"] == "override"
    assert row_of(event(status="cancelled"), recurrence_key="20261123T080000Z")["kind"] == "gap"


def test_values_of_a_row_are_plain():
    row = row_of(event(when=When("2026-11-23", "2026-11-24")))
    assert {type(value) for name, value in row.items() if name != "attendees"} <= {str, int, bool}


def test_empty_columns_are_defaults():
    row = row_of(event()) | {"title": None, "rules": None, "show_as": "", "attendees": None, "marker": None}
    assert event_of(row) == event(title="")


def test_a_marker_is_a_link_and_a_hash():
    assert marker_of("abc:00ff") == ("abc", "00ff")
    assert marker_of("") is None
    assert row_of(event(marker=("abc", "00ff")))["marker"] == "abc:00ff"


def test_only_the_owner_answers_for_the_owner():
    assert own_response((Attendee("a@x", response="declined"),)) == ""
    assert own_response((Attendee("a@x"), Attendee("me@x", response="declined", is_self=True))) == "declined"

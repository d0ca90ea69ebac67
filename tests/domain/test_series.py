"""A master with its overrides and gaps, as the occurrence table and the pages get it."""

from __future__ import annotations

import pytest

from calendar_ext.domain.series import expand, expand_object, original_start
from calendar_ext.domain.when import Span, When, instant, wall_at

from .making import BERLIN, row, timed

NOVEMBER = Span(instant("2026-11-01", ""), instant("2026-12-01", ""))
WEEKLY = ("RRULE:FREQ=WEEKLY;COUNT=8",)


def master(**facts):
    return row("Weekly", timed("2026-11-02 09:00"), rules=WEEKLY, **facts)


def override(key: str, start: str, **facts):
    return row("Moved", timed(start), key=key, **facts)


def starts(found):
    return [wall_at(one.start, BERLIN)[5:16].replace("T", " ") for one in found]


def test_a_series_shows_its_occurrences_with_their_keys():
    found = expand(master(), (), NOVEMBER)
    assert starts(found) == ["11-02 09:00", "11-09 09:00", "11-16 09:00", "11-23 09:00", "11-30 09:00"]
    assert found[0].recurrence_key == "20261102T080000Z"
    assert found[0].span == Span(found[0].start, found[0].end)


def test_an_override_stands_in_for_its_occurrence():
    found = expand(master(), [override("20261109T080000Z", "2026-11-10 15:00")], NOVEMBER)
    assert starts(found)[:3] == ["11-02 09:00", "11-10 15:00", "11-16 09:00"]
    assert found[1].row["title"] == "Moved"
    assert found[1].recurrence_key == "20261109T080000Z"
    assert found[1].original == instant("2026-11-09T09:00:00", BERLIN)


def test_an_override_moved_out_of_the_window_leaves_a_hole():
    found = expand(master(), [override("20261109T080000Z", "2026-12-10 15:00")], NOVEMBER)
    assert starts(found) == ["11-02 09:00", "11-16 09:00", "11-23 09:00", "11-30 09:00"]


def test_an_override_moved_into_the_window_is_there():
    found = expand(master(), [override("20261207T080000Z", "2026-11-20 15:00")], NOVEMBER)
    assert "11-20 15:00" in starts(found)
    assert len(found) == 6


def test_a_gap_is_not_shown():
    gap = row("", timed("2026-11-16 09:00"), key="20261116T080000Z", status="cancelled")
    assert gap["kind"] == "gap"
    assert "11-16 09:00" not in starts(expand(master(), [gap], NOVEMBER))


def test_an_anchor_changes_nothing():
    anchor = override("20261109T080000Z", "2026-11-09 09:00") | {"kind": "anchor"}
    found = expand(master(), [anchor], NOVEMBER)
    assert [one.row["kind"] for one in found] == ["master"] * 5


def test_an_override_without_a_master_is_shown_as_an_event_of_its_own():
    late, early = override("20261116T080000Z", "2026-11-17 15:00"), override("20261109T080000Z", "2026-11-10 15:00")
    assert starts(expand(None, [late, early], NOVEMBER)) == ["11-10 15:00", "11-17 15:00"]
    assert expand(None, [row("", key="20261116T080000Z", status="cancelled")], NOVEMBER) == []


def test_what_is_left_out_of_the_rule_takes_its_override_along():
    struck = master() | {"rules": "RRULE:FREQ=WEEKLY;COUNT=8\nEXDATE:20261109T080000Z"}
    assert "11-10 15:00" not in starts(expand(struck, [override("20261109T080000Z", "2026-11-10 15:00")], NOVEMBER))


def test_an_override_the_rule_does_not_know_is_shown():
    found = expand(master(), [override("20261111T080000Z", "2026-11-11 15:00")], NOVEMBER)
    assert len(found) == 6


def test_a_cancelled_master_shows_nothing_at_all():
    moved = override("20261109T080000Z", "2026-11-10 15:00")
    assert expand(master() | {"status": "cancelled"}, [moved], NOVEMBER) == []


def test_a_single_event_is_shown_where_it_is():
    one = row(when=timed("2026-11-23 09:00"))
    (found,) = expand(one, (), NOVEMBER)
    assert (found.row, found.recurrence_key) == (one, "")
    assert expand(one, (), Span(0, 1000)) == []


def test_without_a_window_everything_is_shown_within_the_limits():
    assert len(expand(master())) == 8


def test_a_rule_that_is_refused_shows_its_start_alone():
    found = expand(master() | {"rules": "RRULE:FREQ=SECONDLY"}, (), NOVEMBER)
    assert starts(found) == ["11-02 09:00"]


@pytest.mark.parametrize("key", ["20261109", "20261109T080000Z"])
def test_a_date_names_the_occurrence_of_that_day(key):
    assert original_start(key, master()) == instant("2026-11-09T09:00:00", BERLIN)


def test_occurrences_of_dates_are_named_by_dates():
    days = row("Holiday", When("2026-11-02", "2026-11-03"), rules=("RRULE:FREQ=DAILY;COUNT=3",))
    moved = row("Moved", When("2026-11-10", "2026-11-11"), key="20261103")
    found = expand(days, [moved], NOVEMBER)
    assert [one.recurrence_key for one in found] == ["20261102", "20261104", "20261103"]


def test_rows_of_one_object_find_their_master_in_any_order():
    rows = [override("20261109T080000Z", "2026-11-10 15:00"), master()]
    assert len(expand_object(rows, NOVEMBER)) == 5
    assert len(expand_object(rows[:1], NOVEMBER)) == 1

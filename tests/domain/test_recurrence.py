"""Hand-written cases of recurrence: what RFC 5545 says, and where clocks and calendars are awkward."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from calendar_ext.domain.recurrence import occurrences
from calendar_ext.domain.when import Span, When, instant, wall_at
from calendar_ext.limits import Limits

BERLIN = "Europe/Berlin"


def timed(start: str, minutes: int = 60, zone: str = BERLIN) -> When:
    """A timed event on one wall; `start` as `2026-11-23 09:00`."""
    begin = instant(f"{start.replace(' ', 'T')}:00", "UTC")
    return When(wall_at(begin, "UTC"), wall_at(begin + minutes * 60, "UTC"), zone, zone)


def shown(when: When, *rules: str, first: str = "2000-01-01", last: str = "2100-01-01", limits: Limits | None = None):
    """Starts as they read on the event's own wall, minutes only."""
    window = Span(instant(first, ""), instant(last, ""))
    found = occurrences(when, rules, window, limits=limits or Limits())
    size = 10 if when.all_day else 16
    return [wall_at(one.span.start, when.start_zone)[:size].replace("T", " ") for one in found]


def test_plain_and_ordinal_weekdays_are_united():
    """RFC 5545 3.3.10: the third Friday and every Monday; python-dateutil gives what is both."""
    found = shown(timed("2026-06-01 09:00"), "RRULE:FREQ=MONTHLY;BYDAY=MO,3FR;COUNT=6")
    assert [one[5:10] for one in found] == ["06-01", "06-08", "06-15", "06-19", "06-22", "06-29"]


def test_mixed_weekdays_of_a_year_are_united_too():
    found = shown(timed("2026-01-01 09:00"), "RRULE:FREQ=YEARLY;BYMONTH=2;BYDAY=-1SA,TU;COUNT=6")
    assert [one[2:10] for one in found] == [
        "26-01-01", "26-02-03", "26-02-10", "26-02-17", "26-02-24", "26-02-28", "27-02-02",
    ]  # fmt: skip


def test_mixed_weekdays_are_picked_from_together():
    found = shown(timed("2026-06-01 09:00"), "RRULE:FREQ=MONTHLY;BYDAY=MO,1SU;BYSETPOS=2;COUNT=2")
    assert [one[5:10] for one in found] == ["06-01", "06-07", "07-06"]


def test_the_last_day_of_a_month_is_the_last_day_of_every_month():
    found = shown(timed("2027-12-31 09:00"), "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=4")
    assert [one[:10] for one in found] == ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"]


def test_a_month_without_a_31st_is_skipped():
    found = shown(timed("2026-01-31 09:00"), "RRULE:FREQ=MONTHLY;COUNT=4")
    assert [one[5:10] for one in found] == ["01-31", "03-31", "05-31", "07-31"]


def test_a_leap_day_comes_every_four_years_and_not_in_2100():
    found = shown(When("2092-02-29", "2092-03-01"), "RRULE:FREQ=YEARLY", last="2106-01-01")
    assert found == ["2092-02-29", "2096-02-29", "2104-02-29"]


def test_the_last_working_day_of_a_month():
    found = shown(timed("2026-05-29 17:00"), "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3")
    assert [one[5:10] for one in found] == ["05-29", "06-30", "07-31"]


def test_positions_count_days_before_the_start_too():
    """The interval is the whole one (RFC 5545 gives a month as example); python-dateutil cuts the first week."""
    weekly = shown(timed("1999-08-11 09:00"), "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,SU;BYSETPOS=2;COUNT=2", first="1999-01-01")
    monthly = shown(
        timed("1997-09-04 09:00"), "RRULE:FREQ=MONTHLY;COUNT=2;BYDAY=TU,WE,TH;BYSETPOS=3", first="1997-01-01"
    )
    assert [one[5:10] for one in weekly] == ["08-11", "08-18"]
    assert [one[5:10] for one in monthly] == ["09-04", "10-07"]


def test_positions_count_times_of_day_as_well():
    found = shown(timed("2026-06-01 09:00"), "RRULE:FREQ=DAILY;BYHOUR=9,12,15;BYSETPOS=1,-1;COUNT=4")
    assert found == ["2026-06-01 09:00", "2026-06-01 15:00", "2026-06-02 09:00", "2026-06-02 15:00"]


def test_week_start_decides_which_weeks_every_other_week_means():
    """The example of RFC 5545: the same rule, two week starts, different Sundays."""
    rule = "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST="
    start = timed("1997-08-05 09:00")
    monday = shown(start, rule + "MO", first="1997-01-01")
    sunday = shown(start, rule + "SU", first="1997-01-01")
    assert [one[5:10] for one in monday] == ["08-05", "08-10", "08-19", "08-24"]
    assert [one[5:10] for one in sunday] == ["08-05", "08-17", "08-19", "08-31"]


def test_week_one_may_begin_in_december():
    found = shown(timed("2024-12-30 09:00"), "RRULE:FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", last="2029-06-01")
    assert [one[:10] for one in found] == ["2024-12-30", "2025-12-29", "2027-01-04", "2028-01-03", "2029-01-01"]


@pytest.mark.parametrize("number", [1, 9, 52, 53])
def test_week_numbers_are_those_of_iso_8601(number):
    found = shown(When("2015-12-01", "2015-12-02"), f"RRULE:FREQ=YEARLY;BYWEEKNO={number}", last="2040-01-01")
    days = (date(2016, 1, 1) + timedelta(days=day) for day in range(24 * 366))
    assert [one for one in found if one >= "2016"] == [
        day.isoformat() for day in days if day.isocalendar().week == number and day.year < 2040
    ]


def test_a_time_that_does_not_exist_moves_forward():
    found = shown(timed("2026-03-28 02:30"), "RRULE:FREQ=DAILY;COUNT=3")
    assert found == ["2026-03-28 02:30", "2026-03-29 03:30", "2026-03-30 02:30"]


def test_a_time_that_happens_twice_is_the_first():
    window = Span(instant("2026-10-25", ""), instant("2026-10-26", ""))
    (found,) = occurrences(timed("2026-10-24 02:30", 30), ("RRULE:FREQ=DAILY",), window)
    assert found.span.start == instant("2026-10-25T00:30:00", "UTC")
    assert found.recurrence_key == "20261025T003000Z"


def test_a_night_shift_ends_by_the_clock_in_the_night_the_clock_is_changed():
    window = Span(instant("2026-03-28", ""), instant("2026-03-30", ""))
    found = occurrences(timed("2026-03-27 22:00", 480), ("RRULE:FREQ=DAILY",), window)
    assert [wall_at(one.span.end, BERLIN)[11:16] for one in found] == ["06:00", "06:00", "06:00"]
    assert {one.span.end - one.span.start for one in found} == {8 * 3600, 7 * 3600}


def test_an_event_between_two_zones_lasts_equally_long_every_time():
    flight = When("2026-03-01T10:00:00", "2026-03-01T13:00:00", BERLIN, "America/New_York")
    found = occurrences(flight, ("RRULE:FREQ=WEEKLY;COUNT=6",), Span(0, 2**40))
    assert {one.span.end - one.span.start for one in found} == {9 * 3600}


def test_an_occurrence_in_a_gap_does_not_end_before_it_starts():
    window = Span(instant("2026-03-29", ""), instant("2026-03-30", ""))
    (found,) = occurrences(timed("2026-03-28 02:30", 30), ("RRULE:FREQ=DAILY",), window)
    assert found.span.end > found.span.start


def test_a_day_that_was_left_out_gives_one_occurrence_and_not_two():
    """Samoa had no 30 December 2011."""
    window = Span(instant("2011-12-28", ""), instant("2012-01-02", ""))
    found = occurrences(timed("2011-12-27 09:00", zone="Pacific/Apia"), ("RRULE:FREQ=DAILY",), window)
    starts = [one.span.start for one in found]
    assert starts == sorted(set(starts))
    assert [b - a for a, b in pairwise(starts)] == [86400] * (len(starts) - 1)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", BERLIN])
def test_all_day_events_are_dates_wherever_they_are_seen(zone):
    day = When("2026-03-28", "2026-03-30")
    assert shown(day, "RRULE:FREQ=DAILY;COUNT=3") == ["2026-03-28", "2026-03-29", "2026-03-30"]
    (first, *_) = occurrences(day, ("RRULE:FREQ=DAILY;COUNT=3",), Span(0, 2**40))
    assert (first.recurrence_key, first.all_day) == ("20260328", True)
    assert first.span == Span(instant("2026-03-28", zone), instant("2026-03-30", zone))


def test_floating_times_are_the_same_wall_everywhere():
    found = shown(timed("2026-03-28 09:00", zone=""), "RRULE:FREQ=DAILY;COUNT=2")
    assert found == ["2026-03-28 09:00", "2026-03-29 09:00"]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260603T070000Z", "06-03"),
        ("20260603T065959Z", "06-02"),
        ("20260603T090000", "06-03"),
        ("20260603T085959", "06-02"),
        ("20260603", "06-03"),
    ],
)
def test_until_is_the_last_moment_that_still_counts(until, last):
    found = shown(timed("2026-06-01 09:00"), f"RRULE:FREQ=DAILY;UNTIL={until}")
    assert found[-1][5:10] == last


@pytest.mark.parametrize("until", ["20260603", "20260603T220000Z", "20260603T000000"])
def test_until_of_dates_is_a_date(until):
    assert shown(When("2026-06-01", "2026-06-02"), f"RRULE:FREQ=DAILY;UNTIL={until}")[-1] == "2026-06-03"


def test_an_end_before_the_start_leaves_nothing():
    assert shown(timed("2026-06-01 09:00"), "RRULE:FREQ=DAILY;UNTIL=20260101T000000Z") == []


def test_the_start_is_an_occurrence_even_where_the_rule_does_not_name_it():
    found = shown(timed("2026-06-03 09:00"), "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2")
    assert [one[5:10] for one in found] == ["06-03", "06-08", "06-15"]


def test_a_count_is_counted_from_the_start_and_not_from_the_window():
    found = shown(timed("2026-01-05 09:00"), "RRULE:FREQ=WEEKLY;COUNT=10", first="2026-03-01")
    assert [one[5:10] for one in found] == ["03-02", "03-09"]


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;INTERVAL=3;BYHOUR=8,20", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;BYHOUR=8,20"]
)
@pytest.mark.parametrize("start", ["2026-01-05 08:00", "2026-01-05 20:00"])
def test_the_last_of_a_count_is_computed_as_it_would_be_walked_to(rule, start):
    when = timed(start)
    counted = shown(when, f"RRULE:{rule};COUNT=101", limits=Limits(recurrence_instances=10**5))
    endless = shown(when, f"RRULE:{rule}", limits=Limits(recurrence_instances=10**5))
    assert counted == endless[:101]


def test_single_dates_are_added_in_every_form_and_never_twice():
    found = shown(
        timed("2026-06-01 09:00"),
        "RRULE:FREQ=DAILY;COUNT=2",
        "RDATE:20260602T090000,20260610T090000",
        "RDATE;TZID=America/New_York:20260611T090000",
        "RDATE:20260612T070000Z",
        "RDATE;VALUE=DATE:20260613",
    )
    assert [one[5:] for one in found] == [
        "06-01 09:00", "06-02 09:00", "06-10 09:00", "06-11 15:00", "06-12 09:00", "06-13 09:00",
    ]  # fmt: skip


@pytest.mark.parametrize("period", ["20260610T090000/PT3H", "20260610T090000/20260610T120000"])
def test_a_period_brings_its_own_length(period):
    found = occurrences(timed("2026-06-01 09:00"), (f"RDATE;VALUE=PERIOD:{period}",), Span(0, 2**40))
    assert [one.span.end - one.span.start for one in found] == [3600, 3 * 3600]


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE:20260602T070000Z",
        "EXDATE:20260602T090000",
        "EXDATE;TZID=Europe/Berlin:20260602T090000",
        "EXDATE;TZID=America/New_York:20260602T030000",
        "EXDATE;VALUE=DATE:20260602",
        'EXDATE;TZID="Europe/Berlin":20260530T090000,20260602T090000',
    ],
)
def test_a_date_is_left_out_however_it_is_written(line):
    found = shown(timed("2026-06-01 09:00"), "RRULE:FREQ=DAILY;COUNT=3", line)
    assert [one[5:10] for one in found] == ["06-01", "06-03"]


def test_what_is_left_out_wins_over_what_is_added():
    found = shown(timed("2026-06-01 09:00"), "RDATE:20260605T090000", "EXDATE:20260605T090000")
    assert [one[5:10] for one in found] == ["06-01"]


def test_dates_of_an_all_day_series_are_left_out_in_both_forms():
    day = When("2026-06-01", "2026-06-02")
    found = shown(day, "RRULE:FREQ=DAILY;COUNT=4", "EXDATE;VALUE=DATE:20260602", "EXDATE:20260603T000000")
    assert found == ["2026-06-01", "2026-06-04"]


def test_an_exception_rule_takes_away_what_it_names():
    found = shown(timed("2026-06-01 09:00"), "RRULE:FREQ=DAILY;COUNT=7", "EXRULE:FREQ=WEEKLY;BYDAY=SA,SU")
    assert [one[5:10] for one in found] == ["06-01", "06-02", "06-03", "06-04", "06-05"]


def test_hours_are_counted_across_days():
    found = shown(timed("2026-06-01 20:00"), "RRULE:FREQ=HOURLY;INTERVAL=7;COUNT=4")
    assert [one[5:] for one in found] == ["06-01 20:00", "06-02 03:00", "06-02 10:00", "06-02 17:00"]


def test_a_long_event_that_began_before_the_window_is_in_it():
    found = shown(timed("2026-06-01 09:00", 3 * 1440), "RRULE:FREQ=MONTHLY", first="2026-07-03", last="2026-07-04")
    assert [one[5:10] for one in found] == ["07-01"]


def test_an_event_that_ends_where_the_window_begins_is_not_in_it():
    when = timed("2026-06-01 23:00", zone="UTC")
    assert shown(when, "RRULE:FREQ=DAILY", first="2026-06-05", last="2026-06-06") == ["2026-06-05 23:00"]


def test_an_event_without_length_is_where_it_stands():
    when = timed("2026-06-01 00:00", 0, zone="UTC")
    assert shown(when, "RRULE:FREQ=DAILY", first="2026-06-05", last="2026-06-06") == ["2026-06-05 00:00"]


def test_no_more_is_shown_than_the_limit_allows():
    found = shown(timed("2026-06-01 09:00"), "RRULE:FREQ=DAILY", limits=Limits(recurrence_instances=10))
    assert len(found) == 10


@pytest.mark.parametrize("year", ["0001", "9997"])
def test_the_ends_of_the_calendar_are_no_error(year):
    when = When(f"{year}-01-01", f"{year}-01-02")
    window = Span(instant(f"{year}-01-01", ""), instant(f"{year}-12-31", ""))
    for rule in ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO", "FREQ=MONTHLY;BYSETPOS=1;BYDAY=MO", "FREQ=YEARLY;BYWEEKNO=1"):
        assert occurrences(when, (f"RRULE:{rule}",), window)

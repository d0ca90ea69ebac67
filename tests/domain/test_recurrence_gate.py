"""Rules made to keep a machine busy (trust.md T-30, appendix C): refused or cut, and in few steps."""

from __future__ import annotations

import pytest

from calendar_ext.domain.recurrence import series, spans
from calendar_ext.domain.rule import judge, parse, read_rule
from calendar_ext.domain.when import Span, When, instant
from calendar_ext.domain.yeardays import days_of
from calendar_ext.limits import Limits

from .steps import steps_of

START = When("2016-01-29T09:00:00", "2016-01-29T10:00:00", "Europe/Berlin", "Europe/Berlin")
WINDOW = Span(instant("2026-01-01", ""), instant("2028-01-01", ""))
EVERY_SECOND = (
    f"BYHOUR={','.join(map(str, range(24)))};BYMINUTE={','.join(map(str, range(60)))};"
    f"BYSECOND={','.join(map(str, range(60)))}"
)

REFUSED = {
    "every second": "FREQ=SECONDLY",
    "every second, counted": "FREQ=SECONDLY;COUNT=1000000000",
    "every minute": "FREQ=MINUTELY",
    "no interval": "FREQ=DAILY;INTERVAL=0",
    "a negative interval": "FREQ=DAILY;INTERVAL=-1",
    "every second of an impossible day": "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "every second of every day": f"FREQ=DAILY;{EVERY_SECOND}",
    "a second that does not exist": "FREQ=SECONDLY;BYSECOND=61",
    "an hour that does not exist": "FREQ=MINUTELY;BYHOUR=25",
    "an hour that does not exist, daily": "FREQ=DAILY;BYHOUR=25",
    "ten thousand weekdays": "FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 10_000),
    "five hundred weekdays": "FREQ=MONTHLY;BYDAY=" + ",".join(["1MO"] * 500),
    "a very long interval": "FREQ=DAILY;INTERVAL=1001",
    "positions of nothing": "FREQ=DAILY;BYSETPOS=366",
    "every hour for ever": "FREQ=HOURLY",
    "no frequency": "BYDAY=MO",
    "an unknown frequency": "FREQ=FORTNIGHTLY",
    "the same part twice": "FREQ=DAILY;FREQ=SECONDLY",
    "a month that does not exist": "FREQ=YEARLY;BYMONTH=13",
    "day zero": "FREQ=MONTHLY;BYMONTHDAY=0",
    "a weekday that does not exist": "FREQ=WEEKLY;BYDAY=XX",
    "weekday sixty": "FREQ=YEARLY;BYDAY=60MO",
    "no date": "FREQ=DAILY;UNTIL=tomorrow",
    "a date that does not exist": "FREQ=DAILY;UNTIL=20260231",
    "a time that does not exist": "FREQ=DAILY;UNTIL=20260131T250000Z",
    "another calendar": "RSCALE=HEBREW;FREQ=YEARLY",
    "an unknown part": "FREQ=DAILY;UNTL=20260131",
    "numbers in other scripts": "FREQ=DAILY;INTERVAL=٣",
    "a number of a thousand digits": "FREQ=DAILY;INTERVAL=" + "9" * 1000,
    "nothing": "",
    "an empty part": "FREQ=DAILY;BYDAY=",
}
CUT = {
    "a count of twenty digits": "FREQ=DAILY;COUNT=99999999999999999999",
    "every hour until the end of time": "FREQ=HOURLY;UNTIL=99991231T235959Z",
    "every hour, ten thousand times": "FREQ=HOURLY;COUNT=10000",
}
ALLOWED_BUT_EMPTY = {
    "30 February, daily": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "30 February, weekly": "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
    "30 February, counted": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5000",
    "the last day of a leap year in March": "FREQ=DAILY;BYYEARDAY=366;BYMONTH=3",
    "place 366 of a day": "FREQ=DAILY;BYHOUR=9;BYSETPOS=366",
    "31 June every thousand years": "FREQ=YEARLY;INTERVAL=1000;BYMONTH=6;BYMONTHDAY=31",
    "week 53 in June": "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
}


def forget():
    """What was read before must not make the work look small."""
    for kept in (parse, read_rule, series, days_of):
        kept.cache_clear()


@pytest.mark.parametrize("rule", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_followed_is_refused_with_a_reason(rule):
    verdict = judge((f"RRULE:{rule}",), START)
    assert verdict.state == "refused" and verdict.reason
    forget()
    steps, found = steps_of(lambda: spans(START, (f"RRULE:{rule}",), WINDOW))
    assert len(verdict.reason) < 120
    assert found == []
    assert steps < 30_000


def test_of_what_is_refused_the_first_occurrence_remains():
    window = Span(instant("2016-01-01", ""), instant("2017-01-01", ""))
    assert len(spans(START, ("RRULE:FREQ=SECONDLY",), window)) == 1


@pytest.mark.parametrize("rule", CUT.values(), ids=CUT.keys())
def test_what_goes_on_too_long_is_cut(rule):
    everything = Span(instant("2016-01-01", ""), instant("2100-01-01", ""))
    limits = Limits(recurrence_instances=10**6)
    assert judge((f"RRULE:{rule}",), START).state == "cut"
    forget()
    steps, found = steps_of(lambda: spans(START, (f"RRULE:{rule}",), everything, limits))
    assert 1 < len(found) <= limits.recurrence_count
    assert steps < 200_000


@pytest.mark.parametrize("rule", ALLOWED_BUT_EMPTY.values(), ids=ALLOWED_BUT_EMPTY.keys())
def test_what_never_happens_is_found_out_at_once(rule):
    assert judge((f"RRULE:{rule}",), START).state == "ok"
    forget()
    steps, found = steps_of(lambda: spans(START, (f"RRULE:{rule}",), WINDOW))
    assert found == []
    assert steps < 10_000


@pytest.mark.parametrize("rule", ALLOWED_BUT_EMPTY.values(), ids=ALLOWED_BUT_EMPTY.keys())
def test_what_never_happens_is_found_out_soon_in_ten_thousand_years(rule):
    old = When("0001-01-01T09:00:00", "0001-01-01T10:00:00", "UTC", "UTC")
    always = Span(instant("0002-01-01", ""), instant("9998-01-01", ""))
    steps, found = steps_of(lambda: spans(old, (f"RRULE:{rule}",), always))
    assert found == []
    assert steps < 600_000


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=366",
        "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,2,3,-1,-2,-3;BYHOUR=1,2,3,4,5,6",
        "FREQ=WEEKLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=1,2,3",
        "FREQ=YEARLY;BYWEEKNO=1,-1,20;BYDAY=MO;COUNT=5000",
        "FREQ=HOURLY;COUNT=1000;BYMONTH=2;BYMONTHDAY=29",
    ],
)
def test_the_most_an_allowed_rule_may_ask_for_is_bounded(rule):
    old = When("1601-01-01T09:00:00", "1601-01-01T10:00:00", "Europe/Berlin", "Europe/Berlin")
    steps, found = steps_of(lambda: spans(old, (f"RRULE:{rule}",), WINDOW))
    assert len(found) <= Limits().recurrence_instances
    assert steps < 400_000


def test_of_two_rules_the_first_is_followed():
    lines = ("RRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=DAILY;INTERVAL=5")
    assert judge(lines, START).state == "cut"
    assert len(spans(START, lines, Span(0, 2**40))) == 2


def test_more_single_dates_than_a_series_can_have_are_refused():
    dates = ",".join(
        f"2026{month:02}{day:02}T{hour:02}0000Z" for month in range(1, 13) for day in range(1, 29) for hour in range(7)
    )
    assert judge((f"RDATE:{dates}",), START).state == "refused"


def test_a_line_that_is_no_recurrence_refuses_the_set():
    assert parse(("RRULE:FREQ=DAILY", "DTSTART:20260101")).verdict.state == "refused"


@pytest.mark.parametrize(
    "rule", ["freq=weekly;byday=mo", "FREQ=WEEKLY; BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO;", "FREQ=WEEKLY;BYDAY=MO;X-OWN=1"]
)
def test_small_slips_of_the_pen_are_understood(rule):
    assert judge((f"RRULE:{rule}",), START).state == "ok"
    assert parse((f"RRULE:{rule}",)).rule == parse(("RRULE:FREQ=WEEKLY;BYDAY=MO",)).rule


def test_a_negative_count_is_none():
    assert parse(("RRULE:FREQ=DAILY;COUNT=-1",)).rule == parse(("RRULE:FREQ=DAILY",)).rule


def test_second_sixty_is_the_last_of_its_minute():
    window = Span(instant("2016-01-29", ""), instant("2016-01-30", ""))
    leap = When("2016-01-29T09:00:59", "2016-01-29T10:00:00", "UTC", "UTC")
    assert len(spans(leap, ("RRULE:FREQ=DAILY;BYSECOND=60",), window)) == 1

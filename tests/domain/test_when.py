"""Walls, dates and instants, one at a time and many at once."""

from __future__ import annotations

import os
import random
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest

from calendar_ext.domain.stamps import Unreadable, read_duration, read_stamp, wall_seconds
from calendar_ext.domain.walls import DAY, instants, steps, wall_second, wall_text
from calendar_ext.domain.when import Span, When, instant, is_zone, recurrence_key, wall_at, zone_of
from calendar_ext.domain.zones import canonical_zone

#: Every zone there is when more examples are asked for; else those whose clocks are the oddest, and a few of all.
ODD = (
    "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Africa/Cairo", "Pacific/Apia", "America/Sao_Paulo",
    "Asia/Tehran", "Antarctica/Troll", "America/Caracas", "Asia/Pyongyang", "Africa/Juba", "Europe/Istanbul", "UTC",
)  # fmt: skip
ZONES = (
    sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
    if "CALENDAR_EXT_EXAMPLES" in os.environ
    else ODD
)


@pytest.mark.parametrize("zone", ZONES)
def test_many_walls_become_what_each_becomes_alone_at_every_change_of_the_clock(zone):
    walls = sorted(
        wall + moved
        for year in range(2000, 2038)
        for wall, _ in steps(zone, year, year)
        for moved in (-7200, -3600, -1800, -1, 0, 1, 1800, 3600, 7200)
    )
    assert instants(walls, zone) == [instant(wall_text(wall), zone) for wall in walls]


@pytest.mark.parametrize("zone", ODD)
def test_every_change_of_the_clock_is_found(zone):
    rng = random.Random(zone)
    first = wall_seconds("1990-01-01")
    walls = sorted(first + rng.randrange(50 * 365 * DAY) for _ in range(500))
    expected = [
        int(datetime.fromisoformat(wall_text(wall)).replace(tzinfo=ZoneInfo(zone)).timestamp()) for wall in walls
    ]
    assert instants(walls, zone) == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Apia", ""])
def test_a_wall_shows_what_it_showed(zone):
    at = instant("2026-07-01T09:00:00", zone)
    assert wall_text(wall_second(at, zone)) == wall_at(at, zone) == "2026-07-01T09:00:00"


def test_a_wall_at_the_end_of_the_calendar_is_no_error():
    last = instant("9999-12-31T23:59:59", "UTC")
    assert wall_second(last, "Pacific/Kiritimati") == last


def test_a_gap_moves_forward_and_a_fold_takes_the_first():
    assert wall_at(instant("2026-03-29T02:30:00", "Europe/Berlin"), "Europe/Berlin") == "2026-03-29T03:30:00"
    assert instant("2026-10-25T02:30:00", "Europe/Berlin") == instant("2026-10-25T00:30:00", "UTC")


def test_spans_are_half_open():
    assert Span(0, 10).overlaps(Span(9, 20))
    assert not Span(0, 10).overlaps(Span(10, 20))


def test_aware_times_become_walls_in_their_zone():
    start, end = (datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (8, 9))
    berlin = When.timed(start, end, "Europe/Berlin")
    assert (berlin.start_wall, berlin.end_wall, berlin.end_zone) == (
        "2026-11-23T09:00:00",
        "2026-11-23T10:00:00",
        "Europe/Berlin",
    )
    assert When.timed(start, end).start_zone == "UTC"
    assert berlin.span == Span(int(start.timestamp()), int(end.timestamp()))


def test_days_are_dates():
    days = When.days(date(2026, 11, 23), date(2026, 11, 25))
    assert days.all_day and days.span.end - days.span.start == 2 * DAY


def test_an_unknown_zone_counts_as_utc():
    assert not is_zone("Middle/Nowhere")
    assert zone_of("Middle/Nowhere") is zone_of("UTC")
    assert instant("2026-11-23T09:00:00", "Middle/Nowhere") == instant("2026-11-23T09:00:00", "UTC")


def test_an_occurrence_is_named_by_its_original_start():
    assert recurrence_key("2026-11-23T09:00:00", "Europe/Berlin") == "20261123T080000Z"
    assert recurrence_key("2026-11-23", "") == "20261123"


@pytest.mark.parametrize("name", ["Europe/Kyiv", "Asia/Kolkata", "UTC", "Unheard/Of"])
def test_todays_name_of_a_zone_is_its_own(name):
    assert canonical_zone(name) == name


@pytest.mark.parametrize(
    ("old", "new"), [("Asia/Calcutta", "Asia/Kolkata"), ("Etc/UTC", "UTC"), ("US/Eastern", "America/New_York")]
)
def test_a_zone_is_compared_by_todays_name(old, new):
    assert canonical_zone(old) == new
    assert is_zone(new)


@pytest.mark.parametrize(
    ("text", "days", "seconds"),
    [("PT15M", 0, 900), ("P1D", 1, 0), ("P2W", 14, 0), ("+P1DT2H3M4S", 1, 7384), ("pt1h", 0, 3600)],
)
def test_lengths_are_days_on_the_wall_and_seconds(text, days, seconds):
    assert read_duration(text) == (days, seconds)


@pytest.mark.parametrize("text", ["", "P", "-PT5M", "1H", "P1Y", "P" + "9" * 30 + "D"])
def test_what_is_no_length_is_unreadable(text):
    with pytest.raises(Unreadable):
        read_duration(text)


@pytest.mark.parametrize(
    "text", ["", "20261301", "20260230", "20261123T24", "20261123T250000", "20261123T0900000Z", "٢٠٢٦١١٢٣"]
)
def test_what_is_no_date_is_unreadable(text):
    with pytest.raises(Unreadable):
        read_stamp(text)

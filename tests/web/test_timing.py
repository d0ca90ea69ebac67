"""Dates and times of the forms."""

from __future__ import annotations

from datetime import date, time
from types import SimpleNamespace
from typing import Any

import pytest

from calendar_ext.domain.when import When
from calendar_ext.errors import Refused
from calendar_ext.web.timing import Times, shifted, times_in

DAY = date(2026, 11, 23)
ZONE = "Europe/Amsterdam"


def typed(**values: Any) -> Any:
    """Return a form in which somebody typed something."""
    fields = {"first": DAY, "start": None, "last": None, "end": None} | values
    return SimpleNamespace(**{name: SimpleNamespace(data=value) for name, value in fields.items()})


@pytest.mark.parametrize(
    ("form", "all_day", "when"),
    [
        (typed(), True, When("2026-11-23", "2026-11-24")),
        (typed(last=date(2026, 11, 25)), True, When("2026-11-23", "2026-11-26")),
        (typed(start=time(9)), False, When("2026-11-23T09:00:00", "2026-11-23T10:00:00", ZONE, ZONE)),
        (typed(start=time(23, 30)), False, When("2026-11-23T23:30:00", "2026-11-24T00:30:00", ZONE, ZONE)),
        (typed(start=time(9), end=time(9)), False, When("2026-11-23T09:00:00", "2026-11-23T09:00:00", ZONE, ZONE)),
        (
            typed(start=time(22), end=time(6), last=date(2026, 11, 24)),
            False,
            When("2026-11-23T22:00:00", "2026-11-24T06:00:00", ZONE, ZONE),
        ),
    ],
)
def test_what_was_typed_becomes_times(form: Any, all_day: bool, when: When) -> None:
    assert times_in(form, ZONE, all_day=all_day).when() == when


@pytest.mark.parametrize(
    ("form", "all_day"),
    [
        (typed(last=date(2026, 11, 22)), True),
        (typed(), False),
        (typed(start=time(9), end=time(8)), False),
        (typed(start=time(9), end=time(10), last=date(2026, 11, 22)), False),
    ],
)
def test_what_makes_no_sense_is_refused(form: Any, all_day: bool) -> None:
    with pytest.raises(Refused):
        times_in(form, ZONE, all_day=all_day).when()


def at(day: int, hour: int | None = None, length: int = 1) -> Times:
    """Return times in November 2026; days where there is no hour."""
    first = date(2026, 11, day)
    if hour is None:
        return Times(first, date(2026, 11, day + length - 1), None, None, "")
    return Times(first, first, time(hour), time(hour + length), ZONE)


@pytest.mark.parametrize(
    ("master", "shown", "wanted", "moved"),
    [
        (at(2, 9), at(16, 9), at(16, 14, 2), at(2, 14, 2)),
        (at(2, 9), at(16, 9), at(17, 9), at(3, 9)),
        (at(2), at(16), at(18, None, 2), at(4, None, 2)),
        (at(2, 9), at(16, 9), at(16), at(2)),
        (at(2), at(16), at(17, 9), at(3, 9)),
    ],
    ids=["later and longer", "a day on", "days", "timed to all-day", "all-day to timed"],
)
def test_a_series_moves_as_far_as_its_occurrence(master: Times, shown: Times, wanted: Times, moved: Times) -> None:
    assert shifted(master, shown, wanted) == moved

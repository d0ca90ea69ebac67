"""A fresh stand-in per test, and the ways to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.standins.google import Standin, serve

from .discovery import CheckedSession

#: Friday 20 November 2026, 09:00 UTC.
NOW = 1_795_165_200.0


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = NOW

    def __call__(self) -> float:
        """Return the present."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """Return the stand-in's clock."""
    return Clock()


@pytest.fixture
def standin(clock: Clock) -> Iterator[Standin]:
    """Run a fresh stand-in whose primary calendar is empty."""
    with serve(clock=clock) as running:
        running.control("empty")
        yield running


@pytest.fixture
def api(standin: Standin) -> Iterator[CheckedSession]:
    """Return a session with every right, each of whose answers is checked against the discovery document."""
    with CheckedSession(standin.base_url, standin.token()) as session:
        yield session


EVENTS = "/calendars/primary/events"


def timed(hour: int = 9, *, day: int = 23, **more: Any) -> dict[str, Any]:
    """Return an hour on a day of November 2026 in Berlin, with a title."""
    start = f"2026-11-{day:02d}T{hour:02d}:00:00+01:00"
    end = f"2026-11-{day:02d}T{hour + 1:02d}:00:00+01:00"
    zone = "Europe/Berlin"
    times = {"start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}
    return {"summary": "Call", **times, **more}


WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=4"]

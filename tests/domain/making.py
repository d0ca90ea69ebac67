"""Events and rows for the tests of this room, and hypothesis strategies that make them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from calendar_ext.domain.model import Attendee, Event, Row
from calendar_ext.domain.rows import row_of
from calendar_ext.domain.when import When, instant, wall_at

BERLIN = "Europe/Berlin"


def timed(start: str = "2026-11-23 09:00", minutes: int = 60, zone: str = BERLIN) -> When:
    """A timed event on one wall."""
    begin = instant(f"{start.replace(' ', 'T')}:00", "UTC")
    return When(wall_at(begin, "UTC"), wall_at(begin + minutes * 60, "UTC"), zone, zone)


def event(title: str = "Review", when: When | None = None, **facts: Any) -> Event:
    """An event that is valid without saying more."""
    return Event(when or timed(), title, **facts)


def row(title: str = "Review", when: When | None = None, *, key: str = "", object_id: str = "o1", **facts: Any) -> Row:
    """The row of such an event, as a pull hands it over."""
    return row_of(event(title, when, **facts), recurrence_key=key) | {"object_id": object_id}


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
whens = st.sampled_from(
    (
        timed(),
        timed("2026-11-23 10:00"),
        timed("2026-11-23 09:00", 30, "America/New_York"),
        timed("2026-11-23 09:00", 30, ""),
        When("2026-11-23", "2026-11-24"),
        When("2026-11-23", "2026-11-25"),
    )
)
guests = st.lists(
    st.builds(
        Attendee, st.sampled_from(("a@x.org", "B@x.org", "c@y.org")), response=st.sampled_from(("accepted", "declined"))
    ),
    max_size=2,
    unique_by=lambda guest: guest.key,
).map(tuple)
events = st.builds(
    Event,
    whens,
    texts,
    texts,
    texts,
    st.sampled_from(("confirmed", "tentative")),
    st.sampled_from(("busy", "free", "away")),
    st.sampled_from(("default", "public", "private")),
    st.sampled_from(((), ("RRULE:FREQ=DAILY",), ("RRULE:FREQ=WEEKLY;BYDAY=MO", "EXDATE:20261130T080000Z"))),
    guests,
)

"""Dates and times of the event forms into the times of an event, and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from ..domain.when import When, zone_of
from ..errors import Refused
from ..services.views import Details

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Times:
    """What the fields of a form say: naive readings of the clock in `zone`. The last day is part of it."""

    first: date
    last: date
    start: time | None
    end: time | None
    zone: str

    @property
    def all_day(self) -> bool:
        """Return whether there are no times."""
        return self.start is None

    def when(self) -> When:
        """Return the times of an event.

        :raises Refused: it ends before it begins.
        """
        if self.start is None:
            if self.last < self.first:
                raise Refused("It ends before it begins.", reason="times")
            return When.days(self.first, self.last + _DAY)
        begin = datetime.combine(self.first, self.start)
        end = datetime.combine(self.last, self.end) if self.end else begin + _HOUR
        if end < begin:
            raise Refused("It ends before it begins.", reason="times")
        return When(_wall(begin), _wall(end), self.zone, self.zone)

    def fields(self) -> dict[str, Any]:
        """Return the values for a form."""
        return {"first": self.first, "last": self.last, "start": self.start, "end": self.end, "all_day": self.all_day}


def _wall(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def times_of(details: Details, zone: str) -> Times:
    """Return when an event, or the occurrence that is shown, is, in the zone it is written in."""
    item, there = details.item, details.zone or zone
    if item.start is None or item.end is None:
        return Times(item.first, item.last, None, None, "")
    begin, end = (moment.astimezone(zone_of(there)) for moment in (item.start, item.end))
    return Times(begin.date(), end.date(), begin.time(), end.time(), there)


def times_in(form: Any, zone: str, *, all_day: bool) -> Times:
    """Return what somebody typed; a field left empty is the same day, or an hour.

    :raises Refused: a time is missing.
    """
    first = form.first.data
    if all_day:
        return Times(first, form.last.data or first, None, None, "")
    if form.start.data is None:
        raise Refused("Say at what time it begins, or tick All day.", reason="times")
    if form.end.data is None:
        begin = datetime.combine(first, form.start.data)
        last = form.last.data or (begin + _HOUR).date()
        return Times(first, last, form.start.data, (begin + _HOUR).time(), zone)
    return Times(first, form.last.data or first, form.start.data, form.end.data, zone)


def shifted(master: Times, shown: Times, wanted: Times) -> Times:
    """Return the whole series' times after one of its occurrences was given others: moved as far, and as long."""
    first = master.first + (wanted.first - shown.first)
    if wanted.start is None or wanted.end is None:
        return Times(first, first + (wanted.last - wanted.first), None, None, "")
    begin = datetime.combine(first, wanted.start)
    length = datetime.combine(wanted.last, wanted.end) - datetime.combine(wanted.first, wanted.start)
    end = begin + length
    return Times(first, end.date(), wanted.start, end.time(), wanted.zone)

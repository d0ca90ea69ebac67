"""Occurrences of a series as events of their own: `<master id>_20261123T080000Z`.

Source: guide "Recurring events" and discovery document, Event.recurringEventId and Event.originalStartTime. An
untouched occurrence is not stored; once changed or cancelled it is stored as an exception, its original start kept.
"""

from __future__ import annotations

import re

from . import times
from .calendars import Body, Calendar, Item
from .recurrence import Start

_ID = re.compile(r"(?P<master>.+)_(?P<key>\d{8}(?:T\d{6}Z)?)")


def body_of(master: Item, start: Start, calendar: Calendar) -> Body:
    """Return the untouched occurrence of a master at one of its starts."""
    key, seconds, day = start
    body = {name: value for name, value in master.body.items() if name != "recurrence"}
    first, last = times.shifted(master.body, day if day is not None else seconds, calendar.time_zone)
    body |= {"id": f"{master.id}_{key}", "recurringEventId": master.id, "originalStartTime": first}
    body |= {"start": first, "end": last}
    return body


def find(calendar: Calendar, event_id: str) -> Body | None:
    """Return the untouched occurrence that an id names, or None where there is no such thing."""
    match = _ID.fullmatch(event_id)
    master = calendar.items.get(match["master"]) if match else None
    if match is None or master is None or not master.master or master.cancelled:
        return None
    start = master.series.find(match["key"])
    return body_of(master, start, calendar) if start else None


def expand(calendar: Calendar, master: Item, lo: float, hi: float) -> list[Body]:
    """Return the occurrences of a series that touch `(lo, hi)`, exceptions in their place, cancelled ones included."""
    changed = {item.id: item for item in calendar.exceptions(master.id)}
    found = [item.body for item in changed.values() if item.cancelled or item.touches(lo, hi)]
    for start in master.starts(lo, hi):
        if f"{master.id}_{start[0]}" not in changed:
            found.append(body_of(master, start, calendar))
    return found


def stray(calendar: Calendar, master: Item) -> list[Item]:
    """Return the exceptions whose original start is no longer one of the series'."""
    keys = ((item, item.id.rpartition("_")[2]) for item in calendar.exceptions(master.id))
    return [item for item, key in keys if master.series.find(key) is None]

"""The story of one exported calendar: what is in the file is in the host, occurrence for occurrence, over two years."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from . import Step, appointments, marketplace, syncing
from .calendar import MIRA, days, until_in_step
from .cast import Cast, true

ZONE = ZoneInfo("Europe/Berlin")
TWO_YEARS, DAY = timedelta(days=730), timedelta(days=1)
PATIENCE = 180.0
#: Title, first day, last day, and for what has times: start and end on the clock.
Seen = tuple[str, date, date, str, str]
#: A reading that took the event in part: its times are compared unless they are the part that is missing.
KEPT = "the event was kept"
ABOUT_TIME = re.compile(r"repe|zone|time|start|end\b|date", re.IGNORECASE)
#: No alarm is compared, and the other reader gives up over one it cannot read.
_ALARM = re.compile(rb"BEGIN:VALARM\r?\n.*?END:VALARM\r?\n", re.DOTALL)
_PARTS = re.compile(rb"^(BEGIN:(VEVENT|VTIMEZONE)\r?\n.*?^END:\2)\r?$", re.DOTALL | re.MULTILINE)
_EVENT_ID = re.compile(r"cx-e-(?P<event>.+)-(?P<day>\d{4}-\d\d-\d\d)\Z")


def main(cast: Cast) -> list[Step]:
    """Return the steps: install, activate, connect, and compare two years of the file with the Calendar page."""
    acts = {
        "installed": marketplace.install,
        "activated": marketplace.activate,
        "tab_after_new_login": marketplace.menu_after_new_login,
        "tab_visible": marketplace.tab_is_visible,
        "agenda_emptied": _empty,
        "connected": syncing.connect,
        "first_sync_complete": _read,
        "first_sync_notified_nobody": syncing.notified_nobody,
        "host_equals_file": _equal,
    }
    return [Step(name, partial(act, cast), name != "first_sync_notified_nobody") for name, act in acts.items()]


def _empty(cast: Cast) -> str:
    """Cancel what Mira has in the host, so that only the file is on her Calendar page."""
    links = [link.get("href") for link in cast.mira.get("/appointments/").find("//main//li/a")]
    for link in links:
        appointments.cancel(cast, link)
    return f"{len(links)} appointments of the demo cancelled"


def _read(cast: Cast) -> str:
    tab = until_in_step(cast, MIRA, PATIENCE)
    syncing.count_events(cast, tab)
    refused = "; ".join(f"{name}: {reason}" for name, reason in cast.demo.standin.refused)
    return f"{cast.notes['pulled']} events" + (f"; not understood: {refused}" if refused else "")


def _equal(cast: Cast) -> str:
    """Older and later events follow the first weeks in the background, so the comparison is asked until it holds."""
    first, wanted, unread = _in_file(cast)
    true(wanted or unread, "the file has no events to compare")
    ends = time.monotonic() + PATIENCE
    while (found := _without(unread, _in_host(cast, first))) != wanted and time.monotonic() < ends:
        time.sleep(3)
    missing, extra = wanted - found, found - wanted
    true(not missing and not extra, f"missing {_some(missing)}; too many {_some(extra)}")
    beside = f"; {len(unread)} titles not compared, named above" if unread else ""
    return f"{wanted.total()} occurrences from {first} to {first + TWO_YEARS}, all equal{beside}"


def _without(unread: set[str], seen: Counter[Seen]) -> Counter[Seen]:
    return Counter({one: count for one, count in seen.items() if one[0] not in unread})


def _some(seen: Counter[Seen]) -> str:
    shown = "; ".join(" ".join(map(str, one)) for one in list(seen)[:3])
    return f"{seen.total()} ({shown})" if shown else "0"


# ── What is in the file, by a reader of its own ────────────────────────────────────────────────────────────────


def _in_file(cast: Cast) -> tuple[date, Counter[Seen], set[str]]:
    """Return the first day of the two years with the most in them, what is in those, and titles not to be compared."""
    import recurring_ical_events

    calendar = _calendar(_ALARM.sub(b"", Path(str(cast.file)).read_bytes()))
    events = [event for event in calendar.walk("VEVENT") if "DTSTART" in event]
    for event in events:
        # Some products write both; RFC 5545 section 3.6.1 allows one, and the end is what people see.
        if "DTEND" in event:
            event.pop("DURATION", None)
    unread = _unread(cast, events)
    # A rule that was refused would keep the other reader busy for ever.
    calendar.subcomponents = [p for p in calendar.subcomponents if p.name != "VEVENT" or _title(p) not in unread]
    query = recurring_ical_events.of(calendar, skip_bad_series=True)
    starts = [_local(event.start) for event in events]
    candidates = {datetime.now(ZONE) - TWO_YEARS / 2, *(start - timedelta(days=1) for start in starts)}
    found = {first.date(): _without(unread, _counted(query, first.date())) for first in _spread(candidates)}
    best = max(found, key=lambda first: found[first].total())
    return best, found[best], unread


def _unread(cast: Cast, events: list[Any]) -> set[str]:
    """Return every title of the series and events that were not understood as they are written."""
    named = {
        name for name, reason in cast.demo.standin.refused if not reason.endswith(KEPT) or ABOUT_TIME.search(reason)
    }
    series = {str(event.get("UID")) for event in events if {_title(event), str(event.get("UID"))} & named}
    return {_title(event) for event in events if str(event.get("UID")) in series}


def _calendar(text: bytes) -> Any:
    """Return what the other reader understands. It gives up on a whole file for one bad part; then part by part."""
    from icalendar import Calendar

    try:
        calendar = Calendar.from_ical(text)
    except ValueError:
        calendar = Calendar()
        for part in _PARTS.findall(text):
            with suppress(ValueError):
                calendar.add_component(Calendar.from_ical(part[0]))
    calendar.subcomponents = [part for part in calendar.subcomponents if part.name != "VEVENT" or _has_times(part)]
    return calendar


def _has_times(event: Any) -> bool:
    """Return whether the reader of its own understands when an event is; what it does not cannot be compared."""
    try:
        return bool(event.start and event.end)
    except ValueError:
        return False


def _spread(candidates: Iterable[datetime]) -> list[datetime]:
    """Return at most eight of them, the earliest and the latest included."""
    ordered = sorted(candidates)
    return ordered if len(ordered) <= 8 else [*ordered[:: len(ordered) // 7], ordered[-1]]


def _counted(query: Any, first: date) -> Counter[Seen]:
    last = first + TWO_YEARS
    events = [event for event in query.between(first, last) if str(event.get("STATUS", "")).upper() != "CANCELLED"]
    seen = (_of_event(event) for event in events if first <= _local(event.start).date() < last)
    # What goes on after the two years is compared as far as they go.
    return Counter((title, begins, min(ends, last - DAY), *times) for title, begins, ends, *times in seen)


def _title(event: Any) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split()) or "(no title)"


def _local(moment: date | datetime) -> datetime:
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=ZONE)
    return moment.replace(tzinfo=ZONE) if moment.tzinfo is None else moment.astimezone(ZONE)


def _of_event(event: Any) -> Seen:
    title = _title(event)
    start, end = _local(event.start), _local(event.end)
    if not isinstance(event.start, datetime):
        last = max(start.date(), end.date() - timedelta(days=1))
        return title, start.date(), last, "", ""
    last = max(start, end.astimezone(UTC).astimezone(ZONE) - timedelta(seconds=1)).date()
    return title, start.date(), last, f"{start:%H:%M}", f"{end:%H:%M}"


# ── What is in the host, as the Calendar page lists it ─────────────────────────────────────────────────────────


def _in_host(cast: Cast, first: date) -> Counter[Seen]:
    """Return what begins within the two years: an event of several days stands under each of them."""
    found: dict[str, list[tuple[date, Any]]] = {}
    for day, name, link in _links(cast, first, first + TWO_YEARS):
        found.setdefault(name, []).append((day, link))
    before = {name for _, name, _ in _links(cast, first - timedelta(days=1), first)}
    return Counter(_of_links(links) for name, links in found.items() if name not in before)


def _links(cast: Cast, first: date, last: date) -> Iterator[tuple[date, str, Any]]:
    day = first
    while day < last:
        page = days(cast.mira, day)
        true(not page.has("There are more events than fit here"), f"a page from {day} on holds too much")
        for link in page.find("//a[contains(@class,'cx-event')]"):
            named = _EVENT_ID.match(link.get("id"))
            stands = date.fromisoformat(named["day"]) if named else day
            if named and stands < last:
                yield stands, named["event"], link
        day += timedelta(days=LIST_DAYS)


#: Days the list view of the Calendar page holds (`Limits.list_days`).
LIST_DAYS = 42


def _of_links(links: list[tuple[date, Any]]) -> Seen:
    listed = sorted({day for day, _ in links})
    link = links[0][1]
    title = " ".join(link.xpath("string(.//*[contains(@class,'cx-event-title')])").split())
    times = link.findtext(".//time") or ""
    if "–" not in times:
        return title, listed[0], listed[-1], "", ""
    start, end = (_clock(part) for part in times.split("–"))
    return title, listed[0], listed[-1], start, end


def _clock(text: str) -> str:
    """Return a time of the page, in 12 or 24 hours, as HH:MM."""
    plain = text.replace("\u202f", " ").replace("\xa0", " ").strip()
    return datetime.strptime(plain, "%I:%M %p" if plain[-1:] == "M" else "%H:%M").strftime("%H:%M")

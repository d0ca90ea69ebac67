"""How times and guests read on a page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo


def clock(moment: datetime | int | None, zone: str = "Europe/Amsterdam") -> str:
    """Return `Fri 20 Nov 2026, 13:00` in a zone, of an aware datetime or UTC seconds."""
    if moment is None:
        return ""
    at = datetime.fromtimestamp(moment, UTC) if isinstance(moment, int) else moment
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def span(planned: Any) -> str:
    """Return when an appointment or activity is, in its own zone; '' without a time."""
    if planned.starts_at is None:
        return ""
    if planned.all_day:
        first, last = planned.starts_at.date(), planned.last_day
        return _day(first) if last in (None, first) else f"{_day(first)} – {_day(last)}"
    start, end = planned.starts_at, planned.ends_at
    if end is None:
        return clock(start, planned.zone)
    same_day = start.astimezone(ZoneInfo(planned.zone)).date() == end.astimezone(ZoneInfo(planned.zone)).date()
    until = f"{end.astimezone(ZoneInfo(planned.zone)):%H:%M}" if same_day else clock(end, planned.zone)
    return f"{clock(start, planned.zone)} – {until}"


def _day(day: Any) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def guest_list(guests: list[dict[str, Any]]) -> str:
    """Return guests as the form reads them: one per line, with a name where there is one."""
    return "\n".join(f"{g['name']} <{g['email']}>" if g.get("name") else g["email"] for g in guests)

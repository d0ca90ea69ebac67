"""What Mira does in the host itself: its own forms, nothing of Calendar."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..browser import Page
from .cast import Cast, true

ZONE = "Europe/Amsterdam"


def clock(moment: datetime) -> str:
    """Return what is typed into a date and time field."""
    return moment.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%dT%H:%M")


def make(cast: Cast, title: str, start: datetime, end: datetime, **more: Any) -> str:
    """Save a new appointment; return its address."""
    form = cast.mira.get("/appointments/new")
    page = form.press("Save", title=title, starts=clock(start), ends=clock(end), zone=ZONE, **more)
    return saved(page)


def change(cast: Cast, address: str, **fields: Any) -> str:
    """Save other values; return its address."""
    return saved(cast.mira.get(f"{address}/edit").press("Save", **fields))


def cancel(cast: Cast, address: str) -> None:
    """Cancel it with a reason."""
    page = cast.mira.get(address).press("Cancel the appointment", reason="Postponed")
    true(page.has("The appointment is cancelled"), f"not cancelled: {page.text[:200]}")


def saved(page: Page) -> str:
    """Return the address of what was saved."""
    found = re.search(r"/appointments/\d+$", page.url)
    true(found and page.has("Saved."), f"not saved: {page.text[-300:]}")
    return found.group() if found else ""


def plan(cast: Cast, title: str, start: datetime, end: datetime) -> None:
    """Plan an activity with a time."""
    form = cast.mira.get("/activities/new")
    page = form.press("Save", title=title, starts=clock(start), ends=clock(end), zone=ZONE, contact="Noor Haddad")
    true(page.has("Planned."), f"not planned: {page.text[-300:]}")

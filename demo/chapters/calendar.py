"""What the story sees of Calendar's own pages: the tab, the Calendar page, the sign-in at the provider."""

from __future__ import annotations

from datetime import date
from typing import Any

from ..browser import Browser, Page
from .cast import Cast, true, until

TAB = "/calendar/settings"
PAGE = "/calendar/"
MIRA = "mira@example.test"
JOAN = "joan@example.test"


def sentence(email: str) -> str:
    """Return the status sentence for one address."""
    return f"Your Harbor Agenda is synchronized with {email}"


def days(browser: Browser, first: date | None = None) -> Page:
    """Open the Calendar page as a list, from a day on."""
    return browser.get(f"{PAGE}?view=list" + (f"&d={first.isoformat()}" if first else ""))


def shows(cast: Cast, title: str, first: date | None = None) -> bool:
    """Return whether Mira's Calendar page shows an event of that title."""
    return days(cast.mira, first).has(title)


def until_shown(cast: Cast, title: str, first: date | None = None, patience: float = 60.0) -> None:
    """Wait, with the page open, until an event is on it."""
    until(lambda: shows(cast, title, first), f"“{title}” is not on the Calendar page", patience)


def until_gone(cast: Cast, title: str, first: date | None = None) -> None:
    """Wait, with the page open, until an event is no longer on it."""
    until(lambda: not shows(cast, title, first), f"“{title}” is still on the Calendar page")


def until_in_step(cast: Cast, email: str, patience: float = 60.0) -> Page:
    """Wait until the tab says the status sentence; return the tab."""
    said = cast.mira.get(TAB)

    def true_now() -> bool:
        nonlocal said
        said = cast.mira.get(TAB)
        return said.has(sentence(email))

    try:
        until(true_now, "", patience)
    except AssertionError:
        hero = " ".join(" ".join(said.find("//*[@id='cx-sentence']//text()")).split())
        true(False, f"the tab does not say that {email} is synchronized but: {hero or said.text[:200]}")
    return said


def sync_now(cast: Cast) -> None:
    """Press Sync now on the tab."""
    cast.mira.get(TAB).press("Sync now")


def sign_in_at_google(page: Page, email: str) -> Page:
    """Go through the provider's chooser, password and consent; return the page of ours that follows."""
    return page.press(email).press("Next").press("Continue")


def events_at_google(cast: Cast, title: str, calendar: str = MIRA) -> list[dict[str, Any]]:
    """Return the live events of that title in a calendar at the provider."""
    found = cast.google("dump")["calendars"][calendar]
    return [event for event in found if event.get("summary") == title and event.get("status") != "cancelled"]


def at_google(cast: Cast, title: str, calendar: str = MIRA) -> dict[str, Any] | None:
    """Return the one live event of that title in a calendar at the provider, or None."""
    found = events_at_google(cast, title, calendar)
    true(len(found) < 2, f"“{title}” is there {len(found)} times at the provider")
    return found[0] if found else None


def until_at_google(cast: Cast, title: str, calendar: str = MIRA) -> dict[str, Any]:
    """Wait until an event is at the provider, and return it."""
    return until(lambda: at_google(cast, title, calendar), f"“{title}” did not arrive at the provider")

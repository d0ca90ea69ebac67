"""Who takes part in the story, and what they can do with one hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from ..browser import Browser, Page
from ..host import seed
from ..run import Demo

Seen = TypeVar("Seen")

#: What each check may take; the background job alone decides how long that is.
PATIENCE = 60.0


class Untrue(AssertionError):
    """Something the story says did not happen; the message says what was seen instead."""


def true(condition: object, otherwise: str) -> None:
    """Go on if the condition holds.

    :raises Untrue: it does not.
    """
    if not condition:
        raise Untrue(otherwise)


def until(seen: Callable[[], Seen], otherwise: str, patience: float = PATIENCE) -> Seen:
    """Ask again and again until the answer is true, and return it.

    :raises Untrue: it never was.
    """
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        if answer := seen():
            return answer
        time.sleep(0.25)
    raise Untrue(f"{otherwise} ({patience:.0f} s)")


@dataclass
class Cast:
    """Ada administers, Mira connects her calendar; Google is Mira acting on her own calendar there."""

    demo: Demo
    #: The exported calendar the story is about, if it is about one.
    file: str | None = None
    ada: Browser = field(init=False)
    mira: Browser = field(init=False)
    joan: Browser = field(init=False)
    #: What later steps need of earlier ones: ids, addresses, counts.
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ada, self.mira, self.joan = (Browser(self.demo.base_url) for _ in range(3))

    def sign_in(self, browser: Browser, name: str) -> Page:
        """Sign somebody in to the host."""
        page = browser.get("/login").press("Sign in", email=f"{name}@harbor.example", password=seed.PASSWORD)
        true("/login" not in page.url, f"{name} could not sign in: {page.text[:200]}")
        return page

    def google(self, act: str, **facts: Any) -> Any:
        """Act at the provider: as the calendar's owner, or on the stand-in itself."""
        if act == "reset_stats":
            self._count()
        return self.demo.standin.control(act, **facts)

    def _count(self) -> None:
        seen = self.demo.standin.control("stats")
        for name, number in (("requests", seen["requests"]), ("pushed", seen["writes"])):
            self.notes[name] = self.notes.get(name, 0) + number

    def counts(self) -> dict[str, Any]:
        """Return what the story took: events brought in, changes sent, requests to the provider."""
        self._count()
        return {name: self.notes.get(name, 0) for name in ("pulled", "pushed", "requests")}


def in_hours(hours: float) -> datetime:
    """Return a full hour that many hours from now, in UTC."""
    return (datetime.now(UTC) + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)

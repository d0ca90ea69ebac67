"""Chromium, watched: whatever a page complains about, or a server breaks down over, is kept as trouble."""

from __future__ import annotations

import shutil
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, WebError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20_000


def executable() -> str | None:
    """Return where this machine's Chromium is, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Windows:
    """The windows of one test, each person's cookies apart, and what went wrong in any of them."""

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []
        self.troubles: list[str] = []

    def open(self, *, scripts: bool = True, width: int = 1280, cookies: Any = ()) -> Page:
        """Open a window of a new person, or with the cookies of somebody who is signed in."""
        viewport: Any = {"width": width, "height": 900}
        context = self._chromium.new_context(java_script_enabled=scripts, viewport=viewport, locale="en-GB")
        context.set_default_timeout(PATIENCE)
        context.on("console", self._heard)
        context.on("weberror", self._broke)
        context.on("response", self._answered)
        context.add_cookies([{"name": one.name, "value": one.value, "url": f"http://{one.domain}"} for one in cookies])
        self._contexts.append(context)
        return context.new_page()

    def close(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.troubles.append(f"console: {message.text} ({message.location.get('url')})")

    def _broke(self, error: WebError) -> None:
        self.troubles.append(f"page: {error.error}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.troubles.append(f"{response.status} of {response.request.method} {response.url}")

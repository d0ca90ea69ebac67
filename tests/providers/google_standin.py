"""A Google to test against: the stand-in, an account opened in it, and its owner's hand."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import replace

from calendar_ext.domain.model import Event
from calendar_ext.limits import Limits
from calendar_ext.providers.google import GoogleEndpoints
from calendar_ext.providers.google.api import GoogleProvider
from calendar_ext.providers.google.writing import insert_body, patch_body
from demo.standins.google import Standin
from demo.standins.transport import StandinTransport

from ..contracts.provider import PAGE
from .loopback import Tokens

ENDPOINTS = GoogleEndpoints.at("https://google.standin.invalid")
MIRA = "mira@example.test"
NOW = 1_795_000_000.0
LIMITS = replace(Limits(), page_rows=PAGE)


def transport_to(standin: Standin, limits: Limits = LIMITS) -> StandinTransport:
    """Return a transport that reaches the stand-in."""
    return StandinTransport({"google": standin.base_url}, limits=limits)


def opened(standin: Standin, transport: StandinTransport | None = None, tokens: Tokens | None = None) -> GoogleProvider:
    """Return the seeded account, opened with every scope."""
    transport = transport or transport_to(standin)
    tokens = tokens or Tokens(standin.token())
    return GoogleProvider(transport, ENDPOINTS.api, tokens, now=lambda: NOW, free_busy=True)


def emptied(standin: Standin) -> None:
    """Take every event out of the seeded account's calendar, as if there had never been any."""
    with standin.state.lock:
        calendar = standin.state.calendar(MIRA)
        calendar.items.clear()
        calendar.order.clear()
        calendar.log.clear()


class GoogleOwner:
    """The owner's hand in the stand-in."""

    calendar_id = MIRA

    def __init__(self, standin: Standin) -> None:
        self.standin, self.state = standin, standin.state
        self.read_only_id = next(
            name for name, entry in self.state.account(MIRA).entries.items() if entry.role == "reader"
        )
        self._numbers = itertools.count()

    def create(self, event: Event) -> str:
        return str(self.state.create(MIRA, insert_body(event, f"there{next(self._numbers):05d}"))["id"])

    def edit(self, remote_id: str, event: Event, fields: Collection[str]) -> None:
        self.state.patch(MIRA, remote_id, patch_body(event, fields))

    def delete(self, remote_id: str) -> None:
        self.state.delete(MIRA, remote_id)

    def edit_occurrence(self, remote_id: str, key: str, event: Event, fields: Collection[str]) -> None:
        self.edit(f"{remote_id}_{key}", event, fields)

    def cancel_occurrence(self, remote_id: str, key: str) -> None:
        self.delete(f"{remote_id}_{key}")

    def decorate(self, remote_id: str) -> None:
        reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 7}]}
        self.state.patch(MIRA, remote_id, {"colorId": "7", "reminders": reminders})

    def decorated(self, remote_id: str) -> bool:
        item = self.state.get(MIRA, remote_id) or {}
        return item.get("colorId") == "7" and item["reminders"]["overrides"][0]["minutes"] == 7

    def titles(self) -> list[str]:
        return sorted(item["summary"] for item in self.state.events(MIRA))

    def forget_cursors(self) -> None:
        self.standin.control("expire_sync_tokens")

    def mails(self) -> int:
        return len(self.state.mails)

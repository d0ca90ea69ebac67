"""The real extension in the reference host, connected to a stand-in, with nothing running by itself."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calendar_ext.providers.base import Grant, Token
from calendar_ext.services.welcoming import welcome
from demo import state
from demo.host import create_app
from demo.standins.transport import StandinTransport

#: A colleague with two appointments of her own, and one with none.
ADMIN, MEMBER, NEWCOMER = "1", "2", "3"
CLIENT = {"CALENDAR_EXT_GOOGLE_CLIENT_ID": "demo-client", "CALENDAR_EXT_GOOGLE_CLIENT_SECRET": "demo-secret"}


@dataclass(frozen=True, slots=True)
class Installed:
    """An active extension with its connected accounts."""

    app: Any
    parts: Any
    accounts: tuple[int, ...]

    def run(self, *accounts: int) -> None:
        """Run these accounts, by default every one, until its first synchronization, or what else is due, is through.

        :raises RuntimeError: one ended in an error.
        """
        for account in accounts or self.accounts:
            ran = True
            while ran:
                outcome = self.parts.runner.run_one(account, budget_seconds=3_600)
                ran = outcome.ran
                if outcome.error:
                    raise RuntimeError(outcome.error)

    def due(self) -> None:
        """Let every account's time have come, as it comes by itself every few minutes."""
        with self.parts.store.write() as unit:
            unit.connection.exec_driver_sql("UPDATE calendar_ext_sync_state SET next_at = 0")

    def poll(self) -> int:
        """Run what is due, as the tick does; return how many accounts that were."""
        return self.parts.runner.run_due(limit=len(self.accounts))

    def events(self) -> int:
        """Return how many events are stored."""
        with self.parts.store.read() as unit:
            return unit.connection.exec_driver_sql("SELECT count(*) FROM calendar_ext_event").scalar_one()


def connected(
    base_url: str, *tokens: str, database: str | None = None, person: str = MEMBER, **config: Any
) -> Installed:
    """Return the extension installed, activated and connected, one account for each access token in hand."""
    os.environ["CALENDAR_EXT_ALLOW_STANDINS"] = "1"
    home = Path(tempfile.mkdtemp(prefix="calendar-ext-bench-"))
    settings = state.settings(home, "http://127.0.0.1:5000", database) | CLIENT | {"CALENDAR_EXT_SCHEDULER": "off"}
    app = create_app(settings | config, transport=StandinTransport({"google": base_url}))
    parts = app.extensions["calendar_ext"]
    with app.app_context():
        _require(parts.lifecycle.install(actor_id=ADMIN, accepted_permissions=_permissions(app)))
        _require(parts.lifecycle.activate(actor_id=ADMIN, options={}))
        parts.activation.is_active()
        accounts = [_welcome(parts, number, token, person) for number, token in enumerate(tokens)]
    return Installed(app, parts, tuple(accounts))


def _welcome(parts: Any, number: int, token: str, person: str) -> int:
    scopes = ("openid", "email", f"{SCOPE}calendar.calendarlist.readonly", f"{SCOPE}calendar.events")
    fresh = Token(access=token, refresh="unused", expires_at=int(time.time()) + 3_600, scopes=scopes)
    grant = Grant("https://accounts.google.com", f"benchmark-{number}", f"person-{number}@example.test", fresh)
    kind = parts.providers.get("google")
    return welcome(parts.store, parts.grants, kind, parts.host.profile(person), grant).account.id


SCOPE = "https://www.googleapis.com/auth/"


def _permissions(app: Any) -> list[str]:
    manifest = app.extensions["harbor"].extensions["calendar_ext"].manifest
    return [request["id"] for request in manifest["permissions"]["requests"]]


def _require(result: Any) -> None:
    if not result.ok:
        raise RuntimeError(result.message)

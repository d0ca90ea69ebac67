"""The stand-ins as the demo starts them: where each answers, what the host needs to know, how its owner acts on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from .standins import google
from .standins.transport import StandinTransport


@dataclass
class Standin:
    """A running stand-in.

    :param settings: the host's configuration for this provider.
    :param accounts: whose calendars it has, for the person at the keyboard.
    :param control: does what `POST /_control/<name>` does: `control("create", item={…})`.
    :param grants: how many sign-ins are alive there.
    :param refused: what of the imported file could not be understood: (name, reason).
    """

    name: str
    base_url: str
    transport: Any
    settings: dict[str, Any]
    accounts: str
    control: Callable[..., Any]
    grants: Callable[[], int]
    refused: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def _google(ics: str | None) -> Iterator[Standin]:
    with google.serve(ics=ics) as server:
        yield Standin(
            name="Google (stand-in)",
            base_url=server.base_url,
            transport=StandinTransport({"google": server.base_url}),
            settings={
                "CALENDAR_EXT_GOOGLE_CLIENT_ID": "demo-client",
                "CALENDAR_EXT_GOOGLE_CLIENT_SECRET": "demo-secret",
            },
            accounts="mira@example.test and joan@example.test; any password will do",
            control=server.control,
            grants=lambda: sum(not grant.ended for grant in server.state.grants),
            refused=[(entry["name"], entry["reason"]) for entry in server.control("refused")["refused"]],
        )


STANDINS: dict[str, Callable[[str | None], AbstractContextManager[Standin]]] = {"google": _google}

"""Which mails would go out, counted instead of sent.

Source: discovery document, parameter sendUpdates: `all` guests, `externalOnly` those without a Google calendar, `none`
(the default); the deprecated sendNotifications=true means `all`. The organizer gets none of his own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .calendars import Body

if TYPE_CHECKING:
    from .state import State


@dataclass(frozen=True)
class Mail:
    """A mail that Google would have sent. `kind`: invitation, update, cancellation or response."""

    kind: str
    to: str
    event_id: str
    title: str
    at: str


def announce(state: State, before: Body | None, after: Body | None, mode: str) -> None:
    """Count the mails of one change; `before` None is a new event, `after` None a deleted one."""
    if mode not in ("all", "externalOnly"):
        return
    old, new = _guests(before), _guests(after)
    for email in old | new:
        if mode == "externalOnly" and email in state.accounts:
            continue
        kind = "invitation" if email not in old else "cancellation" if email not in new else "update"
        _send(state, kind, email, after or before or {})


def answered(state: State, body: Body, mode: str) -> None:
    """Count the mail that tells an organizer of a guest's answer."""
    organizer = body.get("organizer", {}).get("email", "")
    if mode == "all" or (mode == "externalOnly" and organizer not in state.accounts):
        _send(state, "response", organizer, body)


def _guests(body: Body | None) -> set[str]:
    if body is None or body.get("status") == "cancelled":
        return set()
    organizer = body.get("organizer", {}).get("email")
    return {each["email"] for each in body.get("attendees", []) if each["email"] != organizer}


def _send(state: State, kind: str, to: str, body: Body) -> None:
    state.mails.append(Mail(kind, to, body.get("id", ""), body.get("summary", ""), state.stamp()))

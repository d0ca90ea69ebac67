"""Push channels: watching a calendar, and the empty POST that says something changed.

Source: guide "Push notifications" (developers.google.com/workspace/calendar/api/guides/push): headers X-Goog-*, first
message `sync`, default life 604800 s, at most one second's worth of changes told at once. Only loopback addresses are
called; others are kept and never rung.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests

from . import tokens
from .errors import ApiError, invalid, required

if TYPE_CHECKING:
    from .accounts import Account
    from .calendars import Calendar
    from .state import State

_DEFAULT_LIFE = 604_800


@dataclass
class Channel:
    """One registration. `numbers` counts its messages; `dropping` of the next ones are lost on the way."""

    id: str
    address: str
    token: str
    account: Account
    calendar: Calendar
    resource_id: str
    resource_uri: str
    expires_at: float
    numbers: int = 0
    dropping: int = 0
    statuses: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the channel as the watch call answers."""
        token = {"token": self.token} if self.token else {}
        return {
            "kind": "api#channel",
            "id": self.id,
            "resourceId": self.resource_id,
            "resourceUri": self.resource_uri,
            **token,
            "expiration": str(int(self.expires_at * 1000)),
        }


def watch(state: State, account: Account, calendar: Calendar, body: Any) -> dict[str, Any]:
    """Register a channel and send its `sync` message.

    :raises ApiError: 400 for what is missing or wrong, for an address that is not https, and for an id in use.
    """
    if not isinstance(body, dict) or not body.get("id") or not body.get("address"):
        raise required("Required")
    if body.get("type") not in ("web_hook", "webhook") or len(body["id"]) > 64 or len(body.get("token", "")) > 256:
        raise invalid("Bad Request")
    address = urlsplit(body["address"])
    if address.scheme != "https" and not _is_loopback(body["address"]):
        message = "WebHook callback must be HTTPS: " + body["address"]
        raise ApiError(400, "push.webhookUrlNotHttps", message)
    if body["id"] in state.channels:
        raise ApiError(400, "channelIdNotUnique", f"Channel id {body['id']} not unique")
    life = float((body.get("params") or {}).get("ttl", _DEFAULT_LIFE))
    ends = min(float(body.get("expiration") or "inf") / 1000, state.now() + min(life, 30 * 86_400))
    uri = f"https://www.googleapis.com/calendar/v3/calendars/{quote(calendar.id)}/events?alt=json"
    resource = tokens.digest(calendar.id)
    channel = Channel(body["id"], body["address"], body.get("token", ""), account, calendar, resource, uri, ends)
    state.channels[channel.id] = channel
    _send(state, channel, "sync")
    return channel.as_json()


def stop(state: State, account: Account, body: Any) -> None:
    """End a channel (channels.stop).

    :raises ApiError: 404 for one that is not there, or not theirs.
    """
    channel = state.channels.get(body.get("id", "")) if isinstance(body, dict) else None
    if channel is None or channel.resource_id != body.get("resourceId") or channel.account is not account:
        raise ApiError(404, "notFound", f"Channel '{(body or {}).get('id')}' not found for project")
    del state.channels[channel.id]


def ring(state: State, calendar: Calendar) -> None:
    """Tell every live channel of a calendar that something changed."""
    for channel in list(state.channels.values()):
        if channel.expires_at <= state.now():
            del state.channels[channel.id]
        elif channel.calendar is calendar:
            _send(state, channel, "exists")


def _send(state: State, channel: Channel, what: str) -> None:
    channel.numbers += 1
    if channel.dropping:
        channel.dropping -= 1
        return
    if not _is_loopback(channel.address):
        return
    headers = {
        "User-Agent": "APIs-Google",
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Expiration": formatdate(channel.expires_at, usegmt=True),
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-URI": channel.resource_uri,
        "X-Goog-Resource-State": what,
        "X-Goog-Message-Number": str(channel.numbers),
    }
    if channel.token:
        headers["X-Goog-Channel-Token"] = channel.token
    threading.Thread(target=_post, args=(channel, headers), name="standin-push", daemon=True).start()


def _post(channel: Channel, headers: dict[str, str]) -> None:
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(channel.address, headers=headers, timeout=5, allow_redirects=False)
            channel.statuses.append(answer.status_code)
        except requests.RequestException:
            channel.statuses.append(0)


def _is_loopback(address: str) -> bool:
    return urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")

"""`/_control/<name>`: trouble, time, and the owner's hand, as JSON over POST. Only for tests and the demo.

Each function is one control; its keyword arguments are the members of the JSON body. `Standin.control` calls the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import orjson
from flask import Blueprint, Response, request

from . import faults, lists, oauth, seeding
from .api import state as current_state
from .calendars import Body
from .errors import ApiError, not_imitated
from .state import State

blueprint = Blueprint("control", __name__, url_prefix="/_control")

Control = Callable[..., Any]
CONTROLS: dict[str, Control] = {}


def control(function: Control) -> Control:
    """Register a function as a control of the same name."""
    CONTROLS[function.__name__] = function
    return function


def perform(state: State, name: str, facts: dict[str, Any]) -> Any:
    """Carry out one control and return what it says, as JSON.

    :raises ApiError: 501 for a control that does not exist, 400 for arguments it does not take.
    """
    function = CONTROLS.get(name)
    if function is None:
        raise not_imitated(f"the control {name}")
    try:
        inspect.signature(function).bind(state, **facts)
    except TypeError as error:
        raise ApiError(400, "invalid", f"{name}: {error}")
    try:
        with state.lock:
            return function(state, **facts)
    except KeyError as error:
        raise ApiError(404, "notFound", f"There is no {error}.")


@blueprint.route("/<name>", methods=["GET", "POST"])
def _control(name: str) -> Response:
    found = perform(current_state(), name, orjson.loads(request.get_data() or b"{}"))
    return Response(orjson.dumps({} if found is None else found), content_type="application/json")


@control
def seed(
    state: State, count: int, calendar: str = "primary", seed: int = 1, series: float = 0.02, days: int = 730
) -> Any:
    """Add `count` invented events to a calendar."""
    return {"added": seeding.many(state, count, calendar=calendar, seed=seed, series=series, days=days)}


@control
def create(state: State, item: Body, calendar: str = "primary", send_updates: str = "none") -> Any:
    """Create an event as the owner."""
    return state.create(calendar, item, send_updates=send_updates)


@control
def patch(state: State, event: str, changes: Body, calendar: str = "primary", send_updates: str = "none") -> Any:
    """Change an event, a series or one occurrence as the owner."""
    return state.patch(calendar, event, changes, send_updates=send_updates)


@control
def delete(state: State, event: str, calendar: str = "primary", send_updates: str = "none") -> None:
    """Delete an event, a series or one occurrence as the owner."""
    state.delete(calendar, event, send_updates=send_updates)


@control
def expire_access_tokens(state: State) -> Any:
    """Let every access token be out of date from now on."""
    for held in state.access.values():
        held.expires_at = min(held.expires_at, state.now())
    return {"expired": len(state.access)}


@control
def revoke_grant(state: State, email: str = "") -> Any:
    """End the grants of a person, as on his page of applications with access."""
    account = state.account(email)
    ended = [grant for grant in state.grants if grant.account is account and not grant.ended]
    for grant in ended:
        oauth.end(grant)
    return {"ended": len(ended)}


@control
def expire_sync_tokens(state: State, calendar: str = "") -> None:
    """Let every sync token of a calendar, or of all, answer 410."""
    for each in [state.calendar(calendar)] if calendar else state.calendars.values():
        each.epoch += 1


@control
def fail(
    state: State,
    times: int = 1,
    status: int = 503,
    reason: str = "",
    matching: str = "",
    retry_after: int | None = None,
) -> None:
    """Refuse the next `times` requests whose method (`events.insert`) or path contains `matching`."""
    state.faults.queue.append(faults.Fault("status", times, matching, status, reason, retry_after))


@control
def lose_answer(state: State, times: int = 1, matching: str = "") -> None:
    """Carry out the next requests and cut the connection instead of answering."""
    state.faults.queue.append(faults.Fault("lost", times, matching))


@control
def cut_answer(state: State, times: int = 1, matching: str = "") -> None:
    """Carry out the next requests and cut the connection in the middle of the answer."""
    state.faults.queue.append(faults.Fault("cut", times, matching))


@control
def drop_request(state: State, times: int = 1, matching: str = "") -> None:
    """Cut the connection of the next requests before anything is done."""
    state.faults.queue.append(faults.Fault("dropped", times, matching))


@control
def latency(state: State, seconds: float) -> None:
    """Let every answer take that much longer; 0 ends it."""
    state.faults.latency = seconds


@control
def quota(state: State, requests: int | None = None, seconds: float = 60.0, reason: str = "rateLimitExceeded") -> None:
    """Allow so many requests per so many seconds; without a number, any."""
    state.faults.quota = None if requests is None else faults.Quota(requests, seconds, reason)


@control
def empty_listing(state: State, times: int = 1) -> None:
    """Answer the next listings with 200 and no events at all."""
    state.faults.empty_listings = times


@control
def half_page(state: State, times: int = 1) -> None:
    """Leave the second half of the events out of the next pages, without a word."""
    state.faults.half_pages = times


@control
def short_page(state: State, times: int = 1) -> None:
    """Give half of what was asked for on the next pages, with a page token for the rest."""
    state.faults.short_pages = times


@control
def clear_faults(state: State) -> None:
    """End every fault, latency and quota."""
    state.faults = faults.Faults()


@control
def clock(state: State, offset: float) -> Any:
    """Set how many seconds this world is ahead of the real clock."""
    state.offset = offset
    return {"now": state.stamp()}


@control
def role(state: State, calendar: str, role: str, email: str = "") -> None:
    """Change what somebody may do in a calendar; an empty role takes it out of his list."""
    account, home = state.account(email), state.calendar(calendar)
    if role:
        seeding.add_entry(state, account, home, role)
        return
    entry = account.entries[home.id]
    account.listed += 1
    entry.deleted, entry.changed, entry.etag = True, account.listed, state.etag()


@control
def add_calendar(state: State, summary: str, role: str = "owner", email: str = "", time_zone: str = "") -> Any:
    """Make a further calendar in somebody's list."""
    account = state.account(email)
    name = f"c_{state.new_id(16)}@group.calendar.google.com"
    home = seeding.Calendar(name, summary, time_zone or account.time_zone, account.email)
    return lists.entry_body(seeding.add_entry(state, account, home, role))


@control
def add_account(state: State, email: str, name: str = "", time_zone: str = seeding.ZONE) -> Any:
    """Make a further account with its primary calendar."""
    account = seeding.add_account(state, email, name or email, time_zone)
    return {"email": account.email, "sub": account.subject}


@control
def empty(state: State, calendar: str = "primary") -> None:
    """Forget everything a calendar ever held, as if it were new; its sync tokens expire."""
    state.calendar(calendar).forget()


@control
def unknown_zones(state: State, names: list[str]) -> None:
    """Answer "Invalid time zone definition" to these IANA names from now on."""
    state.unknown_zones = set(names)


@control
def hold_conferences(state: State, holding: bool = True) -> None:
    """Leave conferences pending until told otherwise."""
    state.holding_conferences = holding


@control
def token(state: State, email: str = "", scopes: list[str] | None = None, expires_in: float = oauth.LIFE) -> Any:
    """Make an access token for an account without a sign-in."""
    return {"access_token": make_token(state, email, scopes, expires_in)}


@control
def stats(state: State) -> Any:
    """Return the counts of requests, writes and mails."""
    return state.statistics.as_json() | {"mails": len(state.mails)}


@control
def mails(state: State) -> Any:
    """Return the mails that would have gone out."""
    return {"mails": [vars(mail) for mail in state.mails]}


@control
def dump(state: State, deleted: bool = False) -> Any:
    """Return every calendar with its events as they are stored, for comparisons."""
    return {"calendars": {name: state.events(name, deleted=deleted) for name in state.calendars}}


@control
def refused(state: State) -> Any:
    """Return what the imported file held and could not be understood."""
    return {"refused": [{"name": name, "reason": reason} for name, reason in state.refused]}


@control
def reset_stats(state: State) -> None:
    """Count requests and mails from nothing again."""
    state.statistics.reset()
    state.mails.clear()


@control
def reset(state: State) -> None:
    """Begin again as a fresh stand-in: tokens, events, faults and counts are gone."""
    state.clear()
    seeding.begin(state)


def make_token(state: State, email: str, scopes: list[str] | None, expires_in: float) -> str:
    """Return a fresh access token of an account; by default for all of its calendars, with the sign-in scopes.

    It belongs to a client of its own, so that the sign-ins of the demo's client stay what they are.
    """
    account, client = state.account(email), state.clients[seeding.DIRECT]
    asked = oauth.spelled(scopes or ["openid", "email", "https://www.googleapis.com/auth/calendar"])
    grant = oauth.grant_of(state, account, client)
    if grant is None:
        grant = oauth.Grant(account, client, list(asked))
        state.grants.append(grant)
    return str(oauth.access(state, grant, tuple(asked), expires_in)["access_token"])

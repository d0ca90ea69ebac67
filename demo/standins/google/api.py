"""The calendar API over HTTP: one function per method of the discovery document."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, g, request

from . import channels, conferences, instances, listing, lists, masks, oauth, occurrences, writing
from .accounts import Access
from .calendars import Body
from .errors import ApiError, invalid, not_found, not_imitated
from .parameters import Arguments, permit
from .state import Caller, State
from .views import View

blueprint = Blueprint("api", __name__, url_prefix="/calendar/v3")


def state() -> State:
    """Return the state of the stand-in that answers."""
    found: State = current_app.extensions["standin"]
    return found


class Call:
    """One authorised request: who asks, for what, and how the answer is to look."""

    def __init__(self, method: str) -> None:
        """Authenticate and check the query.

        :raises ApiError: 401, 403, 400 or 501.
        """
        self.state = state()
        self.method = method
        self.held = _authenticated(self.state)
        self.args = Arguments(method, request.args.items(multi=True))
        self.mask = masks.parse(self.args.text("fields"))
        permit(method, self.held.scopes)

    def caller(self, calendar_id: str) -> Caller:
        """Return the caller's place in a calendar.

        :raises ApiError: 404; 403 where the scope reaches only calendars of one's own.
        """
        found = self.state.caller(self.held.account, calendar_id)
        permit(self.method, self.held.scopes, owner=found.entry.role == "owner")
        conferences.settle(self.state)
        return found

    def options(self) -> writing.Options:
        """Return how the write was asked for."""
        mode = self.args.text("sendUpdates") or ("all" if self.args.flag("sendNotifications") else "none")
        return writing.Options(
            send_updates=mode,
            if_match=request.headers.get("If-Match", ""),
            conference_version=self.args.number("conferenceDataVersion", 0),
            attachments=self.args.flag("supportsAttachments"),
        )

    def event(self, by: Caller, body: Body) -> Response:
        """Answer with one event and its ETag."""
        shown = self.mask.apply(View.asked(by, self.mask, self.args).full(body))
        return answer(orjson.dumps(shown), etag=body["etag"])


def _authenticated(of: State) -> Access:
    """Return what the bearer token allows.

    :raises ApiError: 401 `authError`, as for a token that is out of date or revoked.
    """
    header = request.headers.get("Authorization", "")
    held = oauth.live(of, header[7:]) if header.startswith("Bearer ") else None
    if held is None:
        challenge = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
        raise ApiError(401, "authError", "Invalid Credentials", location="Authorization", WWW_Authenticate=challenge)
    return held


def answer(data: bytes, *, status: int = 200, etag: str = "") -> Response:
    """Return JSON, compressed where asked for; 304 where the client has this version.

    Google compresses only for clients whose User-Agent contains `gzip` as well (guide "Performance tips").
    """
    headers = {"Content-Type": "application/json; charset=UTF-8", "Vary": "Origin, X-Origin, Referer"}
    headers["Cache-Control"] = "private, max-age=0, must-revalidate, no-transform"
    if etag:
        headers["ETag"] = etag
        if request.method == "GET" and etag in request.headers.get("If-None-Match", ""):
            return Response(status=304, headers={"ETag": etag})
    wanted = "gzip" in request.headers.get("Accept-Encoding", "") and "gzip" in request.headers.get("User-Agent", "")
    if wanted and len(data) > 256:
        data = gzip.compress(data, 1)
        headers["Content-Encoding"] = "gzip"
    return Response(data, status=status, headers=headers)


def _json_body() -> Any:
    try:
        return orjson.loads(request.get_data() or b"{}")
    except orjson.JSONDecodeError:
        raise ApiError(400, "parseError", "Parse Error")


def method(name: str, rule: str, verb: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Register a function as a method of the API: it gets a `Call` and the path's parts, under the state's lock."""

    def register(function: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(function)
        def view(**parts: str) -> Response:
            g.method = name
            with state().lock:
                return function(Call(name), **parts)

        blueprint.add_url_rule(rule, endpoint=name.replace(".", "_"), view_func=view, methods=[verb])
        return view

    return register


@method("calendarList.list", "/users/me/calendarList", "GET")
def _list_calendars(call: Call) -> Response:
    body = lists.calendar_list(call.held.account, call.args, call.mask)
    etag = f'"p{call.held.account.listed:08d}"'
    return answer(orjson.dumps(body), etag=etag)


@method("calendarList.get", "/users/me/calendarList/<calendar_id>", "GET")
def _get_entry(call: Call, calendar_id: str) -> Response:
    entry = call.held.account.entry(calendar_id)
    if entry is None:
        raise not_found()
    return answer(orjson.dumps(call.mask.apply(lists.entry_body(entry))), etag=entry.etag)


@method("calendars.get", "/calendars/<calendar_id>", "GET")
def _get_calendar(call: Call, calendar_id: str) -> Response:
    body = lists.calendar_body(call.caller(calendar_id).calendar)
    return answer(orjson.dumps(call.mask.apply(body)), etag=body["etag"])


@method("colors.get", "/colors", "GET")
def _get_colours(call: Call) -> Response:
    return answer(orjson.dumps(call.mask.apply(lists.colours())))


@method("freebusy.query", "/freeBusy", "POST")
def _query_free_busy(call: Call) -> Response:
    found = lists.free_busy(call.state, call.held.account, _json_body())
    return answer(orjson.dumps(call.mask.apply(found)))


@method("events.list", "/calendars/<calendar_id>/events", "GET")
def _list_events(call: Call, calendar_id: str) -> Response:
    return answer(listing.Listing(call.state, call.caller(calendar_id), call.args, call.mask).answer())


@method("events.insert", "/calendars/<calendar_id>/events", "POST")
def _insert_event(call: Call, calendar_id: str) -> Response:
    by = call.caller(calendar_id)
    return call.event(by, writing.insert(call.state, by, _json_body(), call.options()).body)


@method("events.import", "/calendars/<calendar_id>/events/import", "POST")
def _import_event(call: Call, calendar_id: str) -> Response:
    by = call.caller(calendar_id)
    return call.event(by, writing.import_(call.state, by, _json_body(), call.options()).body)


@method("events.watch", "/calendars/<calendar_id>/events/watch", "POST")
def _watch_events(call: Call, calendar_id: str) -> Response:
    by = call.caller(calendar_id)
    return answer(orjson.dumps(channels.watch(call.state, call.held.account, by.calendar, _json_body())))


@method("events.get", "/calendars/<calendar_id>/events/<event_id>", "GET")
def _get_event(call: Call, calendar_id: str, event_id: str) -> Response:
    by = call.caller(calendar_id)
    item = by.calendar.items.get(event_id)
    body = item.body if item else occurrences.find(by.calendar, event_id)
    if body is None:
        raise not_found()
    return call.event(by, body)


@method("events.instances", "/calendars/<calendar_id>/events/<event_id>/instances", "GET")
def _list_instances(call: Call, calendar_id: str, event_id: str) -> Response:
    return answer(instances.page(call.state, call.caller(calendar_id), event_id, call.args, call.mask))


@method("events.patch", "/calendars/<calendar_id>/events/<event_id>", "PATCH")
def _patch_event(call: Call, calendar_id: str, event_id: str) -> Response:
    by = call.caller(calendar_id)
    return call.event(by, writing.patch(call.state, by, event_id, _json_body(), call.options()).body)


@method("events.update", "/calendars/<calendar_id>/events/<event_id>", "PUT")
def _update_event(call: Call, calendar_id: str, event_id: str) -> Response:
    by = call.caller(calendar_id)
    return call.event(by, writing.update(call.state, by, event_id, _json_body(), call.options()).body)


@method("events.delete", "/calendars/<calendar_id>/events/<event_id>", "DELETE")
def _delete_event(call: Call, calendar_id: str, event_id: str) -> Response:
    writing.delete(call.state, call.caller(calendar_id), event_id, call.options())
    return Response(status=204)


@method("events.move", "/calendars/<calendar_id>/events/<event_id>/move", "POST")
def _move_event(call: Call, calendar_id: str, event_id: str) -> Response:
    by = call.caller(calendar_id)
    if "destination" not in call.args:
        raise invalid("Required parameter: destination", "destination")
    to = call.caller(call.args.text("destination"))
    return call.event(to, writing.move(call.state, by, event_id, to, call.options()).body)


@method("channels.stop", "/channels/stop", "POST")
def _stop_channel(call: Call) -> Response:
    channels.stop(call.state, call.held.account, _json_body())
    return Response(status=204)


@blueprint.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def refuse(rest: str) -> Response:
    """Refuse every path that is no method here."""
    raise not_imitated(f"{request.method} {request.path}")

"""Meet conferences: asked for with an event, made a little later.

Source: guide "Create events", section conferences, and discovery document, ConferenceData.createRequest: creation is
asynchronous, `status.statusCode` goes from `pending` to `success`; the same requestId again is ignored; without
`conferenceDataVersion=1` conference data in a body is ignored (parameter conferenceDataVersion).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calendars import Body
from .errors import invalid, required

if TYPE_CHECKING:
    from .state import State


def wanted(given: Any, current: Body | None) -> Body | None:
    """Return the conference data to store for what a body says.

    :raises ApiError: 400 for a request that names no id, or another kind than Meet.
    """
    request = (given or {}).get("createRequest")
    if not request:
        return given or None
    if (current or {}).get("createRequest", {}).get("requestId") == request.get("requestId"):
        return current
    if not request.get("requestId"):
        raise required("Missing conference request id.")
    if request.get("conferenceSolutionKey", {}).get("type") != "hangoutsMeet":
        raise invalid("Invalid conference type value.")
    return {"createRequest": {**request, "status": {"statusCode": "pending"}}}


def is_pending(body: Body) -> bool:
    """Return whether an event still waits for its conference."""
    request = body.get("conferenceData", {}).get("createRequest", {})
    return bool(request.get("status", {}).get("statusCode") == "pending")


def settle(state: State) -> None:
    """Finish the conferences that were asked for, where making them is not held up (`state.holding_conferences`)."""
    if state.holding_conferences:
        return
    while state.pending:
        calendar, event_id = state.pending.pop()
        body = calendar.items[event_id].body
        if is_pending(body):
            calendar.put({**body, **_made(state, body), "etag": state.etag(), "updated": state.stamp()})
            state.changed(calendar)


def _made(state: State, body: Body) -> Body:
    letters = state.new_id(10).translate(str.maketrans("0123456789", "abcdefghij"))
    code = f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
    request = {**body["conferenceData"]["createRequest"], "status": {"statusCode": "success"}}
    link = f"https://meet.google.com/{code}"
    data = {
        "createRequest": request,
        "conferenceId": code,
        "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
        "entryPoints": [{"entryPointType": "video", "uri": link, "label": link.removeprefix("https://")}],
    }
    return {"conferenceData": data, "hangoutLink": link}

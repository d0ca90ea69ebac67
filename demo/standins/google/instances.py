"""events.instances: the occurrences of one series, page by page (reference of events.instances)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from . import occurrences, times, tokens
from .calendars import Body
from .errors import invalid
from .listing import AHEAD, MOST, USUAL, collection, window
from .masks import Mask
from .parameters import Arguments
from .views import View

if TYPE_CHECKING:
    from .state import Caller, State


def page(state: State, caller: Caller, event_id: str, args: Arguments, mask: Mask) -> bytes:
    """Return one page of the occurrences of a series (events.instances).

    :raises ApiError: 404; 400 for an event that does not recur.
    """
    master = state.item(caller.calendar, event_id)
    if not master.master:
        raise invalid("Bad Request", "eventId")
    lo, hi = window(args)
    far = hi if hi < float("inf") else max(state.now(), master.span[0]) + AHEAD
    found = occurrences.expand(caller.calendar, master, lo, far)
    zone = caller.calendar.time_zone
    if not args.flag("showDeleted"):
        found = [body for body in found if body["status"] != "cancelled" and not master.cancelled]
    if "originalStart" in args:
        found = [body for body in found if _same_start(body["originalStartTime"], args.text("originalStart"), zone)]
    found.sort(key=lambda body: times.instant(body["start"], zone))
    size = min(args.number("maxResults", USUAL), MOST)
    index = _index(args, event_id)
    ends = {"nextPageToken": tokens.pack({"n": event_id, "i": index + size})} if index + size < len(found) else {}
    view = View.asked(caller, Mask("", None), args)
    items = [view.full(body) for body in found[index : index + size]]
    return orjson.dumps(mask.apply(collection(state, caller) | ends | {"items": items}))


def _index(args: Arguments, event_id: str) -> int:
    if "pageToken" not in args:
        return 0
    facts = tokens.unpack(args.text("pageToken"))
    if facts is None or facts.get("n") != event_id:
        raise invalid("Invalid page token value.", "pageToken")
    return int(facts["i"])


def _same_start(original: Body, asked: str, zone: str) -> bool:
    """Return whether `originalStart` names this start: a date, or a moment with its offset."""
    if "date" in original:
        return bool(original["date"] == asked[:10])
    return times.instant(original, zone) == times.parse_rfc3339(asked, "originalStart")

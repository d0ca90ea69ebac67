"""events.list: pages, sync tokens, windows, expansion.

Sources: reference of events.list (parameters in the discovery document), guides "Synchronize resources
efficiently" and "Page through lists of resources". A sync token stands for the calendar as it was when the first page
of its listing was answered, so what changes between pages is in the next delta.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from . import occurrences, times, tokens
from .calendars import Body, Item
from .errors import ApiError, invalid, sync_token_expired
from .masks import Mask, refused
from .parameters import Arguments
from .views import View
from .words import words

if TYPE_CHECKING:
    from .state import Caller, State

MOST = 2_500
USUAL = 250

#: events.list, syncToken: "several query parameters that cannot be specified together with nextSyncToken".
_NOT_WITH_SYNC_TOKEN = words(
    "iCalUID orderBy privateExtendedProperty q sharedExtendedProperty timeMin timeMax updatedMin"
)

#: A listing narrowed by these carries no sync token, since no delta could be asked for with it.
_NO_SYNC_TOKEN = words("iCalUID orderBy privateExtendedProperty q sharedExtendedProperty updatedMin")

#: "All other query parameters should be the same as for the initial synchronization": here, else 400.
_KEPT = words("singleEvents eventTypes showHiddenInvitations timeZone maxAttendees")

_FILTERS = words("eventTypes iCalUID privateExtendedProperty q sharedExtendedProperty updatedMin")

#: How far ahead endless series are expanded where no timeMax says so.
AHEAD = 2 * 366 * times.DAY

_COLLECTION = frozenset(
    words(
        "kind etag summary description updated timeZone accessRole defaultReminders nextPageToken nextSyncToken items"
    )
)

_TEXTS = ("summary", "description", "location")


@dataclass(frozen=True)
class Place:
    """Where in a listing a page begins. `since` None lists everything; `upto` is the log's end at the first page."""

    index: int
    upto: int
    since: int | None = None
    lo: float = float("-inf")
    hi: float = float("inf")


class Listing:
    """One request for a page of events."""

    def __init__(self, state: State, caller: Caller, args: Arguments, mask: Mask) -> None:
        """Read and check the parameters.

        :raises ApiError: 400 for what cannot go together, 410 for a sync token that is not good any more.
        """
        self.state, self.args, self.mask = state, args, mask
        self.caller, self.calendar = caller, caller.calendar
        self.single = args.flag("singleEvents")
        self.deleted = args.flag("showDeleted")
        self.size = min(args.number("maxResults", USUAL), MOST)
        self.updated_min = times.parse_rfc3339(args.text("updatedMin"), "updatedMin") if "updatedMin" in args else None
        self.plain = not any(name in args for name in _FILTERS)
        self.kept = tokens.digest(*[sorted(args.all(name)) for name in _KEPT])
        self.filters = tokens.digest(
            self.kept, *[sorted(args.all(name)) for name in (*_NOT_WITH_SYNC_TOKEN, "syncToken", "showDeleted")]
        )
        if mask.tree is not None and mask.names() - _COLLECTION - {"*"}:
            raise refused(", ".join(sorted(mask.names() - _COLLECTION)))
        if args.text("orderBy") == "startTime" and not self.single:
            raise invalid("The requested ordering is not available for the particular query.", "orderBy")
        self.place = self._place()

    def answer(self) -> bytes:
        """Return the page, encoded."""
        below = self.mask.below("items")
        found, following = self._page()
        ends: dict[str, Any] = {}
        if following is not None:
            ends["nextPageToken"] = self._page_token(following)
        elif not any(name in self.args for name in _NO_SYNC_TOKEN):
            ends["nextSyncToken"] = self._sync_token()
        head = orjson.dumps(self.mask.apply(collection(self.state, self.caller) | ends))
        if below is None:
            return head
        view = View.asked(self.caller, below, self.args)
        parts = [view.encoded(each) if isinstance(each, Item) else view.listed(each) for each in found]
        return head[:-1] + (b"," if len(head) > 2 else b"") + b'"items":[' + b",".join(parts) + b"]}"

    # where the page begins

    def _place(self) -> Place:
        if "pageToken" in self.args:
            return self._place_of_page(self.args.text("pageToken"))
        if "syncToken" in self.args:
            return self._place_of_sync(self.args.text("syncToken"))
        lo, hi = window(self.args)
        return Place(0, self.calendar.position, None, lo, hi)

    def _place_of_page(self, token: str) -> Place:
        facts = tokens.unpack(token)
        if facts is None or facts.get("c") != self.calendar.id or facts.get("f") != self.filters:
            raise invalid("Invalid page token value.", "pageToken")
        return Place(facts["i"], facts["u"], facts["s"], *_bounds(facts["w"]))

    def _place_of_sync(self, token: str) -> Place:
        for name in _NOT_WITH_SYNC_TOKEN:
            if name in self.args:
                raise invalid(f"Sync token cannot be used together with {name}.", name)
        if "showDeleted" in self.args and not self.deleted:
            raise invalid("Sync token cannot be used with showDeleted=false.", "showDeleted")
        facts = tokens.unpack(token)
        if facts is None or facts.get("c") != self.calendar.id or facts.get("e") != self.calendar.epoch:
            raise sync_token_expired()
        if facts.get("k") != self.kept:
            raise invalid("The sync token was made with other parameters.", "syncToken")
        return Place(0, self.calendar.position, facts["s"], *_bounds(facts["w"]))

    def _window_json(self) -> list[float | None]:
        return [None if abs(edge) == float("inf") else edge for edge in (self.place.lo, self.place.hi)]

    def _page_token(self, index: int) -> str:
        facts = {"c": self.calendar.id, "f": self.filters, "i": index, "u": self.place.upto, "s": self.place.since}
        return tokens.pack(facts | {"w": self._window_json()})

    def _sync_token(self) -> str:
        facts = {"c": self.calendar.id, "e": self.calendar.epoch, "k": self.kept, "s": self.place.upto}
        return tokens.pack(facts | {"w": self._window_json()})

    # what is on the page

    def _page(self) -> tuple[list[Any], int | None]:
        """Return the events of this page and where the next begins; faults may spoil it without a word."""
        if self.state.faults.spend("empty_listings"):
            return [], None
        found, following = self._expanded() if self.single or "orderBy" in self.args else self._straight()
        return (found[: len(found) // 2] if self.state.faults.spend("half_pages") else found), following

    def _straight(self) -> tuple[list[Any], int | None]:
        """Return one page of stored events in their order, and where the next one begins."""
        size = self._size()
        found: list[Item] = []
        for index, item in self._candidates(self.place.index):
            if len(found) == size:
                return found, index
            if self._shows(item):
                found.append(item)
        return found, None

    def _expanded(self) -> tuple[list[Any], int | None]:
        """Return one page of events that had to be worked out first: occurrences, or another order."""
        every: list[Any] = []
        for _, item in self._candidates(0):
            every += self._occurrences(item) if self.single else [item] if self._shows(item) else []
        order = self.args.text("orderBy")
        if order == "startTime":
            every.sort(key=lambda body: (times.instant(body["start"], self.calendar.time_zone), body["id"]))
        elif order == "updated":
            every.sort(key=lambda each: each.body["updated"] if isinstance(each, Item) else each["updated"])
        end = self.place.index + self._size()
        return every[self.place.index : end], end if end < len(every) else None

    def _size(self) -> int:
        return max(1, self.size // 2) if self.state.faults.spend("short_pages") else self.size

    def _candidates(self, index: int) -> Iterator[tuple[int, Item]]:
        """Yield the events in question from a place on: all of them, or each that the log names since the token."""
        if self.place.since is None:
            order = self.calendar.order
            for number in range(index, len(order)):
                yield number, order[number]
            return
        log = self.calendar.log[self.place.since : self.place.upto]
        seen = {item.id for item in log[:index]}
        for number in range(index, len(log)):
            if log[number].id not in seen:
                seen.add(log[number].id)
                yield number, log[number]

    def _occurrences(self, item: Item) -> list[Body]:
        """Return what singleEvents=true shows of a stored event: no master, no exception on its own."""
        if "recurringEventId" in item.body and item.body["recurringEventId"] in self.calendar.items:
            master = self.calendar.items[item.body["recurringEventId"]]
            apart = self.place.since is not None and master.position <= self.place.since
            return [item.body] if apart and self._admits(item.body, item) else []
        if not item.master:
            return [item.body] if self._shows(item) else []
        ends = self.place.hi if self.place.hi < float("inf") else self.state.now() + AHEAD
        found = occurrences.expand(self.calendar, item, self.place.lo, ends)
        if item.cancelled:
            found = [{**body, "status": "cancelled"} for body in found]
        return [body for body in found if self._admits(body, item)]

    def _shows(self, item: Item) -> bool:
        body = item.body
        if not self._admits(body, item):
            return False
        if self.place.lo == float("-inf") and self.place.hi == float("inf"):
            return True
        return (item.cancelled and self.place.since is not None) or item.touches(self.place.lo, self.place.hi)

    def _admits(self, body: Body, item: Item) -> bool:
        """Return whether everything but the window lets an event through."""
        if body["status"] == "cancelled" and not self._shows_cancelled(body, item):
            return False
        if self.plain:
            return True
        return (
            (not self.args.all("eventTypes") or body.get("eventType") in self.args.all("eventTypes"))
            and ("iCalUID" not in self.args or body.get("iCalUID") == self.args.text("iCalUID"))
            and (self.updated_min is None or body["updated"] >= times.stamp(self.updated_min))
            and ("q" not in self.args or _matches(body, self.args.text("q")))
            and _has(body, "private", self.args.all("privateExtendedProperty"))
            and _has(body, "shared", self.args.all("sharedExtendedProperty"))
        )

    def _shows_cancelled(self, body: Body, item: Item) -> bool:
        """events.list, showDeleted: cancelled occurrences of a living series come even when both flags are false."""
        if self.place.since is not None or self.updated_min is not None or self.deleted:
            return True
        if self.single or "recurringEventId" not in body:
            return False
        master = self.calendar.items.get(body["recurringEventId"])
        return master is not None and not master.cancelled


def collection(state: State, caller: Caller) -> Body:
    """Return what an answer of several events says of their calendar (schema Events)."""
    calendar = caller.calendar
    return {
        "kind": "calendar#events",
        "etag": f'"p{calendar.epoch}{calendar.position:08d}"',
        "summary": calendar.summary,
        **({"description": calendar.description} if calendar.description else {}),
        "updated": calendar.log[-1].body["updated"] if calendar.log else times.stamp(0),
        "timeZone": calendar.time_zone,
        "accessRole": caller.entry.role,
        "defaultReminders": [{"method": "popup", "minutes": 30}] if calendar.primary else [],
    }


def window(args: Arguments) -> tuple[float, float]:
    """Return `(timeMin, timeMax)`: the end must lie after the first, the start before the second."""
    lo = times.parse_rfc3339(args.text("timeMin"), "timeMin") if "timeMin" in args else float("-inf")
    hi = times.parse_rfc3339(args.text("timeMax"), "timeMax") if "timeMax" in args else float("inf")
    if hi <= lo:
        raise ApiError(
            400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", location="timeMax"
        )
    return lo, hi


def _bounds(window: list[float | None]) -> tuple[float, float]:
    lo, hi = window
    return float("-inf") if lo is None else lo, float("inf") if hi is None else hi


def _matches(body: Body, words: str) -> bool:
    people = [*body.get("attendees", []), body.get("organizer", {})]
    texts = [body.get(name, "") for name in _TEXTS]
    texts += [person.get(name, "") for person in people for name in ("displayName", "email")]
    whole = " ".join(texts).lower()
    return all(word in whole for word in words.lower().split())


def _has(body: Body, kind: str, constraints: list[str]) -> bool:
    held = body.get("extendedProperties", {}).get(kind, {})
    pairs = [each.partition("=")[::2] for each in constraints]
    return all(held.get(name) == value for name, value in pairs)

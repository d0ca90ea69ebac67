"""The Calendar API v3 behind the port. Source: its discovery document and the guides of developers.google.com."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ...domain.model import BusySpan, Event, Row, ShowAs
from ...domain.when import Span
from ...errors import CursorExpired, Gone, ProviderUnavailable, Refused
from ..base import CalendarProvider, Capabilities, Page, RemoteCalendar, RemoteEvent, TokenSource
from ..http import Client, Kind, Transport
from ..undisturbed import undisturbed
from .mapping import BAD_ITEM, ITEM_FIELDS, row_of, rows_of
from .times import day, moment, wall
from .writing import Body, insert_body, kept_attendees, patch_body, with_older_zones

LIST_FIELDS = f"nextPageToken,nextSyncToken,timeZone,items({ITEM_FIELDS})"
CALENDAR_FIELDS = (
    "nextPageToken,items(id,summary,summaryOverride,primary,accessRole,timeZone,backgroundColor,dataOwner)"
)
_CALENDARS_AT_ONCE = 50
_ACCESS = {"reader": "read", "writerWithoutPrivateAccess": "write", "writer": "write", "owner": "write"}
#: Calendars Google makes itself: holidays, birthdays, week numbers.
_MADE_BY_GOOGLE = "@group.v.calendar.google.com"


class GoogleProvider(CalendarProvider):
    """One Google account.

    :param api: the base address, without a slash at its end.
    :param now: UTC seconds.
    :param free_busy: the grant has a free/busy scope; event scopes do not include one.
    """

    key = "google"

    def __init__(
        self,
        transport: Transport,
        api: str,
        tokens: TokenSource,
        *,
        now: Callable[[], float],
        free_busy: bool = False,
    ) -> None:
        self.requests = 0
        self.capabilities = Capabilities(
            incremental=True,
            push=False,
            server_etags=True,
            free_busy=free_busy,
            sends_invitations=True,
            writes_this_and_future=False,
            objects_hold_series=False,
            chosen_ids=True,
        )
        self._api = api
        self._pages = transport.limits.pages_per_listing
        self._page_rows = transport.limits.page_rows
        self._client = Client(transport, tokens, now=now)

    def calendars(self) -> list[RemoteCalendar]:
        """Return the calendars of the person's list; those of which only free/busy may be seen are left out."""
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {"maxResults": 250, "fields": CALENDAR_FIELDS}
        for _ in range(self._pages):
            answer = self._call("GET", f"{self._api}/users/me/calendarList", Kind.READ, params)
            found += answer.get("items") or ()
            if not answer.get("nextPageToken"):
                break
            params["pageToken"] = answer["nextPageToken"]
        return [_calendar(entry) for entry in found if entry.get("accessRole") in _ACCESS]

    def changes(
        self, calendar_id: str, cursor: str | None, *, span: Span | None = None, resume: str | None = None
    ) -> Iterator[Page]:
        """Yield pages of up to 2,500 events; a page token is the place to resume at."""
        params = {"maxResults": self._page_rows, **_listing(cursor, span)}
        for _ in range(self._pages):
            answer = self._listed(calendar_id, params, resume)
            place = answer.get("nextPageToken")
            page = _page(answer, place, None if span else answer.get("nextSyncToken"))
            del answer
            yield page
            if not place:
                return
            if place == resume:
                break
            resume = place
        raise ProviderUnavailable(reason="endless_listing")

    def _listed(self, calendar_id: str, params: Body, place: str | None) -> dict[str, Any]:
        """Return one page; a smaller one where the full one is larger than we accept (decisions.md 15)."""
        asked = {**params, "pageToken": place} if place else dict(params)
        while True:
            try:
                return self._call("GET", self._events(calendar_id), Kind.LISTING, asked)
            except Refused as no:
                if no.facts.get("status") == 400 and ("pageToken" in asked or "syncToken" in asked):
                    raise CursorExpired(**no.facts) from no
                if no.facts.get("reason") != "too_large" or asked["maxResults"] == 1:
                    raise
                asked["maxResults"] = max(asked["maxResults"] // 8, 1)

    def get(self, calendar_id: str, remote_id: str) -> RemoteEvent:
        """Return one event, a deleted one as far as Google still knows it."""
        return _event(self._item(calendar_id, remote_id, ITEM_FIELDS))

    def _item(self, calendar_id: str, remote_id: str, fields: str) -> dict[str, Any]:
        return self._call("GET", self._events(calendar_id, remote_id), Kind.READ, {"fields": fields})

    def occurrence(self, calendar_id: str, object_id: str, recurrence_key: str) -> RemoteEvent:
        """Ask for the instance by its original start; instance ids are not built here."""
        address = f"{self._events(calendar_id, object_id)}/instances"
        params = {"originalStart": _original_start(recurrence_key), "fields": f"items({ITEM_FIELDS})"}
        for item in self._call("GET", address, Kind.READ, params).get("items") or ():
            found = _event(item)
            if found.row["recurrence_key"] == recurrence_key and not found.cancelled:
                return found
        raise Gone(reason="notFound")

    def create(self, calendar_id: str, event: Event, *, idempotency_key: str, notify: bool = False) -> RemoteEvent:
        """Insert under the key as id; where that id is taken, adopt the event if it is the same one.

        :raises Refused: the id belongs to somebody else's event.
        """
        try:
            body = insert_body(event, idempotency_key)
            return _event(self._write("POST", self._events(calendar_id), body, notify))
        except Refused as no:
            if no.facts.get("status") != 409:
                raise
            return self._adopted(calendar_id, idempotency_key, event, no)

    def _adopted(self, calendar_id: str, remote_id: str, event: Event, no: Refused) -> RemoteEvent:
        found = self.get(calendar_id, remote_id)
        if found.cancelled:
            raise Gone(reason="deleted")
        if event.marker and not found.row["marker"].startswith(f"{event.marker[0]}:"):
            raise no
        return found

    def update(
        self,
        calendar_id: str,
        remote_id: str,
        event: Event,
        *,
        fields: Collection[str],
        etag: str | None,
        notify: bool = False,
    ) -> RemoteEvent:
        """Patch; guests are merged with what Google holds of them, because a patch replaces the whole list."""
        body = patch_body(event, fields)
        if "attendees" in body:
            body = kept_attendees(body, self._item(calendar_id, remote_id, "attendees"))
        return _event(self._write("PATCH", self._events(calendar_id, remote_id), body, notify, etag))

    def delete(self, calendar_id: str, remote_id: str, *, etag: str | None, notify: bool = False) -> None:
        """Delete an event, or cancel an occurrence."""
        try:
            address = self._events(calendar_id, remote_id)
            self._call("DELETE", address, Kind.WRITE, {"sendUpdates": _updates(notify)}, headers=_if_match(etag))
        except Gone:
            return

    def busy(self, calendar_ids: Sequence[str], span: Span) -> dict[str, list[BusySpan]]:
        """Return busy spans of each calendar Google answered for; one it refused is missing, never empty."""
        found: dict[str, list[BusySpan]] = {}
        for first in range(0, len(calendar_ids), _CALENDARS_AT_ONCE):
            batch = calendar_ids[first : first + _CALENDARS_AT_ONCE]
            body = {
                "timeMin": _instant(span.start),
                "timeMax": _instant(span.end),
                "items": [{"id": name} for name in batch],
            }
            answer = self._call("POST", f"{self._api}/freeBusy", Kind.READ, body=body)
            for name, said in (answer.get("calendars") or {}).items():
                if not said.get("errors"):
                    found[name] = [_busy(one) for one in said.get("busy") or ()]
        return found

    def _events(self, calendar_id: str, remote_id: str = "") -> str:
        address = f"{self._api}/calendars/{quote(calendar_id, safe='')}/events"
        return f"{address}/{quote(remote_id, safe='')}" if remote_id else address

    def _write(self, method: str, address: str, body: Body, notify: bool, etag: str | None = None) -> dict[str, Any]:
        """Send an event; once more under its zones' former names where Google does not know the new ones."""
        # Without conferenceDataVersion a write drops the conference (Event.conferenceData).
        params = {"sendUpdates": _updates(notify), "conferenceDataVersion": 1, "fields": ITEM_FIELDS}
        try:
            return self._call(method, address, Kind.WRITE, params, body, _if_match(etag))
        except Refused as no:
            older = with_older_zones(body) if no.facts.get("status") == 400 else None
            if older is None:
                raise
            return self._call(method, address, Kind.WRITE, params, older, _if_match(etag))

    def _call(
        self,
        method: str,
        address: str,
        kind: Kind,
        params: Mapping[str, Any] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            return self._client.call(method, address, kind=kind, params=params, body=body, headers=headers)
        finally:
            self.requests = self._client.requests


def _listing(cursor: str | None, span: Span | None) -> Body:
    """Return the parameters of a listing. All but the sync token must stay the same from sync to sync."""
    params: Body = {"singleEvents": "false", "fields": LIST_FIELDS}
    if span is not None:
        return params | {"timeMin": _instant(span.start), "timeMax": _instant(span.end)}
    params["showDeleted"] = "true"
    return params | {"syncToken": cursor} if cursor else params


def _page(answer: Mapping[str, Any], resume: str | None, cursor: str | None) -> Page:
    with undisturbed():
        rows, gone, refused = rows_of(answer.get("items") or (), answer.get("timeZone") or "UTC")
    return Page(rows, gone, refused, resume=resume, cursor=cursor)


def _calendar(entry: Mapping[str, Any]) -> RemoteCalendar:
    get = entry.get
    return RemoteCalendar(
        remote_id=entry["id"],
        name=get("summaryOverride") or get("summary") or entry["id"],
        access=_ACCESS[entry["accessRole"]],
        primary=bool(get("primary")),
        time_zone=get("timeZone") or "",
        colour=get("backgroundColor") or "",
        owner=get("dataOwner") or (entry["id"] if get("primary") else ""),
        role=entry["accessRole"],
        noise=entry["id"].endswith(_MADE_BY_GOOGLE),
        shared_key=entry["id"],
    )


def _event(item: dict[str, Any]) -> RemoteEvent:
    try:
        row: Row = row_of(item)
    except BAD_ITEM:
        raise Refused("The event could not be read.", reason="unreadable") from None
    return RemoteEvent(row)


def _updates(notify: bool) -> str:
    return "all" if notify else "none"


def _if_match(etag: str | None) -> dict[str, str]:
    return {"If-Match": etag} if etag else {}


def _instant(at: int) -> str:
    return f"{wall(at)}Z"


def _original_start(key: str) -> str:
    date = f"{key[:4]}-{key[4:6]}-{key[6:8]}"
    return f"{date}T{key[9:11]}:{key[11:13]}:{key[13:15]}Z" if "T" in key else date


def _busy(one: Mapping[str, str]) -> BusySpan:
    start, end = (_edge(one[side]) for side in ("start", "end"))
    return BusySpan(Span(start, end), ShowAs.BUSY)


def _edge(text: str) -> int:
    return day(text) if len(text) == 10 else moment({"dateTime": text}, "UTC")[2]

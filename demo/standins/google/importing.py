"""An iCalendar file of any product into somebody's primary calendar, as Google keeps events.

What the file holds and Google cannot hold is written to `State.refused` by name and reason: wholly left out, or kept in
part where the reason says so. Read by the product's own reader; what this adds is Google's side of it: masters with
`recurrence`, exceptions under `<master>_<original start>`, floating times in the calendar's zone.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from calendar_ext.domain import ics
from calendar_ext.domain.model import Attendee
from calendar_ext.limits import Limits

from . import bodies, guests, times
from .calendars import Body, Calendar, Item
from .errors import ApiError
from .recurrence import Series, Start

if TYPE_CHECKING:
    from .state import State

Row = dict[str, Any]

_RESPONSES = {"accepted": "accepted", "tentative": "tentative", "declined": "declined"}
_KEPT = "; the event was kept"
#: Parts that say nothing (RFC 7529; counts below one), which Google's rules do not know.
_IDLE_PARTS = re.compile(r";?(RSCALE=GREGORIAN|SKIP=OMIT|COUNT=(-\d+|0))(?=;|$)", re.IGNORECASE)


def fill(state: State, path: str | os.PathLike[str], *, limits: Limits | None = None) -> None:
    """Replace the first account's primary calendar by the events of a file; its zone becomes the file's, if it has one.

    :raises OSError: the file cannot be read.
    :raises calendar_ext.errors.Refused: it is no calendar, or above 20 MiB. The message is a sentence.
    """
    limits = limits or Limits()
    with open(path, "rb") as file:
        parsed = ics.read(file.read(limits.ics_demo_bytes + 1), limits, most_bytes=limits.ics_demo_bytes)
    with state.lock:
        account = state.account()
        home = account.entries[account.email].calendar
        home.forget()
        if parsed.time_zone and times.zone(parsed.time_zone):
            home.time_zone = account.time_zone = parsed.time_zone
        state.refused += [
            (each.name, each.reason + (_KEPT if each.facts.get("kept") else "")) for each in parsed.refused
        ]
        _Import(state, home, parsed.calendar_name).take(parsed.events)


class _Import:
    """One file on its way into one calendar."""

    def __init__(self, state: State, home: Calendar, calendar_name: str) -> None:
        self._state = state
        self._home = home
        self._owner = calendar_name.strip().casefold()
        self._masters: dict[str, str] = {}

    def take(self, rows: list[Row]) -> None:
        """Take masters and singles first, then what hangs on them."""
        for row in rows:
            if not row["recurrence_key"]:
                self._guarded(self._whole, row)
        for row in rows:
            if row["recurrence_key"]:
                self._guarded(self._occurrence, row)

    def _guarded(self, take: Any, row: Row) -> None:
        try:
            take(row)
        except ApiError as error:
            self._refuse(row, error.message)
        except (ValueError, OverflowError) as error:
            self._refuse(row, f"its times are beyond what a calendar can show ({error})")

    def _refuse(self, row: Row, reason: str) -> None:
        self._state.refused.append((row["title"] or row["object_id"], reason))

    def _whole(self, row: Row) -> None:
        if row["status"] == "cancelled":
            self._refuse(row, "it is cancelled in the file")
            return
        body = self._body(row, self._state.new_id())
        floating = not row["all_day"] and not row["start_zone"]
        lines = [_google_line(line, floating) for line in row["rules"].split("\n") if line]
        if lines:
            body["recurrence"] = lines
            self._keep_rules_or_say_so(row, body)
        item = self._home.put(body)
        self._masters[row["object_id"]] = item.id

    def _keep_rules_or_say_so(self, row: Row, body: Body) -> None:
        if "VALUE=PERIOD" in row["rules"].upper():
            self._refuse(row, "its single dates have lengths of their own; they were given that of the series" + _KEPT)
        try:
            Series(body, self._home.time_zone)
        except ApiError:
            del body["recurrence"]
            self._refuse(row, "Google cannot repeat it the way it is written; only the first time was taken" + _KEPT)

    def _occurrence(self, row: Row) -> None:
        """Take a changed or cancelled occurrence; without its master it stands alone, as for its only guest."""
        master = self._home.items.get(self._masters.get(row["object_id"], ""))
        if master is None or not master.master:
            if row["status"] == "cancelled":
                return
            master_id = self._masters.setdefault(row["object_id"], self._state.new_id())
            original = self._original(row, row["recurrence_key"])
            if master is not None:
                self._refuse(row, "it changes an occurrence of an event that does not repeat" + _KEPT)
                master_id = self._state.new_id()
            self._put(row, master_id, row["recurrence_key"], original)
            return
        start = _start_of(master, row["recurrence_key"]) or self._added(master, row)
        if start is not None:
            self._put(row, master.id, start[0], _when_of(start, master))

    def _added(self, master: Item, row: Row) -> Start | None:
        """Make a changed occurrence that the rule does not name one of the series' single dates."""
        if row["status"] == "cancelled":
            return None
        key = row["recurrence_key"]
        if ("date" in master.body["start"]) != (len(key) == 8):
            self._refuse(row, "it changes an occurrence that the series does not have")
            return None
        line = f"RDATE;VALUE=DATE:{key}" if len(key) == 8 else f"RDATE:{key}"
        master.hold({**master.body, "recurrence": [*master.body["recurrence"], line]})
        return master.series.find(key)

    def _put(self, row: Row, master_id: str, key: str, original: Body) -> None:
        body = self._body(row, f"{master_id}_{key}")
        self._home.put(body | {"recurringEventId": master_id, "originalStartTime": original})

    def _original(self, row: Row, key: str) -> Body:
        if len(key) == 8:
            return {"date": date(int(key[:4]), int(key[4:6]), int(key[6:])).isoformat()}
        moment = datetime.strptime(key, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        zone = row["start_zone"] or self._home.time_zone
        return {"dateTime": times.in_zone(int(moment.timestamp()), self._home.time_zone), "timeZone": zone}

    def _body(self, row: Row, event_id: str) -> Body:
        """Return the event as Google would keep it.

        :raises ApiError: Google would not take it; the message says why.
        """
        written: Body = {
            "summary": row["title"],
            "description": row["description"],
            "location": row["location"],
            "transparency": "transparent" if row["show_as"] == "free" else "opaque",
            "visibility": row["visibility"],
            "start": self._when(row, "start"),
            "end": self._when(row, "end"),
            "attendees": self._guests(row),
            "status": row["status"],
        }
        if row["online_url"]:
            written["conferenceData"] = _online(row["online_url"])
        content = bodies.content(written, self._home, self._state.unknown_zones, occurrence=bool(row["recurrence_key"]))
        body = self._identity(row, event_id) | content | {"eventType": "default"}
        guests.mark_organizer(body)
        return body

    def _when(self, row: Row, side: str) -> Body:
        wall = row[f"{side}_wall"]
        zone = row[f"{side}_zone"] or row["start_zone"] or self._home.time_zone
        return {"date": wall} if row["all_day"] else {"dateTime": wall, "timeZone": zone}

    def _guests(self, row: Row) -> list[Body]:
        fit = [guest for guest in row["attendees"] if bodies.MAIL.fullmatch(guest.email)]
        if len(fit) < len(row["attendees"]):
            self._refuse(row, "guests without a proper mail address were left out" + _KEPT)
        return [_guest(guest) for guest in fit]

    def _identity(self, row: Row, event_id: str) -> Body:
        own: Body = {"email": self._home.id, "self": True}
        foreign = not row["is_organizer"] and row["organizer"].casefold() != self._owner
        organizer: Body = {"email": row["organizer"]} if foreign else own
        updated = times.stamp(row["remote_updated"] / 1000) if row["remote_updated"] else self._state.stamp()
        return {
            "kind": "calendar#event",
            "etag": self._state.etag(),
            "id": event_id,
            "htmlLink": f"{self._state.base_url}/calendar/event?eid={event_id}",
            "created": updated,
            "updated": updated,
            "creator": organizer,
            "organizer": organizer,
            "iCalUID": row["ical_uid"],
            "sequence": row["sequence"],
        }


def _google_line(line: str, floating: bool) -> str:
    """Return a recurrence line as Google takes it: no idle parts, of periods only their start.

    :param floating: the series has no zone, so what the line says in UTC is meant on the wall like the rest.
    """
    head, _, value = line.partition(":")
    if floating:
        value = re.sub(r"(T\d{6})Z", r"\1", value)
    if head.upper().startswith(("RRULE", "EXRULE")):
        return f"{head}:{_IDLE_PARTS.sub('', value).strip(';')}"
    if "VALUE=PERIOD" in head.upper():
        head = re.sub(";VALUE=PERIOD", "", head, flags=re.IGNORECASE)
        value = ",".join(each.partition("/")[0] for each in value.split(","))
    return f"{head}:{value}"


def _start_of(master: Item, key: str) -> Start | None:
    """Return the occurrence a RECURRENCE-ID names; one written as the other kind of time counts by its day."""
    found = master.series.find(key)
    if found or ("date" in master.body["start"]) == (len(key) == 8):
        return found
    if "date" in master.body["start"]:
        return master.series.find(key[:8])
    noon = datetime.strptime(key[:8], "%Y%m%d").replace(tzinfo=UTC).timestamp() + times.DAY / 2
    day = date(int(key[:4]), int(key[4:6]), int(key[6:8])).isoformat()
    zone = master.body["start"]["timeZone"]
    near = master.series.between(noon - 1.5 * times.DAY, noon + 1.5 * times.DAY)
    return next((each for each in near if times.in_zone(each[1], zone)[:10] == day), None)


def _when_of(start: Start, master: Item) -> Body:
    _, seconds, day = start
    if day is not None:
        return {"date": day.isoformat()}
    offset_zone = master.series.calendar_zone
    return {"dateTime": times.in_zone(seconds, offset_zone), "timeZone": master.body["start"]["timeZone"]}


def _guest(guest: Attendee) -> Body:
    body: Body = {"email": guest.email, "responseStatus": _RESPONSES.get(guest.response, "needsAction")}
    optional = {"displayName": guest.name, "optional": guest.role == "optional", "resource": guest.role == "resource"}
    return body | {name: value for name, value in optional.items() if value}


def _online(link: str) -> Body:
    entry = {"entryPointType": "video", "uri": link}
    return {"entryPoints": [entry], "conferenceSolution": {"key": {"type": "addOn"}, "name": "Online meeting"}}

"""Google's events into rows of the `event` table: plain dicts, no `Event` objects, a few microseconds each.

Source: the Event resource of the Calendar API v3 discovery document. What cannot be mapped becomes a `Refusal`; the
rest of the page is good.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import orjson

from ...domain.fingerprint import fingerprint_of_row
from ...domain.model import Attendee, Refusal, Row
from . import times

#: Everything read below, and nothing else: what the `fields` parameter asks for.
ITEM_FIELDS = (
    "id,etag,status,updated,htmlLink,summary,description,location,colorId,organizer(email,self),start,end,recurrence,"
    "recurringEventId,originalStartTime,transparency,visibility,iCalUID,sequence,"
    "attendees(email,displayName,responseStatus,optional,self,organizer),extendedProperties/private,hangoutLink,"
    "conferenceData(entryPoints(entryPointType,uri),createRequest/status),eventType,locked"
)
#: Keys of `extendedProperties.private`: link and content hash of what we wrote (google.md 6).
SOURCE, REVISION = "ce_src", "ce_rev"
#: Not events somebody attends; left out of listings.
SKIPPED = frozenset({"workingLocation", "birthday"})

_UNREADABLE = "Its start or end could not be read."
_RESPONSES: dict[Any, str] = {
    "needsAction": "needs_action",
    "accepted": "accepted",
    "tentative": "tentative",
    "declined": "declined",
}
_VISIBILITIES: dict[Any, str] = {None: "default", "default": "default", "public": "public"}
_STATES: dict[Any, str] = {"pending": "pending", "success": "ready", "failure": "failed"}
_AWAY = {"outOfOffice": "away", "workingLocation": "elsewhere"}
#: What reading a malformed item raises.
BAD_ITEM = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
_TEXTS = itemgetter("remote_id", "object_id", "ical_uid", "etag", "colour", "event_type", "online_url", "organizer")
_EMPTY: Row = {
    "object_id": "", "recurrence_key": "", "remote_id": "", "ical_uid": "", "etag": "", "sequence": 0,
    "remote_updated": None, "kind": "single", "status": "cancelled", "title": "", "location": "", "description": "",
    "colour": "", "show_as": "busy", "visibility": "default", "response": "", "organizer": "", "is_organizer": True,
    "event_type": "", "online_url": "", "online_state": "", "all_day": False, "start_wall": "", "start_zone": "",
    "end_wall": "", "end_zone": "", "start_at": 0, "end_at": 0, "rules": "", "marker": "", "extra": "",
    "fingerprint": b"", "attendees": [],
}  # fmt: skip


def rows_of(items: Iterable[dict[str, Any]], zone: str) -> tuple[list[Row], list[str], list[Refusal]]:
    """Return rows, ids of deleted events, and what could not be mapped.

    :param zone: of the calendar; for times without one of their own.
    """
    rows: list[Row] = []
    gone: list[str] = []
    refused: list[Refusal] = []
    for item in items:
        try:
            if item.get("status") == "cancelled" and "recurringEventId" not in item:
                gone.append(item["id"])
            elif item.get("eventType") not in SKIPPED:
                rows.append(row_of(item, zone))
        except BAD_ITEM:
            refused.append(_refusal(item))
    # With a series its cancelled occurrences are listed too; they are nothing without it.
    ended = set(gone)
    return [row for row in rows if row["object_id"] not in ended] if ended else rows, gone, refused


def _refusal(item: Any) -> Refusal:
    get = item.get if isinstance(item, dict) else {}.get
    name, remote_id, etag = (str(get(key) or "") for key in ("summary", "id", "etag"))
    return Refusal(name=name or remote_id, reason=_UNREADABLE, remote_id=remote_id, etag=etag)


def row_of(item: dict[str, Any], zone: str = "UTC") -> Row:
    """Return one item as a row; a cancelled occurrence as a gap, a deleted event as far as it is still known.

    :raises ValueError: it cannot be mapped; also LookupError, TypeError, AttributeError and ArithmeticError.
    """
    if item.get("status") == "cancelled":
        return _cancelled(item, zone)
    get = item.get
    row: Row = {
        "remote_id": item["id"],
        "ical_uid": get("iCalUID") or "",
        "etag": get("etag") or "",
        "sequence": int(get("sequence") or 0),
        "remote_updated": times.millis(item["updated"]) if "updated" in item else None,
        "status": "tentative" if get("status") == "tentative" else "confirmed",
        "title": _text(get("summary")),
        "location": _text(get("location")),
        "description": _text(get("description")),
        "colour": get("colorId") or "",
        "show_as": "free" if get("transparency") == "transparent" else "busy",
        "visibility": _VISIBILITIES.get(get("visibility"), "private"),
        "event_type": "",
        "online_url": "",
        "online_state": "",
        "extra": _extra(item),
    }
    _place(row, item, zone)
    _time(row, item, zone)
    _people(row, item)
    if "extendedProperties" in item:
        row["marker"] = _marker(item)
    if get("eventType", "default") != "default":
        _special(row, item)
    if "hangoutLink" in item or "conferenceData" in item:
        _online(row, item)
    # Joined only to be refused here, and not by the database, if one of them is no text.
    "".join(_TEXTS(row))
    row["fingerprint"] = fingerprint_of_row(row)
    return row


def _text(value: str | None) -> str:
    if not value:
        return ""
    # PostgreSQL cannot store it, and no person typed it.
    return value.replace("\0", "") if "\0" in value else value


def _place(row: Row, item: dict[str, Any], zone: str) -> None:
    """Say which object this is part of, and what of it."""
    series, rules = item.get("recurringEventId"), item.get("recurrence")
    row["object_id"] = series or item["id"]
    row["recurrence_key"] = times.original_key(item["originalStartTime"], zone) if series else ""
    row["kind"] = "override" if series else "master" if rules else "single"
    row["rules"] = "\n".join(rules) if rules else ""
    row["marker"] = ""


def _time(row: Row, item: dict[str, Any], zone: str) -> None:
    start, end = item["start"], item["end"]
    row["start_wall"], row["start_zone"], row["start_at"] = times.moment(start, zone)
    row["end_wall"], row["end_zone"], row["end_at"] = times.moment(end, zone)
    row["all_day"] = len(row["start_wall"]) == 10
    if row["end_at"] < row["start_at"] or row["all_day"] != (len(row["end_wall"]) == 10):
        raise ValueError("end")


def _people(row: Row, item: dict[str, Any]) -> None:
    organizer = item.get("organizer")
    row["organizer"] = organizer.get("email", "") if organizer else ""
    row["is_organizer"] = bool(organizer.get("self")) if organizer else True
    guests = item.get("attendees")
    row["attendees"] = [_attendee(guest) for guest in guests if guest.get("email")] if guests else []
    row["response"] = _own_response(guests) if guests else ""


def _attendee(guest: dict[str, Any]) -> Attendee:
    get = guest.get
    return Attendee(
        guest["email"],
        _text(get("displayName")),
        _RESPONSES.get(get("responseStatus"), "needs_action"),
        "optional" if get("optional") else "required",
        bool(get("self")),
        bool(get("organizer")),
    )


def _own_response(guests: list[dict[str, Any]]) -> str:
    own = next((guest.get("responseStatus") for guest in guests if guest.get("self")), None)
    return _RESPONSES.get(own, "needs_action")


def _marker(item: dict[str, Any]) -> str:
    private = item["extendedProperties"].get("private") or {}
    return f"{private[SOURCE]}:{private.get(REVISION, '')}" if SOURCE in private else ""


def _special(row: Row, item: dict[str, Any]) -> None:
    row["event_type"] = item["eventType"][:24]
    if row["show_as"] == "busy":
        row["show_as"] = _AWAY.get(item["eventType"], "busy")


def _online(row: Row, item: dict[str, Any]) -> None:
    conference = item.get("conferenceData") or {}
    points = conference.get("entryPoints") or ()
    video = next((point.get("uri") for point in points if point.get("entryPointType") == "video"), "")
    row["online_url"] = video or item.get("hangoutLink") or ""
    code = ((conference.get("createRequest") or {}).get("status") or {}).get("statusCode")
    row["online_state"] = _STATES.get(code, "ready" if row["online_url"] else "")


def _extra(item: dict[str, Any]) -> str:
    """Return JSON of `link`, and `locked` where the main fields cannot be changed here."""
    locked = item.get("locked") or item.get("eventType", "default") != "default"
    link = item.get("htmlLink") or ""
    if not locked and '"' not in link and "\\" not in link:
        return f'{{"link":"{link}"}}' if link else ""
    return orjson.dumps({"link": link, "locked": bool(locked)}).decode()


def _cancelled(item: dict[str, Any], zone: str) -> Row:
    """Return a gap of a series or a deleted event; Google promises no more of them than ids and the original start."""
    row = {**_EMPTY, "attendees": [], "remote_id": item["id"], "object_id": item["id"], "etag": item.get("etag") or ""}
    row["ical_uid"], row["sequence"] = item.get("iCalUID") or "", int(item.get("sequence") or 0)
    if "updated" in item:
        row["remote_updated"] = times.millis(item["updated"])
    if "recurringEventId" in item:
        original = item["originalStartTime"]
        row["kind"], row["object_id"] = "gap", item["recurringEventId"]
        row["recurrence_key"] = times.original_key(original, zone)
        row["start_wall"], row["start_zone"], row["start_at"] = times.moment(original, zone)
        row["end_wall"], row["end_zone"], row["end_at"] = row["start_wall"], row["start_zone"], row["start_at"]
        row["all_day"] = len(row["start_wall"]) == 10
        row["fingerprint"] = fingerprint_of_row(row)
    "".join(_TEXTS(row))
    return row

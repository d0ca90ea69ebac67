"""Insert, import, patch, update, delete and move, as the reference describes them.

Source: reference of events.insert, .import, .patch, .update, .delete, .move and guide "Get specific versions of
resources" (If-Match). Each function returns the item as stored and leaves nothing changed when it refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import bodies, conferences, guests, mails, occurrences, rights
from .calendars import Body, Calendar, Item
from .errors import ApiError, deleted, invalid, not_found, required, stale
from .words import words

if TYPE_CHECKING:
    from .state import Caller, State


@dataclass(frozen=True)
class Options:
    """How a write was asked for. `by_hand`: by the owner at his own screen, who may do what an application may not."""

    send_updates: str = "none"
    if_match: str = ""
    conference_version: int = 0
    attachments: bool = False
    by_hand: bool = False


#: Members whose change leaves `updated` alone (Event.updated: reminders do not count).
_QUIET = frozenset(("reminders",))

_IDENTITY = words(
    "kind etag id status htmlLink created updated creator organizer iCalUID sequence eventType "
    "recurringEventId originalStartTime privateCopy locked hangoutLink"
)


def insert(state: State, by: Caller, body: Body, options: Options) -> Item:
    """Create an event (events.insert).

    :raises ApiError: 400 for what is wrong in it, 403 without write access, 409 `duplicate` for an id or iCalUID that
        was ever used in this calendar, that of a deleted event included.
    """
    _may_write(state, by, options)
    bodies.check_names(body)
    if body.get("status") == "cancelled":
        raise invalid("Invalid value for: status")
    event_id = _fresh_id(state, by.calendar, body)
    content = _content(state, by, body, options)
    new = _identity(state, by, event_id, body) | content
    new.setdefault("status", "confirmed")
    new.setdefault("eventType", "default")
    _check_type(by.calendar, new)
    return _store(state, by, None, new, options)


def import_(state: State, by: Caller, body: Body, options: Options) -> Item:
    """Add a private copy of an event from elsewhere; a second import of the same iCalUID replaces the first."""
    _may_write(state, by, options)
    bodies.check_names(body)
    uid = body.get("iCalUID")
    if not uid:
        raise required("Missing iCalUID.")
    if body.get("eventType", "default") != "default":
        raise invalid("Invalid value for: eventType")
    content = _content(state, by, body, options)
    present = by.calendar.with_uid(uid)
    new = _identity(state, by, present.id if present else state.new_id(), body) | content
    new |= {"status": content.get("status", "confirmed"), "eventType": "default"}
    if body.get("organizer", {}).get("email", by.mailbox) != by.mailbox:
        new["organizer"] = guests.without_self(body["organizer"])
    return _store(state, by, None, new, replace(options, send_updates="none"))


def patch(state: State, by: Caller, event_id: str, changes: Body, options: Options) -> Item:
    """Change the members given and no others: objects merge, arrays are replaced whole, null deletes (events.patch)."""
    bodies.check_names(changes)
    current = _current(state, by, event_id, changes, options)
    if changes.get("status") == "cancelled":
        delete(state, by, event_id, options)
        return by.calendar.items[event_id]
    changes = rights.own_entry_only(by, current, changes)
    if not options.conference_version and not options.by_hand:
        changes = {name: value for name, value in changes.items() if name != "conferenceData"}
    revived = {**current, "status": changes.get("status", current["status"])}
    return _write(state, by, current, bodies.merged(revived, changes), changes, options)


def update(state: State, by: Caller, event_id: str, body: Body, options: Options) -> Item:
    """Replace an event; what is missing is cleared, conference data too unless version 1 is asked (events.update)."""
    bodies.check_names(body)
    current = _current(state, by, event_id, body, options, whole=True)
    if body.get("status") == "cancelled":
        delete(state, by, event_id, options)
        return by.calendar.items[event_id]
    if not options.conference_version:
        body = {name: value for name, value in body.items() if name != "conferenceData"}
    given = {
        "eventType": current.get("eventType", "default"),
        "status": "confirmed",
        **rights.own_entry_only(by, current, body),
    }
    return _write(state, by, current, given, body, options)


def delete(state: State, by: Caller, event_id: str, options: Options) -> None:
    """Delete an event, a series with its exceptions, or cancel one occurrence (events.delete).

    :raises ApiError: 404; 410 `deleted` for what is deleted already; 412 for another version.
    """
    _may_write(state, by, options)
    current = _find(by.calendar, event_id)
    if current["status"] == "cancelled":
        raise deleted()
    _same_version(current, options)
    new = {**current, "status": "cancelled", "etag": state.etag(), "updated": state.stamp()}
    new["sequence"] = current.get("sequence", 0) + 1
    by.calendar.put(new)
    for item in by.calendar.exceptions(event_id) if "recurrence" in current else []:
        by.calendar.put({**item.body, "status": "cancelled", "etag": state.etag(), "updated": state.stamp()})
    if current["organizer"].get("self"):
        mails.announce(state, current, None, options.send_updates)
        guests.spread(state, by.calendar, new, current)
    else:
        _decline(state, by, new)
    state.changed(by.calendar)


def move(state: State, by: Caller, event_id: str, to: Caller, options: Options) -> Item:
    """Move an event to another calendar, which becomes its organizer (events.move)."""
    _may_write(state, by, options)
    _may_write(state, to, options)
    current = _find(by.calendar, event_id)
    if current["status"] == "cancelled":
        raise deleted()
    _same_version(current, options)
    if current.get("eventType", "default") != "default" or "recurringEventId" in current:
        raise ApiError(
            403, "cannotChangeOrganizerOfInstance", "Cannot change the organizer of an instance.", domain="calendar"
        )
    if not current["organizer"].get("self"):
        raise rights.not_organizer("cannotChangeOrganizer")
    if event_id in to.calendar.items:
        raise _duplicate()
    new = {**current, "organizer": _organizer(to), "etag": state.etag(), "updated": state.stamp()}
    new["attendees"] = [guests.marked(each, to.mailbox) for each in current.get("attendees", [])]
    if not new["attendees"]:
        del new["attendees"]
    by.calendar.put({**current, "status": "cancelled", "etag": state.etag(), "updated": state.stamp()})
    item = to.calendar.put(new)
    mails.announce(state, current, new, options.send_updates)
    state.changed(by.calendar)
    state.changed(to.calendar)
    return item


def _may_write(state: State, by: Caller, options: Options) -> None:
    if not options.by_hand:
        state.require_writer(by)


def _find(calendar: Calendar, event_id: str) -> Body:
    item = calendar.items.get(event_id)
    body = item.body if item else occurrences.find(calendar, event_id)
    if body is None:
        raise not_found()
    return body


def _current(state: State, by: Caller, event_id: str, changes: Body, options: Options, *, whole: bool = False) -> Body:
    """Return the event to be changed. A deleted one comes back only by a status that says so.

    :raises ApiError: 403, 404, 410, 412; 400 for a sequence below the present one.
    """
    _may_write(state, by, options)
    current = _find(by.calendar, event_id)
    if current["status"] == "cancelled" and changes.get("status") not in ("confirmed", "tentative"):
        raise deleted()
    _same_version(current, options)
    if whole and changes.get("sequence", current.get("sequence", 0)) < current.get("sequence", 0):
        message = "Invalid sequence value. The specified sequence number is below the current sequence number."
        raise invalid(message)
    kind = current.get("eventType", "default")
    if changes.get("eventType", kind) != kind:
        raise ApiError(400, "eventTypeImmutable", "Event type cannot be changed.", domain="calendar")
    return current


def _same_version(current: Body, options: Options) -> None:
    if options.if_match not in ("", "*") and current["etag"] not in [t.strip() for t in options.if_match.split(",")]:
        raise stale()


def _content(state: State, by: Caller, body: Body, options: Options, current: Body | None = None) -> Body:
    content = bodies.content(
        body, by.calendar, state.unknown_zones, occurrence=bool(current and "recurringEventId" in current)
    )
    if not (options.attachments or options.by_hand):
        content.pop("attachments", None)
        if current and "attachments" in current:
            content["attachments"] = current["attachments"]
    conference = content.pop("conferenceData", None)
    if options.conference_version or options.by_hand or current:
        conference = conferences.wanted(conference, (current or {}).get("conferenceData"))
        if conference:
            content["conferenceData"] = conference
    return content


def _write(state: State, by: Caller, current: Body, given: Body, changes: Body, options: Options) -> Item:
    content = _content(state, by, given, options, current)
    new = {name: current[name] for name in _IDENTITY if name in current} | content
    if "conferenceData" not in new:
        new.pop("hangoutLink", None)
    guests.mark_organizer(new)
    differing = {name for name in {*current, *new} if current.get(name) != new.get(name)}
    if not options.by_hand:
        rights.may_change(by, current, differing, changes)
    rights.tighten(state, by, current, new)
    if differing & {"start", "end", "recurrence", "status"}:
        new["sequence"] = max(current.get("sequence", 0) + 1, int(changes.get("sequence") or 0))
    return _store(state, by, current, new, options, quiet=differing <= _QUIET)


def _store(state: State, by: Caller, before: Body | None, new: Body, options: Options, *, quiet: bool = False) -> Item:
    new["etag"] = state.etag()
    if not quiet:
        new["updated"] = state.stamp()
    guests.mark_organizer(new)
    item = by.calendar.put(new)
    if conferences.is_pending(new):
        state.pending.append((by.calendar, item.id))
    if item.master and before is not None:
        for exception in occurrences.stray(by.calendar, item):
            by.calendar.put({**exception.body, "status": "cancelled", "etag": state.etag(), "updated": state.stamp()})
    if new["organizer"].get("self"):
        mails.announce(state, before, new, options.send_updates)
        guests.spread(state, by.calendar, new, before)
    elif before is not None:
        guests.report(state, by.calendar, new)
        mails.answered(state, new, options.send_updates)
    state.changed(by.calendar)
    return item


def _fresh_id(state: State, calendar: Calendar, body: Body) -> str:
    given = body.get("id")
    if given is None:
        uid = body.get("iCalUID")
        if uid and calendar.with_uid(uid):
            raise _duplicate()
        return state.new_id()
    if not isinstance(given, str) or not bodies.ID.fullmatch(given):
        raise invalid("Invalid resource id value.")
    if given in calendar.items:
        raise _duplicate()
    return given


def _duplicate() -> ApiError:
    return ApiError(409, "duplicate", "The requested identifier already exists.")


def _identity(state: State, by: Caller, event_id: str, body: Body) -> Body:
    creator: Body = {"email": by.account.email}
    if by.account.email == by.mailbox:
        creator["self"] = True
    organizer = body.get("organizer") or {}
    outside = organizer.get("email", by.mailbox) != by.mailbox
    return {
        "kind": "calendar#event",
        "id": event_id,
        "htmlLink": f"{state.base_url}/calendar/event?eid={event_id}",
        "created": state.stamp(),
        "creator": guests.without_self(organizer) if outside else creator,
        "organizer": guests.without_self(organizer) if outside else _organizer(by),
        "iCalUID": body.get("iCalUID") or f"{event_id}@google.com",
        "sequence": int(body.get("sequence") or 0),
        **({"locked": True} if body.get("locked") else {}),
        **({"privateCopy": True} if body.get("privateCopy") else {}),
    }


def _organizer(by: Caller) -> Body:
    """Return the organizer of what is made in a calendar: the person, or a secondary calendar under its own name."""
    named = {} if by.calendar.primary else {"displayName": by.calendar.summary}
    return {"email": by.mailbox, **named, "self": True}


def _check_type(calendar: Calendar, new: Body) -> None:
    """Refuse special events outside primary calendars (guide "Status events")."""
    if new["eventType"] != "default" and not calendar.primary:
        message = "This type of event can only be created on primary calendars."
        raise ApiError(400, "eventTypeRestriction", message, domain="calendar")


def _decline(state: State, by: Caller, new: Body) -> None:
    """A guest who deletes his copy has declined."""
    mine = [{**each, "responseStatus": "declined"} if each.get("self") else each for each in new.get("attendees", [])]
    guests.report(state, by.calendar, {**new, "attendees": mine})

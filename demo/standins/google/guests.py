"""Copies of an event on the calendars of guests who have an account here, and their answers on the way back.

Source: guide "Invite attendees": the event appears on every guest's calendar under the same id; what is shared is the
organizer's, while answer, colour, reminders, transparency, visibility and private properties belong to each copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calendars import Body, Calendar
from .words import words

if TYPE_CHECKING:
    from .state import State

#: Members that belong to one copy alone.
OWN = frozenset(words("reminders colorId transparency visibility"))


def spread(state: State, calendar: Calendar, body: Body, before: Body | None = None) -> None:
    """Bring the guests' copies up to date with the organizer's copy of an event."""
    if body.get("privateCopy") or not body["organizer"].get("self"):
        return
    former = {each["email"] for each in (before or {}).get("attendees", [])}
    present = {each["email"] for each in body.get("attendees", [])}
    for email in former | present:
        theirs = state.calendars.get(email)
        if theirs is None or theirs is calendar:
            continue
        if email not in present or body["status"] == "cancelled":
            _withdraw(state, theirs, body["id"])
        else:
            _copy(state, theirs, body)


def _copy(state: State, theirs: Calendar, body: Body) -> None:
    old = theirs.items.get(body["id"])
    kept = old.body if old and not old.cancelled else {}
    copy = {name: value for name, value in body.items() if name not in OWN and name != "recurrence"}
    if "recurrence" in body:
        copy["recurrence"] = body["recurrence"]
    copy |= {name: kept[name] for name in OWN if name in kept}
    copy.setdefault("reminders", {"useDefault": True})
    copy["organizer"] = without_self(body["organizer"])
    copy["creator"] = without_self(body["creator"])
    copy["attendees"] = [marked(each, theirs.id) for each in body["attendees"]]
    copy["etag"] = state.etag()
    _properties(copy, kept)
    theirs.put(copy)
    state.changed(theirs)


def _properties(copy: Body, kept: Body) -> None:
    """Keep the copy's own private properties and the organizer's shared ones."""
    shared = copy.pop("extendedProperties", {}).get("shared")
    private = kept.get("extendedProperties", {}).get("private")
    both = {kind: pairs for kind, pairs in (("shared", shared), ("private", private)) if pairs}
    if both:
        copy["extendedProperties"] = both


def _withdraw(state: State, theirs: Calendar, event_id: str) -> None:
    item = theirs.items.get(event_id)
    if item is not None and not item.cancelled:
        theirs.put({**item.body, "status": "cancelled", "etag": state.etag(), "updated": state.stamp()})
        state.changed(theirs)


def without_self(person: Body) -> Body:
    """Return a person as others see him."""
    return {name: value for name, value in person.items() if name != "self"}


def marked(attendee: Body, mailbox: str) -> Body:
    """Return an attendee as one copy shows it: `self` where the copy is his."""
    plain = without_self(attendee)
    return {**plain, "self": True} if attendee["email"].lower() == mailbox.lower() else plain


def mark_organizer(body: Body) -> None:
    """Set `organizer` on the attendee who is it (Event.organizer)."""
    for each in body.get("attendees", []):
        if each["email"] == body["organizer"].get("email"):
            each["organizer"] = True


def report(state: State, calendar: Calendar, body: Body) -> None:
    """Carry a guest's answer from his copy to the organizer's, and from there to all."""
    mine = next((each for each in body.get("attendees", []) if each.get("self")), None)
    home = state.calendars.get(body["organizer"].get("email", ""))
    original = home.items.get(body["id"]) if home and home is not calendar else None
    if mine is None or home is None or original is None or original.cancelled:
        return
    answer: dict[str, Any] = {
        name: mine[name] for name in ("responseStatus", "comment", "additionalGuests") if name in mine
    }
    attendees = [
        {**each, **answer} if each["email"] == mine["email"] else each for each in original.body.get("attendees", [])
    ]
    if attendees != original.body.get("attendees"):
        new = {**original.body, "attendees": attendees, "etag": state.etag(), "updated": state.stamp()}
        home.put(new)
        state.changed(home)
        spread(state, home, new)

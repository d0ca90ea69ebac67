"""Who may change what of an event, and what a change of one occurrence does to its series.

Source: guide "Invite attendees" and the descriptions of Event.attendeesOmitted, .guestsCanModify, .locked, .visibility.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calendars import Body
from .errors import ApiError
from .words import words

if TYPE_CHECKING:
    from .state import Caller, State

#: What only the organizer may change (guide "Invite attendees"; Event.guestsCanModify).
_SHARED = frozenset(
    words(
        "summary description location start end recurrence status guestsCanInviteOthers guestsCanModify "
        "guestsCanSeeOtherGuests anyoneCanAddSelf conferenceData attachments source"
    )
)

#: What a locked copy does not let be changed (Event.locked).
_LOCKED = frozenset(words("summary description location start end recurrence"))


def own_entry_only(by: Caller, current: Body, changes: Body) -> Body:
    """With attendeesOmitted, a list of attendees changes only one's own entry (Event.attendeesOmitted)."""
    if not changes.get("attendeesOmitted") or "attendees" not in changes:
        return changes
    own: dict[str, Any] = {}
    for each in changes["attendees"]:
        own[str(each.get("email", "")).lower()] = each
    mine = own.get(by.mailbox.lower(), {})
    merged = [
        {**each, **mine} if each["email"].lower() == by.mailbox.lower() else each
        for each in current.get("attendees", [])
    ]
    return {**changes, "attendees": merged}


def may_change(by: Caller, current: Body, differing: set[str], changes: Body) -> None:
    """Keep guests from the organizer's part of an event, and everybody from a locked one."""
    if current.get("locked") and differing & _LOCKED:
        raise ApiError(403, "forbidden", "Forbidden", domain="calendar")
    if current["organizer"].get("self") or current.get("guestsCanModify"):
        return
    if differing & _SHARED or ("attendees" in differing and _touches_others(by, current, changes)):
        raise not_organizer("forbiddenForNonOrganizer")


def not_organizer(reason: str) -> ApiError:
    message = "Shared properties can only be changed by the organizer of the event."
    return ApiError(403, reason, message, domain="calendar")


def _touches_others(by: Caller, current: Body, changes: Body) -> bool:
    def others(body: Body) -> dict[str, Any]:
        listed = body.get("attendees") or []
        return {
            each["email"].lower(): each.get("responseStatus")
            for each in listed
            if each["email"].lower() != by.mailbox.lower()
        }

    return others(current) != others(changes)


def tighten(state: State, by: Caller, current: Body, new: Body) -> None:
    """Carry a tighter visibility of one occurrence to its whole series, and ignore a looser one (Event.visibility)."""
    if "recurringEventId" not in new or current.get("visibility") == new.get("visibility"):
        return
    tight = ("private", "confidential")
    if new.get("visibility") not in tight:
        new.pop("visibility", None)
        if "visibility" in current:
            new["visibility"] = current["visibility"]
        return
    for item in [by.calendar.items[new["recurringEventId"]], *by.calendar.exceptions(new["recurringEventId"])]:
        if not item.cancelled and item.id != new["id"]:
            by.calendar.put(
                {**item.body, "visibility": new["visibility"], "etag": state.etag(), "updated": state.stamp()}
            )

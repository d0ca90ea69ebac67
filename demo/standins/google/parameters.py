"""Which parameters and scopes each method takes. A test compares this table with Google's discovery document.

Methods that are not here are not imitated and answer 501.
"""

from __future__ import annotations

from collections.abc import Iterable

from .errors import ApiError, invalid, not_imitated
from .words import words

SCOPE = "https://www.googleapis.com/auth/"

#: Discovery document, `parameters` at its top.
EVERYWHERE = frozenset(words("alt fields key oauth_token prettyPrint quotaUser userIp"))

_READ = (
    "calendar calendar.app.created calendar.events calendar.events.freebusy calendar.events.owned "
    "calendar.events.owned.readonly calendar.events.public.readonly calendar.events.readonly calendar.readonly"
)
_WRITE = "calendar calendar.app.created calendar.events calendar.events.owned"
_LISTS = "calendar calendar.calendarlist calendar.calendarlist.readonly calendar.readonly"
_LISTING = (
    "alwaysIncludeEmail eventTypes iCalUID maxAttendees maxResults orderBy pageToken privateExtendedProperty q "
    "sharedExtendedProperty showDeleted showHiddenInvitations singleEvents syncToken timeMax timeMin timeZone "
    "updatedMin"
)
_MAILING = "sendNotifications sendUpdates"
_EDITING = "conferenceDataVersion eventLabelVersion maxAttendees supportsAttachments"

#: method: (query parameters, scopes without their common beginning)
METHODS: dict[str, tuple[str, str]] = {
    "calendarList.list": (
        "maxResults minAccessRole pageToken showDeleted showHidden showOwnOrganizationOnly syncToken",
        _LISTS,
    ),
    "calendarList.get": ("", "calendar.app.created " + _LISTS),
    "calendars.get": (
        "",
        "calendar calendar.app.created calendar.calendars calendar.calendars.readonly calendar.readonly",
    ),
    "colors.get": (
        "",
        "calendar calendar.app.created calendar.calendarlist calendar.calendarlist.readonly calendar.events.freebusy "
        "calendar.events.owned calendar.events.owned.readonly calendar.events.public.readonly calendar.readonly",
    ),
    "events.list": (_LISTING, _READ),
    "events.get": ("alwaysIncludeEmail maxAttendees timeZone", _READ),
    "events.instances": (
        "alwaysIncludeEmail maxAttendees maxResults originalStart pageToken showDeleted timeMax timeMin timeZone",
        _READ,
    ),
    "events.insert": (f"{_EDITING} {_MAILING}", _WRITE),
    "events.patch": (f"alwaysIncludeEmail {_EDITING} {_MAILING}", _WRITE),
    "events.update": (f"alwaysIncludeEmail {_EDITING} {_MAILING}", _WRITE),
    "events.delete": (_MAILING, _WRITE),
    "events.import": ("conferenceDataVersion eventLabelVersion supportsAttachments", _WRITE),
    "events.move": (f"destination {_MAILING}", "calendar calendar.events calendar.events.owned"),
    "events.watch": (_LISTING, _READ),
    "freebusy.query": ("", "calendar calendar.events.freebusy calendar.freebusy calendar.readonly"),
    "channels.stop": (
        "",
        "calendar calendar.acls calendar.acls.readonly calendar.app.created calendar.calendarlist "
        "calendar.calendarlist.readonly calendar.events calendar.events.freebusy calendar.events.owned "
        "calendar.events.owned.readonly calendar.events.public.readonly calendar.events.readonly calendar.readonly "
        "calendar.settings calendar.settings.readonly",
    ),
}

REPEATED = frozenset(words("eventTypes privateExtendedProperty sharedExtendedProperty"))

EVENT_TYPES = frozenset(words("birthday default focusTime fromGmail outOfOffice workingLocation"))

_ENUMS = {
    "sendUpdates": frozenset(("all", "externalOnly", "none")),
    "orderBy": frozenset(("startTime", "updated")),
    "minAccessRole": frozenset(("freeBusyReader", "owner", "reader", "writer", "writerWithoutPrivateAccess")),
    "eventTypes": EVENT_TYPES,
    "alt": frozenset(("json",)),
}

_FLAGS = frozenset(
    words(
        "showDeleted showHidden showOwnOrganizationOnly showHiddenInvitations singleEvents supportsAttachments "
        "sendNotifications alwaysIncludeEmail prettyPrint"
    )
)

_NUMBERS = frozenset(words("maxResults maxAttendees conferenceDataVersion eventLabelVersion"))

#: Scopes whose narrow rules are not imitated; a token with nothing wider is refused loudly.
_NARROW = frozenset(("calendar.app.created", "calendar.events.public.readonly", "calendar.events.freebusy"))


class Arguments:
    """The query of one request, checked against its method."""

    def __init__(self, method: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Check names, enumerations, numbers and flags.

        :raises ApiError: 501 for a name the method does not have, 400 for a value it cannot take.
        """
        allowed = frozenset(METHODS[method][0].split()) | EVERYWHERE
        self.given: dict[str, list[str]] = {}
        for name, value in pairs:
            if name not in allowed:
                raise not_imitated(f"the parameter {name} of {method}")
            _check(name, value)
            self.given.setdefault(name, []).append(value)
        for name, values in self.given.items():
            if len(values) > 1 and name not in REPEATED:
                raise invalid("Bad Request", name)
        if self.number("eventLabelVersion", 0):
            raise not_imitated("eventLabelVersion=1")

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def text(self, name: str, default: str = "") -> str:
        """Return a value, or the default where it was not given."""
        return self.given.get(name, [default])[0]

    def all(self, name: str) -> list[str]:
        """Return every value of a parameter that may be repeated."""
        return self.given.get(name, [])

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean."""
        return self.text(name, "true" if default else "false").lower() == "true"

    def number(self, name: str, default: int) -> int:
        """Return an integer."""
        return int(self.text(name, str(default)))


def _check(name: str, value: str) -> None:
    wrong = (
        (name in _ENUMS and value not in _ENUMS[name])
        or (name in _FLAGS and value.lower() not in ("true", "false"))
        or (name in _NUMBERS and not value.isdigit())
        or (name in ("maxResults", "maxAttendees") and value == "0")
    )
    if wrong:
        raise invalid(f"Invalid value for: {name}", name)


def permit(method: str, scopes: Iterable[str], *, owner: bool = True) -> None:
    """Let a token through that carries one of the method's scopes (discovery document, `scopes`).

    :param owner: the calendar in question is the person's own; the `.owned` scopes reach no other.
    :raises ApiError: 403 `insufficientPermissions`.
    """
    accepted = frozenset(METHODS[method][1].split())
    held = {scope.removeprefix(SCOPE) for scope in scopes} & accepted
    if held and held <= _NARROW:
        raise not_imitated(f"the narrow scopes {', '.join(sorted(held))}")
    if not owner:
        held = {scope for scope in held if ".owned" not in scope}
    if not held:
        challenge = 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"'
        message = "Request had insufficient authentication scopes."
        raise ApiError(403, "insufficientPermissions", message, WWW_Authenticate=challenge)

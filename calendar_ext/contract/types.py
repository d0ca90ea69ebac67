"""The values that cross the hooks: plain types; times are aware UTC datetimes plus an IANA zone, all-day = dates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody invited to an appointment who is not one of its owners."""

    email: str
    name: str = ""
    #: The host's own id of the contact, if it has one.
    contact_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """A host appointment as it is now.

    :param ref: the host's id; never empty (flush before you fire).
    :param version: grows with every change of it; an updated-at in microseconds will do.
    :param start: aware datetime, or a date for all-day.
    :param end: exclusive; same type as `start`.
    :param zone: IANA name the times are shown in; ignored for all-day.
    :param owners: ids of the host users whose calendars it belongs in.
    :param invite_guests: let the owner's provider send the meeting request; False = guests are named in the text.
    :param status: `confirmed`, `tentative` or `cancelled`.
    :param url: address of the record in the host, for a link back; or ''.
    """

    ref: str
    version: int
    title: str
    start: datetime | date
    end: datetime | date
    zone: str = "UTC"
    owners: tuple[str, ...] = ()
    location: str = ""
    description: str = ""
    status: str = "confirmed"
    private: bool = False
    show_as: str = "busy"
    guests: tuple[Guest, ...] = ()
    invite_guests: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """A line on the host's activity timeline: a call, a note, a planned task.

    :param start: when it is planned; None = it has no time and is not shown on a calendar.
    """

    ref: str
    version: int
    title: str
    start: datetime | date | None = None
    end: datetime | date | None = None
    zone: str = "UTC"
    owners: tuple[str, ...] = ()
    kind: str = "activity"
    contact_ref: str | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody the host knows, by every address."""

    ref: str
    name: str
    emails: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class OwnerProfile:
    """A host user, as `host_get_user` answers."""

    user_id: str
    name: str
    email: str
    tenant_id: str
    tenant_name: str = ""
    zone: str = "UTC"
    locale: str = "en"
    #: False: the person may no longer use the host; nothing is synced for them.
    may_use: bool = True


@dataclass(frozen=True, slots=True)
class AppointmentPage:
    """One page of `host_list_appointments`; `cursor` is None on the last."""

    items: tuple[Appointment, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class AppointmentDraft:
    """What a calendar asks the host to write: only `fields` change; `ref` None = create, `cancel` = cancel."""

    ref: str | None
    fields: frozenset[str]
    title: str = ""
    start: datetime | date | None = None
    end: datetime | date | None = None
    zone: str = "UTC"
    location: str = ""
    description: str = ""
    status: str = "confirmed"
    private: bool = False
    show_as: str = "busy"
    cancel: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """`host_apply_appointment` did it: the appointment's id and new version."""

    ref: str
    version: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """`host_apply_appointment` did nothing: the appointment is no longer at `expected_version`."""

    current: Appointment


@dataclass(frozen=True, slots=True)
class MailMessage:
    """One mail to one person."""

    to: str
    subject: str
    text: str
    html: str = ""
    dedupe_key: str = ""
    attachments: tuple[tuple[str, str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of My Account, an entry of the menu, or an admin page."""

    id: str
    label: str
    endpoint: str
    order: int = 50
    badge: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A piece of a host page: rendered by including `template` with `context`."""

    id: str
    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    order: int = 50


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What a marketplace button led to.

    :param ok: False = nothing changed but the log; `message` says what happened, what it means, what to do.
    :param notes: sentences for the success page.
    """

    ok: bool
    state: str
    message: str = ""
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """The marketplace's record of one extension."""

    id: str
    state: str = "available"
    version: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    generation: int = 0
    op: str | None = None
    op_owner: str | None = None
    op_step: str | None = None
    last_error: str = ""


class Registry(Protocol):
    """What the marketplace shows and guards: who runs which operation, and how far it is."""

    def read(self, id: str) -> RegistryEntry:
        """Return the entry; one in state `available` if there is none."""

    def claim(self, id: str, op: str, expected_generation: int | None, ttl: int, actor_id: str | None) -> str | None:
        """Take the one running-operation slot by one conditional UPDATE.

        :param expected_generation: from the form; None = whatever it is now.
        :param ttl: seconds after which a dead operation frees the slot.
        :returns: an operation id, or None: stale form, or somebody else is at it.
        """

    def step(self, op_id: str, name: str) -> None:
        """Remember how far the operation is, and renew the claim."""

    def finish(self, op_id: str, state: str, **changes: Any) -> None:
        """Write the new state, raise `generation`, free the claim. `changes`: version, options, last_error, ..."""

    def log(self, op_id: str, text: str, **facts: Any) -> None:
        """Append one line; never changed or removed."""

"""The schema, by the sections of docs/schema.md: running, content, host, plan."""

from .content import Event, Occurrence, Participant
from .host import Appointment, AppointmentPerson, HostChange, Link, LinkPerson
from .plan import Audit, Conflict, Operation, Run
from .running import (
    Account,
    Calendar,
    CalendarPerson,
    Connection,
    Credential,
    Cursor,
    Installation,
    Lease,
    OAuthAttempt,
    Process,
    Setting,
    SyncState,
    Wake,
)

__all__ = [
    "Account",
    "Appointment",
    "AppointmentPerson",
    "Audit",
    "Calendar",
    "CalendarPerson",
    "Conflict",
    "Connection",
    "Credential",
    "Cursor",
    "Event",
    "HostChange",
    "Installation",
    "Lease",
    "Link",
    "LinkPerson",
    "OAuthAttempt",
    "Occurrence",
    "Operation",
    "Participant",
    "Process",
    "Run",
    "Setting",
    "SyncState",
    "Wake",
]

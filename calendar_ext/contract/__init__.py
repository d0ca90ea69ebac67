"""The public surface: the values that cross the hooks. A host imports from here and from `calendar_ext.hookspecs`."""

from .types import (
    Activity,
    Applied,
    Appointment,
    AppointmentDraft,
    AppointmentPage,
    Conflict,
    Contact,
    Guest,
    MailMessage,
    OperationResult,
    OwnerProfile,
    Panel,
    Registry,
    RegistryEntry,
    Tab,
)

__all__ = [
    "Activity",
    "Applied",
    "Appointment",
    "AppointmentDraft",
    "AppointmentPage",
    "Conflict",
    "Contact",
    "Guest",
    "MailMessage",
    "OperationResult",
    "OwnerProfile",
    "Panel",
    "Registry",
    "RegistryEntry",
    "Tab",
]

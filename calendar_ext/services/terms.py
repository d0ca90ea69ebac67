"""What the manifest promises, as the lifecycle needs it. A test holds the two together; no YAML is read at run time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Refused

ID = "calendar_ext"
#: Oldest installed version from which one step leads here.
UPGRADE_FROM = (0, 1)
KEEP_DAYS = 30
#: What the host must answer; a missing one blocks the install.
REQUIRED_SERVICES = (
    "host_get_user",
    "host_get_appointment",
    "host_list_appointments",
    "host_apply_appointment",
    "host_has_permission",
    "host_base_url",
)
#: What we want from the host; an administrator agrees to each at install.
PERMISSIONS = ("host.users.read", "host.appointments.read", "host.appointments.write")
OPTIONAL_PERMISSIONS = ("host.contacts.read", "host.activities.write", "host.mail.send")
#: Oldest servers, by SQLAlchemy's dialect name.
DATABASES = {"sqlite": (3, 35), "postgresql": (13,)}


@dataclass(frozen=True, slots=True)
class Option:
    """A switch on the marketplace card; `fee` is shown beside it and must be agreed to when it is switched on."""

    default: bool
    fee: str = ""


OPTIONS = {
    "scheduler_active": Option(False, fee="Additional monthly fees may apply when activating the Scheduler."),
}
#: Keys that come with options and are not stored: they say how an operation is to be done.
MANNERS = frozenset({"accept_fees", "tell_colleagues"})


def default_options() -> dict[str, bool]:
    """Return every option as it is before anybody chose."""
    return {key: option.default for key, option in OPTIONS.items()}


def chosen_options(asked: Mapping[str, Any] | None, stored: Mapping[str, Any]) -> dict[str, bool]:
    """Return the options after an administrator's choice.

    :raises Refused: an unknown option, a value that is no yes or no, or a fee not agreed to where one is switched on.
    """
    asked = dict(asked or {})
    chosen = default_options() | {key: bool(value) for key, value in stored.items() if key in OPTIONS}
    for key in asked.keys() - MANNERS:
        if key not in OPTIONS or not isinstance(asked[key], bool):
            raise Refused("Calendar has no such option.", option=key)
        if asked[key] and not chosen[key] and OPTIONS[key].fee and asked.get("accept_fees") is not True:
            raise Refused(f"{OPTIONS[key].fee} Tick the box to agree, or leave the option off.", option=key)
        chosen[key] = asked[key]
    return chosen


def missing_permissions(accepted: Any) -> list[str]:
    """Return the ids an administrator has still to agree to."""
    return [permission for permission in PERMISSIONS if permission not in set(accepted or ())]


def upgradable(version: str) -> bool:
    """Return whether one step leads from an installed version to this one."""
    try:
        return tuple(int(part) for part in version.split(".")[:2]) >= UPGRADE_FROM
    except ValueError:
        return not version

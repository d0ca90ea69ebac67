"""Copy this: a row of ours as the frozen value that crosses a hook, and the address of its page."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from flask import current_app
from sqlalchemy import inspect

from calendar_ext import contract

from .models import Activity, Appointment, Contact, User


def before(row: Any, old: Mapping[str, Any]) -> Any:
    """Return something that reads like `row` did before the changes; `old` maps column to former value."""
    attributes = {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}
    former = SimpleNamespace(**{**attributes, **old})
    former.start = former.starts_at.date() if former.all_day and former.starts_at else former.starts_at
    former.end = former.ends_at.date() if former.all_day and former.ends_at else former.ends_at
    return former


def _address(path: str) -> str:
    return current_app.config["HOST_BASE_URL"].rstrip("/") + path


def appointment(row: Appointment) -> contract.Appointment:
    """Return the appointment as it is now. `row.id` must exist: flush first."""
    return contract.Appointment(
        ref=str(row.id),
        version=row.version,
        title=row.title,
        start=row.start,
        end=row.end,
        zone=row.zone,
        owners=(str(row.owner_id),),
        location=row.place,
        description=row.notes,
        status=row.status,
        private=row.private,
        show_as=row.show_as,
        guests=tuple(contract.Guest(**guest) for guest in row.guests),
        invite_guests=row.invite_guests,
        url=_address(f"/appointments/{row.id}"),
    )


def activity(row: Activity) -> contract.Activity:
    """Return the activity as it is now; without a time it is a note on the timeline."""
    return contract.Activity(
        ref=str(row.id),
        version=row.version,
        title=row.title,
        start=row.start,
        end=row.end,
        zone=row.zone,
        owners=(str(row.owner_id),),
        kind=row.kind,
        contact_ref=str(row.contact_id) if row.contact_id else None,
        url=_address("/activities"),
    )


def contact(row: Contact) -> contract.Contact:
    """Return a contact with every address we know."""
    emails = (row.email,) if row.email else ()
    return contract.Contact(ref=str(row.id), name=row.name, emails=emails, url=_address(f"/contacts/{row.id}"))


def profile(row: User) -> contract.OwnerProfile:
    """Return a user; the organisation's id is what keeps two organisations apart."""
    return contract.OwnerProfile(
        user_id=str(row.id),
        name=row.name,
        email=row.email,
        tenant_id=str(row.organisation_id),
        tenant_name=row.organisation.name if row.organisation else "",
        zone=row.zone,
        locale=row.locale,
        may_use=row.active,
    )


def changes(now: Any, former: Any) -> dict[str, tuple[Any, Any]]:
    """Return field name -> (old, new) for the fields of two payloads of one kind that differ, but not the version."""
    names = [name for name in type(now).__dataclass_fields__ if name != "version"]
    return {
        name: (getattr(former, name), getattr(now, name))
        for name in names
        if getattr(former, name) != getattr(now, name)
    }

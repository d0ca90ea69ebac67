"""Copy this: what the extension may ask us. Each answers from our own tables and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from calendar_ext import contract
from calendar_ext.hookspecs import hookimpl

from . import payloads
from .firing import on_behalf
from .models import Activity, Appointment, Contact, Mail, User, db

#: Draft field -> column; a calendar may change these and no others.
COLUMNS = {
    "title": "title",
    "location": "place",
    "description": "notes",
    "status": "status",
    "zone": "zone",
    "private": "private",
    "show_as": "show_as",
}


def _user(user_id: str) -> User | None:
    return db.session.get(User, int(user_id)) if str(user_id).isdigit() else None


class HostServices:
    """Registered with the plugin manager before any extension is loaded."""

    @hookimpl
    def host_base_url(self) -> str:
        """Copy this: from the configuration, never from a request's Host header."""
        return current_app.config["HOST_BASE_URL"].rstrip("/")

    @hookimpl
    def host_get_user(self, user_id: str) -> contract.OwnerProfile | None:
        user = _user(user_id)
        return payloads.profile(user) if user else None

    @hookimpl
    def host_list_users(self, tenant_id: str) -> list[contract.OwnerProfile]:
        query = select(User).where(User.organisation_id == int(tenant_id), User.active).order_by(User.id)
        return [payloads.profile(user) for user in db.session.scalars(query)]

    @hookimpl
    def host_has_permission(self, user_id: str, permission: str) -> bool:
        """The manifest says which roles have one of its permissions by default; a real host lets admins change that."""
        user = _user(user_id)
        if user is None or not user.active:
            return False
        return user.role in current_app.extensions["harbor"].default_roles(permission)

    @hookimpl
    def host_get_appointment(self, appointment_id: str) -> contract.Appointment | None:
        row = db.session.get(Appointment, int(appointment_id)) if str(appointment_id).isdigit() else None
        return payloads.appointment(row) if row else None

    @hookimpl
    def host_list_appointments(
        self, user_id: str, changed_since: datetime | None, cursor: str | None, limit: int
    ) -> contract.AppointmentPage:
        """Ordered by id, which never changes; the cursor is the last id of the page before."""
        query = select(Appointment).where(Appointment.owner_id == int(user_id), Appointment.id > int(cursor or 0))
        if changed_since is None:
            query = query.where(Appointment.status != "cancelled")
        else:
            query = query.where(Appointment.version >= int(changed_since.timestamp() * 1_000_000))
        rows = list(db.session.scalars(query.order_by(Appointment.id).limit(limit)))
        following = str(rows[-1].id) if len(rows) == limit else None
        return contract.AppointmentPage(tuple(payloads.appointment(row) for row in rows), following)

    @hookimpl
    def host_apply_appointment(
        self,
        session: Session,
        user_id: str,
        draft: contract.AppointmentDraft,
        expected_version: int | None,
        origin: str | None,
    ) -> contract.Applied | contract.Conflict:
        """Copy this: take the row by one conditional UPDATE, write only the draft's fields, flush, leave the commit."""
        if draft.ref is None:
            row = Appointment(owner_id=int(user_id), guests=[])
        else:
            row = _owned(session, draft.ref, user_id)
            if expected_version is not None and not _taken(session, row, expected_version):
                session.refresh(row)
                return contract.Conflict(payloads.appointment(row))
        with on_behalf(session, str(user_id), origin):
            _write(row, draft)
            session.add(row)
        return contract.Applied(str(row.id), row.version)

    @hookimpl
    def host_find_contacts(self, user_id: str, emails: Any) -> list[contract.Contact]:
        user = _user(user_id)
        if user is None:
            return []
        wanted = {email.lower() for email in emails}
        query = select(Contact).where(Contact.organisation_id == user.organisation_id)
        return [payloads.contact(row) for row in db.session.scalars(query) if row.email.lower() in wanted]

    @hookimpl
    def host_log_activity(self, session: Session, user_id: str, entry: contract.Activity, dedupe_key: str) -> bool:
        """The same key twice is one entry. The key goes along as origin: the extension knows its own entry by it."""
        known = select(Activity).where(Activity.owner_id == int(user_id), Activity.dedupe_key == dedupe_key)
        row = session.scalars(known).first() or Activity(owner_id=int(user_id), dedupe_key=dedupe_key)
        with on_behalf(session, str(user_id), dedupe_key):
            row.title, row.kind, row.zone = entry.title, entry.kind, entry.zone
            row.contact_id = int(entry.contact_ref) if entry.contact_ref else None
            _plan(row, entry.start, entry.end)
            session.add(row)
        return True

    @hookimpl
    def host_notify_user(self, user_id: str, kind: str, params: dict[str, Any]) -> bool:
        """This small host has no inbox, so a notice becomes a mail; a real one would show it under its bell."""
        user = _user(user_id)
        if user is None:
            return False
        facts = "\n".join(f"{name}: {value}" for name, value in sorted((params or {}).items()))
        return _post(contract.MailMessage(to=user.email, subject=f"Harbor: {kind.replace('_', ' ')}", text=facts))

    @hookimpl
    def host_send_mail(self, message: contract.MailMessage) -> bool:
        """A real host hands it to its mail server; this one keeps it for the Mail outbox page."""
        return _post(message)

    @hookimpl
    def host_busy_times(self, user_id: str, span: Any) -> list[tuple[datetime, datetime]]:
        """Planned activities take time too, and only we know of them."""
        first, last = span
        busy = (Activity.owner_id == int(user_id), Activity.starts_at < last, Activity.ends_at > first)
        rows = db.session.scalars(select(Activity).where(*busy, ~Activity.all_day).order_by(Activity.starts_at))
        return [(row.starts_at, row.ends_at) for row in rows]

    @hookimpl
    def host_portal_users(self, query: str) -> list[contract.Contact]:
        """Contacts with a portal password may read secured links."""
        rows = db.session.scalars(select(Contact).where(Contact.portal_password_hash != "").order_by(Contact.name))
        found = [row for row in rows if query.lower() in f"{row.name} {row.email}".lower()]
        return [payloads.contact(row) for row in found]

    @hookimpl
    def host_portal_login(self, login: str, password: str) -> str | None:
        row = db.session.scalars(select(Contact).where(Contact.email == login)).first()
        known = row is not None and row.portal_password_hash
        return str(row.id) if known and check_password_hash(row.portal_password_hash, password) else None


def _owned(session: Session, ref: str, user_id: str) -> Appointment:
    row = session.get(Appointment, int(ref))
    if row is None or row.owner_id != int(user_id):
        raise LookupError(f"User {user_id} has no appointment {ref}.")
    return row


def _taken(session: Session, row: Appointment, expected_version: int) -> bool:
    """Lock the row on any database, and find out in the same statement whether it is still what the caller saw."""
    session.flush()
    still = (Appointment.id == row.id, Appointment.version == expected_version)
    claim = update(Appointment).where(*still).values(version=expected_version)
    taken = session.execute(claim, execution_options={"synchronize_session": False}).rowcount == 1
    if taken:
        session.refresh(row)
    return taken


def _write(row: Appointment, draft: contract.AppointmentDraft) -> None:
    if draft.cancel:
        row.status, row.cancel_reason = "cancelled", draft.reason
        return
    for field in draft.fields & COLUMNS.keys() if draft.ref else COLUMNS.keys():
        setattr(row, COLUMNS[field], getattr(draft, field))
    if draft.start is not None and draft.end is not None and (draft.ref is None or draft.fields & {"start", "end"}):
        _plan(row, draft.start, draft.end)


def _plan(row: Appointment | Activity, start: datetime | date | None, end: datetime | date | None) -> None:
    row.all_day = start is not None and not isinstance(start, datetime)
    row.starts_at, row.ends_at = _instant(start), _instant(end)


def _instant(moment: datetime | date | None) -> datetime | None:
    if moment is None or isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time.min, UTC)


def _post(message: contract.MailMessage) -> bool:
    """Store one mail in a transaction of its own; a key that was seen before is the same mail."""
    key = message.dedupe_key or None
    with Session(db.engine) as session, session.begin():
        if key and session.scalars(select(Mail).where(Mail.dedupe_key == key)).first():
            return True
        names = [[name, kind, len(body)] for name, kind, body in message.attachments]
        facts = {"subject": message.subject, "text": message.text, "html": message.html, "attachments": names}
        session.add(Mail(to=message.to, dedupe_key=key, **facts))
    return True

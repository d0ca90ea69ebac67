"""Appointments: list, form, cancel. Nothing here fires a hook: the session does, whoever writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from .. import layout, payloads
from ..models import Appointment, Contact, db
from .contacts import of_my_organisation
from .forms import AppointmentForm, Press, tomorrow_at_nine
from .texts import guest_list

pages = Blueprint("appointments", __name__, url_prefix="/appointments")
STALE = "This appointment changed while you were editing. Look at it again, then save."


def _mine(id: int) -> Appointment:
    row = db.session.get(Appointment, id)
    return row if row and row.owner_id == current_user.id else abort(404)


@pages.get("/")
@login_required
def index() -> str:
    mine = select(Appointment).where(Appointment.owner_id == current_user.id).order_by(Appointment.starts_at)
    now, rows = datetime.now(UTC), db.session.scalars(mine).all()
    coming = [row for row in rows if row.ends_at > now and row.status != "cancelled"]
    return render_template(
        "host/appointments.html", coming=coming, gone=[row for row in rows if row not in coming][::-1]
    )


@pages.get("/<int:id>")
@login_required
def show(id: int) -> str:
    row = _mine(id)
    panels = layout.panels("appointment_panels", appointment=payloads.appointment(row))
    return render_template("host/appointment.html", appointment=row, panels=panels, press=Press())


@pages.route("/new", methods=["GET", "POST"])
@login_required
def add() -> Any:
    """The provider invites the guests unless the person unticks it; past appointments never invite."""
    form = AppointmentForm()
    if request.method == "GET":
        form.zone.data = current_user.zone
        form.starts.data = tomorrow_at_nine(current_user.zone)
        form.ends.data = form.starts.data + timedelta(hours=1)
        form.invite_guests.data = True
    row = Appointment(owner_id=current_user.id, guests=[])
    return _save(form, row) or _form(form, "New appointment", url_for("appointments.index"))


@pages.route("/<int:id>/edit", methods=["GET", "POST"])
@login_required
def edit(id: int) -> Any:
    row = _mine(id)
    form = AppointmentForm(obj=row if request.method == "GET" else None)
    if request.method == "GET":
        form.show(row)
        form.guests.data = guest_list(row.guests)
    elif form.version.data != str(row.version):
        flash(STALE, "warn")
        return redirect(url_for("appointments.edit", id=id))
    return _save(form, row) or _form(form, "Edit appointment", url_for("appointments.show", id=id))


@pages.post("/<int:id>/cancel")
@login_required
def cancel(id: int) -> Any:
    row = _mine(id)
    if Press().validate_on_submit():
        row.status, row.cancel_reason = "cancelled", request.form.get("reason", "")[:500]
        db.session.commit()
        flash("The appointment is cancelled.")
    return redirect(url_for("appointments.index"))


def _form(form: AppointmentForm, title: str, back: str) -> str:
    return render_template("host/form.html", form=form, title=title, back=back)


def _save(form: AppointmentForm, row: Appointment) -> Any:
    """Return a redirect if it was saved, None if the form is to be shown."""
    if not form.validate_on_submit():
        return None
    for name, value in form.when().items():
        setattr(row, name, value)
    row.title, row.place, row.notes = form.title.data, form.place.data or "", form.notes.data or ""
    row.private, row.guests = form.private.data, _guests(form)
    row.invite_guests = form.invite_guests.data and row.starts_at > datetime.now(UTC)
    db.session.add(row)
    try:
        db.session.commit()
    except StaleDataError:
        db.session.rollback()
        flash(STALE, "warn")
        return redirect(url_for("appointments.index"))
    flash("Saved.")
    return redirect(url_for("appointments.show", id=row.id))


def _guests(form: AppointmentForm) -> list[dict[str, Any]]:
    known: dict[str, Contact] = {
        row.email.lower(): row for row in db.session.scalars(of_my_organisation()) if row.email
    }
    guests = []
    for name, email in form.people():
        contact = known.get(email.lower())
        named = name or (contact.name if contact else "")
        guests.append({"email": email, "name": named, "contact_ref": str(contact.id) if contact else None})
    return guests

"""Colleagues of the own organisation, their cards with the panels of extensions, and letting one go."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import current_user, login_required
from sqlalchemy import select

from .. import layout
from ..models import Activity, Appointment, User, db
from .forms import Press

pages = Blueprint("colleagues", __name__, url_prefix="/colleagues")


def _ours() -> Any:
    return select(User).where(User.organisation_id == current_user.organisation_id).order_by(User.name)


@pages.get("/")
@login_required
def index() -> str:
    return render_template("host/colleagues.html", people=db.session.scalars(_ours()).unique().all())


@pages.get("/<int:id>")
@login_required
def show(id: int) -> str:
    person = db.session.scalars(_ours().where(User.id == id)).first() or abort(404)
    panels = layout.panels("staff_panels", staff_user=person)
    return render_template("host/colleague.html", person=person, panels=panels, press=Press())


@pages.post("/<int:id>/remove")
@login_required
def remove(id: int) -> Any:
    """Copy this: `user_deleted` fires before the row goes, in the same transaction."""
    person = db.session.scalars(_ours().where(User.id == id)).first() or abort(404)
    if not current_user.is_admin or person.id == current_user.id:
        abort(403)
    if Press().validate_on_submit():
        for row in (*_rows(Activity, id), *_rows(Appointment, id), person):
            db.session.delete(row)
        db.session.commit()
        flash(f"{person.name} is removed.")
    return redirect(url_for("colleagues.index"))


def _rows(kind: type, owner_id: int) -> Any:
    return db.session.scalars(select(kind).where(kind.owner_id == owner_id))

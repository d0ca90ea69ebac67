"""Activities: what is planned and what happened, and the panels that extensions add."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import select

from .. import layout
from ..models import Activity, db
from .contacts import of_my_organisation
from .forms import ActivityForm, Press, tomorrow_at_nine

pages = Blueprint("activities", __name__, url_prefix="/activities")
NOBODY_KNOWN = object()


@pages.get("/")
@login_required
def index() -> str:
    mine = select(Activity).where(Activity.owner_id == current_user.id).order_by(Activity.id.desc()).limit(200)
    rows = db.session.scalars(mine).all()
    panels = layout.panels("activity_panels")
    return render_template("host/activities.html", activities=rows, panels=panels, press=Press())


@pages.route("/new", methods=["GET", "POST"])
@login_required
def add() -> Any:
    form = ActivityForm()
    if request.method == "GET":
        form.zone.data, form.starts.data = current_user.zone, tomorrow_at_nine(current_user.zone)
        form.ends.data = form.starts.data + timedelta(minutes=30)
    if form.validate_on_submit() and (contact := _contact(form)) is not NOBODY_KNOWN:
        facts = {"title": form.title.data, "kind": form.kind.data, "contact_id": contact.id if contact else None}
        db.session.add(Activity(owner_id=current_user.id, **facts, **form.when()))
        db.session.commit()
        flash("Planned.")
        return redirect(url_for("activities.index"))
    return render_template("host/form.html", form=form, title="Plan an activity", back=url_for("activities.index"))


def _contact(form: ActivityForm) -> Any:
    """Return the contact that was typed, None for nobody; an unknown one is told beside the field."""
    typed = (form.contact.data or "").strip().lower()
    if not typed:
        return None
    for row in db.session.scalars(of_my_organisation()):
        if typed in (row.name.lower(), row.email.lower()):
            return row
    form.contact.errors = [*form.contact.errors, "There is no such contact."]
    return NOBODY_KNOWN


@pages.post("/<int:id>/delete")
@login_required
def delete(id: int) -> Any:
    row = db.session.get(Activity, id)
    if row is None or row.owner_id != current_user.id:
        abort(404)
    if Press().validate_on_submit():
        db.session.delete(row)
        db.session.commit()
        flash("Removed.")
    return redirect(url_for("activities.index"))

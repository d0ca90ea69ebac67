"""Contacts of the own organisation, each with its timeline."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import current_user, login_required
from sqlalchemy import select

from ..models import Activity, Contact, db
from .forms import ContactForm

pages = Blueprint("contacts", __name__, url_prefix="/contacts")


def of_my_organisation() -> Any:
    """Return the query every page on contacts starts from."""
    return select(Contact).where(Contact.organisation_id == current_user.organisation_id).order_by(Contact.name)


@pages.get("/")
@login_required
def index() -> str:
    return render_template("host/contacts.html", contacts=db.session.scalars(of_my_organisation()).all())


@pages.route("/new", methods=["GET", "POST"])
@login_required
def add() -> Any:
    return _edit(Contact(organisation_id=current_user.organisation_id), "New contact")


@pages.route("/<int:id>/edit", methods=["GET", "POST"])
@login_required
def edit(id: int) -> Any:
    return _edit(_mine(id), "Edit contact")


@pages.get("/<int:id>")
@login_required
def show(id: int) -> str:
    """Any colleague's entry about the contact is on its timeline."""
    timeline = select(Activity).where(Activity.contact_id == id).order_by(Activity.created_at.desc())
    return render_template("host/contact.html", contact=_mine(id), timeline=db.session.scalars(timeline).all())


def _mine(id: int) -> Contact:
    return db.session.scalars(of_my_organisation().where(Contact.id == id)).first() or abort(404)


def _edit(contact: Contact, title: str) -> Any:
    form = ContactForm(obj=contact)
    if form.validate_on_submit():
        form.populate_obj(contact)
        db.session.add(contact)
        db.session.commit()
        flash("Saved.")
        return redirect(url_for("contacts.show", id=contact.id))
    return render_template("host/form.html", form=form, title=title, back=url_for("contacts.index"))

"""Signing in and out, My Account, and where Settings leads."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_required, login_user, logout_user
from sqlalchemy import func, select

from .. import layout
from ..models import User, db
from .forms import LoginForm, ProfileForm

pages = Blueprint("account", __name__)


@pages.route("/login", methods=["GET", "POST"])
def login() -> Any:
    form = LoginForm()
    if form.validate_on_submit():
        user = db.session.scalars(select(User).where(func.lower(User.email) == form.email.data.lower())).first()
        if user and user.active and user.check_password(form.password.data):
            session.clear()
            login_user(user)
            layout.remember_menus()
            return redirect(_inside(request.args.get("next")))
        form.password.errors = [*form.password.errors, "This e-mail and password do not belong together."]
    return render_template("host/login.html", form=form, again=request.args.get("again"))


def _inside(address: str | None) -> str:
    """Return an address of ours: never another site, whatever the link said."""
    parts = urlsplit((address or "").replace("\\", "/"))
    inside = parts.path.startswith("/") and not parts.scheme and not parts.netloc and not parts.path.startswith("//")
    return str(address) if address and inside else url_for("home.index")


@pages.post("/logout")
def logout() -> Any:
    logout_user()
    session.clear()
    return redirect(url_for("account.login"))


@pages.route("/account", methods=["GET", "POST"])
@login_required
def profile() -> Any:
    """The first tab of My Account; the others are what `account_tabs` answers."""
    form = ProfileForm(obj=current_user)
    if form.validate_on_submit():
        form.populate_obj(current_user)
        db.session.commit()
        flash("Saved.")
        return redirect(url_for("account.profile"))
    return render_template("host/profile.html", form=form)


@pages.get("/account/settings")
@login_required
def settings() -> Any:
    """Copy this: Settings leads to the first tab an extension added, or to the profile while there is none."""
    offered = layout.entries(layout.offered("account_tabs"))
    return redirect(offered[0].url if offered else url_for("account.profile"))

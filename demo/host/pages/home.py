"""The first page, and the two pages for what one may not or cannot see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, render_template
from flask_login import current_user, login_required
from sqlalchemy import select

from ..models import Activity, Appointment, db

pages = Blueprint("home", __name__)


@pages.get("/")
@login_required
def index() -> str:
    coming = Appointment.ends_at > datetime.now(UTC), Appointment.status != "cancelled"
    mine = select(Appointment).where(Appointment.owner_id == current_user.id, *coming).order_by(Appointment.starts_at)
    latest = select(Activity).where(Activity.owner_id == current_user.id).order_by(Activity.id.desc())
    rows = {
        "appointments": db.session.scalars(mine.limit(5)).all(),
        "latest": db.session.scalars(latest.limit(5)).all(),
    }
    return render_template("host/home.html", **rows)


def forbidden(error: Any) -> tuple[str, int]:
    return render_template("host/sorry.html", title="Not for you", text="Ask your administrator."), 403


def missing(error: Any) -> tuple[str, int]:
    return render_template("host/sorry.html", title="Not found", text="There is no page at this address."), 404

"""The mail outbox: what would have been sent, to read instead of to receive."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask_login import current_user, login_required
from sqlalchemy import select

from ..models import Mail, db

pages = Blueprint("mail", __name__, url_prefix="/mail")


def _may_read(mail: Mail) -> bool:
    return current_user.is_admin or mail.to == current_user.email


@pages.get("/")
@login_required
def index() -> str:
    mails = [mail for mail in db.session.scalars(select(Mail).order_by(Mail.id.desc()).limit(200)) if _may_read(mail)]
    return render_template("host/mails.html", mails=mails)


@pages.get("/<int:id>")
@login_required
def show(id: int) -> str:
    """Only the plain text is shown: it holds the links, and somebody else's HTML never runs in our page."""
    mail = db.session.get(Mail, id)
    if mail is None or not _may_read(mail):
        abort(404)
    return render_template("host/mail.html", mail=mail)

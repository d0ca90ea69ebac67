"""Mails of ours, drawn from templates in each reader's own language."""

from __future__ import annotations

from flask import render_template, url_for

from ..contract import OwnerProfile
from .asking import parts
from .speaking import texts_for
from .texts import N_, NN_


def start_mail(person: OwnerProfile) -> tuple[str, str, str]:
    """Return subject, text and HTML of the mail that offers to start one's synchronization."""
    speech = texts_for(person)
    subject = speech.gettext(N_("Your calendar in {host}"))
    url = parts().host.base_url().rstrip("/") + url_for("calendar_ext.start")
    context = speech.context() | {"person": person, "url": url, "subject": subject}
    text = render_template("calendar_ext/mail/start.txt", **context)
    return subject, text, render_template("calendar_ext/mail/start.html", **context)


def invitations_sent(actor: OwnerProfile, sent: int, failed: int) -> str:
    """Return the sentence for the administrator's success page."""
    speech = texts_for(actor)
    said = speech.ngettext(*NN_("{n} invitation sent.", "{n} invitations sent."), sent)
    if not failed:
        return said
    return said + " " + speech.ngettext(*NN_("{n} could not be sent.", "{n} could not be sent."), failed)

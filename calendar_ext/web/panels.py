"""What we add to the pages of the host: tabs, menu entries, panels. Values in, the host draws.

Everything is empty while the extension is not active, and for people who may not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask import request, url_for
from flask_wtf.csrf import generate_csrf

from ..contract import OwnerProfile, Panel, Tab
from ..services.health import worst
from ..services.views import Alone
from .asking import may, parts, profile_of
from .conditions import sentence_of
from .routes import ADMIN, CONNECT, VIEW
from .safe import safe_next, safe_url
from .speaking import places, texts_for
from .texts import N_, Texts

NOT_CONNECTED = N_("Calendar not connected")
#: Why an appointment is only in the host (`sync.ports.plan`).
REASONS = {
    "not_connected": NOT_CONNECTED,
    "before_sync_start": N_("Before your sync start"),
    "refused": N_("{company} refused: {reason}"),
    "kept_here": N_("Kept only in {host}"),
    "one_way": N_("Your connection only brings events into {host}"),
    "read_only": N_("Your calendar can only be read"),
}


class Panels:
    """Bodies of the rendering hooks; `user` is a Flask-Login user."""

    def account_tabs(self, user: Any) -> list[Tab]:
        """Return our tab of My Account."""
        person = _person(user)
        if person is None:
            return []
        needs = worst(parts().health.connections(person))
        badge = "!" if needs is not None and needs.state in ("sign_in", "limited", "consent", "review", "error") else ""
        return [Tab("calendar_sync", places()["settings_tab"], "calendar_ext.settings", 50, badge, "calendar")]

    def navigation(self, user: Any) -> list[Tab]:
        """Return our entry of the main menu."""
        person = _person(user)
        if person is None:
            return []
        label = texts_for(person).gettext(N_("Calendar"))
        return [Tab("calendar", label, "calendar_ext.page", 40, "", "calendar")]

    def admin_pages(self, user: Any) -> list[Tab]:
        """Return our pages of the administration menu."""
        person = _person(user, ADMIN)
        if person is None:
            return []
        label = texts_for(person).gettext(N_("Calendar health"))
        return [Tab("calendar_health", label, "calendar_ext.admin_health", 60, "", "pulse")]

    def activity_panels(self, user: Any) -> list[Panel]:
        """Return what is only in the host, and activities that have a time."""
        person = _person(user)
        if person is None:
            return []
        speech = texts_for(person)
        panels = [_unsynced(person, speech)]
        planned = parts().reading.planned(person)
        if planned:
            title = speech.gettext(N_("Planned activities"))
            context = speech.context() | _drawn(planned, person, speech)
            panels.append(Panel("calendar_planned", title, "calendar_ext/activities/planned.html", context, 30))
        return panels

    def appointment_panels(self, user: Any, appointment: Any) -> list[Panel]:
        """Return where one appointment stands: in step, or only in the host and why."""
        person = _person(user)
        if person is None:
            return []
        speech = texts_for(person)
        alone = next((row for row in parts().reading.alone(person) if row.ref == getattr(appointment, "ref", "")), None)
        conditions = parts().health.connections(person)
        first = worst(conditions)
        if first is None:
            sentence = speech.gettext(NOT_CONNECTED)
        elif alone is not None:
            sentence = _reason(alone, speech, first.company)
        elif first.in_step:
            sentence = speech.gettext(N_("In step with {email}."), email=first.email)
        else:
            sentence = sentence_of(first, speech)
        context = speech.context() | {"sentence": sentence}
        title = speech.gettext(N_("Calendar"))
        return [Panel("calendar_appointment", title, "calendar_ext/activities/appointment.html", context, 40)]

    def staff_panels(self, user: Any, staff_user: Any) -> list[Panel]:
        """Return nothing: connecting for a colleague comes with a later release."""
        return []


def _unsynced(person: OwnerProfile, speech: Texts) -> Panel:
    conditions = [one for one in parts().health.connections(person) if one.state != "disconnecting"]
    rows = parts().reading.alone(person)
    company = conditions[0].company if conditions else ""
    context = speech.context() | _drawn(rows, person, speech, company)
    context |= {
        "connected": bool(conditions) and may(CONNECT, person),
        "company": company,
        "send_url": url_for("calendar_ext.send"),
        "keep_url": url_for("calendar_ext.keep"),
        "start_url": url_for("calendar_ext.start") if may(CONNECT, person) else "",
        "token": generate_csrf(),
        "next": safe_next(request.path, url_for("calendar_ext.page")),
    }
    title = speech.gettext(N_("Not synchronized"))
    return Panel("calendar_unsynchronized", title, "calendar_ext/activities/unsynchronized.html", context, 20)


def _drawn(rows: Sequence[Alone], person: OwnerProfile, speech: Texts, company: str = "") -> dict[str, Any]:
    base = parts().host.base_url()
    links = [safe_next(row.url, "") or (safe_url(row.url) if row.url.startswith(base) else "") for row in rows]
    return {
        "rows": rows,
        "links": links,
        "times": [_time(row.start, row.end, speech) for row in rows],
        "reasons": [_reason(row, speech, company) for row in rows],
    }


def _time(start: datetime | date | None, end: datetime | date | None, speech: Texts) -> str:
    if isinstance(start, datetime) and isinstance(end, datetime):
        return f"{speech.short_day(start.date())}, {speech.clock(start)} – {speech.clock(end)}"
    return speech.short_day(start) if start else ""


def _reason(row: Alone, speech: Texts, company: str) -> str:
    text = REASONS.get(row.reason, NOT_CONNECTED)
    return speech.gettext(text, company=company or "–", reason=speech.plain(row.reason_text))


def _person(user: Any, permission: str = VIEW) -> OwnerProfile | None:
    """Return who is asking, if we are active and they may see the thing."""
    if not parts().activation.is_active():
        return None
    person = profile_of(user)
    return person if person is not None and may(permission, person) else None

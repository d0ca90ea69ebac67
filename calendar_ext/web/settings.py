"""The tab under My Account: the status sentence, one card per connection, and what can be connected."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from ..errors import CalendarExtError, KeyMissing, Refused
from .asking import may, me, parts, tending
from .conditions import badge_of, hero_of, sentence_of
from .forms import Disconnect, Press, Switch, pressed
from .messages import said
from .notices import notice_of, say, take
from .routes import CONNECT, Routes
from .speaking import texts
from .texts import N_

routes = Routes()


@routes.add("/settings", "settings")
def settings() -> Any:
    """Calendar sync settings."""
    conditions = parts().health.connections(me())
    return render_template(
        "calendar_ext/settings/tab.html",
        hero=hero_of(conditions, texts()),
        cards=[(one, badge_of(one, texts()), sentence_of(one, texts())) for one in conditions],
        offers=parts().connecting.offers(me().tenant_id),
        obstacle=_obstacle(),
        may_connect=may(CONNECT),
        notices=take(texts()),
        press=Press(),
        now=parts().health.now(),
        alone=len(parts().reading.alone(me())),
    )


def _obstacle() -> Any:
    """Return why nothing can be connected here, or None."""
    try:
        parts().connecting.ready()
    except KeyMissing:
        return notice_of(texts(), "M27", {})
    except Refused:
        return notice_of(texts(), "insecure", {})
    return None


@routes.add("/connections/<id>/auto-sync", "switch", "POST", permission=CONNECT)
def switch(id: str) -> Any:
    """The Auto-sync switch: at once, without asking, with an undo beside the sentence."""
    on = pressed(Switch).on.data == "1"
    card = tending().switch(me(), id, on)
    waiting = _waiting(id)
    if on:
        say("resumed", n=str(waiting), email=card.account.email)
    else:
        say("paused", n=str(waiting), email=card.account.email, undo=id)
    return redirect(url_for("calendar_ext.settings"), 303)


def _waiting(id: str) -> int:
    return next((one.waiting for one in parts().health.connections(me()) if one.connection == id), 0)


@routes.add("/connections/<id>/sync", "sync_now", "POST", permission=CONNECT)
def sync_now(id: str) -> Any:
    """Wake the account and come back."""
    pressed(Press)
    card = tending().sync_now(me(), id)
    say("syncing", email=card.account.email)
    return redirect(url_for("calendar_ext.settings"), 303)


@routes.add("/connections/<id>/disconnect", "disconnect", "GET", "POST", permission=CONNECT)
def disconnect(id: str) -> Any:
    """Ask what to keep, then leave. The page is a question; only its button does anything."""
    if request.method == "POST":
        form = pressed(Disconnect)
        remove = {"remove_here": form.here.data == "remove", "remove_there": form.there.data == "remove"}
        card = tending().disconnect(me(), id, **remove)
        say("leaving_now", email=card.account.email)
        return redirect(url_for("calendar_ext.settings"), 303)
    tending().card(me(), id)
    condition = next(one for one in parts().health.connections(me()) if one.connection == id)
    return render_template("calendar_ext/settings/disconnect.html", one=condition, form=Disconnect())


@routes.add("/connections/<id>/problems", "problems")
def problems(id: str) -> Any:
    """What could not be synchronized, by name and reason; and what waits for a person."""
    card = tending().card(me(), id)
    condition = next(one for one in parts().health.connections(me()) if one.connection == id)
    return render_template(
        "calendar_ext/settings/problems.html",
        one=condition,
        refused=[_refusal(row, condition.company) for row in parts().reading.refused(me(), card.account.id)],
        press=Press(),
        may_connect=may(CONNECT),
        notices=take(texts()),
    )


def _refusal(row: dict[str, Any], company: str) -> dict[str, str]:
    """Return one line: what came in and was not understood, or what the provider would not take (M16)."""
    title = row["title"] or texts().gettext(N_("(no title)"))
    reason = texts().plain(row["reason"])
    if row["direction"] == "out":
        reason = said(texts(), "M16", {"company": company, "title": title, "reason": reason or "–"})
    return {"title": title, "direction": row["direction"], "reason": reason}


@routes.add("/connections/<id>/release", "release", "POST", permission=CONNECT)
def release(id: str) -> Any:
    """Approve exactly what a stopped run would have done (R-06)."""
    pressed(Press)
    card = tending().card(me(), id)
    try:
        parts().editing.release(me(), card.connection.public_id)
    except CalendarExtError as error:
        if not isinstance(error, Refused):
            raise
        say("refused")
    else:
        say("released")
    return redirect(url_for("calendar_ext.problems", id=id), 303)

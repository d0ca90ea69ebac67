"""Which calendars of a connection are used, and how."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request, url_for

from ..errors import Refused
from ..services.preferences import DIRECTIONS
from ..services.tending import Chosen
from .asking import me, parts, tending
from .forms import Choose, Press, pressed
from .notices import say, take
from .routes import CONNECT, Routes
from .speaking import texts

routes = Routes()


@routes.add("/connections/<id>/calendars", "calendars", "GET", "POST", permission=CONNECT)
def calendars(id: str) -> Any:
    """Choose calendars."""
    card = tending().card(me(), id)
    found = tending().calendars(me(), id)
    problem = ""
    if request.method == "POST":
        form = pressed(Choose)
        known = {choice.public_id for choice in found}
        if not (form.mirrored.none_but(known) and form.checked.none_but(known) and _direction(form) in DIRECTIONS):
            abort(400)
        try:
            _store(id, form)
        except Refused as refusal:
            problem = str(refusal)
        else:
            say("chosen")
            return redirect(url_for("calendar_ext.settings"), 303)
    condition = next(one for one in parts().health.connections(me()) if one.connection == id)
    page = render_template(
        "calendar_ext/settings/calendars.html",
        one=condition,
        choices=found,
        direction=card.connection.direction,
        directions=DIRECTIONS,
        problem=problem,
        press=Press(),
        notices=take(texts()),
    )
    return page, 400 if problem else 200


def _direction(form: Choose) -> str:
    return form.direction.data or "both"


def _store(id: str, form: Choose) -> None:
    chosen = Chosen(
        mirrored=frozenset(form.mirrored.data or ()),
        checked=frozenset(form.checked.data or ()),
        destination=form.destination.data or "",
        keep=form.removed.data != "remove",
    )
    tending().choose(me(), id, chosen)
    if form.direction.data:
        parts().preferences.set_direction(me(), id, form.direction.data)


@routes.add("/connections/<id>/calendars/refresh", "refresh_calendars", "POST", permission=CONNECT)
def refresh_calendars(id: str) -> Any:
    """Ask the provider which calendars there are now."""
    pressed(Press)
    tending().look_again(me(), id)
    say("looked")
    return redirect(url_for("calendar_ext.calendars", id=id), 303)

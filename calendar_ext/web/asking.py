"""Who asks, and whether they may: Flask-Login says who, the host says what they may (trust.md T-16, T-17)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import abort, current_app, g, request
from flask_login import current_user

from ..contract import OwnerProfile
from ..services.tending import Tending
from .routes import CONNECT, VIEW, Route


def parts() -> Any:
    """Return the services `bootstrap` left for this application."""
    return current_app.extensions["calendar_ext"]


def tending() -> Tending:
    """Return what a person may do with a connection of theirs."""
    return parts().tending


def me() -> OwnerProfile:
    """Return the person of this request. Only behind `checker`, which made sure there is one."""
    return g.calendar_ext_me


def profile_of(user: Any) -> OwnerProfile | None:
    """Return a Flask-Login user as the host describes them; None for nobody, or where they may not use the host."""
    if user is None or not user.is_authenticated:
        return None
    found = parts().host.profile(user.get_id())
    return found if found is not None and found.may_use else None


def may(permission: str, user: OwnerProfile | None = None) -> bool:
    """Return whether a person has a permission, by default the one of this request; asked anew each time."""
    return bool(parts().host.has_permission((user or me()).user_id, permission))


def checker(routes: Mapping[str, Route]) -> Callable[[], Any]:
    """Return what runs before every view of ours and lets pass only what was declared and allowed."""

    def check() -> Any:
        route = routes.get(request.endpoint or "")
        if route is None:
            abort(404)
        if route.access in ("public", "monitor"):
            return None
        if not current_user.is_authenticated:
            return _sign_in_first()
        profile = profile_of(current_user)
        if profile is None or not may(VIEW, profile):
            abort(404)
        g.calendar_ext_me = profile
        if not may(route.permission, profile):
            # Who may see but not change is told so; anything else is not there for them.
            abort(403 if route.permission == CONNECT else 404)
        return None

    return check


def _sign_in_first() -> Any:
    if wants_json():
        abort(401)
    app: Any = current_app
    return app.login_manager.unauthorized()


def wants_json() -> bool:
    """Return whether the answer is read by a script."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and request.accept_mimetypes[best] > request.accept_mimetypes["text/html"]

"""Harbor: a small, honest Flask application, and an example of a host for marketplace extensions.

It imports from `calendar_ext` only `hookspecs`, `contract` and what the entry point names. Each part says what to copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask_login import LoginManager
from flask_wtf import CSRFProtect

from . import extensions, layout, pages, seed
from .firing import fire
from .models import User, db

__all__ = ["create_app", "db", "fire"]

DEFAULTS: dict[str, Any] = {
    "SECRET_KEY": None,
    "SQLALCHEMY_DATABASE_URI": "sqlite:///harbor.sqlite",
    # A name of our own: on one machine another service on another port must not overwrite the cookie.
    "SESSION_COOKIE_NAME": "harbor_session",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "MAX_CONTENT_LENGTH": 32 * 1024 * 1024,
    # The address people use; every absolute link and every redirect address starts with it.
    "HOST_BASE_URL": "http://127.0.0.1:5000",
    # True: menus are read once, at sign-in, as older products do; people log in again to see a new entry.
    "HOST_MENUS_AT_SIGN_IN": False,
    # What this product calls its places; each name is an address too (`My Data` answers under /my-data).
    "HOST_PLACES": {},
    "HOST_ZONE": "Europe/Amsterdam",
    # Copy this: the few words an extension needs to look at home.
    "CALENDAR_EXT_HOST_NAME": "Harbor",
    "CALENDAR_EXT_BASE_TEMPLATE": "host/base.html",
    "CALENDAR_EXT_BLOCK": "content",
    "CALENDAR_EXT_HELP_CONTACT": "help@harbor.example",
}


def create_app(
    config: Mapping[str, Any] | None = None, *, transport: Any = None, plugins: Iterable[Any] | None = None
) -> Flask:
    """Return the host, with every installed extension started.

    :param config: overrides of `DEFAULTS` and the extensions' own keys.
    :param transport: handed to extensions; only the demo and tests give one.
    :param plugins: entry points (or objects like them) to load instead of the installed ones.
    """
    app = Flask(__name__, instance_path=_instance(config))
    app.config.from_mapping(DEFAULTS)
    app.config.from_mapping(config or {})
    app.config["CALENDAR_EXT_PLACES"] = layout.place_names(app)
    _foundations(app)
    layout.init_app(app)
    pages.init_app(app)
    extensions.prepare(app)
    with app.app_context():
        db.create_all()
        seed.fill_if_empty()
    extensions.start(app, plugins, transport)
    return app


def _instance(config: Mapping[str, Any] | None) -> str | None:
    folder = (config or {}).get("HOST_FOLDER")
    return str(Path(folder).resolve()) if folder else None


def _foundations(app: Flask) -> None:
    """Copy this: database, login and CSRF stand before the first extension is loaded."""
    if not app.config["SECRET_KEY"]:
        raise ValueError("SECRET_KEY is not set: sign-ins would not survive a restart.")
    db.init_app(app)
    CSRFProtect(app)
    login = LoginManager(app)
    login.login_view = "account.login"
    login.login_message = "Sign in to continue."
    login.session_protection = "basic"

    @login.user_loader
    def load(user_id: str) -> User | None:
        return db.session.get(User, int(user_id))

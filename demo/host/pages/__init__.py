"""The host's own pages, one blueprint per section."""

from __future__ import annotations

from flask import Flask

from . import account, activities, appointments, colleagues, contacts, home, mail, marketplace, texts

SECTIONS = (account, activities, appointments, colleagues, contacts, home, mail, marketplace)


def init_app(app: Flask) -> None:
    """Register every section and the few filters the templates use."""
    for section in SECTIONS:
        app.register_blueprint(section.pages)
    app.jinja_env.filters.update(clock=texts.clock, span=texts.span, guest_list=texts.guest_list)
    app.register_error_handler(403, home.forbidden)
    app.register_error_handler(404, home.missing)

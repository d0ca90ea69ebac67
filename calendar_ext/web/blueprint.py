"""The blueprint assembled: routes, gate, access, errors, headers, templates. Registered always, asked every time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, g, request
from jinja2 import ChoiceLoader, FileSystemLoader

from .._resources import static_dir, templates_dir
from . import calendar, choosing, editing, helping, monitoring, oauth, settings
from .asking import checker
from .errors import attach_errors
from .frame import FrameLoader
from .gate import Asked, attach_gate
from .routes import Route
from .speaking import words

NAME = "calendar_ext"
#: Our stylesheet and script are the same for everybody.
STATIC = Route("/static/<path:filename>", "static", ("GET",), lambda: None, "public", "", "200")
#: Headers of every answer that has none of its own (trust.md T-43, T-45).
HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
}
#: Only on pages that stand alone; inside the host's layout its own policy holds.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)


def routes() -> list[Route]:
    """Return every route of ours, the one for static files included."""
    modules: Iterable[Any] = (settings, oauth, choosing, calendar, editing, helping, monitoring)
    return [route for module in modules for route in module.routes] + [STATIC]


def make_blueprint(config: Any, activation: Asked) -> Blueprint:
    """Return a blueprint for one application.

    :param config: `config.Config`: prefix, base template and block.
    :param activation: asked by the gate at every request below the prefix.
    """
    blueprint = Blueprint(
        NAME, __name__, url_prefix=config.url_prefix, static_folder=str(static_dir()), static_url_path="/static"
    )
    loader = ChoiceLoader([FileSystemLoader(templates_dir()), FrameLoader(config.base_template, config.block)])
    vars(blueprint)["jinja_loader"] = loader
    declared = {f"{NAME}.{route.endpoint}": route for route in routes()}
    attach_gate(blueprint, config.url_prefix, activation, declared)
    blueprint.before_request(checker(declared))
    attach_errors(blueprint)
    blueprint.context_processor(words)
    blueprint.after_request(_headers)
    for route in routes():
        if route is not STATIC:
            blueprint.add_url_rule(
                route.rule, route.endpoint, route.view, methods=list(route.methods), strict_slashes=False
            )
    return blueprint


def _headers(response: Response) -> Response:
    static = request.endpoint == f"{NAME}.static"
    for name, value in HEADERS.items():
        if not (static and name in ("Cache-Control", "Vary")):
            response.headers.setdefault(name, value)
    if g.get("calendar_ext_alone"):
        response.headers.setdefault("Content-Security-Policy", POLICY)
    return response

"""While the extension is not active its addresses do not exist, but for those that say so (architecture.md 10.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from flask import Blueprint, Response, abort, request

from ..errors import StoreUnavailable
from ..sync.ports.running import InstallationRecord
from .routes import Route

#: States in which administrators find their pages although nobody else finds anything.
_INSTALLED = ("installed", "inactive", "failed")


class Asked(Protocol):
    """`host.activation.Activation`, as the gate asks it."""

    def state(self) -> InstallationRecord:
        """Return the installation row."""


def attach_gate(blueprint: Blueprint, prefix: str, activation: Asked, routes: Mapping[str, Route]) -> None:
    """Hide every address under `prefix` unless the extension is active.

    Asked before routing's own verdict counts: a GET on an address that only takes POST would otherwise answer 405 and
    give away that something is there.

    :param routes: by endpoint, the blueprint's name before a dot.
    """

    @blueprint.before_app_request
    def gate() -> Response | None:
        if not f"{request.path}/".startswith(f"{prefix}/"):
            return None
        route = routes.get(request.endpoint or "")
        if route and route.when_inactive == "200" and route.access != "admin":
            return None
        _open(activation, route)
        return None


def _open(activation: Asked, route: Route | None) -> None:
    try:
        state = activation.state().state
    except StoreUnavailable:
        abort(Response("", 503, {"Retry-After": "5", "Cache-Control": "no-store"}))
    if state == "active":
        return
    if route and route.access == "admin" and route.when_inactive == "200" and state in _INSTALLED:
        return
    abort(410 if route and route.when_inactive == "410" else 404)

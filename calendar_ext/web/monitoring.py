"""Health for machines and for administrators (trust.md O-04)."""

from __future__ import annotations

from typing import Any

from flask import jsonify, render_template

from .asking import parts, wants_json
from .routes import ADMIN, Routes

routes = Routes()


@routes.add("/health", "health", access="monitor", permission="", when_inactive="200")
def health() -> Any:
    """Whether the process answers and its database does; nothing else, to anybody."""
    live = parts().health.live()
    return jsonify(status="ok" if live else "unavailable"), 200 if live else 503


@routes.add("/admin/health", "admin_health", access="admin", permission=ADMIN, when_inactive="200")
def admin_health() -> Any:
    """What an administrator should look at: counts, ages, findings; no title and no address of anybody."""
    report = parts().health.report()
    if wants_json():
        return jsonify(report | {"installation": _installation(report)})
    return render_template("calendar_ext/help/health.html", report=report)


def _installation(report: dict[str, Any]) -> Any:
    found = report.get("installation")
    return {"state": found.state, "version": found.version, "schema": found.schema_revision} if found else None

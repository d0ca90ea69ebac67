"""Copy this: Maintenance > Marketplace. Cards are made from manifests; each button runs one operation of an extension.

The form carries the `generation` it was drawn with. It is compared here to say so kindly, and once more in the
registry's claim, which decides between two who press at the same moment.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_required
from sqlalchemy import func, select

from calendar_ext.contract import OperationResult, RegistryEntry

from .. import layout
from ..extensions import Extension
from ..models import User, db
from ..registry import as_of
from .forms import Press

log = logging.getLogger("harbor.marketplace")
pages = Blueprint("marketplace", __name__, url_prefix="/marketplace")

STALE = "The page was out of date: somebody changed {name} meanwhile. Nothing was done. This is how it is now."
FAILED = "{name} could not do this. Nothing was changed; the log on this page says what happened."
STATES = {
    "available": "Not installed",
    "installed": "Installed",
    "active": "Active",
    "inactive": "Not active",
    "uninstalled": "Not installed",
    "failed": "Needs attention",
}
DATA = {
    "keep": "Keep for {days} days",
    "export_then_delete": "Export, then delete",
    "delete": "Delete",
}


def for_administrators(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let only administrators in; the others do not learn what is here."""

    @login_required
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs) if current_user.is_admin else abort(403)

    return guarded


# ── What a card shows ──────────────────────────────────────────────────────────────────────────────────────────


class Card:
    """One extension as the marketplace shows it: its manifest, its entry, and what may be done with it now."""

    def __init__(self, extension: Extension, entry: RegistryEntry, record: Any) -> None:
        self.extension, self.entry, self.record = extension, entry, record
        self.manifest = extension.manifest
        self.id = extension.id
        self.name = self.manifest.get("name", extension.id)
        self.summary = self.manifest.get("summary", "").replace("{host}", current_app.config["CALENDAR_EXT_HOST_NAME"])

    @property
    def state(self) -> str:
        return "failed" if self.extension.problem else self.entry.state

    @property
    def state_label(self) -> str:
        return STATES.get(self.state, self.state)

    @property
    def upgrade_waits(self) -> bool:
        installed = self.entry.state in ("installed", "active", "inactive")
        return installed and bool(self.entry.version) and self.entry.version != self.manifest.get("version")

    @property
    def actions(self) -> list[str]:
        """Return the buttons that fit the state, the main one first."""
        if self.extension.problem or self.entry.op:
            return []
        upgrade = ["upgrade"] if self.upgrade_waits else []
        return upgrade + {
            "available": ["install"],
            "installed": ["activate", "uninstall"],
            "active": ["settings", "deactivate", "uninstall"],
            "inactive": ["activate", "uninstall"],
            "uninstalled": ["install", "delete"] if self.record and self.record.purge_at else ["install"],
            "failed": ["install", "uninstall"],
        }.get(self.state, [])

    @property
    def secrets(self) -> list[dict[str, Any]]:
        """Return each secret with `present`; its value is never read into a page."""
        declared = self.manifest.get("secrets", [])
        return [{**s, "required": s.get("required", True), "present": _is_set(s["key"])} for s in declared]

    @property
    def missing(self) -> list[dict[str, Any]]:
        return [secret for secret in self.secrets if secret["required"] and not secret["present"]]

    @property
    def redirects(self) -> list[tuple[str, str]]:
        """Return (provider, absolute address to register there)."""
        base = current_app.config["HOST_BASE_URL"].rstrip("/")
        return [
            (sign_in["provider"].title(), base + sign_in["redirect_path"]) for sign_in in self.manifest.get("oauth", [])
        ]

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self.manifest.get("permissions", {}).get("requests", [])

    @property
    def defines(self) -> list[dict[str, Any]]:
        return self.manifest.get("permissions", {}).get("defines", [])

    @property
    def options(self) -> list[dict[str, Any]]:
        return self.manifest.get("options", [])

    @property
    def data_choices(self) -> list[tuple[str, str]]:
        rules = self.manifest["data"]["on_uninstall"]
        if self.state == "uninstalled":
            return [("delete", DATA["delete"])]
        return [(choice, DATA[choice].format(days=rules.get("keep_days", 30))) for choice in rules["choices"]]


def _is_set(key: str) -> bool:
    return bool(current_app.config.get(key) or os.environ.get(key))


def _card(id: str) -> Card:
    harbor = current_app.extensions["harbor"]
    extension = harbor.extensions.get(id) or abort(404)
    return Card(extension, harbor.registry.read(id), harbor.registry.record(id))


def _page(template: str, card: Card, **more: Any) -> str:
    press = Press(formdata=None, generation=card.entry.generation)
    return render_template(f"host/{template}.html", card=card, press=press, **more)


@pages.get("/")
@for_administrators
def index() -> str:
    return render_template(
        "host/marketplace.html", cards=[_card(id) for id in sorted(current_app.extensions["harbor"].extensions)]
    )


@pages.get("/<id>")
@for_administrators
def show(id: str) -> str:
    return _page("card", _card(id), log=current_app.extensions["harbor"].registry.entries(id))


def _nothing_to_do(card: Card) -> Any:
    """Answer an address that fits no button of the card as it is now."""
    flash(f"{card.name} is not in a state for that: {card.state_label.lower()}.", "warn")
    return redirect(url_for("marketplace.show", id=card.id))


# ── The buttons ────────────────────────────────────────────────────────────────────────────────────────────────


def _run(card: Card, hook: str, **arguments: Any) -> OperationResult:
    """Run one operation; whatever an extension does in it, the answer is a result and the host goes on."""
    app = current_app._get_current_object()
    try:
        result = getattr(app.extensions["harbor"].pm.hook, hook)(app=app, actor_id=current_user.get_id(), **arguments)
    except Exception:
        log.exception("%s failed.", hook)
        result = None
    db.session.rollback()
    return result or OperationResult(False, card.state, FAILED.format(name=card.name))


def _pressed(card: Card, hook: str, **arguments: Any) -> OperationResult:
    """Run an operation only for the state of things that the person saw."""
    seen = Press()
    if not seen.validate_on_submit() or seen.generation.data != str(card.entry.generation):
        return OperationResult(False, card.state, STALE.format(name=card.name))
    with as_of(card.entry.generation):
        return _run(card, hook, **arguments)


def _told(result: OperationResult, done: str, id: str) -> Any:
    flash(result.message or done, "ok" if result.ok else "warn")
    exported = result.details.get("export")
    for note in (*result.notes, *([f"What was stored is in the file {exported}."] if exported else [])):
        flash(note, "ok" if result.ok else "warn")
    session["one_more_page"] = layout.menus_are_old()
    return redirect(url_for("marketplace.show", id=id))


@pages.route("/<id>/install", methods=["GET", "POST"])
@for_administrators
def install(id: str) -> Any:
    """One page that shows exactly what will be added and asked for; its one button accepts it."""
    card = _card(id)
    if request.method == "GET":
        return _page("install", card) if "install" in card.actions else _nothing_to_do(card)
    accepted = [
        asked["id"]
        for asked in card.requests
        if not asked.get("optional") or asked["id"] in request.form.getlist("accept")
    ]
    result = _pressed(card, "extension_install", options={}, accepted_permissions=accepted)
    return _told(result, f"{card.name} is installed.", id)


@pages.route("/<id>/activate", methods=["GET", "POST"])
@for_administrators
def activate(id: str) -> Any:
    """Ticking an option that may cost money is what accepts its fee note; nothing is ticked beforehand but the mail."""
    card = _card(id)
    if request.method == "GET":
        fits = {"activate", "settings"} & set(card.actions)
        return _page("activate", card, colleagues=_colleagues()) if fits else _nothing_to_do(card)
    chosen = {option["key"]: option["key"] in request.form for option in card.options if option["type"] == "boolean"}
    fees = any(chosen[option["key"]] for option in card.options if option.get("fee", {}).get("may_apply"))
    options = {**chosen, "accept_fees": fees, "tell_colleagues": "tell_colleagues" in request.form}
    result = _pressed(card, "extension_activate", options=options)
    if not result.ok or card.state == "active":
        return _told(result, "Saved.", id)
    session["one_more_page"] = layout.menus_are_old()
    session["notes"] = [result.message, *result.notes]
    return redirect(url_for("marketplace.activated", id=id))


def _colleagues() -> int:
    ours = (
        select(func.count()).select_from(User).where(User.organisation_id == current_user.organisation_id, User.active)
    )
    return db.session.scalar(ours)


@pages.get("/<id>/activated")
@for_administrators
def activated(id: str) -> Any:
    start = layout.entries(layout.offered("navigation"))
    notes = [note for note in session.pop("notes", []) if note]
    return _page("activated", _card(id), start=start[:1], notes=notes, again=layout.menus_are_old())


@pages.post("/<id>/deactivate")
@for_administrators
def deactivate(id: str) -> Any:
    card = _card(id)
    return _told(
        _pressed(card, "extension_deactivate"), f"{card.name} is not active any more. Nothing was deleted.", id
    )


@pages.post("/<id>/upgrade")
@for_administrators
def upgrade(id: str) -> Any:
    card = _card(id)
    result = _pressed(card, "extension_upgrade", from_version=card.entry.version)
    return _told(result, f"{card.name} is now version {card.manifest['version']}.", id)


@pages.route("/<id>/uninstall", methods=["GET", "POST"])
@for_administrators
def uninstall(id: str) -> Any:
    """An active extension is deactivated first; what happens to its data is the administrator's choice."""
    card = _card(id)
    if not {"uninstall", "delete"} & set(card.actions):
        return _nothing_to_do(card)
    if request.method == "GET":
        default = "delete" if card.state == "uninstalled" else card.manifest["data"]["on_uninstall"]["default"]
        return _page("uninstall", card, default=default)
    data = request.form.get("data", "keep")
    if data not in dict(card.data_choices):
        abort(400)
    if card.entry.state == "active":
        stopped = _pressed(card, "extension_deactivate")
        if not stopped.ok:
            return _told(stopped, "", id)
        result = _run(card, "extension_uninstall", data=data)
    else:
        result = _pressed(card, "extension_uninstall", data=data)
    return _told(result, f"{card.name} is uninstalled.", id)

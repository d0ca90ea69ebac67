"""The frame around every page: menus, the names of places with their alias addresses, and the headers."""

from __future__ import annotations

import logging
import re
from dataclasses import astuple, dataclass
from typing import Any

from flask import Flask, Response, current_app, g, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user
from markupsafe import Markup
from werkzeug.routing import BuildError

from calendar_ext.contract import Panel, Tab

from .firing import fire

log = logging.getLogger("harbor.layout")

PLACES = {
    "my_account": "My Account",
    "settings": "Settings",
    "settings_tab": "Calendar sync settings",
    "activities_tab": "Activities",
    "maintenance": "Maintenance",
    "agenda": "Agenda",
}
#: Where the places are, and the other names that products have for them.
ALIASES = {
    "my_account": ("account.profile", ["my-account", "my-data", "my-profile"]),
    "settings": ("account.settings", ["settings", "workspace-settings"]),
    "settings_tab": ("account.settings", ["calendar-sync-settings", "calendar-connection", "sync-settings"]),
    "activities_tab": ("activities.index", ["activities"]),
    "maintenance": ("marketplace.index", ["maintenance"]),
    "agenda": ("appointments.index", ["agenda"]),
}
#: Copy this: a strict policy; no page of ours or of an extension has an inline script or style.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


@dataclass(frozen=True)
class Entry:
    """One line of a menu."""

    label: str
    url: str
    icon: str = ""
    badge: str = ""


def place_names(app: Flask) -> dict[str, str]:
    """Return what each place is called here; `HOST_PLACES` names those that differ from ours."""
    return PLACES | app.config["HOST_PLACES"]


def init_app(app: Flask) -> None:
    app.before_request(_menus_are_of_this_sign_in)
    app.after_request(_headers)
    app.context_processor(lambda: {"frame": Frame(), "panel": _panel, "place": place_names(app)})
    for name, (endpoint, slugs) in ALIASES.items():
        for slug in {*slugs, _slug(place_names(app)[name])}:
            app.add_url_rule(f"/{slug}", f"alias_{name}_{slug}", _leads_to(endpoint))


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def _leads_to(endpoint: str) -> Any:
    return lambda: redirect(url_for(endpoint))


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


# ── What extensions offer ──────────────────────────────────────────────────────────────────────────────────────


def offered(hook: str) -> list[Tab]:
    """Copy this: ask the rendering hooks at each request, or, as an older product does, once per sign-in."""
    if not current_user.is_authenticated:
        return []
    if current_app.config["HOST_MENUS_AT_SIGN_IN"]:
        return [Tab(*kept) for kept in session.get("menus", {}).get(hook, [])]
    return _asked(hook)


def _asked(hook: str) -> list[Tab]:
    lists = fire(hook, user=current_user)
    return sorted((tab for tabs in lists if tabs for tab in tabs), key=lambda tab: (tab.order, tab.label))


MENUS = ("navigation", "account_tabs", "admin_pages")
#: What everybody's menu is made of: a change in these asks for a new sign-in.
EVERYBODYS = ("navigation", "account_tabs")


def remember_menus() -> None:
    """Read the menus into the session cookie; called once, at sign-in."""
    session["menus"] = {hook: _kept(hook) for hook in MENUS}


def _kept(hook: str) -> list[list[Any]]:
    return [list(astuple(tab)) for tab in _asked(hook)]


def menus_are_old() -> bool:
    """Return whether there is something else in the menu since this person signed in, where it is read at sign-in."""
    if not (current_app.config["HOST_MENUS_AT_SIGN_IN"] and current_user.is_authenticated):
        return False
    read = session.get("menus", {})
    return any(read.get(hook) != _kept(hook) for hook in EVERYBODYS)


def _menus_are_of_this_sign_in() -> Any:
    """After a change in the marketplace one page is still shown; refreshing it leads to the sign-in."""
    if request.endpoint in ("static", "account.logout") or request.method != "GET" or not menus_are_old():
        return None
    if session.pop("one_more_page", False):
        return None
    logout_user()
    session.clear()
    return redirect(url_for("account.login", again="1"))


def panels(hook: str, **about: Any) -> list[Panel]:
    """Return the pieces extensions add to one of our pages."""
    lists = fire(hook, user=current_user, **about)
    return sorted((panel for given in lists if given for panel in given), key=lambda panel: panel.order)


def _panel(panel: Panel) -> Markup:
    """Copy this: a panel is a template with its own context; one that breaks costs only itself."""
    try:
        return Markup(render_template(panel.template, **panel.context))
    except Exception:
        log.exception("Panel %s could not be drawn.", panel.id)
        return Markup("<p class='muted'>This part cannot be shown now.</p>")


def entries(tabs: list[Tab]) -> list[Entry]:
    """Return menu lines for the tabs whose endpoint exists."""
    lines = []
    for tab in tabs:
        try:
            lines.append(Entry(tab.label, url_for(tab.endpoint), tab.icon, tab.badge))
        except BuildError:
            log.warning("Tab %s names no endpoint of this application: %s", tab.id, tab.endpoint)
    return lines


class Frame:
    """What `host/base.html` draws around the content; asked for lazily, once per request."""

    @property
    def product(self) -> str:
        return current_app.config["CALENDAR_EXT_HOST_NAME"]

    @property
    def menu(self) -> list[Entry]:
        home = Entry("Home", url_for("home.index"), "home")
        contacts = Entry("Contacts", url_for("contacts.index"), "people")
        agenda = Entry(place_names(current_app)["agenda"], url_for("appointments.index"), "clock")
        activities = Entry(place_names(current_app)["activities_tab"], url_for("activities.index"), "pulse")
        return [home, contacts, agenda, *self._offered("navigation"), activities]

    @property
    def maintenance(self) -> list[Entry]:
        if not current_user.is_admin:
            return self._offered("admin_pages")
        shop = Entry("Marketplace", url_for("marketplace.index"), "shop")
        colleagues = Entry("Colleagues", url_for("colleagues.index"), "people")
        outbox = Entry("Mail outbox", url_for("mail.index"), "mail")
        return [shop, *self._offered("admin_pages"), colleagues, outbox]

    @property
    def tabs(self) -> list[Entry]:
        return [Entry("Profile", url_for("account.profile")), *self._offered("account_tabs")]

    @property
    def in_account(self) -> bool:
        """Copy this: an extension's tab page extends our base, so the base draws the bar wherever a tab is open."""
        return current_user.is_authenticated and self.here in [tab.url for tab in self.tabs]

    @property
    def here(self) -> str:
        """Return the address of the menu line or tab this page belongs to: the longest that begins its path."""
        known = [entry.url for entry in [*self.menu, *self.maintenance, *self.tabs]]
        within = [url for url in known if f"{request.path}/".startswith(url.rstrip("/") + "/") and url != "/"]
        return max(within, key=len, default="/" if request.path == "/" else "")

    def _offered(self, hook: str) -> list[Entry]:
        if hook not in (kept := g.setdefault("offered", {})):
            kept[hook] = entries(offered(hook))
        return kept[hook]

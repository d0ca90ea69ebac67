"""The administrator's part: Maintenance > Marketplace, install, activate, the menu, deactivate, uninstall."""

from __future__ import annotations

from sqlalchemy import inspect

from ..browser import Page
from ..host import db
from .cast import Cast, true, until

CARD = "/marketplace/calendar_ext"
#: Addresses that answer 404 to everybody while Calendar is not active.
HIDDEN = ("/calendar/", "/calendar/settings", "/calendar/changes")


def install(cast: Cast) -> str:
    """Install from the list; only the page's own button, no tick."""
    cast.sign_in(cast.ada, "ada")
    for address in HIDDEN:
        true(cast.ada.status(address) == 404, f"{address} answered before anything was installed")
    page = cast.ada.get("/maintenance").follow("Install")
    true(page.has("It asks for", "It adds"), "the install page does not say what it asks for")
    true("/calendar/oauth/google/callback" in page.source, "the return address to register is not shown")
    page = page.press("Install")
    true(page.find("//*[contains(@class,'badge')][contains(.,'Installed')]"), f"not installed: {page.text[:400]}")
    return "by one press; permissions and return address shown"


def activate(cast: Cast) -> str:
    """Activate without the scheduler; the fee note stands beside its tick."""
    page = cast.ada.get(CARD).follow("Activate")
    true(page.has("Scheduler is active", "Additional monthly fees may apply"), "the fee note is missing")
    true(not page.find("//input[@name='scheduler_active'][@checked]"), "the scheduler is ticked beforehand")
    page = page.press("Activate")
    true(page.has("is active"), f"not active: {page.text[:400]}")
    cast.notes["success"] = page
    return "scheduler off, its fee note beside it"


def menu_after_new_login(cast: Cast) -> str:
    """Where a host reads its menus at sign-in, refreshing leads to the sign-in, and then the tab is there."""
    success: Page = cast.notes["success"]
    true(success.has("Refresh the page to log in again"), "the success page does not say to refresh")
    again = cast.ada.get(success.url)
    true(again.has("Log in again"), f"refreshing did not lead to the sign-in: {again.url}")
    cast.sign_in(cast.ada, "ada")
    true(cast.ada.get("/account").has("Calendar sync settings"), "no tab after the new login")
    cast.demo.app.config["HOST_MENUS_AT_SIGN_IN"] = False
    true(cast.ada.get("/mail/").has("joan@harbor.example"), "colleagues were not told by mail")
    return "refresh, log in, the tab is there; colleagues told by mail"


def tab_is_visible(cast: Cast) -> str:
    """Every colleague finds the tab under My Account and Calendar in the menu; Settings leads to the tab."""
    cast.sign_in(cast.mira, "mira")
    page = cast.mira.get("/my-data")
    true(page.offers("Calendar sync settings"), "the tab is not under My Account")
    true(page.offers("Calendar"), "Calendar is not in the menu")
    settings = cast.mira.get("/workspace-settings")
    true("/calendar/settings" in settings.url and settings.status == 200, f"Settings leads to {settings.url}")
    return "under My Account, in the menu, behind Settings"


def deactivate(cast: Cast) -> str:
    """Every address is gone within two seconds; nothing is deleted."""
    page = cast.ada.get(CARD).press("Deactivate")
    true(page.has("Nothing was deleted") or page.has("Not active"), f"not deactivated: {page.text[:300]}")
    for address in HIDDEN:
        until(lambda address=address: cast.mira.status(address) == 404, f"{address} still answers", 3)
    true(not cast.mira.get("/account").offers("Calendar sync settings"), "the tab is still there")
    return f"{len(HIDDEN)} addresses answer 404, the tab is gone"


def reactivate(cast: Cast) -> None:
    """Press Activate once more, without telling anybody."""
    page = cast.ada.get(CARD).follow("Activate").press("Activate", tell_colleagues=False)
    true(page.has("is active"), f"not active again: {page.text[:300]}")


def _listed(cast: Cast) -> list[str]:
    rows = cast.mira.get("/appointments/").find("//main//li")
    return [" ".join(row.text_content().split()) for row in rows]


def _tables(cast: Cast) -> list[str]:
    with cast.demo.app.app_context():
        return [name for name in inspect(db.engine).get_table_names() if name.startswith("calendar_ext_")]


def uninstall(cast: Cast) -> str:
    """Uninstall with everything deleted; the host's own pages and appointments stay."""
    appointments = _listed(cast)
    page = cast.ada.get(CARD).follow("Uninstall")
    true(page.has("Keep for 30 days", "This cannot be undone"), "the choices are not shown")
    page = page.press("Uninstall", data="delete")
    true(page.has("Not installed"), f"not uninstalled: {page.text[:400]}")
    for address in HIDDEN:
        true(cast.mira.status(address) == 404, f"{address} still answers")
    true(_listed(cast) == appointments, "the host's appointments changed")
    left = _tables(cast)
    true(not left, f"tables are left: {left}")
    alive = cast.demo.standin.grants()
    true(alive == 0, f"{alive} sign-ins were not revoked")
    return "sign-ins revoked, tables gone, the host's appointments untouched"

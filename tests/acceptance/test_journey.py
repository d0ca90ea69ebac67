"""A new user clicks through the whole story in Chromium, with and without scripts; nobody sees another's calendar."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from demo.browser import Browser
from demo.chapters.calendar import JOAN, MIRA, PAGE, at_google, until_at_google
from demo.chapters.cast import Cast, in_hours, until
from demo.chapters.syncing import BERLIN, google_event

from . import stage
from .clicking import IN_STEP, Person
from .windows import Windows

with_and_without_script = pytest.mark.parametrize("scripts", [True, False], ids=["with script", "without script"])


@pytest.mark.browser
@with_and_without_script
def test_a_new_user_clicks_through_the_whole_story(cast: Cast, windows: Windows, scripts: bool) -> None:
    ada = Person(windows.open(scripts=scripts), cast.demo, scripts=scripts)
    mira = Person(windows.open(scripts=scripts), cast.demo, scripts=scripts)
    the_administrator_installs_and_activates(ada)
    the_colleague_finds_the_tab(mira)
    the_colleague_connects(mira, cast)
    a_change_at_google_appears_on_the_open_page(mira)
    an_appointment_goes_to_google_and_follows_it(mira, cast)
    an_event_moved_on_the_page_moves_at_google(mira, cast)
    a_cancelled_appointment_goes_at_google(mira, cast)
    disconnecting_asks_first(mira, cast)


def the_administrator_installs_and_activates(ada: Person) -> None:
    """Maintenance > Marketplace > Install > Activate; the option with a fee stays off."""
    ada.signs_in("ada")
    ada.chooses("Marketplace")
    ada.follows("Install")
    ada.sees("It asks for")
    ada.presses("Install")
    ada.follows("Activate")
    scheduler = ada.page.get_by_role("checkbox", name="Scheduler is active")
    expect(scheduler).not_to_be_checked()
    expect(ada.page.locator("label", has=scheduler)).to_contain_text("Additional monthly fees may apply")
    ada.presses("Activate")
    expect(ada.page.get_by_role("heading", name="Calendar is active")).to_be_visible()
    her_menu_is_there_after_a_new_sign_in(ada)


def her_menu_is_there_after_a_new_sign_in(ada: Person) -> None:
    """This host reads its menus at sign-in, says so, and a refresh leads there."""
    ada.sees("Refresh the page to log in again")
    ada.page.reload()
    ada.sees("Log in again to see it in your menu")
    ada.fills_in_the_door("ada")
    expect(ada.in_the_menu("Calendar")).to_be_visible()


def the_colleague_finds_the_tab(mira: Person) -> None:
    """Calendar in the menu, the tab under My Account; neither claims anything yet."""
    mira.signs_in("mira")
    mira.opens_the_tab()
    mira.sees("Your Harbor Agenda is not synchronized yet.")
    mira.chooses("Calendar")
    expect(mira.page.get_by_role("heading", name="See your Google or Microsoft calendar here")).to_be_visible()


def the_colleague_connects(mira: Person, cast: Cast) -> None:
    """Start Synchronization, the provider's pages, a progress that counts, and the sentence."""
    mira.sees("Sign in with your Google or Microsoft account, not your Harbor password.")
    mira.follows("Start Synchronization")
    cast.google("latency", seconds=1.0)
    mira.signs_in_at_google()
    expect(mira.page).to_have_url(f"{cast.demo.base_url}{PAGE}")
    mira.opens_the_tab()
    mira.sees("Usually done within a minute, at most 30.")
    expect(mira.page.get_by_role("progressbar")).to_be_visible()
    cast.google("latency", seconds=0)
    mira.sees(IN_STEP)
    mira.sees("Connected")


#: The page also draws itself anew every 15 s, for the mark that says how fresh it is; here only what it is told counts.
ONLY_WHAT_IT_IS_TOLD = """
const every = window.setInterval;
window.setInterval = (act, pause, ...more) => (pause === 15000 ? 0 : every(act, pause, ...more));
"""


def a_change_at_google_appears_on_the_open_page(mira: Person) -> None:
    """With scripts by itself: the very page that was open shows it, without having been loaded again."""
    watching = mira.opens_another_window(ONLY_WHAT_IT_IS_TOLD)
    watching.page.goto(f"{mira.demo.base_url}{PAGE}")
    watching.lists_the_calendar()
    watching.sees("Quarterly review")
    if mira.scripts:
        watching.page.evaluate("document.documentElement.dataset.opened = 'once'")
    google = mira.opens_her_google()
    google.makes_at_google("Coffee with Amara", berlin(1, 15))
    watching.page.bring_to_front()
    watching.sees("Coffee with Amara")
    if mira.scripts:
        assert watching.page.evaluate("document.documentElement.dataset.opened") == "once"
    google.page.close()
    watching.page.close()


def an_appointment_goes_to_google_and_follows_it(mira: Person, cast: Cast) -> None:
    """The host's form makes an event there; edited there, the host's appointment follows."""
    mira.makes_an_appointment("Second talk with Noor", in_hours(50))
    address = mira.page.url
    until_at_google(cast, "Second talk with Noor")
    google = mira.opens_her_google()
    google.changes_at_google("Second talk with Noor", "Third talk with Noor", berlin(4, 10))
    google.page.close()
    mira.page.goto(address)
    without_live_pages = Person(mira.page, mira.demo, scripts=False)
    without_live_pages.sees("Third talk with Noor")
    assert mira.page.url == address


def an_event_moved_on_the_page_moves_at_google(mira: Person, cast: Cast) -> None:
    """The no-drag way: the event, Move, another time."""
    mira.lists_the_calendar()
    start = berlin(6, 14)
    mira.moves("Dentist", start)
    until(lambda: starts_at_google(cast, "Dentist") == start, "the provider did not hear of the new time")


def starts_at_google(cast: Cast, title: str) -> datetime | None:
    """Return when the event of that title starts at the provider."""
    event = at_google(cast, title)
    return datetime.fromisoformat(event["start"]["dateTime"]) if event else None


def a_cancelled_appointment_goes_at_google(mira: Person, cast: Cast) -> None:
    """Cancelled in the host, gone there and from the Calendar page."""
    address = mira.makes_an_appointment("Will be cancelled", in_hours(55))
    until_at_google(cast, "Will be cancelled")
    mira.cancels(address)
    until(lambda: not at_google(cast, "Will be cancelled"), "it is still at the provider")
    mira.lists_the_calendar()
    mira.misses("Will be cancelled")


def disconnecting_asks_first(mira: Person, cast: Cast) -> None:
    """The question changes nothing; its button ends the connection and with it the sentence."""
    mira.opens_the_tab()
    mira.page.get_by_role("link", name="Disconnect Google Calendar").click()
    mira.sees("Disconnect Google Calendar?")
    mira.follows("Keep connected")
    mira.sees(IN_STEP)
    mira.page.get_by_role("link", name="Disconnect Google Calendar").click()
    for kept in mira.page.get_by_role("radio", name="Keep").all():
        expect(kept).to_be_checked()
    mira.presses("Disconnect")
    mira.misses(IN_STEP)
    mira.sees("Your Harbor Agenda is not synchronized yet.")
    assert at_google(cast, "Third talk with Noor"), "what was kept is gone at the provider"
    assert not cast.demo.standin.grants()


def berlin(days: int, hour: int) -> datetime:
    """Return an hour of a coming day on the provider account's clock."""
    day = datetime.now(UTC).astimezone(BERLIN) + timedelta(days=days)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


# ── Isolation ──────────────────────────────────────────────────────────────────────────────────────────────────

NILS = "nils@example.test"
#: Two colleagues of one organisation, one person of another: at the same hour each has something of their own.
SECRETS = {"mira": "Canary of Mira", "joan": "Canary of Joan", "nils": "Canary of Nils"}
ACCOUNTS = {"mira": MIRA, "joan": JOAN, "nils": NILS}


def test_nobody_sees_anything_of_anybody_elses_calendar(cast: Cast) -> None:
    with stage.somebody(cast.demo) as nils:
        people = {"mira": cast.mira, "joan": cast.joan, "nils": nils}
        everybody_connects(cast, people)
        found = {name: links_to(person, SECRETS[name]) for name, person in people.items()}
        for name, person in people.items():
            others = set(SECRETS) - {name}
            sees_nothing_of(person, others)
            for other in others:
                cannot_open(person, found[other])


def everybody_connects(cast: Cast, people: dict[str, Browser]) -> None:
    """Connect three accounts, each with an event that only its owner may know of."""
    stage.switched_on(cast)
    cast.google("add_account", email=NILS)
    for name, person in people.items():
        event = google_event(SECRETS[name], in_hours(26))
        cast.google("create", item=event, calendar=ACCOUNTS[name])
        stage.connect(cast, person, name, ACCOUNTS[name])
    for name, person in people.items():
        until(lambda name=name, person=person: listed(person).has(SECRETS[name]), f"{name} does not see the own event")


def listed(person: Browser) -> Any:
    """Open the Calendar page as a list."""
    return person.get(f"{PAGE}?view=list")


def links_to(person: Browser, title: str) -> list[str]:
    """Return every address about somebody's own event: its pages, and those of their connection."""
    link = next(
        link for link in listed(person).find("//a[contains(@class,'cx-event')]") if title in link.get("aria-label")
    )
    event = link.get("href").partition("?")[0]
    tab = person.get("/calendar/settings").find("//main//*[contains(@href,'/connections/')]/@href")
    return [event, f"{event}/edit", f"{event}/move", f"{event}/delete", *tab]


def sees_nothing_of(person: Browser, others: set[str]) -> None:
    """Neither a page nor an answer for scripts, asked from the very beginning, has another's title."""
    pages = [listed(person).source, person.get(PAGE).source, person.get("/calendar/settings").source]
    asked = [person.json(f"/calendar/changes{since}") for since in ("", "?since=", "?since=0", "?since=%7B%7D")]
    assert {status for status, _ in asked} == {200}
    for text in [*pages, *(json.dumps(news) for _, news in asked), person.get("/activities/").source]:
        assert not [SECRETS[other] for other in others if SECRETS[other] in text]


def cannot_open(person: Browser, addresses: list[str]) -> None:
    """An address of another's event or connection answers as one that was never there."""
    assert {address: person.status(address) for address in addresses} == dict.fromkeys(addresses, 404)

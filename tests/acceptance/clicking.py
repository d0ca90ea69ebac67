"""What people do with a mouse and a keyboard in the host, in Calendar, and on the stand-in's own pages."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from playwright.sync_api import Locator, Page, expect

from demo.chapters.appointments import clock
from demo.chapters.calendar import MIRA
from demo.host.seed import PASSWORD
from demo.run import Demo

IN_STEP = f"Your Harbor Agenda is synchronized with {MIRA}"
HOUR = timedelta(hours=1)
#: Seconds until a change on one side has to be seen on the other, the pages' own five included.
SOON = 30


class Person:
    """Somebody at a window. With scripts a page renews itself; without, they press the browser's own button."""

    def __init__(self, page: Page, demo: Demo, *, scripts: bool = True) -> None:
        self.page, self.demo, self.scripts = page, demo, scripts

    def signs_in(self, name: str) -> None:
        """Sign in to the host, from wherever it asks for it."""
        self.page.goto(self.demo.base_url)
        self.fills_in_the_door(name)

    def fills_in_the_door(self, name: str) -> None:
        """Fill the host's own sign-in form."""
        self.page.get_by_label("E-mail").fill(f"{name}@harbor.example")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.presses("Sign in")

    def presses(self, name: str) -> None:
        """Press a button by its name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follows(self, name: str) -> None:
        """Follow a link by its name."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def in_the_menu(self, name: str) -> Locator:
        """Return a line of the main menu; a number may stand behind it."""
        menu = self.page.get_by_role("navigation", name="Main")
        return menu.get_by_role("link", name=re.compile(rf"^{name}\W*\d*$"))

    def chooses(self, name: str) -> None:
        """Follow a line of the main menu."""
        self.in_the_menu(name).click()

    def opens_the_tab(self) -> None:
        """Avatar menu, My Account, Calendar sync settings."""
        self.page.get_by_label("Your account:").click()
        self.follows("My Account")
        self.follows("Calendar sync settings")

    def lists_the_calendar(self) -> None:
        """Open the Calendar page and look at it as a list."""
        self.chooses("Calendar")
        self.follows("List")

    def reads(self, text: str) -> Locator:
        """Return where a text stands."""
        return self.page.get_by_text(text).first

    def sees(self, text: str) -> None:
        """Wait until a text can be read."""
        self._waits(lambda: self.reads(text).is_visible(), lambda: expect(self.reads(text)).to_be_visible())

    def misses(self, text: str) -> None:
        """Wait until a text is gone."""
        self._waits(lambda: not self.reads(text).count(), lambda: expect(self.page.get_by_text(text)).to_have_count(0))

    def _waits(self, true: Callable[[], bool], by_itself: Callable[[], None]) -> None:
        ends = time.monotonic() + SOON
        while not true() and time.monotonic() < ends:
            if self.scripts:
                self.page.wait_for_timeout(250)
            else:
                self.page.reload()
        by_itself()

    def opens_another_window(self, script: str = "") -> Person:
        """Open one more window of the same person.

        :param script: runs before those of every page in it.
        """
        page = self.page.context.new_page()
        if script:
            page.add_init_script(script)
        return Person(page, self.demo, scripts=self.scripts)

    # at the provider

    def signs_in_at_google(self) -> None:
        """Choose the account, give a password, and allow what is asked for."""
        self.page.get_by_role("button", name=MIRA).click()
        self.presses("Next")
        expect(self.page.get_by_role("heading", name="wants access to your account")).to_be_visible()
        self.presses("Continue")

    def opens_her_google(self) -> Person:
        """Open the stand-in's own calendar page in another window."""
        other = self.opens_another_window()
        other.page.goto(f"{self.demo.standin.base_url}/calendar/u/{MIRA}")
        return other

    def makes_at_google(self, title: str, start: datetime) -> None:
        """Fill the stand-in's form of a new event."""
        self.page.get_by_text("New event", exact=True).click()
        self._when_at_google(title, start)
        self.presses("Create")
        expect(self.page.get_by_text("Created.")).to_be_visible()

    def changes_at_google(self, title: str, new_title: str, start: datetime) -> None:
        """Edit an event on the stand-in's page."""
        self.page.goto(f"{self.demo.standin.base_url}/calendar/u/{MIRA}")
        self.page.locator(".event", has_text=title).get_by_role("link", name="Edit").click()
        self._when_at_google(new_title, start)
        self.presses("Save")
        expect(self.page.get_by_text("Saved.")).to_be_visible()

    def _when_at_google(self, title: str, start: datetime) -> None:
        typed = {"Title": title, "From": f"{start:%Y-%m-%d}", "until": f"{start + HOUR:%Y-%m-%d}"}
        for label, text in typed.items():
            self.page.get_by_label(label, exact=True).fill(text)
        for place, moment in enumerate((start, start + HOUR)):
            self.page.get_by_label("at", exact=True).nth(place).fill(f"{moment:%H:%M}")

    # in the host

    def makes_an_appointment(self, title: str, start: datetime) -> str:
        """Fill the host's form; return the appointment's address."""
        self.chooses("Agenda")
        self.follows("New appointment")
        self.page.get_by_label("Title", exact=True).fill(title)
        self.page.get_by_label("Starts", exact=True).fill(clock(start))
        self.page.get_by_label("Ends", exact=True).fill(clock(start + HOUR))
        self.presses("Save")
        expect(self.page).to_have_url(re.compile(r"/appointments/\d+$"))
        return self.page.url

    def cancels(self, address: str) -> None:
        """Cancel an appointment with a reason."""
        self.page.goto(address)
        self.page.get_by_label("Reason").fill("Postponed")
        self.presses("Cancel the appointment")
        expect(self.page.get_by_text("The appointment is cancelled.")).to_be_visible()

    # on the Calendar page

    def moves(self, title: str, start: datetime) -> None:
        """Open an event of the list and give it another time."""
        self.page.get_by_role("link", name=re.compile(f"^{re.escape(title)}, ")).first.click()
        self.follows("Move")
        self.page.get_by_label("Begins on").fill(f"{start:%Y-%m-%d}")
        self.page.get_by_label("Ends on").fill(f"{start + HOUR:%Y-%m-%d}")
        for place, moment in enumerate((start, start + HOUR)):
            self.page.get_by_label("at", exact=True).nth(place).fill(f"{moment:%H:%M}")
        self.presses("Move")
        expect(self.page.get_by_text("Moved to")).to_be_visible()

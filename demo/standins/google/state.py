"""Everything one stand-in knows, in memory, and what the owner of a calendar may do to it directly."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields

from . import channels, times, writing
from .accounts import Access, Account, Client, Code, Grant, Refresh
from .calendars import Body, Calendar, Entry, Item
from .errors import ApiError, not_found
from .faults import Faults
from .mails import Mail
from .signing_in import SignIn
from .statistics import Statistics

_BASE32HEX = "0123456789abcdefghijklmnopqrstuv"


@dataclass(frozen=True)
class Caller:
    """Who asks for something in one calendar: a person through an application, or the person directly."""

    account: Account
    entry: Entry

    @property
    def calendar(self) -> Calendar:
        """Return the calendar in question."""
        return self.entry.calendar

    @property
    def sees_private(self) -> bool:
        """Return whether private events come with their details (CalendarListEntry.accessRole)."""
        return self.entry.at_least("writer")

    @property
    def mailbox(self) -> str:
        """Return the address this calendar acts under: its own id (Event.organizer of a secondary calendar)."""
        return self.calendar.id


@dataclass
class State:
    """Accounts, calendars, tokens, mails and faults. `lock` guards all of it; take it to read or write."""

    clock: Callable[[], float] = time.time
    base_url: str = ""
    accounts: dict[str, Account] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    access: dict[str, Access] = field(default_factory=dict, repr=False)
    refresh: dict[str, Refresh] = field(default_factory=dict, repr=False)
    codes: dict[str, Code] = field(default_factory=dict, repr=False)
    sign_ins: dict[str, SignIn] = field(default_factory=dict, repr=False)
    mails: list[Mail] = field(default_factory=list)
    channels: dict[str, channels.Channel] = field(default_factory=dict)
    #: (name, reason) of what an imported file held and this Google cannot hold.
    refused: list[tuple[str, str]] = field(default_factory=list)
    #: IANA names that answer "Invalid time zone definition", as Google does for new ones.
    unknown_zones: set[str] = field(default_factory=set)
    #: Conferences asked for and not made yet; they are made with the next request unless held up.
    pending: list[tuple[Calendar, str]] = field(default_factory=list)
    holding_conferences: bool = False
    offset: float = 0.0
    faults: Faults = field(default_factory=Faults)
    statistics: Statistics = field(default_factory=Statistics)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._serial = itertools.count(int(self.clock() * 2_000_000), 2)
        self._random = random.Random(20_261_123)

    def clear(self) -> None:
        """Forget everything but the clock and the address."""
        fresh = State(self.clock, self.base_url)
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))

    # time, ids, versions

    def now(self) -> float:
        """Return the present in this stand-in's world, in UTC seconds."""
        return self.clock() + self.offset

    def stamp(self) -> str:
        """Return the present as Google writes it."""
        return times.stamp(self.now())

    def etag(self) -> str:
        """Return a version nobody has had before; the quotes are part of it (Event.etag)."""
        return f'"{next(self._serial)}"'

    def new_id(self, length: int = 26) -> str:
        """Return an id in the alphabet of event ids (Event.id: base32hex, lower case)."""
        return "".join(self._random.choices(_BASE32HEX, k=length))

    # who and where

    def account(self, email: str = "") -> Account:
        """Return an account by address; the first one where none is named."""
        return self.accounts[email] if email else next(iter(self.accounts.values()))

    def calendar(self, name: str, email: str = "") -> Calendar:
        """Return a calendar by id or title; `primary` is that of `email` or of the first account."""
        if name == "primary":
            name = self.account(email).email
        if name in self.calendars:
            return self.calendars[name]
        found = [calendar for calendar in self.calendars.values() if calendar.summary == name]
        if not found:
            raise KeyError(name)
        return found[0]

    def caller(self, account: Account, calendar_id: str) -> Caller:
        """Return somebody's place in one calendar.

        :raises ApiError: 404, for a calendar that is not theirs as for one that is not there.
        """
        entry = account.entry(calendar_id)
        if entry is None:
            raise not_found()
        return Caller(account, entry)

    def owner(self, calendar_id: str) -> Caller:
        """Return the owner of a calendar, at home in it."""
        calendar = self.calendar(calendar_id)
        account = self.accounts.get(calendar.owner)
        entry = account.entries.get(calendar.id) if account else None
        return Caller(account or self.account(), entry or Entry(calendar, "owner", 0))

    # what the owner does with bare hands

    def create(self, calendar_id: str, item: Body, *, send_updates: str = "none") -> Body:
        """Create an event as the owner would and return it; `organizer` makes it an invitation from outside."""
        with self.lock:
            by = self.owner(calendar_id)
            return dict(writing.insert(self, by, item, writing.Options(send_updates, by_hand=True)).body)

    def patch(self, calendar_id: str, event_id: str, changes: Body, *, send_updates: str = "none") -> Body:
        """Change an event, a series or one occurrence as the owner would, and return it."""
        with self.lock:
            by = self.owner(calendar_id)
            return dict(writing.patch(self, by, event_id, changes, writing.Options(send_updates, by_hand=True)).body)

    def delete(self, calendar_id: str, event_id: str, *, send_updates: str = "none") -> None:
        """Delete an event, a series or one occurrence as the owner would."""
        with self.lock:
            by = self.owner(calendar_id)
            writing.delete(self, by, event_id, writing.Options(send_updates, by_hand=True))

    def get(self, calendar_id: str, event_id: str) -> Body | None:
        """Return an event as it is stored, a deleted one included, or None."""
        with self.lock:
            item = self.calendar(calendar_id).items.get(event_id)
            return dict(item.body) if item else None

    def events(self, calendar_id: str, *, deleted: bool = False) -> list[Body]:
        """Return the events of a calendar as they are stored: singles, masters and changed occurrences."""
        with self.lock:
            items = self.calendar(calendar_id).order
            return [dict(item.body) for item in items if deleted or not item.cancelled]

    def item(self, calendar: Calendar, event_id: str) -> Item:
        """Return a stored event.

        :raises ApiError: 404.
        """
        found = calendar.items.get(event_id)
        if found is None:
            raise not_found()
        return found

    def changed(self, calendar: Calendar) -> None:
        """Tell the channels that watch a calendar."""
        channels.ring(self, calendar)

    def require_writer(self, by: Caller) -> None:
        """Let writers through.

        :raises ApiError: 403 `requiredAccessLevel`.
        """
        if not by.entry.at_least("writerWithoutPrivateAccess"):
            message = "You need to have writer access to this calendar."
            raise ApiError(403, "requiredAccessLevel", message, domain="calendar")

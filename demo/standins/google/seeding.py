"""The accounts and events a fresh stand-in begins with, and any number more for measurements."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from . import times
from .accounts import Account, Client
from .calendars import Body, Calendar, Entry
from .words import words

if TYPE_CHECKING:
    from .state import State

MIRA, JOAN = "mira@example.test", "joan@example.test"
#: The client of tokens that were made without a sign-in.
DIRECT = "standin-direct"
INTERVIEWS = "c_4f1c9a7e2b@group.calendar.google.com"
HOLIDAYS = "en.german#holiday@group.v.calendar.google.com"
ZONE = "Europe/Berlin"

_WORDS = words("Interview Planning Review Call Coffee Haircut Check-up Onboarding Briefing Visit")
_NAMES = words("Amara Bruno Chidi Dana Elif Farid Greta Hugo Ines Jonas")
_RULES = (
    "RRULE:FREQ=WEEKLY;BYDAY=MO",
    "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
    "RRULE:FREQ=MONTHLY;BYDAY=2WE",
    "RRULE:FREQ=DAILY;COUNT=10",
    "RRULE:FREQ=YEARLY",
)


def begin(state: State) -> None:
    """Make the client, both accounts, their calendars and a few events around the present."""
    with state.lock:
        state.clients["demo-client"] = Client("demo-client", "demo-secret")
        state.clients[DIRECT] = Client(DIRECT, secrets.token_urlsafe(), "Tokens made without a sign-in")
        mira, joan = add_account(state, MIRA, "Mira Okafor"), add_account(state, JOAN, "Joan Meyer")
        interviews = Calendar(INTERVIEWS, "Interviews", ZONE, JOAN, "Shared by the recruiting team")
        holidays = Calendar(HOLIDAYS, "Holidays", ZONE, "holidays@example.test", "Public holidays", holidays=True)
        add_entry(state, mira, interviews, "writer", "8")
        add_entry(state, joan, interviews, "owner", "8")
        add_entry(state, mira, holidays, "reader", "14")
        _first_events(state)


def add_account(state: State, email: str, name: str, time_zone: str = ZONE) -> Account:
    """Make an account with its primary calendar."""
    subject = f"1{int.from_bytes(email.encode(), 'big') % 10**20:020d}"
    account = Account(email, name, subject, time_zone)
    state.accounts[email] = account
    add_entry(state, account, Calendar(email, email, time_zone, email), "owner", "17")
    return account


def add_entry(state: State, account: Account, calendar: Calendar, role: str, colour: str = "24") -> Entry:
    """Put a calendar into somebody's list, or change what he may do in it."""
    state.calendars[calendar.id] = calendar
    account.listed += 1
    entry = Entry(calendar, role, account.listed, colour, etag=state.etag())
    account.entries[calendar.id] = entry
    return entry


def _first_events(state: State) -> None:
    today = datetime.fromtimestamp(state.now(), times.zone_or_utc(ZONE)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    monday = today - timedelta(days=today.weekday())

    def timed(day: datetime, hour: float, length: float) -> Body:
        start = day.replace(tzinfo=None) + timedelta(hours=hour)
        return {
            "start": {"dateTime": start.isoformat(), "timeZone": ZONE},
            "end": {"dateTime": (start + timedelta(hours=length)).isoformat(), "timeZone": ZONE},
        }

    def whole(day: datetime, days: int = 1) -> Body:
        first = day.date()
        return {"start": {"date": first.isoformat()}, "end": {"date": (first + timedelta(days=days)).isoformat()}}

    weekly = {"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO"], "location": "Room 2"}
    guests = [{"email": JOAN}, {"email": "pat@elsewhere.test", "displayName": "Pat Lindgren"}]
    primary: list[Body] = [
        {"summary": "Team meeting", **weekly, **timed(monday - timedelta(days=28), 9.5, 1)},
        {"summary": "Dentist", "visibility": "private", **timed(today + timedelta(days=2), 16, 0.75)},
        {"summary": "Quarterly review", "attendees": guests, **timed(today + timedelta(days=3), 11, 1.5)},
        {"summary": "Lunch with Amara", "transparency": "transparent", **timed(today + timedelta(days=1), 12.5, 1)},
        {"summary": "Company offsite", **whole(today + timedelta(days=9), 2)},
    ]
    for body in primary:
        state.create(MIRA, body)
    state.create(INTERVIEWS, {"summary": "First interview: Chidi A.", **timed(today + timedelta(days=1), 10, 1)})
    state.create(INTERVIEWS, {"summary": "Second interview: Elif K.", **timed(today + timedelta(days=4), 14, 1)})
    new_year = datetime(today.year + 1, 1, 1, tzinfo=UTC)
    state.create(HOLIDAYS, {"summary": "New Year’s Day", "transparency": "transparent", **whole(new_year)})


def many(
    state: State, count: int, *, calendar: str = "primary", seed: int = 1, series: float = 0.02, days: int = 730
) -> int:
    """Add events for measurements, without checks or mails: singles, whole days and some series, spread evenly.

    :param series: the share of recurring events.
    :param days: half before the present, half after it.
    :return: how many were added.
    """
    chance = random.Random(seed)
    with state.lock:
        home = state.calendar(calendar)
        midnight = int(state.now()) // times.DAY * times.DAY
        updated = state.stamp()
        for number in range(count):
            offset = (number * days // max(count, 1) - days // 2) * times.DAY
            home.put(_invented(state, home, chance, midnight + offset, updated, chance.random() < series, number))
        state.changed(home)
    return count


def _invented(
    state: State, home: Calendar, chance: random.Random, day: int, updated: str, recurring: bool, number: int
) -> Body:
    event_id = state.new_id()
    organizer: Body = {"email": home.id, "self": True}
    body: Body = {
        "kind": "calendar#event",
        "etag": state.etag(),
        "id": event_id,
        "status": "confirmed",
        "htmlLink": f"{state.base_url}/calendar/event?eid={event_id}",
        "created": updated,
        "updated": updated,
        "summary": f"{chance.choice(_WORDS)} {chance.choice(_NAMES)} {number}",
        "description": "Notes for the meeting. " * chance.randrange(1, 6),
        "location": f"Room {chance.randrange(1, 30)}",
        "creator": organizer,
        "organizer": organizer,
        "start": {},
        "end": {},
        "iCalUID": f"{event_id}@google.com",
        "sequence": 0,
        "reminders": {"useDefault": True},
        "eventType": "default",
    }
    if chance.random() < 0.1:
        first = datetime.fromtimestamp(day, UTC).date()
        body |= {"start": {"date": first.isoformat()}, "end": {"date": (first + timedelta(days=1)).isoformat()}}
    else:
        start = day + chance.randrange(7 * 4, 18 * 4) * 900
        for side, seconds in (("start", start), ("end", start + chance.choice((1800, 2700, 3600, 5400)))):
            body[side] = {"dateTime": times.in_zone(seconds, home.time_zone), "timeZone": home.time_zone}
    if recurring:
        body["recurrence"] = [chance.choice(_RULES)]
    return body

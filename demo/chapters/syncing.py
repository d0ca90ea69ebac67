"""Mira's part: connect, see the first synchronization through, and watch both sides agree whatever happens."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..browser import Page
from . import appointments
from .calendar import (
    JOAN,
    MIRA,
    PAGE,
    TAB,
    at_google,
    days,
    events_at_google,
    sentence,
    shows,
    sign_in_at_google,
    sync_now,
    until_at_google,
    until_gone,
    until_in_step,
    until_shown,
)
from .cast import Cast, in_hours, true, until

BERLIN = ZoneInfo("Europe/Berlin")
NOT_YET = "Your Harbor Agenda is not synchronized yet."
PAUSED = f"Synchronization with {MIRA} is paused."


def google_event(title: str, start: datetime, minutes: int = 60) -> dict[str, Any]:
    """Return an event as its owner would make it at Google."""
    end = start + timedelta(minutes=minutes)
    return {
        "summary": title,
        "start": {"dateTime": start.isoformat(), "timeZone": "Europe/Berlin"},
        "end": {"dateTime": end.isoformat(), "timeZone": "Europe/Berlin"},
    }


# ── Before there is a connection ───────────────────────────────────────────────────────────────────────────────


def only_in_the_host(cast: Cast) -> str:
    """What is not synchronized stands under Activities, with the reason; the Calendar page shows none of it."""
    start = in_hours(30)
    cast.notes["early"] = appointments.make(cast, "Early bird", start, start + timedelta(hours=1), invite_guests=False)
    panel = until(lambda: _panel(cast, "Early bird"), "the appointment is not under Activities")
    true("only in Harbor" in panel, f"the panel does not say where it is: {panel[:300]}")
    page = cast.mira.get(PAGE)
    true(not page.has("Early bird"), "an appointment that is not synchronized is on the Calendar page")
    true(page.has("They stay under Activities") or page.has("It stays under Activities"), "the page does not say so")
    return "listed under Activities with its reason, absent from the Calendar page"


def _panel(cast: Cast, title: str) -> str:
    """Return the words of the extension's panel on the Activities page that names `title`, or ''."""
    panels = cast.mira.get("/activities/").find("//section[.//*[contains(@class,'cx')]]")
    words = [" ".join(panel.text_content().split()) for panel in panels]
    return next((text for text in words if title in text), "")


def planned_activity(cast: Cast) -> str:
    """An activity with a time stands in Calendar's panel on the Activities page; a rolled back one would not."""
    start = in_hours(50)
    appointments.plan(cast, "Call the references", start, start + timedelta(minutes=30))
    until(lambda: _panel(cast, "Call the references"), "the activity is not in the panel")
    return "in the Activities panel"


# ── Connecting ─────────────────────────────────────────────────────────────────────────────────────────────────


def connect(cast: Cast) -> str:
    """Two clicks and the provider's own pages."""
    true(cast.mira.get(TAB).has(NOT_YET), "before connecting the tab does not say so")
    page = cast.mira.get(PAGE).follow("Start Synchronization")
    true(page.url.startswith(cast.demo.standin.base_url), f"the sign-in is not at the provider: {page.url}")
    page = sign_in_at_google(page, MIRA)
    true(page.url.startswith(cast.demo.base_url) and page.status == 200, f"did not come back: {page.url} {page.status}")
    true("code=" not in page.url and "state=" not in page.url, "the address still holds code and state")
    true(cast.mira.get(TAB).has(MIRA), "the tab does not name the account")
    return f"Calendar > Start Synchronization, signed in as {MIRA}"


def first_sync(cast: Cast) -> str:
    """It ends with the status sentence, and the provider's events are on the Calendar page."""
    tab = until_in_step(cast, MIRA, 120)
    true(tab.has("Connected"), "no green Connected")
    for title in ("Team meeting", "Quarterly review", "Company offsite"):
        until_shown(cast, title, patience=10)
    until_at_google(cast, "Early bird")
    count_events(cast, tab)
    return sentence(MIRA)


def count_events(cast: Cast, tab: Page) -> None:
    """Remember how many events the tab says are in step."""
    counted = re.search(r"([\d,]+) events? in step", tab.text)
    cast.notes["pulled"] = int(counted.group(1).replace(",", "")) if counted else 0


def notified_nobody(cast: Cast) -> str:
    """The first synchronization has sent no mail through the provider."""
    mails = cast.google("stats")["mails"]
    true(mails == 0, f"{mails} mails went out")
    return "0 mails"


# ── Provider to host ───────────────────────────────────────────────────────────────────────────────────────────


def provider_create(cast: Cast) -> str:
    """What is made at Google appears on the open Calendar page by itself."""
    cast.notes["event"] = cast.google("create", item=google_event("Made at Google", in_hours(26)))["id"]
    until_shown(cast, "Made at Google")
    return "on the Calendar page"


def provider_update(cast: Cast) -> str:
    """A new title and time at Google replace the old ones."""
    changes = google_event("Moved at Google", in_hours(28))
    cast.google("patch", event=cast.notes["event"], changes=changes)
    until_shown(cast, "Moved at Google")
    true(not shows(cast, "Made at Google"), "the old title is still there")
    return "title and time"


def provider_delete(cast: Cast) -> str:
    """What is deleted at Google goes."""
    cast.google("delete", event=cast.notes["event"])
    until_gone(cast, "Moved at Google")
    return "gone from the Calendar page"


# ── Host to provider ───────────────────────────────────────────────────────────────────────────────────────────


def host_create(cast: Cast) -> str:
    """The host's form makes an event at Google, and Google, not the host, invites the guest."""
    start = in_hours(52)
    address = appointments.make(
        cast, "Interview with Noor", start, start + timedelta(hours=1), place="Room 1", guests="noor@veldhoven.example"
    )
    cast.notes["appointment"] = address
    event = until_at_google(cast, "Interview with Noor")
    true(datetime.fromisoformat(event["start"]["dateTime"]).astimezone(UTC) == start, f"at {event['start']}")
    true(event.get("location") == "Room 1", f"in {event.get('location')}")
    true("noor@veldhoven.example" in [one["email"] for one in event.get("attendees", [])], "the guest is missing")
    mails = [mail for mail in cast.google("mails")["mails"] if "noor@veldhoven.example" in str(mail)]
    true(mails, "Google did not invite the guest")
    until_shown(cast, "Interview with Noor")
    return "time, place and guest; the provider sent the invitation"


def host_update(cast: Cast) -> str:
    """Another time in the host is another time at Google, on the same event."""
    before = at_google(cast, "Interview with Noor")
    start = in_hours(55)
    times = {"starts": appointments.clock(start), "ends": appointments.clock(start + timedelta(hours=1))}
    appointments.change(cast, cast.notes["appointment"], **times)

    def moved() -> Any:
        event = at_google(cast, "Interview with Noor")
        return event if event and datetime.fromisoformat(event["start"]["dateTime"]).astimezone(UTC) == start else None

    after = until(moved, "the new time did not arrive at the provider")
    true(before and after["id"] == before["id"], "it became another event")
    return "same event, new time"


def host_cancel(cast: Cast) -> str:
    """What is cancelled in the host goes at Google."""
    appointments.cancel(cast, cast.notes["appointment"])
    until(lambda: not at_google(cast, "Interview with Noor"), "it is still at the provider")
    until_gone(cast, "Interview with Noor")
    return "gone at the provider and from the Calendar page"


# ── Series ─────────────────────────────────────────────────────────────────────────────────────────────────────


def occurrence_both_ways(cast: Cast) -> str:
    """One Monday of a series is moved at Google, the next one on the Calendar page; the others stay."""
    series = events_at_google(cast, "Team meeting")
    master = next(event for event in series if event.get("recurrence"))
    first, second = _coming_mondays()
    original = datetime(first.year, first.month, first.day, 9, 30, tzinfo=BERLIN)
    name = f"{master['id']}_{original.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    cast.google("patch", event=name, changes=google_event("Team meeting", original.replace(hour=15, minute=15)))
    until(lambda: _starts(cast, first) == "15:15", f"on {first} the meeting is at {_starts(cast, first)}")
    _move_on_the_page(cast, second, "11:45", "12:45")
    until(lambda: _override(cast, second, "11:45"), f"the provider did not hear of {second}")
    third = second + timedelta(days=7)
    true(_starts(cast, third) == "09:30", f"another Monday moved too: {_starts(cast, third)}")
    return f"{first} moved at the provider, {second} on the Calendar page, {third} untouched"


def _coming_mondays() -> tuple[date, date]:
    today = datetime.now(BERLIN).date()
    first = today + timedelta(days=7 - today.weekday())
    return first, first + timedelta(days=7)


def _meeting_link(cast: Cast, day: date) -> Any:
    links = days(cast.mira, day).find(f"//a[contains(@class,'cx-event')][contains(@id,'{day.isoformat()}')]")
    return next((link for link in links if "Team meeting" in link.text_content()), None)


def _starts(cast: Cast, day: date) -> str:
    """Return when the meeting of a day starts on the Calendar page, as HH:MM."""
    link = _meeting_link(cast, day)
    if link is None:
        return "nowhere"
    shown = link.findtext(".//time").split(" – ")[0].replace("\u202f", " ").strip()
    form = "%I:%M %p" if shown[-1:] == "M" else "%H:%M"
    return datetime.strptime(shown, form).strftime("%H:%M")


def _move_on_the_page(cast: Cast, day: date, start: str, end: str) -> None:
    page = cast.mira.get(_meeting_link(cast, day).get("href")).follow("Move")
    date_fields = {"first": day.isoformat(), "last": day.isoformat()}
    page.press("Move", scope="one", start=start, end=end, **date_fields)
    true(_starts(cast, day) == start, f"the page itself shows {_starts(cast, day)}")


def _override(cast: Cast, day: date, start: str) -> bool:
    """Return whether the provider holds an exception of that day that starts at `start` in Berlin."""
    for event in events_at_google(cast, "Team meeting"):
        original = event.get("originalStartTime", {}).get("dateTime", "")
        if original.startswith(day.isoformat()):
            return datetime.fromisoformat(event["start"]["dateTime"]).astimezone(BERLIN).strftime("%H:%M") == start
    return False


# ── When nothing, or something, goes wrong ─────────────────────────────────────────────────────────────────────


def nothing_to_write(cast: Cast) -> str:
    """Once both sides agree, another run writes nothing anywhere."""
    until_in_step(cast, MIRA)
    _run(cast)
    cast.google("reset_stats")
    _run(cast)
    stats = cast.google("stats")
    true(stats["requests"] > 0, "no run happened")
    true(stats["writes"] == 0, f"{stats['writes']} writes: {stats['by_method']}")
    return f"{stats['requests']} requests, 0 writes"


def _run(cast: Cast) -> None:
    """Press Sync now and wait until the provider was asked."""
    before = cast.google("stats")["by_method"].get("events.list", 0)
    sync_now(cast)
    until(lambda: cast.google("stats")["by_method"].get("events.list", 0) > before, "the provider was not asked")


def token_expired(cast: Cast) -> str:
    """An access token that is out of date is renewed without a word."""
    cast.google("expire_access_tokens")
    cast.google("create", item=google_event("After the token", in_hours(31)))
    until_shown(cast, "After the token")
    until_in_step(cast, MIRA)
    return "renewed without a word"


def sync_token_gone(cast: Cast) -> str:
    """A sync token that the provider has forgotten (410) costs a full listing and nothing else."""
    event = cast.google("create", item=google_event("Deleted meanwhile", in_hours(33)))
    until_shown(cast, "Deleted meanwhile")
    cast.google("expire_sync_tokens")
    cast.google("delete", event=event["id"])
    cast.google("create", item=google_event("After the 410", in_hours(32)))
    until_shown(cast, "After the 410")
    until_gone(cast, "Deleted meanwhile")
    until_in_step(cast, MIRA)
    return "read again from the start; the deletion was found too"


def background_job(cast: Cast) -> str:
    """With nobody at the host, the background job alone brings a change in."""
    listings = cast.google("stats")["by_method"].get("events.list", 0)
    asked = cast.mira.requests
    cast.google("create", item=google_event("While nobody looked", in_hours(35)))
    until(
        lambda: cast.google("stats")["by_method"].get("events.list", 0) >= listings + 3,
        "the background job did not ask the provider",
    )
    true(cast.mira.requests == asked, "a request helped")
    true(shows(cast, "While nobody looked"), "the first look at the page does not show it")
    return "there at the first look"


def auto_sync(cast: Cast) -> str:
    """Off: nothing comes in and the tab says so. On: what waited comes."""
    cast.mira.get(TAB).press("Auto-sync")
    tab = cast.mira.get(TAB)
    true(tab.has(PAUSED, "Paused"), "the tab does not say that it is paused")
    true(not tab.has(sentence(MIRA)), "the status sentence stands while it is paused")
    quiet = cast.google("stats")["requests"]
    cast.google("create", item=google_event("Made during the pause", in_hours(36)))
    start = in_hours(60)
    appointments.make(cast, "Host during the pause", start, start + timedelta(hours=1), invite_guests=False)
    _stays_quiet(cast, quiet)
    true(not shows(cast, "Made during the pause"), "a paused connection brought an event in")
    true(not at_google(cast, "Host during the pause"), "a paused connection sent an appointment")
    cast.mira.get(TAB).press("Auto-sync")
    until_shown(cast, "Made during the pause")
    until_at_google(cast, "Host during the pause")
    until_in_step(cast, MIRA)
    return "nothing while off, everything after on"


def _stays_quiet(cast: Cast, before: int) -> None:
    """A run that had begun may end; after that nothing is asked for three polls."""
    time.sleep(2 * POLL_SECONDS)
    settled = cast.google("stats")["requests"]
    true(settled - before < 6, f"{settled - before} requests after the pause")
    time.sleep(3 * POLL_SECONDS)
    asked = cast.google("stats")["requests"] - settled
    true(asked == 0, f"{asked} requests while paused")


#: The demo's host reads calendars this often while nobody looks.
POLL_SECONDS = 2


def sentence_only_while_true(cast: Cast) -> str:
    """The status sentence goes when the sign-in is revoked at the provider, and comes back with the repair."""
    until_in_step(cast, MIRA)
    cast.google("revoke_grant", email=MIRA)
    tab = until(
        lambda: page if (page := cast.mira.get(TAB)).has("Sign in to Google again") else None, "the tab does not say so"
    )
    true(not tab.has(sentence(MIRA)), "the status sentence stands although the sign-in was revoked")
    page = tab.follow("Sign in again")
    while page.url.startswith(cast.demo.standin.base_url):
        page = page.press("Next" if "/password" in page.url else "Continue" if "/consent" in page.url else MIRA)
    until_in_step(cast, MIRA)
    true(len(events_at_google(cast, "Early bird")) == 1, "the repair doubled an event")
    return "absent before, paused and revoked; back after signing in again"


def switch_calendar(cast: Cast) -> str:
    """Another calendar: disconnect, then connect; nothing is there twice and the old one is left alone."""
    cast.mira.get(TAB).follow("Disconnect").press("Disconnect", here="remove")
    until(lambda: not cast.mira.get(TAB).has(MIRA), "the old account is still on the tab")
    true(not cast.mira.get(TAB).has(sentence(MIRA)), "the status sentence stands after disconnecting")
    true(cast.demo.standin.grants() == 0, "the old sign-in was not revoked")
    sign_in_at_google(cast.mira.get(PAGE).follow("Start Synchronization"), JOAN)
    until_in_step(cast, JOAN, 120)
    until_at_google(cast, "Early bird", JOAN)
    page = days(cast.mira)
    links = [link for link in page.find("//a[contains(@class,'cx-event')]") if "Early bird" in link.text_content()]
    true(len(links) == 1, f"“Early bird” stands {len(links)} times on the Calendar page")
    return f"{sentence(JOAN)}; nothing twice"


# ── Off and on again ───────────────────────────────────────────────────────────────────────────────────────────


def change_while_off(cast: Cast) -> None:
    """Make something on either side while Calendar is not active."""
    cast.google("create", item=google_event("While it was off", in_hours(37)))
    start = in_hours(62)
    appointments.make(cast, "Host while it was off", start, start + timedelta(hours=1), invite_guests=False)


def catches_up(cast: Cast) -> str:
    """After activating again both are on both sides."""
    until_shown(cast, "While it was off")
    until_at_google(cast, "Host while it was off")
    until_in_step(cast, MIRA)
    return "both sides, without a new sign-in"

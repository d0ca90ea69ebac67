"""The owner's own pages, by forms alone."""

from __future__ import annotations

from typing import Any

import pytest

from demo.standins.google import Standin

from .browser import Browser
from .conftest import WEEKLY, timed


@pytest.fixture
def browser(standin: Standin) -> Browser:
    """Return a person at Mira's calendar."""
    return Browser(standin.base_url).open(f"{standin.base_url}/calendar/u/mira@example.test")


def titles(standin: Standin) -> list[Any]:
    """Return the titles of Mira's events."""
    return sorted(event["summary"] for event in standin.state.events("primary"))


def occurrence(standin: Standin, browser: Browser, key: str = "20261130T080000Z") -> tuple[str, Browser]:
    """Create a series and open the form of its second occurrence."""
    master = standin.state.create("primary", timed(recurrence=WEEKLY))["id"]
    return master, browser.open(f"{browser.base_url}/calendar/u/mira@example.test/mira@example.test/{master}_{key}")


def test_the_first_page_lists_the_accounts(browser: Browser) -> None:
    page = browser.open(browser.base_url).page.text
    assert "Mira Okafor" in page
    assert "joan@example.test" in page
    assert "Mails that would go out: 0" in page


def test_an_event_is_created_moved_and_deleted_by_forms(standin: Standin, browser: Browser) -> None:
    browser.press(title="Dentist", day="2026-11-24", until="2026-11-24", start="14:00", end="15:00")
    (event,) = standin.state.events("primary")
    assert event["start"] == {"dateTime": "2026-11-24T14:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert "Tuesday, 24 November 2026" in browser.page.text
    browser.open(event["htmlLink"])
    assert 'value="Dentist"' in browser.page.text
    browser.press(start="16:00", end="17:30", title="Dentist, later")
    (event,) = standin.state.events("primary")
    assert (event["summary"], event["start"]["dateTime"]) == ("Dentist, later", "2026-11-24T16:00:00+01:00")
    browser.post(f"{browser.base_url}/calendar/u/mira@example.test/mira@example.test/{event['id']}/delete", [])
    assert standin.state.events("primary") == []
    assert "Deleted." in browser.page.text


def test_whole_days_are_entered_with_their_last_day_and_turn_into_times(standin: Standin, browser: Browser) -> None:
    browser.press(title="Offsite", day="2026-11-24", until="2026-11-25", whole="1")
    (event,) = standin.state.events("primary")
    assert (event["start"], event["end"]) == ({"date": "2026-11-24"}, {"date": "2026-11-26"})
    browser.open(event["htmlLink"])
    assert 'name="until" value="2026-11-25"' in browser.page.text
    browser.press(whole=None, start="09:00", end="10:00", until="2026-11-24")
    (event,) = standin.state.events("primary")
    assert event["start"]["dateTime"] == "2026-11-24T09:00:00+01:00"
    browser.open(event["htmlLink"]).press(whole="1")
    assert standin.state.events("primary")[0]["start"] == {"date": "2026-11-24"}


def test_guests_are_mailed_only_where_that_is_ticked(standin: Standin, browser: Browser) -> None:
    guest = {"guests": "pat@elsewhere.test; joan@example.test"}
    browser.press(title="Quiet", **guest)
    assert standin.state.mails == []
    browser.press(title="Loud", tell="1", **guest)
    assert {mail.to for mail in standin.state.mails} == {"pat@elsewhere.test", "joan@example.test"}
    assert "Mails that would go out: 2" in browser.page.text


def test_the_answers_of_guests_survive_an_edit(standin: Standin, browser: Browser) -> None:
    answered = [{"email": "pat@elsewhere.test", "responseStatus": "accepted"}]
    event = standin.state.create("primary", timed(attendees=answered))
    browser.open(event["htmlLink"]).press(title="New title", guests="pat@elsewhere.test, kim@elsewhere.test")
    guests = standin.state.events("primary")[0]["attendees"]
    assert [each["responseStatus"] for each in guests] == ["accepted", "needsAction"]


def test_one_occurrence_is_changed_alone(standin: Standin, browser: Browser) -> None:
    master, form = occurrence(standin, browser)
    form.press(title="Only this one", start="11:00", end="12:00")
    changed = standin.state.get("primary", f"{master}_20261130T080000Z")
    assert changed is not None
    assert (changed["summary"], changed["start"]["dateTime"]) == ("Only this one", "2026-11-30T11:00:00+01:00")
    assert titles(standin) == ["Call", "Only this one"]


def test_the_whole_series_moves_as_its_occurrence_was_moved(standin: Standin, browser: Browser) -> None:
    master, form = occurrence(standin, browser)
    form.press(title="All of them", day="2026-12-01", until="2026-12-01", start="10:00", end="11:30", scope="series")
    series = standin.state.get("primary", master)
    assert series is not None
    assert series["summary"] == "All of them"
    assert series["start"]["dateTime"] == "2026-11-24T10:00:00+01:00"
    assert series["end"]["dateTime"] == "2026-11-24T11:30:00+01:00"
    assert series["recurrence"] == WEEKLY


def test_an_occurrence_or_its_series_is_deleted(standin: Standin, browser: Browser) -> None:
    master, form = occurrence(standin, browser)
    address = form.page.url + "/delete"
    browser.post(address, [("scope", "one")])
    assert len(standin.state.events("primary")) == 1
    browser.post(address, [("scope", "series")])
    assert standin.state.events("primary") == []
    assert standin.state.get("primary", master) is not None


def test_a_form_that_cannot_be_is_answered_with_a_sentence(standin: Standin, browser: Browser) -> None:
    browser.press(title="Backwards", start="15:00", end="14:00")
    assert "The specified time range is empty." in browser.page.text
    browser.press(title="Never", start="25:99")
    assert browser.page.status_code == 200
    assert standin.state.events("primary") == []


def test_a_repeating_event_can_be_made_and_shows_on_each_of_its_days(standin: Standin, browser: Browser) -> None:
    browser.press(title="Standup", day="2026-11-23", until="2026-11-23", repeat="WEEKLY")
    assert browser.page.text.count("Standup") == 4
    assert standin.state.events("primary")[0]["recurrence"] == ["RRULE:FREQ=WEEKLY"]


def test_other_weeks_are_a_link_away_and_unknown_places_are_said_so(browser: Browser) -> None:
    address = f"{browser.base_url}/calendar/u/mira@example.test"
    assert "No events" not in browser.open(f"{address}?first=2026-12-20").page.text
    assert "No events" in browser.open(f"{address}?first=2031-06-01").page.text
    assert browser.open(f"{address}?first=nonsense").page.status_code == 200
    assert browser.open(f"{browser.base_url}/calendar/u/nobody@example.test").page.status_code == 404
    assert "no longer there" in browser.open(f"{address}/mira@example.test/nothing").page.text
    assert "Accounts" in browser.open(f"{browser.base_url}/calendar/event?eid=nothing").page.text


def test_what_people_write_is_shown_as_text(standin: Standin, browser: Browser) -> None:
    browser.press(title="<script>alert(1)</script>")
    assert "<script>" not in browser.page.text
    assert "&lt;script&gt;" in browser.page.text

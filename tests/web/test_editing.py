"""Making, changing, moving and deleting on the Calendar page, without script; who is told is asked first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .test_pages import TODAY, item, words_of
from .world import MIRA, PAGE, Person, World

TOMORROW = TODAY + timedelta(days=1)
NEW = "/calendar/events/new"
ZONE = ZoneInfo("Europe/Amsterdam")


@pytest.fixture(scope="module")
def world(connected: World) -> World:
    """The shared world: each test makes events of its own."""
    return connected


def fields(page: Any) -> dict[str, Any]:
    """Return what the form of a page would send."""
    form = page.xpath("//form[.//input[@name='etag'] or .//textarea or .//input[@name='first']]")[-1]
    return {name: value for name, value in form.form_values() if name != "csrf_token"}


def there(world: World, title: str) -> list[dict[str, Any]]:
    """Return the live events of a title at the provider."""
    found = world.standin.control("dump")["calendars"][MIRA]
    return [event for event in found if event.get("summary") == title and event.get("status") != "cancelled"]


def address(mira: Person, title: str, first: date | None = None) -> str:
    """Return the address of the first event of a title from a day on."""
    page = mira.page(f"{PAGE}?view=list" + (f"&d={first.isoformat()}" if first else ""))
    return next(a.get("href") for a in page.xpath("//a[contains(@class,'cx-event')]") if title in words_of(a))


def within(event: str, step: str) -> str:
    """Return the address of a step of an event."""
    path, mark, query = event.partition("?")
    return f"{path}/{step}{mark}{query}"


def new(mira: Person, title: str, **more: Any) -> Any:
    """Send the form for a new event as it comes, with some fields changed."""
    known = fields(mira.page(NEW)) | {"title": title, "first": TOMORROW.isoformat(), "start": "10:00", "end": "11:00"}
    return mira.post(NEW, **{**known, "last": "", **more})


def test_a_new_event_stands_on_the_page_at_once_and_goes_to_the_provider(world: World, mira: Person) -> None:
    assert new(mira, "Made on the page", location="Room 7", description="Bring\ncake").status_code == 303
    assert '"Made on the page" is on its way to Google.' in mira.reads(PAGE)
    assert (
        "on its way"
        in mira.page(f"{PAGE}?view=list").xpath("//a[contains(@aria-label,'Made on the page')]/@aria-label")[0]
    )
    world.runs()
    (event,) = there(world, "Made on the page")
    assert event["location"] == "Room 7"
    start = datetime.fromisoformat(event["start"]["dateTime"])
    assert start == datetime.combine(TOMORROW, datetime.min.time(), ZONE).replace(hour=10)
    assert world.standin.state.mails == []


def test_all_day_and_over_midnight(world: World, mira: Person) -> None:
    last = TOMORROW + timedelta(days=2)
    assert new(mira, "A fair", all_day="y", last=last.isoformat()).status_code == 303
    assert new(mira, "Night shift", start="22:00", end="06:00", last=last.isoformat()).status_code == 303
    world.runs()
    (fair,) = there(world, "A fair")
    assert (fair["start"]["date"], fair["end"]["date"]) == (str(TOMORROW), str(last + timedelta(days=1)))
    assert there(world, "Night shift")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"first": ""}, "Say on which day it begins."),
        ({"first": "2026-02-31"}, ""),
        ({"start": ""}, "Say at what time it begins, or tick All day."),
        ({"start": "25:00"}, ""),
        ({"end": "09:00"}, "It ends before it begins."),
        ({"last": "1999-01-01"}, "It ends before it begins."),
        ({"title": "x" * 1_025}, "This title is too long."),
        ({"description": "x" * 9_000}, "This description is too long."),
        ({"guests": "not an address"}, "One of these is not an e-mail address."),
        ({"guests": "a@b"}, "One of these is not an e-mail address."),
        ({"notify": "perhaps"}, ""),
    ],
)
def test_what_makes_no_sense_comes_back_with_what_was_typed(
    world: World, mira: Person, wrong: dict[str, str], said: str
) -> None:
    before = world.scalar("SELECT count(*) FROM calendar_ext_event")
    answer = new(mira, **{"title": "Nonsense", **wrong})
    assert answer.status_code == 400
    text = answer.get_data(as_text=True)
    assert said in text
    assert "Nonsense" in text or "title" in wrong
    assert world.scalar("SELECT count(*) FROM calendar_ext_event") == before


@pytest.mark.parametrize("calendar", ["", "A" * 22, "\0", "'; DROP TABLE x"])
def test_a_calendar_that_is_not_theirs_takes_nothing(mira: Person, calendar: str) -> None:
    assert new(mira, "Nowhere", calendar=calendar).status_code in (400, 404)


def test_E21_guests_are_told_only_where_a_person_says_send(world: World, mira: Person) -> None:
    question = new(mira, "With guests", guests="noor@example.test, jonas@example.test")
    assert question.status_code == 200
    page = question.get_data(as_text=True)
    assert "Tell 2 guests?" in page and "Google sends the message" in page
    assert "With guests" in page and "noor@example.test, jonas@example.test" in page
    assert new(mira, "With guests", guests="noor@example.test jonas@example.test", notify="no").status_code == 303
    world.runs()
    (event,) = there(world, "With guests")
    assert {guest["email"] for guest in event["attendees"]} >= {"noor@example.test", "jonas@example.test"}
    assert world.standin.state.mails == []
    edit = within(address(mira, "With guests"), "edit")
    known = fields(mira.page(edit)) | {"title": "With guests and news"}
    asked = mira.post(edit, **known)
    assert (asked.status_code, "Tell 2 guests?" in asked.get_data(as_text=True)) == (200, True)
    assert mira.post(edit, **known, notify="yes").status_code == 303
    world.runs()
    assert there(world, "With guests and news")
    assert len(world.standin.state.mails) == 2
    world.standin.state.mails.clear()


def test_an_event_is_edited_moved_and_deleted(world: World, mira: Person) -> None:
    world.standin.control("create", item=item("To be changed"))
    world.execute("UPDATE calendar_ext_sync_state SET next_at = 0")
    world.runs(1)
    event = address(mira, "To be changed")
    edit = within(event, "edit")
    known = fields(mira.page(edit))
    assert known["title"] == "To be changed"
    answer = mira.post(edit, **known | {"title": "Was changed", "location": "Elsewhere"})
    assert answer.status_code == 303
    assert '"Was changed" is saved and on its way to Google.' in mira.reads(answer.location)
    world.runs()
    (changed,) = there(world, "Was changed")
    assert changed["location"] == "Elsewhere"
    move = within(event, "move")
    later = TOMORROW + timedelta(days=3)
    known = fields(mira.page(move)) | {"first": str(later), "last": str(later), "start": "15:00", "end": "15:30"}
    answer = mira.post(move, **known)
    assert answer.status_code == 303 and "Moved to" in mira.reads(answer.location)
    world.runs()
    (moved,) = there(world, "Was changed")
    assert datetime.fromisoformat(moved["start"]["dateTime"]) == datetime(
        later.year, later.month, later.day, 15, tzinfo=ZONE
    )
    delete = within(event, "delete")
    assert "Delete Was changed?" in mira.reads(delete)
    assert mira.post(delete, **fields(mira.page(delete))).status_code == 303
    assert '"Was changed" is deleted.' in mira.reads(PAGE)
    world.runs()
    assert there(world, "Was changed") == []
    assert mira.get(event).status_code == 404
    assert world.standin.state.mails == []


def test_M34_an_event_that_changed_meanwhile_is_not_overwritten_unseen(world: World, mira: Person) -> None:
    made = world.standin.control("create", item=item("Two hands"))
    world.execute("UPDATE calendar_ext_sync_state SET next_at = 0")
    world.runs(1)
    edit = within(address(mira, "Two hands"), "edit")
    known = fields(mira.page(edit)) | {"description": "Mine"}
    world.standin.control("patch", event=made["id"], changes={"location": "Theirs"})
    world.execute("UPDATE calendar_ext_sync_state SET next_at = 0")
    world.runs(1)
    answer = mira.post(edit, **known)
    assert answer.status_code == 409
    text = answer.get_data(as_text=True)
    assert "This event changed while you were editing." in text and "Mine" in text
    assert mira.post(edit, **known | {"etag": "", "etag_all": ""}).status_code == 303


@pytest.fixture
def series(world: World) -> Any:
    """A weekly series that began last week, at nine in Amsterdam."""
    start = datetime.combine(TODAY - timedelta(days=6), datetime.min.time(), ZONE).replace(hour=9)
    times = {"start": start, "end": start + timedelta(hours=1)}
    title = f"Weekly {datetime.now(UTC).timestamp()}"
    made = world.standin.control(
        "create",
        item={
            "summary": title,
            **{name: {"dateTime": at.isoformat(), "timeZone": "Europe/Amsterdam"} for name, at in times.items()},
            "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"],
        },
    )
    world.execute("UPDATE calendar_ext_sync_state SET next_at = 0")
    world.runs(1)
    return made


def occurrences(mira: Person, title: str) -> list[Any]:
    """Return the links of a series on the list."""
    page = mira.page(f"{PAGE}?view=list")
    return [a for a in page.xpath("//a[contains(@class,'cx-event')]") if title in words_of(a)]


def test_one_occurrence_is_moved_alone(world: World, mira: Person, series: Any) -> None:
    _, second, *_ = occurrences(mira, series["summary"])
    move = within(second.get("href"), "move")
    page = mira.page(move)
    assert "This event repeats. Change:" in words_of(page)
    known = fields(page) | {"start": "13:00", "end": "14:00"}
    assert mira.post(move, **known).status_code == 303
    world.runs()
    times = [words_of(link.xpath("./time")[0]) for link in occurrences(mira, series["summary"])]
    assert [time.startswith("13:00") for time in times] == [False, True, False, False]
    instances = [event for event in there(world, series["summary"]) if event.get("recurringEventId")]
    assert len(instances) == 1


def test_a_whole_series_is_moved_by_as_much_as_the_occurrence_that_was_shown(
    world: World, mira: Person, series: Any
) -> None:
    _, second, *_ = occurrences(mira, series["summary"])
    move = within(second.get("href"), "move")
    known = fields(mira.page(move)) | {"start": "14:00", "end": "15:30", "scope": "all"}
    assert mira.post(move, **known).status_code == 303
    world.runs()
    (master,) = there(world, series["summary"])
    start, end = (datetime.fromisoformat(master[name]["dateTime"]) for name in ("start", "end"))
    began = datetime.fromisoformat(series["start"]["dateTime"])
    assert start.astimezone(ZONE) == began.astimezone(ZONE).replace(hour=14)
    assert end - start == timedelta(minutes=90)
    assert {words_of(a.xpath("./time")[0])[:5] for a in occurrences(mira, series["summary"])} == {"14:00"}


def test_one_occurrence_is_cancelled_and_then_the_rest(world: World, mira: Person, series: Any) -> None:
    _, second, *_ = occurrences(mira, series["summary"])
    delete = within(second.get("href"), "delete")
    assert mira.post(delete, **fields(mira.page(delete))).status_code == 303
    world.runs()
    assert len(occurrences(mira, series["summary"])) == 3
    first, *_ = occurrences(mira, series["summary"])
    delete = within(first.get("href"), "delete")
    assert mira.post(delete, **fields(mira.page(delete)) | {"scope": "all"}).status_code == 303
    world.runs()
    assert occurrences(mira, series["summary"]) == []
    assert there(world, series["summary"]) == []


@pytest.mark.parametrize("at", ["x", "20261399T000000Z", "19700101T000000Z", "A" * 24, "20261123"])
def test_an_occurrence_that_is_not_there_is_not_there(mira: Person, series: Any, at: str) -> None:
    event = occurrences(mira, series["summary"])[0].get("href").partition("?")[0]
    for step in ("", "/edit", "/move", "/delete"):
        assert mira.get(f"{event}{step}?at={at}").status_code == 404


def test_a_meeting_of_somebody_else_can_be_seen_and_not_changed(world: World, mira: Person) -> None:
    guests = [{"email": "boss@example.test", "organizer": True}, {"email": MIRA, "self": True}]
    world.standin.control(
        "create", item=item("Their meeting", organizer={"email": "boss@example.test"}, attendees=guests)
    )
    world.execute("UPDATE calendar_ext_event SET is_organizer = 0, organizer = 'boss@example.test' WHERE title = 'x'")
    world.execute("UPDATE calendar_ext_sync_state SET next_at = 0")
    world.runs(1)
    world.execute(
        "UPDATE calendar_ext_event SET is_organizer = 0, organizer = 'boss@example.test' WHERE title = 'Their meeting'"
    )
    event = address(mira, "Their meeting")
    page = mira.page(event)
    assert "Only boss@example.test can change this event." in words_of(page)
    assert not page.xpath("//a[text()='Edit' or text()='Delete' or text()='Move']")
    answer = mira.post(within(event, "delete"), **fields(mira.page(within(event, "delete"))), notify="no")
    assert answer.status_code == 400


def test_M18_what_lost_when_both_sides_changed_stays_readable_on_the_event(world: World, mira: Person) -> None:
    event = address(mira, "Dentist", TODAY)
    row = world.scalar("SELECT id FROM calendar_ext_event WHERE title = 'Dentist'")
    world.execute(
        "INSERT INTO calendar_ext_conflict (event_id, field, ours, theirs, winner, state, resolved_by, at) "
        "VALUES (:row, 'location', '\"Room 1\"', '\"Room <2>\"', 'theirs', 'open', '', 1800000000)",
        row=row,
    )
    text = words_of(mira.page(event))
    assert '"Dentist" was changed here and at Google.' in text
    assert "Room 1" in text and "Room <2>" in text and "(kept)" in text
    label = mira.page(f"{PAGE}?view=list").xpath("//a[contains(@aria-label,'Dentist')]/@aria-label")[0]
    assert label.endswith("conflict")
    assert "1 conflict" in mira.reads("/calendar/settings")
    world.execute("DELETE FROM calendar_ext_conflict")


def test_open_in_the_provider_leads_there(world: World, mira: Person) -> None:
    page = mira.page(address(mira, "Dentist", TODAY))
    (link,) = page.xpath("//a[text()='Open in Google']")
    assert link.get("href").startswith(world.standin.base_url)

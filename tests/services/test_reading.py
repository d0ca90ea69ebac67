"""What a person sees of their calendars: days, one event, what changed; each their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from calendar_ext.domain.model import Attendee
from calendar_ext.domain.when import When
from calendar_ext.errors import Gone

from ..sync.rig import MONDAY, Rig
from .people import OTHER, STRANGER, USER, People

DAY = MONDAY.date()


@pytest.fixture
def seen(people: People, rig: Rig) -> People:
    """The rig's account, its calendar written to and shown to its person."""
    with people.store.write() as unit:
        connection = unit.connections.of_account(rig.account.id)[0]
        calendar = unit.calendars.of_account(rig.account.id)[0]
        unit.choices.put(calendar.id, USER.user_id, connection.id, writes=True, checks=True)
    return people


def statements(people: People, ask: Any) -> list[str]:
    """Return what asking costs, without BEGIN."""
    said: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "calendar_ext" in statement:
            said.append(statement)

    event.listen(people.database, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(people.database, "before_cursor_execute", note)
    return said


def titles(people: People, first: date = DAY, days: int = 7, user: Any = USER) -> list[str]:
    """Return the titles of some days, in order."""
    return [item.title for item in people.reading.agenda(user, first, days).items]


def test_days_hold_what_touches_them_and_nothing_else(seen: People, rig: Rig) -> None:
    rig.put("on", at=MONDAY)
    rig.put("before", at=MONDAY - timedelta(days=3))
    rig.put("into", at=MONDAY - timedelta(hours=20), hours=14)
    rig.put("long", at=MONDAY - timedelta(days=20), hours=24 * 30)
    rig.put("whole", when=When.days(DAY, DAY + timedelta(days=1)))
    rig.put("day before", when=When.days(DAY - timedelta(days=1), DAY))
    rig.run()
    assert sorted(titles(seen, days=1)) == ["into", "long", "on", "whole"]
    assert titles(seen, user=OTHER) == titles(seen, user=STRANGER) == []


def test_all_day_events_stay_on_their_days_in_every_zone(seen: People, rig: Rig) -> None:
    rig.put("whole", when=When.days(DAY, DAY + timedelta(days=2)))
    rig.run()
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin"):
        user = replace(USER, zone=zone)
        (item,) = seen.reading.agenda(user, DAY, 1).items
        assert (item.first, item.last) == (DAY, DAY + timedelta(days=1))
        assert seen.reading.agenda(user, DAY + timedelta(days=2), 1).items == ()
        assert seen.reading.agenda(user, DAY - timedelta(days=1), 1).items == ()


def test_what_ends_at_midnight_is_not_on_the_next_day(seen: People, rig: Rig) -> None:
    evening = datetime.combine(DAY, datetime.min.time()).replace(hour=22)
    rig.put("evening", when=When(evening.isoformat(), (evening + timedelta(hours=2)).isoformat(), "Europe/Berlin"))
    rig.run()
    agenda = seen.reading.agenda(USER, DAY, 3)
    assert [len(agenda.on(DAY + timedelta(days=offset))) for offset in range(3)] == [1, 0, 0]


def test_a_month_costs_two_questions_however_many_calendars(seen: People, rig: Rig) -> None:
    rig.fill(50)
    rig.run()
    seen.reading.agenda(USER, DAY, 31)
    assert len(statements(seen, lambda: seen.reading.agenda(USER, DAY, 31))) == 2


def test_a_series_gives_its_occurrences_with_their_keys(seen: People, rig: Rig) -> None:
    rig.put("weekly", rules=("RRULE:FREQ=WEEKLY;COUNT=4",))
    rig.run()
    items = seen.reading.agenda(USER, DAY, 30).items
    assert len(items) == 4 and len({item.at for item in items}) == 4
    assert all(item.repeats for item in items)
    details = seen.reading.details(USER, items[2].event, items[2].at)
    assert details.item.start == items[2].start
    assert details.rules == ("RRULE:FREQ=WEEKLY;COUNT=4",)
    assert seen.reading.series(USER, items[2].event).item.start == items[0].start


def test_an_edited_occurrence_is_shown_as_it_was_edited(seen: People, rig: Rig) -> None:
    rig.put("weekly", rules=("RRULE:FREQ=WEEKLY;COUNT=4",))
    rig.run()
    second = seen.reading.agenda(USER, DAY, 30).items[1]
    rig.put_occurrence("weekly", second.at, title="other")
    rig.run()
    assert titles(seen, days=30) == ["weekly", "other", "weekly", "weekly"]
    other = seen.reading.agenda(USER, DAY, 30).items[1]
    assert seen.reading.details(USER, other.event, other.at).item.title == "other"
    assert seen.reading.series(USER, other.event).item.title == "weekly"


def test_far_away_days_are_expanded_on_read(seen: People, rig: Rig) -> None:
    rig.put("yearly", rules=("RRULE:FREQ=YEARLY",))
    rig.put("old", at=MONDAY - timedelta(days=1_000))
    rig.run()
    assert titles(seen, DAY + timedelta(days=365 * 9 - 10), 30) == ["yearly"]
    assert "old" in titles(seen, DAY - timedelta(days=1_003), 7)


def test_one_event_is_told_with_its_people(seen: People, rig: Rig) -> None:
    guests = (Attendee("mira@example.test", is_self=True), Attendee("noor@example.test", "Noor", "accepted"))
    rig.put("meeting", description="Bring cake", location="Room 1", attendees=guests)
    rig.run()
    (item,) = seen.reading.agenda(USER, DAY, 7).items
    details = seen.reading.details(USER, item.event)
    assert details.description == "Bring cake" and details.item.location == "Room 1"
    assert [(guest.email, guest.name, guest.response) for guest in details.others] == [
        ("noor@example.test", "Noor", "accepted")
    ]
    assert details.source.writable and details.editable


@pytest.mark.parametrize("user", [OTHER, STRANGER], ids=["colleague", "stranger"])
def test_T16_one_event_is_not_there_for_anybody_else(seen: People, rig: Rig, user: Any) -> None:
    rig.put("meeting")
    rig.run()
    (item,) = seen.reading.agenda(USER, DAY, 7).items
    for ask in (seen.reading.details, seen.reading.series):
        with pytest.raises(Gone):
            ask(user, item.event)
    assert seen.reading.sources(user) == []


def test_a_cancelled_occurrence_is_not_there(seen: People, rig: Rig) -> None:
    rig.put("weekly", rules=("RRULE:FREQ=WEEKLY;COUNT=3",))
    rig.run()
    second = seen.reading.agenda(USER, DAY, 30).items[1]
    rig.world.remove(rig.world.subject, f"weekly_{second.at}")
    rig.run()
    assert len(seen.reading.agenda(USER, DAY, 30).items) == 2
    with pytest.raises(Gone):
        seen.reading.details(USER, second.event, second.at)


def test_changes_say_what_moved_on_and_cost_one_question_where_nothing_did(seen: People, rig: Rig) -> None:
    rig.put("first")
    rig.run()
    cursor = seen.reading.agenda(USER, DAY, 7).cursor
    quiet = seen.reading.changes(USER, cursor)
    assert (quiet.events, quiet.cursor) == ((), cursor)
    assert len(statements(seen, lambda: seen.reading.changes(USER, cursor))) == 1
    assert seen.reading.changes(USER, cursor, known=quiet.etag).events == ()
    rig.put("second")
    rig.remove("first")
    rig.run()
    news = seen.reading.changes(USER, cursor)
    assert news.etag != quiet.etag
    assert {change.get("title", "deleted") for change in news.events} == {"second", "deleted"}
    assert all(isinstance(change.get("start", 0), int) for change in news.events)
    assert seen.reading.changes(USER, news.cursor).events == ()
    assert seen.reading.changes(OTHER, cursor).events == ()


def test_the_etag_is_another_for_another_person(seen: People, rig: Rig) -> None:
    rig.run()
    assert seen.reading.changes(USER, "").etag != seen.reading.changes(OTHER, "").etag


def test_looking_wakes_the_account_once_in_a_while(seen: People, rig: Rig) -> None:
    rig.run()
    rig.execute("UPDATE calendar_ext_sync_state SET read_ok_at = 1")
    rig.execute("DELETE FROM calendar_ext_wake")
    for _ in range(3):
        seen.reading.look(USER)
    seen.reading.look(OTHER)
    assert len(rig.all("wake")) == 1


def test_kept_events_stay_and_ignored_ones_go(seen: People, rig: Rig) -> None:
    rig.put("here")
    rig.run()
    for reads, left in (("kept", ["here"]), ("ignore", []), ("mirror", ["here"])):
        rig.choose(reads)
        assert titles(seen) == left


def test_private_and_free_and_declined_are_told(seen: People, rig: Rig) -> None:
    rig.put("secret", visibility="private", show_as="free")
    rig.run()
    (item,) = seen.reading.agenda(USER, DAY, 7).items
    assert item.private and item.show_as == "free" and item.title == "secret"


def test_now_is_the_person_s(seen: People) -> None:
    assert abs((seen.reading.today(USER) - datetime.now(UTC)).total_seconds()) < 5
    assert str(seen.reading.today(USER).tzinfo) == "Europe/Berlin"

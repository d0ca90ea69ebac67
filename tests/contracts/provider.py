"""What every provider must do, whoever it is: subclass `ProviderContract` and say how to open one.

A subclass gives two fixtures. `account` is the open provider, whose listings hold at most five events a page. `there`
is the calendar's owner at work at the provider itself, past our adapter.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Protocol

import pytest

from calendar_ext.domain.model import Attendee, Event, Row
from calendar_ext.domain.rows import event_of
from calendar_ext.domain.when import Span, When, instant
from calendar_ext.errors import CursorExpired, EtagMismatch, Gone, PermissionDenied
from calendar_ext.providers.base import CalendarProvider, Page

PAGE = 5
KEY = "c" * 26
OTHER_KEY = "d" * 26
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
_COLUMNS = (
    "object_id recurrence_key remote_id ical_uid etag sequence remote_updated kind status title location description "
    "colour show_as visibility response organizer is_organizer event_type online_url online_state all_day start_wall "
    "start_zone end_wall end_zone start_at end_at rules marker extra fingerprint attendees"
)
COLUMNS = set(_COLUMNS.split())


class There(Protocol):
    """The calendar's owner at the provider."""

    calendar_id: str
    #: One the account may only read.
    read_only_id: str

    def create(self, event: Event) -> str:
        """Create an event and return its remote id."""

    def edit(self, remote_id: str, event: Event, fields: Collection[str]) -> None:
        """Change the named fields of an event or series."""

    def delete(self, remote_id: str) -> None:
        """Delete an event or series."""

    def edit_occurrence(self, remote_id: str, key: str, event: Event, fields: Collection[str]) -> None:
        """Change the named fields of one occurrence."""

    def cancel_occurrence(self, remote_id: str, key: str) -> None:
        """Cancel one occurrence."""

    def decorate(self, remote_id: str) -> None:
        """Give the event something our model does not know."""

    def decorated(self, remote_id: str) -> bool:
        """Return whether that is still there."""

    def titles(self) -> list[str]:
        """Return the titles of the calendar's living events, sorted."""

    def forget_cursors(self) -> None:
        """Let the provider forget every cursor."""

    def mails(self) -> int:
        """Return how many mails guests were sent."""


def timed(
    day: str = "2026-11-23", start: str = "09:00", end: str = "10:00", zone: str = BERLIN, **fields: Any
) -> Event:
    """Return an event on one day."""
    return Event(When(f"{day}T{start}:00", f"{day}T{end}:00", zone, zone), **{"title": "Haircut", **fields})


def weekly(**fields: Any) -> Event:
    """Return five Mondays at nine."""
    return timed(rules=("RRULE:FREQ=WEEKLY;COUNT=5",), **fields)


SECOND = "20261130T080000Z"
THIRD = "20261207T080000Z"


class ProviderContract:
    """The suite."""

    account: CalendarProvider
    there: There

    @pytest.fixture(autouse=True)
    def _both_sides(self, account: CalendarProvider, there: There) -> None:
        self.account, self.there = account, there

    # what the tests say for short

    def pages(self, cursor: str | None = None, **how: Any) -> list[Page]:
        return list(self.account.changes(self.there.calendar_id, cursor, **how))

    def rows(self, cursor: str | None = None, **how: Any) -> dict[str, Row]:
        return {row["remote_id"]: row for page in self.pages(cursor, **how) for row in page.rows}

    def listed(self, event: Event) -> Row:
        remote_id = self.there.create(event)
        return self.rows()[remote_id]

    def cursor(self) -> str:
        cursor = self.pages()[-1].cursor
        assert cursor
        return cursor

    def create(self, event: Event, *, key: str = KEY, notify: bool = False) -> Row:
        return self.account.create(self.there.calendar_id, event, idempotency_key=key, notify=notify).row

    def update(self, row: Row, event: Event, *fields: str, **how: Any) -> Row:
        how = {"etag": row["etag"], **how}
        return self.account.update(self.there.calendar_id, row["remote_id"], event, fields=fields, **how).row

    def get(self, remote_id: str) -> Row:
        return self.account.get(self.there.calendar_id, remote_id).row

    def occurrence(self, object_id: str, key: str) -> Row:
        return self.account.occurrence(self.there.calendar_id, object_id, key).row

    # calendars

    def test_calendars_come_with_what_may_be_done_in_them(self) -> None:
        access = {calendar.remote_id: calendar.access for calendar in self.account.calendars()}
        assert access[self.there.calendar_id] == "write"
        assert access[self.there.read_only_id] == "read"

    def test_one_calendar_is_the_primary_one(self) -> None:
        assert [calendar.remote_id for calendar in self.account.calendars() if calendar.primary] == [
            self.there.calendar_id
        ]

    def test_every_request_is_counted(self) -> None:
        before = self.account.requests
        self.account.calendars()
        assert self.account.requests == before + 1

    # listing

    def test_an_empty_calendar_is_one_page_with_a_cursor(self) -> None:
        (page,) = self.pages()
        assert (page.rows, page.gone, page.refused, page.resume) == ([], [], [], None)
        assert page.cursor

    def test_an_event_is_listed_as_it_was_written(self) -> None:
        written = timed(location="Salon", description="Short, please", show_as="free", visibility="private")
        assert replace(event_of(self.listed(written)), uid="", attendees=()) == written

    def test_a_row_has_every_column_that_is_stored(self) -> None:
        row = self.listed(timed())
        assert row.keys() == COLUMNS
        assert len(row["fingerprint"]) == 16 and row["etag"] and row["ical_uid"]
        assert (row["kind"], row["object_id"], row["recurrence_key"]) == ("single", row["remote_id"], "")

    def test_a_listed_row_and_a_fetched_one_agree(self) -> None:
        row = self.listed(timed())
        assert self.get(row["remote_id"]) == row

    def test_an_event_keeps_the_wall_and_zone_it_was_written_in(self) -> None:
        row = self.listed(timed(start="20:00", end="21:00", zone=NEW_YORK))
        assert (row["start_wall"], row["start_zone"]) == ("2026-11-23T20:00:00", NEW_YORK)
        assert row["start_at"] == instant("2026-11-24T01:00:00", "UTC")

    def test_start_and_end_may_lie_in_two_zones(self) -> None:
        flight = Event(When("2026-11-23T10:00:00", "2026-11-23T13:00:00", BERLIN, NEW_YORK), title="Flight")
        row = self.listed(flight)
        assert event_of(row).when == flight.when
        assert row["end_at"] - row["start_at"] == 9 * 3600

    def test_the_first_of_two_equal_readings_is_meant_when_the_clock_goes_back(self) -> None:
        row = self.listed(timed(day="2026-10-25", start="02:30", end="03:30"))
        assert row["start_wall"] == "2026-10-25T02:30:00"
        assert row["end_at"] - row["start_at"] == 2 * 3600

    def test_a_whole_day_stays_that_day_in_every_zone(self) -> None:
        row = self.listed(Event(When("2026-11-23", "2026-11-25"), title="Fair"))
        assert (row["all_day"], row["start_wall"], row["end_wall"], row["start_zone"]) == (
            True, "2026-11-23", "2026-11-25", "",
        )  # fmt: skip
        assert row["start_at"] == instant("2026-11-23", "")

    def test_a_series_is_one_row_with_its_rules(self) -> None:
        row = self.listed(weekly())
        assert (row["kind"], row["rules"]) == ("master", "RRULE:FREQ=WEEKLY;COUNT=5")

    def test_guests_and_their_answers_are_read(self) -> None:
        row = self.listed(timed(attendees=(Attendee("ann@guest.test", "Ann"), Attendee("bob@guest.test"))))
        assert {guest.email: (guest.name, guest.response) for guest in row["attendees"] if not guest.is_self} == {
            "ann@guest.test": ("Ann", "needs_action"),
            "bob@guest.test": ("", "needs_action"),
        }

    def test_many_events_come_in_pages_and_only_the_last_has_a_cursor(self) -> None:
        made = {self.there.create(timed(title=f"No {number}")) for number in range(2 * PAGE + 2)}
        pages = self.pages()
        assert [len(page.rows) for page in pages] == [PAGE, PAGE, 2]
        assert [bool(page.cursor) for page in pages] == [False, False, True]
        assert [bool(page.resume) for page in pages] == [True, True, False]
        assert {row["remote_id"] for page in pages for row in page.rows} == made

    def test_a_listing_that_was_cut_off_goes_on_where_it_was(self) -> None:
        made = {self.there.create(timed(title=f"No {number}")) for number in range(2 * PAGE)}
        first = next(self.account.changes(self.there.calendar_id, None))
        rest = self.pages(resume=first.resume)
        assert {row["remote_id"] for page in [first, *rest] for row in page.rows} == made
        assert sum(len(page.rows) for page in rest) == PAGE
        assert self.pages(rest[-1].cursor)[0].rows == []

    def test_a_delta_that_was_cut_off_goes_on_where_it_was(self) -> None:
        cursor = self.cursor()
        made = {self.there.create(timed(title=f"No {number}")) for number in range(PAGE + 2)}
        first = next(self.account.changes(self.there.calendar_id, cursor))
        rest = self.pages(cursor, resume=first.resume)
        assert {row["remote_id"] for page in [first, *rest] for row in page.rows} == made

    def test_what_changes_while_a_listing_runs_is_not_lost(self) -> None:
        made = [self.there.create(timed(title=f"No {number}")) for number in range(PAGE + 2)]
        listing = self.account.changes(self.there.calendar_id, None)
        seen = {row["remote_id"]: row["title"] for row in next(listing).rows}
        self.there.edit(made[0], timed(title="Changed"), ["title"])
        rest = list(listing)
        for page in [*rest, *self.pages(rest[-1].cursor)]:
            seen |= {row["remote_id"]: row["title"] for row in page.rows}
        assert seen[made[0]] == "Changed"

    # deltas

    def test_nothing_changed_is_one_empty_page_with_a_cursor(self) -> None:
        self.there.create(timed())
        (page,) = self.pages(self.cursor())
        assert (page.rows, page.gone) == ([], [])
        assert page.cursor

    def test_a_delta_holds_what_changed_and_nothing_else(self) -> None:
        self.there.create(timed(title="Stays"))
        changes = self.there.create(timed(title="Before"))
        cursor = self.cursor()
        self.there.edit(changes, timed(title="After"), ["title"])
        assert [(row["remote_id"], row["title"]) for row in self.rows(cursor).values()] == [(changes, "After")]

    def test_a_change_gives_a_new_etag(self) -> None:
        row = self.listed(timed())
        self.there.edit(row["remote_id"], timed(title="After"), ["title"])
        assert self.get(row["remote_id"])["etag"] != row["etag"]

    def test_a_deleted_event_is_a_tombstone(self) -> None:
        remote_id = self.there.create(timed())
        cursor = self.cursor()
        self.there.delete(remote_id)
        (page,) = self.pages(cursor)
        assert (page.rows, page.gone) == ([], [remote_id])

    def test_a_deleted_series_is_one_tombstone(self) -> None:
        remote_id = self.there.create(weekly())
        self.there.edit_occurrence(remote_id, SECOND, timed(title="Moved"), ["title"])
        cursor = self.cursor()
        self.there.delete(remote_id)
        pages = self.pages(cursor)
        assert [row for page in pages for row in page.rows] == []
        assert {name for page in pages for name in page.gone} == {remote_id}

    def test_an_edited_occurrence_is_an_override_that_keeps_its_original_start(self) -> None:
        remote_id = self.there.create(weekly())
        moved = timed(day="2026-12-01", start="15:00", end="16:00", title="Moved")
        self.there.edit_occurrence(remote_id, SECOND, moved, ["title", "when"])
        (row,) = (row for row in self.rows().values() if row["kind"] == "override")
        assert (row["object_id"], row["recurrence_key"], row["title"]) == (remote_id, SECOND, "Moved")
        assert (row["start_wall"], row["rules"]) == ("2026-12-01T15:00:00", "")

    def test_an_override_may_come_without_its_master(self) -> None:
        remote_id = self.there.create(weekly())
        cursor = self.cursor()
        self.there.edit_occurrence(remote_id, THIRD, timed(title="Alone"), ["title"])
        rows = [row for row in self.rows(cursor).values() if row["remote_id"] != remote_id]
        assert [(row["kind"], row["object_id"], row["recurrence_key"]) for row in rows] == [
            ("override", remote_id, THIRD)
        ]

    def test_an_override_has_the_uid_of_its_series(self) -> None:
        remote_id = self.there.create(weekly())
        self.there.edit_occurrence(remote_id, SECOND, timed(title="Moved"), ["title"])
        assert len({row["ical_uid"] for row in self.rows().values()}) == 1

    def test_a_cancelled_occurrence_is_a_gap(self) -> None:
        remote_id = self.there.create(weekly())
        cursor = self.cursor()
        self.there.cancel_occurrence(remote_id, SECOND)
        (gap,) = (row for row in self.rows(cursor).values() if row["kind"] == "gap")
        assert gap.keys() == COLUMNS
        assert (gap["object_id"], gap["recurrence_key"], gap["status"]) == (remote_id, SECOND, "cancelled")

    def test_a_full_listing_still_knows_the_gaps(self) -> None:
        remote_id = self.there.create(weekly())
        self.there.cancel_occurrence(remote_id, SECOND)
        assert [row["recurrence_key"] for row in self.rows().values() if row["kind"] == "gap"] == [SECOND]

    def test_a_gap_of_an_all_day_series_is_named_by_its_date(self) -> None:
        days = Event(When("2026-11-23", "2026-11-24"), title="Market", rules=("RRULE:FREQ=WEEKLY;COUNT=3",))
        self.there.cancel_occurrence(self.there.create(days), "20261130")
        (gap,) = (row for row in self.rows().values() if row["kind"] == "gap")
        assert (gap["recurrence_key"], gap["all_day"]) == ("20261130", True)

    def test_a_forgotten_cursor_is_said_to_be_expired(self) -> None:
        cursor = self.cursor()
        self.there.forget_cursors()
        with pytest.raises(CursorExpired):
            self.pages(cursor)

    @pytest.mark.parametrize("how", [{"cursor": "nonsense"}, {"resume": "nonsense"}])
    def test_a_place_that_never_was_is_said_to_be_expired(self, how: dict[str, str]) -> None:
        with pytest.raises(CursorExpired):
            self.pages(**how)

    # spans

    def test_a_span_holds_what_touches_it_and_has_no_cursor(self) -> None:
        for day in ("2026-11-01", "2026-11-23", "2026-12-24"):
            self.there.create(timed(day=day, title=day))
        span = Span(instant("2026-11-20", ""), instant("2026-11-30", ""))
        pages = self.pages(span=span)
        assert [row["title"] for page in pages for row in page.rows] == ["2026-11-23"]
        assert pages[-1].cursor is None

    def test_a_span_holds_a_series_that_began_before_it_with_its_edited_occurrences(self) -> None:
        remote_id = self.there.create(weekly())
        self.there.edit_occurrence(remote_id, SECOND, timed(title="Moved"), ["title"])
        span = Span(instant("2026-11-29", ""), instant("2026-12-02", ""))
        assert {(row["kind"], row["object_id"]) for row in self.rows(span=span).values()} == {
            ("master", remote_id),
            ("override", remote_id),
        }

    def test_a_span_comes_in_pages_that_can_be_resumed(self) -> None:
        made = {self.there.create(timed(title=f"No {number}")) for number in range(PAGE + 1)}
        span = Span(instant("2026-11-20", ""), instant("2026-11-30", ""))
        first = next(self.account.changes(self.there.calendar_id, None, span=span))
        rest = self.pages(span=span, resume=first.resume)
        assert {row["remote_id"] for page in [first, *rest] for row in page.rows} == made

    # one event

    def test_an_unknown_event_is_gone(self) -> None:
        with pytest.raises(Gone):
            self.get("e" * 26)

    def test_an_unknown_calendar_is_gone(self) -> None:
        with pytest.raises(Gone):
            list(self.account.changes("nowhere@group.invalid", None))

    def test_a_deleted_event_can_be_read_as_cancelled(self) -> None:
        remote_id = self.there.create(timed())
        self.there.delete(remote_id)
        assert self.account.get(self.there.calendar_id, remote_id).cancelled

    def test_an_unedited_occurrence_can_be_read(self) -> None:
        remote_id = self.there.create(weekly())
        row = self.occurrence(remote_id, THIRD)
        assert (row["kind"], row["object_id"], row["recurrence_key"]) == ("override", remote_id, THIRD)
        assert (row["start_wall"], row["title"], row["rules"]) == ("2026-12-07T09:00:00", "Haircut", "")

    def test_an_edited_occurrence_is_read_as_edited(self) -> None:
        remote_id = self.there.create(weekly())
        self.there.edit_occurrence(remote_id, SECOND, timed(title="Moved"), ["title"])
        assert self.occurrence(remote_id, SECOND)["title"] == "Moved"

    def test_an_occurrence_of_an_all_day_series_is_found_by_its_date(self) -> None:
        days = Event(When("2026-11-23", "2026-11-24"), title="Market", rules=("RRULE:FREQ=WEEKLY;COUNT=3",))
        assert self.occurrence(self.there.create(days), "20261130")["start_wall"] == "2026-11-30"

    @pytest.mark.parametrize("key", ["20261201T080000Z", "20260101T080000Z"])
    def test_a_day_on_which_the_series_does_not_fall_has_no_occurrence(self, key: str) -> None:
        with pytest.raises(Gone):
            self.occurrence(self.there.create(weekly()), key)

    def test_a_cancelled_occurrence_is_gone(self) -> None:
        remote_id = self.there.create(weekly())
        self.there.cancel_occurrence(remote_id, SECOND)
        with pytest.raises(Gone):
            self.occurrence(remote_id, SECOND)

    # creating

    @pytest.mark.parametrize(
        "event",
        [
            timed(location="Salon", description="Short", show_as="free", visibility="private"),
            timed(status="tentative", zone=NEW_YORK),
            Event(When("2026-11-23", "2026-11-25"), title="Fair"),
            weekly(),
        ],
        ids=["timed", "elsewhere", "all-day", "series"],
    )
    def test_what_is_created_is_what_was_asked_for(self, event: Event) -> None:
        row = self.create(event)
        assert replace(event_of(row), uid="", attendees=()) == event
        assert self.rows()[row["remote_id"]] == row

    def test_the_key_is_the_remote_id_where_ids_may_be_chosen(self) -> None:
        assert (self.create(timed())["remote_id"] == KEY) is self.account.capabilities.chosen_ids

    def test_creating_twice_with_one_key_is_creating_once(self) -> None:
        first = self.create(timed(marker=("link", "rev")))
        again = self.create(timed(marker=("link", "rev")))
        assert again == first
        assert self.there.titles() == ["Haircut"]

    def test_two_keys_are_two_events(self) -> None:
        self.create(timed())
        self.create(timed(), key=OTHER_KEY)
        assert self.there.titles() == ["Haircut", "Haircut"]

    def test_the_key_of_an_event_deleted_there_is_burnt(self) -> None:
        row = self.create(timed())
        self.there.delete(row["remote_id"])
        with pytest.raises(Gone):
            self.create(timed())
        assert self.there.titles() == []

    def test_our_marker_comes_back(self) -> None:
        row = self.create(timed(marker=("link", "rev1")))
        assert row["marker"] == "link:rev1"
        row = self.update(row, timed(marker=("link", "rev2")), "marker")
        assert row["marker"] == self.rows()[row["remote_id"]]["marker"] == "link:rev2"

    def test_a_calendar_that_can_only_be_read_refuses(self) -> None:
        with pytest.raises(PermissionDenied):
            self.account.create(self.there.read_only_id, timed(), idempotency_key=KEY)

    # changing

    def test_only_the_named_fields_change(self) -> None:
        row = self.create(timed(location="Salon", description="Short"))
        row = self.update(row, timed(title="Beard", location="Elsewhere", description="Long"), "title")
        assert (row["title"], row["location"], row["description"]) == ("Beard", "Salon", "Short")

    def test_what_we_do_not_know_survives(self) -> None:
        row = self.create(timed())
        self.there.decorate(row["remote_id"])
        self.update(row, timed(title="Beard"), "title", etag=None)
        assert self.there.decorated(row["remote_id"])

    def test_a_change_answers_with_the_new_version(self) -> None:
        before = self.create(timed())
        after = self.update(before, timed(title="Beard"), "title")
        assert after["etag"] != before["etag"]
        assert self.get(after["remote_id"]) == after

    def test_the_uid_is_kept(self) -> None:
        before = self.create(timed())
        after = self.update(before, timed(day="2026-11-24", title="Beard"), "title", "when")
        assert after["ical_uid"] == before["ical_uid"] != ""

    def test_a_stale_etag_is_refused_and_nothing_is_written(self) -> None:
        row = self.create(timed())
        self.there.edit(row["remote_id"], timed(title="Theirs"), ["title"])
        with pytest.raises(EtagMismatch):
            self.update(row, timed(title="Ours"), "title")
        assert self.there.titles() == ["Theirs"]

    def test_an_event_deleted_there_cannot_be_changed(self) -> None:
        row = self.create(timed())
        self.there.delete(row["remote_id"])
        with pytest.raises((Gone, EtagMismatch)):
            self.update(row, timed(title="Ours"), "title")
        with pytest.raises(Gone):
            self.update(row, timed(title="Ours"), "title", etag=None)
        assert self.there.titles() == []

    def test_a_text_can_be_emptied(self) -> None:
        row = self.create(timed(location="Salon"))
        assert self.update(row, timed(location=""), "location")["location"] == ""

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (timed(), timed(day="2026-11-24", start="15:00", end="17:00", zone=NEW_YORK)),
            (timed(), Event(When("2026-11-23", "2026-11-24"))),
            (Event(When("2026-11-23", "2026-11-24")), timed()),
        ],
        ids=["moved", "timed-to-all-day", "all-day-to-timed"],
    )
    def test_an_event_can_be_given_another_time(self, before: Event, after: Event) -> None:
        row = self.update(self.create(before), after, "when")
        assert event_of(row).when == after.when
        assert row["start_at"] == after.when.span.start

    def test_an_occurrence_can_be_changed_before_anybody_edited_it(self) -> None:
        master = self.create(weekly())
        found = self.occurrence(master["remote_id"], SECOND)
        row = self.update(found, timed(day="2026-11-30", start="12:00", end="13:00"), "when", etag=None)
        assert (row["kind"], row["recurrence_key"]) == ("override", SECOND)
        rows = self.rows()
        assert {one["kind"] for one in rows.values()} == {"master", "override"}
        assert rows[row["remote_id"]]["start_wall"] == "2026-11-30T12:00:00"

    def test_a_whole_series_can_be_changed(self) -> None:
        master = self.create(weekly())
        longer = replace(weekly(), title="Beard", rules=("RRULE:FREQ=WEEKLY;COUNT=9",))
        row = self.update(master, longer, "title", "rules")
        assert (row["kind"], row["title"], row["rules"]) == ("master", "Beard", "RRULE:FREQ=WEEKLY;COUNT=9")

    # deleting

    def test_what_is_deleted_is_gone_there(self) -> None:
        row = self.create(timed())
        cursor = self.cursor()
        self.account.delete(self.there.calendar_id, row["remote_id"], etag=row["etag"])
        assert self.there.titles() == []
        assert self.pages(cursor)[0].gone == [row["object_id"]]

    def test_deleting_twice_is_deleting_once(self) -> None:
        row = self.create(timed())
        for _ in range(2):
            self.account.delete(self.there.calendar_id, row["remote_id"], etag=None)
        self.account.delete(self.there.calendar_id, "e" * 26, etag=None)

    def test_what_was_changed_meanwhile_is_not_deleted(self) -> None:
        row = self.create(timed())
        self.there.edit(row["remote_id"], timed(title="Theirs"), ["title"])
        with pytest.raises(EtagMismatch):
            self.account.delete(self.there.calendar_id, row["remote_id"], etag=row["etag"])
        assert self.there.titles() == ["Theirs"]

    def test_deleting_an_occurrence_cancels_it_alone(self) -> None:
        master = self.create(weekly())
        found = self.occurrence(master["remote_id"], SECOND)
        self.account.delete(self.there.calendar_id, found["remote_id"], etag=None)
        assert {(row["kind"], row["recurrence_key"]) for row in self.rows().values()} == {
            ("master", ""),
            ("gap", SECOND),
        }

    # mails

    def test_guests_hear_nothing_unless_asked(self) -> None:
        event = timed(attendees=(Attendee("ann@guest.test", "Ann"),))
        row = self.create(event)
        row = self.update(row, replace(event, title="Beard"), "title")
        self.account.delete(self.there.calendar_id, row["remote_id"], etag=row["etag"])
        assert self.there.mails() == 0

    def test_guests_are_told_when_asked(self) -> None:
        event = timed(attendees=(Attendee("ann@guest.test", "Ann"),))
        row = self.create(event, notify=True)
        assert self.there.mails() == 1
        row = self.update(row, replace(event, title="Beard"), "title", notify=True)
        assert self.there.mails() == 2
        self.account.delete(self.there.calendar_id, row["remote_id"], etag=row["etag"], notify=True)
        assert self.there.mails() == 3

    def test_a_guest_can_be_added_and_the_others_stay(self) -> None:
        ann, bob = Attendee("ann@guest.test", "Ann", "accepted"), Attendee("bob@guest.test", "Bob")
        row = self.create(timed(attendees=(ann,)))
        row = self.update(row, timed(attendees=(ann, bob)), "attendees")
        answers = {guest.email: guest.response for guest in row["attendees"] if not guest.is_self}
        assert answers == {"ann@guest.test": "accepted", "bob@guest.test": "needs_action"}

    # busy

    def test_busy_spans_hold_occurrences_and_leave_out_what_is_free(self) -> None:
        if not self.account.capabilities.free_busy:
            return
        series = self.there.create(weekly())
        self.there.cancel_occurrence(series, SECOND)
        self.there.create(timed(day="2026-11-24", show_as="free"))
        span = Span(instant("2026-11-23", ""), instant("2026-12-08", ""))
        busy = self.account.busy([self.there.calendar_id], span)[self.there.calendar_id]
        assert [one.span.start for one in busy] == [
            instant("2026-11-23T09:00:00", BERLIN),
            instant("2026-12-07T09:00:00", BERLIN),
        ]

"""Absence is not deletion: forgotten places, empty and half listings, many deletions at once (trust.md R-05, R-06)."""

from __future__ import annotations

import pytest

from calendar_ext.domain.model import Refusal
from calendar_ext.errors import PermissionDenied, ProviderUnavailable
from calendar_ext.providers.base import Page
from calendar_ext.providers.memory import MemoryProvider

from .rig import Rig

FIVE_MINUTES = 301


def names(rig: Rig, count: int, first: int = 0) -> list[str]:
    """Return the names `fill` gives."""
    return [f"event{number:05}" for number in range(first, first + count)]


def agree(rig: Rig) -> None:
    """Let a person approve what the last run stopped at, and let the account go on."""
    with rig.store.write() as unit:
        run = unit.runs.stopped(rig.account.id)
        assert run is not None
        unit.runs.approve(run.id, "7", rig.limits.approval_seconds)
        unit.accounts.set_status(rig.account.id, "active")


def test_a_stale_cursor_starts_again_from_the_beginning(rig: Rig) -> None:
    rig.fill(12)
    rig.run()
    rig.world.expire_cursors()
    rig.put("new")
    assert rig.run().error == ""
    assert len(rig.titles()) == 13
    assert [(cursor["state"], cursor["round"]) for cursor in rig.all("cursor")][-1] == ("current", 2)


def test_a_listing_forgotten_half_way_begins_over_and_every_row_is_to_be_shown_again(rig: Rig) -> None:
    rig.world.page_size = 5
    rig.fill(12)

    class Forgetful(MemoryProvider):
        def _enter(self):
            super()._enter()
            if self.requests == 5:
                rig.world.expire_cursors()

    rig.open = lambda account: Forgetful(rig.world)
    assert rig.run().error == "CursorExpired"
    assert rig.status() == ("active", "")
    rig.open = lambda account: MemoryProvider(rig.world)
    assert rig.run().error == ""
    assert len(rig.titles()) == 12
    assert {row["seen_round"] for row in rig.events()} == {2}
    assert rig.all("cursor")[-1]["state"] == "current"


def test_the_old_place_is_kept_until_the_new_listing_has_ended(rig: Rig) -> None:
    rig.world.page_size = 5
    rig.fill(12)
    rig.run()
    rig.world.expire_cursors()
    rig.world.fail_next(ProviderUnavailable())
    rig.run()

    class Dying(MemoryProvider):
        def _enter(self):
            super()._enter()
            if self.requests == 3:
                raise ProviderUnavailable

    rig.open = lambda account: Dying(rig.world)
    assert rig.run().error == "ProviderUnavailable"
    states = [(cursor["kind"], cursor["state"]) for cursor in rig.all("cursor")]
    assert states[1:] == [("full", "current"), ("full", "building")]


def test_what_one_listing_does_not_show_is_only_marked(rig: Rig) -> None:
    rig.fill(12)
    rig.run()
    rig.lose("event00003")
    rig.run()
    assert len(rig.titles()) == 12
    assert [row["title"] for row in rig.events() if row["missing_since"]] == ["event00003"]


def test_what_two_listings_five_minutes_apart_do_not_show_is_removed(rig: Rig) -> None:
    rig.fill(12)
    rig.run()
    rig.lose("event00003")
    rig.run()
    rig.run()
    assert len(rig.titles()) == 12, "the second listing came too soon"
    rig.pass_time(FIVE_MINUTES)
    rig.run()
    assert len(rig.titles()) == 11 and rig.starts("event00003") == []


def test_what_is_shown_again_in_between_stays(rig: Rig) -> None:
    rig.fill(12)
    rig.run()
    rig.lose("event00003")
    rig.run()
    rig.put("event00003")
    rig.pass_time(FIVE_MINUTES)
    rig.run()
    assert len(rig.titles()) == 12
    assert not any(row["missing_since"] for row in rig.events())


def test_what_is_first_missing_in_the_second_listing_waits_for_a_third(rig: Rig) -> None:
    rig.fill(12)
    rig.run()
    rig.lose("event00003")
    rig.run()
    rig.lose("event00004")
    rig.pass_time(FIVE_MINUTES)
    rig.run()
    assert "event00003" not in rig.titles() and "event00004" in rig.titles()
    rig.pass_time(FIVE_MINUTES)
    rig.run()
    assert "event00004" not in rig.titles()


def test_an_empty_listing_removes_nothing_and_is_asked_for_again(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    rig.lose(*names(rig, 3))
    assert rig.run().error == "SuspiciouslyEmpty"
    assert len(rig.titles()) == 3 and rig.status() == ("active", "")
    assert rig.state().next_at - rig.state().failing_since >= 300 - 5


def test_a_second_empty_listing_waits_for_a_person(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    rig.lose(*names(rig, 3))
    rig.run()
    rig.pass_time(FIVE_MINUTES)
    assert rig.run().error == "BreakerTripped"
    assert len(rig.titles()) == 3
    assert rig.status() == ("needs_review", "suspiciously_empty")
    assert not rig.run().ran, "an account that waits for a person is not claimed"


def test_an_empty_listing_that_was_a_hiccup_heals_by_itself(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    rows = dict(rig.world.calendar(rig.world.subject).rows)
    rig.lose(*names(rig, 3))
    rig.run()
    for row in rows.values():
        rig.world.put(rig.world.subject, row)
    rig.pass_time(FIVE_MINUTES)
    assert rig.run().error == ""
    assert len(rig.titles()) == 3 and rig.state().failures == 0


def test_a_person_may_say_that_the_calendar_is_empty_indeed(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    rig.lose(*names(rig, 3))
    for _ in range(2):
        rig.run()
        rig.pass_time(FIVE_MINUTES)
    agree(rig)
    rig.run()
    rig.pass_time(FIVE_MINUTES)
    assert rig.run().error == ""
    assert rig.titles() == []


def test_half_a_listing_that_ends_well_removes_nothing_without_a_person(rig: Rig) -> None:
    """A provider that leaves pages out and says that it is done."""
    rig.fill(40)
    rig.run()
    rig.lose(*names(rig, 20))
    rig.run()
    rig.pass_time(FIVE_MINUTES)
    assert rig.run().error == "BreakerTripped"
    assert len(rig.titles()) == 40 and rig.status() == ("needs_review", "deletions")
    (run,) = [run for run in rig.all("run") if run["stop_reason"]]
    assert run["outcome"] == "stopped" and len(run["plan_hash"]) == 64


def test_an_approval_is_for_that_very_set(rig: Rig) -> None:
    rig.fill(40)
    rig.run()
    rig.lose(*names(rig, 20))
    rig.run()
    rig.pass_time(FIVE_MINUTES)
    rig.run()
    agree(rig)
    rig.lose("event00030")
    rig.execute("UPDATE calendar_ext_event SET missing_since = 1 WHERE object_id = 'event00030'")
    assert rig.run().error == "BreakerTripped"
    assert len(rig.titles()) == 40


def test_an_approved_set_is_removed(rig: Rig) -> None:
    rig.fill(40)
    rig.run()
    rig.lose(*names(rig, 20))
    rig.run()
    rig.pass_time(FIVE_MINUTES)
    rig.run()
    agree(rig)
    assert rig.run().error == ""
    assert rig.titles() == names(rig, 20, first=20)


def test_an_approval_lapses(rig: Rig) -> None:
    rig.fill(40)
    rig.run()
    rig.remove(*names(rig, 20))
    rig.run()
    agree(rig)
    rig.execute("UPDATE calendar_ext_run SET approved_until = approved_until - 4000")
    assert rig.run().error == "BreakerTripped"
    assert len(rig.titles()) == 40


def test_a_few_deleted_events_are_deleted_without_asking(rig: Rig) -> None:
    rig.fill(12)
    rig.run()
    rig.remove(*names(rig, 5))
    assert rig.run().error == ""
    assert len(rig.titles()) == 7


@pytest.mark.parametrize(("held", "deleted"), [(12, 6), (100, 21), (400, 51)])
def test_more_than_a_fifth_or_fifty_deleted_at_once_wait_for_a_person(rig: Rig, held: int, deleted: int) -> None:
    rig.world.page_size = 1_000
    rig.fill(held)
    rig.run()
    place = rig.all("cursor")[-1]["value"]
    rig.remove(*names(rig, deleted))
    assert rig.run().error == "BreakerTripped"
    assert len(rig.titles()) == held and rig.status() == ("needs_review", "deletions")
    assert rig.all("cursor")[-1]["value"] == place
    agree(rig)
    assert rig.run().error == ""
    assert len(rig.titles()) == held - deleted


def test_deletions_spread_over_pages_of_one_run_are_counted_together(rig: Rig) -> None:
    rig.fill(12)
    rig.run()
    rig.world.page_size = 3
    rig.remove(*names(rig, 9))
    assert rig.run().error == "BreakerTripped"
    assert len(rig.titles()) == 9


def test_tombstones_of_events_we_never_had_trip_nothing(rig: Rig) -> None:
    rig.fill(40)
    rig.remove(*names(rig, 39))
    assert rig.run().error == ""
    assert rig.titles() == ["event00039"]


def test_the_stopped_run_names_what_it_would_have_removed(rig: Rig) -> None:
    rig.fill(12)
    rig.run()
    rig.remove(*names(rig, 6))
    rig.run()
    with rig.store.read() as unit:
        run = unit.runs.stopped(rig.account.id)
    assert run is not None and run.counts["count"] == 6
    by_id = {row["id"]: row["title"] for row in rig.events()}
    assert sorted(by_id[key] for key in run.counts["events"]) == names(rig, 6)


def test_a_calendar_that_is_no_longer_listed_keeps_its_events_and_is_read_no_more(rig: Rig) -> None:
    rig.fill(4)
    rig.run()
    del rig.world.calendars[rig.world.subject]
    assert rig.run().error == ""
    assert len(rig.titles()) == 4
    assert rig.all("calendar")[0]["removed_at"] is not None
    provider = MemoryProvider(rig.world)
    rig.open = lambda account: provider
    rig.run()
    assert provider.requests == 0


def test_a_calendar_that_is_closed_to_us_keeps_its_events_and_the_account_is_limited_meanwhile(rig: Rig) -> None:
    rig.fill(4)
    rig.run()
    rig.world.fail_next(PermissionDenied())
    assert rig.run().error == "Gone"
    assert len(rig.titles()) == 4 and rig.status() == ("limited", "calendar_closed")
    assert rig.run().error == ""
    assert rig.status()[0] == "active"


def test_rows_never_sent_and_refused_rows_are_not_missing(rig: Rig) -> None:
    class Refusing(MemoryProvider):
        def _page(self, rows, span, resume):
            page = super()._page(rows, span, resume)
            refused = [Refusal("Odd", "Its start could not be read.", "odd", '"1"')]
            return Page(page.rows, page.gone, refused, page.resume, page.cursor)

    rig.open = lambda account: Refusing(rig.world)
    rig.fill(3)
    rig.run()
    rig.execute("UPDATE calendar_ext_event SET remote_id = '', seen_round = 0 WHERE object_id = 'event00001'")
    rig.world.expire_cursors()
    rig.world.calendar(rig.world.subject).rows.pop("event00001")
    rig.world.calendar(rig.world.subject).changed.pop("event00001")
    rig.run()
    assert not any(row["missing_since"] for row in rig.events())

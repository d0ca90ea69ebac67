"""The first synchronization: nearest weeks first, whole, counted, resumable at every page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calendar_ext.domain.when import Span
from calendar_ext.providers.base import RemoteCalendar
from calendar_ext.providers.memory import MemoryProvider
from calendar_ext.sync import engine as engine_module

from .rig import MONDAY, Died, Rig, guest


def test_everything_the_provider_holds_is_stored(rig: Rig) -> None:
    rig.fill(30)
    assert rig.run().error == ""
    assert rig.titles() == [f"event{number:05}" for number in range(30)]
    assert rig.state().read_ok_at is not None


def test_the_visible_weeks_are_stored_before_anything_else_is_asked_for(rig: Rig) -> None:
    rig.put("long ago", at=MONDAY - timedelta(days=400))
    rig.put("soon", at=MONDAY)
    asked, stored = [], []

    class Watching(MemoryProvider):
        def changes(self, calendar_id, cursor, *, span=None, resume=None):
            asked.append(span)
            stored.append(rig.titles())
            return super().changes(calendar_id, cursor, span=span, resume=resume)

    rig.open = lambda account: Watching(rig.world)
    rig.run()
    assert isinstance(asked[0], Span) and asked[1:] == [None]
    assert stored == [[], ["soon"]]
    assert rig.titles() == ["long ago", "soon"]


def test_the_progress_counts_pages_and_ends_done(rig: Rig) -> None:
    rig.world.page_size = 10
    for number in range(25):
        rig.put(f"event{number}", at=MONDAY - timedelta(days=300 if number else 0))
    seen = []

    class Watching(MemoryProvider):
        def _enter(self):
            super()._enter()
            seen.append((rig.state().progress.get("phase"), rig.state().progress.get("pulled")))

    rig.open = lambda account: Watching(rig.world)
    rig.run()
    progress = rig.state().progress
    assert [pulled for phase, pulled in seen if phase == "all"] == [10, 20]
    assert (progress["phase"], progress["pulled"], progress["total"]) == ("done", 25, None)
    assert progress["calendars"] == [
        {"id": rig.calendar().public_id, "name": "Mira", "pulled": 25, "done": True, "visible": 1, "listed": 25}
    ]
    assert [step["code"] for step in progress["steps"]] == ["started", "visible", "calendar", "done"]


def test_the_connection_knows_when_its_first_synchronization_ended(rig: Rig) -> None:
    rig.put("one")
    rig.run()
    with rig.store.read() as unit:
        facts = unit.connections.of_account(rig.account.id)[0].first_sync
    assert facts["finished_at"] >= facts["started_at"]


def test_a_run_without_time_stops_after_a_page_and_the_next_goes_on_from_there(rig: Rig) -> None:
    rig.world.page_size = 10
    rig.fill(35)
    requests = []

    class Counting(MemoryProvider):
        def _enter(self):
            super()._enter()
            requests.append(1)

    rig.open = lambda account: Counting(rig.world)
    assert rig.run(budget=-1).error == ""
    state = rig.state()
    assert (len(requests), state.priority, state.read_ok_at) == (1, 20, None)
    for _ in range(20):
        rig.clock = iter(range(0, 10_000, 10)).__next__
        rig.run(budget=15)
        if rig.state().read_ok_at:
            break
    assert len(rig.titles()) == 35
    # Four pages of the visible weeks, four of everything, and not one of them twice.
    assert len(requests) == 8


@pytest.mark.parametrize("page", range(1, 9))
def test_a_crash_at_any_page_loses_nothing_and_repeats_nothing_that_was_stored(rig: Rig, page: int) -> None:
    rig.world.page_size = 10
    rig.fill(35)

    class Dying(MemoryProvider):
        def _enter(self):
            super()._enter()
            if self.requests == page:
                raise Died

    rig.open = lambda account: Dying(rig.world)
    with pytest.raises(Died):
        rig.run()
    stored = len(rig.titles())
    rig.open = lambda account: MemoryProvider(rig.world)
    rig.execute("UPDATE calendar_ext_sync_state SET lease_until = 0")
    provider = MemoryProvider(rig.world)
    rig.open = lambda account: provider
    rig.run()
    assert rig.titles() == [f"event{number:05}" for number in range(35)]
    assert stored == min(35, 10 * (page - 1)) and provider.requests == 9 - page
    assert rig.state().progress["phase"] == "done"


def test_a_listing_of_n_events_takes_one_request_per_page_and_one_for_the_visible_weeks(rig: Rig) -> None:
    rig.world.page_size = 2_500
    rig.fill(60)
    provider = MemoryProvider(rig.world)
    rig.open = lambda account: provider
    rig.run()
    assert provider.requests == 2


def test_a_chunk_costs_five_statements_and_a_page_two_more(rig: Rig) -> None:
    chunk = rig.store.chunk_rows
    rig.world.page_size = 10_000
    rig.fill(2 * chunk)
    rig.put("series", rules=("RRULE:FREQ=WEEKLY;COUNT=3",))
    with rig.statements() as statements:
        rig.run()
    events = [number for number, one in enumerate(statements) if one.startswith("INSERT INTO calendar_ext_event")]
    # Visible weeks and everything hold two full chunks and a bit each.
    assert len(events) == 6
    full = statements[events[3] - 2 : events[4] - 2]
    assert len(full) <= 5


def test_several_calendars_show_their_visible_weeks_before_any_of_them_is_whole(rig: Rig) -> None:
    rig.world.add_calendar(RemoteCalendar("second", "Second"))
    rig.put("one")
    with rig.store.write() as unit:
        for calendar in unit.calendars.adopt(rig.account, MemoryProvider(rig.world).calendars()):
            unit.calendars.set_reads(calendar.id, "mirror")
    asked = []

    class Watching(MemoryProvider):
        def changes(self, calendar_id, cursor, *, span=None, resume=None):
            asked.append((calendar_id, span is not None))
            return super().changes(calendar_id, cursor, span=span, resume=resume)

    rig.open = lambda account: Watching(rig.world)
    rig.run()
    subject = rig.world.subject
    assert asked == [(subject, True), ("second", True), (subject, False), ("second", False)]


def test_only_calendars_somebody_chose_are_read(rig: Rig) -> None:
    rig.put("one")
    rig.choose("ignore")
    provider = MemoryProvider(rig.world)
    rig.open = lambda account: provider
    assert rig.run().error == ""
    assert (rig.events(), provider.requests) == ([], 0)


def test_a_calendar_chosen_again_is_read_from_the_beginning(rig: Rig) -> None:
    rig.put("one")
    rig.run()
    rig.choose("ignore")
    rig.choose("mirror")
    rig.execute("DELETE FROM calendar_ext_event")
    rig.run()
    assert rig.titles() == ["one"]


def test_settling_and_sending_wait_until_everything_is_read(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.world.page_size = 1
    rig.fill(3)
    called = []
    for name in ("settle", "compare", "push"):
        monkeypatch.setattr(engine_module, name, lambda run, name=name: called.append(name))
    monkeypatch.setattr(rig.engine, "_waits", lambda going: (True, True))
    rig.clock = iter(range(0, 10_000, 10)).__next__
    rig.run(budget=5)
    assert called == []
    rig.clock = lambda: 0.0
    rig.run()
    assert called == ["settle", "compare", "push"]


def test_guests_are_stored_only_for_events_that_have_any(rig: Rig) -> None:
    rig.put("alone")
    rig.put("meeting", attendees=(guest("Pat@Elsewhere.test"), guest("mira@example.test", "accepted", own=True)))
    rig.run()
    found = [(row["email_norm"], row["response"], bool(row["is_self"])) for row in rig.all("participant")]
    assert sorted(found) == [("mira@example.test", "accepted", True), ("pat@elsewhere.test", "needs_action", False)]


def test_the_run_that_ends_a_first_synchronization_lets_go_of_the_account_and_its_hints(rig: Rig) -> None:
    rig.put("one")
    rig.runner.wake(None, rig.account.id, priority=0, reason="connected")
    rig.run()
    state = rig.state()
    assert (state.lease_until, state.lease_owner, rig.all("wake")) == (None, "", [])
    assert rig.runner.due() == []

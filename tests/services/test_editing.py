"""Edits on the Calendar page: seen at once, sent once, taken back where the provider refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from calendar_ext.contract import OwnerProfile
from calendar_ext.domain.when import When
from calendar_ext.errors import Gone, LeaseLost, ProviderUnavailable, Refused, Stale, UnknownOutcome
from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.providers.memory import MemoryProvider
from calendar_ext.services.editing import EventDraft

from ..sync.both import Both
from ..sync.rig import MONDAY, OWNER, TENANT, guest

MIRA = OwnerProfile(OWNER, "Mira", "mira@example.test", TENANT)


@pytest.fixture
def both(store: SqlStore, engine: Engine, limits: Limits) -> Both:
    both = Both(store, engine, limits)
    both.run()
    return both


def when(hours: int = 0, length: int = 1) -> When:
    """Return a time some hours after Monday at nine."""
    start = MONDAY + timedelta(hours=hours)
    return When.timed(start, start + timedelta(hours=length), "Europe/Berlin")


def draft(title: str = "Lunch", hours: int = 0, **facts: Any) -> EventDraft:
    return EventDraft(title, when(hours), **facts)


def calendar(both: Both) -> str:
    return both.calendar().public_id


def named(both: Both, name: str, key: str = "") -> str:
    """Return the public id of an event of ours."""
    row = next(row for row in both.events() if row["object_id"] == name and row["recurrence_key"] == key)
    with both.store.write() as unit:
        return unit.edits.public_id(row["id"])


def weekly(both: Both, name: str = "standup") -> str:
    """Return the public id of a weekly series of ten."""
    both.put(name, "Stand-up", rules=("RRULE:FREQ=WEEKLY;COUNT=10",), zone="UTC")
    both.run()
    return named(both, name)


def key(weeks: int) -> str:
    """Return the recurrence key of an occurrence of `weekly`."""
    return (MONDAY + timedelta(weeks=weeks)).strftime("%Y%m%dT%H%M%SZ")


def test_a_new_event_is_on_the_page_at_once_and_in_the_calendar_soon(both: Both) -> None:
    both.editing.create(MIRA, calendar(both), draft())
    assert both.titles() == ["Lunch"] and both.remote() == {}
    (row,) = both.events()
    assert row["pending"] == 1 and len(both.starts(row["object_id"])) == 1
    assert [wake["reason"] for wake in both.all("wake")] == ["edit"]
    both.run()
    assert both.remote()["Lunch"]["remote_id"] == row["object_id"]
    (row,) = both.events()
    assert (row["pending"], row["shadow"], row["etag"]) == (0, None, both.remote()["Lunch"]["etag"])
    before = both.writes()
    both.settle_down()
    assert both.writes() == before and len(both.events()) == 1


def test_an_event_is_changed_moved_and_deleted(both: Both) -> None:
    both.put("lunch", "Lunch", location="Canteen")
    both.run()
    event = named(both, "lunch")
    both.editing.edit(MIRA, event, draft("Lunch with Ann", location="Canteen", guests=("ann@example.test",)))
    both.editing.move(MIRA, event, when(5))
    both.run()
    assert len(both.operations()) == 1
    row = both.remote()["Lunch with Ann"]
    assert (row["start_at"], row["location"]) == (when(5).span.start, "Canteen")
    assert [one.email for one in row["attendees"]] == ["ann@example.test"]
    both.editing.delete(MIRA, event)
    assert both.titles() == [] and both.starts("lunch") == []
    both.run()
    assert both.remote() == {}


def test_nothing_is_sent_for_an_edit_that_changes_nothing(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    both.editing.edit(MIRA, named(both, "lunch"), draft("Lunch"))
    assert both.operations() == []


def test_edits_before_the_sending_are_one_request(both: Both) -> None:
    event = both.editing.create(MIRA, calendar(both), draft("One"))
    both.editing.edit(MIRA, event, draft("Two"))
    both.editing.edit(MIRA, event, draft("Three", hours=2))
    both.run()
    assert list(both.remote()) == ["Three"] and both.writes() == 1


def test_an_event_deleted_before_it_was_sent_is_never_sent(both: Both) -> None:
    event = both.editing.create(MIRA, calendar(both), draft())
    both.editing.delete(MIRA, event)
    both.run()
    assert both.writes() == 0 and both.events() == []
    assert [one["state"] for one in both.operations()] == ["undone"]


def test_guests_are_told_only_if_the_person_says_so(both: Both) -> None:
    both.editing.create(MIRA, calendar(both), draft("Quiet", guests=("ann@example.test",)))
    both.editing.create(MIRA, calendar(both), draft("Loud", guests=("ben@example.test",)), notify=True)
    past = EventDraft("Past", when(-300), guests=("cy@example.test",))
    both.editing.create(MIRA, calendar(both), past, notify=True)
    both.run()
    assert [email for _, email in both.world.mails] == ["ben@example.test"]


def test_one_occurrence_is_changed_and_the_others_stay(both: Both) -> None:
    event = weekly(both)
    both.editing.move(MIRA, event, when(2 * 7 * 24 + 3), at=key(2))
    moved = int((MONDAY + timedelta(weeks=2, hours=3)).timestamp())
    plain = [int((MONDAY + timedelta(weeks=week)).timestamp()) for week in range(10)]
    assert sorted(both.starts("standup")) == sorted([*plain[:2], moved, *plain[3:]])
    both.run()
    row = both.world.row(both.world.subject, f"standup_{key(2)}")
    assert (row["start_at"], row["kind"]) == (moved, "override")
    before = both.writes()
    both.settle_down()
    assert both.writes() == before and len(both.events()) == 2


def test_one_occurrence_is_deleted_and_the_others_stay(both: Both) -> None:
    event = weekly(both)
    both.editing.delete(MIRA, event, at=key(1))
    assert len(both.starts("standup")) == 9
    both.run()
    assert both.world.row(both.world.subject, f"standup_{key(1)}")["status"] == "cancelled"
    both.settle_down()
    assert len(both.starts("standup")) == 9


def test_an_occurrence_already_edited_is_edited_again_by_either_name(both: Both) -> None:
    event = weekly(both)
    both.editing.edit(MIRA, event, EventDraft("Once different", occurrence(2)), at=key(2))
    both.run()
    own = named(both, "standup", key(2))
    both.editing.edit(MIRA, own, EventDraft("Twice different", occurrence(2)))
    both.editing.edit(MIRA, event, EventDraft("Thrice", occurrence(2)), at=key(2))
    both.run()
    assert both.world.row(both.world.subject, f"standup_{key(2)}")["title"] == "Thrice"
    both.editing.delete(MIRA, own)
    both.run()
    assert both.world.row(both.world.subject, f"standup_{key(2)}")["status"] == "cancelled"


def test_the_whole_series_is_changed_and_deleted(both: Both) -> None:
    event = weekly(both)
    both.editing.edit(MIRA, event, EventDraft("Daily", occurrence(0)), at=key(3), scope="all")
    both.run()
    assert both.world.row(both.world.subject, "standup")["title"] == "Daily"
    assert len(both.starts("standup")) == 10
    both.editing.delete(MIRA, event, at=key(3), scope="all")
    assert both.starts("standup") == []
    both.run()
    assert both.remote() == {}


def occurrence(week: int) -> When:
    start = MONDAY + timedelta(weeks=week)
    return When.timed(start, start + timedelta(hours=1), "Europe/Berlin")


def test_an_occurrence_the_series_does_not_have_is_not_there(both: Both) -> None:
    with pytest.raises(Gone):
        both.editing.delete(MIRA, weekly(both), at="20990101T000000Z")


def test_somebody_who_edited_meanwhile_is_not_overwritten(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    event = named(both, "lunch")
    version = both.editing.version(MIRA, event)
    both.put("lunch", "Lunch moved")
    both.run()
    with pytest.raises(Stale):
        both.editing.edit(MIRA, event, draft("Mine"), expected=version)
    assert both.titles() == ["Lunch moved"] and both.operations() == []


def test_an_answer_of_a_guest_is_no_edit_meanwhile(both: Both) -> None:
    both.put("lunch", "Lunch", attendees=(guest("ann@example.test"),))
    both.run()
    event = named(both, "lunch")
    version = both.editing.version(MIRA, event)
    both.put("lunch", "Lunch", attendees=(guest("ann@example.test", "accepted"),))
    both.run()
    both.editing.edit(MIRA, event, draft("Mine"), expected=version)
    both.run()
    assert [one.response for one in both.remote()["Mine"]["attendees"]] == ["accepted"]


def test_an_edit_that_meets_another_one_there_keeps_both(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    both.editing.edit(MIRA, named(both, "lunch"), draft("Lunch here"))
    both.edit_remote("lunch", location="There")
    both.settle_down()
    assert both.remote()["Lunch here"]["location"] == "There"
    (row,) = both.events()
    assert (row["title"], row["location"], row["pending"]) == ("Lunch here", "There", 0)


def test_an_edit_of_the_same_field_leaves_the_loser_readable(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    both.editing.edit(MIRA, named(both, "lunch"), draft("Here"))
    both.edit_remote("lunch", title="There")
    both.settle_down()
    (conflict,) = both.all("conflict")
    assert (conflict["ours"], conflict["theirs"]) == ('"Here"', '"There"')
    assert both.titles() == list(both.remote())


def test_an_edit_outranks_a_deletion_there(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    both.editing.edit(MIRA, named(both, "lunch"), draft("Still on"))
    both.remove("lunch")
    both.settle_down()
    assert list(both.remote()) == ["Still on"] == both.titles()
    assert both.remote()["Still on"]["remote_id"] != "lunch"


def test_a_deletion_here_yields_to_an_edit_there(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    both.editing.delete(MIRA, named(both, "lunch"))
    both.edit_remote("lunch", title="Important now")
    both.settle_down()
    assert both.titles() == ["Important now"] == list(both.remote())
    assert len(both.starts("lunch")) == 1


def test_deleted_on_both_sides_is_gone(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    both.editing.delete(MIRA, named(both, "lunch"))
    both.remove("lunch")
    both.settle_down()
    assert both.events() == [] and both.operations("planned", "failed") == []


def test_an_edit_the_provider_refuses_is_taken_back_and_readable(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    both.editing.edit(MIRA, named(both, "lunch"), draft("Refused title"))
    refuse_writes(both)
    both.run()
    (row,) = both.events()
    assert (row["title"], row["pending"], row["quarantine"]) == ("Lunch", 0, "Too rude.")
    assert [one["ours"] for one in both.all("conflict")] == ['"Refused title"']


def refuse_writes(both: Both, error: Exception | None = None) -> None:
    """Let the next write, and no read, fail."""
    failure = error or Refused("Too rude.")

    class Rude(MemoryProvider):
        def create(self, *arguments: Any, **named: Any) -> Any:
            raise failure

        def update(self, *arguments: Any, **named: Any) -> Any:
            raise failure

        def delete(self, *arguments: Any, **named: Any) -> Any:
            raise failure

    both.open = lambda account: Rude(both.world)


def accept_writes(both: Both) -> None:
    both.open = lambda account: MemoryProvider(both.world)


def test_a_new_event_the_provider_refuses_stays_here_to_be_tried_again(both: Both) -> None:
    event = both.editing.create(MIRA, calendar(both), draft("Refused"))
    refuse_writes(both)
    both.run()
    (row,) = both.events()
    assert (row["title"], row["quarantine"]) == ("Refused", "Too rude.")
    accept_writes(both)
    both.editing.edit(MIRA, event, draft("Accepted"))
    both.run()
    assert list(both.remote()) == ["Accepted"]
    assert [row["quarantine"] for row in both.events()] == [None]


def test_a_refused_deletion_brings_the_event_back(both: Both) -> None:
    event = weekly(both)
    refuse_writes(both)
    both.editing.delete(MIRA, event, scope="all")
    both.run()
    assert both.titles() == ["Stand-up"] and len(both.starts("standup")) == 10


def test_an_edit_behind_one_that_is_being_sent_follows_it(both: Both) -> None:
    event = both.editing.create(MIRA, calendar(both), draft("One"))
    refuse_writes(both, UnknownOutcome())
    both.run()
    both.editing.edit(MIRA, event, draft("Two"))
    accept_writes(both)
    both.execute("UPDATE calendar_ext_operation SET next_at = 0")
    both.run()
    assert list(both.remote()) == ["Two"]
    assert [(one["kind"], one["state"]) for one in both.operations()] == [("create", "done"), ("patch", "done")]
    (row,) = both.events()
    assert (row["title"], row["pending"]) == ("Two", 0)


def test_an_edit_of_an_appointment_s_event_reaches_the_host(both: Both) -> None:
    ref = both.host.save("Haircut")
    both.settle_down()
    name = both.remote()["Haircut"]["remote_id"]
    both.editing.edit(MIRA, named(both, name), draft("Trim", hours=3))
    both.settle_down()
    assert (both.host.rows[ref].title, both.host.rows[ref].start) == ("Trim", MONDAY + timedelta(hours=3))
    assert list(both.remote()) == ["Trim"]
    both.editing.delete(MIRA, named(both, name))
    both.settle_down()
    assert both.host.rows[ref].status == "cancelled" and both.remote() == {}


def test_the_last_change_can_be_undone(both: Both) -> None:
    both.put("lunch", "Lunch", location="Canteen")
    both.run()
    event = named(both, "lunch")
    both.editing.edit(MIRA, event, draft("Oops", location="Nowhere"))
    both.run()
    both.editing.undo(MIRA, event)
    both.run()
    assert both.remote()["Lunch"]["location"] == "Canteen"


def test_there_must_be_something_to_undo(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    with pytest.raises(Refused):
        both.editing.undo(MIRA, named(both, "lunch"))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"is_organizer": False, "organizer": "boss@example.test"}, "not_organizer"),
        ({"event_type": "birthday"}, "special"),
    ],
)
def test_what_is_not_one_s_own_is_not_changed(both: Both, facts: dict[str, Any], reason: str) -> None:
    both.put("lunch", "Lunch")
    both.edit_remote("lunch", **facts)
    both.run()
    event = named(both, "lunch")
    for attempt in (
        lambda: both.editing.edit(MIRA, event, draft("Mine")),
        lambda: both.editing.move(MIRA, event, when(4)),
        lambda: both.editing.delete(MIRA, event),
    ):
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.facts["reason"] == reason
    assert both.operations() == [] and both.titles() == ["Lunch"]


def test_a_calendar_that_can_only_be_read_takes_nothing(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    both.execute("UPDATE calendar_ext_calendar SET access = 'read'")
    for attempt in (
        lambda: both.editing.create(MIRA, calendar(both), draft()),
        lambda: both.editing.delete(MIRA, named(both, "lunch")),
    ):
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.facts["reason"] == "read_only"


@pytest.mark.parametrize(
    "times",
    [
        When("2026-11-23T10:00:00", "2026-11-23T09:00:00", "Europe/Berlin", "Europe/Berlin"),
        When("2026-11-23", "2026-11-23"),
        When("2026-11-23", "2026-11-23T09:00:00"),
        When("yesterday", "tomorrow"),
    ],
)
def test_times_that_make_no_sense_are_refused(both: Both, times: When) -> None:
    with pytest.raises(Refused) as refusal:
        both.editing.create(MIRA, calendar(both), EventDraft("Lunch", times))
    assert refusal.value.facts["reason"] == "times"
    assert both.events() == []


@pytest.mark.parametrize(
    "stranger",
    [
        OwnerProfile("8", "Ben", "ben@example.test", TENANT),
        OwnerProfile(OWNER, "Mira", "mira@example.test", "another organisation"),
    ],
)
def test_what_is_not_theirs_is_not_there(both: Both, stranger: OwnerProfile) -> None:
    both.put("lunch", "Lunch")
    both.host.save("Haircut", at=MONDAY - timedelta(days=500))
    both.settle_down()
    event = named(both, "lunch")
    with both.store.read() as unit:
        connection = unit.connections.of_account(both.account.id)[0].public_id
    for attempt in (
        lambda: both.editing.create(stranger, calendar(both), draft()),
        lambda: both.editing.edit(stranger, event, draft("Mine")),
        lambda: both.editing.move(stranger, event, when(3)),
        lambda: both.editing.delete(stranger, event),
        lambda: both.editing.undo(stranger, event),
        lambda: both.editing.version(stranger, event),
        lambda: both.editing.send_to_provider(stranger, ["1"]),
        lambda: both.editing.keep_here(stranger, ["1"]),
        lambda: both.editing.release(stranger, connection),
    ):
        with pytest.raises(Gone):
            attempt()
    assert both.operations() == []


def test_nothing_is_written_while_the_extension_is_not_active(both: Both) -> None:
    both.execute("UPDATE calendar_ext_installation SET state = 'inactive'")
    with pytest.raises(LeaseLost):
        both.editing.create(MIRA, calendar(both), draft())
    assert both.events() == []


def test_an_appointment_from_before_the_start_is_sent_by_hand(both: Both) -> None:
    both.host.save("Ancient", at=MONDAY - timedelta(days=500), guests=["ann@example.test"], invite_guests=True)
    both.settle_down()
    assert both.remote() == {}
    assert both.editing.send_to_provider(MIRA, ["1"]) == 1
    both.settle_down()
    assert list(both.remote()) == ["Ancient"] and both.world.mails == []
    assert both.all("appointment")[0]["reason"] == ""


def test_an_appointment_kept_here_stays_here_whatever_becomes_of_it(both: Both) -> None:
    both.host.save("Private matter", at=MONDAY - timedelta(days=500))
    both.settle_down()
    assert both.editing.keep_here(MIRA, ["1"]) == 1
    both.host.change("1", start=MONDAY, end=MONDAY + timedelta(hours=1))
    both.settle_down()
    assert both.remote() == {} and both.all("appointment")[0]["reason"] == "kept_here"
    both.editing.send_to_provider(MIRA, ["1"])
    both.settle_down()
    assert list(both.remote()) == ["Private matter"]


def test_a_refused_appointment_can_be_kept_or_tried_again(both: Both) -> None:
    both.host.save("Rude")
    refuse_writes(both)
    both.settle_down()
    assert both.all("appointment")[0]["reason"] == "refused"
    both.editing.keep_here(MIRA, ["1"])
    both.settle_down()
    assert both.all("appointment")[0]["reason"] == "kept_here" and both.links()[0]["state"] == "kept_here"
    accept_writes(both)
    assert both.editing.send_to_provider(MIRA, ["1"]) == 1
    both.settle_down()
    assert list(both.remote()) == ["Rude"]


def test_there_must_be_something_to_release(both: Both) -> None:
    with both.store.read() as unit:
        connection = unit.connections.of_account(both.account.id)[0].public_id
    with pytest.raises(Refused) as refusal:
        both.editing.release(MIRA, connection)
    assert refusal.value.facts["reason"] == "nothing_held"


def test_two_people_editing_at_once_lose_nothing(both: Both) -> None:
    both.put("lunch", "Lunch")
    both.run()
    event = named(both, "lunch")
    both.editing.edit(MIRA, event, draft("Mine"))
    refuse_writes(both, ProviderUnavailable())
    both.run()
    both.editing.edit(MIRA, event, draft("Mine", location="Room 3"))
    accept_writes(both)
    both.execute("UPDATE calendar_ext_operation SET next_at = 0")
    both.settle_down()
    assert both.remote()["Mine"]["location"] == "Room 3"

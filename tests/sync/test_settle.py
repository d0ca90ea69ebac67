"""What a linked event says new goes to the host, or into a conflict both sides survive."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from calendar_ext.domain.model import Visibility
from calendar_ext.domain.when import When
from calendar_ext.errors import Retryable
from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore

from .both import Both
from .rig import MONDAY, OWNER, TENANT, guest


@pytest.fixture
def both(store: SqlStore, engine: Engine, limits: Limits) -> Both:
    return Both(store, engine, limits)


def linked(both: Both, title: str = "Haircut", **facts: object) -> tuple[str, str]:
    """Return an appointment that stands in the calendar: its id, and the event's."""
    ref = both.host.save(title, **facts)
    both.settle_down()
    return ref, both.remote()[title]["remote_id"]


def at(hours: int) -> dict[str, object]:
    """Return the columns of a time that many hours later."""
    when = When.timed(MONDAY + timedelta(hours=hours), MONDAY + timedelta(hours=hours + 1), "Europe/Berlin")
    span = when.span
    return {"start_wall": when.start_wall, "end_wall": when.end_wall, "start_at": span.start, "end_at": span.end}


def test_an_event_moved_in_the_calendar_moves_the_appointment(both: Both) -> None:
    ref, name = linked(both)
    both.edit_remote(name, title="Haircut and beard", **at(3))
    both.run()
    row = both.host.rows[ref]
    assert (row.title, row.start) == ("Haircut and beard", MONDAY + timedelta(hours=3))
    assert both.host.applied == [(ref, frozenset({"title", "start", "end", "zone"}))]
    both.settle_down()
    assert both.operations("planned", "sending", "failed") == []


def test_the_host_s_own_hook_of_that_write_sends_nothing_back(both: Both) -> None:
    _, name = linked(both)
    both.edit_remote(name, title="Another title")
    both.run()
    before = both.writes()
    both.settle_down()
    assert both.writes() == before


def test_an_event_deleted_in_the_calendar_cancels_the_appointment(both: Both) -> None:
    ref, name = linked(both)
    both.remove(name)
    both.settle_down()
    assert both.host.rows[ref].status == "cancelled"
    assert [(one["state"], one["tombstone_actor"]) for one in both.links()] == [("ended", "calendar")]


def test_different_fields_changed_on_both_sides_are_both_kept(both: Both) -> None:
    ref, name = linked(both)
    both.host.change(ref, location="Room 3")
    both.edit_remote(name, title="There")
    both.settle_down()
    assert (both.host.rows[ref].title, both.host.rows[ref].location) == ("There", "Room 3")
    assert both.remote()["There"]["location"] == "Room 3"
    assert both.all("conflict") == []


def test_the_same_field_changed_on_both_sides_leaves_the_loser_readable(both: Both) -> None:
    ref, name = linked(both)
    both.edit_remote(name, title="There")
    both.execute("UPDATE calendar_ext_appointment SET seen_at = 0")
    both.host.change(ref, title="Here")
    both.settle_down()
    title = both.host.rows[ref].title
    assert list(both.remote()) == [title]
    (conflict,) = both.all("conflict")
    assert (conflict["field"], conflict["ours"], conflict["theirs"]) == ("title", '"Here"', '"There"')
    assert title == {"ours": "Here", "theirs": "There"}[conflict["winner"]]
    assert [facts["conflict"]["field"] for what, facts in both.host.told if what == "conflict_found"] == ["title"]


def test_both_sides_making_the_same_edit_is_no_conflict(both: Both) -> None:
    ref, name = linked(both)
    both.host.change(ref, title="Same")
    both.edit_remote(name, title="Same")
    before = both.writes()
    both.settle_down()
    assert both.writes() == before
    assert both.all("conflict") == [] and both.host.applied == []


def test_an_edit_here_outranks_a_deletion_there(both: Both) -> None:
    ref, name = linked(both)
    both.remove(name)
    both.host.change(ref, title="Still on")
    both.settle_down()
    assert both.host.rows[ref].status == "confirmed"
    assert list(both.remote()) == ["Still on"] and both.remote()["Still on"]["remote_id"] != name
    assert [one["field"] for one in both.all("conflict")] == ["deleted"]


def test_an_edit_there_outranks_a_cancellation_here(both: Both) -> None:
    ref, name = linked(both)
    both.edit_remote(name, title="Very much on")
    both.host.cancel(ref)
    both.settle_down()
    assert (both.host.rows[ref].status, both.host.rows[ref].title) == ("confirmed", "Very much on")
    assert list(both.remote()) == ["Very much on"]


def test_a_guest_s_answer_never_revives_a_cancelled_appointment(both: Both) -> None:
    ref, name = linked(both, guests=["ann@example.test"], invite_guests=True)
    both.edit_remote(name, attendees=[guest("ann@example.test", "accepted")])
    both.host.cancel(ref)
    both.settle_down()
    assert both.host.rows[ref].status == "cancelled"
    assert both.remote() == {}


def test_deleted_and_cancelled_on_both_sides_is_forgotten(both: Both) -> None:
    ref, name = linked(both)
    both.remove(name)
    both.host.cancel(ref)
    both.settle_down()
    assert [one["state"] for one in both.links()] == ["ended"]
    assert both.operations("planned", "failed") == []


def test_the_deletion_of_a_colleague_s_copy_cancels_nothing(both: Both) -> None:
    both.join("8", "ben@example.test")
    ref = both.host.save("Team", owners=(OWNER, "8"))
    both.settle_down()
    world = both.world_of("ben@example.test")
    world.remove(world.subject, both.remote("ben@example.test")["Team"]["remote_id"])
    both.settle_down()
    assert both.host.rows[ref].status == "confirmed" and list(both.remote()) == ["Team"]
    assert sorted((one["role"], one["state"]) for one in both.links()) == [("copy", "ended"), ("organizer", "live")]
    both.host.change(ref, title="Team, later")
    both.settle_down()
    assert both.remote("ben@example.test") == {}


def test_a_change_in_one_calendar_reaches_every_copy(both: Both) -> None:
    both.join("8", "ben@example.test")
    ref = both.host.save("Team", owners=(OWNER, "8"))
    both.settle_down()
    both.edit_remote(both.remote()["Team"]["remote_id"], title="Team in room 3")
    both.settle_down()
    assert both.host.rows[ref].title == "Team in room 3"
    assert list(both.remote("ben@example.test")) == ["Team in room 3"]


def test_an_appointment_the_host_refuses_rests_until_it_changes_again(both: Both) -> None:
    ref, name = linked(both)
    both.host.refuses.add("Forbidden")
    both.edit_remote(name, title="Forbidden")
    both.settle_down()
    assert both.host.rows[ref].title == "Haircut"
    assert both.links()[0]["reason"] == "host_refused"
    assert [one["target"] for one in both.operations("failed")] == ["host"]
    both.settle_down()
    assert len(both.operations("failed")) == 1
    both.edit_remote(name, title="Allowed")
    both.settle_down()
    assert both.host.rows[ref].title == "Allowed"


def test_a_host_that_fails_is_asked_again(both: Both) -> None:
    ref, name = linked(both)
    both.host.failures = [Retryable("The database is away.")]
    both.edit_remote(name, title="Later")
    both.run()
    assert both.host.rows[ref].title == "Haircut"
    both.pass_time(60)
    both.settle_down()
    assert both.host.rows[ref].title == "Later"


def test_an_appointment_that_moved_on_is_read_and_decided_again(both: Both) -> None:
    ref, name = linked(both)
    both.host.change(ref, location="Upstairs", silently=True)
    both.edit_remote(name, title="There")
    both.settle_down()
    assert (both.host.rows[ref].title, both.host.rows[ref].location) == ("There", "Upstairs")
    assert both.remote()["There"]["location"] == "Upstairs"


def test_our_guest_lines_and_prefix_never_reach_the_host(both: Both) -> None:
    both.execute("UPDATE calendar_ext_calendar_person SET title_prefix = '[Salon] '")
    ref = both.host.save("Haircut", guests=["ann@example.test"], description="Bring the dog")
    both.settle_down()
    name = both.remote()["[Salon] Haircut"]["remote_id"]
    said = both.remote()["[Salon] Haircut"]["description"]
    both.edit_remote(name, title="[Salon] Trim", description=said.replace("dog", "cat"))
    both.settle_down()
    assert (both.host.rows[ref].title, both.host.rows[ref].description) == ("Trim", "Bring the cat")
    assert list(both.remote()) == ["[Salon] Trim"]


def test_what_a_host_has_no_place_for_stays_in_the_calendar(both: Both) -> None:
    ref, name = linked(both)
    both.edit_remote(name, attendees=[guest("ann@example.test")], visibility=str(Visibility.PRIVATE))
    both.settle_down()
    assert both.host.applied == [(ref, frozenset({"private"}))]
    assert len(both.remote()["Haircut"]["attendees"]) == 1


def test_a_one_way_connection_never_writes_to_the_host(both: Both) -> None:
    ref, name = linked(both)
    both.execute("UPDATE calendar_ext_connection SET direction = 'to_provider'")
    both.edit_remote(name, title="There only")
    both.settle_down()
    assert both.host.rows[ref].title == "Haircut" and both.host.applied == []


def test_a_normalised_text_is_not_a_change(both: Both) -> None:
    ref = both.host.save("  Two   blanks ", description="<b>Bold</b> words")
    both.settle_down()
    (row,) = both.remote().values()
    both.edit_remote(row["remote_id"], title="Two blanks", description="Bold words")
    before = both.writes()
    both.settle_down()
    assert both.writes() == before and both.host.applied == []
    assert both.host.rows[ref].title == "  Two   blanks "


def test_many_deletions_stop_and_wait_for_a_person(both: Both) -> None:
    refs = [both.host.save(f"Appointment {n}", at=MONDAY + timedelta(hours=n)) for n in range(12)]
    both.settle_down()
    both.put("private", "Not ours")
    for number in range(40):
        both.put(f"other{number}", f"Other {number}")
    both.run()
    both.remove(*[row["remote_id"] for title, row in both.remote().items() if title.startswith("Appointment")][:8])
    both.run()
    assert both.status() == ("needs_review", "too_many_deleted_here")
    assert [one["state"] for one in both.operations("held")] == ["held"] * 8
    assert all(both.host.rows[ref].status == "confirmed" for ref in refs)


def test_what_a_person_released_is_done_and_nothing_else(both: Both) -> None:
    test_many_deletions_stop_and_wait_for_a_person(both)
    user = profile()
    with both.store.read() as unit:
        connection = unit.connections.of_account(both.account.id)[0]
    assert both.editing.release(user, connection.public_id) == 8
    both.settle_down()
    assert sum(row.status == "cancelled" for row in both.host.rows.values()) == 8
    assert both.status()[0] == "active"


def profile() -> object:
    """Return the person as pages know them."""
    from calendar_ext.contract import OwnerProfile

    return OwnerProfile(OWNER, "Mira", "mira@example.test", TENANT)

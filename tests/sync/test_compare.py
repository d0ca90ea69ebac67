"""The host's appointments beside what we know: first synchronization, what was missed, what is adopted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from calendar_ext.domain.when import When
from calendar_ext.errors import ProviderUnavailable
from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.sync import compare as comparing
from calendar_ext.sync.ports.people import ConnectionRecord

from .both import Both
from .rig import MONDAY, OWNER, TENANT, guest


@pytest.fixture
def both(store: SqlStore, engine: Engine, limits: Limits) -> Both:
    return Both(store, engine, limits)


def forget_hooks(both: Both) -> None:
    """Let the hooks never have been fired."""
    both.execute("DELETE FROM calendar_ext_host_change")


def compare(both: Both) -> None:
    """Ask for a compare, as housekeeping and an activation do."""
    with both.store.write() as unit:
        unit.wakes.add(both.account.id, reason="compare")
    both.settle_down()


def test_appointments_from_before_the_connection_go_out_with_the_first_synchronization(both: Both) -> None:
    for number in range(30):
        both.host.save(f"Appointment {number}", at=MONDAY + timedelta(hours=number))
    forget_hooks(both)
    both.settle_down()
    assert len(both.remote()) == len(both.links()) == 30


def test_what_lies_before_the_sync_start_is_marked_and_stays(both: Both) -> None:
    both.host.save("Ancient", at=MONDAY - timedelta(days=500))
    both.host.save("Last month", at=MONDAY - timedelta(days=30))
    forget_hooks(both)
    both.settle_down()
    assert list(both.remote()) == ["Last month"]
    assert [one["reason"] for one in both.all("appointment")] == ["before_sync_start", ""]


def test_an_event_of_the_same_time_and_title_is_adopted_and_nothing_is_written(both: Both) -> None:
    both.put("theirs", "  haircut ")
    both.host.save("Haircut")
    forget_hooks(both)
    before = both.writes()
    both.settle_down()
    assert both.writes() == before
    assert [(one["role"], one["owned"], one["state"]) for one in both.links()] == [("adopted", False, "live")]


@pytest.mark.parametrize(
    "facts",
    [
        {"title": "Another title"},
        {"at": MONDAY + timedelta(hours=1)},
        {"when": When.days(MONDAY.date(), MONDAY.date() + timedelta(days=1))},
        {"attendees": (guest("somebody@else.test"),)},
    ],
)
def test_what_only_looks_alike_is_left_alone(both: Both, facts: dict[str, object]) -> None:
    both.put("theirs", **{"title": "Haircut", **facts})
    both.host.save("Haircut", guests=["ann@example.test"])
    forget_hooks(both)
    both.settle_down()
    assert len(both.events()) == 2 and both.links()[0]["owned"]


def test_an_adopted_event_goes_both_ways_from_then_on(both: Both) -> None:
    both.put("theirs", "Haircut")
    ref = both.host.save("Haircut")
    forget_hooks(both)
    both.settle_down()
    both.host.change(ref, location="Room 3")
    both.settle_down()
    assert both.remote()["Haircut"]["location"] == "Room 3"
    both.edit_remote("theirs", title="Trim")
    both.settle_down()
    assert both.host.rows[ref].title == "Trim"


def test_the_same_event_is_adopted_by_one_appointment_only(both: Both) -> None:
    both.put("theirs", "Haircut")
    both.host.save("Haircut")
    both.host.save("Haircut")
    forget_hooks(both)
    both.settle_down()
    assert sorted(one["role"] for one in both.links()) == ["adopted", "organizer"]


def test_a_change_no_hook_told_of_is_found_by_the_next_compare(both: Both) -> None:
    ref = both.host.save("Haircut")
    both.settle_down()
    both.host.change(ref, title="Trim", silently=True)
    both.settle_down()
    assert list(both.remote()) == ["Haircut"]
    compare(both)
    assert list(both.remote()) == ["Trim"]


def test_a_compare_of_what_is_known_writes_nothing(both: Both) -> None:
    both.host.save("Haircut", guests=["ann@example.test"], invite_guests=True)
    both.settle_down()
    before, operations = both.writes(), both.operations()
    compare(both)
    assert both.writes() == before and both.operations() == operations


def test_a_compare_that_is_cut_off_comes_back(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "PAGE", 10)
    for number in range(25):
        both.host.save(f"Appointment {number}", at=MONDAY + timedelta(hours=number))
    forget_hooks(both)
    both.run(budget=-1)
    for _ in range(3):
        both.settle_down()
    assert len(both.remote()) == 25


def test_a_reconnected_calendar_goes_on_without_duplicates(both: Both) -> None:
    ref = both.host.save("Haircut")
    both.settle_down()
    leave(both, remove_here=True, remove_there=False)
    assert both.status()[0] == "disconnected" and list(both.remote()) == ["Haircut"]
    reconnect(both)
    both.host.change(ref, title="Trim")
    both.settle_down()
    assert list(both.remote()) == ["Trim"]


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("there", [True, False])
def test_what_is_left_behind_is_what_the_person_chose(both: Both, here: bool, there: bool) -> None:
    both.host.save("Ours")
    both.put("theirs", "Theirs")
    both.settle_down()
    leave(both, remove_here=here, remove_there=there)
    assert sorted(both.remote()) == (["Theirs"] if there else ["Ours", "Theirs"])
    assert len(both.events()) == (0 if here else 1 if there else 2)
    assert both.revoked == ["mira@example.test"] and both.status()[0] == "disconnected"
    assert [one["ended_at"] is None for one in both.all("connection")] == [False]
    assert [one["reason"] for one in both.all("appointment")] == ["not_connected"]


def test_another_calendar_takes_over_without_duplicates(both: Both) -> None:
    both.host.save("Haircut")
    both.settle_down()
    leave(both, remove_here=True, remove_there=True)
    both.account = both.connect("other@example.test")
    both.take_appointments(OWNER, both.account.id)
    both.settle_down()
    assert both.remote() == {} and list(both.remote("other@example.test")) == ["Haircut"]


def test_a_provider_that_does_not_answer_delays_a_disconnect(both: Both) -> None:
    both.host.save("Ours")
    both.settle_down()
    both.world.fail_next(ProviderUnavailable())
    leave(both, remove_here=True, remove_there=True)
    assert both.status()[0] == "disconnecting" and both.revoked == []
    both.execute("UPDATE calendar_ext_operation SET next_at = 0")
    both.run()
    assert both.status()[0] == "disconnected" and both.remote() == {}


def test_one_of_two_people_leaves_and_the_other_stays(both: Both) -> None:
    both.host.tenants["8"] = TENANT
    with both.store.write() as unit:
        second = unit.connections.add(ConnectionRecord(0, "c" * 22, TENANT, both.account.id, "8"), unit.now())
        unit.choices.put(unit.calendars.of_account(both.account.id)[0].id, "8", second.id, writes=True, checks=True)
    both.host.save("Team", owners=(OWNER, "8"))
    both.host.save("Ben's", owners=("8",))
    both.settle_down()
    with both.store.write() as unit:
        unit.connections.set_leaving(second.id, {"remove_there": True, "by": "8", "at": unit.now()})
        unit.wakes.add(both.account.id, reason="disconnect")
    both.settle_down()
    assert list(both.remote()) == ["Team"]
    assert both.status()[0] == "active" and both.revoked == []


def leave(both: Both, *, remove_here: bool, remove_there: bool) -> None:
    """Press Disconnect and let the account's next run carry it out."""
    with both.store.write() as unit:
        for connection in unit.connections.of_account(both.account.id):
            facts = {"remove_here": remove_here, "remove_there": remove_there, "by": OWNER, "at": unit.now()}
            unit.connections.set_leaving(connection.id, facts)
        unit.accounts.set_status(both.account.id, "disconnecting")
    both.run()


def reconnect(both: Both) -> None:
    """Sign in again with the same account."""
    with both.store.write() as unit:
        connection = unit.connections.any_of(both.account.id, OWNER)
        assert connection is not None
        unit.connections.reopen(connection.id)
        unit.connections.set_first_sync(connection.id, {"started_at": unit.now()})
        unit.accounts.set_status(both.account.id, "active")
        unit.wakes.add(both.account.id, reason="connected")
    both.take_appointments(OWNER, both.account.id)
    both.settle_down()

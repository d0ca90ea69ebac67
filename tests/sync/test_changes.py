"""What hooks noted becomes appointments, links, operations and a wake-up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from calendar_ext.contract import Contact, OwnerProfile
from calendar_ext.errors import LeaseLost
from calendar_ext.limits import Limits
from calendar_ext.persistence.tables import HostChange
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.sync.ports.people import ConnectionRecord

from .both import Both
from .rig import MONDAY, OWNER, TENANT, guest


@pytest.fixture
def both(store: SqlStore, engine: Engine, limits: Limits) -> Both:
    return Both(store, engine, limits)


def test_a_new_appointment_becomes_a_link_an_operation_and_a_wake_up(both: Both) -> None:
    both.host.save("Haircut")
    assert both.dispatch() == 1
    (operation,) = both.operations()
    (link,) = both.links()
    assert (operation["kind"], operation["state"], operation["target"]) == ("create", "planned", "remote")
    assert (link["role"], link["owned"], link["state"]) == ("organizer", True, "live")
    assert [wake["account_id"] for wake in both.all("wake")] == [both.account.id]
    assert both.all("host_change") == []


def test_what_is_dispatched_twice_is_done_once(both: Both) -> None:
    both.host.save("Haircut")
    change = both.all("host_change")[0]
    both.dispatch()
    columns = {name: value for name, value in change.items() if name != "id"}
    both.execute(HostChange.__table__.insert().values(**columns))
    both.dispatch()
    assert len(both.operations()) == 1


def test_an_older_version_that_comes_late_changes_nothing(both: Both) -> None:
    ref = both.host.save("Old")
    both.host.change(ref, title="New")
    both.execute("UPDATE calendar_ext_host_change SET id = -id")
    both.dispatch()
    (appointment,) = both.all("appointment")
    assert '"title":"New"' in appointment["content"]
    assert len(both.operations()) == 1


def test_changes_before_the_sending_are_folded_into_one_operation(both: Both) -> None:
    ref = both.host.save("One")
    both.dispatch()
    both.host.change(ref, title="Two")
    both.dispatch()
    both.host.change(ref, title="Three", location="Room 3")
    both.dispatch()
    assert len(both.operations()) == 1
    both.run()
    assert both.remote()["Three"]["location"] == "Room 3"


def test_a_cancelled_appointment_that_was_never_sent_is_forgotten(both: Both) -> None:
    ref = both.host.save("Changed my mind")
    both.dispatch()
    both.host.cancel(ref)
    both.dispatch()
    both.run()
    assert [one["state"] for one in both.operations()] == ["superseded"]
    assert both.remote() == {}


def test_a_deletion_with_the_version_of_the_last_save_still_counts(both: Both) -> None:
    ref = both.host.save("Gone soon")
    both.settle_down()
    both.recording.record(None, "appointment_cancelled", both.host.rows[ref], OWNER, None)
    both.settle_down()
    assert both.remote() == {}
    assert both.links()[0]["state"] == "ended"


def test_a_planned_activity_is_known_and_goes_to_no_calendar(both: Both) -> None:
    both.host.plan("a1", "Call Ann")
    both.host.plan("a2", "A note without a time", at=None)
    both.dispatch()
    assert [(one["kind"], one["ref"], one["state"]) for one in both.all("appointment")] == [
        ("activity", "a1", "current")
    ]
    assert both.operations() == []


def test_an_activity_that_loses_its_time_leaves_the_panel(both: Both) -> None:
    both.host.plan("a1", "Call Ann")
    both.dispatch()
    both.host.plan("a1", "Call Ann", at=None)
    both.dispatch()
    assert [one["state"] for one in both.all("appointment")] == ["cancelled"]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DELETE FROM calendar_ext_calendar_person", "not_connected"),
        ("UPDATE calendar_ext_calendar SET access = 'read'", "read_only"),
        ("UPDATE calendar_ext_connection SET direction = 'to_host'", "one_way"),
        ("UPDATE calendar_ext_account SET status = 'disconnected'", "not_connected"),
    ],
)
def test_an_appointment_without_a_calendar_says_why(both: Both, statement: str, reason: str) -> None:
    both.execute(statement)
    both.host.save("Alone")
    both.dispatch()
    assert [one["reason"] for one in both.all("appointment")] == [reason]
    assert both.links() == []


def test_an_appointment_before_the_sync_start_stays_in_the_host(both: Both) -> None:
    both.host.save("Long ago", at=MONDAY - timedelta(days=400))
    both.dispatch()
    assert [one["reason"] for one in both.all("appointment")] == ["before_sync_start"]
    assert both.operations() == []


def test_guests_are_invited_by_the_provider_only_where_the_appointment_says_so(both: Both) -> None:
    both.host.save("With invitation", guests=["ann@example.test"], invite_guests=True)
    both.host.save("Without", guests=["ben@example.test"])
    both.host.save("Past", guests=["cy@example.test"], invite_guests=True, at=MONDAY - timedelta(days=9))
    both.settle_down()
    remote = both.remote()
    assert [guest.email for guest in remote["With invitation"]["attendees"]] == ["ann@example.test"]
    assert remote["Without"]["attendees"] == [] and "ben@example.test" in remote["Without"]["description"]
    assert remote["Past"]["attendees"] == []
    assert [email for _, email in both.world.mails] == ["ann@example.test"]


def test_several_staff_have_one_link_for_each_calendar_and_one_organizer(both: Both) -> None:
    both.join("8", "ben@example.test")
    both.host.save("Team", owners=(OWNER, "8"), guests=["ann@example.test"], invite_guests=True)
    both.dispatch()
    links = both.links()
    assert sorted((one["role"], one["sender"]) for one in links) == [("copy", "nobody"), ("organizer", "provider")]
    assert sum(one["notifies"] for one in both.operations()) == 1


def test_staff_of_one_shared_calendar_share_one_link(both: Both) -> None:
    both.host.tenants["8"] = TENANT
    with both.store.write() as unit:
        connection = unit.connections.add(ConnectionRecord(0, "c" * 22, TENANT, both.account.id, "8"), unit.now())
        calendar = unit.calendars.of_account(both.account.id)[0]
        unit.choices.put(calendar.id, "8", connection.id, writes=True, checks=True)
    both.host.save("Team", owners=(OWNER, "8"))
    both.dispatch()
    assert len(both.links()) == 1
    assert sorted(one["owner_id"] for one in both.all("link_person")) == ["7", "8"]


def test_an_appointment_handed_to_somebody_else_leaves_the_first_calendar(both: Both) -> None:
    ref = both.host.save("Handed over")
    both.settle_down()
    both.host.tenants["8"] = TENANT
    both.host.change(ref, owners=("8",))
    both.settle_down()
    assert both.remote() == {}
    assert [one["reason"] for one in both.all("appointment")] == ["not_connected"]


def test_an_owner_of_another_organisation_never_shares_an_appointment(both: Both) -> None:
    both.host.tenants["9"] = "another"
    both.host.save("Mixed", owners=(OWNER, "9"))
    both.dispatch()
    assert [one["owners"] for one in both.all("appointment")] == ['["7"]']


def test_a_change_that_breaks_is_dropped_alone(both: Both, caplog: Any) -> None:
    both.host.save("Good")
    both.host.save("Bad")
    both.execute('UPDATE calendar_ext_host_change SET payload = \'{"owners":["7"],"event":{}}\' WHERE ref = \'2\'')
    both.host.save("Good too")
    assert both.dispatch() == 3
    assert [one["ref"] for one in both.all("appointment")] == ["1", "3"]
    assert "Good" not in caplog.text and "Bad" not in caplog.text


def test_nothing_is_dispatched_while_the_extension_is_not_active(both: Both) -> None:
    both.host.save("Waits")
    both.execute("UPDATE calendar_ext_installation SET state = 'inactive'")
    with pytest.raises(LeaseLost):
        both.dispatch()
    assert len(both.all("host_change")) == 1


def test_a_deleted_user_ends_their_connections(both: Both) -> None:
    both.recording.record(None, "user_deleted", OWNER)
    both.dispatch()
    assert both.status() == ("disconnecting", "user_deleted")
    both.run()
    assert both.status()[0] == "disconnected"


def test_somebody_who_may_not_use_the_host_is_paused_until_they_may(both: Both) -> None:
    profile = OwnerProfile(OWNER, "Mira", "mira@example.test", TENANT, may_use=False)
    both.recording.record(None, "user_changed", profile)
    both.dispatch()
    assert both.status()[0] == "paused"
    both.recording.record(None, "user_changed", OwnerProfile(OWNER, "Mira", "mira@example.test", TENANT))
    both.dispatch()
    assert both.status()[0] == "active"


def test_a_contact_is_matched_to_guests_by_address_and_let_go_again(both: Both) -> None:
    both.put("meeting", attendees=(guest("Ann@Example.test"),))
    both.run()
    both.host.known = {"ann@example.test": "c1"}
    both.recording.record(None, "contact_changed", Contact("c1", "Ann", ("Ann@example.test",)))
    both.dispatch()
    assert [one["contact_ref"] for one in both.all("participant")] == ["c1"]
    both.host.known = {}
    both.recording.record(None, "contact_changed", Contact("c1", "Ann", ("new@example.test",)))
    both.dispatch()
    assert [one["contact_ref"] for one in both.all("participant")] == [None]

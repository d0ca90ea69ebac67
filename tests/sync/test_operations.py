"""What is sent, how it ends, and what stops it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from calendar_ext.domain.model import Event
from calendar_ext.errors import (
    AuthorizationExpired,
    EtagMismatch,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    Refused,
    UnknownOutcome,
)
from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.providers.base import CalendarProvider
from calendar_ext.providers.memory import MemoryProvider
from calendar_ext.sync.ports.people import AccountRecord

from .both import Both
from .rig import MONDAY, OWNER, guest
from .test_settle import profile


@pytest.fixture
def both(store: SqlStore, engine: Engine, limits: Limits) -> Both:
    return Both(store, engine, limits)


class Scripted(MemoryProvider):
    """The in-memory provider, whose writes end as a script says: before, or after they took effect."""

    script: list[tuple[str, Exception]] = []

    def create(self, *arguments: object, **named: object) -> object:
        return self._played(super().create, *arguments, **named)

    def update(self, *arguments: object, **named: object) -> object:
        return self._played(super().update, *arguments, **named)

    def delete(self, *arguments: object, **named: object) -> object:
        return self._played(super().delete, *arguments, **named)

    def _played(self, write: object, *arguments: object, **named: object) -> object:
        when, error = self.script.pop(0) if self.script else ("", None)
        if when == "before":
            raise error
        answer = write(*arguments, **named)
        if when == "after":
            raise error
        return answer


@pytest.fixture
def scripted(both: Both) -> Both:
    """Let writes of the account end as `Scripted.script` says."""
    Scripted.script = []

    def open_account(account: AccountRecord) -> CalendarProvider:
        return Scripted(both.world)

    both.open = open_account
    return both


def due(both: Both) -> None:
    """Let every operation that waits for a later time be due."""
    both.execute("UPDATE calendar_ext_operation SET next_at = 0")


def test_an_appointment_goes_through_its_life_in_the_calendar(both: Both) -> None:
    ref = both.host.save("Haircut", location="Room 1")
    both.settle_down()
    (row,) = both.remote().values()
    assert row["marker"].startswith(both.links()[0]["public_id"])
    both.host.change(ref, title="Trim", start=MONDAY + timedelta(days=1), end=MONDAY + timedelta(days=1, hours=1))
    both.settle_down()
    assert both.remote()["Trim"]["start_at"] == int((MONDAY + timedelta(days=1)).timestamp())
    both.host.cancel(ref)
    both.settle_down()
    assert both.remote() == {}
    assert [(one["kind"], one["state"]) for one in both.operations()] == [
        ("create", "done"),
        ("patch", "done"),
        ("delete", "done"),
    ]


def test_the_remote_id_is_ours_and_known_before_anything_is_sent(scripted: Both) -> None:
    Scripted.script = [("before", UnknownOutcome())]
    scripted.host.save("Haircut")
    scripted.dispatch()
    scripted.run()
    planned = scripted.links()[0]["planned_remote_id"]
    assert set(planned) <= set("0123456789abcdefghijklmnopqrstuv") and len(planned) == 26
    due(scripted)
    scripted.run()
    assert scripted.remote()["Haircut"]["remote_id"] == planned


@pytest.mark.parametrize("error", [UnknownOutcome(), ProviderUnavailable(status=503)])
def test_a_creation_whose_answer_was_lost_is_not_repeated(scripted: Both, error: Exception) -> None:
    Scripted.script = [("after", error)]
    scripted.host.save("Haircut")
    scripted.dispatch()
    scripted.run()
    assert [one["state"] for one in scripted.operations()] == ["unknown"]
    due(scripted)
    scripted.settle_down()
    assert [one["state"] for one in scripted.operations()] == ["done"]
    assert len(scripted.remote()) == 1 and len(scripted.events()) == 1


def test_a_change_whose_answer_was_lost_is_looked_up_and_not_sent_again(scripted: Both) -> None:
    ref = scripted.host.save("Haircut")
    scripted.settle_down()
    Scripted.script = [("after", UnknownOutcome())]
    scripted.host.change(ref, title="Trim")
    scripted.dispatch()
    scripted.run()
    before = scripted.writes()
    due(scripted)
    scripted.settle_down()
    assert scripted.writes() == before
    assert [one["state"] for one in scripted.operations()] == ["done", "done"]
    assert scripted.host.rows[ref].title == "Trim" and scripted.host.applied == []


def test_a_deletion_whose_answer_was_lost_is_simply_repeated(scripted: Both) -> None:
    ref = scripted.host.save("Haircut")
    scripted.settle_down()
    Scripted.script = [("after", UnknownOutcome())]
    scripted.host.cancel(ref)
    scripted.settle_down()
    due(scripted)
    scripted.settle_down()
    assert scripted.remote() == {} and scripted.links()[0]["state"] == "ended"


def test_what_a_dead_run_left_as_sending_is_looked_up(both: Both) -> None:
    both.host.save("Haircut")
    both.dispatch()
    both.execute("UPDATE calendar_ext_operation SET state = 'sending', attempts = 1")
    both.run()
    assert [one["state"] for one in both.operations()] == ["done"]
    assert list(both.remote()) == ["Haircut"]


def test_a_stale_etag_is_read_again_and_merged(scripted: Both) -> None:
    ref = scripted.host.save("Haircut")
    scripted.settle_down()
    name = scripted.remote()["Haircut"]["remote_id"]
    scripted.host.change(ref, location="Room 3")
    scripted.dispatch()
    original = scripted.open

    class Racing(MemoryProvider):
        raced = False

        def update(self, calendar_id: str, remote_id: str, event: Event, **named: object) -> object:
            if not Racing.raced:
                Racing.raced = True
                scripted.edit_remote(name, title="Changed meanwhile")
            return super().update(calendar_id, remote_id, event, **named)

    scripted.open = lambda account: Racing(scripted.world)
    scripted.run()
    scripted.open = original
    scripted.settle_down()
    row = scripted.host.rows[ref]
    assert (row.title, row.location) == ("Changed meanwhile", "Room 3")
    assert scripted.remote()["Changed meanwhile"]["location"] == "Room 3"
    assert [one["state"] for one in scripted.operations() if one["target"] == "remote"] == ["done", "done"]


def test_a_changed_etag_without_another_content_costs_one_more_request(scripted: Both) -> None:
    ref = scripted.host.save("Haircut")
    scripted.settle_down()
    Scripted.script = [("before", EtagMismatch())]
    scripted.host.change(ref, title="Trim")
    scripted.settle_down()
    assert list(scripted.remote()) == ["Trim"]
    assert scripted.operations()[-1]["attempts"] == 2


def test_an_event_that_was_deleted_while_we_wrote_to_it_comes_back(both: Both) -> None:
    ref = both.host.save("Haircut")
    both.settle_down()
    both.host.change(ref, title="Trim")
    both.dispatch()
    name = both.remote()["Haircut"]["remote_id"]

    class Deleting(MemoryProvider):
        def update(self, calendar_id: str, remote_id: str, event: Event, **named: object) -> object:
            if remote_id == name:
                both.remove(name)
            return super().update(calendar_id, remote_id, event, **named)

    both.open = lambda account: Deleting(both.world)
    both.settle_down()
    assert list(both.remote()) == ["Trim"]
    assert [one["field"] for one in both.all("conflict")] == ["deleted"]


def test_an_event_deleted_before_its_creation_was_known_cancels_the_appointment(scripted: Both) -> None:
    Scripted.script = [("after", UnknownOutcome())]
    ref = scripted.host.save("Haircut")
    scripted.dispatch()
    scripted.run()
    (name,) = [row["remote_id"] for row in scripted.remote().values()]
    scripted.remove(name)
    scripted.lose(name)
    scripted.world.calendar(scripted.world.subject).rows[name] = {"status": "cancelled", "remote_id": name}
    due(scripted)
    scripted.execute("UPDATE calendar_ext_calendar SET reads = 'ignore'")
    scripted.run()
    assert scripted.host.rows[ref].status == "cancelled"


@pytest.mark.parametrize("error", [Refused("Too many guests."), PermissionDenied("Not yours.")])
def test_a_refused_appointment_stays_in_the_host_and_says_why(scripted: Both, error: Exception) -> None:
    Scripted.script = [("before", error)]
    ref = scripted.host.save("Haircut")
    scripted.host.save("The next one")
    scripted.settle_down()
    assert list(scripted.remote()) == ["The next one"]
    first = scripted.all("appointment")[0]
    assert (first["reason"], first["reason_text"]) == ("refused", str(error))
    scripted.settle_down()
    assert scripted.operations("failed")[0]["attempts"] == 1
    scripted.host.change(ref, title="Haircut, shorter")
    scripted.settle_down()
    assert "Haircut, shorter" in scripted.remote()
    assert scripted.all("appointment")[0]["reason"] == ""


def test_a_provider_that_asks_to_slow_down_is_left_alone(scripted: Both) -> None:
    Scripted.script = [("before", RateLimited(retry_after=120))]
    scripted.host.save("One")
    scripted.host.save("Two")
    scripted.dispatch()
    scripted.run()
    assert [one["attempts"] for one in scripted.operations()] == [1, 0]
    assert [one["state"] for one in scripted.operations()] == ["planned", "planned"]
    assert scripted.state().breaker_until is not None


def test_an_ended_sign_in_loses_nothing(scripted: Both) -> None:
    Scripted.script = [("before", AuthorizationExpired())]
    scripted.host.save("Haircut")
    scripted.dispatch()
    scripted.run()
    assert scripted.status()[0] == "reconnect_needed"
    scripted.execute("UPDATE calendar_ext_account SET status = 'active'")
    scripted.settle_down()
    assert list(scripted.remote()) == ["Haircut"]


def test_eight_attempts_are_enough(scripted: Both) -> None:
    Scripted.script = [("before", ProviderUnavailable())] * 20
    scripted.host.save("Haircut")
    scripted.dispatch()
    for _ in range(12):
        due(scripted)
        scripted.run()
    assert [(one["state"], one["attempts"]) for one in scripted.operations()] == [("failed", 8)]
    assert len(Scripted.script) == 12


def test_one_event_the_provider_chokes_on_holds_nobody_back(scripted: Both) -> None:
    scripted.host.save("Bad")
    scripted.dispatch()
    scripted.host.save("Good")
    scripted.dispatch()
    Scripted.script = [("before", ProviderUnavailable())]
    scripted.run()
    assert list(scripted.remote()) == ["Good"]


def test_a_second_pass_without_changes_makes_no_write(both: Both) -> None:
    for number in range(5):
        both.host.save(f"Appointment {number}", at=MONDAY + timedelta(hours=number))
    both.fill(5)
    both.settle_down()
    before, rows = both.writes(), both.operations()
    for _ in range(3):
        both.settle_down()
    assert both.writes() == before and both.operations() == rows and both.host.applied == []


def test_a_first_synchronization_invites_nobody(both: Both) -> None:
    both.execute("DELETE FROM calendar_ext_calendar_person")
    for number in range(30):
        both.host.save(f"Appointment {number}", guests=[f"guest{number}@example.test"], invite_guests=True)
    both.dispatch()
    both.take_appointments(OWNER, both.account.id)
    both.settle_down()
    assert len(both.remote()) == 30
    assert both.world.mails == [] and both.status()[0] == "active"


def test_too_many_invitations_stop_and_wait_for_a_person(both: Both) -> None:
    both.settle_down()
    guests = [f"guest{number}@example.test" for number in range(3)]
    for number in range(7):
        both.host.save(f"Appointment {number}", guests=guests, invite_guests=True)
    both.dispatch()
    both.run()
    assert both.status() == ("needs_review", "too_many_notified")
    assert both.remote() == {} and both.world.mails == []
    assert [run["counts"] for run in both.all("run")][-1:] == ['{"operations":7,"count":21}']


def test_a_released_stop_sends_exactly_what_was_held(both: Both) -> None:
    test_too_many_invitations_stop_and_wait_for_a_person(both)
    with both.store.read() as unit:
        connection = unit.connections.of_account(both.account.id)[0]
    both.editing.release(profile(), connection.public_id)
    both.settle_down()
    assert len(both.world.mails) == 21 and both.status()[0] == "active"


def test_a_lapsed_approval_stops_again(both: Both) -> None:
    test_too_many_invitations_stop_and_wait_for_a_person(both)
    with both.store.read() as unit:
        connection = unit.connections.of_account(both.account.id)[0]
    both.editing.release(profile(), connection.public_id)
    both.execute("UPDATE calendar_ext_run SET approved_until = 1 WHERE approved_by != ''")
    both.settle_down()
    assert both.world.mails == [] and both.status()[0] == "needs_review"


def test_many_deletions_in_the_host_stop_before_the_calendar(both: Both) -> None:
    refs = [both.host.save(f"Appointment {n}", at=MONDAY + timedelta(hours=n)) for n in range(8)]
    both.settle_down()
    for ref in refs[:6]:
        both.host.cancel(ref)
    both.settle_down()
    assert both.status() == ("needs_review", "too_many_deleted_there")
    assert len(both.remote()) == 8


def test_an_event_that_is_not_ours_is_never_deleted(both: Both) -> None:
    both.put("theirs", "Haircut")
    ref = both.host.save("Haircut")
    both.execute("DELETE FROM calendar_ext_host_change")
    both.settle_down()
    assert [(one["role"], one["owned"]) for one in both.links()] == [("adopted", False)]
    both.host.cancel(ref)
    both.settle_down()
    assert list(both.remote()) == ["Haircut"]


def test_somebody_else_s_meeting_is_never_written_to(both: Both) -> None:
    both.put("theirs", "Board meeting")
    both.edit_remote("theirs", is_organizer=False, organizer="boss@example.test")
    ref = both.host.save("Board meeting")
    both.execute("DELETE FROM calendar_ext_host_change")
    both.settle_down()
    before = both.writes()
    both.host.change(ref, title="My own name for it")
    both.settle_down()
    assert both.writes() == before


def test_writing_to_and_fro_without_a_person_ends_in_quarantine(both: Both) -> None:
    ref = both.host.save("Ping", actor=None)
    both.settle_down()
    for number in range(12):
        both.host.change(ref, title=f"Pong {number}", actor=None)
        both.settle_down()
    assert both.links()[0]["reason"] == "ping_pong"
    assert sum(one["state"] == "done" for one in both.operations()) <= 7
    both.host.change(ref, title="A person's word", actor=OWNER)
    both.settle_down()
    assert "A person's word" in both.remote()


def test_a_person_may_change_their_mind_as_often_as_they_like(both: Both) -> None:
    ref = both.host.save("One")
    both.settle_down()
    for number in range(12):
        both.host.change(ref, title=f"Idea {number}")
        both.settle_down()
    assert list(both.remote()) == ["Idea 11"]


def test_patches_carry_only_what_changed(both: Both) -> None:
    ref = both.host.save("Haircut", guests=["ann@example.test"], invite_guests=True)
    both.settle_down()
    name = both.remote()["Haircut"]["remote_id"]
    both.edit_remote(name, attendees=[guest("ann@example.test", "accepted"), guest("bob@example.test")])
    both.settle_down()
    both.host.change(ref, title="Trim")
    both.settle_down()
    assert [one.response for one in both.remote()["Trim"]["attendees"]] == ["accepted", "needs_action"]


def test_a_later_tick_of_the_invitation_box_invites(both: Both) -> None:
    ref = both.host.save("Haircut", guests=["ann@example.test"])
    both.settle_down()
    assert both.world.mails == []
    both.host.change(ref, invite_guests=True)
    both.settle_down()
    assert [email for _, email in both.world.mails] == ["ann@example.test"]
    assert both.remote()["Haircut"]["description"] == ""


def test_copies_may_be_many_and_the_guests_are_mailed_once(both: Both) -> None:
    both.join("8", "ben@example.test")
    both.host.save("Team", owners=(OWNER, "8"), guests=["ann@example.test"], invite_guests=True)
    both.settle_down()
    world = both.world_of("ben@example.test")
    assert list(both.remote("ben@example.test")) == ["Team"]
    assert len(both.world.mails) + len(world.mails) == 1


def test_an_operation_of_a_lost_claim_writes_nothing_more(both: Both) -> None:
    """L05: the fence is the first statement of every write of a run."""
    both.host.save("Haircut")
    both.dispatch()

    class Overtaken(MemoryProvider):
        def create(self, calendar_id: str, event: Event, **named: object) -> object:
            both.execute("UPDATE calendar_ext_sync_state SET epoch = epoch + 1")
            return super().create(calendar_id, event, **named)

    both.open = lambda account: Overtaken(both.world)
    both.run()
    assert [one["state"] for one in both.operations()] == ["sending"]
    both.open = lambda account: MemoryProvider(both.world)
    both.execute("UPDATE calendar_ext_sync_state SET lease_until = NULL")
    both.run()
    assert [one["state"] for one in both.operations()] == ["done"]
    assert len(both.remote()) == 1


def test_a_restored_backup_makes_nothing_double(both: Both) -> None:
    both.host.save("Haircut")
    both.dispatch()
    both.run()
    link = both.links()[0]
    both.execute("UPDATE calendar_ext_link SET event_id = NULL, base = NULL, base_fingerprint = NULL")
    both.execute("DELETE FROM calendar_ext_event")
    both.execute("UPDATE calendar_ext_operation SET state = 'planned', attempts = 0")
    both.settle_down()
    assert len(both.remote()) == 1
    assert both.links()[0]["planned_remote_id"] == link["planned_remote_id"] != ""

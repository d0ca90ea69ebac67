"""One leader at a time, by one row (host-contract.md section 9)."""

from __future__ import annotations

from calendar_ext.jobs.lease import Leadership
from calendar_ext.jobs.runner import this_process
from calendar_ext.persistence.unit_of_work import SqlStore

from ..conftest import ManualClock


def leader(store: SqlStore, owner: str, clock: ManualClock) -> Leadership:
    return Leadership(store, 15, owner=owner, monotonic=clock)


def test_one_of_two_leads(store: SqlStore, clock: ManualClock) -> None:
    first, second = leader(store, "first", clock), leader(store, "second", clock)
    assert [first.strive(), second.strive(), first.strive()] == [True, False, True]


def test_another_leads_once_the_first_resigns(store: SqlStore, clock: ManualClock) -> None:
    first, second = leader(store, "first", clock), leader(store, "second", clock)
    first.strive()
    first.resign()
    assert second.strive() and not first.leads and not first.strive()


def test_who_could_not_renew_in_time_no_longer_believes_it_leads(store: SqlStore, clock: ManualClock) -> None:
    first = leader(store, "first", clock)
    first.strive()
    clock.tick(14.9)
    assert first.leads
    clock.tick(0.2)
    assert not first.leads


def test_a_lease_that_ran_out_is_taken_over(store: SqlStore, clock: ManualClock) -> None:
    first, second = Leadership(store, -1, owner="first", monotonic=clock), leader(store, "second", clock)
    first.strive()
    assert second.strive()


def test_resigning_what_one_does_not_hold_does_nothing(store: SqlStore, clock: ManualClock) -> None:
    first, second = leader(store, "first", clock), leader(store, "second", clock)
    first.strive()
    second.resign()
    assert not second.strive()


def test_a_child_that_forgot_does_not_lead_and_its_parent_still_does(store: SqlStore, clock: ManualClock) -> None:
    first = leader(store, "first", clock)
    first.strive()
    first.forget()
    assert not first.leads and first.strive()


def test_a_process_has_one_name_and_no_two_have_the_same() -> None:
    host, pid, chance = this_process().rsplit(":", 2)
    assert this_process() == f"{host}:{pid}:{chance}" and int(pid) > 0 and len(chance) == 8
